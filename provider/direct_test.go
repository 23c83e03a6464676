package provider_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"context"

	"idp/event"
	"idp/internal/secret"
	"idp/provider"
	"idp/storage"
)

// send posts a form with headers.
func (w *world) send(path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

func basicOf(id, key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+key))
}

func (w *world) machine(change func(*provider.Client)) (provider.Client, string) {
	return w.client(func(c *provider.Client) {
		c.Type, c.RedirectURIs, c.Scopes = provider.Machine, nil, []string{"read", "write"}
		if change != nil {
			change(c)
		}
	})
}

func TestClientsAuthenticateByTheirOneMethod(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		either, key := w.machine(nil)
		onlyBasic, basicKey := w.machine(func(c *provider.Client) { c.AuthMethod = "client_secret_basic" })
		onlyPost, postKey := w.machine(func(c *provider.Client) { c.AuthMethod = "client_secret_post" })
		public, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		grant := url.Values{"grant_type": {"client_credentials"}}
		inBody := func(id provider.ClientID, key string) url.Values {
			return url.Values{"grant_type": {"client_credentials"}, "client_id": {string(id)}, "client_secret": {key}}
		}
		id := string(either.ID)
		for why, tc := range map[string]struct {
			form   url.Values
			header string
			status int
			code   string
		}{
			"basic":                     {grant, basicOf(id, key), 200, ""},
			"basic, lower case":         {grant, "basic " + strings.TrimPrefix(basicOf(id, key), "Basic "), 200, ""},
			"basic and the same id":     {with(url.Values{"grant_type": {"client_credentials"}}, "client_id", id), basicOf(id, key), 200, ""},
			"post":                      {inBody(either.ID, key), "", 200, ""},
			"registered basic":          {grant, basicOf(string(onlyBasic.ID), basicKey), 200, ""},
			"registered post":           {inBody(onlyPost.ID, postKey), "", 200, ""},
			"basic client, posted":      {inBody(onlyBasic.ID, basicKey), "", 401, "invalid_client"},
			"post client, in header":    {grant, basicOf(string(onlyPost.ID), postKey), 401, "invalid_client"},
			"two methods":               {inBody(either.ID, key), basicOf(id, key), 400, "invalid_request"},
			"another id in the body":    {with(url.Values{"grant_type": {"client_credentials"}}, "client_id", string(onlyPost.ID)), basicOf(id, key), 401, "invalid_client"},
			"id alone":                  {inBody(either.ID, ""), "", 401, "invalid_client"},
			"nobody":                    {grant, "", 401, "invalid_client"},
			"unknown":                   {inBody("client_nobody", key), "", 401, "invalid_client"},
			"wrong secret":              {inBody(either.ID, key+"x"), "", 401, "invalid_client"},
			"someone else's secret":     {inBody(either.ID, postKey), "", 401, "invalid_client"},
			"public with a secret":      {inBody(public.ID, "x"), "", 401, "invalid_client"},
			"huge secret":               {inBody(either.ID, strings.Repeat("x", 8000)), "", 401, "invalid_client"},
			"basic without padding":     {grant, strings.TrimRight(basicOf(id, key), "="), 401, "invalid_client"},
			"basic of nothing":          {grant, "Basic", 401, "invalid_client"},
			"basic without colon":       {grant, "Basic " + base64.StdEncoding.EncodeToString([]byte(id)), 401, "invalid_client"},
			"basic, broken encoding":    {grant, basicOf(id, "%zz"), 401, "invalid_client"},
			"a bearer token":            {grant, "Bearer " + key, 401, "invalid_client"},
			"an assertion and a secret": {with(inBody(either.ID, key), "client_assertion", "eyJ"), "", 400, "invalid_request"},
			"a public machine":          {url.Values{"grant_type": {"client_credentials"}, "client_id": {string(public.ID)}}, "", 400, "unauthorized_client"},
			"basic, text around it":     {grant, basicOf(id, key) + "\n!", 401, "invalid_client"},
			"basic, a plus for space":   {grant, basicOf(id, key+"+"), 401, "invalid_client"},
			"basic, a second colon":     {grant, basicOf(id, key+":"), 401, "invalid_client"},
			"basic, an encoded colon":   {grant, basicOf(id+"%3A"+key, ""), 401, "invalid_client"},
			"basic, not UTF-8":          {grant, basicOf(id+"\xff", key), 401, "invalid_client"},
			"basic, a NUL":              {grant, basicOf(id, key+"%00"), 401, "invalid_client"},
			"a percent-encoded secret":  {grant, basicOf(id, strings.ReplaceAll(key, "_", "%5F")), 200, ""},
		} {
			var headers []string
			if tc.header != "" {
				headers = []string{"Authorization", tc.header}
			}
			if len(tc.header) > 0 && strings.HasSuffix(why, "padding") && !strings.HasSuffix(basicOf(id, key), "=") {
				continue
			}
			rec := w.send("/oauth2/token", tc.form, headers...)
			a := read(t, rec, tc.status)
			if a.Error != tc.code || (a.Access == "") != (tc.code != "") {
				t.Errorf("%s: %+v", why, a)
			}
			if (rec.Code == http.StatusUnauthorized) != strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("%s: WWW-Authenticate %q with status %d", why, rec.Header().Get("WWW-Authenticate"), rec.Code)
			}
		}
	})
}

