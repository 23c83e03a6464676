package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/outbound"
	"idp/internal/secret"
	"idp/provider"
	"idp/storage"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// partyKey is a relying party's own key pair.
var partyKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

var partyRSA = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func jwks(t testing.TB, keys ...jose.JSONWebKey) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	must(t, err)
	return text
}

// jws signs as a relying party would: with any key, any headers, any claims.
func jws(t testing.TB, algorithm string, key any, headers, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for k, v := range headers {
		options.ExtraHeaders[jose.HeaderKey(k)] = v
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: key}, options)
	must(t, err)
	text, err := json.Marshal(claims)
	must(t, err)
	made, err := s.Sign(text)
	must(t, err)
	raw, err := made.CompactSerialize()
	must(t, err)
	return raw
}

// assertion is good; pairs of name and value change its claims, nil takes one out.
func (w *world) assertion(c provider.Client, changes ...any) map[string]any {
	now := w.clock.Now()
	claims := map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": issuer, "jti": secret.NewID("jti"), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for i := 0; i < len(changes); i += 2 {
		claims[changes[i].(string)] = changes[i+1]
		if changes[i+1] == nil {
			delete(claims, changes[i].(string))
		}
	}
	return claims
}

func asserting(raw string, pairs ...string) url.Values {
	return with(url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {assertionType}, "client_assertion": {raw}}, pairs...)
}

// keyed is a machine client with private_key_jwt.
func (w *world) keyed(change func(*provider.Client)) provider.Client {
	w.t.Helper()
	c, _ := w.machine(func(c *provider.Client) {
		c.AuthMethod = "private_key_jwt"
		c.JWKS = jwks(w.t, jose.JSONWebKey{Key: partyKey().Public()})
		if change != nil {
			change(c)
		}
	})
	return c
}

func (w *world) sharing(change func(*provider.Client)) (provider.Client, string) {
	w.t.Helper()
	return w.machine(func(c *provider.Client) {
		c.AuthMethod = "client_secret_jwt"
		if change != nil {
			change(c)
		}
	})
}

func TestClientsProveThemselvesBySigning(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.keyed(nil)
		sharing, key := w.sharing(nil)
		for _, aud := range []any{
			issuer, issuer + "/oauth2/token", []string{issuer}, []string{issuer, issuer + "/oauth2/token"},
		} {
			read(t, w.form("/oauth2/token", asserting(jws(t, "ES256", partyKey(), nil, w.assertion(c, "aud", aud)))), http.StatusOK)
			for _, algorithm := range []string{"HS256", "HS384", "HS512"} {
				read(t, w.form("/oauth2/token", asserting(jws(t, algorithm, []byte(key), map[string]any{"typ": "JWT"}, w.assertion(sharing, "aud", aud)))), http.StatusOK)
			}
		}
		id := string(c.ID)
		read(t, w.form("/oauth2/token", asserting(jws(t, "ES256", partyKey(), nil, w.assertion(c)), "client_id", id)), http.StatusOK)
		got := read(t, w.form("/oauth2/token", asserting(jws(t, "ES256", partyKey(), nil, w.assertion(c, "nbf", w.clock.Now().Add(8*time.Second).Unix())))), http.StatusOK)

		// The same at every endpoint that clients call themselves, each of which may be named.
		for _, path := range []string{"/oauth2/introspect", "/oauth2/revoke"} {
			for _, aud := range []string{issuer, issuer + "/oauth2/token", issuer + path} {
				form := asserting(jws(t, "ES256", partyKey(), nil, w.assertion(c, "aud", aud)), "token", got.Access)
				if rec := w.form(path, form); rec.Code != http.StatusOK || path == "/oauth2/introspect" && aud == issuer && !strings.Contains(rec.Body.String(), `"active":true`) {
					t.Errorf("%s for %s: %d %s", path, aud, rec.Code, rec.Body)
				}
			}
		}
	})
}

