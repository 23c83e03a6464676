package federationtest

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"idp/internal/secret"
)

// SAML is an identity provider that says what a test wants. The zero fields of Person are left
// out of what it says.
type SAML struct {
	EntityID    string
	Address     string // where it is: sign-on at /sso, metadata at /metadata
	Key         *rsa.PrivateKey
	Certificate *x509.Certificate
	Now         func() time.Time

	Person        SAMLPerson
	SignResponse  bool
	SignAssertion bool              // as providers do by default
	Method        string            // of signatures; RSA with SHA-256
	EncryptTo     *x509.Certificate // encrypt the assertion, by AES-GCM
	PostOnly      bool              // offers HTTP-POST alone
	Logout        []string          // bindings by which it offers single logout
	AnswerTo      string            // the logout service that /slo answers to

	// Change alters an assertion before it is signed; nil leaves it.
	Change func(a *saml.Assertion)
}

// SAMLPerson is who signs in there.
type SAMLPerson struct {
	NameID     string
	Format     string // of the name: "" for none
	Attributes map[string][]string
	Context    string // AuthnContextClassRef
	Session    string
	At         time.Time // when they proved themselves; zero: now
}

// SAMLRequest is what an identity provider was asked.
type SAMLRequest struct {
	saml.AuthnRequest
	RelayState string
	Document   []byte
}

// NewSAML returns a provider at https://idp.example, with a person.
func NewSAML(t testing.TB, now func() time.Time) *SAML {
	t.Helper()
	key, err := samlKey()
	if err != nil {
		t.Fatal(err)
	}
	return &SAML{
		EntityID: "https://idp.example/metadata", Address: "https://idp.example", Key: key,
		Certificate: SelfSigned(t, key, now()), Now: now, SignAssertion: true, Method: dsig.RSASHA256SignatureMethod,
		Person: SAMLPerson{
			NameID: "ada-7", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", Session: "s-1",
			Context: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
			Attributes: map[string][]string{
				"urn:oid:0.9.2342.19200300.100.1.3": {"ada@acme.example"}, "givenName": {"Ada"}, "sn": {"Lovelace"}, "displayName": {"Ada Lovelace"},
			},
		},
	}
}

// samlKey is that of all providers of a process: making one takes a while.
var samlKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// SelfSigned returns a certificate for a key, good for a year around now.
func SelfSigned(t testing.TB, key *rsa.PrivateKey, now time.Time) *x509.Certificate {
	t.Helper()
	form := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(secret.Bytes(8)), Subject: pkix.Name{CommonName: "idp.example"},
		NotBefore: now.AddDate(0, -6, 0), NotAfter: now.AddDate(0, 6, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Metadata is what the provider says of itself.
func (p *SAML) Metadata() string {
	info := saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(p.Certificate.Raw)}}}}
	role := saml.IDPSSODescriptor{SingleSignOnServices: []saml.Endpoint{{Binding: saml.HTTPPostBinding, Location: p.Address + "/sso"}}}
	role.ProtocolSupportEnumeration = "urn:oasis:names:tc:SAML:2.0:protocol"
	role.KeyDescriptors = []saml.KeyDescriptor{{Use: "signing", KeyInfo: info}}
	if !p.PostOnly {
		role.SingleSignOnServices = append(role.SingleSignOnServices, saml.Endpoint{Binding: saml.HTTPRedirectBinding, Location: p.Address + "/sso"})
	}
	role.SingleLogoutServices = p.exits()
	doc, err := xml.MarshalIndent(saml.EntityDescriptor{
		EntityID: p.EntityID, ValidUntil: p.Now().AddDate(0, 1, 0), IDPSSODescriptors: []saml.IDPSSODescriptor{role},
	}, "", " ")
	if err != nil {
		panic(err)
	}
	return string(doc)
}

// Read returns what a browser that was sent to address, or with form, asks.
func (p *SAML) Read(address string, form url.Values) (SAMLRequest, error) {
	var r SAMLRequest
	field := form.Get("SAMLRequest")
	r.RelayState = form.Get("RelayState")
	if form == nil {
		u, err := url.Parse(address)
		if err != nil {
			return r, err
		}
		field, r.RelayState = u.Query().Get("SAMLRequest"), u.Query().Get("RelayState")
	}
	raw, err := base64.StdEncoding.DecodeString(field)
	if err != nil {
		return r, err
	}
	if form == nil {
		if raw, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), 1<<20)); err != nil {
			return r, err
		}
	}
	r.Document = raw
	return r, xml.Unmarshal(raw, &r.AuthnRequest)
}

// Answer is the form with which the provider's page sends the browser back.
func (p *SAML) Answer(r SAMLRequest) url.Values {
	return url.Values{"SAMLResponse": {Encode(p.Response(r, p.Sealed(r)))}, "RelayState": {r.RelayState}}
}

