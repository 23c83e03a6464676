package provider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"idp/event"
	"idp/provider"
	"idp/token"
)

func TestAPersonSignsInAtARelyingParty(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		ann, b := w.person("Ann"), w.browser()
		s := b.signIn(ann)
		got := back(t, b.authorize(ask(c)))
		if got.Get("iss") != issuer || got.Get("state") != "st-8f2k" || got.Has("scope") {
			t.Fatalf("answer %v", got)
		}
		rec := w.redeem(c, key, got.Get("code"))
		a := read(t, rec, http.StatusOK)
		if rec.Header().Get("Cache-Control") != "no-store" || a.Type != "Bearer" || a.Expires != 600 || a.Scope != "email offline_access openid profile" {
			t.Fatalf("answer %+v %v", a, rec.Header())
		}
		claims := w.claims(a.ID)
		for name, want := range map[string]any{
			"iss": issuer, "sub": string(ann), "aud": string(c.ID), "nonce": "n-0S6", "sid": string(s.ID), "acr": "aal1",
			"auth_time": float64(s.AuthTime.Unix()), "exp": float64(w.clock.Now().Unix() + 300), "iat": float64(w.clock.Now().Unix()),
		} {
			if claims[name] != want {
				t.Errorf("claim %s is %v, want %v", name, claims[name], want)
			}
		}
		if claims["at_hash"] == nil || claims["rat"] != nil || claims["email"] != nil {
			t.Errorf("claims %v", claims)
		}
		var info map[string]any
		must(t, json.Unmarshal(w.userinfo(a.Access).Body.Bytes(), &info))
		if info["sub"] != string(ann) || info["name"] != "Ann" || info["email"] != "ann@example.com" || info["email_verified"] != true || info["address"] != nil {
			t.Fatalf("userinfo %v", info)
		}
		next := read(t, w.refresh(c, key, a.Refresh), http.StatusOK)
		if next.Refresh == a.Refresh || next.Access == a.Access || w.claims(next.ID)["nonce"] != nil || w.claims(next.ID)["auth_time"] != claims["auth_time"] {
			t.Fatalf("refreshed %+v", next)
		}
		w.wantAlive(next.Access)
		if w.events(event.AuthorizationCreated) != 1 {
			t.Error("no event of the authorization")
		}
	})
}

func (w *world) claims(raw string) map[string]any {
	w.t.Helper()
	v, err := w.keys.Verify(w.t.Context(), token.OIDC, raw)
	must(w.t, err)
	if v.Algorithm != "RS256" || v.Type != "JWT" {
		w.t.Fatalf("header %+v", v)
	}
	var claims map[string]any
	must(w.t, json.Unmarshal(v.Claims, &claims))
	return claims
}

func TestStatementBudgets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) { c.FirstParty = false })
		machine, machineKey := w.client(func(c *provider.Client) {
			c.Type, c.RedirectURIs, c.Scopes = provider.Machine, nil, []string{"read"}
		})
		ann, b := w.person("Ann"), w.browser()
		b.signIn(ann)
		w.agree(ann, c, "openid", "profile", "email", "offline_access")
		w.wantAlive(b.tokens(c, key).Access) // clients are in memory from here on
		read(t, w.post("/oauth2/token", machine, machineKey, "grant_type", "client_credentials"), http.StatusOK)

		var a answer
		var code string
		budgets := []struct {
			name                     string
			do                       func()
			selects, statements, txs int
		}{
			{"authorize", func() { code = b.code(ask(c)) }, 3, 5, 1},
			{"exchange", func() { a = read(t, w.redeem(c, key, code), http.StatusOK) }, 1, 3, 1},
			{"userinfo", func() { w.wantAlive(a.Access) }, 1, 1, 0},
			{"introspect", func() { w.post("/oauth2/introspect", c, key, "token", a.Access) }, 1, 1, 0},
			{"introspect refresh", func() { w.post("/oauth2/introspect", c, key, "token", a.Refresh) }, 1, 1, 0},
			{"refresh", func() { a = read(t, w.refresh(c, key, a.Refresh), http.StatusOK) }, 1, 3, 1},
			{"client_credentials", func() {
				read(t, w.post("/oauth2/token", machine, machineKey, "grant_type", "client_credentials"), http.StatusOK)
			}, 0, 1, 0},
			{"garbage", func() { w.userinfo("idp_at_" + strings.Repeat("x", 43)) }, 1, 1, 0},
			{"somebody else's token", func() { w.userinfo("ya29.foreign") }, 0, 0, 0},
			{"revoke", func() { w.post("/oauth2/revoke", c, key, "token", a.Refresh) }, 1, 3, 1},
		}
		for _, budget := range budgets {
			w.count.Reset()
			budget.do()
			selects, all, txs := w.count.Verbs()["SELECT"], w.count.Statements(), w.count.Transactions()
			if selects != budget.selects || all != budget.statements || txs != budget.txs {
				t.Errorf("%s: %d selects of %d statements in %d transactions, want %d of %d in %d:\n%s", budget.name,
					selects, all, txs, budget.selects, budget.statements, budget.txs, strings.Join(w.count.Texts(), "\n"))
			}
		}
	})
}

