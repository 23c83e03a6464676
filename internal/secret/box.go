package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrSealed is returned when a sealed value cannot be opened: another master
// key, another row, or a changed byte.
var ErrSealed = errors.New("sealed value does not open with this master key")

const sealVersion = "v1."

// Box seals what must come back and authenticates what must only be recognised,
// each purpose under its own key derived from the master key (HKDF-SHA-256).
type Box struct{ master []byte }

// NewBox makes a Box from a master key of at least 32 bytes.
func NewBox(master []byte) (*Box, error) {
	if len(master) < 32 {
		return nil, fmt.Errorf("master key has %d bytes, 32 are needed", len(master))
	}
	return &Box{master: append([]byte(nil), master...)}, nil
}

// Key derives the 32-byte key of a purpose.
func (b *Box) Key(purpose string) []byte {
	k, err := hkdf.Key(sha256.New, b.master, nil, "idp "+purpose, 32)
	if err != nil {
		panic("secret: hkdf: " + err.Error()) // only for impossible lengths
	}
	return k
}

// Seal encrypts plain with AES-256-GCM. Place says where the value is kept
// ("table.column:row"), so that it opens nowhere else.
func (b *Box) Seal(place string, plain []byte) string {
	sealed := b.aead().Seal(nil, nil, plain, []byte(place)) //nolint:gosec // this AEAD draws its nonce itself
	return sealVersion + base64.RawStdEncoding.EncodeToString(sealed)
}

// Open decrypts what Seal made for the same place, or returns ErrSealed.
func (b *Box) Open(place, sealed string) ([]byte, error) {
	body, ok := strings.CutPrefix(sealed, sealVersion)
	if !ok {
		return nil, fmt.Errorf("%s: %w", place, ErrSealed)
	}
	raw, err := base64.RawStdEncoding.DecodeString(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, ErrSealed)
	}
	plain, err := b.aead().Open(nil, nil, raw, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, ErrSealed)
	}
	return plain, nil
}

// MAC recognises short or guessable values (six-digit codes): HMAC-SHA-256 under
// the purpose's key, in hex. Without the master key it cannot be searched.
func (b *Box) MAC(purpose, value string) Digest {
	h := hmac.New(sha256.New, b.Key(purpose))
	h.Write([]byte(value))
	return Digest(hex.EncodeToString(h.Sum(nil)))
}

func (b *Box) aead() cipher.AEAD {
	block, err := aes.NewCipher(b.Key("seal"))
	if err != nil {
		panic("secret: aes: " + err.Error()) // the key has 32 bytes
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("secret: gcm: " + err.Error())
	}
	return gcm
}
