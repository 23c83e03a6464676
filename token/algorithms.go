package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// The algorithms that others are chosen from by default, to sign and to encrypt to us.
const (
	RS256 = "RS256" // what every relying party can check (OIDC Core §15.1)
	ES256 = "ES256" // thirty times cheaper to make

	RSAOAEP256 = "RSA-OAEP-256"
	ECDHES     = "ECDH-ES"
)

// SigningAlgorithms are those we can sign with (RFC 7518 §3.1, RFC 8037).
var SigningAlgorithms = []string{
	RS256, "RS384", "RS512", "PS256", "PS384", "PS512", ES256, "ES384", "ES512", "EdDSA",
}

// KeyAlgorithms and ContentAlgorithms are what may be encrypted to us with (RFC 7518 §4.1, §5.1).
var (
	KeyAlgorithms     = []string{"RSA-OAEP", RSAOAEP256, ECDHES, "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"}
	ContentAlgorithms = []string{"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"}
)

// The same for go-jose.
var (
	verifiable = named[jose.SignatureAlgorithm](SigningAlgorithms)
	agreeable  = named[jose.KeyAlgorithm](KeyAlgorithms)
	readable   = named[jose.ContentEncryption](ContentAlgorithms)
)

func named[A ~string](names []string) []A {
	list := make([]A, len(names))
	for i, n := range names {
		list[i] = A(n)
	}
	return list
}

// standing are the slots every instance has.
var standing = []slot{{OIDC, RS256}, {OIDC, ES256}, {Session, ES256}, {Encryption, RSAOAEP256}, {Encryption, ECDHES}}

const rsaBits = 2048

// NewPrivate makes a private key for one of SigningAlgorithms, RSAOAEP256 or ECDHES. An RSA
// key takes some 100 ms.
func NewPrivate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case ES256, ECDHES:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	if strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS") {
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return nil, fmt.Errorf("algorithm %s is not one we have keys for", algorithm)
}