func TestAnAssertionThatIsNotInOrderProvesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other := w.keyed(nil)
		pinned := w.keyed(func(c *provider.Client) {
			c.AuthAlgorithm = "PS256"
			c.JWKS = jwks(t, jose.JSONWebKey{Key: partyRSA().Public(), KeyID: "r"}, jose.JSONWebKey{Key: partyKey().Public()})
		})
		c := w.keyed(nil)
		attacker, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		var hits atomic.Int32
		lair := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
		defer lair.Close()
		now := w.clock.Now()
		good := func(changes ...any) map[string]any { return w.assertion(c, changes...) }
		mine := func(claims map[string]any) string { return jws(t, "ES256", partyKey(), nil, claims) }
		pub, err := json.Marshal(jose.JSONWebKey{Key: partyKey().Public()})
		must(t, err)
		enc := jose.JSONWebKey{Key: partyKey().Public(), Use: "enc"}
		sealer := w.keyed(func(c *provider.Client) { c.JWKS = jwks(t, enc, jose.JSONWebKey{Key: partyRSA().Public()}) })
		for why, raw := range map[string]string{
			"audience of somebody else":             mine(good("aud", "https://evil.example")),
			"audience of us and somebody else":      mine(good("aud", []string{issuer, "https://evil.example"})),
			"audience with a slash more":            mine(good("aud", issuer+"/")),
			"audience of another endpoint of ours":  mine(good("aud", issuer+"/oauth2/revoke")),
			"no audience":                           mine(good("aud", nil)),
			"an empty list of audiences":            mine(good("aud", []string{})),
			"an audience that is no text":           mine(good("aud", 7)),
			"issued by somebody else":               mine(good("iss", "https://evil.example")),
			"no issuer":                             mine(good("iss", nil)),
			"about another client":                  mine(good("sub", other.ID)),
			"no subject":                            mine(good("sub", nil)),
			"no jti":                                mine(good("jti", nil)),
			"an empty jti":                          mine(good("jti", "")),
			"a jti without end":                     mine(good("jti", strings.Repeat("x", 257))),
			"no end":                                mine(good("exp", nil)),
			"an end in ten years":                   mine(good("exp", now.AddDate(10, 0, 0).Unix())),
			"an end in six minutes":                 mine(good("exp", now.Add(6*time.Minute).Unix())),
			"over for five minutes":                 mine(good("exp", now.Add(-5*time.Minute).Unix())),
			"an end at the beginning of time":       mine(good("exp", 0)),
			"an end that is text":                   mine(good("exp", "soon")),
			"an end that is null":                   mine(good("exp", json.RawMessage("null"))),
			"an end out of all bounds":              mine(good("exp", json.RawMessage("1e300"))),
			"not valid for two minutes":             mine(good("nbf", now.Add(2*time.Minute).Unix())),
			"made in two minutes":                   mine(good("iat", now.Add(2*time.Minute).Unix())),
			"names in capitals":                     mine(good("SUB", other.ID)),
			"another's key":                         jws(t, "ES256", attacker, nil, good()),
			"a key it brings along":                 jws(t, "ES256", attacker, map[string]any{"jwk": jose.JSONWebKey{Key: attacker.Public()}}, good()),
			"a key it points to":                    jws(t, "ES256", attacker, map[string]any{"jku": lair.URL, "x5u": lair.URL}, good()),
			"a kid that is a path":                  jws(t, "ES256", attacker, map[string]any{"kid": "../../../dev/null"}, good()),
			"HMAC with the public key":              jws(t, "HS256", pub, nil, good()),
			"a logout token's type":                 jws(t, "ES256", partyKey(), map[string]any{"typ": "logout+jwt"}, good()),
			"a request object's type":               jws(t, "ES256", partyKey(), map[string]any{"typ": "oauth-authz-req+jwt"}, good()),
			"an algorithm it is not registered for": jws(t, "ES256", partyKey(), nil, w.assertion(pinned)),
			"another with the same kind of key":     jws(t, "RS256", partyRSA(), map[string]any{"kid": "r"}, w.assertion(pinned)),
			"a key for encryption":                  jws(t, "ES256", partyKey(), nil, w.assertion(sealer)),
			"no signature":                          "eyJhbGciOiJub25lIn0." + strings.Split(mine(good()), ".")[1] + ".",
			"not a JWT":                             "assertion",
			"a hundred thousand dots":               strings.Repeat(".", 4000),
		} {
			if a := read(t, w.form("/oauth2/token", asserting(raw)), http.StatusUnauthorized); a.Error != "invalid_client" {
				t.Errorf("%s: %+v", why, a)
			}
		}
		if hits.Load() != 0 {
			t.Errorf("%d fetches of what a token points to", hits.Load())
		}
		read(t, w.form("/oauth2/token", asserting(jws(t, "PS256", partyRSA(), map[string]any{"kid": "r"}, w.assertion(pinned)))), http.StatusOK)
		read(t, w.form("/oauth2/token", asserting(mine(good()))), http.StatusOK)
	})
}

func TestEachClientPassesByItsRegisteredMethodAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		keyed := w.keyed(func(c *provider.Client) { // its secret is a key for its ID tokens, and no password
			c.IDToken = provider.Wrapping{JWS: "HS256"}
		})
		sharing, shared := w.sharing(func(c *provider.Client) { // its keys are for its request objects
			c.JWKS = jwks(t, jose.JSONWebKey{Key: partyKey().Public()})
		})
		plain, secretOfPlain := w.machine(func(c *provider.Client) { c.JWKS = jwks(t, jose.JSONWebKey{Key: partyKey().Public()}) })
		raw := func(c provider.Client) string { return jws(t, "ES256", partyKey(), nil, w.assertion(c)) }
		hmac := func(c provider.Client, key string) string { return jws(t, "HS256", []byte(key), nil, w.assertion(c)) }
		whole, err := w.clients.Get(t.Context(), keyed.ID)
		must(t, err)
		own := whole.Secrets[0].Value.Reveal()
		grant := url.Values{"grant_type": {"client_credentials"}}
		secretOf := func(c provider.Client, key string) url.Values {
			return url.Values{"grant_type": {"client_credentials"}, "client_id": {string(c.ID)}, "client_secret": {key}}
		}
		for why, tc := range map[string]struct {
			form   url.Values
			header string
			status int
			code   string
		}{
			"private_key_jwt with its secret":         {secretOf(keyed, own), "", 401, "invalid_client"},
			"private_key_jwt with basic":              {grant, basicOf(string(keyed.ID), own), 401, "invalid_client"},
			"private_key_jwt with its id alone":       {with(url.Values{"grant_type": {"client_credentials"}}, "client_id", string(keyed.ID)), "", 401, "invalid_client"},
			"private_key_jwt with HMAC of its secret": {asserting(hmac(keyed, own)), "", 401, "invalid_client"},
			"client_secret_jwt with its secret":       {secretOf(sharing, shared), "", 401, "invalid_client"},
			"client_secret_jwt with basic":            {grant, basicOf(string(sharing.ID), shared), 401, "invalid_client"},
			"client_secret_jwt with a key":            {asserting(raw(sharing)), "", 401, "invalid_client"},
			"a secret's client with an assertion":     {asserting(raw(plain)), "", 401, "invalid_client"},
			"a secret's client with HMAC":             {asserting(hmac(plain, secretOfPlain)), "", 401, "invalid_client"},
			"an assertion and basic":                  {asserting(raw(keyed)), basicOf(string(keyed.ID), "x"), 400, "invalid_request"},
			"an assertion and a secret":               {asserting(raw(keyed), "client_secret", "x"), "", 400, "invalid_request"},
			"an assertion and another's id":           {asserting(raw(keyed), "client_id", string(plain.ID)), "", 401, "invalid_client"},
			"an assertion of another type":            {asserting(raw(keyed), "client_assertion_type", assertionType+"x"), "", 401, "invalid_client"},
			"an assertion without its type":           {asserting(raw(keyed), "client_assertion_type", ""), "", 401, "invalid_client"},
			"an assertion's type without it":          {asserting("", "client_id", string(keyed.ID)), "", 401, "invalid_client"},
			"private_key_jwt as it should be":         {asserting(raw(keyed)), "", 200, ""},
			"client_secret_jwt as it should be":       {asserting(hmac(sharing, shared)), "", 200, ""},
		} {
			var headers []string
			if tc.header != "" {
				headers = []string{"Authorization", tc.header}
			}
			if a := read(t, w.send("/oauth2/token", tc.form, headers...), tc.status); a.Error != tc.code {
				t.Errorf("%s: %+v", why, a)
			}
		}
		must(t, w.clients.Disable(t.Context(), keyed.ID, "test"))
		wantError(t, w.form("/oauth2/token", asserting(raw(keyed))), http.StatusUnauthorized, "invalid_client")
	})
}

