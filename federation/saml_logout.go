package federation

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"

	"idp/internal/problem"
	"idp/internal/secret"
)

// This file reads what a provider has a browser bring to our single logout service (Profiles
// §4.4): its wish that somebody be signed out here, or its answer to ours. No cookie is needed
// for that, and none is looked at: the signature says who speaks, and the name of whom.

// ErrParting is what somebody hears whose message about signing out is not as it has to be.
var ErrParting = problem.New(problem.Invalid, "upstream_sign_out_refused", "This message about signing out is not from the other service, came before, or is too old. Nothing has changed here.")

const partingLife = 5 * time.Minute // of messages about signing out

// Notice is a message about signing out, as a browser brought it: by GET in Query, as it was
// received, or by POST in Form.
type Notice struct {
	Query string
	Form  url.Values
}

// Parting is what a provider said about signing out, checked. It is either its wish, and then
// Request is not nil, or its answer to a wish of ours.
type Parting struct {
	Request   *PartingRequest
	Confirmed bool // the answer: the person is signed out there
}

// PartingRequest is a provider's wish that somebody be signed out here. It is to be used up
// (Use) in the transaction that fulfils it.
type PartingRequest struct {
	Key      string   // of the person's name there
	Sessions []string // there, that end; none: all of that person
	id       string
	relay    string
	posted   bool
	until    time.Time
	by       *samlIDP
}

// Ends reports whether the session that began there is among those that end.
func (r *PartingRequest) Ends(o Presence) bool {
	return o.Key == r.Key && (len(r.Sessions) == 0 || slices.Contains(r.Sessions, o.Session))
}

// LogoutService is where the provider of a connection sends messages about signing out.
func (f *Federation) LogoutService(c Connection) string {
	return f.Issuer + "/federation/" + c.Name + "/slo"
}

// nameKey is how sessions are found again by the name that a provider gave somebody. The format
// is not in it: providers leave it out at times, and who may sign anybody out there is the
// provider alone.
func (f *Federation) nameKey(c Connection, n nameID, entityID, audience string) string {
	return string(f.Box.MAC("federation name", fmt.Sprintf("%d %s %s", len(c.Name), c.Name, n.subject(entityID, audience))))
}

// Part reads a message about signing out. It is ErrParting if anything about it is not as it has
// to be; then an operator can find out why.
func (f *Federation) Part(ctx context.Context, c Connection, n Notice) (Parting, error) {
	if c.Type != SAML {
		return Parting{}, ErrUnknown
	}
	out, err := f.part(ctx, c, n)
	if problem.HasCode(err, ErrParting.Code) {
		f.ended(ctx, c, err)
	}
	return out, err
}

func (f *Federation) part(ctx context.Context, c Connection, n Notice) (out Parting, err error) {
	s := f.party()
	p, err := s.provider(ctx, c)
	if err != nil {
		return out, err
	}
	m, err := heard(n, p.certificates, f.Now())
	if errors.Is(err, errUnknownSigner) {
		fresh, changed := s.again(ctx, p)
		if changed {
			p = fresh
			m, err = heard(n, p.certificates, f.Now())
		}
	}
	if err != nil {
		return out, ErrParting.Because(err)
	}
	want := expected{now: f.Now(), issuer: p.entityID, acs: f.LogoutService(c)}
	if m.field == "SAMLResponse" {
		return f.answered(ctx, c, want, m)
	}
	r, err := want.parting(m.root)
	if err != nil {
		return out, ErrParting.Because(err)
	}
	r.request.Key = f.nameKey(c, r.name, p.entityID, f.EntityID(c))
	r.request.by, r.request.relay, r.request.posted = p, m.relay, n.Form != nil
	return Parting{Request: &r.request}, nil
}

// message is one whose signature was verified.
type message struct {
	field string
	relay string
	root  *etree.Element
}

// heard verifies a message, by the signature of the way it came. Nothing that this does not cover
// is returned, but for RelayState of a form, which goes nowhere but back.
func heard(n Notice, certificates []*x509.Certificate, now time.Time) (m message, err error) {
	defer func() {
		if cause := recover(); cause != nil { // libraries have met odd XML before
			m, err = message{}, fmt.Errorf("panic: %v", cause)
		}
	}()
	if n.Form != nil {
		return posted(n.Form, certificates, now)
	}
	q, err := readQuery(n.Query)
	if err != nil {
		return m, err
	}
	root, err := parseXML(q.doc, messageBounds)
	if err != nil {
		return m, err
	}
	if err := q.signedBy(certificates, now); err != nil {
		return m, err
	}
	if len(childrenOf(root, nsSignature, "Signature")) != 0 {
		return m, errors.New("signed twice")
	}
	return message{q.field, q.relay, root}, countShape(root)
}

func posted(form url.Values, certificates []*x509.Certificate, now time.Time) (m message, err error) {
	m.field = "SAMLRequest"
	if len(form["SAMLResponse"]) > 0 {
		m.field = "SAMLResponse"
	}
	if len(form["SAMLRequest"])+len(form["SAMLResponse"]) != 1 || len(form["RelayState"]) > 1 {
		return m, errors.New("not one message and RelayState")
	}
	doc, err := readMessage(form.Get(m.field))
	if err != nil {
		return m, err
	}
	if m.root, err = parseXML(doc, messageBounds); err != nil {
		return m, err
	}
	if err := countShape(m.root); err != nil {
		return m, err
	}
	m.relay = form.Get("RelayState")
	m.root, err = signed(m.root, certificates, now)
	return m, err
}

