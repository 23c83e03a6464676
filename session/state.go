package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/gorilla/sessions"

	"idp/internal/problem"
)

// The browser's state says who is signed in on a browser without saying who: a MAC over
// the session in use. Pages of relying parties ask a frame of ours whether it is still the
// same (OIDC Session Management), which is why a second cookie carries it, in reach of
// script and of frames in other sites. It is no secret and opens nothing.

// nobody is the state of a browser where nobody is signed in. It is written, and the cookie
// not taken away: a frame that finds no cookie knows that the browser keeps it from it.
const nobody = "nobody"

// state returns the state of a browser on which that session is in use.
func (k *Keeper) state(b BrowserID, active ID) string {
	h := hmac.New(sha256.New, k.StateKey)
	h.Write([]byte(string(b) + " " + string(active)))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// ShowState brings the cookie up to date with who is signed in on the browser that sent r,
// and returns the state, "" for nobody. Without a StateKey it does nothing.
func (k *Keeper) ShowState(w http.ResponseWriter, r *http.Request) (string, error) {
	if k.StateKey == nil {
		return "", nil
	}
	b, err := k.Browser(r)
	if problem.Is(err, problem.NotFound) {
		k.Cookies.writeState(w, nobody)
		return "", nil
	}
	if err != nil {
		return "", err
	}
	alive, err := k.Sessions(r.Context(), b)
	if err != nil {
		return "", err
	}
	if len(alive) == 0 {
		k.Cookies.writeState(w, nobody)
		return "", nil
	}
	return k.ShowStateOf(w, b.ID, alive[0].ID), nil
}

// ShowStateOf is ShowState where it is known who is signed in: r may carry a cookie that
// was just renewed.
func (k *Keeper) ShowStateOf(w http.ResponseWriter, b BrowserID, active ID) string {
	if k.StateKey == nil {
		return ""
	}
	state := k.state(b, active)
	k.Cookies.writeState(w, state)
	return state
}

// StateName is the name of the cookie with the browser's state.
func (c *Cookies) StateName() string { return c.state }

func (c *Cookies) writeState(w http.ResponseWriter, state string) {
	http.SetCookie(w, sessions.NewCookie(c.state, state, &sessions.Options{
		Path: "/", Secure: true, SameSite: http.SameSiteNoneMode, MaxAge: int(remembered.Seconds()),
	}))
}
