package account_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"idp/account"
	"idp/consent"
	"idp/identity"
	"idp/internal/web"
	"idp/internal/web/webtest"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
)

// desk is the account pages on a real database.
type desk struct {
	*testing.T
	clock  *storagetest.Clock
	keeper *session.Keeper
	grants *storage.Consent
	people *storage.People
	server *sessiontest.Site
	pages  *account.Pages
}

func each(t *testing.T, f func(d *desk)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		d := &desk{T: t, clock: storagetest.NewClock(), grants: storage.NewConsent(db), people: storage.NewPeople(db)}
		events := storage.NewEvents(db)
		d.keeper = &session.Keeper{Store: storage.NewSessions(db), Events: events, InTx: db.InTx, Now: d.clock.Now}
		d.server = sessiontest.Serve(t, d.keeper, storagetest.Box())
		d.pages = &account.Pages{Sessions: d.keeper, People: d.people, Grants: d.grants, Events: events, Web: d.server.Pages, InTx: db.InTx, Now: d.clock.Now}
		d.server.Mount([]web.Route{
			{Pattern: "GET /{$}", Do: d.pages.Root}, {Pattern: "GET /account", Do: d.pages.Account}, {Pattern: "POST /sign-out", Do: d.pages.SignOut},
			{Pattern: "POST /account/sessions/end", Do: d.pages.EndSession}, {Pattern: "POST /account/sessions/end-others", Do: d.pages.EndOthers},
			{Pattern: "POST /account/apps/revoke", Do: d.pages.Revoke},
		})
		f(d)
	})
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) person(name string) identity.UserID {
	d.Helper()
	id, now := identity.UserID("user_"+name), d.clock.Now()
	d.must(d.people.SaveUser(d.Context(), identity.User{ID: id, Status: identity.Active, Profile: identity.Profile{Name: name + " Lee"}, CreatedAt: now, UpdatedAt: now}))
	d.must(d.people.SaveHolding(d.Context(), identity.Holding{
		ID: identity.HoldingID("holding_" + name), UserID: id, Identifier: identity.Identifier{Kind: identity.Email, Value: name + "@example.com"},
		Primary: true, VerifiedAt: now, CreatedAt: now,
	}))
	return id
}

// on signs a person in, on a new browser or on one that is there.
func (d *desk) on(b *webtest.Browser, u identity.UserID) (*webtest.Browser, session.Session) {
	d.Helper()
	if b == nil {
		b = webtest.New(d, d.server.URL)
	}
	s, cookie := sessiontest.SignIn(d, d.keeper, u, b.Cookies()...)
	b.Plant(cookie)
	return b, s
}

func (d *desk) alive(s session.Session) bool {
	d.Helper()
	kept, err := d.keeper.Store.Session(d.Context(), s.ID)
	d.must(err)
	return kept.Alive(d.clock.Now())
}

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