func TestSecretsAreShownOnceAndRotate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, old := w.machine(nil)
		works := func(key string) bool {
			return w.post("/oauth2/token", c, key, "grant_type", "client_credentials").Code == http.StatusOK
		}
		fresh, err := w.clients.RotateSecret(t.Context(), c.ID, time.Hour, "operator:cli")
		must(t, err)
		if !works(old) || !works(fresh.Reveal()) {
			t.Fatal("both secrets must work while one is rotated")
		}
		w.clock.Add(time.Hour)
		if works(old) || !works(fresh.Reveal()) {
			t.Fatal("the old secret must have ended")
		}
		last, err := w.clients.RotateSecret(t.Context(), c.ID, 0, "operator:cli")
		must(t, err)
		if works(fresh.Reveal()) || !works(last.Reveal()) {
			t.Fatal("a rotation without grace must end the secret at once")
		}
		must(t, w.clients.Disable(t.Context(), c.ID, "operator:cli"))
		if works(last.Reveal()) {
			t.Fatal("a disabled client got a token")
		}
		must(t, w.clients.Enable(t.Context(), c.ID, "operator:cli"))
		if !works(last.Reveal()) || w.events(event.ClientSecretRotated) != 2 || w.events(event.ClientDisabled) != 1 {
			t.Fatal("an enabled client works again, and each change is an event")
		}
	})
}

func TestGrantTypesAndTransportOfTokenRequests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		wantError(t, w.post("/oauth2/token", c, key, "grant_type", "password"), http.StatusBadRequest, "unsupported_grant_type")
		wantError(t, w.post("/oauth2/token", c, key, "grant_type", "authorization_code refresh_token"), http.StatusBadRequest, "unsupported_grant_type")
		wantError(t, w.post("/oauth2/token", c, key), http.StatusBadRequest, "invalid_request")
		wantError(t, w.post("/oauth2/token", c, key, "grant_type", "client_credentials"), http.StatusBadRequest, "unauthorized_client")
		wantError(t, w.post("/oauth2/token?client_secret=x", c, key, "grant_type", "authorization_code"), http.StatusBadRequest, "invalid_request")
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(`{"grant_type":"client_credentials"}`))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		w.mux.ServeHTTP(rec, r)
		wantError(t, rec, http.StatusBadRequest, "invalid_request")
		wantError(t, w.form("/oauth2/token", url.Values{"grant_type": {strings.Repeat("x", 70<<10)}}), http.StatusBadRequest, "invalid_request")
	})
}

