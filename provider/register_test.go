package provider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/internal/problem"
	"idp/provider"
)

func (w *world) json(method, path, bearer, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

type registration struct {
	ID       string `json:"client_id"`
	Secret   string `json:"client_secret"`
	Expires  *int   `json:"client_secret_expires_at"`
	Token    string `json:"registration_access_token"`
	URI      string `json:"registration_client_uri"`
	Name     string `json:"client_name"`
	Method   string `json:"token_endpoint_auth_method"`
	AppType  string `json:"application_type"`
	Redirect []string
}

func TestAClientRegistersItselfAndWorks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.wire(provider.Deps{OpenRegistration: true})
		rec := w.json(http.MethodPost, "/oauth2/register", "", `{"redirect_uris":["`+callback+`"],"client_name":"Suite","unknown":{"x":1}}`)
		var g registration
		must(t, json.Unmarshal(rec.Body.Bytes(), &g))
		if rec.Code != http.StatusCreated || g.Secret == "" || g.Expires == nil || *g.Expires != 0 || g.Token == "" || g.Method != "client_secret_basic" ||
			g.URI != issuer+"/oauth2/register/"+g.ID || rec.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		c, err := w.clients.Get(t.Context(), provider.ClientID(g.ID))
		must(t, err)
		if c.FirstParty || c.MayIntrospect {
			t.Fatal("a client made itself trusted")
		}
		ann, b := w.person("Ann"), w.browser()
		b.signIn(ann)
		w.agree(ann, c, "openid", "profile", "email", "offline_access")
		form := with(ask(c), "grant_type", "authorization_code", "code", b.code(ask(c)), "code_verifier", verifier)
		read(t, w.send("/oauth2/token", form, "Authorization", basicOf(g.ID, g.Secret)), http.StatusOK)

		path := strings.TrimPrefix(g.URI, issuer)
		seen := w.json(http.MethodGet, path, g.Token, "")
		if seen.Code != http.StatusOK || strings.Contains(seen.Body.String(), g.Secret) || strings.Contains(seen.Body.String(), g.Token) {
			t.Fatalf("read %d %s", seen.Code, seen.Body)
		}
		put := `{"client_id":"` + g.ID + `","redirect_uris":["` + callback + `"],"client_name":"Renamed"}`
		if rec := w.json(http.MethodPut, path, g.Token, put); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "Renamed") {
			t.Fatalf("update %d %s", rec.Code, rec.Body)
		}
		for _, bad := range []string{
			`{"client_id":"` + g.ID + `","redirect_uris":["javascript:alert(1)"]}`, `{"client_id":"` + g.ID + `","redirect_uris":[]}`,
			`{"client_id":"other","redirect_uris":["` + callback + `"]}`, `{"client_id":"` + g.ID + `","client_secret":"x","redirect_uris":["` + callback + `"]}`,
			`{"client_id":"` + g.ID + `","token_endpoint_auth_method":"none","grant_types":["client_credentials"]}`,
		} {
			if rec := w.json(http.MethodPut, path, g.Token, bad); rec.Code != http.StatusBadRequest {
				t.Errorf("update to %s: %d", bad, rec.Code)
			}
		}
		if rec := w.json(http.MethodDelete, path, g.Token, ""); rec.Code != http.StatusNoContent {
			t.Fatalf("delete %d", rec.Code)
		}
		if rec := w.json(http.MethodGet, path, g.Token, ""); rec.Code != http.StatusUnauthorized || w.events(event.ClientDeleted) != 1 {
			t.Errorf("after deletion %d", rec.Code)
		}
	})
}

func TestARegistrationTokenIsOfOneClient(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.wire(provider.Deps{OpenRegistration: true})
		var a, b registration
		for _, g := range []*registration{&a, &b} {
			rec := w.json(http.MethodPost, "/oauth2/register", "", `{"redirect_uris":["`+callback+`"]}`)
			must(t, json.Unmarshal(rec.Body.Bytes(), g))
		}
		made, _ := w.client(nil) // by an operator: nobody holds a token
		for _, id := range []string{b.ID, string(made.ID), "client_nobody"} {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
				for _, key := range []string{a.Token, "", "x"} {
					if rec := w.json(method, "/oauth2/register/"+id, key, "{}"); rec.Code != http.StatusUnauthorized {
						t.Errorf("%s %s with another token: %d", method, id, rec.Code)
					}
				}
			}
		}
	})
}

