package login

import (
	"net/http"

	"idp/internal/web"
)

// Depart answers POST …/depart: where to send the browser so that it signs in at a provider. It
// comes back to a page of ours; the script may look at the attempt afterwards.
func (x *API) Depart(w http.ResponseWriter, r *http.Request) error {
	var in DepartRequest
	if err := web.DecodeJSON(r, &in); err != nil {
		return err
	}
	at, err := x.at(r)
	if err != nil {
		return err
	}
	v, way, err := x.Engine.Depart(r.Context(), at, in.Connection)
	if err != nil {
		return x.answer(w, http.StatusOK, v, err)
	}
	return web.WriteJSON(w, http.StatusOK, Departure{Attempt: below(x.Base, v), Redirect: WayOut{way.URL, way.Form}})
}
