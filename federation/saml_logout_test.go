package federation_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"slices"
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

const logoutService = "https://id.example.com/federation/acme/slo"

// newLogoutHouse is a samlHouse whose provider offers single logout.
func newLogoutHouse(t *testing.T, bindings ...string) *samlHouse {
	t.Helper()
	h := newSAMLHouse(t)
	h.idp.Logout = bindings
	h.c.Metadata = h.idp.Metadata()
	return h
}

func (h *samlHouse) byGet(query string) federation.Notice { return federation.Notice{Query: query} }

func (h *samlHouse) byPost(field string, el *etree.Element) federation.Notice {
	return federation.Notice{Form: url.Values{field: {federationtest.Encode(el)}}}
}

// wish is what is read of a request to sign out.
func (h *samlHouse) wish(n federation.Notice) *federation.PartingRequest {
	h.Helper()
	out, err := h.f.Part(h.Context(), h.c, n)
	h.must(err)
	if out.Request == nil {
		h.Fatal("no request was read")
	}
	return out.Request
}

func (h *samlHouse) notHeard(what string, n federation.Notice) {
	h.Helper()
	out, err := h.f.Part(h.Context(), h.c, n)
	if !problem.HasCode(err, federation.ErrParting.Code) || out.Request != nil || out.Confirmed {
		h.Errorf("%s: %+v %v", what, out, err)
	}
	if err != nil && strings.Contains(err.Error(), "panic") {
		h.Errorf("%s: %v", what, err)
	}
}

func TestSAMLLogoutRequestNamesWhoseSessionsEnd(t *testing.T) {
	h := newLogoutHouse(t, federationtest.LogoutRedirect)
	x, err := h.signIn()
	h.must(err)
	here := x.Presence()
	for what, n := range map[string]federation.Notice{
		"by GET":  h.byGet(h.idp.Query("SAMLRequest", h.idp.SignOut(logoutService), "r")),
		"by POST": h.byPost("SAMLRequest", h.idp.Sign(h.idp.SignOut(logoutService))),
	} {
		if r := h.wish(n); !r.Ends(*here) {
			t.Errorf("%s: it ends %+v, not %+v", what, r, here)
		}
	}
	if r := h.wish(h.byGet(h.idp.Query("SAMLRequest", h.idp.SignOut(logoutService, "s-0", "s-1"), ""))); !r.Ends(*here) {
		t.Error("a request that names the session does not end it")
	}
	if r := h.wish(h.byGet(h.idp.Query("SAMLRequest", h.idp.SignOut(logoutService, "s-2"), ""))); r.Ends(*here) {
		t.Error("a request that names another session ends it")
	}
	h.idp.Person.NameID = "eve-7"
	if r := h.wish(h.byGet(h.idp.Query("SAMLRequest", h.idp.SignOut(logoutService), ""))); r.Ends(*here) {
		t.Error("a request for somebody else ends it")
	}
}

