package login_test

import (
	"fmt"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/storage/storagetest"
)

// These are about locking a person out of guessing, and nobody else.

func (h *house) wrong(who string, times, from int) {
	h.Helper()
	for i := range times {
		h.from(from+i).signIn().identify(who).prove(identity.Password, wrongPassword).refused("password_wrong", login.NeedsFirstFactor)
	}
}

func TestAPersonWithSeveralAddressesHasOneBudget(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		h.hold(ann, "a.lee@example.org", h.clock.Now())
		spellings := []string{"ann@example.com", "  Ann@EXAMPLE.com ", "a.lee@example.org", "A.LEE@example.org"}
		for i := range 10 {
			h.wrong(spellings[i%len(spellings)], 1, i)
		}
		if n := len(h.recorded(event.SignInLocked)); n != 1 {
			t.Errorf("%d events say locked after ten wrong passwords", n)
		}
		for i, who := range spellings {
			h.from(50+i).signIn().identify(who).prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		}
		if n := h.hasher.verified.Load(); n != 10 {
			t.Errorf("%d guesses were verified", n)
		}
		if n := len(h.letters("ann@example.com")) + len(h.letters("a.lee@example.org")); n != 1 {
			t.Errorf("%d mails tell of it", n)
		}
	})
}

func TestNothingTellsThatTwoAddressesAreTheSamePersons(t *testing.T) {
	each(t, func(h *house) {
		h.engine.Limits = login.Limits{NetworkFailures: 1000, NetworkMessages: 1000}
		ann := h.person("ann@example.com", identity.Password)
		h.hold(ann, "a.lee@example.org", h.clock.Now())
		script := func(first, other string) (seen []told) {
			b := h.from(1)
			b.signIn().identify(first)
			for range 12 {
				b.prove(identity.Password, wrongPassword)
			}
			for range 5 {
				b.prepare(identity.EmailCode)
				for range 5 {
					b.prove(identity.EmailCode, "12345")
				}
				h.clock.Add(login.ResendAfter)
			}
			b.signIn().identify(other)
			for range 3 {
				seen = append(seen, b.told(func() { b.prove(identity.Password, wrongPassword) }))
			}
			seen = append(seen, b.told(func() { b.prepare(identity.EmailCode) }), b.told(func() { b.prove(identity.EmailCode, "12345") }))
			for i := range seen { // the clock of the second script is ahead
				seen[i].View.ExpiresAt = time.Time{}
				for j := range seen[i].View.Methods {
					seen[i].View.Methods[j].ResendAt = time.Time{}
				}
			}
			return seen
		}
		want := script("nobody@example.com", "noone@example.com")
		if diff := cmpTold(want, script("ann@example.com", "a.lee@example.org")); diff != "" {
			t.Errorf("two addresses of one person differ from those of none:\n%s", diff)
		}
		// And yet her codes are not looked at any more: over all addresses they were wrong often enough.
		b := h.from(9).signIn().identify("a.lee@example.org")
		h.clock.Add(login.ResendAfter)
		b.prepare(identity.EmailCode)
		b.prove(identity.EmailCode, h.letter("a.lee@example.org", message.SignIn).Code).refused("code_wrong", login.NeedsFirstFactor)
	})
}

func TestALockLeavesEveryOtherWayOpen(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		home := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		h.wrong("ann@example.com", 11, 0)
		home.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		b := h.from(30).signIn().identify("ann@example.com").prepare(identity.EmailCode)
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.SignIn).Code).want(login.Complete)

		h.clock.Add(login.ResendAfter)
		b = h.from(31).signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).setPassword(freshPassword).want(login.Complete)
		h.from(32).signIn().identify("ann@example.com").prove(identity.Password, freshPassword).want(login.Complete)
		if h.password(ann) != freshPassword {
			t.Error("the password is another one")
		}
	})
}

func TestEveryPathThatChecksAPasswordUsesOneCounter(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		home := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		s := home.view.SessionID
		for _, x := range []login.Beginning{
			{Goal: login.SignIn},
			{Goal: login.StepUp, Session: s},
			{Goal: login.Enroll, Session: s},
			{Goal: login.Extend, Session: s, Address: "new@example.com"},
		} {
			h.clock.Add(login.RecentFor + time.Second) // what was proven is too old to go on with
			b := home.tab()
			for range 3 {
				b.begin(x)
				if x.Goal == login.SignIn {
					b.identify("ann@example.com")
				}
				b.prove(identity.Password, wrongPassword)
			}
		}
		if n := h.hasher.verified.Load(); n != 11 { // one right one, and ten
			t.Errorf("%d passwords were verified, want 11", n)
		}
		home.tab().begin(login.Beginning{Goal: login.StepUp, Session: s}).prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		if n := len(h.recorded(event.SignInLocked)); n != 1 {
			t.Errorf("%d events say locked", n)
		}
	})
}

