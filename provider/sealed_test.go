package provider_test

import (
	"crypto"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"idp/provider"
	"idp/provider/partykeys"
)

// opened verifies an answer as a relying party does, with nothing but what we publish and
// what it has itself. It returns header and claims.
func (w *world) opened(c provider.Client, key, algorithm, raw string) (jose.Header, map[string]any) {
	w.t.Helper()
	parsed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	must(w.t, err)
	header := parsed.Signatures[0].Protected
	var by any = []byte(key)
	if !strings.HasPrefix(algorithm, "HS") {
		var set jose.JSONWebKeySet
		must(w.t, json.Unmarshal(w.browser().get("/.well-known/jwks.json").Body.Bytes(), &set))
		found := set.Key(header.KeyID)
		if len(found) != 1 || found[0].Algorithm != algorithm || found[0].Use != "sig" {
			w.t.Fatalf("%s: %d published keys %q", algorithm, len(found), header.KeyID)
		}
		by = found[0].Key
	}
	text, err := parsed.Verify(by)
	must(w.t, err)
	var claims map[string]any
	must(w.t, json.Unmarshal(text, &claims))
	if claims["iss"] != issuer || claims["aud"] != string(c.ID) {
		w.t.Fatalf("claims %v", claims)
	}
	return header, claims
}

func unsealed(t testing.TB, raw, jwe, enc string, key any) (string, jose.Header) {
	t.Helper()
	parsed, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.KeyAlgorithm(jwe)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
	must(t, err)
	plain, err := parsed.Decrypt(key)
	must(t, err)
	return string(plain), parsed.Header
}

func half(h crypto.Hash, text string) string {
	sum := h.New()
	sum.Write([]byte(text))
	whole := sum.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(whole[:len(whole)/2])
}

func TestEveryClientGetsTheSignatureItRegisteredFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clients.Keys = w.keys
		b := w.browser()
		b.signIn(w.person("Ann"))
		for algorithm, digest := range map[string]crypto.Hash{
			"RS256": crypto.SHA256, "PS256": crypto.SHA256, "ES256": crypto.SHA256, "HS256": crypto.SHA256,
			"RS384": crypto.SHA384, "PS384": crypto.SHA384, "ES384": crypto.SHA384, "HS384": crypto.SHA384,
			"RS512": crypto.SHA512, "PS512": crypto.SHA512, "ES512": crypto.SHA512, "HS512": crypto.SHA512,
			"EdDSA": crypto.SHA512,
		} {
			c, key := w.client(func(c *provider.Client) {
				c.IDToken, c.Userinfo = provider.Wrapping{JWS: algorithm}, provider.Wrapping{JWS: algorithm}
			})
			a := b.tokens(c, key)
			header, claims := w.opened(c, key, algorithm, a.ID)
			if header.ExtraHeaders["typ"] != "JWT" || claims["at_hash"] != half(digest, a.Access) {
				t.Errorf("%s: header %v, at_hash %v", algorithm, header, claims["at_hash"])
			}
			rec := w.userinfo(a.Access)
			if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/jwt" || rec.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("%s: userinfo %d %v %s", algorithm, rec.Code, rec.Header(), rec.Body)
			}
			_, told := w.opened(c, key, algorithm, rec.Body.String())
			if told["sub"] != claims["sub"] || told["email"] != "ann@example.com" {
				t.Errorf("%s: userinfo %v", algorithm, told)
			}
			// What it got serves as a hint, and what userinfo said does not.
			if got := back(t, b.authorize(ask(c, "id_token_hint", a.ID, "prompt", "none"))); got.Get("code") == "" {
				t.Errorf("%s: its ID token is no hint: %v", algorithm, got)
			}
			if got := back(t, b.authorize(ask(c, "id_token_hint", rec.Body.String(), "prompt", "none"))); got.Get("error") != "invalid_request" {
				t.Errorf("%s: userinfo is a hint: %v", algorithm, got)
			}
		}
	})
}

func TestCodeHashFollowsTheSignatureToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clients.Keys = w.keys
		b := w.browser()
		b.signIn(w.person("Ann"))
		for algorithm, digest := range map[string]crypto.Hash{"": crypto.SHA256, "ES384": crypto.SHA384, "EdDSA": crypto.SHA512} {
			c, key := w.client(func(c *provider.Client) {
				c.IDToken.JWS = algorithm
				c.ResponseTypes, c.GrantTypes = []string{"code id_token"}, []string{"authorization_code", "implicit"}
			})
			_, fragment, _ := strings.Cut(b.authorize(ask(c, "response_type", "code id_token", "scope", "openid")).Header().Get("Location"), "#")
			got, err := url.ParseQuery(fragment)
			must(t, err)
			if algorithm == "" {
				algorithm = "RS256"
			}
			if _, claims := w.opened(c, key, algorithm, got.Get("id_token")); got.Get("code") == "" || claims["c_hash"] != half(digest, got.Get("code")) {
				t.Errorf("%s: %v of %v", algorithm, claims, got)
			}
		}
	})
}

