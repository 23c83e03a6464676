package federation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/secret"
)

// Apple gives out no client secret. Each one is a short statement that we sign by the key that an
// operator was given there, for Apple's eyes alone. Apple accepts such a statement for up to six
// months; ours lives for minutes and is made anew for each exchange, so that none can be found
// lying about and none runs out.

const (
	appleIssuer     = "https://appleid.apple.com"
	appleSecretLife = 5 * time.Minute
)

// credential is what the client proves itself with at that time.
func (c Connection) credential(at time.Time) (secret.String, error) {
	if c.preset().Issuer == appleIssuer {
		return c.appleSecret(at)
	}
	return c.ClientSecret, nil
}

// appleSecret makes a client secret: an ES256 JWT of the team, about the client, for Apple.
func (c Connection) appleSecret(at time.Time) (secret.String, error) {
	key, err := appleKey(c.ClientSecret)
	if err != nil {
		return secret.String{}, fmt.Errorf("connection %s: %w", c.Name, err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: c.option("key_id")}}, nil)
	if err != nil {
		return secret.String{}, fmt.Errorf("connection %s: %w", c.Name, err)
	}
	said, err := json.Marshal(map[string]any{
		"iss": c.option("team_id"), "sub": c.ClientID, "aud": appleIssuer, "iat": at.Unix(), "exp": at.Add(appleSecretLife).Unix(),
	})
	if err != nil {
		return secret.String{}, err
	}
	signed, err := signer.Sign(said)
	if err != nil {
		return secret.String{}, fmt.Errorf("connection %s: %w", c.Name, err)
	}
	compact, err := signed.CompactSerialize()
	return secret.NewString(compact), err
}

// appleKey reads the private key as it comes in the .p8 file.
func appleKey(file secret.String) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(file.Reveal()))
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("the key is not in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the key cannot be read") // the cause might repeat some of it
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("the key is not on P-256")
	}
	return key, nil
}