func TestSAMLLogoutRequestThatIsNotTheProvidersOwnIsRefused(t *testing.T) {
	h := newLogoutHouse(t, federationtest.LogoutRedirect)
	out := func() *etree.Element { return h.idp.SignOut(logoutService) }
	get := func(el *etree.Element) federation.Notice { return h.byGet(h.idp.Query("SAMLRequest", el, "r")) }
	altered := func(change func(el *etree.Element)) *etree.Element { el := out(); change(el); return el }
	stranger := otherKey(t)
	good := h.idp.Query("SAMLRequest", out(), "r")
	eve := altered(func(el *etree.Element) { el.FindElement("./NameID").SetText("eve-7") })
	signed := h.idp.Sign(out())
	spoilt := signed.Copy()
	spoilt.FindElement("./NameID").SetText("eve-7")
	wrapped := out()
	wrapped.CreateAttr("ID", "_evil")
	wrapped.InsertChildAt(1, func() *etree.Element {
		s := signed.FindElement("./Signature").Copy()
		s.AddChild(signed.Copy())
		return s
	}())
	for what, n := range map[string]federation.Notice{
		"unsigned, by GET":               h.byGet(federationtest.Deflated("SAMLRequest", out())),
		"unsigned, by POST":              h.byPost("SAMLRequest", out()),
		"a stranger's, by GET":           h.byGet(h.idp.QueryBy(stranger, "SAMLRequest", out(), "")),
		"a stranger's, by POST":          h.byPost("SAMLRequest", h.idp.SignBy(out(), stranger, federationtest.SelfSigned(t, stranger, h.clock.Now()))),
		"altered, by POST":               h.byPost("SAMLRequest", spoilt),
		"wrapped around a signed one":    h.byPost("SAMLRequest", wrapped),
		"altered, by GET":                h.byGet(strings.Replace(good, strings.Split(good, "&")[0], federationtest.Deflated("SAMLRequest", eve), 1)),
		"another RelayState":             h.byGet(strings.Replace(good, "RelayState=r", "RelayState=s", 1)),
		"without its RelayState":         h.byGet(strings.Replace(good, "&RelayState=r", "", 1)),
		"a second message":               h.byGet(good + "&" + federationtest.Deflated("SAMLRequest", eve)),
		"a second message in disguise":   h.byGet(federationtest.Deflated("SAML%52equest", eve) + "&" + good),
		"a second message of other case": h.byGet(federationtest.Deflated("samlrequest", eve) + "&" + good),
		"an answer beside":               h.byGet(good + "&" + federationtest.Deflated("SAMLResponse", eve)),
		"two signatures":                 h.byGet(good + "&Signature=AAAA"),
		"SHA-1 by name":                  h.byGet(strings.Replace(good, url.QueryEscape(dsig.RSASHA256SignatureMethod), url.QueryEscape(dsig.RSASHA1SignatureMethod), 1)),
		"no algorithm":                   h.byGet(strings.Replace(good, "&SigAlg="+url.QueryEscape(dsig.RSASHA256SignatureMethod), "", 1)),
		"another encoding":               h.byGet(good + "&SAMLEncoding=none"),
		"as if it were an answer":        h.byGet(h.idp.Query("SAMLResponse", out(), "")),
		"signed in the wrong way":        {Form: url.Values{"SAMLRequest": {federationtest.Encode(out())}, "Signature": {"AAAA"}}},
		"of another issuer":              get(altered(func(el *etree.Element) { el.FindElement("./Issuer").SetText("https://other.example") })),
		"to another service":             get(h.idp.SignOut("https://id.example.com/federation/other/slo")),
		"to nobody":                      get(altered(func(el *etree.Element) { el.RemoveAttr("Destination") })),
		"without an ID":                  get(altered(func(el *etree.Element) { el.RemoveAttr("ID") })),
		"without a name":                 get(altered(func(el *etree.Element) { el.RemoveChild(el.FindElement("./NameID")) })),
		"with two names":                 get(altered(func(el *etree.Element) { el.AddChild(el.FindElement("./NameID").Copy()) })),
		"of an older SAML":               get(altered(func(el *etree.Element) { el.CreateAttr("Version", "1.1") })),
		"an hour old": get(altered(func(el *etree.Element) {
			el.CreateAttr("IssueInstant", h.clock.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
		})),
		"of the future": get(altered(func(el *etree.Element) {
			el.CreateAttr("IssueInstant", h.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		})),
		"over": get(altered(func(el *etree.Element) {
			el.CreateAttr("NotOnOrAfter", h.clock.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
		})),
		"with an empty SessionIndex":      get(h.idp.SignOut(logoutService, "")),
		"with an element in its name":     get(altered(func(el *etree.Element) { el.FindElement("./NameID").CreateElement("x") })),
		"a sign-in response":              get(h.response()),
		"with an unused signature inside": get(signed),
		"nothing":                         h.byGet(""),
		"garbage":                         h.byGet("SAMLRequest=%zz"),
		"a document type":                 {Form: url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(`<!DOCTYPE x [<!ENTITY e "e">]>` + text(signed)))}}},
		"a bomb":                          get(altered(func(el *etree.Element) { el.FindElement("./NameID").SetText(strings.Repeat("a", 2<<20)) })),
	} {
		h.notHeard(what, n)
	}
	h.wish(h.byGet(good)) // what was not attacked is heard
	h.wish(h.byPost("SAMLRequest", signed))
}

