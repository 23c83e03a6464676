package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"idp/admin"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider"
	"idp/session/sessiontest"
	"idp/storage/storagetest"
	"idp/token"
)

// send does a request on the whole route table.
func (p *process) send(t *testing.T, method, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, oneIssuer+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.site.Config.Handler.ServeHTTP(w, r)
	return w
}

func TestTokensForBackendsOpenNothingHere(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, database string) {
		resealed(t, database)
		clock := storagetest.NewClock()
		p := newProcess(t, database, clock)
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		client, key, err := p.Clients.Create(ctx, provider.Client{
			Name: "Acme", Type: provider.Web, FirstParty: true, RedirectURIs: []string{"https://rp.example.org/cb"}, PostLogoutRedirectURIs: []string{"https://rp.example.org/out"},
		}, admin.CLI)
		must(err)
		var ours token.Key // that signs ID tokens
		for _, k := range p.Keys.Keys() {
			if k.Purpose == token.OIDC && k.Algorithm == token.RS256 && k.State == token.Current {
				ours = k
			}
		}
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		must(err)
		der, err := x509.MarshalPKCS8PrivateKey(private)
		must(err)
		must(p.Keys.OfferFor(ctx, token.Session, "RS256"))
		must(p.Keys.OfferFor(ctx, token.Session, "EdDSA"))
		shared := "a secret of the backend's own, 48 bytes at least, yes"
		for _, one := range []token.Template{
			{Name: "session", Claims: []byte(`{"role":"member","email":"{{user.primary_email_address}}"}`)},
			{Name: "es256", Claims: []byte(`{}`), Audience: []string{string(client.ID)}},
			{Name: "rs256", Claims: []byte(`{"typ":"ID"}`), Algorithm: "RS256", Audience: []string{string(client.ID)}, Lifetime: 3600},
			{Name: "eddsa", Claims: []byte(`{}`), Algorithm: "EdDSA", Audience: []string{oneIssuer + "/oauth2/token"}},
			{Name: "hs256", Claims: []byte(`{"role":"operator"}`), Algorithm: "HS256", Key: token.CustomKey{Material: secret.NewString(shared)}, Audience: []string{oneIssuer}},
			{Name: "as-client", Claims: []byte(`{"iss":"` + string(client.ID) + `","sub":"` + string(client.ID) + `"}`), Algorithm: "HS256", Key: token.CustomKey{Material: secret.NewString(shared)}, Audience: []string{oneIssuer}},
			{Name: "our-kid", Claims: []byte(`{"iss":"` + oneIssuer + `"}`), Algorithm: "RS256", Audience: []string{string(client.ID)},
				Key: token.CustomKey{ID: ours.ID, Material: secret.NewString(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))}},
		} {
			one.CreatedAt, one.UpdatedAt = clock.Now(), clock.Now()
			must(p.TokenTemplates.Store.SaveTemplate(ctx, one))
		}
		must(p.TokenTemplates.Reload(ctx))
		u, err := p.Users.Create(ctx, admin.NewUser{Email: "ann@example.com", Verified: true}, admin.CLI)
		must(err)
		s, cookie := sessiontest.SignIn(t, p.keeper, u.ID)
		alive := func() bool {
			t.Helper()
			kept, err := p.Sessions.Session(ctx, s.ID)
			must(err)
			return kept.Alive(clock.Now())
		}
		for _, name := range []string{"session", "es256", "rs256", "eddsa", "hs256", "as-client", "our-kid"} {
			status, code, jwt := p.call(t, "POST", "/frontend/v1/sessions/"+string(s.ID)+"/tokens/"+name, cookie)
			if status != 200 || jwt == "" {
				t.Fatalf("%s: %d %s", name, status, code)
			}
			for _, purpose := range []token.Purpose{token.OIDC, token.Encryption} {
				if _, err := p.Keys.Verify(ctx, purpose, jwt); !problem.HasCode(err, token.ErrUnverified.Code) {
					t.Errorf("%s passes for %s", name, purpose)
				}
			}
			if _, err := p.Keys.Verify(ctx, token.Session, jwt); (err == nil) != strings.Contains("session es256 rs256 eddsa", name) {
				t.Errorf("%s as a session token: %v", name, err)
			}
			bearer := "Bearer " + jwt
			mine := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(string(client.ID)+":"+key.Reveal()))}
			q := url.Values{"client_id": {string(client.ID)}, "redirect_uri": {"https://rp.example.org/cb"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}}
			for _, x := range []struct {
				method, path string
				form         url.Values
				headers      []string
				status       int
				says         string
			}{
				{"GET", "/oauth2/userinfo", nil, []string{"Authorization", bearer}, 401, "invalid_token"},
				{"POST", "/oauth2/userinfo", url.Values{"access_token": {jwt}}, nil, 401, "invalid_token"},
				{"POST", "/oauth2/introspect", url.Values{"token": {jwt}}, mine, 200, `{"active":false}`},
				{"POST", "/oauth2/introspect", url.Values{"token": {jwt}}, []string{"Authorization", bearer}, 401, ""},
				{"POST", "/oauth2/revoke", url.Values{"token": {jwt}}, mine, 200, ""},
				{"POST", "/oauth2/token", url.Values{"grant_type": {"authorization_code"}, "code": {jwt}, "redirect_uri": {"https://rp.example.org/cb"}}, mine, 400, "invalid_grant"},
				{"POST", "/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {jwt}}, mine, 400, ""},
				{"POST", "/oauth2/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {jwt}}, mine, 400, ""},
				{"POST", "/oauth2/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {jwt}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"}}, mine, 400, ""},
				{"POST", "/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {jwt}}, nil, 401, "invalid_client"},
				{"POST", "/oauth2/par", url.Values{"request": {jwt}, "client_id": {string(client.ID)}}, mine, 400, ""},
				{"POST", "/oauth2/register", nil, []string{"Authorization", bearer, "Content-Type", "application/json"}, 401, "invalid_token"},
				{"GET", "/oauth2/register/" + string(client.ID), nil, []string{"Authorization", bearer}, 401, ""},
				{"GET", "/oauth2/authorize?" + with(q, "prompt", "none", "id_token_hint", jwt), nil, []string{"Cookie", cookie.String()}, 303, "error="},
				{"GET", "/oauth2/authorize?" + with(q, "request", jwt), nil, []string{"Cookie", cookie.String()}, 303, "error="},
				{"GET", "/frontend/v1/me", nil, []string{"Authorization", bearer}, 401, "not_signed_in"},
				{"GET", "/frontend/v1/me", nil, []string{"Idp-Browser-Token", jwt}, 401, "not_signed_in"},
				{"GET", "/frontend/v1/me", nil, []string{"Cookie", cookie.Name + "=" + jwt}, 401, "not_signed_in"},
				{"GET", "/frontend/v1/me", nil, []string{"Cookie", "idp_token=" + jwt + "; __Host-idp_token=" + jwt}, 401, "not_signed_in"},
				{"GET", "/frontend/v1/sessions", nil, []string{"Authorization", bearer}, 200, `{"sessions":[]}`},
				{"GET", "/operator", nil, []string{"Authorization", bearer}, 303, "/sign-in"},
				{"GET", "/oauth2/logout?" + url.Values{"id_token_hint": {jwt}, "post_logout_redirect_uri": {"https://rp.example.org/out"}}.Encode(), nil, []string{"Cookie", cookie.String()}, 0, ""},
			} {
				w := p.send(t, x.method, x.path, x.form, x.headers...)
				answer := w.Body.String() + w.Header().Get("Location") + w.Header().Get("WWW-Authenticate")
				if x.status != 0 && w.Code != x.status || !strings.Contains(strings.TrimSpace(answer), x.says) {
					t.Errorf("%s at %s %.60s %v: %d %.300s", name, x.method, x.path, x.form, w.Code, answer)
				}
				if strings.HasPrefix(w.Header().Get("Location"), "https://rp.example.org/out") {
					t.Errorf("%s led the browser on from signing out", name)
				}
				if !alive() {
					t.Fatalf("%s at %s ended the session", name, x.path)
				}
			}
		}
		idToken, err := p.Keys.Sign(ctx, token.OIDC, token.ES256, "JWT", map[string]any{"iss": oneIssuer, "sub": u.ID, "sid": s.ID, "azp": oneIssuer, "exp": clock.Now().Unix() + 60})
		must(err)
		if _, err := p.Keys.Verify(ctx, token.Session, idToken); !problem.HasCode(err, token.ErrUnverified.Code) {
			t.Error("an ID token passes for a session token")
		}
		published, _ := p.Keys.JWKS()
		var set struct {
			Keys []struct{ Kid, Kty, K, D string }
		}
		must(json.Unmarshal(published, &set))
		for _, k := range set.Keys {
			if k.Kty == "oct" || k.K != "" || k.D != "" {
				t.Errorf("%s is published with what it signs with", k.Kid)
			}
		}
	})
}

func with(q url.Values, pairs ...string) string {
	all := url.Values{}
	for k, v := range q {
		all[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		all.Set(pairs[i], pairs[i+1])
	}
	return all.Encode()
}
