package admin_test

import (
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/admin"
	"idp/event"
	"idp/identity"
	"idp/internal/breach"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/provider"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/templates"
)

// house is the admin room on a real database.
type house struct {
	db          *storage.DB
	clock       *storagetest.Clock
	users       *admin.Users
	operators   *admin.Operators
	invitations *admin.Invitations
	settings    *admin.Keeper
	events      *storage.Events
	people      *storage.People
	queue       *storage.Queue
}

func each(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, db *storage.DB) { f(t, newHouse(t, db)) })
}

func newHouse(t *testing.T, db *storage.DB) *house {
	t.Helper()
	queue, err := storage.NewQueue(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{db: db, clock: storagetest.NewClock(), events: storage.NewEvents(db), people: storage.NewPeople(db), queue: queue}
	store := storage.NewAdmin(db)
	outbox := &message.Outbox{Queue: queue, Box: storagetest.Box(), Render: set.Mail, Sender: message.Keep{Inbox: storage.NewInbox(db)}, Events: h.events, Now: h.clock.Now}
	h.users = &admin.Users{
		Store: store, Activity: storage.NewActivity(db), People: h.people, Sessions: storage.NewSessions(db), Events: h.events, Hasher: secret.NewHasher(1),
		Rules: func() login.PasswordRules { return login.DefaultSettings().Rules }, InTx: db.InTx, Now: h.clock.Now,
	}
	h.users.Trust = storage.NewTrust(db)
	h.users.Help = &login.Engine{
		People: h.people, Throttle: storage.NewThrottle(db), Trust: storage.NewTrust(db), Sessions: storage.NewSessions(db), Events: h.events,
		Box: storagetest.Box(), Post: outbox.Post, InTx: db.InTx, Settings: login.DefaultSettings, Origin: "https://id.example", Now: h.clock.Now,
	}
	h.operators = &admin.Operators{Store: store, People: h.people, Events: h.events, Issuer: "https://id.example", InTx: db.InTx, Now: h.clock.Now}
	h.invitations = &admin.Invitations{
		Store: storage.NewLogin(db), People: h.people, Outbox: outbox, Events: h.events, Issuer: "https://id.example", InTx: db.InTx, Now: h.clock.Now,
	}
	h.settings = &admin.Keeper{Store: storage.NewSettings(db), Events: h.events, InTx: db.InTx, Clock: h.clock.Now}
	return h
}

func (h *house) create(t *testing.T, email string) identity.User {
	t.Helper()
	u, err := h.users.Create(t.Context(), admin.NewUser{Email: email, Password: secret.NewString("correct horse battery"), Verified: true}, admin.CLI)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (h *house) happened(t *testing.T, kind event.Kind) []event.Event {
	t.Helper()
	all, err := h.events.List(t.Context(), storage.EventFilter{Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOperatorMakesAPersonWhoCanSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		u := h.create(t, "  Ann@Example.com ")
		p, err := h.users.Find(t.Context(), "ann@example.com")
		if err != nil || p.User.ID != u.ID || len(p.Holdings) != 1 || !p.Holdings[0].Verified() || !p.Holdings[0].Primary {
			t.Fatalf("%+v, %v", p, err)
		}
		ok, upgrade, err := h.users.Hasher.Verify(t.Context(), secret.NewString("correct horse battery"), p.Factors[0].Secret)
		if !ok || upgrade || err != nil {
			t.Fatalf("the password does not verify: %v %v", upgrade, err)
		}
		if made := h.happened(t, event.UserCreated); len(made) != 1 || made[0].User != string(u.ID) || made[0].Actor != admin.CLI {
			t.Fatalf("events %+v", made)
		}
	})
}

// listed is a list of breached passwords in a file.
func listed(t *testing.T, password string) *breach.List {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pwned.txt")
	line := fmt.Sprintf("%X:12\n", sha1.Sum([]byte(password)))
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := breach.File(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestOperatorsChooseNoBreachedPasswordsEither(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		l := listed(t, "leaked meadow trombone")
		h.users.Breaches = l
		leaked := admin.NewUser{Email: "bob@example.com", Password: secret.NewString("leaked meadow trombone")}
		if _, err := h.users.Create(t.Context(), leaked, admin.CLI); !problem.HasCode(err, "password_breached") {
			t.Fatal(err)
		}
		h.create(t, "ann@example.com")
		if made := h.happened(t, event.PasswordUnchecked); len(made) != 0 {
			t.Fatalf("%+v", made)
		}
		if err := l.Close(); err != nil { // nobody can look anything up any more
			t.Fatal(err)
		}
		u, err := h.users.Create(t.Context(), leaked, admin.CLI)
		if err != nil {
			t.Fatal(err)
		}
		if said := h.happened(t, event.PasswordUnchecked); len(said) != 1 || said[0].User != string(u.ID) || said[0].Actor != admin.CLI {
			t.Fatalf("%+v", said)
		}
	})
}

func TestWhatCannotBeAPersonIsRefusedAndLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.create(t, "ann@example.com")
		for _, c := range []struct {
			why, email, password, code string
		}{
			{"an address that is held", "ANN@example.com", "correct horse battery", "identifier_taken"},
			{"no address", "ann", "correct horse battery", "email_invalid"},
			{"two addresses", "eve@example.com,ann@example.com", "correct horse battery", "email_invalid"},
			{"a password that is guessed first", "bob@example.com", "password1", "password_too_weak"},
			{"a short password", "bob@example.com", "short", "password_too_short"},
			{"an endless password", "bob@example.com", strings.Repeat("a", 1025), "password_too_long"},
		} {
			_, err := h.users.Create(t.Context(), admin.NewUser{Email: c.email, Password: secret.NewString(c.password), Verified: true}, admin.CLI)
			if !problem.HasCode(err, c.code) {
				t.Errorf("%s: %v", c.why, err)
			}
		}
		if all, err := h.users.List(t.Context(), admin.Search{Limit: 10}); err != nil || len(all) != 1 {
			t.Fatalf("%d people, %v", len(all), err)
		}
	})
}

func TestOfManyWhoWantOneAddressOneGetsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var all sync.WaitGroup
		errs := make(chan error, 8)
		for range 8 {
			all.Go(func() {
				_, err := h.users.Create(t.Context(), admin.NewUser{Email: "ann@example.com", Verified: true}, admin.CLI)
				errs <- err
			})
		}
		all.Wait()
		close(errs)
		won := 0
		for err := range errs {
			if err == nil {
				won++
			} else if !problem.Is(err, problem.Conflict) {
				t.Errorf("a loser got %v", err)
			}
		}
		if people, _ := h.users.List(t.Context(), admin.Search{Limit: 10}); won != 1 || len(people) != 1 {
			t.Fatalf("%d won, %d people", won, len(people))
		}
	})
}

func TestBanEndsSessionsAtOnceAndIsRecorded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		u, other := h.create(t, "ann@example.com"), h.create(t, "bob@example.com")
		sessions := storage.NewSessions(h.db)
		now := h.clock.Now()
		b := session.Browser{ID: "browser_1", Digest: secret.DigestOf("x"), CreatedAt: now, SeenAt: now}
		if err := sessions.SaveBrowser(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		for id, who := range map[session.ID]identity.UserID{"session_ann": u.ID, "session_bob": other.ID} {
			s := session.Session{ID: id, Browser: b.ID, User: who, AuthTime: now, CreatedAt: now, LastActiveAt: now, ExpiresAt: now.Add(time.Hour), Idle: time.Hour}
			if err := sessions.SaveSession(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		grants := storage.NewProvider(h.db)
		for id, who := range map[provider.AuthorizationID]identity.UserID{"authz_ann": u.ID, "authz_bob": other.ID} {
			a := provider.Authorization{
				ID: id, Client: "client_1", User: who, Offline: true, Code: secret.DigestOf(string(id)), CodeExpiresAt: now.Add(time.Minute),
				IdleAt: now.Add(time.Hour), CreatedAt: now, ExpiresAt: now.Add(time.Hour),
			}
			if err := grants.SaveAuthorization(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // twice is fine
			if err := h.users.Ban(t.Context(), u.ID, admin.CLI); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := sessions.Session(t.Context(), "session_ann"); err != nil || s.Alive(now) {
			t.Errorf("the banned person's session lives (%v)", err)
		}
		if s, err := sessions.Session(t.Context(), "session_bob"); err != nil || !s.Alive(now) {
			t.Errorf("somebody else's session died (%v)", err)
		}
		for id, ended := range map[provider.AuthorizationID]bool{"authz_ann": true, "authz_bob": false} {
			if a, err := grants.Authorization(t.Context(), id); err != nil || a.EndedAt.IsZero() == ended {
				t.Errorf("%s ended at %v (%v)", id, a.EndedAt, err)
			}
		}
		p, err := h.users.Find(t.Context(), string(u.ID))
		if err != nil || p.User.MayEnter() {
			t.Errorf("the banned person may enter (%v)", err)
		}
		if len(h.happened(t, event.UserBanned)) != 1 || len(h.happened(t, event.SessionEnded)) != 1 {
			t.Error("the audit trail does not say once what happened once")
		}
		if err := h.users.Unban(t.Context(), u.ID, admin.CLI); err != nil {
			t.Fatal(err)
		}
		if p, _ := h.users.Find(t.Context(), string(u.ID)); !p.User.MayEnter() || len(h.happened(t, event.UserUnbanned)) != 1 {
			t.Error("unban did not undo the ban")
		}
		if s, _ := sessions.Session(t.Context(), "session_ann"); s.Alive(now) {
			t.Error("unban revived a session")
		}
		if err := h.users.Ban(t.Context(), "user_nobody", admin.CLI); !problem.Is(err, problem.NotFound) {
			t.Errorf("banning nobody: %v", err)
		}
	})
}

func TestOperatorLinkWorksOnceForOnePerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ann, bob := h.create(t, "ann@example.com"), h.create(t, "bob@example.com")
		earlier, link := h.link(t), h.link(t)
		if err := h.operators.Check(t.Context(), earlier); !problem.Is(err, problem.NotFound) {
			t.Errorf("a newer link left the earlier one alive: %v", err)
		}
		for range 3 { // a mail scanner looks first
			if err := h.operators.Check(t.Context(), link); err != nil {
				t.Fatal(err)
			}
		}
		if exists, err := h.operators.Exists(t.Context()); err != nil || exists {
			t.Fatalf("operators exist before the link was used (%v)", err)
		}
		won := 0
		var all sync.WaitGroup
		var mu sync.Mutex
		for _, id := range slices.Repeat([]identity.UserID{ann.ID, bob.ID}, 4) {
			all.Go(func() {
				err := h.operators.Claim(t.Context(), link, id)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !problem.Is(err, problem.NotFound) {
					t.Errorf("a loser got %v", err)
				}
			})
		}
		all.Wait()
		a, _ := h.users.Find(t.Context(), string(ann.ID))
		b, _ := h.users.Find(t.Context(), string(bob.ID))
		if won != 1 || a.User.Operator == b.User.Operator {
			t.Fatalf("%d claims won; ann %v, bob %v", won, a.User.Operator, b.User.Operator)
		}
		if exists, _ := h.operators.Exists(t.Context()); !exists || len(h.happened(t, event.OperatorAppointed)) != 1 {
			t.Error("the appointment left no trace")
		}
	})
}

