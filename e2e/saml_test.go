package e2e

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/logger"

	"idp/federation/federationtest"
)

// corporation is crewjam's SAML identity provider, whose people are signed in at once.
type corporation struct {
	*saml.IdentityProvider
	URL    string
	Person saml.Session // who signs in
	Plain  bool         // assertions are not encrypted, although we say that they may be

	known map[string]*saml.EntityDescriptor // service providers, by entity id
}

// newCorporation starts the provider.
func newCorporation(t testing.TB) *corporation {
	t.Helper()
	c := &corporation{known: map[string]*saml.EntityDescriptor{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.Handler().ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	at := func(path string) url.URL {
		u, err := url.Parse(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		return *u
	}
	key, certificate, err := newKeyPair()
	if err != nil {
		t.Fatal(err)
	}
	c.URL = server.URL
	c.IdentityProvider = &saml.IdentityProvider{Key: key, Certificate: certificate, Logger: logger.DefaultLogger,
		MetadataURL: at("/metadata"), SSOURL: at("/sso"), ServiceProviderProvider: c, SessionProvider: c,
		SignatureMethod: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"}
	return c
}

// Signs says who signs in from now on.
func (c *corporation) Signs(name, email string) {
	c.Person = saml.Session{ID: "session of " + name, NameID: name, NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		CreateTime: time.Now(), ExpireTime: time.Now().Add(time.Hour), Index: "index of " + name, UserName: name, UserEmail: email, UserCommonName: "Somebody of Corp"}
}

// GetServiceProvider implements saml.ServiceProviderProvider.
func (c *corporation) GetServiceProvider(_ *http.Request, id string) (*saml.EntityDescriptor, error) {
	if e, ok := c.known[id]; ok {
		return e, nil
	}
	return nil, os.ErrNotExist
}

// GetSession implements saml.SessionProvider.
func (c *corporation) GetSession(http.ResponseWriter, *http.Request, *saml.IdpAuthnRequest) *saml.Session {
	return &c.Person
}

// Meet tells the provider of the instance, by the metadata that the connection has there.
func (c *corporation) Meet(t testing.TB, i *instance, connection string) {
	t.Helper()
	b := newBrowser(t, i.Issuer).Get("/federation/" + connection + "/metadata")
	e := &saml.EntityDescriptor{}
	if err := xml.Unmarshal([]byte(b.Body), e); err != nil || b.Status != http.StatusOK {
		t.Fatalf("the metadata of the connection: %d, %v\n%s", b.Status, err, b.Body)
	}
	if c.Plain {
		for k := range e.SPSSODescriptors {
			e.SPSSODescriptors[k].KeyDescriptors = e.SPSSODescriptors[k].KeyDescriptors[:1] // the one for signatures
		}
	}
	c.known[e.EntityID] = e
}

// Connection is what an operator writes to connect to it.
func (c *corporation) Connection(name string, more map[string]any) map[string]any {
	out := map[string]any{"name": name, "type": "saml", "title": "The corporation", "metadata_url": c.URL + "/metadata",
		"claims": map[string]string{"email": "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "name": "cn"}}
	for key, value := range more {
		out[key] = value
	}
	return out
}

// form is what the provider's page has the browser post.
type form struct {
	Action string
	Values url.Values
}

// formAt is the only form of a page.
func formAt(t testing.TB, there *browser) (f form) {
	t.Helper()
	for n := range there.page.Descendants() {
		switch {
		case n.Data == "form":
			f.Action, f.Values = attr(n, "action"), url.Values{}
		case n.Data == "input" && f.Values != nil && attr(n, "name") != "":
			f.Values.Add(attr(n, "name"), attr(n, "value"))
		}
	}
	if f.Values.Get("SAMLResponse") == "" {
		t.Fatalf("the provider answers with no response (%d):\n%s", there.Status, there.Body)
	}
	return f
}

// at is what the provider answers to the browser that was sent there.
func (c *corporation) at(t testing.TB, b *browser) form {
	t.Helper()
	if b.Left == nil || !strings.HasPrefix(b.Left.String(), c.URL+"/") {
		t.Fatalf("the browser was not sent to the provider: it is at %s (left for %v)\n%s", b.URL, b.Left, b.Text())
	}
	return formAt(t, newBrowser(t, c.URL).Get(b.Left.String()))
}

// samlRequest is what the address of a provider asks it (SAML Bindings §3.4).
func samlRequest(t testing.TB, way *url.URL) string {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(way.Query().Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Post posts what another site's page has in it, as browsers do: without our cookies; and goes
// where that leads.
func (b *browser) Post(f form) *browser {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, f.Action, strings.NewReader(f.Values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://127.0.0.1")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if err := b.do(req); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// alteration changes a response on its way through the browser.
type alteration struct {
	name string
	of   func(t testing.TB, doc *etree.Document)
	text func(text string) string
}

// rewritten is no alteration: the same said again by the library that makes all the others.
var rewritten = alteration{name: "rewritten", of: func(testing.TB, *etree.Document) {}}

// alterations are what somebody who holds a good response of their own might do to it.
var alterations = []alteration{
	{name: "unsigned", of: func(_ testing.TB, doc *etree.Document) { unsign(doc.Root()) }},
	{name: "signed by a stranger", of: func(t testing.TB, doc *etree.Document) {
		unsign(doc.Root())
		stranger := federationtest.NewSAML(t, time.Now)
		a := childOf(doc.Root(), "Assertion")
		at := a.Index()
		doc.Root().RemoveChild(a)
		for _, x := range doc.Root().Attr { // it stands on its own while it is signed
			if x.Space == "xmlns" && a.SelectAttr("xmlns:"+x.Key) == nil {
				a.CreateAttr("xmlns:"+x.Key, x.Value)
			}
		}
		doc.Root().InsertChildAt(at, stranger.Sign(a))
	}},
	{name: "wrapped: a second assertion before", of: func(_ testing.TB, doc *etree.Document) {
		evil := forged(doc)
		doc.Root().InsertChildAt(childOf(doc.Root(), "Assertion").Index(), evil)
	}},
	{name: "wrapped: the good one inside", of: func(_ testing.TB, doc *etree.Document) {
		evil, good := forged(doc), childOf(doc.Root(), "Assertion")
		at := good.Index()
		doc.Root().RemoveChild(good)
		evil.AddChild(good)
		doc.Root().InsertChildAt(at, evil)
	}},
	{name: "wrapped: the good one in the signature of the other", of: func(_ testing.TB, doc *etree.Document) {
		evil, good := forged(doc), childOf(doc.Root(), "Assertion")
		signature := childOf(good, "Signature").Copy()
		at := good.Index()
		doc.Root().RemoveChild(good)
		object := signature.CreateElement(signature.Space + ":Object")
		object.AddChild(good)
		evil.InsertChildAt(1, signature)
		doc.Root().InsertChildAt(at, evil)
	}},
	{name: "a comment in the name", of: func(_ testing.TB, doc *etree.Document) {
		name := doc.FindElement("//NameID")
		text := name.Text()
		name.SetText(text[:1])
		name.CreateComment("")
		name.CreateText(text[1:])
	}},
	{name: "a document type", text: func(text string) string {
		if _, rest, ok := strings.Cut(text, "?>"); ok {
			text = rest
		}
		return `<!DOCTYPE r [<!ENTITY e "evil">]>` + text
	}},
}

// altered is the form after somebody changed the response.
func (a alteration) altered(t testing.TB, response string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		t.Fatal(err)
	}
	if a.of != nil {
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(raw); err != nil {
			t.Fatal(err)
		}
		a.of(t, doc)
		if raw, err = doc.WriteToBytes(); err != nil {
			t.Fatal(err)
		}
	}
	if a.text != nil {
		raw = []byte(a.text(string(raw)))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func childOf(el *etree.Element, tag string) *etree.Element {
	for _, c := range el.ChildElements() {
		if c.Tag == tag {
			return c
		}
	}
	return etree.NewElement("none")
}

// unsign takes the signatures off a response and its assertions.
func unsign(el *etree.Element) {
	for _, c := range el.ChildElements() {
		switch c.Tag {
		case "Signature":
			el.RemoveChild(c)
		case "Assertion":
			unsign(c)
		}
	}
}

// forged takes the signature off the response, so that the one of the assertion has to do, and
// returns an assertion about the victim.
func forged(doc *etree.Document) *etree.Element {
	if s := childOf(doc.Root(), "Signature"); s.Parent() != nil {
		doc.Root().RemoveChild(s)
	}
	evil := childOf(doc.Root(), "Assertion").Copy()
	unsign(evil)
	evil.CreateAttr("ID", "_evil")
	evil.FindElement("//NameID").SetText("the victim")
	for _, v := range evil.FindElements(".//AttributeValue") {
		if strings.Contains(v.Text(), "@") {
			v.SetText("victim@corp.example")
		}
	}
	return evil
}

// alterer alters what is posted to it, by the name in the path, for browsers that others drive.
func alterer(t testing.TB) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var response bytes.Buffer
		_, _ = response.ReadFrom(r.Body)
		for _, a := range append([]alteration{rewritten}, alterations...) {
			if r.URL.Path == "/"+a.name {
				_, _ = fmt.Fprint(w, a.altered(t, response.String()))
				return
			}
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
