package login_test

import (
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

func TestSignUpMakesAPersonOnlyWhenTheAddressIsProven(t *testing.T) {
	each(t, func(h *house) {
		b := h.browser().begin(login.Beginning{Goal: login.SignUp}).want(login.MissingRequirements)
		if got := strings.Join(b.view.Missing, " "); got != "email password" || b.view.Rules == nil {
			t.Errorf("missing %q with rules %v", got, b.view.Rules)
		}
		b.submit("Ann@Example.com", rightPassword).want(login.NeedsEmailVerification)
		if _, err := h.people.Find(h.Context(), address("ann@example.com")); err == nil {
			t.Fatal("somebody is on file before the address was proven")
		}
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.SignUp).Code).want(login.Complete)
		p, err := h.people.Find(h.Context(), address("ann@example.com"))
		h.must(err)
		if len(p.Holdings) != 1 || p.Holdings[0].VerifiedBy != identity.EmailCode || !p.Holdings[0].Primary || p.User.Profile.Name != "Ann" {
			t.Errorf("on file is %+v", p)
		}
		if h.password(p.User.ID) != rightPassword || b.session().User != p.User.ID {
			t.Error("the password or the session is not the new person's")
		}
		if b.view.Cookie == nil || b.view.Next != "/account" {
			t.Errorf("the browser is told %+v", b.view)
		}
		for _, k := range []event.Kind{event.UserCreated, event.AddressVerified, event.SignInSucceeded} {
			if len(h.recorded(k)) != 1 {
				t.Errorf("%d events %s, want 1", len(h.recorded(k)), k)
			}
		}
	})
}

func TestTwoWhoSignUpWithOneAddressBecomeOnePerson(t *testing.T) {
	each(t, func(h *house) {
		x := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@example.com", rightPassword)
		codeX := h.letter("ann@example.com", message.SignUp).Code
		h.clock.Add(resend)
		y := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@example.com", "somebody else's phrase")
		codeY := h.letter("ann@example.com", message.SignUp).Code
		x.prove(identity.EmailCode, codeX).want(login.Complete)
		y.prove(identity.EmailCode, codeY).want(login.Complete)
		if x.session().User != y.session().User || h.password(x.session().User) != rightPassword {
			t.Error("the second one should be signed in as the first, whose password stays")
		}
	})
}

func TestAnUnfinishedSignUpKeepsNothingOfTheDraft(t *testing.T) {
	each(t, func(h *house) {
		b := h.browser().signUp("ann@example.com")
		a, err := h.store.Attempt(h.Context(), b.view.ID)
		h.must(err)
		if a.Draft != (login.Draft{}) {
			t.Errorf("a finished attempt keeps the draft %+v", a.Draft)
		}
		c := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("bob@example.com", rightPassword).cancel().want(login.Abandoned)
		a, err = h.store.Attempt(h.Context(), c.view.ID)
		h.must(err)
		if a.Draft != (login.Draft{}) || a.Challenges != nil {
			t.Errorf("a cancelled attempt keeps %+v", a)
		}
	})
}

func TestClosedMeansClosed(t *testing.T) {
	each(t, func(h *house) {
		b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@example.com", rightPassword)
		code := h.letter("ann@example.com", message.SignUp).Code
		h.settings.SignUp = login.Closed // while somebody is at it
		b.prove(identity.EmailCode, code).refused("sign_up_closed", login.NeedsEmailVerification)
		c := h.browser()
		if c.begin(login.Beginning{Goal: login.SignUp}); c.err == nil {
			t.Error("a closed instance let somebody begin")
		}
	})
}

func (h *house) invite(mail string) secret.String {
	token := secret.Token("")
	h.must(h.store.SaveInvitation(h.Context(), login.Invitation{
		ID: secret.NewID("invitation"), Address: address(mail), Token: secret.DigestOf(token.Reveal()), By: "operator:cli",
		CreatedAt: h.clock.Now(), ExpiresAt: h.clock.Now().Add(7 * 24 * time.Hour),
	}))
	return token
}

func TestAnInvitationIsForOneAddressAndWorksOnce(t *testing.T) {
	each(t, func(h *house) {
		h.settings.SignUp = login.Invited
		token := h.invite("ann@example.com")
		for _, bad := range []secret.String{{}, secret.Token("")} {
			if b := h.browser(); b.begin(login.Beginning{Goal: login.SignUp, Invitation: bad}).err == nil {
				t.Error("let somebody in without an invitation")
			}
		}
		b := h.browser().begin(login.Beginning{Goal: login.SignUp, Invitation: token}).want(login.MissingRequirements)
		b.submit("mallory@example.com", rightPassword).refused("invitation_elsewhere", login.MissingRequirements)
		b.submit("", rightPassword).want(login.NeedsEmailVerification) // the address is the invited one
		late := h.browser().begin(login.Beginning{Goal: login.SignUp, Invitation: token})
		code := h.letter("ann@example.com", message.SignUp).Code
		b.prove(identity.EmailCode, code).want(login.Complete)

		h.clock.Add(resend)
		late.submit("", rightPassword).want(login.NeedsEmailVerification)
		late.prove(identity.EmailCode, h.letter("ann@example.com", message.AddressHeld).Code).want(login.Complete)
		if b.session().User != late.session().User {
			t.Error("one invitation made two persons")
		}
		if c := h.browser().begin(login.Beginning{Goal: login.SignUp, Invitation: token}); c.err == nil {
			t.Error("a used invitation was taken")
		}
		old := h.invite("bob@example.com")
		h.clock.Add(7 * 24 * time.Hour)
		if c := h.browser().begin(login.Beginning{Goal: login.SignUp, Invitation: old}); c.err == nil {
			t.Error("an expired invitation was taken")
		}
	})
}

func TestWithoutPasswordsSignUpAsksForNone(t *testing.T) {
	each(t, func(h *house) {
		h.settings.Password = false
		b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@example.com", rightPassword).want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.SignUp).Code).want(login.Complete)
		if h.password(b.session().User) != "" || h.hasher.all() != 0 {
			t.Error("a password was taken although none are in use")
		}
	})
}

func TestHostileFieldsAreRefused(t *testing.T) {
	each(t, func(h *house) {
		b := h.browser().begin(login.Beginning{Goal: login.SignUp})
		for _, tt := range []struct {
			why  string
			f    login.Fields
			code string
		}{
			{"two recipients", login.Fields{Email: "ann@example.com,eve@example.com"}, "email_invalid"},
			{"a header", login.Fields{Email: "ann@example.com\r\nBcc: eve@example.com"}, "email_invalid"},
			{"a quoted twin", login.Fields{Email: `"eve@example.org"@example.com`}, "email_invalid"},
			{"control characters in a name", login.Fields{Email: "ann@example.com", Name: "Ann\r\nX: y"}, "name_invalid"},
			{"a novel for a name", login.Fields{Email: "ann@example.com", Name: strings.Repeat("a", 257)}, "name_invalid"},
			{"a weak password", login.Fields{Email: "ann@example.com", Password: secret.NewString("password1")}, "password_too_weak"},
			{"one's address for a password", login.Fields{Email: "annabelle@example.com", Password: secret.NewString("annabelle")}, "password_too_weak"},
		} {
			b.then(h.engine.Submit(h.Context(), b.at(), tt.f)).refused(tt.code, login.MissingRequirements)
		}
		if len(h.letters("")) != 0 {
			t.Error("a refused form sent mail")
		}
	})
}