func TestOperatorLinkDiesAndSparesTheBanned(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		u := h.create(t, "ann@example.com")
		if err := h.users.Ban(t.Context(), u.ID, admin.CLI); err != nil {
			t.Fatal(err)
		}
		link := h.link(t)
		if err := h.operators.Claim(t.Context(), link, u.ID); !problem.Is(err, problem.Forbidden) {
			t.Errorf("a banned person claimed the link: %v", err)
		}
		if err := h.operators.Check(t.Context(), link); err != nil {
			t.Errorf("the failed claim used the link up: %v", err)
		}
		h.clock.Add(time.Hour)
		if err := h.operators.Check(t.Context(), link); !problem.Is(err, problem.NotFound) {
			t.Errorf("after an hour: %v", err)
		}
		for _, junk := range []string{"", "op_", "op_' OR 1=1 --", strings.Repeat("x", 10_000)} {
			if err := h.operators.Claim(t.Context(), secret.NewString(junk), u.ID); !problem.Is(err, problem.NotFound) {
				t.Errorf("%.20q: %v", junk, err)
			}
		}
	})
}

func (h *house) link(t *testing.T) secret.String {
	t.Helper()
	l, err := h.operators.MakeLink(t.Context(), admin.CLI)
	if err != nil {
		t.Fatal(err)
	}
	token, ok := strings.CutPrefix(l.URL.Reveal(), "https://id.example"+admin.ClaimPath+"?token=")
	if !ok {
		t.Fatalf("the link is %s", l.URL.Reveal())
	}
	return secret.NewString(token)
}

