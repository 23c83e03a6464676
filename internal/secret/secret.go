// Package secret is where randomness, identifiers, digests and sealing come
// from. Nothing else in idp reads random bytes or holds a key by hand.
//
// Values that must come back are sealed by a Box under the master key; values
// that only have to be recognised are kept as a Digest; passwords are hashed by
// the gated Hasher. A String holds a secret on its way and prints as dots.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"math/big"

	"github.com/google/uuid"
)

// String is a secret in memory. It prints, logs and encodes as dots; Reveal gives the value.
type String struct{ value string }

// NewString wraps a secret.
func NewString(v string) String { return String{v} }

// Reveal returns the secret itself. Call it only where it leaves for its one purpose.
func (s String) Reveal() string { return s.value }

// Empty reports whether there is no secret.
func (s String) Empty() bool { return s.value == "" }

const dots = "•••"

// String implements fmt.Stringer without giving anything away.
func (s String) String() string { return dots }

// GoString implements fmt.GoStringer without giving anything away.
func (s String) GoString() string { return dots }

// LogValue implements slog.LogValuer without giving anything away.
func (s String) LogValue() slog.Value { return slog.StringValue(dots) }

// MarshalText implements encoding.TextMarshaler without giving anything away.
func (s String) MarshalText() ([]byte, error) { return []byte(dots), nil }

// Digest is the lower-case hex SHA-256 of a value with at least 128 bits of
// entropy: enough to recognise it, useless to whoever reads the database.
type Digest string

// DigestOf returns the digest of a random secret. For short codes use Box.MAC.
func DigestOf(v string) Digest {
	sum := sha256.Sum256([]byte(v))
	return Digest(hex.EncodeToString(sum[:]))
}

// Equal compares in constant time.
func Equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// Bytes returns n random bytes.
func Bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return b
}

// Token returns prefix followed by 256 random bits in base64url.
func Token(prefix string) String {
	return String{prefix + base64.RawURLEncoding.EncodeToString(Bytes(32))}
}

// NewID returns prefix_ followed by 22 base62 characters that sort by time (UUIDv7).
func NewID(prefix string) string {
	id, err := uuid.NewV7()
	if err != nil {
		panic("secret: no randomness: " + err.Error())
	}
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n, base, rest := new(big.Int).SetBytes(id[:]), big.NewInt(62), new(big.Int)
	out := make([]byte, 22)
	for i := len(out) - 1; i >= 0; i-- {
		n.DivMod(n, base, rest)
		out[i] = digits[rest.Int64()]
	}
	return prefix + "_" + string(out)
}
