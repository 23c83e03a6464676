package federation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"idp/federation"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestSAMLSignsInWithWhatTheProviderSays(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		h := samlHouseOn(t, db)
		x, err := h.signIn()
		h.must(err)
		if x.Account.Method != "saml_acme" || x.Account.Issuer != h.idp.EntityID || x.Account.Subject != "ada-7" {
			t.Errorf("the account is %+v", x.Account)
		}
		if x.Email.Value != "ada@acme.example" || !x.Verdict.Verified {
			t.Errorf("the address is %s with verdict %+v; the domain is the connection's", x.Email.Value, x.Verdict)
		}
		if x.Profile.GivenName != "Ada" || x.Profile.FamilyName != "Lovelace" || x.Profile.Name != "Ada Lovelace" {
			t.Errorf("the profile is %+v", x.Profile)
		}
		if x.Session != "s-1" || !strings.Contains(x.NameID, ">ada-7</") || !x.AuthTime.Equal(h.clock.Now()) {
			t.Errorf("session %q, name %q, proven at %s", x.Session, x.NameID, x.AuthTime)
		}
	})
}

func TestSAMLRequestIsSignedAndBoundToTheState(t *testing.T) {
	h := newSAMLHouse(t)
	r := h.asked()
	if r.RelayState != h.d.State.Reveal() || len(r.RelayState) > 80 {
		t.Errorf("RelayState is %q", r.RelayState)
	}
	if r.Issuer.Value != "https://id.example.com/federation/acme/metadata" || r.AssertionConsumerServiceURL != "https://id.example.com/federation/acme/acs" {
		t.Errorf("issuer %q, to answer at %q", r.Issuer.Value, r.AssertionConsumerServiceURL)
	}
	if r.Destination != "https://idp.example/sso" || r.ForceAuthn != nil || r.RequestedAuthnContext != nil {
		t.Errorf("the request is %s", r.Document)
	}
	other := h.departure()
	h.d, other = other, h.d
	if again := h.asked(); again.ID == r.ID || !strings.HasPrefix(r.ID, "_") {
		t.Errorf("two states, one request: %q", r.ID)
	}
	h.d = other
	if again := h.asked(); again.ID != r.ID {
		t.Errorf("one state, two requests: %q and %q", r.ID, again.ID)
	}
	h.d.Anew = true
	if anew := h.asked(); anew.ForceAuthn == nil || !*anew.ForceAuthn {
		t.Error("nobody is asked for a proof anew")
	}
}

func TestSAMLRequestGoesByPostWhereTheProviderOffersOnlyThat(t *testing.T) {
	h := newSAMLHouse(t)
	h.idp.PostOnly = true
	h.c.Metadata = h.idp.Metadata()
	way, err := h.f.Depart(t.Context(), h.c, h.d)
	h.must(err)
	if way.URL != "https://idp.example/sso" || way.Form.Get("RelayState") != h.d.State.Reveal() {
		t.Errorf("the way is %+v", way)
	}
	r, err := h.idp.Read(way.URL, way.Form)
	h.must(err)
	if !strings.Contains(string(r.Document), "SignatureValue") {
		t.Errorf("the request is not signed: %s", r.Document)
	}
	_, err = h.brought(h.idp.Answer(r))
	h.must(err)
}

func TestSAMLSignatureMayCoverTheResponseTheAssertionOrBoth(t *testing.T) {
	for _, signs := range []struct{ response, assertion bool }{{true, false}, {false, true}, {true, true}} {
		h := newSAMLHouse(t)
		h.idp.SignResponse, h.idp.SignAssertion = signs.response, signs.assertion
		if _, err := h.signIn(); err != nil {
			t.Errorf("response %v, assertion %v: %v", signs.response, signs.assertion, err)
		}
	}
}

func TestSAMLSubjectIsTheNameAndItsQualifiers(t *testing.T) {
	h := newSAMLHouse(t)
	subject := func(change func(*saml.NameID)) string {
		t.Helper()
		h.idp.Change = func(a *saml.Assertion) { change(a.Subject.NameID) }
		x, err := h.signIn()
		h.must(err)
		return x.Account.Subject
	}
	plain := subject(func(*saml.NameID) {})
	same := subject(func(n *saml.NameID) {
		n.NameQualifier, n.SPNameQualifier = h.idp.EntityID, "https://id.example.com/federation/acme/metadata"
	})
	if same != plain {
		t.Errorf("the usual qualifiers make another subject: %q, %q", plain, same)
	}
	other := subject(func(n *saml.NameID) { n.NameQualifier = "https://elsewhere.example" })
	if other == plain {
		t.Error("another qualifier makes the same subject")
	}
	if copied := subject(func(n *saml.NameID) { n.Value = other }); copied == other {
		t.Error("a name can be spelled so that it is another's with its qualifier")
	}
}