func TestInvitationReachesOneAddressByMail(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.create(t, "ann@example.com")
		if _, err := h.invitations.Invite(t.Context(), "ann@example.com", admin.CLI); !problem.HasCode(err, "identifier_taken") {
			t.Errorf("inviting somebody who is here: %v", err)
		}
		i, err := h.invitations.Invite(t.Context(), "Bob@example.com", admin.CLI)
		if err != nil || i.ExpiresAt.Sub(h.clock.Now()) != 7*24*time.Hour {
			t.Fatalf("%+v, %v", i, err)
		}
		waiting, err := h.queue.Jobs(t.Context(), "", 10)
		if err != nil || len(waiting) != 1 || waiting[0].Kind != message.JobKind {
			t.Fatalf("jobs %+v, %v", waiting, err)
		}
		if len(h.happened(t, event.UserInvited)) != 1 {
			t.Error("the audit trail says nothing")
		}
		found, err := storage.NewLogin(h.db).Invitation(t.Context(), i.Token)
		if err != nil || found.Address.Value != "bob@example.com" {
			t.Fatalf("%+v, %v", found, err)
		}
	})
}

func TestSettingsAreBoundedVersionedAndTakeForce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if !reflect.DeepEqual(h.settings.Now(), admin.DefaultSettings()) {
			t.Fatal("before the first save the defaults hold")
		}
		s, version, err := h.settings.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			field string
			spoil func(*admin.Settings)
		}{
			{"sign_in.sign_up", func(s *admin.Settings) { s.SignIn.SignUp = "ajar" }},
			{"sign_in.password", func(s *admin.Settings) {
				s.SignIn.Password, s.SignIn.EmailCode, s.SignIn.EmailLink = false, false, false
			}},
			{"sign_in.rules.min_length", func(s *admin.Settings) { s.SignIn.Rules.MinLength = 7 }},
			{"sign_in.rules.min_score", func(s *admin.Settings) { s.SignIn.Rules.MinScore = 5 }},
			{"sign_in.addresses.disposable", func(s *admin.Settings) { s.SignIn.Addresses.Disposable = "perhaps" }},
			{"sign_in.addresses.blocked", func(s *admin.Settings) { s.SignIn.Addresses.Blocked = []string{"Evil.example"} }},
			{"sign_in.bot_check", func(s *admin.Settings) { s.SignIn.BotCheck = "sometimes" }},
			{"sign_in.connections.layout", func(s *admin.Settings) { s.SignIn.Buttons.Layout = "round" }},
			{"sign_in.connections.place", func(s *admin.Settings) { s.SignIn.Buttons.Place = "left" }},
			{"sign_in.two_step", func(s *admin.Settings) { s.SignIn.TwoStep = "sometimes" }},
			{"sign_in.two_step", func(s *admin.Settings) { // backup codes alone let nobody in
				s.SignIn.TwoStep, s.SignIn.TOTP, s.SignIn.SecurityKeys, s.SignIn.Passkeys = login.Required, false, false, false
			}},
			{"sign_in.sms", func(s *admin.Settings) { s.SignIn.SMS = true }}, // nothing sends them
			{"sign_in.trust_days", func(s *admin.Settings) { s.SignIn.TrustDays = -1 }},
			{"sign_in.trust_days", func(s *admin.Settings) { s.SignIn.TrustDays = 366 }},
			{"sessions.maximum", func(s *admin.Settings) { s.Sessions.Maximum = 401 * 24 * time.Hour }},
			{"sessions.idle", func(s *admin.Settings) { s.Sessions.Idle = s.Sessions.Maximum + 1 }},
		} {
			bad := s
			c.spoil(&bad)
			var p *problem.Error
			if err := h.settings.Save(t.Context(), bad, version, admin.CLI); !errors.As(err, &p) || p.Field != c.field {
				t.Errorf("%s: %v", c.field, err)
			}
		}
		s.SignIn.SignUp, s.Sessions.Idle, s.SignIn.Addresses.Blocked = login.Closed, time.Hour, []string{"*.evil.example"}
		if err := h.settings.Save(t.Context(), s, version, "user_1"); err != nil {
			t.Fatal(err)
		}
		if err := h.settings.Save(t.Context(), s, version, "user_2"); !problem.Is(err, problem.Conflict) {
			t.Errorf("a stale save: %v", err)
		}
		other := &admin.Keeper{Store: storage.NewSettings(h.db), Events: h.events, InTx: h.db.InTx, Clock: h.clock.Now}
		if err := other.Reload(t.Context()); err != nil || !reflect.DeepEqual(other.Now(), s) || !reflect.DeepEqual(h.settings.Now(), s) {
			t.Errorf("in force: %+v and %+v (%v)", other.Now(), h.settings.Now(), err)
		}
		if changed := h.happened(t, event.SettingsChanged); len(changed) != 1 || changed[0].Actor != "user_1" {
			t.Errorf("events %+v", changed)
		}
	})
}

