package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/provider"
	"idp/token"
)

// asker is a client with a key of its own, for both algorithms that it needs.
func (w *world) asker(change func(*provider.Client)) (provider.Client, string) {
	w.t.Helper()
	return w.client(func(c *provider.Client) {
		c.JWKS = jwks(w.t, jose.JSONWebKey{Key: partyKey().Public(), KeyID: "ec"}, jose.JSONWebKey{Key: partyRSA().Public(), KeyID: "rsa"})
		if change != nil {
			change(c)
		}
	})
}

// inside are the claims of a good request object; pairs change it, nil takes one out.
func (w *world) inside(c provider.Client, changes ...any) map[string]any {
	now := w.clock.Now()
	claims := map[string]any{
		"iss": c.ID, "aud": issuer, "client_id": c.ID, "exp": now.Add(5 * time.Minute).Unix(), "nbf": now.Unix(), "state": "inside",
	}
	for i := 0; i < len(changes); i += 2 {
		claims[changes[i].(string)] = changes[i+1]
		if changes[i+1] == nil {
			delete(claims, changes[i].(string))
		}
	}
	return claims
}

func (w *world) object(c provider.Client, changes ...any) string {
	w.t.Helper()
	return jws(w.t, "ES256", partyKey(), map[string]any{"kid": "ec"}, w.inside(c, changes...))
}

// bare is a request object without a signature.
func bare(t testing.TB, header string, claims any) string {
	t.Helper()
	text, ok := claims.(string)
	if !ok {
		made, err := json.Marshal(claims)
		must(t, err)
		text = string(made)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(header)) + "." + b64([]byte(text)) + "."
}

// wantBack demands an error at the relying party, with the state that stood outside.
func wantBack(t testing.TB, why string, got url.Values, code string) {
	t.Helper()
	if got.Get("error") != code || got.Has("code") || got.Get("state") != "st-8f2k" || got.Get("iss") != issuer {
		t.Errorf("%s: %v, want %s", why, got, code)
	}
}

func TestASignedRequestObjectOverridesWhatStandsBesideIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, alg := range []string{"ES256", "RS256", "PS384", "HS256"} {
			c, key := w.asker(func(c *provider.Client) { c.RequestObject.JWS = alg })
			signer, kid := any(partyRSA()), "rsa"
			switch alg {
			case "ES256":
				signer, kid = partyKey(), "ec"
			case "HS256":
				signer, kid = []byte(key), ""
			}
			raw := jws(t, alg, signer, map[string]any{"kid": kid, "typ": "JWT"}, w.inside(c, "nonce", "inner", "scope", "openid email"))
			got := back(t, b.authorize(ask(c, "request", raw)))
			if got.Get("state") != "inside" || got.Get("code") == "" {
				t.Fatalf("%s: %v", alg, got)
			}
			a := read(t, w.redeem(c, key, got.Get("code")), http.StatusOK)
			if a.Scope != "email openid" || w.claims(a.ID)["nonce"] != "inner" {
				t.Errorf("%s: scope %q, claims %v", alg, a.Scope, w.claims(a.ID))
			}
		}
	})
}

func TestNumbersAndObjectsInARequestObjectKeepTheirMeaning(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.asker(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		w.clock.Add(time.Minute)
		rec := b.authorize(ask(c, "request", w.object(c, "max_age", 10)))
		if to := rec.Header().Get("Location"); !strings.HasPrefix(to, "/sign-in?") {
			t.Fatalf("max_age is lost: sent to %q", to)
		}
		if got := back(t, b.authorize(ask(c, "request", w.object(c, "max_age", 3600)))); got.Get("code") == "" {
			t.Fatalf("%v", got)
		}
		claims := map[string]any{"id_token": map[string]any{"email": map[string]any{"essential": true}}}
		a := read(t, w.redeem(c, key, b.code(ask(c, "request", w.object(c, "claims", claims)))), http.StatusOK)
		if w.claims(a.ID)["email"] != "ann@example.com" {
			t.Fatalf("the claims asked for are lost: %v", w.claims(a.ID))
		}
		for name, value := range map[string]any{"max_age": 1.5, "state": []string{"a", "b"}, "scope": []string{"openid"}, "prompt": 3} {
			got := back(t, b.authorize(ask(c, "request", w.object(c, name, value))))
			if got.Get("error") == "" || got.Has("code") {
				t.Errorf("%s %v passed: %v", name, value, got)
			}
		}
	})
}

