package federation_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // to see it refused
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

const (
	formExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	formInclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	enveloped     = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	digestSHA256  = "http://www.w3.org/2001/04/xmlenc#sha256"
	digestSHA1    = "http://www.w3.org/2000/09/xmldsig#sha1"
)

// odd is a signature that verifies, by the provider's own key, in a form of its own.
type odd struct {
	form       string   // of SignedInfo
	transforms []string // of the assertion, whose last one is its form
	digest     string
}

func canonical(t *testing.T, form string, el *etree.Element) []byte {
	t.Helper()
	by := dsig.MakeC14N10RecCanonicalizer()
	if form == formExclusive {
		by = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	}
	around, err := etreeutils.NSBuildParentContext(el)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := etreeutils.NSDetatch(around, el)
	if err != nil {
		t.Fatal(err)
	}
	written, err := by.Canonicalize(alone)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// oddly is a response with an assertion that is signed so.
func (h *samlHouse) oddly(o odd) url.Values {
	h.Helper()
	h.idp.SignAssertion = false
	defer func() { h.idp.SignAssertion = true }()
	asked := h.asked()
	a := h.idp.Assertion(asked).Element()
	r := h.idp.Response(asked, a)
	last := formExclusive
	for _, one := range o.transforms {
		if one == formInclusive {
			last = one
		}
	}
	whole := canonical(h.T, last, a)
	sum := sha256.Sum256(whole)
	digest := sum[:]
	if o.digest == digestSHA1 {
		short := sha1.Sum(whole) //nolint:gosec // to see it refused
		digest = short[:]
	}
	s := etree.NewElement("ds:Signature")
	s.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	info := s.CreateElement("ds:SignedInfo")
	info.CreateElement("ds:CanonicalizationMethod").CreateAttr("Algorithm", o.form)
	info.CreateElement("ds:SignatureMethod").CreateAttr("Algorithm", dsig.RSASHA256SignatureMethod)
	reference := info.CreateElement("ds:Reference")
	reference.CreateAttr("URI", "#"+a.SelectAttrValue("ID", ""))
	transforms := reference.CreateElement("ds:Transforms")
	for _, one := range o.transforms {
		transforms.CreateElement("ds:Transform").CreateAttr("Algorithm", one)
	}
	reference.CreateElement("ds:DigestMethod").CreateAttr("Algorithm", o.digest)
	reference.CreateElement("ds:DigestValue").SetText(base64.StdEncoding.EncodeToString(digest))
	a.InsertChildAt(1, s)
	hashed := sha256.Sum256(canonical(h.T, o.form, info))
	value, err := rsa.SignPKCS1v15(rand.Reader, h.idp.Key, crypto.SHA256, hashed[:])
	h.must(err)
	s.CreateElement("ds:SignatureValue").SetText(base64.StdEncoding.EncodeToString(value))
	return h.form(r)
}

func TestSAMLSignatureOfAnotherFormIsRefusedThoughItVerifies(t *testing.T) {
	h := newSAMLHouse(t)
	usual := odd{formExclusive, []string{enveloped, formExclusive}, digestSHA256}
	if _, err := h.brought(h.oddly(usual)); err != nil {
		t.Fatalf("the usual form is refused, so this proves nothing: %v", err)
	}
	for what, o := range map[string]odd{
		"SignedInfo in inclusive form":      {formInclusive, usual.transforms, digestSHA256},
		"the assertion in inclusive form":   {formExclusive, []string{enveloped, formInclusive}, digestSHA256},
		"one transform":                     {formExclusive, []string{enveloped}, digestSHA256},
		"no transform":                      {formExclusive, nil, digestSHA256},
		"three transforms":                  {formExclusive, []string{enveloped, formExclusive, formExclusive}, digestSHA256},
		"the transforms in the other order": {formExclusive, []string{formExclusive, enveloped}, digestSHA256},
		"the same transform twice":          {formExclusive, []string{enveloped, enveloped}, digestSHA256},
		"a digest by SHA-1":                 {formExclusive, usual.transforms, digestSHA1},
	} {
		h.d = h.departure()
		h.refused(what, h.oddly(o))
	}
}

func TestSAMLAssertionIsTakenOnceHoweverManyConfirmationsItHas(t *testing.T) {
	h := newSAMLHouse(t)
	h.idp.Change = func(a *saml.Assertion) {
		a.Conditions.NotOnOrAfter = h.clock.Now().Add(time.Hour)
		long := a.Subject.SubjectConfirmations[0]
		data := *long.SubjectConfirmationData
		data.NotOnOrAfter = h.clock.Now().Add(50 * time.Minute)
		long.SubjectConfirmationData = &data
		a.Subject.SubjectConfirmations = append(a.Subject.SubjectConfirmations, long)
	}
	form := h.idp.Answer(h.asked())
	if _, err := h.brought(form); err != nil {
		t.Fatal(err)
	}
	h.clock.Add(10 * time.Minute) // the first of the two is over, the second holds
	h.must(h.db.Sweep(t.Context()))
	h.refused("the same again by its other confirmation", form)
}
