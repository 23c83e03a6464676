package login_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/descope/virtualwebauthn"

	"idp/identity"
	"idp/login"
)

// device is an authenticator with one credential, and the site its browser believes to be at.
type device struct {
	*testing.T
	site virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

func newDevice(t *testing.T) *device {
	t.Helper()
	d := &device{
		T: t, site: virtualwebauthn.RelyingParty{ID: "id.example.com", Name: "Acme", Origin: origin},
		auth: virtualwebauthn.NewAuthenticator(), cred: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
	for len(d.cred.Key.AttestationData()) != 77 { // the library drops leading zeros of a coordinate
		d.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return d
}

// twin is a copy that goes its own way.
func (d *device) twin() *device {
	c := *d
	return &c
}

// creates answers options to make a credential. The authenticator remembers the handle.
func (d *device) creates(options json.RawMessage) string {
	d.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		d.Fatalf("options %s: %v", options, err)
	}
	d.auth.Options.UserHandle = []byte(o.UserID)
	return virtualwebauthn.CreateAttestationResponse(d.site, d.auth, d.cred, *o)
}

// signs answers options to use the credential, counting on.
func (d *device) signs(options json.RawMessage) string {
	d.Helper()
	d.cred.Counter++
	return d.signsAt(options)
}

// signsAt is signs with the counter as it stands.
func (d *device) signsAt(options json.RawMessage) string {
	d.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		d.Fatalf("options %s: %v", options, err)
	}
	return virtualwebauthn.CreateAssertionResponse(d.site, d.auth, d.cred, *o)
}

func (d *device) id() string { return base64.RawURLEncoding.EncodeToString(d.cred.ID) }

// made is what the browser was asked to make.
func (b *browser) made() json.RawMessage {
	b.Helper()
	if b.err != nil || b.view.Enrollment == nil || len(b.view.Enrollment.Options) == 0 {
		b.Fatalf("nothing to make: %v, %+v", b.err, b.view.Enrollment)
	}
	return b.view.Enrollment.Options
}

// asked is what the browser was asked to sign.
func (b *browser) asked() json.RawMessage {
	b.Helper()
	if b.err != nil || len(b.view.Options) == 0 {
		b.Fatalf("nothing to sign at %s: %v", b.view.Step, b.err)
	}
	return b.view.Options
}

// within begins an attempt of the session that b just got.
func (b *browser) within(g login.Goal) *browser {
	b.Helper()
	return b.begin(login.Beginning{Goal: g, Session: b.view.SessionID})
}

// signedIn is somebody new, by password, on a browser of theirs.
func (h *house) signedIn(mail string) *browser {
	h.Helper()
	h.person(mail, identity.Password)
	return h.browser().signIn().identify(mail).prove(identity.Password, rightPassword).want(login.Complete)
}

// owner is somebody with that device on file, by the front door, signed in.
func (h *house) owner(mail string, m identity.Method) (*browser, *device) {
	h.Helper()
	d := newDevice(h.T)
	b := h.signedIn(mail).within(login.Enroll).want(login.NeedsEnrollment).enroll(m, "")
	return b.enrollConfirm(d.creates(b.made())).want(login.Complete), d
}

func (h *house) key(u identity.UserID, m identity.Method) identity.Factor {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	for _, f := range p.Factors {
		if f.Method == m {
			return f
		}
	}
	h.Fatalf("no %s on file", m)
	return identity.Factor{}
}

// user is whose session b has.
func (b *browser) user() identity.UserID {
	b.Helper()
	return b.session().User
}