func TestSAMLLogoutRequestByAnotherConnectionsProviderIsRefused(t *testing.T) {
	h := newLogoutHouse(t, federationtest.LogoutRedirect)
	other := federationtest.NewSAML(t, h.clock.Now)
	other.EntityID, other.Key = "https://other.example/metadata", otherKey(t)
	other.Certificate = federationtest.SelfSigned(t, other.Key, h.clock.Now())
	h.notHeard("in its own name", h.byGet(other.Query("SAMLRequest", other.SignOut(logoutService), "")))
	other.EntityID = h.idp.EntityID
	h.notHeard("in the name of ours", h.byGet(other.Query("SAMLRequest", other.SignOut(logoutService), "")))
}

func TestSAMLLogoutRequestCountsOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		h := samlHouseOn(t, db)
		h.idp.Logout = []string{federationtest.LogoutRedirect}
		h.c.Metadata = h.idp.Metadata()
		n := h.byGet(h.idp.Query("SAMLRequest", h.idp.SignOut(logoutService), ""))
		first, second := h.wish(n), h.wish(n)
		h.must(h.f.Use(t.Context(), first))
		if err := h.f.Use(t.Context(), second); !problem.HasCode(err, federation.ErrParting.Code) {
			t.Errorf("the second time: %v", err)
		}
	})
}

// verified reads what we send, and checks our signature over the octets.
func (h *samlHouse) verified(field string, way federation.Way) *etree.Element {
	h.Helper()
	el, err := h.idp.Told(field, way.URL, way.Form)
	h.must(err)
	if way.Form != nil {
		if el.FindElement("./Signature") == nil {
			h.Error("what is posted is not signed")
		}
		return el
	}
	u, err := url.Parse(way.URL)
	h.must(err)
	octets, escaped, _ := strings.Cut(u.RawQuery, "&Signature=")
	plain, err := url.QueryUnescape(escaped)
	h.must(err)
	signature, err := base64.StdEncoding.DecodeString(plain)
	h.must(err)
	sum := sha256.Sum256([]byte(octets))
	h.must(rsa.VerifyPKCS1v15(h.ourCertificate().PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], signature))
	return el
}

func TestSAMLLogoutRequestIsAnsweredToTheProviderAlone(t *testing.T) {
	for _, binding := range []string{federationtest.LogoutRedirect, federationtest.LogoutPost} {
		h := newLogoutHouse(t, binding)
		for relay, back := range map[string]string{
			"https://evil.example/": "https://evil.example/", strings.Repeat("x", 80): strings.Repeat("x", 80), strings.Repeat("x", 81): "", "": "",
		} {
			asked := h.idp.SignOut(logoutService)
			way, err := h.f.Reply(t.Context(), h.c, h.wish(h.byGet(h.idp.Query("SAMLRequest", asked, relay))))
			h.must(err)
			if !strings.HasPrefix(way.URL, h.idp.Address+"/slo/done") || (way.Form != nil) != (binding == federationtest.LogoutPost) {
				t.Errorf("%s: the answer goes to %s", binding, way.URL)
			}
			said := h.verified("SAMLResponse", way)
			if said.SelectAttrValue("InResponseTo", "") != asked.SelectAttrValue("ID", "-") || said.FindElement("./Status/StatusCode").SelectAttrValue("Value", "") != saml.StatusSuccess ||
				said.SelectAttrValue("Destination", "") != h.idp.Address+"/slo/done" || said.FindElement("./Issuer").Text() != h.f.EntityID(h.c) {
				t.Errorf("%s: the answer is %s", binding, text(said))
			}
			got := way.Form.Get("RelayState")
			if u, err := url.Parse(way.URL); err == nil && way.Form == nil {
				got = u.Query().Get("RelayState")
			}
			if got != back {
				t.Errorf("%s: RelayState %q goes back as %q", binding, relay, got)
			}
		}
	}
}

