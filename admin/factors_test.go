package admin_test

import (
	"testing"
	"time"

	"idp/admin"
	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/session"
	"idp/storage"
)

func (h *house) factor(t *testing.T, u identity.UserID, m identity.Method) identity.FactorID {
	t.Helper()
	if m.Federated() {
		h.way(t, m)
	}
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

func TestOnlyAnOperatorHelpsWhoLostEveryFactorAndThePersonIsTold(t *testing.T) {
	offices(t, func(o *office) {
		op, by := o.signedIn("op@example.com", true)
		ann, u := o.signedIn("ann@example.com", false)
		o.factor(t, u.ID, identity.TOTP)
		o.factor(t, u.ID, identity.Passkey)
		o.factor(t, u.ID, identity.BackupCode)
		o.must(storage.NewTrust(o.db).SaveTrusted(t.Context(), login.Trusted{
			ID: "trust_1", Browser: o.browserOf(u.ID), User: u.ID, CreatedAt: o.clock.Now(), ExpiresAt: o.clock.Now().Add(time.Hour), LastUsedAt: o.clock.Now(),
		}))
		page := "/operator/users/" + string(u.ID)
		op.Get("/operator/users").Want(200, `href="`+page+`"`, "Second factors: Authenticator app, Passkey, Backup code")
		op.Get(page).Want(200, "Her totp", "Her passkey", "1 left", "Remove them from").WantNot("seed")
		ann.Get("/form").Post(page + "/reset-factors").Want(404)
		op.Get(page).Post(page+"/reset-factors").Follow().Want(200, "Removed.", `role="status"`).WantNot("Her totp", "reset-factors")

		p, err := o.people.Person(t.Context(), u.ID)
		o.must(err)
		if len(p.Factors) != 1 || p.Factors[0].Method != identity.Password {
			t.Errorf("on file are %+v", p.Factors)
		}
		open, err := storage.NewSessions(o.db).OfUser(t.Context(), u.ID)
		o.must(err)
		trusted, err := storage.NewTrust(o.db).TrustedBy(t.Context(), u.ID, o.clock.Now().Add(-time.Hour), o.clock.Now())
		o.must(err)
		if len(open) != 0 || len(trusted) != 0 {
			t.Errorf("%d sessions and %d trusted browsers are left", len(open), len(trusted))
		}
		if e := o.happened(t, event.FactorsReset); len(e) != 1 || e[0].Actor != string(by.ID) || e[0].User != string(u.ID) {
			t.Errorf("events %+v", e)
		}
		if waiting, err := o.queue.Jobs(t.Context(), "", 10); err != nil || len(waiting) != 1 || waiting[0].Kind != message.JobKind {
			t.Errorf("one mail tells them, but waiting are %+v (%v)", waiting, err)
		}
		op.Get(page).Post(page + "/reset-factors").Want(409)
		op.Post(page+"/unlock").Follow().Want(200, "Unlocked.")
		if e := o.happened(t, event.SignInUnlocked); len(e) != 1 || e[0].Actor != string(by.ID) {
			t.Errorf("events %+v", e)
		}
		op.Get("/operator/users/user_nobody").Want(404)
	})
}

func (o *office) browserOf(u identity.UserID) session.BrowserID {
	o.Helper()
	open, err := storage.NewSessions(o.db).OfUser(o.Context(), u)
	o.must(err)
	if len(open) != 1 {
		o.Fatalf("%d sessions", len(open))
	}
	return open[0].Browser
}

func TestAResetOfSecondFactorsLeavesAccountsElsewhereAlone(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		ann := o.create(t, "ann@example.com")
		google := o.factor(t, ann.ID, identity.OAuthMethod("google"))
		b.Get("/operator/users/"+string(ann.ID)).Want(200, `id="connections"`, "google", "Her oauth_google").WantNot(`id="reset-factors"`)
		if err := o.users.ResetFactors(t.Context(), ann.ID, admin.CLI); !problem.HasCode(err, admin.ErrNoFactors.Code) {
			t.Errorf("there is nothing to reset: %v", err)
		}
		page := "/operator/users/" + string(ann.ID)
		github := o.factor(t, ann.ID, identity.OAuthMethod("github"))
		b.Get(page).Post(page+"/unlink", "factor", string(github)).Follow().Want(200, "Disconnected.", "google").WantNot("github")
		b.Get(page).Post(page+"/unlink", "factor", string(github)).Want(404)
		o.factor(t, ann.ID, identity.TOTP)
		o.must(o.users.ResetFactors(t.Context(), ann.ID, admin.CLI))
		who, err := o.people.Person(t.Context(), ann.ID)
		o.must(err)
		if len(who.Factors) == 0 || who.Factors[len(who.Factors)-1].ID != google {
			t.Errorf("on file is %+v: how does Ann come in?", who.Factors)
		}
	})
}
