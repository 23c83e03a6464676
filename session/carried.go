package session

import (
	"net/http"

	"idp/internal/web"
)

// Introduction is the answer to a browser that cannot keep our cookie, in development.
type Introduction struct {
	// BrowserToken is what the cookie would hold. Requests carry it in the header Idp-Browser-Token.
	BrowserToken string `json:"browser_token"`
}

// Introduce answers POST /frontend/v1/browsers, an address that only development has, with the
// token of a browser never seen before. Nothing is stored until it signs in.
func (k *Keeper) Introduce(w http.ResponseWriter, _ *http.Request) error {
	return web.WriteJSON(w, http.StatusCreated, Introduction{NewToken().carried()})
}

// carried is a token as the cookie, or the header in its place, spells it.
func (t Token) carried() string { return string(t.ID) + "." + t.Secret.Reveal() }