// Assertion is what the provider says of its person, unsigned.
func (p *SAML) Assertion(r SAMLRequest) *saml.Assertion {
	now := p.Now().UTC()
	at := p.Person.At
	if at.IsZero() {
		at = now
	}
	a := &saml.Assertion{
		ID: "_" + fmt.Sprintf("%x", secret.Bytes(16)), IssueInstant: now, Version: "2.0", Issuer: saml.Issuer{Value: p.EntityID},
		Subject: &saml.Subject{
			NameID: &saml.NameID{Format: p.Person.Format, Value: p.Person.NameID},
			SubjectConfirmations: []saml.SubjectConfirmation{{
				Method: "urn:oasis:names:tc:SAML:2.0:cm:bearer",
				SubjectConfirmationData: &saml.SubjectConfirmationData{
					InResponseTo: r.ID, Recipient: r.AssertionConsumerServiceURL, NotOnOrAfter: now.Add(5 * time.Minute),
				},
			}},
		},
		Conditions: &saml.Conditions{NotBefore: now.Add(-time.Minute), NotOnOrAfter: now.Add(5 * time.Minute)},
		AuthnStatements: []saml.AuthnStatement{{
			AuthnInstant: at, SessionIndex: p.Person.Session,
			AuthnContext: saml.AuthnContext{AuthnContextClassRef: &saml.AuthnContextClassRef{Value: p.Person.Context}},
		}},
	}
	if r.Issuer != nil {
		a.Conditions.AudienceRestrictions = []saml.AudienceRestriction{{Audience: saml.Audience{Value: r.Issuer.Value}}}
	}
	var statement saml.AttributeStatement
	for name, values := range p.Person.Attributes {
		one := saml.Attribute{Name: name, NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"}
		for _, v := range values {
			one.Values = append(one.Values, saml.AttributeValue{Type: "xs:string", Value: v})
		}
		statement.Attributes = append(statement.Attributes, one)
	}
	if len(statement.Attributes) > 0 {
		a.AttributeStatements = []saml.AttributeStatement{statement}
	}
	return a
}

// Sealed is the assertion as it goes into a response: changed, signed and encrypted as the test wants.
func (p *SAML) Sealed(r SAMLRequest) *etree.Element {
	a := p.Assertion(r)
	if p.Change != nil {
		p.Change(a)
	}
	el := a.Element()
	if p.SignAssertion {
		el = p.Sign(el)
	}
	if p.EncryptTo != nil {
		return p.encrypt(el)
	}
	return el
}

// Response is the message around an assertion.
func (p *SAML) Response(r SAMLRequest, assertion *etree.Element) *etree.Element {
	el := (&saml.Response{
		ID: "_" + fmt.Sprintf("%x", secret.Bytes(16)), Version: "2.0", IssueInstant: p.Now().UTC(), InResponseTo: r.ID,
		Destination: r.AssertionConsumerServiceURL, Issuer: &saml.Issuer{Value: p.EntityID},
		Status: saml.Status{StatusCode: saml.StatusCode{Value: saml.StatusSuccess}},
	}).Element()
	el.AddChild(assertion)
	if p.SignResponse {
		el = p.Sign(el)
	}
	return el
}

// Sign signs an element, after its issuer.
func (p *SAML) Sign(el *etree.Element) *etree.Element {
	return p.SignBy(el, p.Key, p.Certificate)
}

// SignBy is Sign by another key.
func (p *SAML) SignBy(el *etree.Element, key *rsa.PrivateKey, certificate *x509.Certificate) *etree.Element {
	context := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(tls.Certificate{
		Certificate: [][]byte{certificate.Raw}, PrivateKey: key, Leaf: certificate,
	}))
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := context.SetSignatureMethod(p.Method); err != nil {
		panic(err)
	}
	signature, err := context.ConstructSignature(el, true)
	if err != nil {
		panic(err)
	}
	el.InsertChildAt(1, signature)
	return el
}

// Encode writes a message as it goes into a form.
func Encode(el *etree.Element) string {
	doc := etree.NewDocument()
	doc.SetRoot(el)
	b, err := doc.WriteToBytes()
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Handler is the provider on the network: metadata, and a page with a form that the browser
// sends on by its button.
func (p *SAML) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metadata":
			w.Header().Set("Content-Type", "application/samlmetadata+xml")
			_, _ = io.WriteString(w, p.Metadata())
		case "/sso":
			p.serve(w, r)
		case "/slo":
			p.leave(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

func (p *SAML) serve(w http.ResponseWriter, r *http.Request) {
	var form url.Values
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		form = r.PostForm
	}
	request, err := p.Read(r.URL.String(), form)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = answerPage.Execute(w, map[string]any{"To": request.AssertionConsumerServiceURL, "Form": p.Answer(request)})
}

var answerPage = template.Must(template.New("").Parse(`<!doctype html><title>Identity provider</title>
<form method="post" action="{{.To}}">{{range $name, $values := .Form}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">{{end}}{{end}}
<button id="continue">Continue</button></form>`))
