package login_test

import (
	"context"
	"errors"
	"testing"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

// The eight invariants of the engine. Two more files hold what needs room: enumeration
// and throttling. That an unproven upstream address proves nothing is, while there is no
// federation, the rule about unproven addresses on file.

func TestTwoProofsOfOneCategoryNeverSuffice(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.SignIn).Code).want(login.NeedsSecondFactor)
		b.prove(identity.Password, rightPassword).refused("method_unavailable", login.NeedsSecondFactor)
		b.prepare(identity.EmailCode).refused("method_unavailable", login.NeedsSecondFactor)
		b.evidence(identity.Password).want(login.NeedsSecondFactor)
		if b.view.SessionID != "" || len(h.recorded(event.SignInSucceeded)) != 0 {
			t.Error("a session was made of knowledge alone")
		}
	})
}

func TestResetDoesNotBypassSecondFactor(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.setPassword("another long secret phrase").refused("not_now", login.NeedsFirstFactor)
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsSecondFactor) // before any new password is asked
		b.setPassword("another long secret phrase").refused("not_now", login.NeedsSecondFactor)
		b.prove(identity.EmailCode, "000000").refused("method_unavailable", login.NeedsSecondFactor)
		if h.password(ann) != rightPassword {
			t.Fatal("the password changed before the second factor was shown")
		}
		b.evidence(identity.TOTP).want(login.NeedsNewPassword)
		b.setPassword("another long secret phrase").want(login.Complete)
		if h.password(ann) != "another long secret phrase" {
			t.Error("the new password was not written")
		}
	})
}

func TestEveryFirstFactorOfATwoStepPersonLeadsToTheSecond(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password, identity.TOTP)
		for why, do := range map[string]func(b *browser){
			"password": func(b *browser) { b.prove(identity.Password, rightPassword) },
			"code": func(b *browser) {
				b.prepare(identity.EmailCode).prove(identity.EmailCode, h.letter("ann@example.com", message.SignIn).Code)
			},
			"link": func(b *browser) {
				b.prepare(identity.EmailCode).prove(identity.EmailLink, tokenOf(h.letter("ann@example.com", message.SignIn).Link))
			},
			"reset": func(b *browser) {
				b.forgot().prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code)
			},
		} {
			b := h.browser().signIn().identify("ann@example.com")
			do(b)
			if b.err != nil || b.view.Step != login.NeedsSecondFactor || b.view.SessionID != "" || b.view.Cookie != nil {
				t.Errorf("%s led to %+v with %v", why, b.view, b.err)
			}
			h.clock.Add(resend)
		}
		if n := len(h.recorded(event.SignInSucceeded)); n != 0 {
			t.Errorf("%d sign-ins of half-proven people", n)
		}
	})
}

func TestAnUnprovenAddressLinksNothingAndProvesNothing(t *testing.T) {
	each(t, func(h *house) {
		squatter := h.person("mallory@example.com", identity.Password)
		h.must(h.people.SaveHolding(h.Context(), identity.Holding{
			ID: "holding_squatted", UserID: squatter, Identifier: address("ann@example.com"), Source: "self", CreatedAt: h.clock.Now(),
		}))
		b := h.browser().signIn().identify("ann@example.com")
		b.prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		b.prepare(identity.EmailCode)
		h.letter("ann@example.com", message.NoAccount)

		b = h.browser().signUp("ann@example.com")
		if u := b.session().User; u == squatter {
			t.Fatal("the owner of the address was let into the squatter's account")
		}
		p, err := h.people.Person(h.Context(), squatter)
		h.must(err)
		if len(p.Holdings) != 1 || p.Holdings[0].Identifier != address("mallory@example.com") {
			t.Errorf("the squatter still claims %+v", p.Holdings)
		}
	})
}

func TestEverythingWorksOnce(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		first := h.letter("ann@example.com", message.SignIn)
		h.clock.Add(resend)
		b.prepare(identity.EmailCode).want(login.NeedsFirstFactor)
		second := h.letter("ann@example.com", message.SignIn)
		b.prove(identity.EmailCode, first.Code).refused("code_wrong", login.NeedsFirstFactor)
		b.prove(identity.EmailLink, tokenOf(first.Link)).refused("code_wrong", login.NeedsFirstFactor)
		b.prove(identity.EmailCode, second.Code).want(login.Complete)
		b.prove(identity.EmailCode, second.Code).refused("not_now", login.Complete)
		b.prove(identity.EmailLink, tokenOf(second.Link)).refused("not_now", login.Complete)

		other := b.tab().signIn().identify("ann@example.com")
		other.prove(identity.EmailCode, second.Code).refused("code_not_sent", login.NeedsFirstFactor)
		if n := len(h.recorded(event.SignInSucceeded)); n != 1 {
			t.Errorf("%d sign-ins came of one code", n)
		}
	})
}

func TestALinkCompletesOnlyInTheBrowserThatAsked(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		mail := h.letter("ann@example.com", message.SignIn)
		token := secret.NewString(tokenOf(mail.Link))

		thief := h.browser()
		thief.view.ID = b.view.ID
		if thief.prove(identity.EmailLink, token.Reveal()); !errors.Is(thief.err, login.ErrNoAttempt) {
			t.Fatalf("another browser was answered %v", thief.err)
		}
		seen, err := h.engine.Link(h.Context(), thief.at(), token)
		h.must(err)
		if seen.SameBrowser || seen.Spent || seen.Code.Reveal() != mail.Code || seen.View.ID != "" || seen.View.Identifier != "" {
			t.Errorf("another browser sees %+v, want only the digits of the mail", seen)
		}
		b.prove(identity.EmailCode, seen.Code.Reveal()).want(login.Complete)
	})
}

func TestStartingAgainBuysNoTries(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		for range 10 {
			h.browser().signIn().identify("ann@example.com").prove(identity.Password, wrongPassword).refused("password_wrong", login.NeedsFirstFactor)
		}
		verified := h.hasher.verified.Load()
		h.browser().signIn().identify(" ANN@Example.com ").prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		if h.hasher.verified.Load() != verified {
			t.Error("a locked address was verified")
		}
	})
}

func TestConsequencesAndCompletionAreOneCommit(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsNewPassword)

		post := h.engine.Post
		h.engine.Post = func(context.Context, message.Message) error { return errors.New("no room for the notice") }
		b.setPassword("another long secret phrase")
		if b.err == nil || b.view.Step != login.NeedsNewPassword {
			t.Fatalf("at %s with %v although the notice could not be queued", b.view.Step, b.err)
		}
		open, err := h.sessions.OfUser(h.Context(), ann)
		h.must(err)
		if h.password(ann) != rightPassword || len(open) != 0 || len(h.recorded(event.PasswordChanged)) != 0 {
			t.Error("part of a failed commit stayed")
		}
		h.engine.Post = post
		b.setPassword("another long secret phrase").want(login.Complete)
		h.letter("ann@example.com", message.PasswordChanged)
	})
}

func TestNobodyGetsInWhoLostEveryFactor(t *testing.T) {
	each(t, func(h *house) {
		h.settings.EmailCode, h.settings.EmailLink = false, false
		h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsSecondFactor)
		for _, o := range b.view.Methods {
			if o.Method != identity.TOTP {
				t.Errorf("%s is offered in place of the lost factor", o.Method)
			}
		}
		b.prove(identity.ResetCode, "000000").refused("method_unavailable", login.NeedsSecondFactor)
		if !problem.Is(b.forgot().err, problem.Conflict) {
			t.Errorf("asking for another reset was answered %v", b.err)
		}
	})
}
