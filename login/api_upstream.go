package login

import (
	"net/http"
	"net/url"

	"idp/internal/web"
)

// Depart answers POST …/depart: where to send the browser so that it signs in at a provider. It
// comes back to a page of ours; the script may look at the attempt afterwards.
func (x *API) Depart(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Connection string `json:"connection"`
	}
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
	return web.WriteJSON(w, http.StatusOK, departed{Attempt: below(x.Base, v), Redirect: wayOut{way.URL, way.Form}})
}

// departed is an attempt whose browser is to go elsewhere.
type departed struct {
	Attempt  View   `json:"attempt"`
	Redirect wayOut `json:"redirect"`
}

// wayOut is where to: by GET, or, if there is a form, by POST with its fields.
type wayOut struct {
	URL  string     `json:"url"`
	Form url.Values `json:"form,omitempty"`
}
