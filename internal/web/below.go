package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// An issuer may have a path, like https://example.com/auth. Nothing inside knows: routes,
// templates, redirects and stored returns name paths from the root of the instance. The
// path comes off a request before it reaches a route, and goes onto Location headers and
// the links, forms and assets of a page on their way out, here and nowhere else. What
// leaves by another way (JSON, mail) is built from the issuer where it is written.

// Base returns the path of an issuer, "" if it has none.
func Base(issuer *url.URL) string { return strings.TrimSuffix(issuer.Path, "/") }

// CookieName returns the name of a cookie of this issuer. Cookies know neither ports nor,
// with the __Host- prefix that https demands, paths; so that two instances of one host do
// not take each other's, the name says what sets them apart.
func CookieName(name string, https bool, port, base string) string {
	if https {
		name = "__Host-" + name
	} else if port != "" {
		name += "_" + port
	}
	return name + strings.ReplaceAll(base, "/", "+") // no issuer's path may hold a plus
}

// TokenCookie returns the name, without the __Host- prefix that pages on https put before it, of
// the cookie in which an application's page leaves a session token of this issuer for its own
// server. Cookies know no ports, so beside it may be that of another issuer, for another application on
// localhost. The Go helper for backends makes the same name.
func TokenCookie(issuer string) string {
	sum := sha256.Sum256([]byte(issuer))
	return "idp_token_" + hex.EncodeToString(sum[:4])
}

// Below serves inner below base. Elsewhere on the host it answers what beside has, and
// otherwise 404 with the way. With an empty base everything is inner's.
func (f *Faces) Below(base string, inner http.Handler, beside *http.ServeMux) http.Handler {
	if base == "" {
		return inner
	}
	strip := http.StripPrefix(base, inner)
	astray := f.Handler(Route{Face: Plain, Do: func(w http.ResponseWriter, _ *http.Request) error {
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotFound)
		_, err := w.Write([]byte("There is nothing at this address. idp is at " + base + "\n"))
		return err
	}})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == base:
			root := r.Clone(r.Context())
			root.URL.Path, root.URL.RawPath = "/", ""
			inner.ServeHTTP(&based{ResponseWriter: w, base: base}, root)
		case strings.HasPrefix(r.URL.EscapedPath(), base+"/"):
			strip.ServeHTTP(&based{ResponseWriter: w, base: base}, r)
		default:
			if h, pattern := beside.Handler(r); pattern != "" {
				h.ServeHTTP(w, r)
				return
			}
			astray.ServeHTTP(w, r)
		}
	})
}

// based puts the base in front of where an answer leads.
type based struct {
	http.ResponseWriter
	base  string
	moved bool
}

func (w *based) WriteHeader(status int) {
	if to := w.Header().Get("Location"); local(to) {
		w.Header().Set("Location", w.base+to)
		w.Header().Del("Content-Type")
		w.moved = true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write leaves out what http.Redirect writes for browsers that follow nothing: its link
// is the bare path.
func (w *based) Write(b []byte) (int, error) {
	if w.moved {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *based) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func local(to string) bool { return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") }

// leading finds where attributes that hold an address begin one of ours. What people or
// relying parties wrote cannot look so: in a page their quotes are &#34;.
var leading = regexp.MustCompile(`(\s(?:href|src|action|formaction|data-href|data-human-href)=")(/(?:[^/]|$))`)

// rebase puts the base in front of the paths in a page.
func rebase(page []byte, base string) []byte {
	if base == "" {
		return page
	}
	return leading.ReplaceAll(page, []byte("${1}"+strings.ReplaceAll(base, "$", "$$")+"${2}"))
}