func TestSAMLProviderIsAskedToSignOutAndItsAnswerCountsOnce(t *testing.T) {
	for _, binding := range []string{federationtest.LogoutRedirect, federationtest.LogoutPost} {
		h := newLogoutHouse(t, binding)
		x, err := h.signIn()
		h.must(err)
		leave := func() string {
			way, err := h.f.Leave(t.Context(), h.c, *x.Presence())
			h.must(err)
			asked := h.verified("SAMLRequest", way)
			if name := asked.FindElement("./NameID"); name == nil || name.Text() != "ada-7" || name.SelectAttrValue("Format", "") != h.idp.Person.Format ||
				asked.FindElement("./SessionIndex").Text() != "s-1" || asked.SelectAttrValue("Destination", "") != h.idp.Address+"/slo" {
				t.Errorf("what is asked is %s", text(asked))
			}
			return asked.SelectAttrValue("ID", "")
		}
		said := func(id, status string) *etree.Element { return h.idp.SignedOut(logoutService, id, status) }
		id := leave()
		h.notHeard("to a request of nobody", h.byGet(h.idp.Query("SAMLResponse", said("_other", saml.StatusSuccess), "")))
		h.notHeard("unsigned", h.byGet(federationtest.Deflated("SAMLResponse", said(id, saml.StatusSuccess))))
		h.notHeard("unsigned, posted", h.byPost("SAMLResponse", said(id, saml.StatusSuccess)))
		h.notHeard("a stranger's", h.byGet(h.idp.QueryBy(otherKey(t), "SAMLResponse", said(id, saml.StatusSuccess), "")))
		good := h.byPost("SAMLResponse", h.idp.Sign(said(id, saml.StatusSuccess)))
		if out, err := h.f.Part(t.Context(), h.c, good); err != nil || !out.Confirmed {
			t.Errorf("%s: the answer is %+v %v", binding, out, err)
		}
		h.notHeard("again", good)
		partial := said(leave(), saml.StatusSuccess)
		partial.FindElement("./Status/StatusCode").CreateElement("samlp:StatusCode").CreateAttr("Value", saml.StatusPartialLogout)
		for _, no := range []*etree.Element{said(leave(), saml.StatusResponder), partial} {
			if out, err := h.f.Part(t.Context(), h.c, h.byGet(h.idp.Query("SAMLResponse", no, ""))); err != nil || out.Confirmed || out.Request != nil {
				t.Errorf("%s: a no is %+v %v", binding, out, err)
			}
		}
		late := said(leave(), saml.StatusSuccess)
		h.clock.Add(11 * time.Minute)
		late.CreateAttr("IssueInstant", h.clock.Now().UTC().Format(time.RFC3339))
		h.notHeard("too late", h.byGet(h.idp.Query("SAMLResponse", late, "")))
	}
}

func TestOurMetadataOffersLogoutWhereTheProviderDoes(t *testing.T) {
	for _, bindings := range [][]string{nil, {federationtest.LogoutRedirect}, {federationtest.LogoutPost}, {"urn:oasis:names:tc:SAML:2.0:bindings:SOAP"}} {
		h := newLogoutHouse(t, bindings...)
		doc, err := h.f.ServiceMetadata(t.Context(), h.c)
		h.must(err)
		var us saml.EntityDescriptor
		h.must(xml.Unmarshal(doc, &us))
		offered := us.SPSSODescriptors[0].SingleLogoutServices
		want := len(bindings) > 0 && !strings.HasSuffix(bindings[0], "SOAP")
		if (len(offered) == 2) != want || slices.ContainsFunc(offered, func(e saml.Endpoint) bool { return e.Location != logoutService }) {
			t.Errorf("%v: we offer %+v", bindings, offered)
		}
		if h.f.Parts(t.Context(), h.c) != want {
			t.Errorf("%v: it parts: %v", bindings, !want)
		}
		found := slices.ContainsFunc(h.f.Test(t.Context(), h.c).Findings, func(s federation.Finding) bool {
			return s.Step == "logout" && strings.Contains(s.Says, "It offers single logout") == want
		})
		if !found {
			t.Errorf("%v: the test does not say so", bindings)
		}
	}
}
