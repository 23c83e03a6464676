package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/token"
)

func block(kind string, der []byte) secret.String {
	return secret.NewString(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

func pkcs8(t *testing.T, key any) secret.String {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func jwk(t *testing.T, key jose.JSONWebKey) secret.String {
	t.Helper()
	text, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewString(string(text))
}

var rsaOnce = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func ec(t *testing.T, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// opened are the claims of a token as somebody reads them who has the key.
func opened(t *testing.T, jwt, algorithm string, key any) (claims map[string]any, kid string) {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(jwt, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	if err != nil {
		t.Fatalf("%s: %v", jwt, err)
	}
	payload, err := parsed.Verify(key)
	if err != nil {
		t.Fatalf("%s: %v", jwt, err)
	}
	if typ := parsed.Signatures[0].Protected.ExtraHeaders["typ"]; typ != "JWT" {
		t.Errorf("typ is %v", typ)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims, parsed.Signatures[0].Protected.KeyID
}

func TestATemplateSignsWithItsOwnKey(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	p256, p384, p521 := ec(t, elliptic.P256()), ec(t, elliptic.P384()), ec(t, elliptic.P521())
	sec1, err := x509.MarshalECPrivateKey(p256)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat(ownSecret, 2)
	service, _ := json.Marshal(map[string]string{"type": "service_account", "private_key_id": "google-1", "private_key": pkcs8(t, rsaOnce()).Reveal(), "client_email": "x@y.iam"})
	for _, c := range []struct {
		why, asked, algorithm, kid string
		given                      token.SigningKey
		verify                     any
	}{
		{"a secret", "", "HS256", "", token.SigningKey{Secret: secret.NewString(ownSecret)}, []byte(ownSecret)},
		{"a secret in base64", "HS256", "HS256", "k1", token.SigningKey{ID: "k1", SecretBase64: secret.NewString(base64.StdEncoding.EncodeToString([]byte(ownSecret)))}, []byte(ownSecret)},
		{"bytes that are no text", "", "HS256", "", token.SigningKey{SecretBase64: secret.NewString("_____wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw")}, mustBase64("_____wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw")},
		{"a longer hash", "HS512", "HS512", "", token.SigningKey{Secret: secret.NewString(long)}, []byte(long)},
		{"RSA in PKCS #8", "", "RS256", "", token.SigningKey{PEM: pkcs8(t, rsaOnce())}, rsaOnce().Public()},
		{"RSA in PKCS #1", "PS384", "PS384", "", token.SigningKey{PEM: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaOnce()))}, rsaOnce().Public()},
		{"line breaks as JSON files have them", "", "RS256", "", token.SigningKey{PEM: secret.NewString(strings.ReplaceAll(pkcs8(t, rsaOnce()).Reveal(), "\n", `\n`))}, rsaOnce().Public()},
		{"the file of a service account", "", "RS256", "google-1", token.SigningKeyFile(service), rsaOnce().Public()},
		{"EC in SEC 1, as openssl writes it", "", "ES256", "",
			token.SigningKey{PEM: secret.NewString(block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}).Reveal() + block("EC PRIVATE KEY", sec1).Reveal())}, p256.Public()},
		{"P-384", "", "ES384", "", token.SigningKey{PEM: pkcs8(t, p384)}, p384.Public()},
		{"P-521", "ES512", "ES512", "", token.SigningKey{PEM: pkcs8(t, p521)}, p521.Public()},
		{"Ed25519", "", "EdDSA", "", token.SigningKey{PEM: pkcs8(t, ed)}, ed.Public()},
		{"an RSA JWK", "", "RS256", "r", token.SigningKey{JWK: jwk(t, jose.JSONWebKey{Key: rsaOnce(), KeyID: "r", Use: "sig"})}, rsaOnce().Public()},
		{"an EC JWK", "ES256", "ES256", "mine", token.SigningKey{ID: "mine", JWK: jwk(t, jose.JSONWebKey{Key: p256, KeyID: "e"})}, p256.Public()},
		{"an Ed25519 JWK", "", "EdDSA", "", token.SigningKey{JWK: jwk(t, jose.JSONWebKey{Key: ed})}, ed.Public()},
		{"a secret as JWK", "", "HS256", "s", token.SigningKeyFile([]byte(`{"kty":"oct","kid":"s","k":"` + base64.RawURLEncoding.EncodeToString([]byte(ownSecret)) + `"}`)), []byte(ownSecret)},
		{"a file with a secret and its line break", "", "HS256", "", token.SigningKeyFile([]byte(ownSecret + "\n")), []byte(ownSecret)},
		{"a file with PEM", "", "EdDSA", "", token.SigningKeyFile([]byte(pkcs8(t, ed).Reveal())), ed.Public()},
	} {
		key, algorithm, err := c.given.For(c.asked)
		if err != nil || algorithm != c.algorithm || key.ID != c.kid {
			t.Errorf("%s: %q, %s, %v", c.why, key.ID, algorithm, err)
			continue
		}
		x, err := token.Compile(token.Template{Name: "t", Claims: json.RawMessage(`{"a":1}`), Algorithm: algorithm, Key: key})
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		jwt, err := x.Sign(map[string]any{"sub": "ann"})
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if claims, kid := opened(t, jwt, c.algorithm, c.verify); claims["sub"] != "ann" || kid != c.kid {
			t.Errorf("%s: %v, kid %q", c.why, claims, kid)
		}
	}
}

func mustBase64(s string) []byte {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return raw
}

func TestAWeakOrWrongSigningKeyIsRefused(t *testing.T) {
	p224, p256, other := ec(t, elliptic.P224()), ec(t, elliptic.P256()), ec(t, elliptic.P256())
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(p256.Public())
	if err != nil {
		t.Fatal(err)
	}
	crossed := *p256
	crossed.PublicKey = other.PublicKey
	text := secret.NewString
	for _, c := range []struct {
		why, asked string
		given      token.SigningKey
		field      string
		says       string
	}{
		{"nothing", "HS256", token.SigningKey{}, "signing_key", "empty"},
		{"an empty file", "", token.SigningKeyFile([]byte("\n")), "signing_key", "empty"},
		{"two at once", "", token.SigningKey{Secret: text(ownSecret), PEM: text("x")}, "signing_key", "one of"},
		{"31 bytes", "HS256", token.SigningKey{Secret: text(ownSecret[:31])}, "signing_key", "at least 32 bytes, this one has 31"},
		{"31 bytes in base64", "HS256", token.SigningKey{SecretBase64: text(base64.StdEncoding.EncodeToString([]byte(ownSecret[:31])))}, "signing_key", "has 31"},
		{"32 bytes for HS384", "HS384", token.SigningKey{Secret: text(ownSecret)}, "signing_key", "at least 48"},
		{"48 bytes for HS512", "HS512", token.SigningKey{Secret: text(ownSecret + ownSecret[:16])}, "signing_key", "at least 64"},
		{"one character", "HS256", token.SigningKey{Secret: text(strings.Repeat("a", 40))}, "signing_key", "guessed"},
		{"no base64", "HS256", token.SigningKey{SecretBase64: text("!!!!")}, "signing_key", "not base64"},
		{"a public key as a secret", "HS256", token.SigningKey{Secret: block("PUBLIC KEY", spki)}, "signing_key", "PEM"},
		{"a public key as a secret in base64", "HS256", token.SigningKey{SecretBase64: text(base64.StdEncoding.EncodeToString([]byte(block("PUBLIC KEY", spki).Reveal())))}, "signing_key", "PEM"},
		{"a public key", "ES256", token.SigningKey{PEM: block("PUBLIC KEY", spki)}, "signing_key", "public key"},
		{"a certificate", "ES256", token.SigningKey{PEM: block("CERTIFICATE", []byte{1})}, "signing_key", "public key"},
		{"a public JWK", "ES256", token.SigningKey{JWK: jwk(t, jose.JSONWebKey{Key: p256.Public()})}, "signing_key", "public key"},
		{"an encrypted key", "", token.SigningKey{PEM: block("ENCRYPTED PRIVATE KEY", []byte{1})}, "signing_key", "openssl pkey"},
		{"encrypted in the old way", "", token.SigningKey{PEM: text("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")}, "signing_key", "encrypted"},
		{"damaged", "", token.SigningKey{PEM: block("PRIVATE KEY", []byte{48, 1})}, "signing_key", "cannot be read"},
		{"no PEM", "", token.SigningKey{PEM: text("hello")}, "signing_key", "not PEM"},
		{"two keys", "", token.SigningKey{PEM: text(pkcs8(t, p256).Reveal() + pkcs8(t, other).Reveal())}, "signing_key", "more than one"},
		{"of ssh", "", token.SigningKey{PEM: block("OPENSSH PRIVATE KEY", []byte{1})}, "signing_key", "openssh"},
		{"1024 bits", "RS256", token.SigningKey{PEM: pkcs8(t, small)}, "signing_key", "this one has 1024"},
		{"P-224", "", token.SigningKey{PEM: pkcs8(t, p224)}, "signing_key", "none of the kinds"},
		{"another algorithm", "ES384", token.SigningKey{PEM: pkcs8(t, p256)}, "algorithm", "signs with ES256, not with ES384"},
		{"a private key for HMAC", "HS256", token.SigningKey{PEM: pkcs8(t, p256)}, "algorithm", "not with HS256"},
		{"a secret for RSA", "RS256", token.SigningKey{Secret: text(ownSecret)}, "signing_key", "needs a private key"},
		{"no algorithm", "none", token.SigningKey{Secret: text(ownSecret)}, "algorithm", "one of"},
		{"a JWK to encrypt to", "", token.SigningKey{JWK: jwk(t, jose.JSONWebKey{Key: p256, Use: "enc"})}, "signing_key", "use enc"},
		{"a JWK of two keys", "", token.SigningKey{JWK: jwk(t, jose.JSONWebKey{Key: &crossed})}, "signing_key", "different keys"},
		{"a set", "", token.SigningKey{JWK: text(`{"keys":[]}`)}, "signing_key", "one of them"},
		{"no JWK", "", token.SigningKey{JWK: text(`{"a":1}`)}, "signing_key", "cannot be read"},
		{"no JSON", "", token.SigningKey{JWK: text(`{`)}, "signing_key", "not a JWK"},
		{"an empty secret as JWK", "", token.SigningKey{JWK: text(`{"kty":"oct","k":""}`)}, "signing_key", ""},
		{"very long", "", token.SigningKey{Secret: text(strings.Repeat(ownSecret, 400))}, "signing_key", "at most 10 KB"},
		{"a kid that breaks headers", "", token.SigningKey{ID: "a\nb", Secret: text(ownSecret)}, "signing_key", "kid"},
	} {
		_, _, err := c.given.For(c.asked)
		var p *problem.Error
		if !errors.As(err, &p) || p.Kind != problem.Invalid || p.Field != c.field || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %v, %+v; want problem.Invalid on %s that says %q", c.why, err, p, c.field, c.says)
		}
		if p != nil && strings.Contains(p.Detail, ownSecret) {
			t.Errorf("%s: the secret is told: %s", c.why, p.Detail)
		}
	}
}

func TestOnlyAGoodKeyIsCompiled(t *testing.T) {
	for why, x := range map[string]token.Template{
		"a short secret":            {Algorithm: "HS256", Key: token.CustomKey{Material: secret.NewString(ownSecret[:31])}},
		"the issuer's key for HMAC": {Algorithm: "HS256"},
		"another algorithm":         {Algorithm: "ES256", Key: ownKey()},
		"nonsense":                  {Algorithm: "none"},
	} {
		x.Name, x.Claims = "t", json.RawMessage(`{}`)
		if c, err := token.Compile(x); !problem.Is(err, problem.Invalid) {
			t.Errorf("%s: %v, %v; want problem.Invalid", why, c, err)
		}
	}
	c, err := token.Compile(token.Template{Name: "t", Claims: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	if jwt, err := c.Sign(map[string]any{}); err == nil {
		t.Errorf("signed %s with no key", jwt)
	}
}

func TestAKeyIsNeverShown(t *testing.T) {
	x := token.Template{Name: "t", Claims: json.RawMessage(`{}`), Algorithm: "HS256", Key: ownKey()}
	x.Key.ID = "k1"
	c, err := token.Compile(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{x, c} {
		out, err := json.Marshal(v)
		if err != nil || strings.Contains(string(out), ownSecret) || !strings.Contains(string(out), `"kid":"k1"`) {
			t.Errorf("%s, %v", out, err)
		}
	}
}