func TestDiscoveryListsWhatWorks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
			rec := b.get(path)
			var m map[string]any
			must(t, json.Unmarshal(rec.Body.Bytes(), &m))
			if m["issuer"] != issuer || m["request_uri_parameter_supported"] != true || m["authorization_response_iss_parameter_supported"] != true {
				t.Fatalf("%s: %v", path, m)
			}
			if rec.Header().Get("Access-Control-Allow-Origin") != "*" || rec.Header().Get("ETag") == "" {
				t.Fatalf("%s: headers %v", path, rec.Header())
			}
			for name, want := range map[string]int{
				"response_types_supported": len(allTypes), "response_modes_supported": 3, "grant_types_supported": 4,
				"display_values_supported": 4, "acr_values_supported": 3,
			} {
				if list, ok := m[name].([]any); !ok || len(list) != want {
					t.Errorf("%s is %v", name, m[name])
				}
			}
			if m["claims_parameter_supported"] != true {
				t.Error("the claims parameter is not offered")
			}
			for name, v := range m {
				if url, ok := v.(string); ok && strings.HasSuffix(name, "_endpoint") {
					path, _ := strings.CutPrefix(url, issuer)
					method := http.MethodPost
					if _, pattern := w.mux.Handler(httptest.NewRequest(method, path, nil)); pattern == "" {
						t.Errorf("%s says %s, which does not exist", name, url)
					}
				}
			}
		}
		if rec := b.get("/.well-known/oauth-authorization-server/other"); rec.Code == http.StatusOK {
			t.Error("metadata of a path that is no issuer")
		}
	})
}

func TestAnIssuerWithAPathHasItsMetadataBothWays(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	w.wire(provider.Deps{Issuer: "https://example.com/auth"})
	for path, want := range map[string]int{
		"/.well-known/oauth-authorization-server/auth": http.StatusOK,
		"/.well-known/oauth-authorization-server":      http.StatusInternalServerError, // the edge makes it a 404
	} {
		if rec := w.browser().get(path); rec.Code != want {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestTheKeySetIsPublicOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rec := w.browser().get("/.well-known/jwks.json")
		var set struct{ Keys []map[string]any }
		must(t, json.Unmarshal(rec.Body.Bytes(), &set))
		if len(set.Keys) != 5 || !strings.Contains(rec.Header().Get("Cache-Control"), "max-age=600") {
			t.Fatalf("%d keys, %v", len(set.Keys), rec.Header())
		}
		for _, k := range set.Keys {
			for name := range k {
				if !slices.Contains([]string{"kty", "use", "kid", "alg", "n", "e", "crv", "x", "y"}, name) {
					t.Errorf("member %s", name)
				}
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil)
		r.Header.Set("If-None-Match", rec.Header().Get("ETag"))
		again := httptest.NewRecorder()
		w.mux.ServeHTTP(again, r)
		if again.Code != http.StatusNotModified {
			t.Errorf("status %d for what is in the cache", again.Code)
		}
	})
}
