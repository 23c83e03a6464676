package web

import (
	"mime"
	"net/http"

	"idp/internal/problem"
	"idp/internal/secret"
)

// The Frontend face answers scripts of three kinds of pages. Ours, and those of listed origins,
// speak with the browser's cookie. All others are refused in production; in development they
// have no cookie, whatever their browser sends, and carry what would be in it themselves, in the
// header Idp-Browser-Token: an app may then be developed on any host. No room knows: here the
// header becomes the cookie and back.

// TokenHeader carries, in development, a browser's token in place of its cookie. Answers carry a
// new one in the same header, which replaces it.
const TokenHeader = "Idp-Browser-Token"

var (
	errOrigin = problem.New(problem.Forbidden, "origin_missing", "A request with a cookie must say where it comes from.")
	errJSON   = problem.New(problem.Unsupported, "json_expected", "Send this as application/json.")
)

// Origin returns the origin of the page whose script sent r to the Frontend face: the one its
// browser says if that may use the face, and otherwise the issuer's. It is empty outside a face.
func Origin(r *http.Request) string { return stateOf(r.Context()).origin }

// guardScript answers CORS, refuses pages that may not use the face whatever they ask for, and lets
// an unsafe request through that is JSON and either says where it comes from, carries the form
// token, or has no cookie. Browsers remember for a while that an origin might send something, and
// send it although it was taken off the list: so a preflight decides nothing.
func (f *Faces) guardScript(w *response, r *http.Request) error {
	origin := r.Header.Get("Origin")
	listed := origin != "" && origin != f.origin() && f.Listed != nil && f.Listed(origin)
	carried := f.BrowserCookie != "" && (r.Header.Get(TokenHeader) != "" || !listed && f.foreign(r))
	f.share(w.Header(), r, listed, carried)
	if s := stateOf(r.Context()); listed || carried && origin != "" && origin != "null" {
		s.origin = origin
	}
	if carried {
		f.carry(w, r)
	}
	if !listed && !carried && f.foreign(r) {
		return errForeign
	}
	if safe(r.Method) {
		return nil
	}
	var others []string
	if listed {
		others = append(others, origin)
	}
	if err := f.own(r, others...); err != nil && !carried {
		return err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.ContentLength != 0 && (err != nil || kind != "application/json") {
		return errJSON
	}
	if !carried && silent(r) && r.Header.Get("Cookie") != "" && !secret.Equal(r.Header.Get(FormHeader), f.Pages.formToken(w, r)) {
		return errOrigin
	}
	return nil
}

// foreign reports whether a browser says that a page of another origin sent r.
func (f *Faces) foreign(r *http.Request) bool {
	switch r.Header.Get("Origin") {
	case "", f.origin():
		return false
	case "null":
		return !silent(r) && r.Header.Get("Sec-Fetch-Site") != "same-origin"
	}
	return true
}

// share says which pages may read the answer (Fetch §3.2): those of listed origins, with
// credentials; any, without, where tokens are carried.
func (f *Faces) share(h http.Header, r *http.Request, listed, carried bool) {
	h.Add("Vary", "Origin")
	switch {
	case listed:
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Credentials", "true")
	case carried:
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		return
	}
	token := ""
	if f.BrowserCookie != "" {
		token = ", " + TokenHeader
	}
	h.Set("Access-Control-Expose-Headers", "Date, Retry-After, X-Request-Id"+token)
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
		h.Set("Access-Control-Allow-Headers", "Content-Type, "+FormHeader+token)
		h.Set("Access-Control-Max-Age", "600")
	}
}

// carry makes the token of r its only cookie, and a cookie of the answer its token.
func (f *Faces) carry(w *response, r *http.Request) {
	r.Header.Del("Cookie")
	if token := r.Header.Get(TokenHeader); token != "" {
		r.AddCookie(&http.Cookie{Name: f.BrowserCookie, Value: token}) //nolint:gosec // of a request
	}
	w.leaving = func(h http.Header) {
		for _, line := range h.Values("Set-Cookie") {
			if c, err := http.ParseSetCookie(line); err == nil && c.Name == f.BrowserCookie {
				h.Set(TokenHeader, c.Value)
			}
		}
		h.Del("Set-Cookie")
	}
}
