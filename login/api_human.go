package login

import (
	"net/http"

	"idp/internal/web"
	"idp/session"
)

// PassHuman answers POST /frontend/v1/attempts/{attempt}/human with the solution of the check in the view.
func (x *API) PassHuman(w http.ResponseWriter, r *http.Request) error {
	var in HumanRequest
	return x.event(w, r, &in, func(at At) (View, error) { return x.Engine.PassHuman(r.Context(), at, in.Answer.String) })
}

// Due answers POST /frontend/v1/bot-check: whether a check would be due for what this browser
// is about to do, and if so, which. It begins nothing.
func (x *API) Due(w http.ResponseWriter, r *http.Request) error {
	var in BotCheckRequest
	if err := web.DecodeJSON(r, &in); err != nil {
		return err
	}
	at := At{Browser: session.Browser{ID: x.Keeper.Offer(w, r)}, Network: web.Network(r)}
	check, err := x.Engine.Due(r.Context(), in.Action, in.Identifier, at)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, BotCheckAnswer{check})
}
