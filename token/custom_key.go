package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/secret"
)

// CustomKey is a template's own key, in place of the issuer's: a shared secret for HMAC, or a
// private key. It signs what the template makes and verifies nothing here; it is never
// published, and never shown again.
type CustomKey struct {
	ID       string        `json:"kid,omitempty"`   // kid of the tokens; "" leaves it out
	Material secret.String `json:"-"`               // HMAC: the secret; otherwise PKCS #8 in PEM. Storage keeps it sealed.
	SetAt    time.Time     `json:"set_at,omitzero"` // when it was given
}

// None reports that the issuer's key signs.
func (k CustomKey) None() bool { return k.Material.Empty() }

// hmacs are the algorithms of shared secrets, and the bytes each demands (RFC 7518 §3.2).
var hmacs = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}

// custom are the algorithms that go with a key of its own.
var custom = append([]string{"HS256", "HS384", "HS512"}, SigningAlgorithms...)

const (
	leastRSA = 2048 // bits
	mostRSA  = 8192
	pkcs8    = "PRIVATE KEY" // what a PEM block of PKCS #8 is called
)

// private returns the private key, nil for a shared secret.
func (k CustomKey) private() (crypto.Signer, error) {
	block, rest := pem.Decode([]byte(k.Material.Reveal()))
	if block == nil {
		return nil, nil //nolint:nilnil // a secret is no key and no fault
	}
	if block.Type != pkcs8 || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, fmt.Errorf("a signing key is kept as one block of PKCS #8")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T does not sign", parsed)
	}
	return signer, nil
}

// algorithm is what the key is for if nobody says.
func (k CustomKey) algorithm() string {
	private, err := k.private()
	switch {
	case err != nil:
		return ""
	case private == nil:
		return "HS256"
	}
	if fits := fitting(private); len(fits) > 0 {
		return fits[0]
	}
	return ""
}

// fitting returns the algorithms a private key can sign with (RFC 7518 §3.1), nothing if we
// take none of its kind.
func fitting(private crypto.Signer) []string {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		return []string{RS256, "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PrivateKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return []string{ES256}
		case 384:
			return []string{"ES384"}
		case 521:
			return []string{"ES512"}
		}
	case ed25519.PrivateKey:
		return []string{"EdDSA"}
	}
	return nil
}

// fit judges the key for an algorithm: problem.Invalid on "signing_key" or "algorithm".
func (k CustomKey) fit(algorithm string) error {
	private, err := k.private()
	if err != nil {
		return unusable("This is not a private key.")
	}
	if algorithm != "" && !slices.Contains(custom, algorithm) {
		return wrong("algorithm", "algorithm_unsupported", "With a key of its own a template signs with one of "+strings.Join(custom, ", ")+".")
	}
	if private == nil {
		least := hmacs[algorithm]
		switch {
		case least == 0:
			return unusable(algorithm + " needs a private key, and this is a shared secret. Give the key as PEM or JWK, or choose HS256.")
		case len(k.Material.Reveal()) < least:
			return unusable(fmt.Sprintf("A secret for %s has at least %d bytes, this one has %d. Make one: openssl rand -hex %d", algorithm, least, len(k.Material.Reveal()), least))
		case distinct(k.Material.Reveal()) < 8:
			return unusable(fmt.Sprintf("This secret repeats a few characters and can be guessed. Make one: openssl rand -hex %d", least))
		}
		return nil
	}
	if r, ok := private.(*rsa.PrivateKey); ok && (r.N.BitLen() < leastRSA || r.N.BitLen() > mostRSA) {
		return unusable(fmt.Sprintf("An RSA key has %d to %d bits, this one has %d. Make one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048", leastRSA, mostRSA, r.N.BitLen()))
	}
	fits := fitting(private)
	if len(fits) == 0 {
		return unusable("The key is of none of the kinds RSA, EC on P-256, P-384 or P-521, Ed25519.")
	}
	if !slices.Contains(fits, algorithm) {
		return wrong("algorithm", "signing_key_mismatch", fmt.Sprintf("This key signs with %s, not with %s.", strings.Join(fits, ", "), algorithm))
	}
	return nil
}

func distinct(s string) int {
	seen := map[byte]bool{}
	for i := range len(s) {
		seen[s[i]] = true
	}
	return len(seen)
}

// signer prepares the key to sign for good: it costs more than a signature.
func (k CustomKey) signer(algorithm string) (jose.Signer, error) {
	if err := k.fit(algorithm); err != nil {
		return nil, err
	}
	private, err := k.private()
	if err != nil {
		return nil, err
	}
	key := any([]byte(k.Material.Reveal()))
	if private != nil {
		key = private
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if k.ID != "" {
		options = options.WithHeader("kid", k.ID)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: key}, options)
	if err != nil {
		return nil, unusable("This key cannot sign.")
	}
	return s, nil
}

func unusable(says string) error { return wrong("signing_key", "signing_key_invalid", says) }
