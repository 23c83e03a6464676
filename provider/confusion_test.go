package provider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"idp/provider"
)

// What one place issues must be worth nothing in another, however genuine it is.
func TestNoKindOfTokenPassesForAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.wire(provider.Deps{OpenRegistration: true})
		c, key := w.client(nil)
		var g registration
		must(t, json.Unmarshal(w.json(http.MethodPost, "/oauth2/register", "", `{"redirect_uris":["`+callback+`"]}`).Body.Bytes(), &g))
		b := w.browser()
		b.signIn(w.person("Ann"))
		code := b.code(ask(c))
		a := read(t, w.redeem(c, key, b.code(ask(c))), http.StatusOK)
		kinds := map[string]string{
			"an access token": a.Access, "a refresh token": a.Refresh, "an ID token": a.ID, "a code": code,
			"a client secret": key, "a registration access token": g.Token,
		}
		for _, place := range []struct {
			name, right string
			refuses     func(token string) *httptest.ResponseRecorder
			status      int
		}{
			{"userinfo", "an access token", w.userinfo, http.StatusUnauthorized},
			{"the refresh grant", "a refresh token", func(s string) *httptest.ResponseRecorder { return w.refresh(c, key, s) }, http.StatusBadRequest},
			{"the code grant", "a code", func(s string) *httptest.ResponseRecorder { return w.redeem(c, key, s) }, http.StatusBadRequest},
			{"client authentication", "a client secret", func(s string) *httptest.ResponseRecorder { return w.refresh(c, s, a.Refresh) }, http.StatusUnauthorized},
		} {
			for kind, token := range kinds {
				if kind == place.right {
					continue
				}
				if rec := place.refuses(token); rec.Code != place.status {
					t.Errorf("%s takes %s: %d %s", place.name, kind, rec.Code, rec.Body)
				}
			}
		}
		for kind, token := range kinds {
			live := kind == "an access token" || kind == "a refresh token"
			if got := w.post("/oauth2/introspect", c, key, "token", token).Body.String() != dead; got != live {
				t.Errorf("introspection says that %s is active: %v", kind, got)
			}
			if kind == "an ID token" {
				continue
			}
			to := b.authorize(ask(c, "id_token_hint", token)).Header().Get("Location")
			if u, err := url.Parse(to); err != nil || u.Query().Get("error") != "invalid_request" {
				t.Errorf("%s serves as id_token_hint: %s", kind, to)
			}
		}
		w.wantAlive(a.Access) // all of that harmed nothing
	})
}
