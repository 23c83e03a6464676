package login_test

import (
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/session"
)

const day = 24 * time.Hour

// trusting is a house where browsers may be trusted for 30 days, with Ann, who has an app.
func trusting(t *testing.T, f func(h *house, ann identity.UserID)) {
	each(t, func(h *house) {
		h.settings.TrustDays = 30
		f(h, h.person("ann@example.com", identity.Password, identity.TOTP))
	})
}

// enter proves Ann's password.
func (b *browser) enter() *browser {
	b.Helper()
	return b.signIn().identify("ann@example.com").prove(identity.Password, rightPassword)
}

// second shows the second factor, with or without the tick.
func (b *browser) second(tick bool) *browser {
	b.Helper()
	a, err := b.store.Attempt(b.Context(), b.view.ID)
	b.must(err)
	a.Trust = tick
	b.must(b.store.SaveAttempt(b.Context(), a))
	return b.evidence(identity.TOTP)
}

// trust signs Ann in and lets the browser skip the second factor from now on.
func (b *browser) trust() *browser {
	b.Helper()
	return b.enter().want(login.NeedsSecondFactor).second(true).want(login.Complete)
}

func (h *house) trusted(u identity.UserID) int {
	h.Helper()
	all, err := h.engine.TrustedBy(h.Context(), u)
	h.must(err)
	return len(all)
}

func TestATrustedBrowserSkipsTheSecondFactorForSoManyDaysAndSaysSo(t *testing.T) {
	trusting(t, func(h *house, ann identity.UserID) {
		home := h.browser().enter().want(login.NeedsSecondFactor)
		if home.view.TrustDays != 30 {
			t.Errorf("offered for %d days", home.view.TrustDays)
		}
		home.second(true).want(login.Complete)
		if n := len(h.recorded(event.BrowserTrusted)); n != 1 {
			t.Errorf("%d events say so", n)
		}
		h.clock.Add(30*day - time.Second)
		home.enter().want(login.Complete)
		if got := identity.ACR(home.session().Proofs); got != identity.AAL1 {
			t.Errorf("the session claims %s", got)
		}
		h.clock.Add(time.Second) // using it makes it no longer
		home.enter().want(login.NeedsSecondFactor)
	})
}

func TestNobodyElseAndNoOtherBrowserIsTrusted(t *testing.T) {
	trusting(t, func(h *house, ann identity.UserID) {
		h.person("bob@example.com", identity.Password, identity.TOTP)
		home := h.browser().trust()
		home.signIn().identify("bob@example.com").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		h.browser().enter().want(login.NeedsSecondFactor)
		home.enter().want(login.Complete)
	})
}

func TestABrowserIsTrustedOnlyAfterASecondFactorInThatAttempt(t *testing.T) {
	for _, tt := range []struct {
		why string
		do  func(h *house, b *browser)
	}{
		{"no tick", func(_ *house, b *browser) { b.enter().second(false).want(login.Complete) }},
		{"a public computer", func(_ *house, b *browser) {
			b.begin(login.Beginning{Goal: login.SignIn, Public: true}).identify("ann@example.com").prove(identity.Password, rightPassword)
			if b.view.TrustDays != 0 {
				b.Error("a public computer was offered trust")
			}
			b.second(true).want(login.Complete)
		}},
		{"the operator does not want it", func(h *house, b *browser) {
			b.enter()
			h.settings.TrustDays = 0
			b.second(true).want(login.Complete)
		}},
		{"the tick comes with the password", func(_ *house, b *browser) {
			b.signIn().identify("ann@example.com")
			at := b.at()
			at.Trust = true
			b.then(b.engine.Prove(b.Context(), at, identity.Password, secret.NewString(rightPassword))).want(login.NeedsSecondFactor)
			b.evidence(identity.TOTP).want(login.Complete)
		}},
		{"the password was lost", func(h *house, b *browser) {
			b.signIn().identify("ann@example.com").forgot()
			b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsSecondFactor)
			b.second(true).want(login.NeedsNewPassword)
			b.setPassword(rightPassword + " two").want(login.Complete)
		}},
		{"step-up", func(_ *house, b *browser) {
			b.enter().second(false).want(login.Complete)
			b.begin(login.Beginning{Goal: login.StepUp, Session: b.view.SessionID})
			b.prove(identity.Password, rightPassword).want(login.NeedsSecondFactor).second(true).want(login.Complete)
		}},
	} {
		trusting(t, func(h *house, ann identity.UserID) {
			tt.do(h, h.browser())
			h.settings.TrustDays = 30
			if h.trusted(ann) != 0 || len(h.recorded(event.BrowserTrusted)) != 0 {
				t.Errorf("%s: trusted", tt.why)
			}
		})
	}
}

func TestTrustCountsForNothingThatDemandsAProofOfNow(t *testing.T) {
	trusting(t, func(h *house, ann identity.UserID) {
		home := h.browser().trust()
		home.enter().want(login.Complete)
		for _, goal := range []login.Goal{login.StepUp, login.Enroll} {
			home.tab().begin(login.Beginning{Goal: goal, Session: home.view.SessionID}).
				prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		}
		home.tab().begin(login.Beginning{Goal: login.Extend, Session: home.view.SessionID, Address: "new@example.com"}).
			prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)

		ask := login.Ask{ID: "ask_1", Browser: home.jar.ID, Need: session.Need{Categories: identity.Both}, CreatedAt: h.clock.Now(), ExpiresAt: h.clock.Now().Add(time.Hour)}
		h.must(h.store.SaveAsk(h.Context(), ask))
		home.tab().begin(login.Beginning{Goal: login.SignIn, Ask: ask.ID}).identify("ann@example.com").
			prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)

		h.clock.Add(time.Minute)
		lost := home.tab().signIn().identify("ann@example.com").forgot()
		lost.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsSecondFactor)

		h.list(rightPassword)
		home.tab().enter().want(login.NeedsSecondFactor)
	})
}

func TestTrustEndsWithWhatItRestedOn(t *testing.T) {
	for _, tt := range []struct {
		why string
		do  func(h *house, ann identity.UserID, b *browser)
	}{
		{"a shorter limit", func(h *house, _ identity.UserID, _ *browser) { h.clock.Add(8 * day); h.settings.TrustDays = 7 }},
		{"turned off", func(h *house, _ identity.UserID, _ *browser) { h.settings.TrustDays = 0 }},
		{"distrust", func(h *house, ann identity.UserID, _ *browser) { h.must(h.engine.Distrust(h.Context(), ann)) }},
		{"a new password by reset", func(h *house, ann identity.UserID, _ *browser) {
			b := h.browser().signIn().identify("ann@example.com").forgot()
			b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code)
			b.evidence(identity.TOTP).setPassword(rightPassword + " two").want(login.Complete)
			p, err := h.people.Person(h.Context(), ann)
			h.must(err)
			for _, f := range p.Factors {
				if f.Method == identity.Password {
					f.Secret = hashOf(rightPassword)
					h.must(h.people.SaveFactor(h.Context(), f))
				}
			}
		}},
	} {
		trusting(t, func(h *house, ann identity.UserID) {
			home := h.browser().trust()
			home.enter().want(login.Complete)
			tt.do(h, ann, home)
			if home.enter(); home.view.Step != login.NeedsSecondFactor {
				t.Errorf("%s: at %s with %v", tt.why, home.view.Step, home.err)
			}
		})
	}
}
