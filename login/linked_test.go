package login_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
	"idp/storage"
)

// connections puts connections in force.
func (h *house) connections(names ...string) {
	h.Helper()
	store := storage.NewConnections(h.db)
	f := &federation.Federation{Store: store, Box: h.engine.Box, Issuer: "https://id.example.com", Now: h.clock.Now}
	for _, name := range names {
		h.must(store.SaveConnection(h.Context(), federation.Connection{Name: name, Type: federation.OIDC, Title: "The " + name}))
	}
	h.must(f.Reload(h.Context()))
	h.engine.Federation = f
}

// account puts an account elsewhere on a person's file.
func (h *house) account(u identity.UserID, connection, subject, mail string) identity.Factor {
	h.Helper()
	x := identity.ExternalAccount{Method: identity.OAuthMethod(connection), Issuer: "https://" + connection + ".example", Subject: subject, Email: mail}
	sealed, err := x.Seal()
	h.must(err)
	f := identity.Factor{
		ID: identity.FactorID("factor_" + connection + "_" + subject), UserID: u, Method: x.Method, Name: x.Label(), Secret: sealed,
		Credential: x.Credential(), CreatedAt: h.clock.Now(), LastUsedAt: h.clock.Now(),
	}
	h.must(h.people.SaveFactor(h.Context(), f))
	return f
}

// proven says how an address on a person's file was proven.
func (h *house) proven(u identity.UserID, mail string, by identity.Method) {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	for _, held := range p.Holdings {
		if held.Identifier.Value == mail {
			held.VerifiedAt, held.VerifiedBy, held.Source = h.clock.Now(), by, by.Connection()
			h.must(h.people.SaveHolding(h.Context(), held))
			return
		}
	}
	h.must(h.people.SaveHolding(h.Context(), identity.Holding{
		ID: identity.HoldingID(secret.NewID("holding")), UserID: u, Identifier: address(mail),
		VerifiedAt: h.clock.Now(), VerifiedBy: by, Source: identity.SourceSelf, CreatedAt: h.clock.Now(),
	}))
}

func (h *house) onFile(u identity.UserID) login.Person {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	return p
}

func (h *house) provenAs(u identity.UserID, mail string) (verified, main bool) {
	h.Helper()
	for _, held := range h.onFile(u).Holdings {
		if held.Identifier.Value == mail {
			return held.Verified(), held.Primary
		}
	}
	h.Fatalf("%s is not on file", mail)
	return false, false
}

func (b *browser) unlink(f identity.Factor) error {
	b.Helper()
	return b.engine.Unlink(b.Context(), b.session(), b.at(), f.ID)
}

func TestADisconnectedAccountIsGoneAndItsPersonIsTold(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google", "github")
		u := h.person("ann@example.com", identity.Password)
		google := h.account(u, "google", "1", "ann@gmail.example")
		h.later()
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, h.password(u)).want(login.Complete)
		all := h.engine.Linkages(h.onFile(u))
		if len(all.Accounts) != 1 || all.Accounts[0].Title != "The google" || all.Accounts[0].Label != "ann@gmail.example" || len(all.Accounts[0].Leaning) != 0 {
			t.Errorf("connected is %+v", all.Accounts)
		}
		if len(all.Add) != 1 || all.Add[0].Connection != "github" {
			t.Errorf("may be connected: %+v", all.Add)
		}
		h.must(b.unlink(google))
		if err := b.unlink(google); !problem.HasCode(err, login.ErrFactor.Code) {
			t.Errorf("a second time: %v", err)
		}
		if p := h.onFile(u); len(p.Factors) != 1 {
			t.Errorf("on file is %+v", p.Factors)
		}
		n, link := h.notice("ann@example.com", "account_unlinked")
		if n.Method != "The google" || n.Name != "ann@gmail.example" || len(h.recorded(event.AccountUnlinked)) != 1 {
			t.Errorf("told is %+v", n)
		}
		id, token := undoLink(link)
		v, err := h.engine.LookUndo(t.Context(), id, token)
		h.must(err)
		if v.Title != "The google" {
			t.Errorf("the undo is about %q", v.Title)
		}
		h.undone(link, false)
		if p := h.onFile(u); len(p.Factors) != 2 || p.Factors[1].Credential != google.Credential {
			t.Errorf("taken back, on file is %+v", p.Factors)
		}
	})
}

