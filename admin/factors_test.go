package admin_test

import (
	"testing"

	"idp/admin"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

func (h *house) factor(t *testing.T, u identity.UserID, m identity.Method) identity.FactorID {
	t.Helper()
	f := identity.Factor{
		ID: identity.FactorID(secret.NewID("factor")), UserID: u, Method: m, Name: "Her " + string(m),
		Secret: secret.NewString("seed"), CreatedAt: h.clock.Now(), LastUsedAt: h.clock.Now(),
	}
	if err := h.people.SaveFactor(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	return f.ID
}

func TestThePageOfSettingsSaysWhoDependsOnAMethod(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		ann, bob, cid := o.create(t, "ann@example.com"), o.create(t, "bob@example.com"), o.create(t, "cid@example.com")
		o.factor(t, ann.ID, identity.TOTP)
		o.factor(t, ann.ID, identity.BackupCode)
		o.factor(t, bob.ID, identity.TOTP)
		o.factor(t, bob.ID, identity.Passkey)
		o.factor(t, cid.ID, identity.TOTP)
		if err := o.users.Ban(t.Context(), cid.ID, admin.CLI); err != nil {
			t.Fatal(err)
		}
		b.Get("/operator/settings").Want(200, "<small>1 person has no other second factor</small>", "Needs a gateway for text messages")
		b.WantNot("switched on.</div>", "people have no other second factor")

		s, version, err := o.settings.Load(t.Context())
		o.must(err)
		s.SignIn.TOTP = false
		o.must(o.settings.Save(t.Context(), s, version, admin.CLI))
		b.Get("/operator/settings").Want(200, "1 person has second factors, but none that is switched on.", "<small>1 person has no other second factor</small>") // bob now, by his passkey
	})
}

func TestTextMessagesAreSwitchedOnOnlyWhereSomethingSendsThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s, version, err := h.settings.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.SignIn.SMS, s.SignIn.TwoStep = true, login.Required
		if err := h.settings.Save(t.Context(), s, version, admin.CLI); !problem.Is(err, problem.Invalid) || h.settings.SignIn().SMS {
			t.Fatalf("without a gateway: %v", err)
		}
		h.settings.Texts = true
		if err := h.settings.Save(t.Context(), s, version, admin.CLI); err != nil {
			t.Fatal(err)
		}
		h.settings.Texts = false // the gateway is gone; its people keep their second factor, and other settings can be saved
		s, version, err = h.settings.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.SignIn.TrustDays = 7
		if err := h.settings.Save(t.Context(), s, version, admin.CLI); err != nil || !h.settings.SignIn().SMS {
			t.Errorf("SMS is on: %t (%v)", h.settings.SignIn().SMS, err)
		}
	})
}