func TestSAMLTransientNameIsNobodyUnlessAnAttributeIsMapped(t *testing.T) {
	h := newSAMLHouse(t)
	h.idp.Person.Format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	h.d = h.departure()
	h.refused("a transient name", h.idp.Answer(h.asked()))
	h.c.Claims = map[string]string{"subject": "urn:oid:0.9.2342.19200300.100.1.3"}
	x, err := h.signIn()
	h.must(err)
	if x.Account.Subject != "ada@acme.example" {
		t.Errorf("the subject is %q", x.Account.Subject)
	}
}

func TestSAMLAddressOfAnotherDomainIsNotBelieved(t *testing.T) {
	h := newSAMLHouse(t)
	h.idp.Person.Attributes["urn:oid:0.9.2342.19200300.100.1.3"] = []string{"ceo@victim.example"}
	x, err := h.signIn()
	h.must(err)
	if x.Verdict.Verified {
		t.Errorf("an address of another domain is believed: %+v", x)
	}
}

func TestSAMLEmailCanBeTheName(t *testing.T) {
	h := newSAMLHouse(t)
	h.idp.Person.NameID, h.idp.Person.Format = "grace@acme.example", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	h.idp.Person.Attributes = nil
	x, err := h.signIn()
	h.must(err)
	if x.Email.Value != "grace@acme.example" || x.Account.Subject != "grace@acme.example" {
		t.Errorf("what came is %+v", x)
	}
}

func TestSAMLProofIsAnewIfThatWasAsked(t *testing.T) {
	h := newSAMLHouse(t)
	h.d.Anew = true
	h.idp.Person.At = h.clock.Now().Add(-5 * time.Minute)
	if _, err := h.brought(h.idp.Answer(h.asked())); !problem.HasCode(err, federation.ErrRefused.Code) {
		t.Errorf("a proof of before was taken for a fresh one: %v", err)
	}
	h.d = h.departure()
	hour := time.Hour
	h.d.MaxAge = &hour
	if _, err := h.brought(h.idp.Answer(h.asked())); err != nil {
		t.Errorf("a proof of five minutes ago, where an hour is good enough: %v", err)
	}
	h.d = h.departure()
	minute := time.Minute
	h.d.MaxAge = &minute
	if _, err := h.brought(h.idp.Answer(h.asked())); !problem.HasCode(err, federation.ErrRefused.Code) {
		t.Errorf("a proof that is too old was taken: %v", err)
	}
}

func TestSAMLSecondStepThereCountsOnlyIfTheOperatorTrustsIt(t *testing.T) {
	h := newSAMLHouse(t)
	h.idp.Person.Context = "https://refeds.org/profile/mfa"
	x, err := h.signIn()
	h.must(err)
	if x.Both {
		t.Error("it counts without trust")
	}
	h.c.Trust.MFA = true
	x, err = h.signIn()
	h.must(err)
	if !x.Both {
		t.Error("it does not count with trust")
	}
}

func TestSAMLEncryptedAssertionIsRead(t *testing.T) {
	h := newSAMLHouse(t)
	h.idp.EncryptTo = h.ourCertificate()
	x, err := h.signIn()
	h.must(err)
	if x.Account.Subject != "ada-7" {
		t.Errorf("what came is %+v", x)
	}
	h.idp.SignAssertion, h.idp.SignResponse = false, true
	if _, err = h.signIn(); err != nil {
		t.Errorf("signed around, encrypted within: %v", err)
	}
	h.idp.SignResponse = false
	h.d = h.departure()
	h.refused("encrypted to us, signed by nobody", h.idp.Answer(h.asked()))
}

func TestSAMLNoOfTheProviderIsTold(t *testing.T) {
	h := newSAMLHouse(t)
	el := h.idp.Response(h.asked(), h.idp.Sealed(h.asked()))
	status := el.FindElement("./Status/StatusCode")
	status.CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
	if _, err := h.brought(h.form(el)); !problem.HasCode(err, federation.ErrChanged.Code) {
		t.Errorf("a no of the provider: %v", err)
	}
	if h.kept.Load() != 0 {
		t.Error("something was kept")
	}
}

func TestSAMLUnsolicitedResponseIsNeverASignIn(t *testing.T) {
	for _, initiated := range []bool{false, true} {
		h := newSAMLHouse(t)
		h.c.IDPInitiated = initiated
		for _, relay := range []string{"", "https://evil.example/", `"><script>alert(1)</script>`, "/account", strings.Repeat("a.", 100)} {
			r := h.asked()
			r.ID, r.RelayState = "", relay
			if _, err := h.brought(h.idp.Answer(r)); !problem.HasCode(err, federation.ErrUnsolicited.Code) {
				t.Errorf("RelayState %q, allowed %v: %v", relay, initiated, err)
			}
		}
		if h.kept.Load() != 0 {
			t.Error("something was kept")
		}
	}
}