func TestAnswersAreEncryptedToThoseWhoRegisteredForIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clients.Keys = w.keys
		b := w.browser()
		b.signIn(w.person("Ann"))
		keys := jwks(t, jose.JSONWebKey{Key: partyKey().Public(), KeyID: "ec", Use: "enc"}, jose.JSONWebKey{Key: partyRSA().Public(), KeyID: "rsa", Use: "enc"})
		for _, tc := range []struct{ jws, jwe, enc string }{
			{"", "RSA-OAEP", ""}, {"ES256", "RSA-OAEP-256", "A256GCM"}, {"PS256", "ECDH-ES", "A128GCM"},
			{"EdDSA", "ECDH-ES+A256KW", "A256CBC-HS512"}, {"HS256", "dir", "A128CBC-HS256"}, {"RS256", "A128KW", "A192GCM"},
			{"HS512", "A256GCMKW", "A256GCM"},
		} {
			how := provider.Wrapping{JWS: tc.jws, JWE: tc.jwe, Enc: tc.enc}
			c, secretOf := w.client(func(c *provider.Client) { c.IDToken, c.Userinfo, c.JWKS = how, how, keys })
			enc, algorithm := "A128CBC-HS256", "RS256"
			if tc.enc != "" {
				enc = tc.enc
			}
			if tc.jws != "" {
				algorithm = tc.jws
			}
			var key any
			switch {
			case strings.HasPrefix(tc.jwe, "RSA"):
				key = partyRSA()
			case strings.HasPrefix(tc.jwe, "ECDH"):
				key = partyKey()
			case tc.jwe == "A128KW":
				key = partykeys.SecretKey(secretOf, 16)
			default:
				key = partykeys.SecretKey(secretOf, 32)
			}
			a := b.tokens(c, secretOf)
			inner, header := unsealed(t, a.ID, tc.jwe, enc, key)
			if header.ExtraHeaders["cty"] != "JWT" {
				t.Errorf("%+v: header %v", tc, header)
			}
			_, claims := w.opened(c, secretOf, algorithm, inner)
			rec := w.userinfo(a.Access)
			if rec.Header().Get("Content-Type") != "application/jwt" {
				t.Fatalf("%+v: userinfo %d %s", tc, rec.Code, rec.Body)
			}
			inside, _ := unsealed(t, rec.Body.String(), tc.jwe, enc, key)
			var told map[string]any
			if tc.jws == "" { // encrypted JSON, as nothing was said about a signature
				must(t, json.Unmarshal([]byte(inside), &told))
			} else {
				_, told = w.opened(c, secretOf, algorithm, inside)
			}
			if told["sub"] != claims["sub"] || told["email"] != "ann@example.com" {
				t.Errorf("%+v: userinfo %v", tc, told)
			}
		}
	})
}

func TestAClientWithoutAFittingKeyIsToldSoAndLosesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn(w.person("Ann"))
		c, key := w.client(func(c *provider.Client) {
			c.IDToken.JWE, c.JWKS = "RSA-OAEP", jwks(t, jose.JSONWebKey{Key: partyKey().Public()})
		})
		code := b.code(ask(c))
		wantError(t, w.redeem(c, key, code), http.StatusBadRequest, "invalid_request")
		_, err := w.clients.Update(t.Context(), c.ID, "test", func(c *provider.Client) error {
			c.JWKS = jwks(t, jose.JSONWebKey{Key: partyRSA().Public()})
			return nil
		})
		must(t, err)
		if a := read(t, w.redeem(c, key, code), http.StatusOK); len(strings.Split(a.ID, ".")) != 5 {
			t.Errorf("the ID token is not encrypted: %s", a.ID)
		}
	})
}

func TestMetadataListsEveryAlgorithmAndMethod(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	var m map[string]any
	must(t, json.Unmarshal(w.browser().get("/.well-known/openid-configuration").Body.Bytes(), &m))
	for name, want := range map[string][]string{
		"token_endpoint_auth_methods_supported":            {"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"},
		"introspection_endpoint_auth_methods_supported":    {"client_secret_jwt", "private_key_jwt"},
		"revocation_endpoint_auth_methods_supported":       {"client_secret_jwt", "private_key_jwt", "none"},
		"token_endpoint_auth_signing_alg_values_supported": {"RS256", "PS256", "ES256", "EdDSA", "HS256"},
		"id_token_signing_alg_values_supported":            {"RS256", "PS256", "ES256", "EdDSA", "HS256"},
		"userinfo_signing_alg_values_supported":            {"RS256", "PS256", "ES256", "EdDSA", "HS256"},
		"id_token_encryption_alg_values_supported":         {"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "A128KW", "dir"},
		"id_token_encryption_enc_values_supported":         {"A128CBC-HS256", "A256GCM"},
		"userinfo_encryption_alg_values_supported":         {"RSA-OAEP", "ECDH-ES", "dir"},
		"userinfo_encryption_enc_values_supported":         {"A128CBC-HS256", "A256GCM"},
		"subject_types_supported":                          {"public", "pairwise"},
		"scopes_supported":                                 {"openid", "profile", "email", "address", "phone", "groups", "roles", "offline_access"},
		"claims_supported":                                 {"sub", "email_verified", "phone_number", "phone_number_verified", "groups", "roles", "address", "c_hash"},
	} {
		list, _ := m[name].([]any)
		for _, one := range want {
			if !slices.Contains(list, any(one)) {
				t.Errorf("%s lacks %s: %v", name, one, list)
			}
		}
		for _, never := range []string{"none", "RSA1_5", "PBES2-HS256+A128KW"} {
			if strings.Contains(name, "_alg_") && slices.Contains(list, any(never)) {
				t.Errorf("%s has %s", name, never)
			}
		}
	}
}