func TestAnAssertionIsGoodOnceAlsoInARace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, other := w.keyed(nil), w.keyed(nil)
		raw := jws(t, "ES256", partyKey(), nil, w.assertion(c, "jti", "once"))
		var passed atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				switch rec := w.form("/oauth2/token", asserting(raw)); rec.Code {
				case http.StatusOK:
					passed.Add(1)
				case http.StatusUnauthorized:
				default:
					t.Errorf("status %d: %s", rec.Code, rec.Body)
				}
			})
		}
		all.Wait()
		if passed.Load() != 1 {
			t.Fatalf("%d of 20 passed", passed.Load())
		}
		w.wire(provider.Deps{}) // another process, or the same after a restart
		wantError(t, w.form("/oauth2/token", asserting(raw)), http.StatusUnauthorized, "invalid_client")
		wantError(t, w.form("/oauth2/introspect", asserting(raw, "token", "x")), http.StatusUnauthorized, "invalid_client")
		read(t, w.form("/oauth2/token", asserting(jws(t, "ES256", partyKey(), nil, w.assertion(other, "jti", "once")))), http.StatusOK)
	})
}

func TestARotatedSecretVerifiesAsLongAsItLives(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, old := w.sharing(nil)
		fresh, err := w.clients.RotateSecret(t.Context(), c.ID, time.Hour, "test")
		must(t, err)
		by := func(key string) url.Values { return asserting(jws(t, "HS512", []byte(key), nil, w.assertion(c))) }
		read(t, w.form("/oauth2/token", by(old)), http.StatusOK)
		read(t, w.form("/oauth2/token", by(fresh.Reveal())), http.StatusOK)
		w.clock.Add(2 * time.Hour)
		wantError(t, w.form("/oauth2/token", by(old)), http.StatusUnauthorized, "invalid_client")
		read(t, w.form("/oauth2/token", by(fresh.Reveal())), http.StatusOK)
	})
}

func TestKeysByReferenceAreFetchedOnceAndAgainForANewKid(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var hits atomic.Int32
		var mu sync.Mutex
		serving := jwks(t, jose.JSONWebKey{Key: partyKey().Public(), KeyID: "one"})
		home := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			hits.Add(1)
			mu.Lock()
			defer mu.Unlock()
			_, _ = rw.Write(serving)
		}))
		defer home.Close()
		w.wire(provider.Deps{Outbound: outbound.New(outbound.Options{Loopback: true, Now: w.clock.Now})})
		c := w.keyed(func(c *provider.Client) { c.JWKS, c.JWKSURI = nil, home.URL+"/jwks" })
		kid := func(name string) map[string]any { return map[string]any{"kid": name} }
		for range 3 {
			read(t, w.form("/oauth2/token", asserting(jws(t, "ES256", partyKey(), kid("one"), w.assertion(c)))), http.StatusOK)
		}
		if hits.Load() != 1 {
			t.Fatalf("%d fetches, want 1", hits.Load())
		}
		mu.Lock()
		serving = jwks(t, jose.JSONWebKey{Key: partyRSA().Public(), KeyID: "two"})
		mu.Unlock()
		read(t, w.form("/oauth2/token", asserting(jws(t, "RS256", partyRSA(), kid("two"), w.assertion(c)))), http.StatusOK)
		for i := range 100 {
			raw := jws(t, "ES256", partyKey(), kid(fmt.Sprint("random", i)), w.assertion(c))
			wantError(t, w.form("/oauth2/token", asserting(raw)), http.StatusUnauthorized, "invalid_client")
		}
		if hits.Load() != 2 {
			t.Fatalf("%d fetches, want 2", hits.Load())
		}
	})
}