func TestADisconnectedAccountThatIsSomebodyElsesByNowDoesNotComeBack(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google")
		u := h.person("ann@example.com", identity.Password)
		google := h.account(u, "google", "1", "")
		h.later()
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, h.password(u)).want(login.Complete)
		h.must(b.unlink(google))
		_, link := h.notice("ann@example.com", "account_unlinked")
		bob := h.person("bob@example.com", identity.Password)
		google.ID, google.UserID = "factor_bobs", bob
		h.must(h.people.SaveFactor(t.Context(), google))
		h.undone(link, false)
		if p := h.onFile(u); len(p.Factors) != 1 {
			t.Errorf("on file is %+v", p.Factors)
		}
		if owner, err := h.people.ByCredential(t.Context(), google.Credential); err != nil || owner.User.ID != bob {
			t.Errorf("it signs in %s %v", owner.User.ID, err)
		}
	})
}

func TestNobodyDisconnectsTheirLastWayIn(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google", "github")
		u := h.person("ann@example.com")
		google := h.account(u, "google", "1", "ann@example.com")
		h.proven(u, "ann@example.com", google.Method)
		b := h.browser()
		s := h.standing(b, u, google)
		refused := func(why string, want *problem.Error) {
			t.Helper()
			if err := h.engine.Unlink(t.Context(), s, b.at(), google.ID); !problem.HasCode(err, want.Code) {
				t.Errorf("%s: %v", why, err)
			}
			if ok, _ := h.provenAs(u, "ann@example.com"); !ok || len(h.onFile(u).Factors) == 0 {
				t.Fatalf("%s: something was done all the same", why)
			}
		}
		h.settings.Password, h.settings.EmailCode, h.settings.EmailLink = false, false, false
		refused("nothing else", login.ErrLastWay)
		h.settings.EmailCode = true
		refused("a code to an address that leans on it", login.ErrLeans)
		h.settings.Password = true
		h.must(h.people.SaveFactor(t.Context(), identity.Factor{ID: "factor_pw", UserID: u, Method: identity.Password, Secret: hashOf("x"), CreatedAt: h.clock.Now()}))
		refused("a password of nobody who can be named", login.ErrLeans)
		github := h.account(u, "github", "1", "")
		refused("another account, and no address that we can write to", login.ErrLeans)
		h.proven(u, "work@example.com", identity.EmailCode)
		h.must(h.engine.Unlink(t.Context(), s, b.at(), google.ID))
		if ok, main := h.provenAs(u, "ann@example.com"); ok || main {
			t.Errorf("the address that leaned on it is verified %v, main %v", ok, main)
		}
		if ok, main := h.provenAs(u, "work@example.com"); !ok || !main {
			t.Errorf("the other is verified %v, main %v", ok, main)
		}
		h.must(h.engine.Unlink(t.Context(), s, b.at(), github.ID))
		_, link := h.notice("ann@example.com", "account_unlinked") // it was theirs when they were told
		h.undone(link, false)
		if ok, main := h.provenAs(u, "ann@example.com"); !ok || !main {
			t.Errorf("taken back, it is verified %v, main %v", ok, main)
		}
	})
}

// standing signs a person in on a browser, by a proof of our choice.
func (h *house) standing(b *browser, u identity.UserID, f identity.Factor) (s session.Session) {
	h.Helper()
	now := h.clock.Now()
	s.ID, s.Browser, s.User, s.CreatedAt, s.LastActiveAt, s.AuthTime = session.ID("session_"+string(f.ID)+string(b.at().Browser.ID)), b.at().Browser.ID, u, now, now, now
	s.ExpiresAt, s.Idle = now.Add(time.Hour), time.Hour
	s.Proofs = []identity.Proof{{Method: f.Method, Category: f.Method.Category(), Credential: f.Credential, At: now}}
	h.must(h.sessions.SaveSession(h.Context(), s))
	return s
}

