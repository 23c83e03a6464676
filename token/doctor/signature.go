package doctor

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// header is the JOSE header of a token.
type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid"`
}

var errForm = errors.New("not a JWT")

// open reads header and claims, unverified.
func (x *exam) open(jwt string) error {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return errForm
	}
	var payload []byte
	for i, into := range []func([]byte) error{
		func(b []byte) error { return json.Unmarshal(b, &x.header) },
		func(b []byte) error {
			payload = b
			d := json.NewDecoder(bytes.NewReader(b))
			d.UseNumber()
			return d.Decode(&x.claims)
		},
	} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return err
		}
		if err := into(raw); err != nil {
			return err
		}
	}
	x.report.Claims = payload
	return nil
}

// form checks the header against what the target takes.
func (x *exam) form() {
	if slices.Contains(x.algorithms, x.header.Algorithm) {
		x.fine("alg", x.header.Algorithm+", which "+x.title+" takes.")
	} else {
		x.fail("alg", fmt.Sprintf("%s does not take %s, but %s.", x.title, x.header.Algorithm, strings.Join(x.algorithms, ", ")),
			"Set the template's algorithm to "+x.algorithms[0]+x.keyHint())
	}
	if x.header.Type == "JWT" {
		x.fine("typ", "JWT.")
	} else {
		x.fail("typ", fmt.Sprintf("typ is %q.", x.header.Type), "This is a fault of idp: please report it.")
	}
	if own := !x.template.Key.None(); own != x.own {
		if x.own {
			x.fail("key", x.title+" verifies by a key it shares with you, and the issuer's key signed.", "Give the template that key: idp template update --file TEMPLATE --signing-key-file KEY")
		} else {
			x.fail("key", x.title+" verifies by the issuer's public keys, and the template's own key signed.", "Take the signing key out of the template.")
		}
	}
}

func (x *exam) keyHint() string {
	if x.own {
		return ", with a signing key to go with it."
	}
	return ", without a signing key of its own."
}

// signature verifies the token with what the target has.
func (x *exam) signature(jwt string) {
	parsed, err := jose.ParseSignedCompact(jwt, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(x.header.Algorithm)})
	if err != nil {
		x.fail("signature", "The token cannot be read.", "This is a fault of idp: please report it.")
		return
	}
	if x.template.Key.None() != !x.own {
		return // said already
	}
	key, where := x.verifier()
	if key == nil {
		return
	}
	if _, err := parsed.Verify(key); err != nil {
		x.fail("signature", "The signature does not verify with "+where+".", "If keys were just rotated, wait until the issuer's answer in caches is renewed: ten minutes.")
		return
	}
	x.fine("signature", "It verifies with "+where+".")
}

// verifier is the key that the target would take, and where that comes from.
func (x *exam) verifier() (key any, where string) {
	if x.own {
		material := []byte(x.template.Key.Material.Reveal())
		block, _ := pem.Decode(material)
		if block == nil {
			return material, "the shared secret"
		}
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if s, ok := private.(crypto.Signer); ok && err == nil {
			return s.Public(), "the public part of the template's key"
		}
		x.fail("signature", "The template's key cannot be read.", "Give the template its signing key again.")
		return nil, ""
	}
	if x.keys.set == nil {
		return nil, "" // not to be had: said already
	}
	if x.header.KeyID == "" {
		x.fail("kid", "The token names no key.", "Take the signing key out of the template.")
		return nil, ""
	}
	for _, k := range x.keys.set.Keys {
		if k.KeyID != x.header.KeyID {
			continue
		}
		if k.Algorithm != "" && k.Algorithm != x.header.Algorithm {
			x.fail("kid", fmt.Sprintf("The key is published for %s, and the token is signed with %s.", k.Algorithm, x.header.Algorithm), "This is a fault of idp: please report it.")
			return nil, ""
		}
		x.fine("kid", "The key "+k.KeyID+" is published.")
		return k.Key, "the published key of that kid"
	}
	x.fail("kid", "The key "+x.header.KeyID+" is not among the published ones.", "Is this the same instance, with the same database, as the one that answers at "+x.issuer+"? If keys were just rotated, wait ten minutes.")
	return nil, ""
}
