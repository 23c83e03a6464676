package federation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// The formats of names that matter here (Core §8.3).
const (
	entityFormat     = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
	persistentFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	transientFormat  = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	emailFormat      = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

	bearerMethod = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
)

// read takes what an assertion says, after checking that it is meant for us, now, as the answer
// to our request. It is given nothing that a signature does not cover.
func (want expected) read(a *etree.Element) (said, error) {
	out := said{id: attrOf(a, "ID")}
	if err := want.issued(childOf(a, nsAssertion, "Issuer")); err != nil {
		return said{}, err
	}
	if err := want.past(attrOf(a, "IssueInstant")); err != nil {
		return said{}, err
	}
	ends, err := want.conditions(childOf(a, nsAssertion, "Conditions"))
	if err != nil {
		return said{}, err
	}
	confirmed, err := want.subject(childOf(a, nsAssertion, "Subject"), &out)
	if err != nil {
		return said{}, err
	}
	if out.until = ends; confirmed.Before(ends) {
		out.until = confirmed
	}
	if err := want.authentication(childOf(a, nsAssertion, "AuthnStatement"), &out); err != nil {
		return said{}, err
	}
	for _, statement := range childrenOf(a, nsAssertion, "AttributeStatement") {
		if err := out.take(statement); err != nil {
			return said{}, err
		}
	}
	return out, nil
}

// past reports that a time is not in the future.
func (want expected) past(s string) error {
	at, err := instant(s)
	if err == nil && at.After(want.now.Add(skew)) {
		err = fmt.Errorf("%s is in the future", at)
	}
	return err
}

// conditions checks when and for whom the assertion holds (Core §2.5.1). A condition that we do
// not understand makes it hold for nobody.
func (want expected) conditions(c *etree.Element) (ends time.Time, err error) {
	begins, err := instant(attrOf(c, "NotBefore"))
	if err != nil {
		return ends, fmt.Errorf("NotBefore of the conditions: %w", err)
	}
	if ends, err = instant(attrOf(c, "NotOnOrAfter")); err != nil {
		return ends, fmt.Errorf("NotOnOrAfter of the conditions: %w", err)
	}
	if want.now.Before(begins.Add(-skew)) || !want.now.Before(ends.Add(skew)) {
		return ends, fmt.Errorf("holds from %s to %s", begins, ends)
	}
	audiences := 0
	for _, child := range c.ChildElements() {
		switch {
		case isElement(child, nsAssertion, "AudienceRestriction"):
			if err := want.audienceIn(child); err != nil {
				return ends, err
			}
			audiences++
		case isElement(child, nsAssertion, "OneTimeUse"), isElement(child, nsAssertion, "ProxyRestriction"):
		default:
			return ends, fmt.Errorf("unknown condition %s", child.Tag)
		}
	}
	if audiences == 0 {
		return ends, errors.New("no audience")
	}
	return ends, nil
}

func (want expected) audienceIn(restriction *etree.Element) error {
	var named []string
	for _, a := range childrenOf(restriction, nsAssertion, "Audience") {
		name, err := textOf(a)
		if err != nil {
			return err
		}
		named = append(named, name)
	}
	if !slices.Contains(named, want.audience) {
		return fmt.Errorf("for another audience: %.200q", strings.Join(named, " "))
	}
	return nil
}

// subject reads whom the assertion is about, and looks for a confirmation that whoever brings it
// is that person (Profiles §4.1.4.2). It returns until when one of them may be relied on: for so
// long the assertion must not come again.
func (want expected) subject(s *etree.Element, out *said) (until time.Time, err error) {
	if err := holds(s, exactly(nsAssertion, "NameID"), several(nsAssertion, "SubjectConfirmation")); err != nil {
		return until, err
	}
	name := childOf(s, nsAssertion, "NameID")
	value, err := textOf(name)
	if err != nil {
		return until, err
	}
	if value == "" {
		return until, errors.New("an empty name")
	}
	out.name = nameID{value, attrOf(name, "Format"), attrOf(name, "NameQualifier"), attrOf(name, "SPNameQualifier")}
	var causes []error
	for _, c := range childrenOf(s, nsAssertion, "SubjectConfirmation") {
		if attrOf(c, "Method") != bearerMethod {
			continue
		}
		ends, err := want.confirmation(childOf(c, nsAssertion, "SubjectConfirmationData"))
		if err != nil {
			causes = append(causes, err)
		} else if ends.After(until) {
			until = ends
		}
	}
	if !until.IsZero() {
		return until, nil
	}
	return until, fmt.Errorf("no confirmation of the subject: %w", errors.Join(causes...))
}

func (want expected) confirmation(data *etree.Element) (until time.Time, err error) {
	if data == nil {
		return until, errors.New("no data")
	}
	if to := attrOf(data, "Recipient"); to != want.acs {
		return until, fmt.Errorf("for the recipient %q", to)
	}
	if id := attrOf(data, "InResponseTo"); id != want.request {
		return until, fmt.Errorf("to the request %q", id)
	}
	if attrOf(data, "NotBefore") != "" {
		return until, errors.New("with NotBefore, which must not be")
	}
	if until, err = instant(attrOf(data, "NotOnOrAfter")); err != nil {
		return until, fmt.Errorf("NotOnOrAfter of the confirmation: %w", err)
	}
	if !want.now.Before(until.Add(skew)) {
		return until, fmt.Errorf("was good until %s", until)
	}
	return until, nil
}

// authentication reads when and how the person proved themselves there.
func (want expected) authentication(s *etree.Element, out *said) (err error) {
	if out.authTime, err = instant(attrOf(s, "AuthnInstant")); err != nil {
		return fmt.Errorf("AuthnInstant: %w", err)
	}
	if out.authTime.After(want.now.Add(skew)) {
		return errors.New("proven in the future")
	}
	if end := attrOf(s, "SessionNotOnOrAfter"); end != "" {
		until, err := instant(end)
		if err != nil {
			return fmt.Errorf("SessionNotOnOrAfter: %w", err)
		}
		if !want.now.Before(until.Add(skew)) {
			return errors.New("the session there is over")
		}
	}
	out.sessionIndex = attrOf(s, "SessionIndex")
	context := childOf(s, nsAssertion, "AuthnContext")
	if context == nil {
		return errors.New("no authentication context")
	}
	if class := childOf(context, nsAssertion, "AuthnContextClassRef"); class != nil {
		if out.context, err = textOf(class); err != nil {
			return err
		}
	}
	return nil
}

// take reads the attributes of a statement. A value that is no text is left out, one that has
// something in the middle of it is refused.
func (out *said) take(statement *etree.Element) error {
	for _, a := range childrenOf(statement, nsAssertion, "Attribute") {
		one := attribute{names: []string{attrOf(a, "Name")}}
		if friendly := attrOf(a, "FriendlyName"); friendly != "" && friendly != one.names[0] {
			one.names = append(one.names, friendly)
		}
		for _, v := range childrenOf(a, nsAssertion, "AttributeValue") {
			if len(v.ChildElements()) != 0 {
				continue
			}
			text, err := textOf(v)
			if err != nil {
				return err
			}
			if text != "" {
				one.values = append(one.values, text)
			}
		}
		out.attributes = append(out.attributes, one)
	}
	return nil
}

// instant reads a time as SAML writes it (Core §1.3.3): in UTC, with or without saying so.
func instant(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	t, err := time.Parse("2006-01-02T15:04:05.999999999", s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.40q is no time", s)
	}
	return t, nil
}
