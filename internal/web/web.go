// Package web is how idp speaks HTTP. A handler returns an error; the Face of its
// route decides what surrounds it: which checks run first, which headers go out and
// whether a problem becomes a page or application/problem+json.
//
// Everything that must hold on every route lives here once: the caller's address
// behind trusted proxies, body limits, security headers, the cross-site check and
// the token in every form, the access log, and the answer to a panic.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"idp/internal/problem"
)

// Handler answers a request or says why not. After a non-nil error it must not have
// written anything.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Face is the manner in which a route speaks.
type Face int

// The faces.
const (
	Page     Face = iota // HTML for a person: cookies, form token, problems as pages
	Passage              // a Page on the way to a relying party, which may have opened it in a window of its own
	Frontend             // JSON for scripts of listed origins, with cookies
	Protocol             // what an RFC says; problems as JSON, CORS by the room
	Document             // public, cacheable JSON for any origin
	Plain                // files and probes: nothing but the common headers
)

// html reports whether people read what the face says.
func (f Face) html() bool { return f == Page || f == Passage }

// Route is one line of the route table.
type Route struct {
	Pattern string // as http.ServeMux reads it: "POST /sign-in"
	Do      Handler
	Face    Face
}

// Faces builds the middleware around handlers. Pages, Issuer, Log and Now are required.
type Faces struct {
	Pages   *Pages
	Issuer  string                   // scheme://host[:port][/path]: the only source of our own origin
	Listed  func(origin string) bool // whether the scripts of an origin may use the Frontend face with credentials; nil: only the issuer's
	Proxies []netip.Prefix           // whose X-Forwarded-For is believed
	Log     *slog.Logger
	Now     func() time.Time
	Observe func(route string, status int, took time.Duration) // metrics; may be nil

	// BrowserCookie is, in development, the name of the cookie that TokenHeader stands for. "":
	// the header means nothing.
	BrowserCookie string
}

// Limits of what is read and how long a handler may take.
const (
	formLimit   = 64 << 10
	jsonLimit   = 256 << 10
	HandlerTime = 10 * time.Second // what a handler has
)

// Mount registers the routes, and for Frontend routes the preflight of their path.
func (f *Faces) Mount(mux *http.ServeMux, routes []Route) {
	preflight := map[string]bool{}
	for _, rt := range routes {
		mux.Handle(rt.Pattern, f.Handler(rt))
		if _, path, ok := strings.Cut(rt.Pattern, " "); ok && rt.Face == Frontend && !preflight[path] {
			preflight[path] = true
			mux.Handle("OPTIONS "+path, f.Handler(Route{Pattern: "OPTIONS " + path, Do: noContent, Face: Frontend}))
		}
	}
}

func noContent(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Root serves mux and gives what matches no route the same answer, headers and log as
// everything else: a page to those who want HTML, a problem document to others.
func (f *Faces) Root(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		face := Protocol
		if strings.Contains(r.Header.Get("Accept"), "text/html") {
			face = Page
		}
		f.serve(w, r, Route{Face: face, Do: func(w http.ResponseWriter, r *http.Request) error {
			probe := &probe{header: http.Header{}}
			h.ServeHTTP(probe, r)
			if probe.status == http.StatusMethodNotAllowed {
				w.Header().Set("Allow", probe.header.Get("Allow"))
				return ErrMethod
			}
			return ErrNoPage
		}}, true)
	})
}

// ErrNoPage is the answer to an address that leads nowhere.
var ErrNoPage = problem.New(problem.NotFound, "not_found", "There is nothing at this address.")

// ErrMethod is the answer to a method that the address does not know.
var ErrMethod = problem.New(problem.Malformed, "method_not_allowed", "This address does not answer that kind of request.")

// Handler puts the face's middleware around a route.
func (f *Faces) Handler(rt Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, rt, false) })
}

// serve is the stack, outermost first: state, common headers, panic, log, checks, handler.
// A lost request is one that matched no route; its form token is nobody's business.
func (f *Faces) serve(rw http.ResponseWriter, r *http.Request, rt Route, lost bool) {
	started := f.Now()
	s := newState(caller(r, f.Proxies), f.origin())
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), stateKey{}, s), HandlerTime)
	defer cancel()
	r = r.WithContext(ctx)
	w := &response{ResponseWriter: rw}
	f.headers(w.Header(), s, rt.Face)
	defer func() {
		if cause := recover(); cause != nil {
			f.panicked(w, r, rt, cause)
		}
		f.record(r, w, rt, s, f.Now().Sub(started))
	}()
	if err := f.admit(w, r, rt.Face, lost); err != nil {
		f.fail(w, r, rt.Face, err)
		return
	}
	if err := rt.Do(w, r); err != nil {
		f.fail(w, r, rt.Face, err)
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}

// admit runs the checks of a face before its handler.
func (f *Faces) admit(w *response, r *http.Request, face Face, lost bool) error {
	switch face {
	case Page, Passage:
		r.Body = http.MaxBytesReader(w, r.Body, formLimit)
		if safe(r.Method) || lost {
			return nil
		}
		return f.guardForm(w, r)
	case Frontend:
		r.Body = http.MaxBytesReader(w, r.Body, jsonLimit)
		return f.guardScript(w, r)
	case Protocol:
		r.Body = http.MaxBytesReader(w, r.Body, jsonLimit)
	case Document:
		w.Header().Set("Access-Control-Allow-Origin", "*")
	case Plain:
	}
	return nil
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