func TestWhereTheObjectStandsForTheWholeNothingBesideItCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.asker(nil)
		strict, _ := w.asker(func(c *provider.Client) { c.RequireSignedRequest = true })
		b := w.browser()
		b.signIn(w.person("Ann"))
		whole := func(c provider.Client, typ string) string {
			return jws(t, "ES256", partyKey(), map[string]any{"typ": typ}, w.inside(c,
				"state", nil, "response_type", "code", "redirect_uri", callback, "scope", "openid"))
		}
		for why, q := range map[string]url.Values{
			"by its type":                    ask(c, "request", whole(c, "oauth-authz-req+jwt")),
			"by its type spelled out":        ask(c, "request", whole(c, "application/oauth-authz-req+jwt")),
			"the client promised":            ask(strict, "request", whole(strict, "")),
			"no OpenID request beside it":    {"client_id": {string(c.ID)}, "state": {"st-8f2k"}, "nonce": {"n"}, "request": {whole(c, "")}},
			"no response_type beside it":     ask(c, "request", whole(c, ""), "response_type", ""),
			"the scope openid only in there": ask(c, "request", whole(c, ""), "scope", "email"),
		} {
			got := back(t, b.authorize(q))
			if got.Get("code") == "" || got.Has("state") {
				t.Errorf("%s: %v", why, got)
			}
		}
		got := back(t, b.authorize(ask(c, "request", whole(c, "JWT"))))
		if got.Get("state") != "st-8f2k" {
			t.Errorf("in OpenID Connect what stands beside it fills up: %v", got)
		}
	})
}

func TestUnsignedRequestObjectsAreOnlyForThoseWhoRegisteredThem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.asker(nil)
		pinned, _ := w.asker(func(c *provider.Client) { c.RequestObject.JWS = "ES256" })
		free, _ := w.asker(func(c *provider.Client) { c.RequestObject.JWS = "none" })
		b := w.browser()
		b.signIn(w.person("Ann"))
		evil := func(c provider.Client) map[string]any { return w.inside(c, "redirect_uri", "https://evil.example/cb") }
		for _, c := range []provider.Client{c, pinned} {
			for _, header := range []string{`{"alg":"none"}`, `{"alg":"none","typ":"JWT","kid":"ec"}`} {
				wantBack(t, header, back(t, b.authorize(ask(c, "request", bare(t, header, evil(c))))), "request_not_supported")
			}
			wantBack(t, "None", back(t, b.authorize(ask(c, "request", bare(t, `{"alg":"None"}`, evil(c))))), "invalid_request_object")
		}
		if got := back(t, b.authorize(ask(free, "request", bare(t, `{"alg":"none"}`, w.inside(free, "iss", nil, "aud", nil, "exp", nil, "nbf", nil))))); got.Get("state") != "inside" || got.Get("code") == "" {
			t.Fatalf("registered for none: %v", got)
		}
		wantBack(t, "signed although registered for none", back(t, b.authorize(ask(free, "request", w.object(free)))), "invalid_request_object")
		signed := bare(t, `{"alg":"none"}`, w.inside(free)) + "AAAA"
		wantBack(t, "unsigned with a signature", back(t, b.authorize(ask(free, "request", signed))), "invalid_request_object")
		rec := b.authorize(ask(free, "request", bare(t, `{"alg":"none"}`, evil(free))))
		if rec.Header().Get("Location") != "" || !strings.Contains(rec.Body.String(), "redirect_uri_mismatch") {
			t.Fatalf("sent to %q: %s", rec.Header().Get("Location"), rec.Body)
		}
	})
}

