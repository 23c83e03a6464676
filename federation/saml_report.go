package federation

import (
	"context"
	"time"
)

// soon is how long before its end a certificate or a document is worth a warning.
const soon = 30 * 24 * time.Hour

// test implements tester: what the provider says of itself, and what it has to be told of us.
func (s *samlParty) test(ctx context.Context, c Connection, r *Report) {
	p, ok := s.testMetadata(ctx, c, r)
	if !ok {
		return
	}
	now := s.f.Now()
	r.fine("issuer", "The provider calls itself %s.", p.entityID)
	usable := 0
	for _, one := range p.certificates {
		switch until := one.NotAfter.UTC().Format(time.DateOnly); {
		case now.After(one.NotAfter):
			r.warn("certificate", "Let the provider publish its present certificate.", "The certificate %s was good until %s: what it signs is refused.", one.Subject, until)
		case now.Before(one.NotBefore):
			r.warn("certificate", "Check the clock of this server, and wait.", "The certificate %s is not good yet.", one.Subject)
		case now.Add(soon).After(one.NotAfter):
			usable++
			r.warn("certificate", "See to it that the provider has the next one in its metadata by then.", "The certificate %s is good until %s only.", one.Subject, until)
		default:
			usable++
			r.fine("certificate", "The certificate %s is good until %s.", one.Subject, until)
		}
	}
	if usable == 0 {
		r.fail("certificate", "Let the provider publish its present certificate, or give it here.", "None of its certificates is good now: nobody can sign in.")
	}
	switch {
	case p.redirect != "":
		r.fine("binding", "Requests go to %s by HTTP-Redirect.", p.redirect)
	default:
		r.fine("binding", "Requests go to %s by HTTP-POST.", p.post)
	}
	if p.parts() {
		r.fine("logout", "It offers single logout: who signs out there is signed out here. Its messages have to go to %s.", s.f.LogoutService(c))
	} else {
		r.fine("logout", "It offers no single logout by HTTP-Redirect or HTTP-POST: who signs out there stays signed in here.")
	}
	if !p.validUntil.IsZero() && now.Add(soon).After(p.validUntil) && c.MetadataURL == "" {
		r.warn("validity", "Give metadata_url instead, which is read again by itself, or fresh metadata in time.", "The metadata that was given ends on %s; nobody can sign in after that.", p.validUntil.Format(time.DateOnly))
	}
	if len(c.Domains) == 0 && c.Trust.Email == "" {
		r.warn("email", "Name the e-mail domains that the provider hands out, under domains.", "Without domains, people prove their address here.")
	}
	r.fine("ours", "Give the provider our metadata, %s, which is also our entity id; it answers to %s.", s.f.EntityID(c), s.f.Callback(c))
	r.fine("clock", "It is %s here. The provider's clock may differ by %s.", now.UTC().Format(time.RFC3339), skew)
}

// testMetadata reads what the provider says of itself, without keeping it.
func (s *samlParty) testMetadata(ctx context.Context, c Connection, r *Report) (*samlIDP, bool) {
	if c.MetadataURL == "" {
		p, err := s.f.given(c)
		if err != nil {
			r.fail("document", "Give the provider's metadata_url instead, or copy its metadata again.", "What is given of the provider cannot be used: %s.", err)
			return nil, false
		}
		r.fine("document", "What is given of the provider can be used.")
		return p, true
	}
	if err := checkEndpoint(c.MetadataURL, s.f.plainHTTP()); err != nil {
		r.fail("address", "Write the address as the provider gives it, beginning with https://.", "%q is no https address.", c.MetadataURL)
		return nil, false
	}
	doc, err := s.f.Outbound.Get(ctx, c.MetadataURL, maxFetched)
	if err != nil {
		r.fail("address", "Open that address in a browser. Check that this server may reach it (outbound_allow for private addresses).", "%s cannot be read: %s.", c.MetadataURL, cause(err))
		return nil, false
	}
	r.fine("address", "%s answers.", c.MetadataURL)
	p, err := readMetadata(doc, c.EntityID, s.f.plainHTTP(), s.f.Now())
	if err != nil {
		r.fail("document", "Check the address: it has to be the metadata of one identity provider.", "What it answers cannot be used: %s.", err)
		return nil, false
	}
	r.fine("document", "It is metadata of an identity provider.")
	known, err := s.f.SAML.Metadata(ctx, c.Name)
	if err == nil && known.URL == c.MetadataURL && known.EntityID != p.entityID {
		r.fail("issuer", "If that is right, delete the connection and create it anew: it is another provider, with other people.", "It is of %q now; it was of %q.", p.entityID, known.EntityID)
		return nil, false
	}
	return p, true
}
