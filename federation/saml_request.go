package federation

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// depart asks the provider to sign the person in (Core §3.4): by HTTP-Redirect, signed in the
// query, or by HTTP-POST, signed in the document, where the provider offers only that.
func (s *samlParty) depart(ctx context.Context, c Connection, d Departure) (Way, error) {
	p, err := s.provider(ctx, c)
	if err != nil {
		return Way{}, err
	}
	key, err := s.key(ctx)
	if err != nil {
		return Way{}, err
	}
	request := s.request(c, p, d)
	if p.redirect != "" {
		request.Destination = p.redirect
		to, err := byRedirect(p.redirect, "SAMLRequest", request.Element(), d.State.Reveal(), key)
		return Way{URL: to}, err
	}
	request.Destination = p.post
	form, err := byPost("SAMLRequest", request.Element(), d.State.Reveal(), key)
	return Way{URL: p.post, Form: form}, err
}

func (s *samlParty) request(c Connection, p *samlIDP, d Departure) *saml.AuthnRequest {
	create := true
	r := &saml.AuthnRequest{
		ID: s.f.requestID(d.State), Version: "2.0", IssueInstant: d.At.UTC(),
		Issuer:                      &saml.Issuer{Value: s.f.EntityID(c)},
		AssertionConsumerServiceURL: s.f.Callback(c), ProtocolBinding: saml.HTTPPostBinding,
		NameIDPolicy: &saml.NameIDPolicy{AllowCreate: &create},
	}
	if format := oneOf(p.formats, persistentFormat); format != "" {
		r.NameIDPolicy.Format = &format
	}
	if d.Anew || d.MaxAge != nil && *d.MaxAge == 0 {
		anew := true
		r.ForceAuthn = &anew
	}
	return r
}

// byRedirect is a message in a query (Bindings §3.4): deflated, and signed over the octets of the
// query, in that order.
func byRedirect(to, field string, message *etree.Element, relay string, key *serviceKey) (string, error) {
	doc, err := document(message)
	if err != nil {
		return "", err
	}
	var deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.BestCompression)
	if err != nil {
		return "", fmt.Errorf("deflate: %w", err)
	}
	if _, err := w.Write(doc); err != nil {
		return "", fmt.Errorf("deflate: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("deflate: %w", err)
	}
	query := field + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated.Bytes()))
	if relay != "" {
		query += "&RelayState=" + url.QueryEscape(relay)
	}
	query += "&SigAlg=" + url.QueryEscape(dsig.RSASHA256SignatureMethod)
	sum := sha256.Sum256([]byte(query))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign a message: %w", err)
	}
	query += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
	u, err := url.Parse(to)
	if err != nil {
		return "", fmt.Errorf("address of the provider: %w", err)
	}
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	return u.String(), nil
}

// byPost is a message in a form (Bindings §3.5), signed in the document: after its issuer, where
// the schema has the signature.
func byPost(field string, message *etree.Element, relay string, key *serviceKey) (url.Values, error) {
	signature, err := key.signature(message)
	if err != nil {
		return nil, err
	}
	message.InsertChildAt(1, signature)
	doc, err := document(message)
	if err != nil {
		return nil, err
	}
	form := url.Values{field: {base64.StdEncoding.EncodeToString(doc)}}
	if relay != "" {
		form.Set("RelayState", relay)
	}
	return form, nil
}

// signature is the enveloped one of an element.
func (k *serviceKey) signature(el *etree.Element) (*etree.Element, error) {
	context := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(tls.Certificate{
		Certificate: [][]byte{k.certificate.Raw}, PrivateKey: k.private, Leaf: k.certificate,
	}))
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := context.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return nil, fmt.Errorf("sign a message: %w", err)
	}
	signature, err := context.ConstructSignature(el, true)
	if err != nil {
		return nil, fmt.Errorf("sign a message: %w", err)
	}
	return signature, nil
}

func document(el *etree.Element) ([]byte, error) {
	doc := etree.NewDocument()
	doc.SetRoot(el)
	b, err := doc.WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("write a message: %w", err)
	}
	return bytes.TrimSpace(b), nil
}

// plainHTTP reports whether addresses may go without TLS: where our own does, in development.
func (f *Federation) plainHTTP() bool { return strings.HasPrefix(f.Issuer, "http://") }
