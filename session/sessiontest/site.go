package sessiontest

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"idp/internal/secret"
	"idp/internal/web"
	"idp/session"
	"idp/templates"
)

// Site is a server on this machine whose pages know the browsers that a Keeper knows.
type Site struct {
	*httptest.Server
	Pages *web.Pages
	mux   *http.ServeMux
	keep  *session.Keeper
}

// Serve starts a site without routes, until the test ends. The keeper brings its store,
// events, transactions and clock; what it lacks besides is given to it.
func Serve(t testing.TB, k *session.Keeper, box *secret.Box) *Site {
	t.Helper()
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s := &Site{Server: httptest.NewServer(mux), mux: mux, keep: k}
	t.Cleanup(s.Close)
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	k.Cookies, k.Network = session.NewCookies(false, at.Port(), ""), web.Network
	if k.Settings == nil {
		k.Settings = session.DefaultSettings
	}
	s.Pages = &web.Pages{
		Set: set, Brand: "Northwind", Box: box,
		Browser: func(w http.ResponseWriter, r *http.Request) string { return string(k.Offer(w, r)) },
	}
	return s
}

// Mount adds routes, each as a page unless it says otherwise.
func (s *Site) Mount(routes []web.Route) {
	faces := &web.Faces{Pages: s.Pages, Issuer: s.URL, Log: slog.New(slog.DiscardHandler), Now: s.keep.Now}
	faces.Mount(s.mux, routes)
}