func TestClosedRegistrationNeedsAnInitialAccessToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		body := `{"redirect_uris":["` + callback + `"]}`
		key, _, err := w.clients.NewRegistrationToken(t.Context(), 1, time.Hour, "operator:cli")
		must(t, err)
		late, _, err := w.clients.NewRegistrationToken(t.Context(), 5, time.Minute, "operator:cli")
		must(t, err)
		try := func(bearer, body string) int { return w.json(http.MethodPost, "/oauth2/register", bearer, body).Code }
		if try("", body) != http.StatusUnauthorized || try("idp_reg_x", body) != http.StatusUnauthorized {
			t.Error("anybody may register")
		}
		if try(key.Reveal(), `{"redirect_uris":["http://rp.example.org/"]}`) != http.StatusBadRequest {
			t.Error("a bad redirect URI")
		}
		codes := make([]int, 10)
		race(len(codes), func(i int) { codes[i] = try(key.Reveal(), body) })
		made := 0
		for _, code := range codes {
			if code == http.StatusCreated {
				made++
			} else if code != http.StatusUnauthorized {
				t.Errorf("status %d", code)
			}
		}
		if made != 1 {
			t.Errorf("one use made %d clients", made)
		}
		w.clock.Add(time.Minute)
		if try(late.Reveal(), body) != http.StatusUnauthorized {
			t.Error("an expired token gave leave")
		}
	})
}

func TestUnreadableMetadataIsRefused(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	w.wire(provider.Deps{OpenRegistration: true})
	for _, body := range []string{
		"", "[]", "null", "{", `{"redirect_uris":"x"}`, `{"redirect_uris":[1]}`, `{}`, strings.Repeat(" ", 70<<10),
		`{"redirect_uris":["` + callback + `"],"grant_types":["password"]}`, `{"redirect_uris":["` + callback + `"],"response_types":["token"]}`,
		`{"redirect_uris":["` + callback + `"],"token_endpoint_auth_method":"private_key_jwt"}`,
		`{"redirect_uris":["` + callback + `"],"id_token_signed_response_alg":"none"}`, `{"redirect_uris":["` + callback + `"],"subject_type":"private"}`,
		`{"redirect_uris":["` + callback + `"],"logo_uri":"javascript:alert(1)"}`, `{"redirect_uris":["` + callback + `"],"application_type":"toaster"}`,
	} {
		if rec := w.json(http.MethodPost, "/oauth2/register", "", body); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "invalid_") {
			t.Errorf("%.80s: %d %s", body, rec.Code, rec.Body)
		}
	}
}

func TestAClientCannotGiveItselfScopesOfTheOperators(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.wire(provider.Deps{OpenRegistration: true})
		for _, body := range []string{
			`{"grant_types":["client_credentials"],"scope":"payments:write"}`,
			`{"redirect_uris":["` + callback + `"],"scope":"openid payments:write"}`,
		} {
			if rec := w.json(http.MethodPost, "/oauth2/register", "", body); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "invalid_client_metadata") {
				t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
			}
		}
		rec := w.json(http.MethodPost, "/oauth2/register", "", `{"redirect_uris":["`+callback+`"],"scope":"openid email"}`)
		var g registration
		must(t, json.Unmarshal(rec.Body.Bytes(), &g))
		put := func(scope string) int {
			return w.json(http.MethodPut, "/oauth2/register/"+g.ID, g.Token, `{"client_id":"`+g.ID+`","redirect_uris":["`+callback+`"],"scope":"`+scope+`"}`).Code
		}
		if put("openid payments:write") != http.StatusBadRequest {
			t.Error("an update is weaker than the registration")
		}
		_, err := w.clients.Update(t.Context(), provider.ClientID(g.ID), "operator:cli", func(c *provider.Client) error {
			c.Scopes = append(c.Scopes, "payments:write")
			return nil
		})
		must(t, err)
		if put("openid payments:write") != http.StatusOK {
			t.Error("what the operator gave may be kept")
		}
	})
}

