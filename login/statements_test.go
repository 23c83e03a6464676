package login_test

import (
	"strings"
	"testing"
	"time"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/identity"
	"idp/login"
	"idp/storage/storagetest"
)

// What every step costs the database is counted: all of signing in waits for one writer.
func TestSigningInCostsTheDatabaseNoMoreThanItDid(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		count := &storagetest.Counter{}
		h := newHouse(t, storagetest.OpenURL(t, url, count))
		away := &abroad{house: h, op: federationtest.New(h.T, h.clock.Now)}
		away.establish()
		away.linked(h.person("bob@example.com", identity.Password), "acme", "s1")
		away.says("s1", "bob@example.com", true)
		var answer federation.Answer
		_, key := h.backedUp("ann@example.com")
		_, device := h.owner("eve@example.com", identity.Passkey)
		var b *browser
		fresh := func(who string) *browser {
			b = h.browser().signIn()
			if who != "" {
				b.identify(who)
			}
			return b
		}
		for _, budget := range []struct {
			name                     string
			before, do               func()
			statements, transactions int
		}{
			{"a sign-in is begun", func() { b = h.browser() }, func() { b.signIn().want(login.NeedsIdentifier) }, 2, 1},
			{"an address is named", func() { fresh("") }, func() { b.identify("bob@example.com").want(login.NeedsFirstFactor) }, 8, 1},
			{"sign-in with a password", func() { fresh("bob@example.com") }, func() {
				b.prove(identity.Password, rightPassword).want(login.Complete)
			}, 23, 3},
			{"sign-in with a password where a second step follows", func() { fresh("ann@example.com") }, func() {
				b.prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
			}, 19, 3},
			{"the second step with an app", func() {}, func() {
				b.prove(identity.TOTP, h.code(key, 0)).want(login.Complete)
			}, 22, 2},
			{"a passkey is asked for", func() { fresh("") }, func() { b.prepare(identity.Passkey).want(login.NeedsIdentifier) }, 2, 1},
			{"sign-in with a passkey", func() {}, func() {
				b.prove(identity.Passkey, device.signs(b.asked())).want(login.Complete)
			}, 16, 1},
			{"the way to a provider", func() { fresh("") }, func() { answer = b.away(away.op, "acme") }, 2, 1},
			{"sign-in with an account elsewhere", func() {}, func() { b.back("acme", answer).want(login.Complete) }, 20, 1},
			{"sign-up with an account elsewhere", func() {
				away.says("s2", "new@example.com", true)
				answer = fresh("").away(away.op, "acme")
			}, func() { b.back("acme", answer).want(login.Complete) }, 21, 1},
			{"step-up is begun", func() {
				b = fresh("ann@example.com").prove(identity.Password, rightPassword).prove(identity.TOTP, h.code(key, 0)).want(login.Complete)
				h.clock.Add(time.Hour)
			}, func() { b.within(login.StepUp).want(login.NeedsFirstFactor) }, 9, 1},
			{"step-up with a password", func() {}, func() {
				b.prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
			}, 19, 3},
			{"step-up with an app", func() {}, func() { b.prove(identity.TOTP, h.code(key, 0)).want(login.Complete) }, 21, 2},
			{"an app is asked for", func() {
				b = fresh("bob@example.com").prove(identity.Password, rightPassword).want(login.Complete).adding()
			}, func() { b.enroll(identity.TOTP, "").want(login.NeedsEnrollment) }, 8, 1},
			{"an app is set up, with backup codes", func() {}, func() {
				b.enrollConfirm(h.code(b.view.Enrollment.Key, 0)).want(login.Complete)
			}, 31, 1},
		} {
			budget.before()
			h.clock.Add(time.Minute) // no code is shown twice
			count.Reset()
			budget.do()
			statements, transactions := count.Statements(), count.Transactions()
			if statements != budget.statements || transactions != budget.transactions {
				t.Errorf("%s: %d statements and %d transactions, want %d and %d:\n%s", budget.name,
					statements, transactions, budget.statements, budget.transactions, strings.Join(count.Texts(), "\n"))
			}
		}
	})
}
