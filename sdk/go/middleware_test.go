package idp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idp/sdk/go"
)

func TestAServerLearnsWhoIsAsking(t *testing.T) {
	i := newIssuer(t)
	s := newSigner(t, "k1", "ES256")
	i.publish(s.jwk())
	const plain, elsewhere = "http://localhost:3000", "https://other.example.com"
	mine, minePlain := idp.CookieName(i.URL), idp.PlainCookieName(i.URL)
	theirs := s.sign(t, s.header(), i.claims(map[string]any{"iss": elsewhere}))
	good := s.sign(t, s.header(), i.claims())
	fromPlain := s.sign(t, s.header(), i.claims(map[string]any{"azp": plain}))
	other := s.sign(t, s.header(), i.claims(map[string]any{"sub": "mallory"}))
	old := s.sign(t, s.header(), i.claims(map[string]any{"exp": i.clock().Add(-time.Second).Unix()}))

	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Add("Authorization", "Bearer "+token) }
	}
	cookie := func(name, token string) func(*http.Request) {
		return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: token}) }
	}
	from := func(site string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", site) }
	}
	for _, c := range []struct {
		about     string
		method    string
		with      []func(*http.Request)
		origins   []string
		status    int
		code      string
		challenge string
	}{
		{about: "in the header", with: []func(*http.Request){bearer(good)}, status: 200},
		{about: "in the header, in small letters", with: []func(*http.Request){func(r *http.Request) { r.Header.Set("Authorization", "bearer "+good) }}, status: 200},
		{about: "in the header, from anywhere", method: "POST", with: []func(*http.Request){bearer(good), from("cross-site")}, status: 200},
		{about: "in the cookie", with: []func(*http.Request){cookie(mine, good)}, status: 200},
		{about: "in the cookie, from the same origin", method: "POST", with: []func(*http.Request){cookie(mine, good), from("same-origin")}, status: 200},
		{about: "in the cookie beside somebody else's scheme", with: []func(*http.Request){cookie(mine, good), func(r *http.Request) { r.SetBasicAuth("a", "b") }}, status: 200},
		{about: "in the cookie of http", origins: []string{plain}, with: []func(*http.Request){cookie(minePlain, fromPlain)}, status: 200},
		{about: "in the cookie beside another issuer's", with: []func(*http.Request){cookie(idp.CookieName(elsewhere), theirs), cookie(mine, good)}, status: 200},
		{about: "in the cookie of http beside another issuer's", origins: []string{plain}, with: []func(*http.Request){cookie(idp.PlainCookieName(elsewhere), theirs), cookie(minePlain, fromPlain)}, status: 200},
		{about: "in another issuer's cookie", with: []func(*http.Request){cookie(idp.CookieName(elsewhere), good)}, status: 401, code: "token_missing", challenge: `Bearer`},
		{about: "in a cookie that names no issuer", with: []func(*http.Request){cookie("__Host-idp_token", good)}, status: 401, code: "token_missing", challenge: `Bearer`},
		{about: "another issuer's token in the cookie", with: []func(*http.Request){cookie(mine, theirs)}, status: 401, code: "token_invalid", challenge: `Bearer error="invalid_token", error_description="The token is not valid."`},
		{about: "the header counts, not the cookie", with: []func(*http.Request){bearer(good), cookie(mine, other)}, status: 200},
		{about: "nothing", status: 401, code: "token_missing", challenge: `Bearer`},
		{about: "another scheme", with: []func(*http.Request){func(r *http.Request) { r.SetBasicAuth("a", "b") }}, status: 401, code: "token_missing", challenge: `Bearer`},
		{about: "in the query", with: []func(*http.Request){func(r *http.Request) { r.URL.RawQuery = "access_token=" + good }}, status: 401, code: "token_missing", challenge: `Bearer`},
		{about: "expired", with: []func(*http.Request){bearer(old)}, status: 401, code: "token_expired", challenge: `Bearer error="invalid_token", error_description="The token has expired."`},
		{about: "forged", with: []func(*http.Request){bearer(good[:len(good)-4])}, status: 401, code: "token_invalid", challenge: `Bearer error="invalid_token", error_description="The token is not valid."`},
		{about: "a forged header beside a good cookie", with: []func(*http.Request){bearer("x"), cookie(mine, good)}, status: 401, code: "token_invalid", challenge: `Bearer error="invalid_token", error_description="The token is not valid."`},
		{about: "an empty header beside a good cookie", with: []func(*http.Request){bearer(""), cookie(mine, good)}, status: 401, code: "token_invalid", challenge: `Bearer error="invalid_token", error_description="The token is not valid."`},
		{about: "two headers", with: []func(*http.Request){bearer(good), bearer(good)}, status: 401, code: "token_invalid", challenge: `Bearer error="invalid_token", error_description="The token is not valid."`},
		{about: "two cookies of one name", with: []func(*http.Request){cookie(mine, other), cookie(mine, good)}, status: 401, code: "token_missing", challenge: `Bearer`},
		{about: "two cookies of one name on http", origins: []string{plain}, with: []func(*http.Request){cookie(minePlain, fromPlain), cookie(minePlain, fromPlain)}, status: 401, code: "token_missing", challenge: `Bearer`},
		{about: "the cookie of http where the app is on https", with: []func(*http.Request){cookie(minePlain, good)}, status: 401, code: "token_missing", challenge: `Bearer`},
		{about: "the cookie, sent along for another site", method: "POST", with: []func(*http.Request){cookie(mine, good), from("cross-site")}, status: 403, code: "cross_origin"},
		{about: "the cookie, sent along for a sibling", method: "DELETE", with: []func(*http.Request){cookie(mine, good), from("same-site")}, status: 403, code: "cross_origin"},
		{about: "the cookie, sent along by an old browser", method: "POST", with: []func(*http.Request){cookie(mine, good), func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }}, status: 403, code: "cross_origin"},
	} {
		t.Run(c.about, func(t *testing.T) {
			v := i.verifier(idp.Options{Origins: append(c.origins, app)[:1]})
			method := c.method
			if method == "" {
				method = http.MethodGet
			}
			r := httptest.NewRequestWithContext(t.Context(), method, "https://app.example.com/things", nil)
			for _, add := range c.with {
				add(r)
			}
			reached := ""
			things := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if who, ok := idp.FromContext(r.Context()); ok {
					reached = who.Subject
				} else {
					reached = "nobody"
				}
			})
			w := httptest.NewRecorder()
			v.Require(things).ServeHTTP(w, r)
			if w.Code != c.status || w.Header().Get("WWW-Authenticate") != c.challenge {
				t.Errorf("%d, challenge %q", w.Code, w.Header().Get("WWW-Authenticate"))
			}
			if c.status != 200 {
				var said struct{ Code string }
				if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || said.Code != c.code || w.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("said %s", w.Body)
				}
			}
			if want := map[bool]string{true: "user-1"}[c.status == 200]; reached != want {
				t.Errorf("Require: reached as %q", reached)
			}
			w = httptest.NewRecorder()
			v.Optional(things).ServeHTTP(w, r)
			if want := map[bool]string{true: "user-1", false: "nobody"}[c.status == 200]; w.Code != 200 || reached != want {
				t.Errorf("Optional: %d as %q", w.Code, reached)
			}
		})
	}
}

// Browsers that run the SDK use the same names: they can never change.
func TestTheCookieIsNamedAfterTheIssuer(t *testing.T) {
	const issuer = "https://id.example.com"
	if https, http := idp.CookieName(issuer), idp.PlainCookieName(issuer); https != "__Host-idp_token_3d38e146" || http != "idp_token_3d38e146" {
		t.Errorf("%s, %s", https, http)
	}
}

func TestAServerThatCannotHaveTheKeysSaysSo(t *testing.T) {
	i := newIssuer(t)
	s := newSigner(t, "k1", "ES256")
	i.set(func() { i.down = true })
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://app.example.com/", nil)
	r.Header.Set("Authorization", "Bearer "+s.sign(t, s.header(), i.claims()))
	w := httptest.NewRecorder()
	i.verifier(idp.Options{}).Require(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" || !strings.Contains(w.Body.String(), "keys_unavailable") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}
