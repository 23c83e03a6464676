package account_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"idp/account"
	"idp/admin"
	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/internal/web/webtest"
	"idp/job"
	"idp/login"
	"idp/message"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
)

// desk is the account, and the pages of signing in that it leads to, on a real database.
type desk struct {
	*testing.T
	db       *storage.DB
	clock    *storagetest.Clock
	keeper   *session.Keeper
	grants   *storage.Consent
	people   *storage.People
	events   *storage.Events
	engine   *login.Engine
	settings login.Settings
	post     sync.Mutex
	letters  []message.Message // posted, oldest first
	server   *sessiontest.Site
	self     *account.Self
	pages    *account.Pages
	pictures *account.Pictures
	jobs     jobs
}

// jobs are those that wait, oldest first.
type jobs struct{ waiting []job.Job }

func (q *jobs) Enqueue(_ context.Context, j job.Job) error {
	q.waiting = append(q.waiting, j)
	return nil
}

func each(t *testing.T, f func(d *desk)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) { f(newDesk(t, db)) })
}

func newDesk(t *testing.T, db *storage.DB) *desk {
	t.Helper()
	d := &desk{
		T: t, db: db, clock: storagetest.NewClock(), grants: storage.NewConsent(db), people: storage.NewPeople(db),
		events: storage.NewEvents(db), settings: login.DefaultSettings(),
	}
	d.keeper = &session.Keeper{Store: storage.NewSessions(db), Events: d.events, InTx: db.InTx, Now: d.clock.Now}
	d.server = sessiontest.Serve(t, d.keeper, storagetest.Box())
	d.engine = &login.Engine{
		Store: storage.NewLogin(db), People: d.people, Throttle: storage.NewThrottle(db), Trust: storage.NewTrust(db), Sessions: d.keeper.Store, Events: d.events,
		Hasher: plain{}, Box: storagetest.Box(), InTx: db.InTx, Origin: d.server.URL, Now: d.clock.Now,
		Settings: func() login.Settings { return d.settings }, SessionSettings: session.DefaultSettings,
		Post: func(_ context.Context, m message.Message) error {
			d.post.Lock() // two browsers may be at it
			defer d.post.Unlock()
			d.letters = append(d.letters, m)
			return nil
		},
	}
	users := &admin.Users{
		Store: storage.NewAdmin(db), People: d.people, Sessions: d.keeper.Store, Events: d.events, Departed: storage.NewAccount(db),
		Post: d.engine.Post, InTx: db.InTx, Now: d.clock.Now,
	}
	d.self = &account.Self{
		Engine: d.engine, Sessions: d.keeper, People: d.people, Store: storage.NewAccount(db), Grants: d.grants, Events: d.events,
		Locale: d.server.Pages.Locale, Issuer: d.server.URL, Erase: users.Delete, InTx: db.InTx, Now: d.clock.Now,
	}
	d.pictures = &account.Pictures{
		Store: storage.NewPictures(db), People: d.people, Events: d.events, Queue: &d.jobs, Outbound: outbound.New(outbound.Options{Loopback: true}),
		Box: storagetest.Box(), Issuer: d.server.URL, Log: slog.New(slog.DiscardHandler), InTx: db.InTx, Now: d.clock.Now,
	}
	d.self.Pictures, d.engine.Picture = d.pictures, d.pictures.Want
	d.pages = &account.Pages{Self: d.self, Web: d.server.Pages}
	in := &login.Pages{Engine: d.engine, Sessions: d.keeper, Web: d.server.Pages}
	api := &account.API{Self: d.self}
	d.server.Mount([]web.Route{
		{Pattern: "GET /{$}", Do: d.pages.Root}, {Pattern: "GET /account", Do: d.pages.Account}, {Pattern: "POST /sign-out", Do: d.pages.SignOut},
		{Pattern: "POST /account/confirm", Do: d.pages.Confirm}, {Pattern: "POST /account/profile", Do: d.pages.SaveProfile},
		{Pattern: "GET /avatars/{id}", Do: d.pictures.Serve, Face: web.Plain}, {Pattern: "POST /account/picture/remove", Do: d.pages.DropPicture},
		{Pattern: "DELETE /frontend/v1/me/picture", Do: api.DropPicture, Face: web.Frontend},
		{Pattern: "POST /account/identifiers", Do: d.pages.AddIdentifier}, {Pattern: "POST /account/identifiers/primary", Do: d.pages.Primary},
		{Pattern: "POST /account/identifiers/remove", Do: d.pages.Remove}, {Pattern: "GET /account/password", Do: d.pages.PasswordForm},
		{Pattern: "POST /account/password", Do: d.pages.SetPassword}, {Pattern: "POST /account/password/remove", Do: d.pages.DropPassword},
		{Pattern: "POST /account/export", Do: d.pages.TakeOut}, {Pattern: "GET /account/delete", Do: d.pages.DeleteForm},
		{Pattern: "POST /account/delete", Do: d.pages.DeleteAccount}, {Pattern: "GET /account/deleted", Do: d.pages.Deleted},
		{Pattern: "POST /account/sessions/end", Do: d.pages.EndSession}, {Pattern: "POST /account/security/trusted/drop", Do: d.pages.Distrusted},
		{Pattern: "GET /frontend/v1/me/trusted-browsers", Do: api.TrustedBrowsers, Face: web.Frontend}, {Pattern: "DELETE /frontend/v1/me/trusted-browsers/{trust}", Do: api.DropTrusted, Face: web.Frontend},
		{Pattern: "POST /account/sessions/end-others", Do: d.pages.EndOthers},
		{Pattern: "POST /account/apps/revoke", Do: d.pages.Revoke},
		{Pattern: "GET /account/security", Do: d.pages.SecurityForm}, {Pattern: "POST /account/security/add", Do: d.pages.AddFactor},
		{Pattern: "POST /account/security/rename", Do: d.pages.RenameFactor}, {Pattern: "POST /account/security/remove", Do: d.pages.DropFactor},
		{Pattern: "POST /account/security/backup-codes", Do: d.pages.RenewBackupCodes},
		{Pattern: "POST /account/connections/connect", Do: d.pages.Connect}, {Pattern: "POST /account/connections/disconnect", Do: d.pages.Disconnect},
		{Pattern: "GET /account/merge", Do: d.pages.MergeForm}, {Pattern: "POST /account/merge", Do: d.pages.MergeAccounts},
		{Pattern: "POST /account/merge/prove", Do: d.pages.MergeProve}, {Pattern: "POST /frontend/v1/me/merge", Do: api.Merge, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me/connections", Do: api.Connections, Face: web.Frontend}, {Pattern: "DELETE /frontend/v1/me/connections/{factor}", Do: api.Disconnect, Face: web.Frontend},
		{Pattern: "POST /sign-in/{attempt}/depart/{connection}", Do: in.Depart, Face: web.Passage}, {Pattern: "GET /federation/{connection}/callback", Do: in.Arrive, Face: web.Passage},
		{Pattern: "POST /sign-in/{attempt}/enroll", Do: in.Enroll}, {Pattern: "POST /sign-in/{attempt}/confirm", Do: in.Confirm},
		{Pattern: "GET /frontend/v1/me/factors", Do: api.Factors, Face: web.Frontend}, {Pattern: "PATCH /frontend/v1/me/factors/{factor}", Do: api.RenameFactor, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/factors/{factor}", Do: api.DropFactor, Face: web.Frontend}, {Pattern: "POST /frontend/v1/me/backup-codes", Do: api.RenewBackupCodes, Face: web.Frontend},
		{Pattern: "GET /sign-in/{attempt}", Do: in.Show}, {Pattern: "POST /sign-in/{attempt}/prove", Do: in.Prove},
		{Pattern: "POST /sign-in/{attempt}/prepare", Do: in.Prepare}, {Pattern: "POST /sign-in/{attempt}/cancel", Do: in.Cancel},
		{Pattern: "GET /frontend/v1/sessions", Do: api.Sessions, Face: web.Frontend}, {Pattern: "DELETE /frontend/v1/sessions", Do: api.EndAll, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/sessions/{session}", Do: api.End, Face: web.Frontend}, {Pattern: "POST /frontend/v1/sessions/{session}/touch", Do: api.Touch, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/sessions/{session}/activate", Do: api.Activate, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me", Do: api.Look, Face: web.Frontend}, {Pattern: "PATCH /frontend/v1/me", Do: api.Change, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me", Do: api.Leave, Face: web.Frontend}, {Pattern: "POST /frontend/v1/me/password", Do: api.Password, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/password", Do: api.DropPassword, Face: web.Frontend}, {Pattern: "POST /frontend/v1/me/identifiers", Do: api.Add, Face: web.Frontend},
		{Pattern: "PATCH /frontend/v1/me/identifiers/{identifier}", Do: api.Rank, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/identifiers/{identifier}", Do: api.Remove, Face: web.Frontend},
		{Pattern: "GET /frontend/v1/me/sessions", Do: api.Devices, Face: web.Frontend}, {Pattern: "DELETE /frontend/v1/me/sessions/{session}", Do: api.EndDevice, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/me/sessions/end-others", Do: api.EndOthers, Face: web.Frontend}, {Pattern: "GET /frontend/v1/me/grants", Do: api.Apps, Face: web.Frontend},
		{Pattern: "DELETE /frontend/v1/me/grants/{client}", Do: api.Revoke, Face: web.Frontend}, {Pattern: "GET /frontend/v1/me/export", Do: api.TakeOut, Face: web.Frontend},
	})
	return d
}

// plain hashes cheaply.
type plain struct{}

func (plain) Hash(_ context.Context, p secret.String) (secret.String, error) {
	return secret.NewString("hash of " + p.Reveal()), nil
}

func (plain) Verify(_ context.Context, p, hash secret.String) (ok, upgrade bool, err error) {
	return hash.Reveal() == "hash of "+p.Reveal(), false, nil
}

func (plain) Waste(context.Context) error { return nil }

const rightPassword = "quiet harbour lantern"

// password gives the person the right password.
func (d *desk) password(u identity.UserID) {
	d.Helper()
	d.must(d.people.SaveFactor(d.Context(), identity.Factor{
		ID: identity.FactorID("factor_" + string(u)), UserID: u, Method: identity.Password,
		Secret: secret.NewString("hash of " + rightPassword), CreatedAt: d.clock.Now(),
	}))
}

// prove types the right password on the page that asks for it, in an attempt within a session.
func (d *desk) prove(b *webtest.Browser) *webtest.Browser {
	d.Helper()
	if !strings.HasPrefix(b.To, "/sign-in/attempt_") {
		d.Fatalf("nobody asks for a proof: %d %q %s", b.Status, b.To, b.Page)
	}
	at := b.To
	return b.Get(at).Want(200).Post(at+"/prove", "method", "password", "password", rightPassword).Want(303)
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
