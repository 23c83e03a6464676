package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/problem"
	"idp/token"
)

// sealTo returns the published keys that others may encrypt to, by kind.
func (k ring) sealTo() map[string]jose.JSONWebKey {
	k.t.Helper()
	text, _ := k.JWKS()
	var set jose.JSONWebKeySet
	must(k.t, json.Unmarshal(text, &set))
	keys := map[string]jose.JSONWebKey{}
	for _, key := range set.Keys {
		if key.Use != "enc" {
			continue
		}
		kind := "RSA"
		if _, ec := key.Key.(*ecdsa.PublicKey); ec {
			kind = "ECDH"
		}
		keys[kind] = key
	}
	return keys
}

func seal(t *testing.T, key any, kid, alg, enc string, options *jose.EncrypterOptions) string {
	t.Helper()
	by, err := jose.NewEncrypter(jose.ContentEncryption(enc), jose.Recipient{Algorithm: jose.KeyAlgorithm(alg), Key: key, KeyID: kid}, options)
	must(t, err)
	sealed, err := by.Encrypt([]byte("for the server"))
	must(t, err)
	raw, err := sealed.CompactSerialize()
	must(t, err)
	return raw
}

func TestWhatIsEncryptedToUsIsReadWithEveryAlgorithm(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		keys := k.sealTo()
		for _, alg := range token.KeyAlgorithms {
			for _, enc := range token.ContentAlgorithms {
				key := keys[strings.SplitN(strings.TrimSuffix(alg, "-ES"), "-", 2)[0]]
				for _, kid := range []string{key.KeyID, ""} {
					plain, err := k.Decrypt(t.Context(), seal(t, key.Key, kid, alg, enc, nil))
					if err != nil || string(plain) != "for the server" {
						t.Errorf("%s %s kid %q: %q %v", alg, enc, kid, plain, err)
					}
				}
			}
		}
	})
}

func TestAfterARotationOldAndNewEncryptionKeysOpen(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		ctx := t.Context()
		old := k.sealTo()["RSA"]
		raw := seal(t, old.Key, old.KeyID, "RSA-OAEP-256", "A256GCM", nil)
		must(t, k.Rotate(ctx, token.Encryption, true, "operator:cli"))
		fresh := k.sealTo()["RSA"]
		if fresh.KeyID == old.KeyID || k.published()[old.KeyID] {
			t.Fatal("others are still told to use the old key")
		}
		if _, err := k.Decrypt(ctx, raw); err != nil {
			t.Fatalf("what was on its way is lost: %v", err)
		}
		if _, err := k.Decrypt(ctx, seal(t, fresh.Key, fresh.KeyID, "RSA-OAEP-256", "A256GCM", nil)); err != nil {
			t.Fatal(err)
		}
		k.clock.Add(26 * time.Hour)
		must(t, k.Advance(ctx))
		if _, err := k.Decrypt(ctx, raw); !problem.HasCode(err, "jwe_unreadable") {
			t.Fatalf("a day later: %v", err)
		}
	})
}

func TestBombsAndForeignEncryptionAreRefusedQuickly(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		keys := k.sealTo()
		stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		var signing any
		for _, key := range k.Keys() {
			if key.Purpose == token.OIDC && key.Algorithm == "RS256" {
				signing = key.Private.Public()
			}
		}
		good := seal(t, keys["ECDH"].Key, keys["ECDH"].KeyID, "ECDH-ES", "A256GCM", nil)
		b64 := base64.RawURLEncoding.EncodeToString
		head := func(json string) string { return b64([]byte(json)) + good[strings.IndexByte(good, '.'):] }
		for why, raw := range map[string]string{
			"compressed":            seal(t, keys["RSA"].Key, keys["RSA"].KeyID, "RSA-OAEP-256", "A256GCM", &jose.EncrypterOptions{Compression: jose.DEFLATE}),
			"a stranger's key":      seal(t, stranger.Public(), keys["ECDH"].KeyID, "ECDH-ES", "A256GCM", nil),
			"a signing key":         seal(t, signing, "", "RSA-OAEP-256", "A256GCM", nil),
			"RSA1_5":                seal(t, keys["RSA"].Key, keys["RSA"].KeyID, "RSA1_5", "A256GCM", nil),
			"many password rounds":  head(`{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2147483647,"p2s":"AAAAAAAAAAAAAAAA"}`),
			"a secret key":          head(`{"alg":"dir","enc":"A256GCM"}`),
			"no key inside":         head(`{"alg":"ECDH-ES+A256KW","enc":"A256GCM","kid":"` + keys["ECDH"].KeyID + `"}`),
			"an empty wrapped key":  head(`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`),
			"a point off the curve": head(`{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}}`),
			"a member twice":        head(`{"alg":"ECDH-ES","alg":"ECDH-ES","enc":"A256GCM"}`),
			"critical":              head(`{"alg":"ECDH-ES","enc":"A256GCM","crit":["x"],"x":1}`),
			"dots":                  strings.Repeat(".", 100_000), "four dots": "....", "empty": "",
			"changed":   good[:len(good)-3] + "AAA",
			"too long":  good + strings.Repeat("A", 32<<10),
			"not a JWE": k.sign(token.OIDC, "RS256"),
		} {
			start := time.Now()
			if plain, err := k.Decrypt(t.Context(), raw); !problem.HasCode(err, "jwe_unreadable") {
				t.Errorf("%s: %q %v", why, plain, err)
			}
			if took := time.Since(start); took > 10*time.Second { // however busy the machine is; what this could cost is minutes
				t.Errorf("%s: took %s", why, took)
			}
		}
	})
}

func TestEncryptionKeysNeitherSignNorVerify(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		if raw, err := k.Sign(t.Context(), token.Encryption, "RSA-OAEP-256", "JWT", 1); err == nil {
			t.Fatal(raw)
		}
		if _, err := k.Verify(t.Context(), token.Encryption, k.sign(token.OIDC, "RS256")); !problem.Is(err, problem.Unauthenticated) {
			t.Fatal(err)
		}
	})
}
