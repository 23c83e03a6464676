package provider

import (
	"net/http"
	"slices"
)

// preflight answers a browser that asks whether it may call a direct endpoint at all. That
// gives nothing away; whether a page may read the answer depends on the client it calls for.
func preflight(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// allowOrigin lets pages of the client's own origins, those of its redirect URIs, read
// the answer. Cookies are never involved.
func allowOrigin(w http.ResponseWriter, r *http.Request, c Client) {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.ContainsFunc(c.RedirectURIs, func(uri string) bool { return originOf(uri) == origin }) {
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate")
}

// allowAll lets any page read a public document.
func allowAll(w http.ResponseWriter) { w.Header().Set("Access-Control-Allow-Origin", "*") }