func TestOnlyAssertionsCostAStatement(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		plain, key := w.machine(nil)
		c := w.keyed(nil)
		raw := func() url.Values { return asserting(jws(t, "ES256", partyKey(), nil, w.assertion(c))) }
		read(t, w.form("/oauth2/token", raw()), http.StatusOK)
		read(t, w.post("/oauth2/token", plain, key, "grant_type", "client_credentials"), http.StatusOK)
		for _, tc := range []struct {
			do   func()
			want int
		}{
			{func() { w.post("/oauth2/token", plain, key, "grant_type", "client_credentials") }, 1},
			{func() { w.form("/oauth2/token", raw()) }, 2},
			{func() { w.form("/oauth2/token", asserting(strings.Repeat("x", 2000))) }, 0},
		} {
			w.count.Reset()
			tc.do()
			if got := w.count.Statements(); got != tc.want {
				t.Errorf("%d statements, want %d:\n%s", got, tc.want, strings.Join(w.count.Texts(), "\n"))
			}
		}
	})
}

func TestUsedAssertionsAreForgottenWhenTheyExpired(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		store, now := storage.NewAssertions(w.db), w.clock.Now()
		must(t, store.UseAssertion(t.Context(), "a", now.Add(-time.Second)))
		must(t, store.UseAssertion(t.Context(), "b", now.Add(time.Minute)))
		must(t, w.db.Sweep(t.Context()))
		must(t, store.UseAssertion(t.Context(), "a", now)) // it is gone
		if err := store.UseAssertion(t.Context(), "b", now); err == nil {
			t.Error("one that still lives was forgotten")
		}
	})
}

func TestPushedRequestsTakeAssertionsLikeEveryOtherEndpoint(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(func(c *provider.Client) {
			c.AuthMethod, c.JWKS = "private_key_jwt", jwks(t, jose.JSONWebKey{Key: partyKey().Public()})
		})
		b := w.browser()
		b.signIn(w.person("Ann"))
		push := func(aud any) url.Values {
			q := ask(c)
			q.Set("client_assertion_type", assertionType)
			q.Set("client_assertion", jws(t, "ES256", partyKey(), nil, w.assertion(c, "aud", aud)))
			return q
		}
		for _, aud := range []string{issuer, issuer + "/oauth2/token", issuer + "/oauth2/par"} {
			if rec := w.form("/oauth2/par", push(aud)); rec.Code != http.StatusCreated {
				t.Errorf("for %s: %d %s", aud, rec.Code, rec.Body)
			}
		}
		for _, aud := range []any{issuer + "/oauth2/revoke", "https://evil.example", []string{issuer + "/oauth2/par", "https://evil.example"}} {
			wantError(t, w.form("/oauth2/par", push(aud)), http.StatusUnauthorized, "invalid_client")
		}
		used := push(issuer)
		var pushed struct {
			URI string `json:"request_uri"`
		}
		must(t, json.Unmarshal(w.form("/oauth2/par", used).Body.Bytes(), &pushed))
		wantError(t, w.form("/oauth2/par", used), http.StatusUnauthorized, "invalid_client")
		code := b.code(url.Values{"client_id": {string(c.ID)}, "request_uri": {pushed.URI}})
		form := with(url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
			"client_assertion_type": {assertionType},
		}, "client_assertion", jws(t, "ES256", partyKey(), nil, w.assertion(c)))
		if a := read(t, w.form("/oauth2/token", form), http.StatusOK); a.ID == "" {
			t.Error("no ID token")
		}
	})
}
