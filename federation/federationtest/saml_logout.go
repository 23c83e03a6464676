package federationtest

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"idp/internal/secret"
)

// The ways in which a provider offers single logout.
const (
	LogoutRedirect = saml.HTTPRedirectBinding
	LogoutPost     = saml.HTTPPostBinding
)

// exits are the provider's single logout services: at /slo, answers at /slo/done.
func (p *SAML) exits() (all []saml.Endpoint) {
	for _, binding := range p.Logout {
		all = append(all, saml.Endpoint{Binding: binding, Location: p.Address + "/slo", ResponseLocation: p.Address + "/slo/done"})
	}
	return all
}

// SignOut is the provider's wish, to the service provider's logout service at to, that its person be
// signed out; sessions are those that end, none for all. It is not signed.
func (p *SAML) SignOut(to string, sessions ...string) *etree.Element {
	el := (&saml.LogoutRequest{
		ID: "_" + fmt.Sprintf("%x", secret.Bytes(16)), Version: "2.0", IssueInstant: p.Now().UTC(), Destination: to,
		Issuer: &saml.Issuer{Value: p.EntityID}, NameID: &saml.NameID{Value: p.Person.NameID, Format: p.Person.Format},
	}).Element()
	for _, s := range sessions {
		el.CreateElement("samlp:SessionIndex").SetText(s)
	}
	return el
}

// SignedOut is the provider's answer to a request of that ID, with that status. It is not signed.
func (p *SAML) SignedOut(to, request, status string) *etree.Element {
	return (&saml.LogoutResponse{
		ID: "_" + fmt.Sprintf("%x", secret.Bytes(16)), InResponseTo: request, Version: "2.0", IssueInstant: p.Now().UTC(), Destination: to,
		Issuer: &saml.Issuer{Value: p.EntityID}, Status: saml.Status{StatusCode: saml.StatusCode{Value: status}},
	}).Element()
}

// Query is a message as it goes into a query, signed over its octets.
func (p *SAML) Query(field string, el *etree.Element, relay string) string {
	return p.QueryBy(p.Key, field, el, relay)
}

// QueryBy is Query by another key.
func (p *SAML) QueryBy(key *rsa.PrivateKey, field string, el *etree.Element, relay string) string {
	raw := Deflated(field, el)
	if relay != "" {
		raw += "&RelayState=" + url.QueryEscape(relay)
	}
	raw += "&SigAlg=" + url.QueryEscape(dsig.RSASHA256SignatureMethod)
	sum := sha256.Sum256([]byte(raw))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return raw + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
}

// Deflated is a message as one field of a query.
func Deflated(field string, el *etree.Element) string {
	doc := etree.NewDocument()
	doc.SetRoot(el.Copy())
	plain, err := doc.WriteToBytes()
	if err != nil {
		panic(err)
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(plain)
	_ = w.Close()
	return field + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes()))
}

// Told is the message about signing out that a browser brings to the provider, from its query or form.
func (p *SAML) Told(field, address string, form url.Values) (*etree.Element, error) {
	value := form.Get(field)
	if form == nil {
		u, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		value = u.Query().Get(field)
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil, err
	}
	if form == nil {
		if raw, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), 1<<20)); err != nil {
			return nil, err
		}
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(raw); err != nil {
		return nil, err
	}
	if doc.Root() == nil {
		return nil, fmt.Errorf("no %s in %q", field, address)
	}
	return doc.Root(), nil
}

// leave serves /slo: it signs everybody out and says so to where the metadata of who asks has it.
func (p *SAML) leave(w http.ResponseWriter, r *http.Request) {
	asked, err := p.Told("SAMLRequest", r.URL.String(), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	to := p.AnswerTo
	http.Redirect(w, r, to+"?"+p.Query("SAMLResponse", p.SignedOut(to, asked.SelectAttrValue("ID", ""), saml.StatusSuccess), ""), http.StatusFound)
}