func TestAnOperatorUnlocksEverywhereAtOnce(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		home := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		h.must(h.sessions.SaveSession(h.Context(), home.session()))
		h.wrong("ann@example.com", 10, 0)
		home.signIn().identify("ann@example.com")
		for i := range 10 {
			home.network = fmt.Sprintf("203.0.113.%d", i)
			home.prove(identity.Password, wrongPassword)
		}
		home.prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		h.must(h.engine.Unlock(h.Context(), ann, "operator:cli"))
		home.prove(identity.Password, rightPassword).want(login.Complete)
		h.from(40).signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if ev := h.recorded(event.SignInUnlocked); len(ev) != 1 || ev[0].Actor != "operator:cli" || ev[0].User != string(ann) {
			t.Errorf("the trail says %+v", ev)
		}
		if err := h.engine.Unlock(h.Context(), "user_none", "operator:cli"); !problem.Is(err, problem.NotFound) {
			t.Errorf("nobody was unlocked: %v", err)
		}
		if n := len(h.recorded(event.SignInUnlocked)); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

func TestAfterAnUnlockALockIsToldAgain(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		h.wrong("ann@example.com", 12, 0)
		h.must(h.engine.Unlock(h.Context(), ann, "operator:cli"))
		h.wrong("ann@example.com", 12, 20)
		if k := h.kinds("ann@example.com"); len(k) != 2 {
			t.Errorf("the person was mailed %v", k)
		}
	})
}

func TestThreeHundredGuessesOnTwoReplicasNeverVerifyMoreThanTheLimit(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		one := newHouse(t, storagetest.OpenURL(t, url, nil))
		two := newHouse(t, storagetest.OpenURL(t, url, nil))
		two.hasher, two.engine.Hasher = one.hasher, one.hasher
		ann := one.person("ann@example.com", identity.Password)
		one.hold(ann, "a.lee@example.org", one.clock.Now())
		browsers := make(chan *browser, 300)
		for i := range 300 {
			h := []*house{one, two}[i%2]
			browsers <- h.from(i).signIn().identify([]string{"ann@example.com", "a.lee@example.org"}[i/2%2])
		}
		for _, err := range race(300, func() error {
			b := <-browsers
			_, err := b.engine.Prove(b.Context(), b.at(), identity.Password, secret.NewString(wrongPassword))
			return err
		}) {
			if !problem.HasCode(err, "password_wrong") {
				t.Fatalf("a guess was answered %v", err)
			}
		}
		if n := one.hasher.verified.Load(); n != 10 {
			t.Errorf("%d guesses were verified, want 10", n)
		}
		if n := len(one.letters("ann@example.com")) + len(one.letters("a.lee@example.org")); n != 1 {
			t.Errorf("%d mails tell of it", n)
		}
	})
}

func TestUnknownKnownAndLockedCostTheSameStatements(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		count := &storagetest.Counter{}
		h := newHouse(t, storagetest.OpenURL(t, url, count))
		h.engine.Limits = login.Limits{NetworkFailures: 1000}
		ann := h.person("known@example.com", identity.Password)
		h.hold(ann, "alias@example.com", h.clock.Now())
		h.person("passwordless@example.com")
		h.ban(h.person("banned@example.com", identity.Password))
		cost := func(who string) (statements, commits int, hashes int64) {
			b := h.browser().signIn().identify(who)
			count.Reset()
			before := h.hasher.all()
			b.prove(identity.Password, wrongPassword)
			return count.Statements(), count.Transactions(), h.hasher.all() - before
		}
		same := func(want string, others ...string) {
			t.Helper()
			s, c, n := cost(want)
			for _, who := range others {
				if s2, c2, n2 := cost(who); s2 != s || c2 != c || n2 != n {
					t.Errorf("%s cost %d statements, %d transactions, %d hashes; %s %d, %d, %d", want, s, c, n, who, s2, c2, n2)
				}
			}
		}
		same("unknown@example.com", "known@example.com", "passwordless@example.com", "banned@example.com")
		for range 12 {
			cost("gone@example.com")
			cost("known@example.com")
		}
		same("gone@example.com", "known@example.com")    // both locked
		same("another@example.com", "alias@example.com") // locked by another address of theirs
	})
}

func TestStuffingFromOneNetworkIsSlowedAndOthersAreNot(t *testing.T) {
	each(t, func(h *house) {
		for i := range 200 {
			h.person(fmt.Sprintf("person%d@example.com", i), identity.Password)
		}
		checked, slowed := 0, 0
		for i := range 200 {
			b := h.browser()
			b.network = fmt.Sprintf("2001:db8:1:2::%x", i)
			b.signIn().identify(fmt.Sprintf("person%d@example.com", i)).prove(identity.Password, wrongPassword)
			switch p, ok := asProblem(b.err); {
			case problem.HasCode(b.err, "password_wrong"):
				checked++
			case ok && p.Code == "too_many_tries" && p.Retry > 0:
				slowed++
			default:
				t.Fatalf("answered %v", b.err)
			}
		}
		if checked > 49 || checked+slowed != 200 || h.hasher.verified.Load() > 49 {
			t.Errorf("%d were checked, %d slowed down", checked, slowed)
		}
		b := h.browser()
		b.network = "2001:db8:1:3::1"
		b.signIn().identify("person7@example.com").prove(identity.Password, rightPassword).want(login.Complete)
	})
}

func TestAPasskeySignsInWhileThePasswordIsLockedFromAfar(t *testing.T) {
	each(t, func(h *house) {
		_, d := h.owner("ann@acme.org", identity.Passkey)
		h.wrong("ann@acme.org", 11, 0)
		if len(h.recorded(event.SignInLocked)) != 1 {
			t.Fatal("the password is not locked")
		}
		b := h.from(30).signIn().identify("ann@acme.org").prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		b.prepare(identity.Passkey).prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
		b = h.from(31).signIn().identify("ann@acme.org").prepare(identity.EmailCode)
		b.prove(identity.EmailCode, h.letter("ann@acme.org", message.SignIn).Code).want(login.NeedsSecondFactor)
		b.prepare(identity.Passkey).prove(identity.Passkey, d.signs(b.asked())).want(login.Complete)
	})
}