func TestClosedRegistrationIsClosedWhateverOneHolds(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	key, _, err := w.clients.NewRegistrationToken(t.Context(), 1, time.Hour, "operator:cli")
	must(t, err)
	w.wire(provider.Deps{ClosedRegistration: true})
	for _, bearer := range []string{"", key.Reveal()} {
		if rec := w.json(http.MethodPost, "/oauth2/register", bearer, `{"redirect_uris":["`+callback+`"]}`); rec.Code == http.StatusCreated {
			t.Errorf("registered: %d %s", rec.Code, rec.Body)
		}
	}
	if list, err := w.clients.List(t.Context(), "", 10); err != nil || len(list) != 0 {
		t.Errorf("%d clients, %v", len(list), err)
	}
	if rec := w.json(http.MethodGet, "/.well-known/openid-configuration", "", ""); strings.Contains(rec.Body.String(), "registration_endpoint") {
		t.Error("discovery offers what is closed")
	}
}

func TestRedirectURIsByType(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	for _, tc := range []struct {
		kind provider.ClientType
		uri  string
		good bool
		why  string
	}{
		{provider.Web, "https://rp.example.org/cb", true, "the ordinary case"},
		{provider.Web, "https://rp.example.org/cb?tenant=1", true, "a fixed query is part of the address"},
		{provider.Web, "http://localhost:3000/cb", true, "development"},
		{provider.SPA, "http://127.0.0.1:5173/", true, "development"},
		{provider.Web, "http://rp.example.org/cb", false, "tokens in clear text"},
		{provider.Web, "https://rp.example.org/cb#x", false, "fragment"},
		{provider.Web, "https://rp.example.org/cb#", false, "empty fragment"},
		{provider.Web, "https://user@rp.example.org/cb", false, "user name"},
		{provider.Web, "https://*.example.org/cb", false, "wildcard"},
		{provider.Web, "com.example.app:/cb", false, "only apps own schemes"},
		{provider.Native, "com.example.app:/cb", true, "a scheme of its own"},
		{provider.Native, "com.example.app://cb", false, "a host in a private scheme"},
		{provider.Native, "myapp:/cb", false, "a scheme anybody takes"},
		{provider.Native, "http://127.0.0.1/cb", true, "loopback"},
		{provider.Native, "http://[::1]/cb", true, "loopback"},
		{provider.Native, "http://127.0.0.1.evil.com/cb", false, "only looks like loopback"},
		{provider.Native, "javascript:alert(1)//", false, "script"},
		{provider.Native, "JaVaScRiPt:alert(1)//", false, "script"},
		{provider.Native, "data:text/html,x", false, "script"},
		{provider.Native, "vbscript:x", false, "script"},
		{provider.Native, "blob:https://x/y", false, "script"},
		{provider.Native, "file:///etc/passwd", false, "a file"},
		{provider.Web, "https:///cb", false, "no host"},
		{provider.Web, "https://:443/cb", false, "a port of no host"},
		{provider.Web, "HTTPS://rp.example.org/cb", false, "spelled otherwise"},
		{provider.Web, "/cb", false, "relative"},
		{provider.Web, "https://rp.example.org/\u202ecb", false, "direction override"},
		{provider.Web, "https://rp.example.org/" + strings.Repeat("x", 2048), false, "too long"},
	} {
		_, _, err := w.clients.Create(t.Context(), provider.Client{Name: "X", Type: tc.kind, RedirectURIs: []string{tc.uri}}, "operator:cli")
		if (err == nil) != tc.good || err != nil && !problem.HasCode(err, "redirect_uri_invalid") {
			t.Errorf("%s %.60s (%s): %v", tc.kind, tc.uri, tc.why, err)
		}
	}
}

