package login_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

func TestWhatIsSaidWhileTypingIsWhatWillBeSaidAtTheEnd(t *testing.T) {
	rules := login.PasswordRules{MinLength: 10, MinScore: 3, Digit: true, MixedCase: true, Special: true}
	ann := address("ann.harbour@acme.org")
	for _, typed := range []string{"", "short", "longenough", "Longenough", "Longenough1", "Longenough1!", "quiet harbour lantern", "Quiet harbour lantern 7!", "Ann.harbour@acme.org1", "Überlang und äußerst ungewöhnlich 7", strings.Repeat("x", 2000), "\xff\xfe"} {
		s := rules.Strength(secret.NewString(typed), ann)
		err := rules.Check(secret.NewString(typed), ann)
		if s.OK != (err == nil) || !s.OK && !problem.HasCode(err, s.Problem) || s.OK && s.Problem != "" || s.Score < 0 || s.Score > 4 {
			t.Errorf("%.30q: %+v, but %v", typed, s, err)
		}
	}
	if s := rules.Strength(secret.NewString("Quiet harbour lantern 7!"), ann); !s.OK || s.Score < 3 {
		t.Errorf("a good one: %+v", s)
	}
	if with, without := rules.Strength(secret.NewString("ann.harbour@acme.org"), ann).Score, rules.Strength(secret.NewString("ann.harbour@acme.org"), identity.Identifier{}).Score; with >= without {
		t.Errorf("one's own address scores %d, and %d for others", with, without)
	}
}

func TestScoringIsBoundedForABrowserANetworkAndTheMachine(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	fine := func() login.Strength { return login.Strength{OK: true} }
	m := &login.Meter{Network: 5, Browser: 3}
	ask := func(network, browser string) error {
		_, err := m.Score(t.Context(), now, network, browser, fine)
		return err
	}
	refused := func(err error) {
		t.Helper()
		if !problem.HasCode(err, "strength_later") || !problem.Is(err, problem.TooMany) {
			t.Errorf("answered with %v", err)
		}
	}
	for range 3 {
		if err := ask("192.0.2.1", "one"); err != nil {
			t.Fatal(err)
		}
	}
	refused(ask("192.0.2.1", "one"))
	for range 2 {
		if err := ask("192.0.2.1", "two"); err != nil {
			t.Fatal(err)
		}
	}
	refused(ask("192.0.2.1", "three")) // a new cookie is no new network
	if err := ask("2001:db8::1", "three"); err != nil {
		t.Error(err)
	}
	for _, b := range []string{"four", "four", "six", "six"} {
		if err := ask("2001:db8::2", b); err != nil {
			t.Fatal(err)
		}
	}
	refused(ask("2001:db8::ffff", "five")) // one network, by its first half
	now = now.Add(time.Minute)
	if err := ask("192.0.2.1", "one"); err != nil {
		t.Errorf("a minute later: %v", err)
	}

	m = &login.Meter{}
	busy, release := make(chan struct{}), make(chan struct{})
	var held sync.WaitGroup
	running := 0
	for range 64 { // more than any machine scores at once here
		done := make(chan error, 1)
		held.Go(func() {
			_, err := m.Score(t.Context(), now, "192.0.2.9", secret.NewID("b"), func() login.Strength { busy <- struct{}{}; <-release; return login.Strength{} })
			done <- err
		})
		select {
		case <-busy:
			running++
			continue
		case err := <-done:
			refused(err)
		}
		break
	}
	if running == 0 || running == 64 {
		t.Errorf("%d were scored at once", running)
	}
	close(release)
	held.Wait()
	if _, err := m.Score(t.Context(), now, "192.0.2.9", "b", fine); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
