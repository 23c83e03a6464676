package federation

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// errUnknownSigner says that a signature is by none of the certificates we know, or none at all:
// the provider may have changed its certificate.
var errUnknownSigner = errors.New("no signature by a certificate of this provider")

// The algorithms that a signature may use. SHA-1 is none of them, and nothing with a shared key.
var (
	signatureAlgorithms = map[string]bool{
		dsig.RSASHA256SignatureMethod: true, dsig.RSASHA384SignatureMethod: true, dsig.RSASHA512SignatureMethod: true,
		dsig.ECDSASHA256SignatureMethod: true, dsig.ECDSASHA384SignatureMethod: true, dsig.ECDSASHA512SignatureMethod: true,
	}
	digestAlgorithms = map[string]bool{
		"http://www.w3.org/2001/04/xmlenc#sha256": true, "http://www.w3.org/2001/04/xmldsig-more#sha384": true,
		"http://www.w3.org/2001/04/xmlenc#sha512": true,
	}
)

const (
	envelopedTransform = nsSignature + "enveloped-signature"
	exclusiveComments  = nsExclusive + "WithComments"
)

// signed verifies the enveloped signature of an element and returns what it covers, read from
// the very octets that were verified: only that may be believed. Certificates that a message
// brings along are ignored.
func signed(el *etree.Element, certificates []*x509.Certificate, now time.Time) (*etree.Element, error) {
	if err := signatureShape(el); err != nil {
		return nil, err
	}
	around, err := etreeutils.NSBuildParentContext(el)
	if err != nil {
		return nil, err
	}
	detached, err := etreeutils.NSDetatch(around, el)
	if err != nil {
		return nil, err
	}
	signature := childOf(detached, nsSignature, "Signature")
	if signature == nil {
		return nil, errors.New("the signature got lost")
	}
	if info := childOf(signature, nsSignature, "KeyInfo"); info != nil {
		signature.RemoveChild(info)
	}
	if err := plainSignature(signature); err != nil {
		return nil, err
	}
	var causes []error
	for _, c := range certificates {
		context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{c}})
		context.Clock = dsig.NewFakeClockAt(now)
		covered, err := context.Validate(detached)
		if err == nil && covered != nil && attrOf(covered, "ID") == attrOf(el, "ID") && covered.Tag == el.Tag {
			return covered, nil
		}
		causes = append(causes, err)
	}
	return nil, fmt.Errorf("%w: %w", errUnknownSigner, errors.Join(causes...))
}

// signatureShape lets through only signatures of the one form that SAML has (Core §5.4): one
// reference, to the element that holds it, enveloped, in exclusive canonical form.
func signatureShape(el *etree.Element) error {
	all := childrenOf(el, nsSignature, "Signature")
	if len(all) != 1 {
		return errors.New("not exactly one signature")
	}
	signature, id := all[0], attrOf(el, "ID")
	if id == "" {
		return errors.New("a signed element without ID")
	}
	if err := holds(signature, exactly(nsSignature, "SignedInfo"), exactly(nsSignature, "SignatureValue"), optional(nsSignature, "KeyInfo")); err != nil {
		return err
	}
	info := childOf(signature, nsSignature, "SignedInfo")
	if err := holds(info, exactly(nsSignature, "CanonicalizationMethod"), exactly(nsSignature, "SignatureMethod"), exactly(nsSignature, "Reference")); err != nil {
		return err
	}
	if form := childOf(info, nsSignature, "CanonicalizationMethod"); !exclusive(attrOf(form, "Algorithm")) || len(form.ChildElements()) != 0 {
		return errors.New("SignedInfo is not in exclusive canonical form")
	}
	method := childOf(info, nsSignature, "SignatureMethod")
	if name := attrOf(method, "Algorithm"); !signatureAlgorithms[name] || len(method.ChildElements()) != 0 {
		return fmt.Errorf("signature algorithm %q", name)
	}
	reference := childOf(info, nsSignature, "Reference")
	if attrOf(reference, "URI") != "#"+id {
		return errors.New("the signature is of something else")
	}
	if err := holds(reference, exactly(nsSignature, "Transforms"), exactly(nsSignature, "DigestMethod"), exactly(nsSignature, "DigestValue")); err != nil {
		return err
	}
	digest := childOf(reference, nsSignature, "DigestMethod")
	if name := attrOf(digest, "Algorithm"); !digestAlgorithms[name] || len(digest.ChildElements()) != 0 {
		return fmt.Errorf("digest algorithm %q", name)
	}
	return transformShape(childOf(reference, nsSignature, "Transforms"))
}

func exclusive(algorithm string) bool {
	return algorithm == nsExclusive || algorithm == exclusiveComments // comments were refused before
}

func transformShape(transforms *etree.Element) error {
	all := childrenOf(transforms, nsSignature, "Transform")
	if len(all) != 2 || len(all) != len(transforms.ChildElements()) {
		return errors.New("not exactly the two transforms")
	}
	if attrOf(all[0], "Algorithm") != envelopedTransform || len(all[0].ChildElements()) != 0 {
		return errors.New("the first transform is not that of an enveloped signature")
	}
	if !exclusive(attrOf(all[1], "Algorithm")) {
		return errors.New("the second transform is not exclusive canonical form")
	}
	return holds(all[1], optional(nsExclusive, "InclusiveNamespaces"))
}

// plainSignature brings the signature value into the form that the library reads: without line
// breaks, and that of an elliptic curve, two numbers side by side in XML (RFC 4050 §3.3), in ASN.1.
func plainSignature(signature *etree.Element) error {
	value := childOf(signature, nsSignature, "SignatureValue")
	text, err := textOf(value)
	if err != nil {
		return err
	}
	raw, err := unbase64(text)
	if err != nil {
		return err
	}
	method := childOf(childOf(signature, nsSignature, "SignedInfo"), nsSignature, "SignatureMethod")
	if strings.Contains(attrOf(method, "Algorithm"), "#ecdsa-") {
		if raw, err = pairToASN1(raw); err != nil {
			return err
		}
	}
	value.SetText(base64.StdEncoding.EncodeToString(raw))
	return nil
}

func pairToASN1(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw)%2 != 0 {
		return nil, errors.New("a signature of odd length")
	}
	half := len(raw) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
}

// unbase64 reads base64 as providers send it, which is with line breaks at times, and strictly otherwise.
func unbase64(s string) ([]byte, error) {
	return base64.StdEncoding.Strict().DecodeString(strings.NewReplacer("\r", "", "\n", "", " ", "", "\t", "").Replace(s))
}
