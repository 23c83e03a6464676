package token

import (
	"net/http"
	"time"

	"idp/internal/web"
	"idp/session"
)

// API is minting for scripts, under /frontend/v1/sessions/{session}/tokens.
type API struct {
	Minter  *Minter
	Browser func(r *http.Request) (session.Token, bool) // what the browser showed of itself
	Origin  func(r *http.Request) string                // whose script asks, if it is one that may; "" is our own
}

// Wish is what a script may say of the token it wants.
type Wish struct {
	Cookie bool `json:"cookie,omitempty"` // it will be kept in a cookie, which holds less than a header
}

// Answer is a token as scripts get it.
type Answer struct {
	JWT       string    `json:"jwt"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Session answers POST /frontend/v1/sessions/{session}/tokens with a session token.
func (x *API) Session(w http.ResponseWriter, r *http.Request) error {
	return x.answer(w, r, SessionTemplate)
}

// Template answers POST /frontend/v1/sessions/{session}/tokens/{template} with what that
// template makes.
func (x *API) Template(w http.ResponseWriter, r *http.Request) error {
	return x.answer(w, r, r.PathValue("template"))
}

// answer makes a token by a template. The body may be left out.
func (x *API) answer(w http.ResponseWriter, r *http.Request, template string) error {
	var in Wish
	if r.ContentLength != 0 {
		if err := web.DecodeJSON(r, &in); err != nil {
			return err
		}
	}
	id := r.PathValue("session")
	web.Note(r.Context(), web.KeySession, id)
	a := Asking{Session: session.ID(id), Origin: x.Origin(r), Network: web.Network(r), Cookie: in.Cookie}
	if t, ok := x.Browser(r); ok {
		a.Browser = t
	}
	m, err := x.Minter.FromTemplate(r.Context(), a, template)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, Answer{m.JWT.Reveal(), m.IssuedAt, m.ExpiresAt})
}