func TestOtherMethodsAreNotAllowed(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	for path, methods := range map[string][]string{
		"/oauth2/token": {"GET", "PUT", "DELETE"}, "/oauth2/introspect": {"GET", "OPTIONS"}, "/oauth2/revoke": {"GET", "DELETE"},
		"/oauth2/userinfo": {"PUT", "DELETE"}, "/oauth2/register": {"GET", "PUT"}, "/oauth2/register/client_x": {"POST", "PATCH"},
	} {
		for _, method := range methods {
			rec := w.browser().do(httptest.NewRequest(method, path, nil))
			if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") == "" {
				t.Errorf("%s %s: %d", method, path, rec.Code)
			}
		}
	}
}

func TestAMachineGetsNoMoreThanItIsRegisteredFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.machine(func(c *provider.Client) { c.Scopes = []string{"read", "openid", "offline_access"} })
		ask := func(scope string) *httptest.ResponseRecorder {
			return w.post("/oauth2/token", c, key, "grant_type", "client_credentials", "scope", scope)
		}
		for _, scope := range []string{"openid", "offline_access", "write", "read.all", "rea", "email"} {
			wantError(t, ask(scope), http.StatusBadRequest, "invalid_scope")
		}
		before := w.events("")
		a := read(t, ask("read"), http.StatusOK)
		if a.Refresh != "" || a.ID != "" || a.Scope != "read" || a.Expires != 600 {
			t.Fatalf("answer %+v", a)
		}
		if rec := w.userinfo(a.Access); rec.Code != http.StatusForbidden {
			t.Errorf("userinfo of a machine: %d", rec.Code)
		}
		if n := w.events("") - before; n != 0 {
			t.Errorf("a machine's token wrote %d events", n)
		}
	})
}

const dead = `{"active":false}` + "\n"

func TestIntrospectionAnswersOwnersAndResourceServersOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		stranger, strangerKey := w.machine(nil)
		api, apiKey := w.machine(func(c *provider.Client) { c.MayIntrospect = true })
		public, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		b := w.browser()
		b.signIn(w.person("Ann"))
		a := b.tokens(c, key)
		look := func(by provider.Client, key, token string, more ...string) string {
			return w.post("/oauth2/introspect", by, key, append([]string{"token", token}, more...)...).Body.String()
		}
		for why, body := range map[string]string{
			"its own client": look(c, key, a.Access), "a resource server": look(api, apiKey, a.Access),
			"with a wrong hint":    look(c, key, a.Access, "token_type_hint", "refresh_token"),
			"refresh by its owner": look(c, key, a.Refresh),
		} {
			if !strings.Contains(body, `"active":true`) || !strings.Contains(body, string(c.ID)) || !strings.Contains(body, `"sub":"user_`) {
				t.Errorf("%s: %s", why, body)
			}
		}
		for why, body := range map[string]string{
			"a stranger": look(stranger, strangerKey, a.Access), "garbage": look(c, key, "garbage"), "an ID token": look(c, key, a.ID),
			"refresh by a resource server": look(api, apiKey, a.Refresh), "a truncated one": look(c, key, a.Access[:len(a.Access)-1]),
			"a lengthened one": look(c, key, a.Access+"A"),
		} {
			if body != dead {
				t.Errorf("%s: %s", why, body)
			}
		}
		wantError(t, w.post("/oauth2/introspect", public, "", "token", a.Access), http.StatusUnauthorized, "invalid_client")
		wantError(t, w.send("/oauth2/introspect", url.Values{"token": {a.Access}}, "Authorization", "Bearer "+a.Access), http.StatusUnauthorized, "invalid_client")
		wantError(t, w.post("/oauth2/introspect", c, key), http.StatusBadRequest, "invalid_request")
		w.clock.Add(10 * time.Minute)
		if body := look(c, key, a.Access); body != dead {
			t.Errorf("expired: %s", body)
		}
	})
}

func TestRevocationEndsWhatItShouldAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		other, otherKey := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		a := b.tokens(c, key)
		for _, token := range []string{a.Access, a.Refresh} {
			wantError(t, w.post("/oauth2/revoke", other, otherKey, "token", token), http.StatusBadRequest, "invalid_grant")
		}
		w.wantAlive(a.Access)
		if w.events(event.TokenRefused) != 2 {
			t.Error("no event of the attempts")
		}
		for _, token := range []string{"garbage", a.Access + "A", "idp_rt_x.1.y", a.ID} {
			if rec := w.post("/oauth2/revoke", c, key, "token", token); rec.Code != http.StatusOK {
				t.Errorf("unknown token: %d", rec.Code)
			}
		}
		wantError(t, w.post("/oauth2/revoke", c, key), http.StatusBadRequest, "invalid_request")
		wantError(t, w.post("/oauth2/revoke", c, "", "token", a.Access), http.StatusUnauthorized, "invalid_client")

		w.post("/oauth2/revoke", c, key, "token", a.Access)
		w.wantDead(a.Access)
		next := read(t, w.refresh(c, key, a.Refresh), http.StatusOK)
		w.post("/oauth2/revoke", c, key, "token", next.Refresh, "token_type_hint", "access_token")
		w.wantDead(next.Access)
		wantError(t, w.refresh(c, key, next.Refresh), http.StatusBadRequest, "invalid_grant")
	})
}

// broken is a store whose database does not answer when it should write.
type broken struct{ provider.Store }

var errDown = errors.New("disk full")

func (broken) EndToken(context.Context, secret.Digest, time.Time) (bool, error) {
	return false, errDown
}

func (broken) EndAuthorization(context.Context, provider.AuthorizationID, provider.Why, time.Time) (bool, error) {
	return false, errDown
}

func TestARevocationThatFailedDoesNotSayItWorked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		a := b.tokens(c, key)
		w.wire(provider.Deps{Store: broken{storage.NewProvider(w.db)}})
		for _, token := range []string{a.Access, a.Refresh} {
			rec := w.post("/oauth2/revoke", c, key, "token", token)
			if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
				t.Errorf("status %d %v", rec.Code, rec.Header())
			}
		}
		w.wantAlive(a.Access)
	})
}

func TestUserinfoTakesATokenInHeaderOrFormOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		a := b.tokens(c, key)
		header := "Bearer " + a.Access
		for why, tc := range map[string]struct {
			rec    *httptest.ResponseRecorder
			status int
		}{
			"posted":            {w.send("/oauth2/userinfo", url.Values{"access_token": {a.Access}}), 200},
			"posted, in header": {w.send("/oauth2/userinfo", nil, "Authorization", header), 200},
			"both":              {w.send("/oauth2/userinfo", url.Values{"access_token": {a.Access}}, "Authorization", header), 400},
			"two headers":       {w.send("/oauth2/userinfo", nil, "Authorization", header, "Authorization", header), 400},
			"in the URL":        {w.browser().get("/oauth2/userinfo?access_token=" + a.Access), 401},
			"none":              {w.browser().get("/oauth2/userinfo"), 401},
			"an ID token":       {w.userinfo(a.ID), 401},
			"a refresh token":   {w.userinfo(a.Refresh), 401},
			"empty":             {w.userinfo(""), 401},
			"a client secret":   {w.userinfo(key), 401},
		} {
			if tc.rec.Code != tc.status || (tc.status != 200) != strings.HasPrefix(tc.rec.Header().Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: %d %s %v", why, tc.rec.Code, tc.rec.Body, tc.rec.Header())
			}
		}
	})
}