func TestAnOperatorsWordGoesBeforeTheRulesOfSignUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s, version, err := h.settings.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.SignIn.Addresses = identity.AddressRules{Disposable: identity.Refuse, Subaddresses: identity.Refuse, Allowed: []string{"corp.com"}}
		if err := h.settings.Save(t.Context(), s, version, admin.CLI); err != nil {
			t.Fatal(err)
		}
		for _, mail := range []string{"ann+x@corp.com", "bob@yopmail.com", "cyd@acme.org"} {
			h.create(t, mail)
			if _, err := h.invitations.Invite(t.Context(), "x"+mail, admin.CLI); err != nil {
				t.Errorf("%s: %v", mail, err)
			}
		}
	})
}

func TestUnreadableSettingsLeaveThoseInForce(t *testing.T) {
	h := newHouse(t, storagetest.Open(t))
	s, version, err := h.settings.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.SignIn.SignUp = login.Invited
	if err := h.settings.Save(t.Context(), s, version, admin.CLI); err != nil {
		t.Fatal(err)
	}
	bad := s
	bad.SignIn.Rules.MinLength = 1
	body, _ := json.Marshal(bad)
	for _, body := range [][]byte{body, []byte(`{"sign_in": 7}`)} {
		_, version, _ := storage.NewSettings(h.db).Settings(t.Context())
		if err := storage.NewSettings(h.db).SaveSettings(t.Context(), body, version); err != nil {
			t.Fatal(err)
		}
		if err := h.settings.Reload(t.Context()); err == nil || !reflect.DeepEqual(h.settings.Now(), s) {
			t.Errorf("%s: %v, in force %+v", body, err, h.settings.Now())
		}
	}
}

func TestListIsSearchedAndPaged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, email := range []string{"ann@example.com", "bob@example.com", "cat@other.example"} {
			h.create(t, email)
		}
		first, err := h.users.List(t.Context(), admin.Search{Limit: 2})
		if err != nil || len(first) != 2 || first[0].Holdings[0].Identifier.Value != "cat@other.example" {
			t.Fatalf("%+v, %v", first, err)
		}
		rest, err := h.users.List(t.Context(), admin.Search{After: first[1].User.ID, Limit: 2})
		if err != nil || len(rest) != 1 || rest[0].Holdings[0].Identifier.Value != "ann@example.com" {
			t.Fatalf("%+v, %v", rest, err)
		}
		if found, err := h.users.List(t.Context(), admin.Search{Text: "@OTHER", Limit: 10}); err != nil || len(found) != 1 {
			t.Fatalf("%d found, %v", len(found), err)
		}
		if found, err := h.users.List(t.Context(), admin.Search{Text: "%", Limit: 10}); err != nil || len(found) != 0 {
			t.Fatalf("a percent sign found %d, %v", len(found), err)
		}
	})
}
