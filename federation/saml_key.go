package federation

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
)

// serviceKey is what we sign requests with and what providers encrypt to. It serves SAML alone.
// The certificate is only the form that SAML gives a public key; nobody vouches for it but our
// metadata.
type serviceKey struct {
	private     *rsa.PrivateKey
	certificate *x509.Certificate
}

const (
	serviceKeyBits  = 2048
	serviceKeyYears = 10
	serviceKeyPlace = "federation.saml.key"
)

type sealedKey struct {
	Private     []byte `json:"private"`     // PKCS #8
	Certificate []byte `json:"certificate"` // DER
}

// key returns our key, making it at first need. Of several processes that make one at once, that
// of the first counts for all.
func (s *samlParty) key(ctx context.Context) (*serviceKey, error) {
	s.mu.Lock()
	own := s.own
	s.mu.Unlock()
	if own != nil {
		return own, nil
	}
	sealed, err := s.f.SAML.ServiceKey(ctx)
	if problem.Is(err, problem.NotFound) {
		if err := s.makeKey(ctx); err != nil {
			return nil, err
		}
		sealed, err = s.f.SAML.ServiceKey(ctx)
	}
	if err != nil {
		return nil, err
	}
	if own, err = s.f.openKey(sealed); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.own = own
	s.mu.Unlock()
	return own, nil
}

func (s *samlParty) privateKey(ctx context.Context) (*rsa.PrivateKey, error) {
	k, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	return k.private, nil
}

func (s *samlParty) makeKey(ctx context.Context) error {
	private, err := rsa.GenerateKey(rand.Reader, serviceKeyBits)
	if err != nil {
		return fmt.Errorf("make the SAML key: %w", err)
	}
	now := s.f.Now()
	name := s.f.Issuer
	if u, err := url.Parse(s.f.Issuer); err == nil {
		name = u.Hostname()
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(secret.Bytes(16)), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(serviceKeyYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: name}}, private.Public(), private)
	if err != nil {
		return fmt.Errorf("make the SAML certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("encode the SAML key: %w", err)
	}
	plain, err := json.Marshal(sealedKey{pkcs8, der})
	if err != nil {
		return fmt.Errorf("encode the SAML key: %w", err)
	}
	err = s.f.SAML.SaveServiceKey(ctx, s.f.Box.Seal(serviceKeyPlace, plain), now)
	if problem.Is(err, problem.Conflict) {
		return nil // another process was first
	}
	return err
}

func (f *Federation) openKey(sealed string) (*serviceKey, error) {
	plain, err := f.Box.Open(serviceKeyPlace, sealed)
	if err != nil {
		return nil, fmt.Errorf("open the SAML key: %w", err)
	}
	var stored sealedKey
	if err := json.Unmarshal(plain, &stored); err != nil {
		return nil, fmt.Errorf("read the SAML key: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(stored.Private)
	if err != nil {
		return nil, fmt.Errorf("read the SAML key: %w", err)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the SAML key is a %T", parsed)
	}
	certificate, err := x509.ParseCertificate(stored.Certificate)
	if err != nil {
		return nil, fmt.Errorf("read the SAML certificate: %w", err)
	}
	return &serviceKey{private, certificate}, nil
}
