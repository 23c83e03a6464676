package federation_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/outbound"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

// samlHouse is a federation with one SAML provider, which gave us its metadata by hand.
type samlHouse struct {
	*testing.T
	db    *storage.DB
	clock *storagetest.Clock
	idp   *federationtest.SAML
	f     *federation.Federation
	c     federation.Connection
	d     federation.Departure
	kept  atomic.Int32 // arrivals
}

// counted notes what is kept.
type counted struct {
	federation.SAMLStore
	kept *atomic.Int32
}

func (c counted) Accept(ctx context.Context, a federation.Accepted) error {
	err := c.SAMLStore.Accept(ctx, a)
	if err == nil {
		c.kept.Add(1)
	}
	return err
}

func newSAMLHouse(t *testing.T) *samlHouse { t.Helper(); return samlHouseOn(t, storagetest.Open(t)) }

func samlHouseOn(t *testing.T, db *storage.DB) *samlHouse {
	t.Helper()
	h := &samlHouse{T: t, db: db, clock: storagetest.NewClock()}
	h.idp = federationtest.NewSAML(t, h.clock.Now)
	h.c = federation.Connection{Name: "acme", Type: federation.SAML, Metadata: h.idp.Metadata(), Domains: []string{"acme.example"}}
	h.f = h.replica()
	h.d = h.departure()
	return h
}

// replica is another process on the same database.
func (h *samlHouse) replica() *federation.Federation {
	return &federation.Federation{
		Store: storage.NewConnections(h.db), SAML: counted{storage.NewSAML(h.db), &h.kept}, Outbound: outbound.New(outbound.Options{Loopback: true}), Box: storagetest.Box(),
		Events: storage.NewEvents(h.db), Issuer: "https://id.example.com", Now: h.clock.Now,
	}
}

func (h *samlHouse) departure() federation.Departure {
	return federation.Departure{State: federation.NewState("attempt_1"), At: h.clock.Now()}
}

func (h *samlHouse) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// asked is what the provider reads of our request.
func (h *samlHouse) asked() federationtest.SAMLRequest {
	h.Helper()
	way, err := h.f.Depart(h.Context(), h.c, h.d)
	h.must(err)
	r, err := h.idp.Read(way.URL, way.Form)
	h.must(err)
	return r
}

// brought is what comes out when a browser brings a form.
func (h *samlHouse) brought(form url.Values) (federation.Assertion, error) {
	h.Helper()
	state, arrival, err := h.f.Accept(h.Context(), h.c, form)
	if err != nil {
		return federation.Assertion{}, err
	}
	return h.f.Finish(h.Context(), h.c, h.d, federation.Answer{State: state, Arrival: arrival})
}

// form is a message as a browser posts it.
func (h *samlHouse) form(el *etree.Element) url.Values {
	return url.Values{"SAMLResponse": {federationtest.Encode(el)}, "RelayState": {h.d.State.Reveal()}}
}

// signIn takes the provider's person through.
func (h *samlHouse) signIn() (federation.Assertion, error) {
	h.Helper()
	h.d = h.departure()
	return h.brought(h.idp.Answer(h.asked()))
}

// refused says that a form leads nowhere, that nobody comes out and that nothing was kept.
func (h *samlHouse) refused(what string, form url.Values) {
	h.Helper()
	before := h.kept.Load()
	x, err := h.brought(form)
	if !problem.HasCode(err, federation.ErrRefused.Code) {
		h.Errorf("%s: %v, want it refused", what, err)
	}
	if x.Account.Subject != "" || x.Verdict.Verified {
		h.Errorf("%s: still, somebody came out: %+v", what, x)
	}
	if after := h.kept.Load(); after != before {
		h.Errorf("%s: %d arrivals were kept", what, after-before)
	}
	if err != nil && strings.Contains(err.Error(), "panic") {
		h.Errorf("%s: %v", what, errors.Unwrap(err))
	}
}

// raw posts a text as message.
func (h *samlHouse) raw(doc string) url.Values {
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(doc))}, "RelayState": {h.d.State.Reveal()}}
}

// text is a message as text, for attacks by editing.
func text(el *etree.Element) string {
	doc := etree.NewDocument()
	doc.SetRoot(el.Copy())
	s, err := doc.WriteToString()
	if err != nil {
		panic(err)
	}
	return s
}

// ourCertificate is what our metadata offers to encrypt to.
func (h *samlHouse) ourCertificate() *x509.Certificate {
	h.Helper()
	doc, err := h.f.ServiceMetadata(h.Context(), h.c)
	h.must(err)
	var us saml.EntityDescriptor
	h.must(xml.Unmarshal(doc, &us))
	for _, key := range us.SPSSODescriptors[0].KeyDescriptors {
		if key.Use == "encryption" {
			der, err := base64.StdEncoding.DecodeString(key.KeyInfo.X509Data.X509Certificates[0].Data)
			h.must(err)
			c, err := x509.ParseCertificate(der)
			h.must(err)
			return c
		}
	}
	h.Fatalf("no certificate to encrypt to in %s", doc)
	return nil
}

// otherKey is a stranger's, or a provider's next one.
func otherKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
