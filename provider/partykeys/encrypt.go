package partykeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// contentKeys are the key sizes of the content algorithms, in bytes.
var contentKeys = map[string]int{
	"A128CBC-HS256": 32, "A192CBC-HS384": 48, "A256CBC-HS512": 64, "A128GCM": 16, "A192GCM": 24, "A256GCM": 32,
}

// Encrypt makes a compact JWE (RFC 7516) that only the owner can read: with one of its
// public keys, or with a key derived from its newest secret. Cty is the header of that
// name, "JWT" for a nested JWT. Without a key that fits it is ErrNoKey.
func (k *Keys) Encrypt(ctx context.Context, o Owner, jwe, enc, cty string, plain []byte) (string, error) {
	if !slices.Contains(KeyAlgorithms, jwe) || contentKeys[enc] == 0 {
		return "", fmt.Errorf("encrypt with %s and %s: not supported", jwe, enc)
	}
	to := jose.Recipient{Algorithm: jose.KeyAlgorithm(jwe)}
	if size := secretKeySize(jwe, enc); size > 0 {
		if len(o.Secrets) == 0 || o.Secrets[0].Empty() {
			return "", ErrNoKey
		}
		to.Key = SecretKey(o.Secrets[0].Reveal(), size)
	} else {
		key, err := k.encryptionKey(ctx, o, jwe)
		if err != nil {
			return "", err
		}
		to.Key, to.KeyID = key.Key, key.KeyID
	}
	options := &jose.EncrypterOptions{}
	if cty != "" {
		options = options.WithContentType(jose.ContentType(cty)).WithType("JWT")
	}
	by, err := jose.NewEncrypter(jose.ContentEncryption(enc), to, options)
	if err != nil {
		return "", fmt.Errorf("encrypt to %s: %w", o.ID, err)
	}
	sealed, err := by.Encrypt(plain)
	if err != nil {
		return "", fmt.Errorf("encrypt to %s: %w", o.ID, err)
	}
	return sealed.CompactSerialize()
}

// Sign makes a compact JWS with the owner's newest secret: HS256, HS384 or HS512. Typ is the
// header of that name. Without a secret of at least the length of the hash (RFC 7518 §3.2)
// it is ErrNoKey.
func (k *Keys) Sign(o Owner, algorithm, typ string, payload []byte) (string, error) {
	if !slices.Contains(HMACAlgorithms, algorithm) {
		return "", fmt.Errorf("sign with a secret by %s: not supported", algorithm)
	}
	if len(o.Secrets) == 0 || o.Secrets[0].Empty() {
		return "", ErrNoKey
	}
	key := jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: []byte(o.Secrets[0].Reveal())}
	by, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", fmt.Errorf("sign for %s: %w", o.ID, err)
	}
	signed, err := by.Sign(payload)
	if errors.Is(err, jose.ErrInvalidKeySize) {
		return "", ErrNoKey.Because(err)
	}
	if err != nil {
		return "", fmt.Errorf("sign for %s: %w", o.ID, err)
	}
	return signed.CompactSerialize()
}

// secretKeySize returns how many bytes of the secret's hash are the key, 0 where the key
// is a public one.
func secretKeySize(jwe, enc string) int {
	switch {
	case jwe == "dir":
		return contentKeys[enc]
	case strings.HasPrefix(jwe, "A128"):
		return 16
	case strings.HasPrefix(jwe, "A192"):
		return 24
	case strings.HasPrefix(jwe, "A256"):
		return 32
	}
	return 0
}

// SecretKey derives a key of that many bytes from a client secret: the left part of its
// SHA-256, or of the next longer hash that has enough (OIDC Core §10.2).
func SecretKey(clientSecret string, size int) []byte {
	switch {
	case size <= sha256.Size:
		sum := sha256.Sum256([]byte(clientSecret))
		return sum[:size]
	case size <= sha512.Size384:
		sum := sha512.Sum384([]byte(clientSecret))
		return sum[:size]
	}
	sum := sha512.Sum512([]byte(clientSecret))
	return sum[:min(size, len(sum))]
}

func (k *Keys) encryptionKey(ctx context.Context, o Owner, jwe string) (jose.JSONWebKey, error) {
	set, err := k.set(ctx, o)
	if err != nil {
		return jose.JSONWebKey{}, ErrNoKey.Because(err)
	}
	if key, ok := pick(set, jwe); ok {
		return key, nil
	}
	if o.URI != "" {
		if set, err = k.again(ctx, o, set); err != nil {
			return jose.JSONWebKey{}, ErrNoKey.Because(err)
		}
		if key, ok := pick(set, jwe); ok {
			return key, nil
		}
	}
	return jose.JSONWebKey{}, ErrNoKey
}

// pick finds a key for that algorithm; one that says it is for encryption goes first.
func pick(set *keySet, jwe string) (jose.JSONWebKey, bool) {
	var undeclared *jose.JSONWebKey
	for i, key := range set.keys {
		if !mayEncrypt(key, jwe) {
			continue
		}
		if key.Use == "enc" {
			return key, true
		}
		if undeclared == nil {
			undeclared = &set.keys[i]
		}
	}
	if undeclared == nil {
		return jose.JSONWebKey{}, false
	}
	return *undeclared, true
}

func mayEncrypt(key jose.JSONWebKey, jwe string) bool {
	if key.Use != "" && key.Use != "enc" || key.Algorithm != "" && key.Algorithm != jwe {
		return false
	}
	switch key.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(jwe, "RSA-OAEP")
	case *ecdsa.PublicKey:
		return strings.HasPrefix(jwe, "ECDH-ES")
	}
	return false
}