func TestSessionsThatBeganWithADisconnectedAccountAreOverButThisOne(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google")
		u := h.person("ann@example.com", identity.Password)
		google := h.account(u, "google", "1", "")
		here, elsewhere, other := h.browser(), h.browser(), h.browser()
		this, thief := h.standing(here, u, google), h.standing(elsewhere, u, google)
		byPassword := other.signIn().identify("ann@example.com").prove(identity.Password, h.password(u)).want(login.Complete).session()
		h.must(h.engine.Unlink(t.Context(), this, here.at(), google.ID))
		for why, c := range map[string]struct {
			s    session.Session
			want bool
		}{"this one": {this, true}, "the one that began with it": {thief, false}, "the one by password": {byPassword, true}} {
			now, err := h.sessions.Session(t.Context(), c.s.ID)
			h.must(err)
			if now.Alive(h.clock.Now()) != c.want {
				t.Errorf("%s is alive: %v", why, !c.want)
			}
		}
		if len(h.recorded(event.SessionEnded)) != 1 {
			t.Errorf("%d ends were recorded", len(h.recorded(event.SessionEnded)))
		}
	})
}

func TestOfTwoAccountsByOneConnectionEachProvesItsOwnAddress(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google")
		u := h.person("ann@example.com", identity.Password)
		first, second := h.account(u, "google", "1", "one@gmail.example"), h.account(u, "google", "2", "two@gmail.example")
		h.proven(u, "one@gmail.example", first.Method)
		h.proven(u, "two@gmail.example", first.Method)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, h.password(u)).want(login.Complete)
		h.must(b.unlink(first))
		one, _ := h.provenAs(u, "one@gmail.example")
		two, _ := h.provenAs(u, "two@gmail.example")
		if one || !two {
			t.Errorf("the first is verified %v, the second %v", one, two)
		}
		h.must(b.unlink(second))
		if two, _ := h.provenAs(u, "two@gmail.example"); two {
			t.Error("an address that leans on nothing is verified")
		}
	})
}

func TestOfTwoWhoDisconnectTheirLastTwoWaysAtOnceOneKeepsIt(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google", "github")
		h.settings.Password, h.settings.EmailCode, h.settings.EmailLink = false, false, false
		u := h.person("ann@example.com")
		google, github := h.account(u, "google", "1", ""), h.account(u, "github", "1", "")
		b := h.browser()
		s := h.standing(b, u, google)
		errs := make([]error, 2)
		var both sync.WaitGroup
		for i, f := range []identity.Factor{google, github} {
			both.Go(func() { errs[i] = h.engine.Unlink(context.WithoutCancel(t.Context()), s, b.at(), f.ID) })
		}
		both.Wait()
		lost := errors.Join(errs...)
		if (errs[0] == nil) == (errs[1] == nil) || !problem.HasCode(lost, login.ErrLastWay.Code) || len(h.onFile(u).Factors) != 1 {
			t.Errorf("%v, and on file is %+v", errs, h.onFile(u).Factors)
		}
	})
}

func TestAnotherPersonsAccountElsewhereIsNotThere(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google")
		ann, bob := h.person("ann@example.com", identity.Password), h.person("bob@example.com", identity.Password)
		bobs := h.account(bob, "google", "1", "")
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, h.password(ann)).want(login.Complete)
		if err := b.unlink(bobs); !problem.HasCode(err, login.ErrFactor.Code) {
			t.Errorf("%v", err)
		}
		for _, f := range h.onFile(ann).Factors { // and this is not the way to remove what is none
			if err := h.engine.Unlink(t.Context(), b.session(), b.at(), f.ID); !problem.HasCode(err, login.ErrFactor.Code) {
				t.Errorf("a password: %v", err)
			}
		}
		if len(h.onFile(bob).Factors) != 2 {
			t.Error("it is gone")
		}
	})
}
