package federation_test

import (
	"bytes"
	"compress/flate"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

// attack is a response that somebody made of a right one.
type attack struct {
	name string
	make func(h *samlHouse) url.Values
}

func refuseAll(t *testing.T, attacks []attack) {
	t.Helper()
	h := newSAMLHouse(t)
	for _, a := range attacks {
		h.d = h.departure()
		h.idp.SignResponse, h.idp.SignAssertion, h.idp.Change, h.idp.EncryptTo = false, true, nil, nil
		h.idp.Method = dsig.RSASHA256SignatureMethod
		h.refused(a.name, a.make(h))
	}
	h.idp.SignResponse, h.idp.SignAssertion, h.idp.Change, h.idp.Method = false, true, nil, dsig.RSASHA256SignatureMethod
	if _, err := h.signIn(); err != nil {
		t.Errorf("what was not attacked is refused too: %v", err)
	}
}

// response is a right one, as a tree to be spoilt.
func (h *samlHouse) response() *etree.Element {
	h.Helper()
	r := h.asked()
	return h.idp.Response(r, h.idp.Sealed(r))
}

// evil is a copy of an assertion that says it is somebody else, without signature.
func evil(assertion *etree.Element) *etree.Element {
	c := assertion.Copy()
	if s := c.FindElement("./Signature"); s != nil {
		c.RemoveChild(s)
	}
	c.FindElement("./Subject/NameID").SetText("admin")
	return c
}

func renamed(el *etree.Element, id string) *etree.Element {
	el.CreateAttr("ID", id)
	return el
}

func TestSAMLSignatureWrappingIsRefused(t *testing.T) {
	whole := func(h *samlHouse) *etree.Element {
		h.idp.SignAssertion, h.idp.SignResponse = false, true
		return h.response()
	}
	refuseAll(t, []attack{
		{"an evil response around the signed one, which is in its signature", func(h *samlHouse) url.Values {
			good := whole(h)
			bad := renamed(good.Copy(), "_evil")
			bad.FindElement("./Assertion/Subject/NameID").SetText("admin")
			good.RemoveChild(good.FindElement("./Signature"))
			bad.FindElement("./Signature").AddChild(good)
			return h.form(bad)
		}},
		{"an evil response with the signed one beside its signature", func(h *samlHouse) url.Values {
			good := whole(h)
			bad := renamed(good.Copy(), "_evil")
			bad.FindElement("./Assertion/Subject/NameID").SetText("admin")
			good.RemoveChild(good.FindElement("./Signature"))
			bad.InsertChildAt(1, good)
			return h.form(bad)
		}},
		{"an evil assertion before the signed one", func(h *samlHouse) url.Values {
			r := h.response()
			a := r.FindElement("./Assertion")
			r.InsertChildAt(a.Index(), renamed(evil(a), "_evil"))
			return h.form(r)
		}},
		{"an evil assertion after the signed one", func(h *samlHouse) url.Values {
			r := h.response()
			r.AddChild(renamed(evil(r.FindElement("./Assertion")), "_evil"))
			return h.form(r)
		}},
		{"an evil assertion around the signed one", func(h *samlHouse) url.Values {
			r := h.response()
			a := r.FindElement("./Assertion")
			bad := renamed(evil(a), "_evil")
			r.RemoveChild(a)
			bad.AddChild(a)
			r.AddChild(bad)
			return h.form(r)
		}},
		{"the signed one altered, its original without signature at the end", func(h *samlHouse) url.Values {
			r := h.response()
			a := r.FindElement("./Assertion")
			original := a.Copy()
			original.RemoveChild(original.FindElement("./Signature"))
			renamed(a, "_evil").FindElement("./Subject/NameID").SetText("admin")
			r.AddChild(original)
			return h.form(r)
		}},
		{"the signed one altered, its original in the signature", func(h *samlHouse) url.Values {
			r := h.response()
			a := r.FindElement("./Assertion")
			original := a.Copy()
			original.RemoveChild(original.FindElement("./Signature"))
			renamed(a, "_evil").FindElement("./Subject/NameID").SetText("admin")
			a.FindElement("./Signature").AddChild(original)
			return h.form(r)
		}},
		{"an evil assertion in the extensions", func(h *samlHouse) url.Values {
			r := h.response()
			a := r.FindElement("./Assertion")
			x := etree.NewElement("samlp:Extensions")
			x.AddChild(evil(a))
			r.InsertChildAt(r.FindElement("./Status").Index(), x)
			return h.form(r)
		}},
		{"the original in an object of the signature", func(h *samlHouse) url.Values {
			r := h.response()
			a := r.FindElement("./Assertion")
			original := a.Copy()
			original.RemoveChild(original.FindElement("./Signature"))
			o := etree.NewElement("ds:Object")
			o.AddChild(original)
			renamed(a, "_evil").FindElement("./Subject/NameID").SetText("admin")
			a.FindElement("./Signature").AddChild(o)
			return h.form(r)
		}},
		{"two elements of one ID", func(h *samlHouse) url.Values {
			r := h.response()
			r.CreateAttr("ID", r.FindElement("./Assertion").SelectAttrValue("ID", ""))
			return h.form(r)
		}},
		{"an encrypted assertion beside the signed one", func(h *samlHouse) url.Values {
			r := h.response()
			h.idp.EncryptTo = h.ourCertificate()
			r.AddChild(h.idp.Sealed(h.asked()))
			return h.form(r)
		}},
	})
}

func TestSAMLSignatureThatIsNotTheProvidersIsRefused(t *testing.T) {
	refuseAll(t, []attack{
		{"no signature at all", func(h *samlHouse) url.Values { h.idp.SignAssertion = false; return h.form(h.response()) }},
		{"the signature removed", func(h *samlHouse) url.Values {
			r := h.response()
			a := r.FindElement("./Assertion")
			a.RemoveChild(a.FindElement("./Signature"))
			return h.form(r)
		}},
		{"signed by a stranger, whose certificate comes along", func(h *samlHouse) url.Values {
			h.idp.SignAssertion = false
			r := h.asked()
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			h.must(err)
			return h.form(h.idp.Response(r, h.idp.SignBy(h.idp.Assertion(r).Element(), key, federationtest.SelfSigned(h, key, h.clock.Now()))))
		}},
		{"signed by a stranger in the provider's name, with the provider's certificate", func(h *samlHouse) url.Values {
			h.idp.SignAssertion = false
			r := h.asked()
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			h.must(err)
			return h.form(h.idp.Response(r, h.idp.SignBy(h.idp.Assertion(r).Element(), key, h.idp.Certificate)))
		}},
		{"the response of another person signed, this assertion not", func(h *samlHouse) url.Values {
			h.idp.SignAssertion, h.idp.SignResponse = false, true
			r := h.response()
			r.FindElement("./Assertion/Subject/NameID").SetText("admin")
			return h.form(r)
		}},
		{"a response with a wrong signature around an assertion with a right one", func(h *samlHouse) url.Values {
			h.idp.SignResponse = true
			r := h.response()
			r.CreateAttr("Consent", "urn:oasis:names:tc:SAML:2.0:consent:obtained")
			return h.form(r)
		}},
		{"a signed response around an assertion with a wrong signature", func(h *samlHouse) url.Values {
			r := h.response()
			r.FindElement("./Assertion/Subject/NameID").SetText("admin")
			return h.form(h.idp.Sign(r))
		}},
		{"SHA-1", func(h *samlHouse) url.Values {
			h.idp.Method = dsig.RSASHA1SignatureMethod
			return h.form(h.response())
		}},
		{"a shared key made of the public one", func(h *samlHouse) url.Values {
			r := h.response()
			s := r.FindElement("./Assertion/Signature")
			s.FindElement("./SignedInfo/SignatureMethod").CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
			mac := hmac.New(sha256.New, x509.MarshalPKCS1PublicKey(&h.idp.Key.PublicKey))
			mac.Write([]byte(text(s.FindElement("./SignedInfo"))))
			s.FindElement("./SignatureValue").SetText(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			return h.form(r)
		}},
		{"two SignedInfo", func(h *samlHouse) url.Values {
			r := h.response()
			s := r.FindElement("./Assertion/Signature")
			s.InsertChildAt(0, s.FindElement("./SignedInfo").Copy())
			return h.form(r)
		}},
		{"two references", func(h *samlHouse) url.Values {
			r := h.response()
			info := r.FindElement("./Assertion/Signature/SignedInfo")
			info.AddChild(info.FindElement("./Reference").Copy())
			return h.form(r)
		}},
		{"an empty reference", func(h *samlHouse) url.Values {
			r := h.response()
			r.FindElement("./Assertion/Signature/SignedInfo/Reference").CreateAttr("URI", "")
			return h.form(r)
		}},
		{"a transform by a stylesheet", func(h *samlHouse) url.Values {
			r := h.response()
			r.FindElement("./Assertion/Signature/SignedInfo/Reference/Transforms/Transform").CreateAttr("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
			return h.form(r)
		}},
		{"no transforms", func(h *samlHouse) url.Values {
			r := h.response()
			ref := r.FindElement("./Assertion/Signature/SignedInfo/Reference")
			ref.RemoveChild(ref.FindElement("./Transforms"))
			return h.form(r)
		}},
		{"a digest of an algorithm that is none", func(h *samlHouse) url.Values {
			r := h.response()
			r.FindElement("./Assertion/Signature/SignedInfo/Reference/DigestMethod").CreateAttr("Algorithm", "none")
			return h.form(r)
		}},
	})
}

func TestSAMLEnvelopeThatNoSignatureCoversCanOnlySpoil(t *testing.T) {
	edited := func(name string, edit func(r *etree.Element)) attack {
		return attack{name, func(h *samlHouse) url.Values {
			r := h.response()
			edit(r)
			return h.form(r)
		}}
	}
	refuseAll(t, []attack{
		edited("another destination", func(r *etree.Element) { r.CreateAttr("Destination", "https://rp.example/acs") }),
		edited("an answer to another request", func(r *etree.Element) { r.CreateAttr("InResponseTo", "_other") }),
		edited("an answer to none", func(r *etree.Element) { r.RemoveAttr("InResponseTo") }),
		edited("another issuer", func(r *etree.Element) { r.FindElement("./Issuer").SetText("https://evil.example") }),
		edited("of the future", func(r *etree.Element) { r.CreateAttr("IssueInstant", "2027-01-15T12:00:00Z") }),
		edited("no status", func(r *etree.Element) { r.RemoveChild(r.FindElement("./Status")) }),
		edited("another version", func(r *etree.Element) { r.CreateAttr("Version", "1.1") }),
		{"signed, without destination", func(h *samlHouse) url.Values {
			r := h.response()
			r.RemoveAttr("Destination")
			return h.form(h.idp.Sign(r))
		}},
	})
}

func TestSAMLAssertionThatIsNotForUsNowIsRefused(t *testing.T) {
	saying := func(name string, change func(h *samlHouse, a *saml.Assertion)) attack {
		return attack{name, func(h *samlHouse) url.Values {
			h.idp.Change = func(a *saml.Assertion) { change(h, a) }
			return h.form(h.response())
		}}
	}
	data := func(a *saml.Assertion) *saml.SubjectConfirmationData {
		return a.Subject.SubjectConfirmations[0].SubjectConfirmationData
	}
	refuseAll(t, []attack{
		saying("no audience", func(_ *samlHouse, a *saml.Assertion) { a.Conditions.AudienceRestrictions = nil }),
		saying("another audience", func(_ *samlHouse, a *saml.Assertion) {
			a.Conditions.AudienceRestrictions[0].Audience.Value = "https://rp.example"
		}),
		saying("the audience of another connection", func(_ *samlHouse, a *saml.Assertion) {
			a.Conditions.AudienceRestrictions[0].Audience.Value = "https://id.example.com/federation/other/metadata"
		}),
		saying("a second restriction that we are not in", func(_ *samlHouse, a *saml.Assertion) {
			a.Conditions.AudienceRestrictions = append(a.Conditions.AudienceRestrictions, saml.AudienceRestriction{Audience: saml.Audience{Value: "https://rp.example"}})
		}),
		saying("no conditions", func(_ *samlHouse, a *saml.Assertion) { a.Conditions = nil }),
		saying("no end", func(_ *samlHouse, a *saml.Assertion) { a.Conditions.NotOnOrAfter = time.Time{} }),
		saying("over", func(h *samlHouse, a *saml.Assertion) {
			a.Conditions.NotOnOrAfter = h.clock.Now().Add(-31 * time.Second)
		}),
		saying("not yet", func(h *samlHouse, a *saml.Assertion) { a.Conditions.NotBefore = h.clock.Now().Add(31 * time.Second) }),
		saying("of the future", func(h *samlHouse, a *saml.Assertion) { a.IssueInstant = h.clock.Now().Add(time.Minute) }),
		saying("no subject", func(_ *samlHouse, a *saml.Assertion) { a.Subject = nil }),
		saying("no name", func(_ *samlHouse, a *saml.Assertion) { a.Subject.NameID = nil }),
		saying("an empty name", func(_ *samlHouse, a *saml.Assertion) { a.Subject.NameID.Value = " " }),
		saying("no confirmation", func(_ *samlHouse, a *saml.Assertion) { a.Subject.SubjectConfirmations = nil }),
		saying("no data of the confirmation", func(_ *samlHouse, a *saml.Assertion) { a.Subject.SubjectConfirmations[0].SubjectConfirmationData = nil }),
		saying("another method of confirmation", func(_ *samlHouse, a *saml.Assertion) {
			a.Subject.SubjectConfirmations[0].Method = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
		}),
		saying("another recipient", func(_ *samlHouse, a *saml.Assertion) { data(a).Recipient = "https://rp.example/acs" }),
		saying("no recipient", func(_ *samlHouse, a *saml.Assertion) { data(a).Recipient = "" }),
		saying("another request", func(_ *samlHouse, a *saml.Assertion) { data(a).InResponseTo = "_other" }),
		saying("no request", func(_ *samlHouse, a *saml.Assertion) { data(a).InResponseTo = "" }),
		saying("a confirmation without end", func(_ *samlHouse, a *saml.Assertion) { data(a).NotOnOrAfter = time.Time{} }),
		saying("a confirmation that is over", func(h *samlHouse, a *saml.Assertion) { data(a).NotOnOrAfter = h.clock.Now().Add(-31 * time.Second) }),
		saying("a confirmation with a beginning", func(h *samlHouse, a *saml.Assertion) { data(a).NotBefore = h.clock.Now() }),
		saying("no statement of a proof", func(_ *samlHouse, a *saml.Assertion) { a.AuthnStatements = nil }),
		saying("two statements of a proof", func(_ *samlHouse, a *saml.Assertion) {
			a.AuthnStatements = append(a.AuthnStatements, a.AuthnStatements[0])
		}),
		saying("a proof of the future", func(h *samlHouse, a *saml.Assertion) {
			a.AuthnStatements[0].AuthnInstant = h.clock.Now().Add(time.Minute)
		}),
		saying("a session that is over", func(h *samlHouse, a *saml.Assertion) {
			end := h.clock.Now().Add(-time.Minute)
			a.AuthnStatements[0].SessionNotOnOrAfter = &end
		}),
		saying("another issuer", func(_ *samlHouse, a *saml.Assertion) { a.Issuer.Value = "https://evil.example" }),
	})
}

func TestSAMLTextIsReadWholeOrNotAtAll(t *testing.T) {
	edited := func(name, before, after string) attack {
		return attack{name, func(h *samlHouse) url.Values {
			doc := text(h.response())
			if !strings.Contains(doc, before) {
				h.Fatalf("%s: there is no %s in %s", name, before, doc)
			}
			return h.raw(strings.Replace(doc, before, after, 1))
		}}
	}
	refuseAll(t, []attack{
		edited("a comment in the name", "ada-7", "ada<!---->-7"),
		edited("a comment in the address", "ada@acme.example", "ada@acme.example<!---->.evil.example"),
		edited("a comment before all", "<samlp:Response", "<!-- --><samlp:Response"),
		edited("a processing instruction", "<samlp:Status>", "<?evil?><samlp:Status>"),
		edited("a document type", "<samlp:Response", `<!DOCTYPE r [<!ENTITY a "ada">]><samlp:Response`),
		edited("an entity", "ada-7", "&a;-7"),
		edited("an entity of a file", "<samlp:Response", `<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><samlp:Response`),
		edited("entities in entities", "<samlp:Response",
			`<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><samlp:Response`),
		edited("an attribute twice", `Version="2.0"`, `Version="2.0" Version="2.0"`),
		edited("a prefix that stands for nothing", "<samlp:Status>", "<q:x/><samlp:Status>"),
		edited("a prefix that is undeclared", "<samlp:Status>", `<samlp:Status xmlns:q="">`),
		edited("a name with two colons", "<samlp:Status>", `<samlp:Status x:y:z="1">`),
		edited("two roots", "</samlp:Response>", "</samlp:Response><x/>"),
		edited("text after the end", "</samlp:Response>", "</samlp:Response>x"),
		edited("another encoding", "<samlp:Response", `<?xml version="1.0" encoding="UTF-7"?><samlp:Response`),
		edited("a NUL", "ada-7", "ada\x00-7"),
	})
}

func TestSAMLMessagesAreBounded(t *testing.T) {
	h := newSAMLHouse(t)
	good := text(h.response())
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	h.must(err)
	_, err = w.Write(make([]byte, 9<<20))
	h.must(err)
	h.must(w.Close())
	for name, doc := range map[string]string{
		"deep":           strings.Repeat("<a>", 20_000) + strings.Repeat("</a>", 20_000),
		"200 000 deep":   strings.Repeat("<a>", 200_000),
		"many elements":  strings.Replace(good, "<samlp:Status>", strings.Repeat("<a/>", 2001)+"<samlp:Status>", 1),
		"broad":          strings.Replace(good, "<samlp:Status>", "<samlp:Status"+attributes(65)+">", 1),
		"long":           strings.Replace(good, "<samlp:Status>", strings.Repeat(" ", 64<<10)+"<samlp:Status>", 1),
		"deflated":       packed.String(),
		"nothing":        "",
		"not XML":        "hello",
		"half":           good[:len(good)/2],
		"only beginning": "<samlp:Response",
	} {
		h.refused(name, h.raw(doc))
	}
	h.refused("no base64", url.Values{"SAMLResponse": {"%%%"}, "RelayState": {h.d.State.Reveal()}})
	h.refused("too much base64", url.Values{"SAMLResponse": {strings.Repeat("A", 129<<10)}, "RelayState": {h.d.State.Reveal()}})
	h.refused("two", url.Values{"SAMLResponse": {"", ""}, "RelayState": {h.d.State.Reveal()}})
}

func TestSAMLAssertionIsTakenOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		h := samlHouseOn(t, db)
		form := h.idp.Answer(h.asked())
		if _, err := h.brought(form); err != nil {
			t.Fatal(err)
		}
		h.refused("the same again", form)
		h.f = h.replica()
		h.refused("the same on another replica, or after a restart", form)
		h.clock.Add(5*time.Minute + 29*time.Second)
		h.must(db.Sweep(t.Context()))
		h.refused("the same at its very end, after sweeping", form)
	})
}