func TestForeignStaleAndMismatchingRequestObjectsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.asker(nil)
		other, otherKey := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		now := w.clock.Now()
		at := func(d time.Duration) int64 { return now.Add(d).Unix() }
		for why, changes := range map[string][]any{
			"meant for another server":    {"aud", "https://other.example"},
			"meant for others in a list":  {"aud", []string{"https://other.example", issuer + "/"}},
			"meant for a number":          {"aud", 3},
			"of another issuer":           {"iss", other.ID},
			"of another client":           {"client_id", other.ID},
			"of no text as client":        {"client_id", 3},
			"expired":                     {"exp", at(-time.Minute), "nbf", at(-2 * time.Minute)},
			"expired at the dawn of time": {"exp", 0},
			"exp is a text":               {"exp", "tomorrow"},
			"exp is beyond all":           {"exp", json.Number("1e300")},
			"exp 61 minutes after nbf":    {"exp", at(61 * time.Minute)},
			"exp far ahead without nbf":   {"exp", at(2 * time.Hour), "nbf", nil},
			"nbf 61 minutes ago":          {"nbf", at(-61 * time.Minute), "exp", at(time.Minute)},
			"not valid yet":               {"nbf", at(40 * time.Second)},
			"made in the future":          {"iat", at(time.Hour)},
			"another response_type":       {"response_type", "code id_token"},
			"another object inside":       {"request", "x"},
			"another address inside":      {"request_uri", "https://rp.example.org/r"},
			"a pushed request inside":     {"request_uri", "urn:ietf:params:oauth:request_uri:x"},
		} {
			wantBack(t, why, back(t, b.authorize(ask(c, "request", w.object(c, changes...)))), "invalid_request_object")
		}
		for why, raw := range map[string]string{
			"signed by nobody we know":     jws(t, "ES256", w.freshKey(), map[string]any{"kid": "ec"}, w.inside(c)),
			"signed with another's secret": jws(t, "HS256", []byte(otherKey), nil, w.inside(c)),
			"an ID token's type":           jws(t, "ES256", partyKey(), map[string]any{"typ": "at+jwt"}, w.inside(c)),
			"a client assertion's type":    jws(t, "ES256", partyKey(), map[string]any{"typ": "client-authentication+jwt"}, w.inside(c)),
			"changed after it was signed":  strings.Replace(w.object(c), ".", ".A", 1),
		} {
			wantBack(t, why, back(t, b.authorize(ask(c, "request", raw))), "invalid_request_object")
		}
		for why, changes := range map[string][]any{
			"nbf eight seconds ahead":  {"nbf", at(8 * time.Second)},
			"the issuer in a list":     {"aud", []string{"https://other.example", issuer}},
			"neither exp nor nbf":      {"exp", nil, "nbf", nil},
			"nothing about itself":     {"exp", nil, "nbf", nil, "iss", nil, "aud", nil, "client_id", nil},
			"exp 60 minutes after nbf": {"exp", at(60 * time.Minute)},
			"a fraction of a second":   {"nbf", float64(now.Unix()) + 0.5},
			"the same response_type":   {"response_type", "code"},
		} {
			if got := back(t, b.authorize(ask(c, "request", w.object(c, changes...)))); got.Get("code") == "" {
				t.Errorf("%s: %v", why, got)
			}
		}
	})
}

