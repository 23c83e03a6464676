package partykeys_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider/partykeys"
)

func TestEveryPairOfEncryptionAlgorithmsOpensForTheOwnerAlone(t *testing.T) {
	owner := partykeys.Owner{
		ID: "c", Secrets: []secret.String{secret.NewString(longSecret)},
		JWKS: set(t, public("rsa", "r"), public("P-256", "e")),
	}
	// What OIDC Core §10.2 says a key made of a secret is, written down once more.
	short, middle, long := sha256.Sum256([]byte(longSecret)), sha512.Sum384([]byte(longSecret)), sha512.Sum512([]byte(longSecret))
	direct := map[string][]byte{
		"A128GCM": short[:16], "A192GCM": short[:24], "A256GCM": short[:],
		"A128CBC-HS256": short[:], "A192CBC-HS384": middle[:], "A256CBC-HS512": long[:],
	}
	for _, jwe := range partykeys.KeyAlgorithms {
		for _, enc := range partykeys.ContentAlgorithms {
			raw, err := keys(t).Encrypt(t.Context(), owner, jwe, enc, "JWT", []byte("for you"))
			if err != nil {
				t.Errorf("%s %s: %v", jwe, enc, err)
				continue
			}
			var key any
			switch {
			case strings.HasPrefix(jwe, "RSA"):
				key = made()["rsa"]
			case strings.HasPrefix(jwe, "ECDH"):
				key = made()["P-256"]
			case jwe == "dir":
				key = direct[enc]
			case strings.HasPrefix(jwe, "A128"):
				key = short[:16]
			case strings.HasPrefix(jwe, "A192"):
				key = short[:24]
			default:
				key = short[:]
			}
			sealed, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.KeyAlgorithm(jwe)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
			if err != nil {
				t.Errorf("%s %s: %v", jwe, enc, err)
				continue
			}
			plain, err := sealed.Decrypt(key)
			if err != nil || string(plain) != "for you" || sealed.Header.ExtraHeaders["cty"] != "JWT" {
				t.Errorf("%s %s: %q, %v, %v", jwe, enc, plain, sealed.Header.ExtraHeaders, err)
			}
		}
	}
}

func TestEncryptionTakesTheKeyThatIsForIt(t *testing.T) {
	signing, sealing, other := public("rsa", "signing"), public("rsa", "sealing"), public("rsa", "other")
	signing.Use, sealing.Use = "sig", "enc"
	for _, c := range []struct {
		why  string
		keys []jose.JSONWebKey
		want string
	}{
		{"the one for encryption goes first", []jose.JSONWebKey{signing, other, sealing}, "sealing"},
		{"one that says nothing will do", []jose.JSONWebKey{signing, other}, "other"},
		{"one for signing will not", []jose.JSONWebKey{signing}, ""},
		{"one of another kind will not", []jose.JSONWebKey{public("P-256", "ec")}, ""},
	} {
		raw, err := keys(t).Encrypt(t.Context(), partykeys.Owner{ID: "c", JWKS: set(t, c.keys...)}, "RSA-OAEP", "A128GCM", "", []byte("x"))
		if c.want == "" {
			if !problem.HasCode(err, "key_missing") {
				t.Errorf("%s: %v", c.why, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		sealed, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.RSA_OAEP}, []jose.ContentEncryption{jose.A128GCM})
		if err != nil || sealed.Header.KeyID != c.want {
			t.Errorf("%s: kid %q, %v", c.why, sealed.Header.KeyID, err)
		}
	}
}

func TestNobodyIsEncryptedToWithWeakOrUnknownAlgorithms(t *testing.T) {
	owner := partykeys.Owner{ID: "c", JWKS: set(t, public("rsa", "r")), Secrets: []secret.String{secret.NewString(longSecret)}}
	for _, pair := range [][2]string{{"RSA1_5", "A128GCM"}, {"PBES2-HS256+A128KW", "A128GCM"}, {"RSA-OAEP", "A1GCM"}, {"", ""}} {
		if raw, err := keys(t).Encrypt(t.Context(), owner, pair[0], pair[1], "", nil); err == nil {
			t.Errorf("%v made %s", pair, raw)
		}
	}
	if _, err := keys(t).Encrypt(t.Context(), partykeys.Owner{ID: "c"}, "dir", "A128GCM", "", nil); !problem.HasCode(err, "key_missing") {
		t.Errorf("without a secret: %v", err)
	}
}

func TestCheckSaysWhichKeySetsMayBeRegistered(t *testing.T) {
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: made()["P-256"]}}})
	if err != nil {
		t.Fatal(err)
	}
	weak := `{"keys":[{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("zzzz", 42) + `zz8"}]}`
	good := string(set(t, public("rsa", "a"), public("P-256", "b"), public("P-384", "c"), public("P-521", "d"), public("ed", "e")))
	one, err := json.Marshal(public("ed", "e"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why, set, says string // says "" for fine
	}{
		{"one of each kind", good, ""},
		{"a kind nobody here knows beside a good one", `{"keys":[{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"},` + string(one) + `]}`, ""},
		{"a private key", string(private), "private member d"},
		{"a symmetric key", `{"keys":[{"kty":"oct","k":"AAAA"}]}`, "private member k"},
		{"an RSA key of 1024 bits", weak, "2048"},
		{"another curve", `{"keys":[{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}]}`, "curve"},
		{"a point off the curve", `{"keys":[{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}]}`, "not a valid key"},
		{"no key", `{"keys":[]}`, "no key"},
		{"only unknown kinds", `{"keys":[{"kty":"AKP"}]}`, "no key"},
		{"no kty", `{"keys":[{"crv":"P-256"}]}`, "no kty"},
		{"not a set", `{"kty":"RSA"}`, `"keys"`},
		{"keys twice", `{"keys":[],"keys":[]}`, "once"},
		{"not JSON", `keys`, "once"},
		{"too much", `{"keys":[],"x":"` + strings.Repeat("x", partykeys.MaxSet) + `"}`, "64 KiB"},
	} {
		err := partykeys.Check([]byte(c.set))
		var p *problem.Error
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", c.why, err)
		case c.says == "":
		case !errors.As(err, &p) || p.Kind != problem.Invalid || p.Code != "jwks_invalid" || !strings.Contains(p.Detail, c.says):
			t.Errorf("%s: %s", c.why, fmt.Sprintf("%+v", p))
		}
	}
}

func TestWhatIsSignedWithASecretVerifiesWithItAndShortOnesSignNothing(t *testing.T) {
	owner := partykeys.Owner{ID: "c", Secrets: []secret.String{secret.NewString(longSecret), secret.NewString("an older one")}}
	short := partykeys.Owner{ID: "c", Secrets: []secret.String{secret.NewString(longSecret[:31])}}
	for _, algorithm := range partykeys.HMACAlgorithms {
		raw, err := keys(t).Sign(owner, algorithm, "JWT", []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := keys(t).Verify(t.Context(), owner, raw, []string{algorithm}); err != nil || got.Type != "JWT" || string(got.Claims) != `{"a":1}` {
			t.Errorf("%s: %+v, %v", algorithm, got, err)
		}
		for why, o := range map[string]partykeys.Owner{"too short": short, "empty": {Secrets: []secret.String{{}}}, "none": {}} {
			if raw, err := keys(t).Sign(o, algorithm, "JWT", []byte(`{}`)); !problem.HasCode(err, "key_missing") {
				t.Errorf("%s, a secret that is %s: %s, %v", algorithm, why, raw, err)
			}
		}
	}
	if _, err := keys(t).Sign(owner, "none", "JWT", nil); err == nil {
		t.Error("signed with none")
	}
}
