package federation

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
)

// expected is what a response must answer to.
type expected struct {
	now          time.Time
	acs          string // where it was posted
	audience     string // our entity id
	issuer       string // the provider's
	request      string // the ID of the request that it answers
	certificates []*x509.Certificate
	key          func() (*rsa.PrivateKey, error) // what is encrypted to us opens with it
}

// said is what a provider said of a person, after every check.
type said struct {
	id           string
	until        time.Time // from when on it says nothing any more
	name         nameID
	sessionIndex string
	authTime     time.Time
	context      string // AuthnContextClassRef
	attributes   []attribute
}

type nameID struct {
	Value           string `json:"value"`
	Format          string `json:"format,omitempty"`
	NameQualifier   string `json:"name_qualifier,omitempty"`
	SPNameQualifier string `json:"sp_name_qualifier,omitempty"`
}

type attribute struct {
	names  []string
	values []string
}

// readResponse verifies and reads a response (Profiles §4.1.4). Whatever is wrong with it is an
// error for the log; the person is told one sentence.
func readResponse(doc []byte, want expected) (out said, err error) {
	defer func() {
		if cause := recover(); cause != nil { // libraries have met odd XML before
			out, err = said{}, fmt.Errorf("panic: %v", cause)
		}
	}()
	root, err := parseXML(doc, messageBounds)
	if err != nil {
		return said{}, err
	}
	if err := responseShape(root); err != nil {
		return said{}, err
	}
	envelope := root
	covered := childOf(root, nsSignature, "Signature") != nil
	if covered {
		if envelope, err = signed(root, want.certificates, want.now); err != nil {
			return said{}, err
		}
		if err := responseShape(envelope); err != nil {
			return said{}, err
		}
	}
	if err := want.envelope(envelope, covered); err != nil {
		return said{}, err
	}
	assertion, err := want.assertion(root, envelope, covered)
	if err != nil {
		return said{}, err
	}
	return want.read(assertion)
}

// responseShape refuses what makes two readers see two assertions: there is one Response, at the
// root, one assertion, its child, signatures are children of these two, and no ID comes twice.
func responseShape(root *etree.Element) error {
	if !isElement(root, nsProtocol, "Response") || attrOf(root, "Version") != "2.0" {
		return errors.New("not a SAML 2.0 response")
	}
	err := holds(root, optional(nsAssertion, "Issuer"), optional(nsSignature, "Signature"), optional(nsProtocol, "Extensions"),
		exactly(nsProtocol, "Status"), optional(nsAssertion, "Assertion", "EncryptedAssertion"))
	if err != nil {
		return err
	}
	if err := countShape(root); err != nil {
		return err
	}
	if a := childOf(root, nsAssertion, "Assertion"); a != nil {
		return assertionShape(a)
	}
	return nil
}

// countShape counts names whatever namespace they claim to be in.
func countShape(root *etree.Element) error {
	var problem error
	ids, assertions := map[string]bool{}, 0
	eachElement(root, func(el *etree.Element) {
		switch parent := el.Parent(); el.Tag {
		case "Response":
			if el != root {
				problem = errors.New("a response within")
			}
		case "Assertion", "EncryptedAssertion":
			if assertions++; el != root && parent != root {
				problem = errors.New("an assertion out of its place")
			}
		case "Signature":
			if parent != root && (parent.Parent() != root || parent.Tag != "Assertion") {
				problem = errors.New("a signature out of its place")
			}
		case "EncryptedID", "EncryptedAttribute":
			problem = errors.New("single values are encrypted")
		}
		for _, a := range el.Attr {
			if !strings.EqualFold(a.Key, "id") || a.Space == "xmlns" {
				continue
			}
			if ids[a.Value] || a.Value == "" {
				problem = errors.New("an ID comes twice, or is empty")
			}
			ids[a.Value] = true
		}
	})
	if assertions > 1 {
		return errors.New("more than one assertion")
	}
	return problem
}

func assertionShape(a *etree.Element) error {
	if !isElement(a, nsAssertion, "Assertion") || attrOf(a, "Version") != "2.0" || attrOf(a, "ID") == "" {
		return errors.New("not a SAML 2.0 assertion")
	}
	err := holds(a, exactly(nsAssertion, "Issuer"), optional(nsSignature, "Signature"), exactly(nsAssertion, "Subject"),
		exactly(nsAssertion, "Conditions"), several(nsAssertion, "AuthnStatement", "AttributeStatement"))
	if err != nil {
		return err
	}
	if len(childrenOf(a, nsAssertion, "AuthnStatement")) != 1 {
		return errors.New("not exactly one authentication statement")
	}
	return nil
}

