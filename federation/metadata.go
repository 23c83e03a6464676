package federation

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crewjam/saml"
)

// samlIDP is what is known of an identity provider.
type samlIDP struct {
	connection   Connection // as it was when this was read
	entityID     string
	redirect     string   // where requests go by HTTP-Redirect, "" if it offers none
	post         string   // the same by HTTP-POST
	logout       exit     // where signing out goes by HTTP-Redirect
	logoutPost   exit     // the same by HTTP-POST
	formats      []string // of names that it has
	certificates []*x509.Certificate
	validUntil   time.Time // zero: not told
	fetchedAt    time.Time // zero: it was given, not fetched
	triedAt      time.Time // when it was last asked for
}

// readMetadata reads what an identity provider says of itself (Metadata §2.4.3). A document
// without a certificate to verify signatures by is refused, since it would mean to believe
// anybody. Keys that do not say what they are for are for signing.
func readMetadata(doc []byte, entityID string, plainHTTP bool, now time.Time) (*samlIDP, error) {
	if _, err := parseXML(doc, metadataBounds); err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	entity, until, err := findEntity(doc, entityID)
	if err != nil {
		return nil, err
	}
	p := &samlIDP{entityID: entity.EntityID, validUntil: until}
	if p.entityID == "" || len(p.entityID) > maxEntityID {
		return nil, errors.New("no entityID, or one that is too long")
	}
	for _, role := range entity.IDPSSODescriptors {
		if role.ValidUntil != nil {
			p.expire(*role.ValidUntil)
		}
		if err := p.takeRole(role, plainHTTP); err != nil {
			return nil, err
		}
	}
	if p.expired(now) {
		return nil, fmt.Errorf("the metadata was valid until %s", p.validUntil.Format(time.RFC3339))
	}
	return p, p.usable()
}

func (p *samlIDP) usable() error {
	if len(p.certificates) == 0 {
		return errors.New("no certificate to verify signatures by")
	}
	if p.redirect == "" && p.post == "" {
		return errors.New("no single sign-on service by HTTP-Redirect or HTTP-POST")
	}
	return nil
}

func (p *samlIDP) expire(at time.Time) {
	if !at.IsZero() && (p.validUntil.IsZero() || at.Before(p.validUntil)) {
		p.validUntil = at.UTC()
	}
}

func (p *samlIDP) expired(now time.Time) bool {
	return !p.validUntil.IsZero() && !now.Before(p.validUntil.Add(skew))
}

// findEntity returns the identity provider that a document describes: the only one, or the one
// of that name among many.
func findEntity(doc []byte, entityID string) (saml.EntityDescriptor, time.Time, error) {
	var single saml.EntityDescriptor
	if err := xml.Unmarshal(doc, &single); err == nil {
		if len(single.IDPSSODescriptors) == 0 {
			return single, time.Time{}, errors.New("the metadata describes no identity provider")
		}
		return single, single.ValidUntil, nil
	}
	var many saml.EntitiesDescriptor
	if err := xml.Unmarshal(doc, &many); err != nil {
		return single, time.Time{}, fmt.Errorf("read metadata: %w", err)
	}
	all := slices.DeleteFunc(many.EntityDescriptors, func(e saml.EntityDescriptor) bool {
		return len(e.IDPSSODescriptors) == 0 || entityID != "" && e.EntityID != entityID
	})
	if len(all) != 1 {
		return single, time.Time{}, fmt.Errorf("the metadata describes %d identity providers", len(all))
	}
	until := all[0].ValidUntil
	if outer := many.ValidUntil; outer != nil && (until.IsZero() || outer.Before(until)) {
		until = *outer
	}
	return all[0], until, nil
}

func (p *samlIDP) takeRole(role saml.IDPSSODescriptor, plainHTTP bool) error {
	for _, key := range role.KeyDescriptors {
		if key.Use != "" && key.Use != "signing" {
			continue
		}
		for _, c := range key.KeyInfo.X509Data.X509Certificates {
			certificate, err := readCertificate(c.Data)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(p.certificates, certificate.Equal) {
				p.certificates = append(p.certificates, certificate)
			}
		}
	}
	for _, service := range role.SingleSignOnServices {
		if err := checkEndpoint(service.Location, plainHTTP); err != nil {
			continue // another one may do
		}
		switch {
		case service.Binding == saml.HTTPRedirectBinding && p.redirect == "":
			p.redirect = service.Location
		case service.Binding == saml.HTTPPostBinding && p.post == "":
			p.post = service.Location
		}
	}
	for _, service := range role.SingleLogoutServices {
		p.takeExit(service, plainHTTP)
	}
	for _, format := range role.NameIDFormats {
		p.formats = append(p.formats, string(format))
	}
	return nil
}

// exit is where a provider hears of signing out: requests and answers. None is the zero value.
type exit struct{ to, answer string }

func (e exit) none() bool { return e.to == "" }

// takeExit reads one single logout service; answers may have an address of their own (Metadata §2.2.2).
func (p *samlIDP) takeExit(service saml.Endpoint, plainHTTP bool) {
	e := exit{to: service.Location, answer: cmp.Or(service.ResponseLocation, service.Location)}
	if checkEndpoint(e.to, plainHTTP) != nil || checkEndpoint(e.answer, plainHTTP) != nil {
		return
	}
	switch {
	case service.Binding == saml.HTTPRedirectBinding && p.logout.none():
		p.logout = e
	case service.Binding == saml.HTTPPostBinding && p.logoutPost.none():
		p.logoutPost = e
	}
}

// parts reports whether the provider offers single logout in a way that we speak.
func (p *samlIDP) parts() bool { return !p.logout.none() || !p.logoutPost.none() }

func checkEndpoint(address string, plainHTTP bool) error {
	return checkAddress("metadata", address, true, !plainHTTP)
}

// readCertificate reads one as metadata has it: DER in base64.
func readCertificate(text string) (*x509.Certificate, error) {
	der, err := unbase64(text)
	if err != nil {
		return nil, fmt.Errorf("a certificate is damaged: %w", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("a certificate is damaged: %w", err)
	}
	return c, strongEnough(c)
}

func strongEnough(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSA {
			return fmt.Errorf("the key of a certificate has %d bits; %d is the least that is safe", key.N.BitLen(), minRSA)
		}
		return nil
	case *ecdsa.PublicKey:
		return nil
	}
	return errors.New("the key of a certificate is neither RSA nor ECDSA")
}
