package server_test

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/secret"
	"idp/storage"
)

// startSAML is an idp with one SAML provider, which is on this machine.
func startSAML(t *testing.T, change func(*federation.Connection)) (*site, *federationtest.SAML) {
	t.Helper()
	there := federationtest.NewSAML(t, time.Now)
	beside := httptest.NewServer(there.Handler())
	t.Cleanup(beside.Close)
	there.Address, there.EntityID, there.Logout = beside.URL, beside.URL+"/metadata", []string{federationtest.LogoutRedirect}
	database, key := sqlite(t), secret.Bytes(32)
	box, err := secret.NewBox(key)
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), storage.Options{URL: database, Box: box, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := federation.Connection{
		Name: "acme", Type: federation.SAML, Title: "Acme", MetadataURL: beside.URL + "/metadata", Domains: []string{"acme.example"},
		CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	if change != nil {
		change(&c)
	}
	if err := storage.NewConnections(db).SaveConnection(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return startAt(t, database, "", "IDP_MASTER_KEY="+base64.StdEncoding.EncodeToString(key)), there
}

// depart is the browser on its way: where the provider is asked.
func (b *surfer) depart() string {
	b.Helper()
	b.open("/federation/acme/start").submit("/sign-in")
	if b.Status != http.StatusSeeOther {
		b.Fatalf("no way leads to the provider: %d %s", b.Status, b.Page)
	}
	return b.To
}

// posts is the provider's page sending the browser back: a form of another site, with which no
// cookie comes.
func (s *site) posts(form url.Values) *surfer {
	s.Helper()
	stranger := s.surfer()
	stranger.raw(http.MethodPost, "/federation/acme/acs", form.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://idp.example", "Sec-Fetch-Site", "cross-site")
	return stranger
}

func TestSAMLSignInGoesByTheProviderAndEndsInAnAccount(t *testing.T) {
	s, there := startSAML(t, nil)
	b := s.surfer()
	request, err := there.Read(b.depart(), nil)
	if err != nil {
		t.Fatal(err)
	}
	posted := s.posts(there.Answer(request))
	if posted.Status != http.StatusSeeOther || !strings.HasPrefix(posted.To, "/federation/acme/callback?") || len(posted.Cookies()) != 0 {
		t.Fatalf("the post leads to %d %q, cookies %v", posted.Status, posted.To, posted.Cookies())
	}
	eve := s.surfer().open(posted.To)
	if eve.Status == http.StatusOK || strings.Contains(eve.Page, "Ada") {
		t.Errorf("another browser gets on with it: %d", eve.Status)
	}
	b.open(posted.To)
	if b.open("/account"); !strings.Contains(b.Page, "ada@acme.example") {
		t.Errorf("Ada is not signed in: %d %s", b.Status, b.Page)
	}
}

func TestSAMLAnswerThatNobodyWaitsForIsNotKept(t *testing.T) {
	s, there := startSAML(t, nil)
	b := s.surfer()
	request, err := there.Read(b.depart(), nil)
	if err != nil {
		t.Fatal(err)
	}
	posted := s.posts(there.Answer(request))
	b.open(posted.To)
	if late := s.posts(there.Answer(request)); late.Status != http.StatusSeeOther || strings.Contains(late.To, "arrival") {
		t.Errorf("an answer to a sign-in that is over leads to %d %q", late.Status, late.To)
	}
	request.RelayState = federation.NewState("attempt_nobodys").Reveal()
	if none := s.posts(there.Answer(request)); none.Status != http.StatusSeeOther || strings.Contains(none.To, "arrival") {
		t.Errorf("an answer to nobody leads to %d %q", none.Status, none.To)
	} else if s.surfer().open(none.To).Status == http.StatusOK {
		t.Error("nobody is told that it is over")
	}
}

func TestSAMLMetadataOfOursNamesWhereToAnswer(t *testing.T) {
	s, _ := startSAML(t, func(c *federation.Connection) { c.Disabled = true })
	b := s.surfer()
	doc := b.raw(http.MethodGet, "/federation/acme/metadata", "")
	var us saml.EntityDescriptor
	if err := xml.Unmarshal([]byte(doc), &us); err != nil {
		t.Fatal(err)
	}
	role := us.SPSSODescriptors[0]
	if us.EntityID != s.issuer+"/federation/acme/metadata" || role.AssertionConsumerServices[0].Location != s.issuer+"/federation/acme/acs" ||
		!*role.AuthnRequestsSigned || !*role.WantAssertionsSigned || strings.Contains(doc, "Artifact") {
		t.Errorf("our metadata is %s", doc)
	}
	if b.raw(http.MethodGet, "/federation/nobody/metadata", ""); b.Status != http.StatusNotFound {
		t.Errorf("metadata of no connection: %d", b.Status)
	}
}

func TestSAMLResponseThatNobodyAskedForLeadsToOurOwnBeginningAtMost(t *testing.T) {
	for initiated, want := range map[bool]string{true: "/federation/acme/start", false: ""} {
		s, there := startSAML(t, func(c *federation.Connection) { c.IDPInitiated = initiated })
		form := there.Answer(federationtest.SAMLRequest{RelayState: "https://evil.example/"})
		if b := s.posts(form); b.To != want || want == "" && b.Status != http.StatusUnprocessableEntity && b.Status != http.StatusBadRequest {
			t.Errorf("allowed %v: %d, to %q", initiated, b.Status, b.To)
		}
	}
}

func TestSAMLAnswerThatIsRefusedLeadsBackToTheSignIn(t *testing.T) {
	s, there := startSAML(t, nil)
	b := s.surfer()
	request, err := there.Read(b.depart(), nil)
	if err != nil {
		t.Fatal(err)
	}
	there.SignAssertion = false
	posted := s.posts(there.Answer(request))
	if b.open(posted.To); !strings.Contains(b.Page, "Acme did not confirm who you are") {
		t.Errorf("what is said is %d %s", b.Status, b.Page)
	}
	if b.open("/account"); strings.Contains(b.Page, "ada@acme.example") {
		t.Error("an unsigned assertion signs in")
	}
}

func TestWhoSignsOutHereMaySignOutAtTheSAMLProviderToo(t *testing.T) {
	s, there := startSAML(t, nil)
	b := s.surfer()
	request, err := there.Read(b.depart(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b.open(s.posts(there.Answer(request)).To)
	if b.open("/account"); !strings.Contains(b.Page, "ada@acme.example") {
		t.Fatalf("Ada is not signed in: %d %s", b.Status, b.Page)
	}
	b.Post("/sign-out")
	offer := b.To
	if !strings.HasPrefix(offer, "/federation/sign-out?left=") {
		t.Fatalf("signing out leads to %q", offer)
	}
	if b.open("/account"); strings.Contains(b.Page, "ada@acme.example") {
		t.Error("our own session goes on")
	}
	if eve := s.surfer().open(offer); strings.Contains(eve.Page, "Acme too") {
		t.Error("another browser is offered it")
	}
	b.open(offer).submit("/federation/sign-out")
	asked, err := there.Told("SAMLRequest", b.To, nil)
	if err != nil || !strings.HasPrefix(b.To, there.Address+"/slo?") || asked.FindElement("./NameID").Text() != "ada-7" {
		t.Fatalf("the button leads to %q %v", b.To, err)
	}
	service := s.issuer + "/federation/acme/slo"
	answer := "/federation/acme/slo?" + there.Query("SAMLResponse", there.SignedOut(service, asked.SelectAttrValue("ID", ""), saml.StatusSuccess), "https://evil.example/")
	if b.open(answer); b.Status != http.StatusOK || b.To != "" || !strings.Contains(b.Page, "You are signed out at Acme too") {
		t.Errorf("the answer is shown as %d %q %s", b.Status, b.To, b.Page)
	}
	if b.open(answer); b.Status == http.StatusOK || strings.Contains(b.Page, "Acme too") {
		t.Errorf("the answer counts twice: %d", b.Status)
	}
	b.open(offer).submit("/federation/sign-out")
	if asked, err = there.Told("SAMLRequest", b.To, nil); err != nil {
		t.Fatal(err)
	}
	b.open("/federation/acme/slo?" + there.Query("SAMLResponse", there.SignedOut(service, asked.SelectAttrValue("ID", ""), saml.StatusResponder), ""))
	if !strings.Contains(b.Page, "Acme did not confirm") {
		t.Errorf("a no is shown as %d %s", b.Status, b.Page)
	}
}
