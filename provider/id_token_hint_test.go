package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/provider"
	"idp/token"
)

// Our key signs more than ID tokens, and a client's secret signs more than ours.
func TestNothingButAnIDTokenOfOursIsAHint(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		c, key := w.client(nil)
		hmac, hmacKey := w.client(func(c *provider.Client) { c.IDToken.JWS = "HS256" })
		sharing, shared := w.client(func(c *provider.Client) { c.AuthMethod = "client_secret_jwt" })
		claims := w.claims(b.tokens(c, key).ID)
		parsed, err := jose.ParseSignedCompact(b.tokens(hmac, hmacKey).ID, []jose.SignatureAlgorithm{"HS256"})
		must(t, err)
		var hmacClaims map[string]any
		must(t, json.Unmarshal(parsed.UnsafePayloadWithoutVerification(), &hmacClaims))
		changed := func(claims map[string]any, pairs ...any) map[string]any {
			whole := map[string]any{}
			for k, v := range claims {
				whole[k] = v
			}
			for i := 0; i < len(pairs); i += 2 {
				whole[pairs[i].(string)] = pairs[i+1]
				if pairs[i+1] == nil {
					delete(whole, pairs[i].(string))
				}
			}
			return whole
		}
		ours := func(purpose token.Purpose, algorithm, typ string, claims map[string]any) string {
			raw, err := w.keys.Sign(t.Context(), purpose, algorithm, typ, claims)
			must(t, err)
			return raw
		}
		theirs := func(typ string, key string, claims map[string]any) string {
			return jws(t, "HS256", []byte(key), map[string]any{"typ": typ}, claims)
		}
		var set jose.JSONWebKeySet
		must(t, json.Unmarshal(b.get("/.well-known/jwks.json").Body.Bytes(), &set))
		public, err := json.Marshal(set.Keys[0])
		must(t, err)
		part := strings.Split(ours(token.OIDC, "RS256", "JWT", claims), ".")
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
		for why, tc := range map[string]struct {
			c    provider.Client
			hint string
			good bool
		}{
			"an ID token":                             {c, ours(token.OIDC, "RS256", "JWT", claims), true},
			"one that has expired long ago":           {c, ours(token.OIDC, "RS256", "JWT", changed(claims, "exp", w.clock.Now().AddDate(-1, 0, 0).Unix())), true},
			"one by another key of ours":              {c, ours(token.OIDC, "ES256", "JWT", claims), true},
			"an access token":                         {c, ours(token.OIDC, "ES256", "at+jwt", claims), false},
			"a logout token":                          {c, ours(token.OIDC, "RS256", "logout+jwt", claims), false},
			"an answer of userinfo":                   {c, ours(token.OIDC, "RS256", "JWT", changed(claims, "exp", nil, "auth_time", nil)), false},
			"a session token":                         {c, ours(token.Session, "ES256", "JWT", claims), false},
			"one for another client":                  {c, ours(token.OIDC, "RS256", "JWT", changed(claims, "aud", string(hmac.ID))), false},
			"one of another issuer":                   {c, ours(token.OIDC, "RS256", "JWT", changed(claims, "iss", "https://evil.example")), false},
			"one without a signature":                 {c, none + "." + part[1] + ".", false},
			"one with half a signature":               {c, part[0] + "." + part[1] + "." + part[2][:20], false},
			"HMAC with our public key":                {c, jws(t, "HS256", public, map[string]any{"typ": "JWT"}, claims), false},
			"HMAC where none is registered":           {sharing, theirs("JWT", shared, changed(claims, "aud", string(sharing.ID))), false},
			"HMAC where it is registered":             {hmac, theirs("JWT", hmacKey, hmacClaims), true},
			"HMAC with another secret":                {hmac, theirs("JWT", shared+shared, hmacClaims), false},
			"HMAC of another type":                    {hmac, theirs("logout+jwt", hmacKey, hmacClaims), false},
			"a client's own assertion, by its secret": {hmac, theirs("JWT", hmacKey, changed(hmacClaims, "iss", string(hmac.ID))), false},
			"rubbish": {c, "hint", false},
		} {
			got := back(t, b.authorize(ask(tc.c, "prompt", "none", "id_token_hint", tc.hint)))
			if tc.good && got.Get("code") == "" || !tc.good && got.Get("error") != "invalid_request" {
				t.Errorf("%s at authorize: %v", why, got)
			}
			if tc.good {
				continue
			}
			b.get("/oauth2/logout?" + url.Values{"id_token_hint": {tc.hint}, "client_id": {string(tc.c.ID)}}.Encode())
		}
		here, err := w.keeper.Sessions(t.Context(), b.kept)
		must(t, err)
		if len(here) != 1 || here[0].ID != s.ID {
			t.Error("one of them ended the session unasked")
		}
	})
}

func TestAHintOutlivesTheKeyThatSignedItUntilThatIsRetired(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn(w.person("Ann"))
		c, key := w.client(nil)
		hint := b.tokens(c, key).ID
		kid := w.kid(hint)
		must(t, w.keys.Rotate(t.Context(), token.OIDC, true, "test"))
		if fresh := b.tokens(c, key).ID; w.kid(fresh) == kid {
			t.Fatal("the key did not change")
		}
		if got := back(t, b.authorize(ask(c, "prompt", "none", "id_token_hint", hint))); got.Get("code") == "" {
			t.Errorf("a key that is past verifies nothing: %v", got)
		}
		must(t, w.keys.Retire(t.Context(), kid, "test"))
		if got := back(t, b.authorize(ask(c, "prompt", "none", "id_token_hint", hint))); got.Get("error") != "invalid_request" {
			t.Errorf("a key that was pulled still verifies: %v", got)
		}
	})
}

func (w *world) kid(raw string) string {
	w.t.Helper()
	parsed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{"RS256"})
	must(w.t, err)
	return parsed.Signatures[0].Protected.KeyID
}

// What we sign and what clients sign must be worth nothing in each other's place.
func TestNoJWTPassesForAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn(w.person("Ann"))
		c, key := w.client(func(c *provider.Client) { c.AuthMethod, c.IDToken.JWS = "client_secret_jwt", "HS256" })
		assertion := func() string { return jws(t, "HS256", []byte(key), map[string]any{"typ": "JWT"}, w.assertion(c)) }
		code := b.code(ask(c))
		exchange := url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
			"client_assertion_type": {assertionType}, "client_assertion": {assertion()},
		}
		a := read(t, w.form("/oauth2/token", exchange), http.StatusOK)
		at, err := w.keys.Sign(t.Context(), token.OIDC, "ES256", "at+jwt", map[string]any{
			"iss": issuer, "aud": c.ID, "sub": c.ID, "client_id": c.ID, "exp": w.clock.Now().Add(time.Minute).Unix(),
		})
		must(t, err)
		for kind, raw := range map[string]string{"an ID token": a.ID, "a JWT access token": at, "an assertion": assertion()} {
			if rec := w.userinfo(raw); rec.Code != http.StatusUnauthorized {
				t.Errorf("userinfo takes %s: %d", kind, rec.Code)
			}
			form := with(asserting(assertion()), "token", raw)
			if got := w.form("/oauth2/introspect", form).Body.String(); got != dead {
				t.Errorf("introspection of %s: %s", kind, got)
			}
			if kind == "an assertion" {
				continue
			}
			wantError(t, w.form("/oauth2/token", asserting(raw)), http.StatusUnauthorized, "invalid_client")
		}
		w.wantAlive(a.Access)
	})
}