// envelope checks what the response says around the assertion. Where no signature covers it,
// it can only be a reason to refuse.
func (want expected) envelope(r *etree.Element, covered bool) error {
	status := childOf(r, nsProtocol, "Status")
	if err := statusOK(status); err != nil {
		return err
	}
	if to := attrOf(r, "Destination"); to != want.acs && (to != "" || covered) {
		return fmt.Errorf("meant for %q", to)
	}
	if id := attrOf(r, "InResponseTo"); id != want.request {
		return fmt.Errorf("answers another request: %q", id)
	}
	if issuer := childOf(r, nsAssertion, "Issuer"); issuer != nil {
		if err := want.issued(issuer); err != nil {
			return err
		}
	}
	return want.past(attrOf(r, "IssueInstant"))
}

// errStatus is a provider's own no.
var errStatus = errors.New("the provider says no")

func statusOK(status *etree.Element) error {
	if err := holds(status, exactly(nsProtocol, "StatusCode"), optional(nsProtocol, "StatusMessage"), optional(nsProtocol, "StatusDetail")); err != nil {
		return err
	}
	code := childOf(status, nsProtocol, "StatusCode")
	if attrOf(code, "Value") == saml.StatusSuccess {
		return nil
	}
	reason := attrOf(code, "Value")
	if more := childOf(code, nsProtocol, "StatusCode"); more != nil {
		reason += " " + attrOf(more, "Value")
	}
	return fmt.Errorf("%w: %.300s", errStatus, reason)
}

func (want expected) issued(issuer *etree.Element) error {
	name, err := textOf(issuer)
	if err != nil {
		return err
	}
	if format := attrOf(issuer, "Format"); name != want.issuer || format != "" && format != entityFormat {
		return fmt.Errorf("issued by %q", name)
	}
	return nil
}

// assertion returns the one assertion, covered by its own signature or by that of its response.
// A signature that is there has to be right, even if another would do.
func (want expected) assertion(root, envelope *etree.Element, covered bool) (*etree.Element, error) {
	original := childOf(root, nsAssertion, "Assertion")
	if original == nil {
		sealed := childOf(envelope, nsAssertion, "EncryptedAssertion")
		if sealed == nil {
			return nil, errors.New("no assertion")
		}
		return want.opened(sealed, covered)
	}
	if childOf(original, nsSignature, "Signature") != nil {
		a, err := signed(original, want.certificates, want.now)
		if err != nil {
			return nil, err
		}
		return a, assertionShape(a)
	}
	if !covered {
		return nil, errUnknownSigner
	}
	a := childOf(envelope, nsAssertion, "Assertion")
	if a == nil {
		return nil, errors.New("no assertion in what is signed")
	}
	return a, nil
}

func (want expected) opened(sealed *etree.Element, covered bool) (*etree.Element, error) {
	key, err := want.key()
	if err != nil {
		return nil, err
	}
	plain, err := decrypt(sealed, key, covered)
	if err != nil {
		return nil, err
	}
	a, err := parseXML(plain, messageBounds)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(assertionShape(a), countShape(a)); err != nil {
		return nil, err
	}
	if childOf(a, nsSignature, "Signature") == nil {
		if !covered {
			return nil, errUnknownSigner
		}
		return a, nil
	}
	if a, err = signed(a, want.certificates, want.now); err != nil {
		return nil, err
	}
	return a, assertionShape(a)
}

// readMessage decodes what came in a form field.
func readMessage(field string) ([]byte, error) {
	if len(field) > maxEncoded {
		return nil, fmt.Errorf("more than %d characters", maxEncoded)
	}
	doc, err := unbase64(field)
	if err != nil {
		return nil, err
	}
	if len(doc) > messageBounds.size {
		return nil, fmt.Errorf("more than %d bytes", messageBounds.size)
	}
	return doc, nil
}

// maxEncoded is the most characters of a message in base64.
const maxEncoded = 128 << 10

// verified reads a response with the certificates that are known, and once more if the
// signature is by none of these and the provider's metadata has changed meanwhile.
func (s *samlParty) verified(ctx context.Context, doc []byte, want expected, p *samlIDP) (said, error) {
	out, err := readResponse(doc, want)
	if !errors.Is(err, errUnknownSigner) {
		return out, err
	}
	fresh, changed := s.again(ctx, p)
	if !changed {
		return out, err
	}
	want.certificates = slices.Clone(fresh.certificates)
	return readResponse(doc, want)
}
