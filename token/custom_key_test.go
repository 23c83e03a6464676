package token_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"testing"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/token"
)

// A template's own key signs tokens that look like ours in every claim. None of them is ever
// believed here, whatever it calls its key and whatever its secret is.
func TestWhatATemplatesOwnKeySignedIsNeverOurs(t *testing.T) {
	each(t, func(t *testing.T, k ring) {
		jwks, _ := k.JWKS()
		for _, issued := range k.Keys() {
			der, err := x509.MarshalPKIXPublicKey(issued.Private.Public())
			must(t, err)
			public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
			for why, material := range map[string]secret.String{
				"a secret":                       secret.NewString(ownSecret),
				"the bytes of our public key":    secret.NewString(string(der)),
				"our key set as it is published": secret.NewString(string(jwks)),
				"a private key of theirs":        pkcs8(t, rsaOnce()),
			} {
				c, err := token.Compile(token.Template{
					Name: "t", Claims: json.RawMessage(`{"iss":"https://id.example.com","sub":"user_eve"}`),
					Key: token.CustomKey{ID: issued.ID, Material: material},
				})
				must(t, err)
				jwt, err := c.Sign(map[string]any{"iss": "https://id.example.com", "sub": "user_eve", "exp": 4102444800})
				must(t, err)
				for _, p := range []token.Purpose{token.OIDC, token.Session, token.Encryption} {
					if v, err := k.Verify(t.Context(), p, jwt); err == nil {
						t.Fatalf("%s with the kid of a key for %s passes as %s: %s", why, issued.Purpose, p, v.Claims)
					}
				}
			}
			if _, err := token.Compile(token.Template{Name: "t", Claims: json.RawMessage(`{}`), Algorithm: "HS256", Key: token.CustomKey{Material: secret.NewString(public)}}); !problem.Is(err, problem.Invalid) {
				t.Errorf("our public key in PEM is taken for a secret: %v", err)
			}
			if err := k.Foreign(token.CustomKey{ID: issued.ID, Material: secret.NewString(ownSecret)}); !problem.Is(err, problem.Invalid) {
				t.Errorf("the kid of a key for %s is taken: %v", issued.Purpose, err)
			}
		}
		for _, issued := range k.Keys() {
			for kid := range map[string]bool{"": true, "theirs": true} {
				der, err := x509.MarshalPKCS8PrivateKey(issued.Private)
				must(t, err)
				own := token.CustomKey{ID: kid, Material: secret.NewString(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))}
				if err := k.Foreign(own); !problem.Is(err, problem.Invalid) {
					t.Errorf("our key for %s under the kid %q is taken: %v", issued.Purpose, kid, err)
				}
				public, err := x509.MarshalPKIXPublicKey(issued.Private.Public())
				must(t, err)
				if err := k.Foreign(token.CustomKey{ID: kid, Material: secret.NewString(string(public))}); !problem.Is(err, problem.Invalid) {
					t.Errorf("our public key for %s is a secret under the kid %q: %v", issued.Purpose, kid, err)
				}
			}
		}
		must(t, k.Foreign(token.CustomKey{ID: "theirs", Material: pkcs8(t, rsaOnce())}))
		must(t, k.Foreign(token.CustomKey{Material: secret.NewString(ownSecret)}))
		must(t, k.Foreign(token.CustomKey{}))
	})
}
