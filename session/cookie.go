package session

import (
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"idp/internal/secret"
	"idp/internal/web"
)

// Token is what the browser cookie carries: which jar it is, and the secret that proves it.
type Token struct {
	ID     BrowserID
	Secret secret.String
}

// NewToken makes the cookie value of a browser never seen before.
func NewToken() Token {
	return Token{ID: BrowserID(secret.NewID("browser")), Secret: secret.Token("")}
}

// Renew returns the same browser with a fresh secret: what was planted or stolen before
// a sign-in is worth nothing after it.
func (t Token) Renew() Token { return Token{ID: t.ID, Secret: secret.Token("")} }

// Cookies reads and writes the one cookie that recognises a browser. The cookie is
// HttpOnly, SameSite=Lax and host-only; with https its name carries the __Host- prefix.
type Cookies struct {
	name    string
	state   string // name of the cookie with the browser's state
	options sessions.Options
}

const remembered = 400 * 24 * time.Hour // the longest browsers keep a cookie

// NewCookies returns the cookies of an issuer. On http, which only a loopback issuer may
// use, the name carries the port, because cookies ignore ports and two instances would
// clash; below a path, base, it carries that.
func NewCookies(https bool, port, base string) *Cookies {
	named := func(name string) string { return web.CookieName(name, https, port, base) }
	return &Cookies{name: named("idp_browser"), state: named("idp_browser_state"), options: sessions.Options{
		Path: "/", HttpOnly: true, Secure: https, SameSite: http.SameSiteLaxMode,
	}}
}

// Name is the name of the cookie.
func (c *Cookies) Name() string { return c.name }

// Read returns the browser's token. Two cookies of the name mean that somebody tossed
// one from a sibling host: then none is trusted.
func (c *Cookies) Read(r *http.Request) (Token, bool) {
	cookies := r.CookiesNamed(c.name)
	if len(cookies) != 1 {
		return Token{}, false
	}
	id, key, ok := strings.Cut(cookies[0].Value, ".")
	if !ok || !strings.HasPrefix(id, "browser_") || len(id) != 30 || len(key) != 43 {
		return Token{}, false
	}
	return Token{ID: BrowserID(id), Secret: secret.NewString(key)}, true
}

// Write sets the cookie. Without remember it is forgotten when the browser closes.
func (c *Cookies) Write(w http.ResponseWriter, t Token, remember bool) {
	o := c.options
	if remember {
		o.MaxAge = int(remembered.Seconds())
	}
	http.SetCookie(w, sessions.NewCookie(c.name, t.carried(), &o))
}

// Clear makes the browser forget the cookie.
func (c *Cookies) Clear(w http.ResponseWriter) {
	o := c.options
	o.MaxAge = -1
	http.SetCookie(w, sessions.NewCookie(c.name, "", &o))
}
