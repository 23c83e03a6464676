package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"

	"idp/internal/problem"
	"idp/internal/secret"
)

// This file is our wish that somebody be signed out at their provider too, and its answer. What
// is remembered of it is one arrival, by the ID of our request: whoever brings the answer, it
// tells them no more than yes or no.

// Parts reports whether a person can be signed out at the provider of a connection too.
func (f *Federation) Parts(ctx context.Context, c Connection) bool {
	return c.Type == SAML && f.party().parts(ctx, c)
}

// Leave asks a provider to sign out the person with that session there: where the browser takes it.
// The answer comes to our single logout service.
func (f *Federation) Leave(ctx context.Context, c Connection, o Presence) (Way, error) {
	s := f.party()
	p, err := s.provider(ctx, c)
	if err != nil {
		return Way{}, err
	}
	key, err := s.key(ctx)
	if err != nil {
		return Way{}, err
	}
	name := etree.NewDocument()
	if err := name.ReadFromString(o.NameID); err != nil || name.Root() == nil {
		return Way{}, fmt.Errorf("the name kept of a session at %s: %w", c.Name, errors.Join(errors.New("no XML"), err))
	}
	id, now := newMessageID(), f.Now()
	until := now.Add(partingLife).UTC()
	way, err := p.way(false, "SAMLRequest", "", key, func(e exit) (string, *etree.Element) {
		el := (&saml.LogoutRequest{
			ID: id, Version: "2.0", IssueInstant: now.UTC(), NotOnOrAfter: &until, Destination: e.to, Issuer: &saml.Issuer{Value: f.EntityID(c)},
		}).Element()
		el.AddChild(name.Root())
		if o.Session != "" {
			el.CreateElement("samlp:SessionIndex").SetText(o.Session)
		}
		return e.to, el
	})
	if err != nil {
		return Way{}, err
	}
	kept, err := json.Marshal(arrival{Connection: c.Name})
	if err != nil {
		return Way{}, fmt.Errorf("keep a request to sign out: %w", err)
	}
	at := leaveDigest(id)
	return way, f.Store.SaveArrival(ctx, at, f.Box.Seal(arrivalPlace(at), kept), now.Add(arrivalLife))
}

// leaveDigest is under what a request of ours waits for its answer, apart from all other arrivals.
func leaveDigest(id string) secret.Digest { return secret.DigestOf("saml leave " + id) }

// answered checks a provider's answer to our wish. It is used up by that, whatever it says.
func (f *Federation) answered(ctx context.Context, c Connection, want expected, m message) (out Parting, err error) {
	if !isElement(m.root, nsProtocol, "LogoutResponse") {
		return out, ErrParting.Because(errors.New("no answer about signing out"))
	}
	err = holds(m.root, exactly(nsAssertion, "Issuer"), optional(nsSignature, "Signature"), optional(nsProtocol, "Extensions"), exactly(nsProtocol, "Status"))
	if err != nil {
		return out, ErrParting.Because(err)
	}
	if _, err := want.aboutParting(m.root); err != nil {
		return out, ErrParting.Because(err)
	}
	at := leaveDigest(attrOf(m.root, "InResponseTo"))
	sealed, err := f.Store.TakeArrival(ctx, at, f.Now())
	if problem.Is(err, problem.Gone) {
		return out, ErrParting.Because(errors.New("it answers nothing that waits"))
	}
	if err != nil {
		return out, err
	}
	plain, err := f.Box.Open(arrivalPlace(at), sealed)
	if err != nil {
		return out, err
	}
	var kept arrival
	if err := json.Unmarshal(plain, &kept); err != nil {
		return out, fmt.Errorf("read a request to sign out: %w", err)
	}
	if kept.Connection != c.Name {
		return out, ErrParting.Because(errors.New("it answers what another provider was asked"))
	}
	status := childOf(m.root, nsProtocol, "Status")
	if err := statusOK(status); err != nil {
		return out, nil //nolint:nilerr // the provider's no, which the person is told
	}
	partly := childOf(childOf(status, nsProtocol, "StatusCode"), nsProtocol, "StatusCode") != nil
	return Parting{Confirmed: !partly}, nil
}
