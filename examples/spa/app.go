package main

import (
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	idp "idp/sdk/go"
)

//go:embed page
var files embed.FS

// newApp is the page and its API, opened at origin, with people of that issuer.
func newApp(issuer, origin string) (http.Handler, error) {
	page, err := template.ParseFS(files, "page/index.html")
	if err != nil {
		return nil, err
	}
	assets, err := fs.Sub(files, "page")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, struct{ Issuer string }{issuer})
	})
	mux.Handle("/", http.FileServerFS(assets))

	// Origins keeps tokens out that were made for other apps of the same idp.
	verifier, err := idp.New(issuer, idp.Options{Origins: []string{origin}})
	if err != nil {
		return nil, err
	}
	mux.Handle("/api/", api(verifier))
	return guarded(mux, issuer, origin), nil
}

// guarded sends everybody to the one origin, and tells the browser whom the page trusts: itself and idp.
// Nothing else is loaded or asked, so that even text that slipped in as HTML could not send a token away.
func guarded(next http.Handler, issuer, origin string) http.Handler {
	policy := strings.NewReplacer("ISSUER", issuer+"/").Replace( // with a slash: everything below, whatever path an issuer has
		"default-src 'none'; script-src 'self' ISSUER; connect-src 'self' ISSUER; style-src 'self'; img-src 'self' ISSUER data:; " +
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if "http://"+r.Host != origin {
			http.Redirect(w, r, origin, http.StatusTemporaryRedirect)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
