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
)

// from is a browser of its own network, so that only the person is counted.
func (h *house) from(n int) *browser {
	b := h.browser()
	b.network = fmt.Sprintf("198.51.%d.%d", 100+n/200, n%200+1)
	return b
}

func TestTenWrongPasswordsLockForAnHourAndTellThePersonOnce(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		for i := range 9 {
			h.from(i).signIn().identify("ann@example.com").prove(identity.Password, wrongPassword)
		}
		if len(h.letters("ann@example.com")) != 0 {
			t.Fatal("told before it was locked")
		}
		for i := range 20 {
			h.from(100+i).signIn().identify("ann@example.com").prove(identity.Password, wrongPassword)
		}
		if k := h.kinds("ann@example.com"); len(k) != 1 || k[0] != message.Locked {
			t.Errorf("the person was mailed %v, want one notice", k)
		}
		if n := len(h.recorded(event.SignInLocked)); n != 1 {
			t.Errorf("%d events say locked, want 1", n)
		}
		h.clock.Add(time.Hour - time.Second)
		h.from(150).signIn().identify("ann@example.com").prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		h.clock.Add(time.Second)
		h.from(151).signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
	})
}

func TestSuccessForgetsFailures(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		for round := range 3 {
			for i := range 9 {
				h.from(20*round+i).signIn().identify("ann@example.com").prove(identity.Password, wrongPassword)
			}
			h.from(20*round+9).signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		}
	})
}

func TestStrangersCannotLockTheOwnerOut(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		home := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		for i := range 12 {
			h.from(i).signIn().identify("ann@example.com").prove(identity.Password, wrongPassword)
		}
		h.from(20).signIn().identify("ann@example.com").prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		home.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)

		for range 10 { // it has a budget of its own, and no more
			home.signIn().identify("ann@example.com").prove(identity.Password, wrongPassword)
		}
		home.network = "203.0.113.9"
		home.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)

		home.forgot() // and a reset opens both
		home.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).setPassword("another long secret phrase").want(login.Complete)
		home.signIn().identify("ann@example.com").prove(identity.Password, "another long secret phrase").want(login.Complete)
		h.from(30).signIn().identify("ann@example.com").prove(identity.Password, "another long secret phrase").want(login.Complete)
	})
}

func TestANetworkThatFailsTooOftenWaits(t *testing.T) {
	for _, tt := range []struct {
		why     string
		network func(i int) string
		same    bool
	}{
		{"one address", func(int) string { return "192.0.2.1" }, true},
		{"one customer's IPv6 network", func(i int) string { return fmt.Sprintf("2001:db8:1:2::%x", i+1) }, true},
		{"IPv4 spelled as IPv6", func(i int) string { return []string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2] }, true},
		{"other networks", func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i+1) }, false},
	} {
		each(t, func(h *house) {
			slow := 0
			for i := range 40 { // many addresses, one try each: stuffing
				b := h.browser()
				b.network = tt.network(i)
				b.signIn().identify(fmt.Sprintf("person%d@example.com", i)).prove(identity.Password, wrongPassword)
				if problem.HasCode(b.err, "too_many_tries") {
					slow++
				}
			}
			if want := map[bool]int{true: 10}[tt.same]; slow != want {
				t.Errorf("%s: %d of 40 tries were slowed down, want %d", tt.why, slow, want)
			}
			h.clock.Add(5 * time.Minute)
			h.person("ann@example.com", identity.Password)
			b := h.browser()
			b.network = tt.network(0)
			b.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		})
	}
}

func TestRightPasswordsDoNotUseUpANetwork(t *testing.T) {
	each(t, func(h *house) {
		for i := range 40 { // an office behind one address
			who := fmt.Sprintf("person%d@example.com", i)
			h.person(who, identity.Password)
			h.browser().signIn().identify(who).prove(identity.Password, rightPassword).want(login.Complete)
		}
	})
}

func TestThreeHundredParallelGuessesNeverVerifyMoreThanTheLimit(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		browsers := make(chan *browser, 300)
		for i := range 300 {
			browsers <- h.from(i).signIn().identify("ann@example.com")
		}
		for _, err := range race(300, func() error {
			_, err := h.engine.Prove(h.Context(), (<-browsers).at(), identity.Password, secret.NewString(wrongPassword))
			return err
		}) {
			if !problem.HasCode(err, "password_wrong") {
				t.Fatalf("a guess was answered %v", err)
			}
		}
		if n := h.hasher.verified.Load(); n != 10 {
			t.Errorf("%d guesses were verified, want 10", n)
		}
		if n := h.hasher.all(); n != 300 {
			t.Errorf("300 guesses cost %d hashes", n)
		}
		if k := h.kinds("ann@example.com"); len(k) != 1 {
			t.Errorf("the person was mailed %v, want one notice", k)
		}
	})
}

func TestThreeHundredParallelCodesNeverBeatTheFive(t *testing.T) {
	each(t, func(h *house) {
		h.engine.Limits = login.Limits{NetworkFailures: 1000, Codes: 1000}
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		code := h.letter("ann@example.com", message.SignIn).Code
		wrong := 0
		for _, err := range race(300, func() error {
			_, err := h.engine.Prove(h.Context(), b.at(), identity.EmailCode, secret.NewString(otherThan(code)))
			return err
		}) {
			switch {
			case problem.HasCode(err, "code_wrong"):
				wrong++
			case !problem.Is(err, problem.Conflict) && !problem.HasCode(err, "code_spent"):
				t.Fatalf("a guess was answered %v", err)
			}
		}
		if wrong > 5 {
			t.Errorf("%d guesses learned that they were wrong, want 5 at most", wrong)
		}
	})
}

func TestABusyMachineCostsNobodyATry(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com")
		h.engine.Hasher = busy{h.hasher}
		for range 40 {
			b.prove(identity.Password, rightPassword).refused("busy", login.NeedsFirstFactor)
		}
		h.engine.Hasher = h.hasher
		b.prove(identity.Password, rightPassword).want(login.Complete)
	})
}