func TestAmbiguousAndHugeRequestObjectsAreRefusedQuickly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.asker(func(c *provider.Client) { c.RequestObject.JWS = "none" })
		signer, _ := w.asker(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		deep := strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17)
		many := `{"a":0`
		for i := range 300 {
			many += fmt.Sprintf(`,"a%d":1`, i)
		}
		none := func(claims string) string { return bare(t, `{"alg":"none"}`, claims) }
		for why, raw := range map[string]string{
			"a member twice":          none(`{"state":"a","state":"b"}`),
			"a member twice, deeper":  none(`{"claims":{"id_token":{"sub":null,"sub":null}}}`),
			"client_id and CLIENT_ID": none(`{"client_id":"` + string(c.ID) + `","CLIENT_ID":"x"}`),
			"too deep":                none(deep),
			"too deep a list":         none(`{"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`),
			"too many members":        none(many + "}"),
			"a list":                  none(`[]`),
			"two objects":             none(`{}{}`),
			"no object":               none(`null`),
			"half an object":          none(`{"state":"a"`),
			"crit":                    bare(t, `{"alg":"none","crit":["b64"],"b64":false}`, w.inside(c)),
			"b64":                     bare(t, `{"alg":"none","b64":false}`, w.inside(c)),
			"alg twice":               bare(t, `{"alg":"none","alg":"ES256"}`, w.inside(c)),
			"alg is a number":         bare(t, `{"alg":1}`, w.inside(c)),
			"no alg":                  bare(t, `{}`, w.inside(c)),
			"dots":                    strings.Repeat(".", 8_000),
			"four dots":               "....",
			"one dot":                 ".",
			"text":                    "hello",
			"compressed":              bare(t, `{"alg":"dir","enc":"A128GCM","zip":"DEF"}`, "x") + "..",
			"many rounds":             bare(t, `{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}`, "x") + "..",
			"an empty wrapped key":    bare(t, `{"alg":"RSA-OAEP","enc":"A128GCM"}`, "") + "..",
		} {
			start := time.Now()
			wantBack(t, why, back(t, b.authorize(ask(c, "request", raw))), "invalid_request_object")
			if took := time.Since(start); took > 10*time.Second { // however busy the machine is; what this could cost is minutes
				t.Errorf("%s: took %s", why, took)
			}
		}
		// Signed, the same rules hold for what is inside.
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: partyKey()}, nil)
		must(t, err)
		for _, claims := range []string{`{"state":"a","state":"b"}`, deep, `{"sub":"a","SUB":"b"}`, `{"aud":"` + issuer + `","aud":"x"}`} {
			signed, err := s.Sign([]byte(claims))
			must(t, err)
			raw, err := signed.CompactSerialize()
			must(t, err)
			wantBack(t, claims, back(t, b.authorize(ask(signer, "request", raw))), "invalid_request_object")
		}
		rec := b.authorize(ask(c, "request", none(`{"a":"`+strings.Repeat("a", 33<<10)+`"}`)))
		if rec.Code != http.StatusBadRequest || rec.Header().Get("Location") != "" {
			t.Errorf("33 KiB: %d %q", rec.Code, rec.Header().Get("Location"))
		}
	})
}

// sealed encrypts to the provider, as its key set says.
func (w *world) sealed(plain, alg, enc string) string {
	w.t.Helper()
	var set jose.JSONWebKeySet
	must(w.t, json.Unmarshal(w.browser().get("/.well-known/jwks.json").Body.Bytes(), &set))
	for _, key := range set.Keys {
		if key.Use != "enc" || strings.HasPrefix(alg, "ECDH") != (kindOf(w.t, key) == "EC") {
			continue
		}
		by, err := jose.NewEncrypter(jose.ContentEncryption(enc), jose.Recipient{Algorithm: jose.KeyAlgorithm(alg), Key: key.Key, KeyID: key.KeyID},
			(&jose.EncrypterOptions{}).WithContentType("JWT"))
		must(w.t, err)
		made, err := by.Encrypt([]byte(plain))
		must(w.t, err)
		raw, err := made.CompactSerialize()
		must(w.t, err)
		return raw
	}
	w.t.Fatalf("no published key for %s", alg)
	return ""
}

func kindOf(t testing.TB, key jose.JSONWebKey) string {
	t.Helper()
	text, err := key.MarshalJSON()
	must(t, err)
	var m struct{ Kty string }
	must(t, json.Unmarshal(text, &m))
	return m.Kty
}

