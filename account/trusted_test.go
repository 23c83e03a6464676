package account_test

import (
	"testing"
	"time"

	"idp/identity"
	"idp/login"
	"idp/session"
	"idp/storage"
)

// trust lets a session's browser skip the second factor.
func (d *desk) trust(id login.TrustID, s session.Session) {
	d.Helper()
	d.settings.TrustDays = 30
	now := d.clock.Now()
	d.must(storage.NewTrust(d.db).SaveTrusted(d.Context(), login.Trusted{
		ID: id, Browser: s.Browser, User: s.User, UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		CreatedAt: now, ExpiresAt: now.AddDate(0, 0, 30), LastUsedAt: now,
	}))
}

func (d *desk) trusted(u identity.UserID) (ids []login.TrustID) {
	d.Helper()
	all, err := d.engine.TrustedBy(d.Context(), u)
	d.must(err)
	for _, t := range all {
		ids = append(ids, t.ID)
	}
	return ids
}

func TestTrustedBrowsersAreListedAndTakenBack(t *testing.T) {
	each(t, func(d *desk) {
		ann, eve := d.person("ann"), d.person("eve")
		here, s := d.on(nil, ann)
		_, far := d.on(nil, ann)
		_, hers := d.on(nil, eve)
		here.Get("/account/security").Want(200).WantNot(`id="trusted"`)
		d.trust("trust_here", s)
		d.clock.Add(time.Second)
		d.trust("trust_far", far)
		d.trust("trust_eve", hers)
		here.Get("/account/security").Want(200, "Trusted browsers", "This browser", `value="trust_here"`, `value="trust_far"`).WantNot("trust_eve")
		here.Post("/account/security/trusted/drop", "trust", "trust_eve").Want(404)
		here.Get("/account/security").Post("/account/security/trusted/drop", "trust", "trust_far").Follow().Want(200, "asks for your second step again").WantNot("trust_far")
		if len(d.trusted(ann)) != 1 || len(d.trusted(eve)) != 1 {
			t.Errorf("trusted are %v and %v", d.trusted(ann), d.trusted(eve))
		}
		here.Get("/account/security").Post("/account/security/trusted/drop").Want(303)
		if len(d.trusted(ann)) != 0 || len(d.trusted(eve)) != 1 {
			t.Errorf("trusted are %v and %v", d.trusted(ann), d.trusted(eve))
		}
	})
}

func TestSigningOutFromAfarTakesTrustBackThere(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		here, s := d.on(nil, ann)
		_, far := d.on(nil, ann)
		_, third := d.on(nil, ann)
		d.trust("trust_here", s)
		d.trust("trust_far", far)
		d.trust("trust_third", third)
		here.Get("/account").Post("/account/sessions/end", "session", string(far.ID)).Want(303)
		if len(d.trusted(ann)) != 2 {
			t.Errorf("trusted are %v", d.trusted(ann))
		}
		here.Get("/account").Post("/account/sessions/end-others").Want(303)
		if got := d.trusted(ann); len(got) != 1 || got[0] != "trust_here" {
			t.Errorf("trusted are %v", got)
		}
		here.Get("/account").Post("/sign-out").Want(303) // the next sign-in here is what the trust is for
		if len(d.trusted(ann)) != 1 {
			t.Error("signing out here took the trust away")
		}
	})
}