func TestInProductionLoopbackIsForNativeApps(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	w.clients.Production = true
	for kind, good := range map[provider.ClientType]bool{provider.Web: false, provider.SPA: false, provider.Native: true} {
		_, _, err := w.clients.Create(t.Context(), provider.Client{Name: "X", Type: kind, RedirectURIs: []string{"http://127.0.0.1:3000/cb"}}, "operator:cli")
		if (err == nil) != good {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestOnlyThePortOfALoopbackLiteralMayVary(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	app, _ := w.client(func(c *provider.Client) {
		c.Type, c.RedirectURIs = provider.Native, []string{"http://127.0.0.1/cb", "http://[::1]:8000/cb?a=1", "http://localhost:3000/cb", "https://rp.example.org/cb"}
	})
	b := w.browser()
	for uri, good := range map[string]bool{
		"http://127.0.0.1/cb": true, "http://127.0.0.1:5555/cb": true, "http://[::1]:1/cb?a=1": true, "http://[::1]/cb?a=1": true,
		"http://localhost:3000/cb": true,
		"http://localhost:3001/cb": false, "http://localhost/cb": false, "http://127.0.0.1:5555/other": false, "http://127.0.0.1:5555/cb?x=1": false,
		"http://[::1]:1/cb": false, "https://127.0.0.1:5555/cb": false, "http://127.0.0.2:5555/cb": false, "http://evil@127.0.0.1:5555/cb": false,
		"http://127.0.0.1:@evil.com/cb": false, "http://127.0.0.1:80:80/cb": false, "http://127.0.0.1:/cb": false, "http://127.0.0.1:123456/cb": false,
		"http://127.0.0.1:5555": false, "http://127.0.0.1.evil.com/cb": false, "http://127.0.0.1:5555evil/cb": false, "https://rp.example.org:444/cb": false,
	} {
		rec := b.authorize(ask(app, "redirect_uri", uri))
		if (rec.Code == http.StatusSeeOther) != good {
			t.Errorf("%s: %d %s", uri, rec.Code, rec.Body)
		}
	}
}

func TestUnsafeClientsAreRefusedHoweverTheyAreWritten(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	good := provider.Client{Name: "X", RedirectURIs: []string{callback}}
	for why, change := range map[string]func(*provider.Client){
		"no name":                     func(c *provider.Client) { c.Name = " " },
		"no redirect URI":             func(c *provider.Client) { c.RedirectURIs = nil },
		"public machine":              func(c *provider.Client) { c.AuthMethod, c.GrantTypes = "none", []string{"client_credentials"} },
		"public resource server":      func(c *provider.Client) { c.AuthMethod, c.MayIntrospect = "none", true },
		"a grant nobody knows":        func(c *provider.Client) { c.GrantTypes = []string{"password"} },
		"refresh alone":               func(c *provider.Client) { c.GrantTypes = []string{"refresh_token"} },
		"scope with a quote":          func(c *provider.Client) { c.Scopes = []string{`a"b`} },
		"script as logo":              func(c *provider.Client) { c.LogoURI = "javascript:alert(1)" },
		"unregistered method":         func(c *provider.Client) { c.AuthMethod = "tls_client_auth" },
		"a name that reads backwards": func(c *provider.Client) { c.Name = "Acme \u202emoc.knab" },
		"a name with a hidden part":   func(c *provider.Client) { c.Name = "Ac\u200bme" },
		"a name on two lines":         func(c *provider.Client) { c.Name = "Acme\u2028verified" },
		"script after signing out": func(c *provider.Client) {
			c.PostLogoutRedirectURIs = []string{"javascript:alert(1)"}
		},
	} {
		bad := good
		change(&bad)
		if _, _, err := w.clients.Create(t.Context(), bad, "operator:cli"); !problem.Is(err, problem.Invalid) {
			t.Errorf("create, %s: %v", why, err)
		}
		made, _, err := w.clients.Create(t.Context(), good, "operator:cli")
		must(t, err)
		if _, err := w.clients.Update(t.Context(), made.ID, "operator:cli", func(c *provider.Client) error { change(c); return nil }); !problem.Is(err, problem.Invalid) {
			t.Errorf("update, %s: %v", why, err)
		}
		if kept, err := w.clients.Get(t.Context(), made.ID); err != nil || kept.Name != "X" || len(kept.RedirectURIs) != 1 {
			t.Errorf("after a refused update, %s: %+v %v", why, kept, err)
		}
	}
}

func TestDefaultsByType(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	for kind, want := range map[provider.ClientType]struct {
		public bool
		grants int
	}{provider.Web: {false, 2}, provider.SPA: {true, 2}, provider.Native: {true, 2}, provider.Machine: {false, 1}} {
		c, key := w.client(func(c *provider.Client) {
			c.Type = kind
			if kind == provider.Machine {
				c.RedirectURIs = nil
			}
		})
		if c.Public() != want.public || (key == "") != want.public || len(c.GrantTypes) != want.grants || c.RequirePKCE != want.public {
			t.Errorf("%s: %+v, secret %q", kind, c, key)
		}
	}
}