func TestRequestObjectsMayBeEncryptedToUs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.asker(nil)
		pinned, _ := w.asker(func(c *provider.Client) {
			c.RequestObject = provider.Wrapping{JWS: "ES256", JWE: "ECDH-ES", Enc: "A256GCM"}
		})
		free, _ := w.asker(func(c *provider.Client) { c.RequestObject.JWS = "none" })
		b := w.browser()
		b.signIn(w.person("Ann"))
		code := func(why string, c provider.Client, raw string) {
			t.Helper()
			if got := back(t, b.authorize(ask(c, "request", raw))); got.Get("state") != "inside" || got.Get("code") == "" {
				t.Errorf("%s: %v", why, got)
			}
		}
		for _, alg := range token.KeyAlgorithms {
			code(alg, c, w.sealed(w.object(c), alg, "A128CBC-HS256"))
		}
		code("as registered", pinned, w.sealed(w.object(pinned), "ECDH-ES", "A256GCM"))
		code("unsigned inside, as registered", free, w.sealed(bare(t, `{"alg":"none"}`, w.inside(free)), "ECDH-ES", "A256GCM"))
		for why, raw := range map[string]string{
			"another key algorithm":     w.sealed(w.object(pinned), "RSA-OAEP", "A256GCM"),
			"another content algorithm": w.sealed(w.object(pinned), "ECDH-ES", "A128GCM"),
			"nothing signed inside":     w.sealed(`{"state":"inside"}`, "ECDH-ES", "A256GCM"),
		} {
			wantBack(t, why, back(t, b.authorize(ask(pinned, "request", raw))), "invalid_request_object")
		}
		wantBack(t, "unsigned inside", back(t, b.authorize(ask(c, "request", w.sealed(bare(t, `{"alg":"none"}`, w.inside(c)), "ECDH-ES", "A256GCM")))), "request_not_supported")
		old := w.sealed(w.object(c), "RSA-OAEP-256", "A256GCM")
		must(t, w.keys.Rotate(t.Context(), token.Encryption, true, "operator:cli"))
		code("encrypted to the key before", c, old)
	})
}

func TestWhoMustSignItsRequestsCannotGoWithout(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.asker(func(c *provider.Client) { c.RequireSignedRequest = true })
		b := w.browser()
		b.signIn(w.person("Ann"))
		wantBack(t, "plain", back(t, b.authorize(ask(c))), "invalid_request")
		wantBack(t, "unsigned", back(t, b.authorize(ask(c, "request", bare(t, `{"alg":"none"}`, w.inside(c))))), "request_not_supported")
		wantError(t, w.push(c, key, ask(c)), http.StatusBadRequest, "invalid_request")
		raw := w.object(c, "response_type", "code", "redirect_uri", callback, "scope", "openid")
		if got := back(t, b.authorize(url.Values{"client_id": {string(c.ID)}, "request": {raw}})); got.Get("code") == "" {
			t.Fatalf("%v", got)
		}
	})
}

func TestABadRequestObjectIsAnsweredOnlyWhereTheParametersSayWhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.asker(nil)
		b := w.browser()
		for why, tc := range map[string]struct {
			q    url.Values
			page string
		}{
			"no redirect_uri beside it":         {ask(c, "redirect_uri", "", "request", "x.y.z"), "request_object_unusable"},
			"a foreign redirect_uri beside it":  {ask(c, "redirect_uri", "https://evil.example/", "request", "x.y.z"), "redirect_uri_mismatch"},
			"no client_id beside it":            {ask(c, "client_id", "", "request", w.object(c)), "client_unknown"},
			"an unknown client":                 {ask(c, "client_id", "nobody", "request", w.object(c)), "client_unknown"},
			"a foreign redirect_uri inside":     {ask(c, "request", w.object(c, "redirect_uri", "https://evil.example/")), "redirect_uri_mismatch"},
			"redirect_uri only inside, and bad": {ask(c, "redirect_uri", "", "request", w.object(c, "redirect_uri", callback, "aud", "x")), "request_object_unusable"},
		} {
			rec := b.authorize(tc.q)
			if rec.Header().Get("Location") != "" || !strings.Contains(rec.Body.String(), tc.page) {
				t.Errorf("%s: sent to %q: %s", why, rec.Header().Get("Location"), rec.Body)
			}
		}
		wantBack(t, "registration", back(t, b.authorize(ask(c, "registration", "{}"))), "registration_not_supported")
		wantBack(t, "both kinds", back(t, b.authorize(ask(c, "request", w.object(c), "request_uri", "https://rp.example.org/r"))), "invalid_request")
	})
}

func (w *world) freshKey() any {
	w.t.Helper()
	key, err := token.NewPrivate("ES256")
	must(w.t, err)
	return key
}
