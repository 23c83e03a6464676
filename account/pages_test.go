package account_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"idp/consent"
	"idp/identity"
	"idp/session"
)

func TestTheAccountPageShowsWhereOneIsSignedIn(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		b, _ := d.on(nil, ann)
		d.clock.Add(30 * time.Minute)
		d.on(nil, ann)
		b.Get("/account").Want(200, "ann Lee", "ann@example.com", "Firefox · Linux", "This device", "203.0.113.7")
		if n := len(regexp.MustCompile(`name="session" value=`).FindAllString(b.Page, -1)); n != 1 {
			t.Errorf("%d devices can be ended, one is another", n)
		}
		b.WantNot("Operator pages")
	})
}

func TestADeviceIsSignedOutFromAfar(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		here, this := d.on(nil, ann)
		there, far := d.on(nil, ann)
		_, third := d.on(nil, ann)
		here.Get("/account").Post("/account/sessions/end", "session", string(far.ID)).Follow().Want(200, "That device is signed out.")
		there.Get("/account").Want(303, "/sign-in")
		if d.alive(far) || !d.alive(third) || !d.alive(this) {
			t.Error("the wrong session ended")
		}
		here.Post("/account/sessions/end-others").Follow().Want(200)
		if d.alive(third) || !d.alive(this) {
			t.Error("ending all others ended the wrong ones")
		}
	})
}

func TestNobodyEndsSomebodyElsesSession(t *testing.T) {
	each(t, func(d *desk) {
		_, anns := d.on(nil, d.person("ann"))
		eve, _ := d.on(nil, d.person("eve"))
		eve.Get("/account").Post("/account/sessions/end", "session", string(anns.ID)).Want(404)
		eve.Get("/account").Post("/account/sessions/end-others").Want(303)
		eve.Get("/account").Post("/account/sessions/end", "session", "session_none").Want(404)
		if !d.alive(anns) {
			t.Error("eve ended ann's session")
		}
	})
}

func TestTakingAnAppsAccessBackEndsTheGrant(t *testing.T) {
	each(t, func(d *desk) {
		ann, eve := d.person("ann"), d.person("eve")
		for _, u := range []identity.UserID{ann, eve} {
			d.must(d.grants.SaveGrant(t.Context(), consent.Grant{User: u, Client: "client_1", Scopes: []string{"openid", "email"}, CreatedAt: d.clock.Now(), UpdatedAt: d.clock.Now()}))
		}
		b, _ := d.on(nil, ann)
		b.Get("/account").Want(200, "See your email address")
		b.Post("/account/apps/revoke", "client", "client_1").Follow().Want(200, "no longer has access", "You have not allowed any app yet.")
		if _, err := d.grants.Grant(t.Context(), eve, "client_1"); err != nil {
			t.Errorf("somebody else's grant is gone: %v", err)
		}
	})
}

func TestSigningOutEndsTheSessionInUseOnly(t *testing.T) {
	each(t, func(d *desk) {
		b, first := d.on(nil, d.person("ann"))
		_, second := d.on(b, d.person("bob"))
		b.Get("/account").Want(200, "bob Lee", "Switch", "ann Lee")
		b.Post("/sign-out").Want(303, "/sign-in?signed_out=1")
		if d.alive(second) || !d.alive(first) {
			t.Error("the wrong session ended")
		}
		b.Get("/account").Want(200, "ann Lee")
		for range 2 { // twice is fine
			b.Post("/sign-out").Want(303, "/sign-in")
		}
		b.Get("/account").Want(303, "/sign-in")
		b.Get("/").Want(303, "/sign-in")
	})
}

func TestSigningOutGoesByWayOfTheAppsThatWantToHear(t *testing.T) {
	each(t, func(d *desk) {
		var told []session.ID
		d.pages.Parting = func(_ *http.Request, ended []session.ID, to string) (string, error) {
			told = append(told, ended...)
			return "/apps?then=" + to, nil
		}
		b, s := d.on(nil, d.person("ann"))
		b.Get("/account").Post("/sign-out").Want(303, "/apps?then=/sign-in?signed_out=1")
		if len(told) != 1 || told[0] != s.ID || d.alive(s) {
			t.Errorf("told of %v", told)
		}
		again, s := d.on(nil, s.User)
		again.Get("/account").Post("/account/sessions/end", "session", string(s.ID)).Want(303, "/apps?then=")
		if len(told) != 2 || d.alive(s) {
			t.Errorf("told of %v", told)
		}
	})
}

func TestASignOutFromAnotherSiteIsNotCarriedOut(t *testing.T) {
	each(t, func(d *desk) {
		b, s := d.on(nil, d.person("ann"))
		b.Token = "" // a page of another site has none
		b.Post("/sign-out").Want(403)
		if !d.alive(s) {
			t.Error("another site signed ann out")
		}
	})
}