// partingRead is a request with the name in it.
type partingRead struct {
	request PartingRequest
	name    nameID
}

// parting checks a wish that somebody be signed out (Core §3.7.1).
func (want expected) parting(root *etree.Element) (out partingRead, err error) {
	if !isElement(root, nsProtocol, "LogoutRequest") {
		return out, errors.New("not a request to sign out")
	}
	err = holds(root, exactly(nsAssertion, "Issuer"), optional(nsSignature, "Signature"), optional(nsProtocol, "Extensions"),
		exactly(nsAssertion, "NameID"), several(nsProtocol, "SessionIndex"))
	if err != nil {
		return out, err
	}
	at, err := want.aboutParting(root)
	if err != nil {
		return out, err
	}
	r := PartingRequest{id: attrOf(root, "ID"), until: at.Add(partingLife + 2*skew)}
	if end := attrOf(root, "NotOnOrAfter"); end != "" {
		ends, err := instant(end)
		if err != nil {
			return out, fmt.Errorf("NotOnOrAfter: %w", err)
		}
		if !want.now.Before(ends.Add(skew)) {
			return out, fmt.Errorf("was good until %s", ends)
		}
	}
	name := childOf(root, nsAssertion, "NameID")
	value, err := textOf(name)
	if err != nil || value == "" {
		return out, errors.Join(errors.New("no name"), err)
	}
	out.name = nameID{value, attrOf(name, "Format"), attrOf(name, "NameQualifier"), attrOf(name, "SPNameQualifier")}
	for _, el := range childrenOf(root, nsProtocol, "SessionIndex") {
		index, err := textOf(el)
		if err != nil || index == "" {
			return out, errors.Join(errors.New("an empty SessionIndex"), err)
		}
		r.Sessions = append(r.Sessions, index)
	}
	out.request = r
	return out, nil
}

// aboutParting checks what all messages about signing out have: it is by the provider, to us, and
// of now. It returns when it was written.
func (want expected) aboutParting(root *etree.Element) (at time.Time, err error) {
	if attrOf(root, "Version") != "2.0" || attrOf(root, "ID") == "" {
		return at, errors.New("not a SAML 2.0 message")
	}
	if err := want.issued(childOf(root, nsAssertion, "Issuer")); err != nil {
		return at, err
	}
	if to := attrOf(root, "Destination"); to != want.acs {
		return at, fmt.Errorf("meant for %q", to)
	}
	if at, err = instant(attrOf(root, "IssueInstant")); err != nil {
		return at, fmt.Errorf("IssueInstant: %w", err)
	}
	if at.After(want.now.Add(skew)) || at.Before(want.now.Add(-partingLife-skew)) {
		return at, fmt.Errorf("written at %s", at)
	}
	return at, nil
}

// Use uses up a request to sign somebody out: ErrParting if it came before.
func (f *Federation) Use(ctx context.Context, r *PartingRequest) error {
	err := f.SAML.UseMessage(ctx, once(r.by.entityID, "logout "+r.id), r.until)
	if problem.Is(err, problem.Conflict) {
		return ErrParting.Because(err)
	}
	return err
}

// Reply tells the provider that its wish is fulfilled: the way by which the browser brings the
// signed answer there. RelayState goes back as it came, if it is as short as it has to be.
func (f *Federation) Reply(ctx context.Context, c Connection, r *PartingRequest) (Way, error) {
	key, err := f.party().key(ctx)
	if err != nil {
		return Way{}, err
	}
	relay := r.relay
	if len(relay) > maxRelayState {
		relay = ""
	}
	return r.by.way(r.posted, "SAMLResponse", relay, key, func(e exit) (string, *etree.Element) {
		return e.answer, (&saml.LogoutResponse{
			ID: newMessageID(), InResponseTo: r.id, Version: "2.0", IssueInstant: f.Now().UTC(), Destination: e.answer,
			Issuer: &saml.Issuer{Value: f.EntityID(c)}, Status: saml.Status{StatusCode: saml.StatusCode{Value: saml.StatusSuccess}},
		}).Element()
	})
}

// errNoExit says that a provider offers no single logout.
var errNoExit = problem.New(problem.NotFound, "upstream_sign_out_unknown", "The other service offers no way to sign out from here.")

// way takes a message about signing out to the provider, by the binding that is preferred if it
// offers that.
func (p *samlIDP) way(post bool, field, relay string, key *serviceKey, write func(exit) (to string, message *etree.Element)) (Way, error) {
	if !p.parts() {
		return Way{}, errNoExit
	}
	if p.logout.none() || post && !p.logoutPost.none() {
		to, message := write(p.logoutPost)
		form, err := byPost(field, message, relay, key)
		return Way{URL: to, Form: form}, err
	}
	to, message := write(p.logout)
	address, err := byRedirect(to, field, message, relay, key)
	return Way{URL: address}, err
}

// newMessageID is an ID that nobody guesses; an NCName must not begin with a digit.
func newMessageID() string { return secret.Token("_").Reveal() }

// parts reports whether a connection's provider is known to offer single logout. Nobody's request
// for our metadata makes us ask it.
func (s *samlParty) parts(ctx context.Context, c Connection) bool {
	c = c.filled()
	if c.MetadataURL != "" {
		if saved, _, err := s.saved(ctx, c); err != nil || saved == nil {
			return false
		}
	}
	p, err := s.provider(ctx, c)
	return err == nil && p.parts()
}