func TestSAMLArrivalIsOfOneStateConnectionAndTaking(t *testing.T) {
	h := newSAMLHouse(t)
	state, arrival, err := h.f.Accept(t.Context(), h.c, h.idp.Answer(h.asked()))
	h.must(err)
	mine, theirs := h.d, h.departure()
	if _, err := h.f.Finish(t.Context(), h.c, theirs, federation.Answer{State: theirs.State, Arrival: arrival}); err == nil {
		t.Error("it was taken for another state")
	}
	if _, err := h.f.Finish(t.Context(), h.c, mine, federation.Answer{State: state, Arrival: arrival}); err == nil {
		t.Error("what somebody had tried in vain was taken again")
	}
	h.d = h.departure()
	state, arrival, err = h.f.Accept(t.Context(), h.c, h.idp.Answer(h.asked()))
	h.must(err)
	h.clock.Add(11 * time.Minute)
	if _, err := h.f.Finish(t.Context(), h.c, h.d, federation.Answer{State: state, Arrival: arrival}); !problem.Is(err, problem.Gone) {
		t.Errorf("it was taken after its time: %v", err)
	}
}

func TestSAMLAnswerToOneStateIsNoneToAnother(t *testing.T) {
	h := newSAMLHouse(t)
	form := h.idp.Answer(h.asked())
	h.d = h.departure()
	form.Set("RelayState", h.d.State.Reveal()) // Eve's answer in Ann's browser
	h.refused("another state", form)
	other := h.c
	other.Name = "other"
	h.c = other
	h.d = h.departure()
	form.Set("RelayState", h.d.State.Reveal())
	h.refused("another connection", form)
}

func attributes(n int) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(" a" + strconv.Itoa(i) + `="1"`)
	}
	return all.String()
}
