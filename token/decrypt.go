package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/problem"
)

const maxJWE = 32 << 10 // characters of a JWE we are willing to look at

// ErrUnreadable says that a JWE is not one that our keys open.
var ErrUnreadable = problem.New(problem.Invalid, "jwe_unreadable", "That is not encrypted to a key of this service.")

// Decrypt opens raw, a compact JWE (RFC 7516), with one of our encryption keys: the one its
// kid names, or without a kid whichever fits. Keys that stopped being published still open
// what was on its way. What is compressed is refused, since a little of it can mean a lot.
// Anything that does not open is ErrUnreadable.
func (k *KeySet) Decrypt(_ context.Context, raw string) ([]byte, error) {
	if len(raw) > maxJWE {
		return nil, ErrUnreadable
	}
	parsed, err := jose.ParseEncryptedCompact(raw, agreeable, readable)
	if err != nil {
		return nil, ErrUnreadable.Because(err)
	}
	for _, name := range []jose.HeaderKey{"zip", "crit"} {
		if _, has := parsed.Header.ExtraHeaders[name]; has {
			return nil, ErrUnreadable.Because(errors.New("header " + string(name)))
		}
	}
	for _, key := range k.loaded().keys {
		if key.Purpose != Encryption || parsed.Header.KeyID != "" && parsed.Header.KeyID != key.ID || !key.opens(parsed.Header.Algorithm) {
			continue
		}
		if plain, err := parsed.Decrypt(key.Private); err == nil {
			return plain, nil
		}
	}
	return nil, ErrUnreadable
}

// opens reports whether the key is of the kind that algorithm needs.
func (key Key) opens(algorithm string) bool {
	switch key.Private.(type) {
	case *rsa.PrivateKey:
		return strings.HasPrefix(algorithm, "RSA-OAEP")
	case *ecdsa.PrivateKey:
		return strings.HasPrefix(algorithm, ECDHES)
	}
	return false
}