func TestPagesOfAClientsOwnOriginMayReadAnswers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		b := w.browser()
		b.signIn(w.person("Ann"))
		for origin, want := range map[string]string{
			"https://rp.example.org": "https://rp.example.org", "https://evil.example": "", "https://rp.example.org.evil.com": "",
			"http://rp.example.org": "", "null": "",
		} {
			form := url.Values{
				"client_id": {string(c.ID)}, "grant_type": {"authorization_code"}, "code": {b.code(ask(c, "prompt", ""))},
				"redirect_uri": {callback}, "code_verifier": {verifier},
			}
			rec := w.send("/oauth2/token", form, "Origin", origin)
			a := read(t, rec, http.StatusOK)
			info := httptest.NewRequest(http.MethodGet, "/oauth2/userinfo", nil)
			info.Header.Set("Authorization", "Bearer "+a.Access)
			info.Header.Set("Origin", origin)
			seen := httptest.NewRecorder()
			w.mux.ServeHTTP(seen, info)
			for _, h := range []http.Header{rec.Header(), seen.Header()} {
				if h.Get("Access-Control-Allow-Origin") != want || h.Get("Access-Control-Allow-Credentials") != "" || !slices.Contains(h.Values("Vary"), "Origin") {
					t.Errorf("origin %s: %v", origin, h)
				}
			}
		}
		r := httptest.NewRequest(http.MethodOptions, "/oauth2/token", nil)
		r.Header.Set("Origin", "https://rp.example.org")
		rec := httptest.NewRecorder()
		w.mux.ServeHTTP(rec, r)
		if rec.Code != http.StatusNoContent || rec.Header().Get("Access-Control-Allow-Origin") == "" || rec.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("preflight: %d %v", rec.Code, rec.Header())
		}
	})
}

func TestStrangeBytesAreNotOurFault(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, odd := range []string{"\x00", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "\u202e", "\ufeff", "' OR 1=1 --", "%s%n", "\r\nX: y", strings.Repeat("é", 5000)} {
			recs := []*httptest.ResponseRecorder{
				b.get("/oauth2/resume?" + url.Values{"ask": {odd}}.Encode()),
				b.get("/oauth2/logout?" + url.Values{"state": {odd}, "id_token_hint": {odd}}.Encode()),
				w.json(http.MethodGet, "/oauth2/register/"+url.PathEscape(odd), odd, ""),
				w.userinfo("idp_at_" + odd),
				w.form("/oauth2/token", url.Values{"client_id": {odd}, "client_secret": {odd}}),
				w.send("/oauth2/token", url.Values{"grant_type": {odd}}, "Authorization", basicOf(odd, odd)),
			}
			for _, name := range []string{"client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "login_hint", "ui_locales", "prompt", "max_age", "request"} {
				recs = append(recs, b.authorize(ask(c, name, odd)), b.authorize(ask(c, name, odd, "max_age", "0")))
			}
			for _, name := range []string{"code", "redirect_uri", "code_verifier", "grant_type", "scope"} {
				recs = append(recs, w.redeem(c, key, "x", name, odd), w.refresh(c, key, "idp_rt_x", name, odd))
			}
			for _, path := range []string{"/oauth2/introspect", "/oauth2/revoke"} {
				recs = append(recs, w.post(path, c, key, "token", odd), w.post(path, c, key, "token", "idp_rt_"+odd))
			}
			for i, rec := range recs {
				if rec.Code >= 500 {
					t.Errorf("%q, request %d: %d %s", odd, i, rec.Code, rec.Body)
				}
			}
		}
	})
}

func TestADumpOfTheDatabaseRevealsNothingUsable(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	c, key := w.client(nil)
	b := w.browser()
	b.signIn(w.person("Ann"))
	code := b.code(ask(c))
	a := read(t, w.redeem(c, key, code), http.StatusOK)
	w.count.Reset()
	next := read(t, w.refresh(c, key, a.Refresh), http.StatusOK)
	pem := "PRIVATE"
	dump := strings.Join(w.count.Texts(), "\n") // every value that was written
	for _, leak := range []string{code, a.Access, a.Refresh, next.Access, next.Refresh, key, pem, b.cookie.Value} {
		if strings.Contains(dump, leak) {
			t.Errorf("written as it is: %.12s…", leak)
		}
	}
	if !strings.Contains(dump, string(secret.DigestOf(next.Access))) {
		t.Fatal("this test looks at the wrong text")
	}
}
