package login_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
)

const (
	rightPassword = "quiet harbour lantern"
	wrongPassword = "quiet harbour lanterns"
	origin        = "https://id.example.com"
)

// house is an engine on a real database, with a clock and a mailbox that tests can see.
type house struct {
	*testing.T
	db       *storage.DB
	clock    *storagetest.Clock
	engine   *login.Engine
	store    *storage.Login
	people   *storage.People
	sessions *storage.Sessions
	events   *storage.Events
	inbox    *storage.Inbox
	hasher   *counter
	settings login.Settings
	revoked  []identity.UserID
}

func each(t *testing.T, f func(h *house)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) { f(newHouse(t, db)) })
}

func newHouse(t *testing.T, db *storage.DB) *house {
	t.Helper()
	h := &house{
		T: t, db: db, clock: storagetest.NewClock(), hasher: &counter{}, settings: login.DefaultSettings(),
		store: storage.NewLogin(db), people: storage.NewPeople(db), sessions: storage.NewSessions(db),
		events: storage.NewEvents(db), inbox: storage.NewInbox(db),
	}
	site, err := login.NewWebAuthn("id.example.com", "Acme", []string{origin, "https://app.example.org"})
	h.must(err)
	site.Also = func(o string) bool { return o == "https://app.id.example.com" }
	h.engine = &login.Engine{
		WebAuthn: site, Store: h.store, People: h.people, Throttle: storage.NewThrottle(db), Trust: storage.NewTrust(db), Sessions: h.sessions, Events: h.events,
		Undos: storage.NewUndos(db), Unfinished: h.store,
		Hasher: h.hasher, Box: storagetest.Box(), InTx: db.InTx, Name: "North Wind", Origin: origin, Now: h.clock.Now,
		Settings:        func() login.Settings { return h.settings },
		SessionSettings: session.DefaultSettings,
		Post: func(ctx context.Context, m message.Message) error { // kept in the transaction, like a job
			about := "-"
			if m.Notice != nil {
				about = m.Notice.What
			}
			return h.inbox.Keep(ctx, message.Letter{
				ID: secret.NewID("letter"), To: m.To.Value, Kind: m.Kind, Subject: about, Text: noticed(m),
				Code: m.Code.Reveal(), Link: m.Link.Reveal(), SentAt: h.clock.Now(),
			})
		},
		Revoke: func(_ context.Context, u identity.UserID) error {
			h.revoked = append(h.revoked, u)
			return nil
		},
	}
	return h
}

