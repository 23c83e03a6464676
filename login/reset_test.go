package login_test

import (
	"slices"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/message"
)

func TestResetEndsAllElseAndTellsThePerson(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		laptop := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		phone := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)

		b := h.browser().signIn().identify("ann@example.com").forgot().want(login.NeedsFirstFactor)
		if !b.view.Reset || b.view.Methods[0].Method != identity.ResetCode || !b.view.Methods[0].Sent {
			t.Errorf("after asking for a reset the screen is told %+v", b.view)
		}
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsNewPassword)
		b.setPassword("short").refused("password_too_short", login.NeedsNewPassword)
		b.setPassword("another long secret phrase").want(login.Complete)

		for _, old := range []*browser{laptop, phone} {
			if s := old.session(); s.Alive(h.clock.Now()) {
				t.Error("a session outlived the reset")
			}
		}
		if s := b.session(); !s.Alive(h.clock.Now()) {
			t.Error("the reset did not sign in")
		}
		if !slices.Equal(h.revoked, []identity.UserID{ann}) {
			t.Errorf("revoked what was issued to %v, want once to the person", h.revoked)
		}
		if h.letter("ann@example.com", message.PasswordChanged).Code != "" {
			t.Error("the notice carries a code")
		}
		if len(h.recorded(event.PasswordChanged)) != 1 || len(h.recorded(event.SessionEnded)) != 2 {
			t.Error("the audit trail does not tell of the reset and of both sessions")
		}
		c := h.browser().signIn().identify("ann@example.com")
		c.prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		c.prove(identity.Password, "another long secret phrase").want(login.Complete)
	})
}

func TestResetByLinkWorksLikeByCode(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, tokenOf(h.letter("ann@example.com", message.Reset).Link)).want(login.NeedsNewPassword)
	})
}

func TestAfterAResetThePersonGoesOnWithoutAnotherNewPassword(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).setPassword("another long secret phrase").want(login.Complete)
		s := b.session().ID
		h.clock.Add(time.Minute)
		b.begin(login.Beginning{Goal: login.Extend, Session: s, Address: "work@example.com"}).want(login.NeedsEmailVerification)
		b.prepare(identity.EmailCode).prove(identity.EmailCode, h.letter("work@example.com", message.VerifyAddress).Code).want(login.Complete)
		if p, err := h.people.Person(t.Context(), ann); err != nil || len(p.Holdings) != 2 {
			t.Errorf("on file: %+v %v", p.Holdings, err)
		}
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, "another long secret phrase").want(login.Complete)
	})
}

func TestAResetCanBeFinishedOnlyByWhoProvedIt(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		h.person("mallory@example.com", identity.Password)
		b := h.browser().signIn().identify("mallory@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("mallory@example.com", message.Reset).Code).want(login.NeedsNewPassword)
		b.identify("ann@example.com").refused("not_now", login.NeedsNewPassword) // naming somebody else midway
		b.setPassword("another long secret phrase").want(login.Complete)
		if h.password(ann) != rightPassword {
			t.Error("somebody else's password was changed")
		}
		b.setPassword("yet another long phrase").refused("not_now", login.Complete)
	})
}

func TestRememberingThePasswordAfterAllIsAllowed(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.Password, rightPassword).want(login.Complete) // no new one is asked
		if h.password(ann) != rightPassword {
			t.Error("the password changed")
		}
	})
}

func TestAPasswordChangedDuringSignInDoesNotSignInNorComeBack(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com")
		h.engine.Hasher = meanwhile{h.hasher, func() {
			p, err := h.people.Person(h.Context(), ann)
			h.must(err)
			h.must(h.people.SaveFactor(h.Context(), identity.Factor{
				ID: p.Factors[0].ID, UserID: ann, Method: identity.Password, Secret: hashOf("changed in between"), CreatedAt: h.clock.Now(),
			}))
		}}
		b.prove(identity.Password, rightPassword)
		if !problem.Is(b.err, problem.Conflict) || b.view.Step != login.NeedsFirstFactor {
			t.Errorf("at %s with %v", b.view.Step, b.err)
		}
		if h.password(ann) != "changed in between" {
			t.Error("the old password came back")
		}
	})
}

func TestForgettingNeedsPasswordsToBeInUse(t *testing.T) {
	each(t, func(h *house) {
		h.settings.Password = false
		h.person("ann@example.com")
		h.browser().signIn().identify("ann@example.com").forgot().refused("not_now", login.NeedsFirstFactor)
	})
}

func TestAnAttemptLastsAQuarterOfAnHour(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com")
		h.clock.Add(15*time.Minute - time.Second)
		b.look().want(login.NeedsFirstFactor)
		h.clock.Add(time.Second)
		b.prove(identity.Password, rightPassword).refused("attempt_over", login.Abandoned)
		b.identify("ann@example.com").refused("attempt_over", login.Abandoned)
	})
}

func TestACancelledAttemptIsOver(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").cancel().want(login.Abandoned)
		b.prove(identity.Password, rightPassword).refused("attempt_over", login.Abandoned)
	})
}
