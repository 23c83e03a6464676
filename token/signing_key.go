package token

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/secret"
)

// SigningKey is a template's own key as an operator hands it over: exactly one of Secret,
// SecretBase64, PEM and JWK.
type SigningKey struct {
	ID           string        // kid of the tokens; a JWK brings its own
	Secret       secret.String // HMAC: the bytes of this text
	SecretBase64 secret.String // HMAC: these bytes, in either alphabet of RFC 4648
	PEM          secret.String // a private key: PKCS #8, PKCS #1 or SEC 1
	JWK          secret.String // a private or symmetric key (RFC 7517), or the file of a Google service account
}

const (
	maxKeyText = 10 << 10 // bytes
	maxKeyID   = 200
)

// SigningKeyFile is what a file holds: PEM, a JWK, or otherwise the text of a secret, whose last
// line break is none of it.
func SigningKeyFile(content []byte) SigningKey {
	trimmed := bytes.TrimSpace(content)
	switch {
	case bytes.HasPrefix(trimmed, []byte("-----BEGIN")):
		return SigningKey{PEM: secret.NewString(string(trimmed))}
	case bytes.HasPrefix(trimmed, []byte("{")):
		return SigningKey{JWK: secret.NewString(string(trimmed))}
	}
	return SigningKey{Secret: secret.NewString(strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"))}
}

// For returns the key as it is kept, and the algorithm it is for: the one that was asked for, or
// if that is "" the usual one of its kind. A key that is weak, public, encrypted, or of another
// algorithm is problem.Invalid on "signing_key" or "algorithm".
func (g SigningKey) For(algorithm string) (CustomKey, string, error) {
	key, err := g.kept()
	if err != nil {
		return CustomKey{}, "", err
	}
	if len(key.ID) > maxKeyID || strings.ContainsFunc(key.ID, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return CustomKey{}, "", unusable(fmt.Sprintf("A kid has at most %d bytes without control characters.", maxKeyID))
	}
	if algorithm == "" {
		algorithm = key.algorithm()
	}
	return key, algorithm, key.fit(algorithm)
}

func (g SigningKey) kept() (CustomKey, error) {
	given, text := 0, 0
	for _, s := range []secret.String{g.Secret, g.SecretBase64, g.PEM, g.JWK} {
		if !s.Empty() {
			given, text = given+1, len(s.Reveal())
		}
	}
	switch {
	case given == 0:
		return CustomKey{}, unusable("The signing key is empty. Give a secret, a private key as PEM, or a JWK.")
	case given > 1:
		return CustomKey{}, unusable("Give one of secret, secret_base64, pem and jwk.")
	case text > maxKeyText:
		return CustomKey{}, unusable(fmt.Sprintf("A signing key has at most %d KB.", maxKeyText>>10))
	case !g.PEM.Empty():
		return kept(g.ID, g.PEM)
	case !g.JWK.Empty():
		return g.web()
	case !g.SecretBase64.Empty():
		raw, err := unbase64(g.SecretBase64.Reveal())
		if err != nil || len(raw) == 0 {
			return CustomKey{}, unusable("secret_base64 is not base64. If it is the secret itself, call it secret.")
		}
		return shared(g.ID, raw)
	}
	return shared(g.ID, []byte(g.Secret.Reveal()))
}

func unbase64(s string) ([]byte, error) {
	s = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_", "\n", "", "\r", "").Replace(strings.TrimSpace(s)), "=")
	return base64.RawURLEncoding.DecodeString(s)
}

// shared keeps a secret. One that is a key in PEM is a mistake, and a dangerous one: whoever signs
// with the text of a public key signs with what everybody knows.
func shared(id string, raw []byte) (CustomKey, error) {
	if bytes.Contains(raw, []byte("-----BEGIN")) {
		return CustomKey{}, unusable("This secret is a key in PEM. Give it as pem.")
	}
	return CustomKey{ID: id, Material: secret.NewString(string(raw))}, nil
}

// kept makes PKCS #8 of a private key in PEM. The parameters that openssl writes in front of EC
// keys are skipped.
func kept(id string, text secret.String) (CustomKey, error) {
	rest := []byte(text.Reveal())
	if !bytes.Contains(rest, []byte("\n")) {
		rest = bytes.ReplaceAll(rest, []byte(`\n`), []byte("\n")) // as it stands in JSON files and environments
	}
	block, rest := pem.Decode(rest)
	for block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	switch {
	case block == nil:
		return CustomKey{}, unusable("This is not PEM: a private key begins with -----BEGIN PRIVATE KEY----- on a line of its own.")
	case len(bytes.TrimSpace(rest)) > 0:
		return CustomKey{}, unusable("There is more than one key, or something else behind it. Give the private key alone.")
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return CustomKey{}, unusable("This key is encrypted. Decrypt it first: openssl pkey -in key.pem -out plain.pem")
	case strings.HasSuffix(block.Type, "PUBLIC KEY") || block.Type == "CERTIFICATE":
		return CustomKey{}, unusable("This is a public key. Signing takes the private one.")
	}
	var parsed any
	var err error
	switch block.Type {
	case pkcs8:
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return CustomKey{}, unusable("A " + strings.ToLower(block.Type) + " is not a key to sign with. Give a private key as PKCS #8: openssl pkey -in key.pem -out plain.pem")
	}
	if err != nil {
		return CustomKey{}, unusable("This private key cannot be read. Write it anew: openssl pkey -in key.pem -out plain.pem")
	}
	return private(id, parsed)
}

func private(id string, key any) (CustomKey, error) {
	signer, ok := key.(crypto.Signer)
	if !ok || len(fitting(signer)) == 0 {
		return CustomKey{}, unusable("The key is of none of the kinds RSA, EC on P-256, P-384 or P-521, Ed25519.")
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return CustomKey{}, unusable("This private key cannot be used.")
	}
	return CustomKey{ID: id, Material: secret.NewString(string(pem.EncodeToMemory(&pem.Block{Type: pkcs8, Bytes: der})))}, nil
}

// web reads a JWK.
func (g SigningKey) web() (CustomKey, error) {
	text := []byte(g.JWK.Reveal())
	var shape struct {
		Kind         string `json:"kty"`
		Use          string `json:"use"`
		Type         string `json:"type"`
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
		Keys         []any  `json:"keys"`
	}
	if err := json.Unmarshal(text, &shape); err != nil {
		return CustomKey{}, unusable("This is not a JWK: it is a JSON object with a member kty.")
	}
	switch {
	case shape.Type == "service_account" && shape.PrivateKey != "":
		return kept(cmp.Or(g.ID, shape.PrivateKeyID), secret.NewString(shape.PrivateKey))
	case shape.Keys != nil:
		return CustomKey{}, unusable("This is a set of keys. Give one of them.")
	case shape.Use != "" && shape.Use != "sig":
		return CustomKey{}, unusable("This JWK is for use " + shape.Use + ", not sig.")
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(text); err != nil || !key.Valid() && shape.Kind != "oct" {
		return CustomKey{}, unusable("This JWK cannot be read: its members do not make a key (RFC 7517, RFC 7518 §6).")
	}
	id := cmp.Or(g.ID, key.KeyID)
	if raw, ok := key.Key.([]byte); ok {
		return shared(id, raw)
	}
	if key.IsPublic() {
		return CustomKey{}, unusable("This is a public key. Signing takes the private one, which has a member d.")
	}
	made, err := private(id, key.Key)
	if err != nil {
		return made, err
	}
	// The members of a JWK can contradict each other; what is kept is made of the private one.
	again, err := made.private()
	if err != nil || !again.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public().Key) {
		return CustomKey{}, unusable("The private and the public part of this JWK are of different keys.")
	}
	return made, nil
}

// Foreign reports, as problem.Invalid on "signing_key", that a template's own key pretends to be one
// of the issuer's, or is one: a verifier that finds keys by kid would mistake one for the other, and
// what the issuer's key signs is the issuer's word whatever the kid says. Nor is what we publish of
// our keys a secret. Call it when a template is saved.
func (k *KeySet) Foreign(own CustomKey) error {
	private, err := own.private()
	if err != nil {
		return unusable("This is not a private key.")
	}
	for _, key := range k.Keys() {
		if own.ID != "" && key.ID == own.ID {
			return unusable("This kid is the one of a key of this issuer. Give the key another, or none.")
		}
		if private != nil && private.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Private.Public()) { //nolint:forcetypeassert // every public key of the standard library has it
			return unusable("This is a key of this issuer. Bring one of the template's own, or none: the issuer's key signs then.")
		}
		if private == nil && key.published(own.Material.Reveal()) {
			return unusable("This secret is a public key of this issuer, which everybody knows. Make one: openssl rand -hex 32")
		}
	}
	return nil
}

// published reports whether a text is what everybody can read of the key, in one of the forms that
// verifiers have been led to take for a secret.
func (key Key) published(text string) bool {
	if der, err := x509.MarshalPKIXPublicKey(key.Private.Public()); err == nil && text == string(der) {
		return true
	}
	if r, ok := key.Private.Public().(*rsa.PublicKey); ok && text == string(x509.MarshalPKCS1PublicKey(r)) {
		return true
	}
	web, err := key.public().MarshalJSON()
	return err == nil && text == string(web)
}