// noticed is what a notice says, "-" for other messages.
func noticed(m message.Message) string {
	if m.Notice == nil {
		return "-"
	}
	b, err := json.Marshal(m.Notice)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// counter hashes cheaply and counts: what is measured is how often, not how long.
type counter struct{ hashed, verified, wasted atomic.Int64 }

func (c *counter) Hash(_ context.Context, p secret.String) (secret.String, error) {
	c.hashed.Add(1)
	return secret.NewString("hash of " + p.Reveal()), nil
}

func (c *counter) Verify(_ context.Context, p, hash secret.String) (ok, upgrade bool, err error) {
	c.verified.Add(1)
	return hash.Reveal() == "hash of "+p.Reveal(), false, nil
}

func (c *counter) Waste(context.Context) error {
	c.wasted.Add(1)
	return nil
}

func (c *counter) all() int64 { return c.hashed.Load() + c.verified.Load() + c.wasted.Load() }

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func address(s string) identity.Identifier {
	return identity.Identifier{Kind: identity.Email, Value: s}
}

// person puts somebody on file: verified address, password, and factors of these methods.
func (h *house) person(mail string, factors ...identity.Method) identity.UserID {
	h.Helper()
	ctx, now := h.Context(), h.clock.Now()
	u := identity.User{ID: identity.UserID(secret.NewID("user")), Status: identity.Active, CreatedAt: now, UpdatedAt: now}
	h.must(h.people.SaveUser(ctx, u))
	h.hold(u.ID, mail, now)
	for _, m := range factors {
		value := "hash of " + rightPassword
		if m != identity.Password {
			value = "seed"
		}
		h.must(h.people.SaveFactor(ctx, identity.Factor{
			ID: identity.FactorID(secret.NewID("factor")), UserID: u.ID, Method: m, Secret: secret.NewString(value), CreatedAt: now,
		}))
	}
	return u.ID
}

func (h *house) hold(u identity.UserID, mail string, verified time.Time) {
	h.Helper()
	h.must(h.people.SaveHolding(h.Context(), identity.Holding{
		ID: identity.HoldingID(secret.NewID("holding")), UserID: u, Identifier: address(mail), Primary: true,
		VerifiedAt: verified, Source: "self", CreatedAt: h.clock.Now(),
	}))
}

func (h *house) ban(u identity.UserID) {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	p.User.Status = identity.Banned
	h.must(h.people.SaveUser(h.Context(), p.User))
}

func (h *house) password(u identity.UserID) string {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	for _, f := range p.Factors {
		if f.Method == identity.Password {
			return strings.TrimPrefix(f.Secret.Reveal(), "hash of ")
		}
	}
	return ""
}

// letters are what was sent to an address, the newest first.
func (h *house) letters(to string) []message.Letter {
	h.Helper()
	l, err := h.inbox.Letters(h.Context(), to)
	h.must(err)
	return l
}

// letter is the newest one to an address; it must be of that kind.
func (h *house) letter(to string, k message.Kind) message.Letter {
	h.Helper()
	l := h.letters(to)
	if len(l) == 0 || l[0].Kind != k {
		h.Fatalf("the newest letter to %s is none of kind %s: %+v", to, k, l)
	}
	return l[0]
}

func (h *house) kinds(to string) (kinds []message.Kind) {
	for _, l := range h.letters(to) {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}

func (h *house) recorded(k event.Kind) (found []event.Event) {
	h.Helper()
	all, err := h.events.List(h.Context(), storage.EventFilter{Limit: 500})
	h.must(err)
	for _, e := range all {
		if e.Kind == k {
			found = append(found, e)
		}
	}
	return found
}

// browser is one cookie jar and the attempt it is at.
type browser struct {
	*house
	jar     session.Browser
	network string
	view    login.View
	err     error
}

func (h *house) browser() *browser {
	h.Helper()
	now := h.clock.Now()
	b := &browser{house: h, jar: session.Browser{ID: session.BrowserID(secret.NewID("browser")), Digest: "d", CreatedAt: now, SeenAt: now}, network: "192.0.2.1"}
	h.must(h.sessions.SaveBrowser(h.Context(), b.jar))
	return b
}

// tab is another attempt of the same browser.
func (b *browser) tab() *browser {
	return &browser{house: b.house, jar: b.jar, network: b.network}
}

func (b *browser) at() login.At {
	return login.At{Attempt: b.view.ID, Browser: b.jar, Network: b.network, UserAgent: "test", Locale: "en"}
}

// then keeps what an event answered; the view stays if there was none.
func (b *browser) then(v login.View, err error) *browser {
	b.err = err
	if v.ID != "" {
		b.view = v
	}
	if v.Cookie != nil {
		b.jar.Digest = secret.DigestOf(v.Cookie.Secret.Reveal())
	}
	return b
}

func (b *browser) begin(x login.Beginning) *browser {
	x.Browser, x.Network, x.UserAgent, x.Locale = b.jar, b.network, "test", "en"
	b.view = login.View{}
	return b.then(b.engine.Start(b.Context(), x))
}

func (b *browser) signIn() *browser { return b.begin(login.Beginning{Goal: login.SignIn}) }

func (b *browser) identify(who string) *browser {
	return b.then(b.engine.Identify(b.Context(), b.at(), who))
}

func (b *browser) prepare(m identity.Method) *browser {
	return b.then(b.engine.Prepare(b.Context(), b.at(), m))
}

func (b *browser) prove(m identity.Method, answer string) *browser {
	return b.then(b.engine.Prove(b.Context(), b.at(), m, secret.NewString(answer)))
}

func (b *browser) forgot() *browser { return b.then(b.engine.Forgot(b.Context(), b.at())) }

func (b *browser) setPassword(p string) *browser {
	return b.then(b.engine.SetPassword(b.Context(), b.at(), secret.NewString(p)))
}

func (b *browser) submit(mail, password string) *browser {
	return b.then(b.engine.Submit(b.Context(), b.at(), login.Fields{Email: mail, Name: "Ann", Password: secret.NewString(password)}))
}

func (b *browser) look() *browser { return b.then(b.engine.Look(b.Context(), b.at())) }

func (b *browser) cancel() *browser { return b.then(b.engine.Cancel(b.Context(), b.at())) }

// signUp makes a person with a password through the front door.
func (b *browser) signUp(mail string) *browser {
	b.Helper()
	return b.signUpStart(mail).prove(identity.EmailCode, b.letter(mail, message.SignUp).Code).want(login.Complete)
}

func (b *browser) signUpStart(mail string) *browser {
	b.Helper()
	return b.begin(login.Beginning{Goal: login.SignUp}).submit(mail, rightPassword).want(login.NeedsEmailVerification)
}

// want fails unless all went well and led to that step.
func (b *browser) want(s login.Step) *browser {
	b.Helper()
	if b.err != nil || b.view.Step != s {
		b.Fatalf("at %s with error %v, want %s", b.view.Step, b.err, s)
	}
	return b
}

// refused fails unless the last event was answered with that problem and left the step.
func (b *browser) refused(code string, s login.Step) *browser {
	b.Helper()
	if !problem.HasCode(b.err, code) || b.view.Step != s {
		b.Fatalf("at %s with error %v, want the problem %s at %s", b.view.Step, b.err, code, s)
	}
	return b
}

// session is the one the attempt became.
func (b *browser) session() session.Session {
	b.Helper()
	s, err := b.sessions.Session(b.Context(), b.view.SessionID)
	b.must(err)
	return s
}

// evidence adds a proof by a method that the engine does not speak yet.
func (b *browser) evidence(m identity.Method) *browser {
	b.Helper()
	a, err := b.store.Attempt(b.Context(), b.view.ID)
	b.must(err)
	shown := "by the test"
	if p, err := b.people.Person(b.Context(), a.UserID); err == nil {
		for _, f := range p.Factors {
			if f.Method == m {
				shown = string(f.ID)
			}
		}
	}
	a.Proofs = append(a.Proofs, identity.Proof{Method: m, Category: m.Category(), Credential: shown, At: b.clock.Now()})
	b.must(b.store.SaveAttempt(b.Context(), a))
	return b.look()
}

// busy is a hasher with no slot to spare.
type busy struct{ *counter }

func (busy) Verify(context.Context, secret.String, secret.String) (ok, upgrade bool, err error) {
	return false, false, secret.ErrBusy
}

// meanwhile is a hasher during whose work something else happens.
type meanwhile struct {
	*counter
	do func()
}

func (m meanwhile) Verify(ctx context.Context, p, hash secret.String) (ok, upgrade bool, err error) {
	m.do()
	return m.counter.Verify(ctx, p, hash)
}

func hashOf(password string) secret.String { return secret.NewString("hash of " + password) }

func openSQLite(t *testing.T) *storage.DB { return storagetest.Open(t) }
