package login_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/session"
)

// inside signs somebody in and returns the browser and its session.
func (h *house) inside(mail string) (*browser, session.ID) {
	h.Helper()
	b := h.browser().signIn().identify(mail).prove(identity.Password, rightPassword).want(login.Complete)
	return b, b.view.SessionID
}

func (h *house) holdings(u identity.UserID) (values []string) {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	for _, x := range p.Holdings {
		if x.Verified() {
			values = append(values, x.Identifier.Value)
		}
	}
	return values
}

func TestAnotherAddressComesOnFileWithItsOwnCodeOnly(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		b.begin(login.Beginning{Goal: login.Extend, Session: s, Address: " Work@Example.com"}).want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, "000000").refused("code_wrong", login.NeedsEmailVerification)
		if got := h.holdings(ann); len(got) != 1 {
			t.Fatalf("on file before it answered: %q", got)
		}
		b.prove(identity.EmailCode, h.letter("work@example.com", message.VerifyAddress).Code).want(login.Complete)
		if got := h.holdings(ann); len(got) != 2 || got[0] != "ann@example.com" {
			t.Errorf("on file are %q", got)
		}
		if b.session().ID != s || len(b.session().Proofs) != 1 {
			t.Errorf("an address that answered changed what the session proves: %+v", b.session())
		}
		h.browser().signIn().identify("work@example.com").prove(identity.Password, rightPassword).want(login.Complete)
	})
}

func TestAnAddressOfSomebodyElseLooksTheSameAndNeverComesOnFile(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		h.person("bob@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		b.begin(login.Beginning{Goal: login.Extend, Session: s, Address: "bob@example.com"}).want(login.NeedsEmailVerification)
		if l := h.letter("bob@example.com", message.AddressBelongs); l.Code != "" || l.Link != "" {
			t.Errorf("the letter carries an answer: %+v", l)
		}
		if o := b.view.Methods; len(o) != 1 || !o[0].Sent || o[0].Target != "b•••@example.com" {
			t.Errorf("it can be told from an address that is free: %+v", o)
		}
		for _, guess := range []string{"000000", "123456"} {
			b.prove(identity.EmailCode, guess).refused("code_wrong", login.NeedsEmailVerification)
		}
		if got := h.holdings(ann); len(got) != 1 {
			t.Errorf("on file are %q", got)
		}
	})
}

func TestAnOldSessionProvesAnewBeforeAnythingComesOnFile(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		h.clock.Add(11 * time.Minute)
		b.begin(login.Beginning{Goal: login.Extend, Session: s, Address: "work@example.com"}).want(login.NeedsFirstFactor)
		if len(h.letters("work@example.com")) != 0 {
			t.Fatal("a code went out before the person proved anew")
		}
		b.prove(identity.EmailCode, "000000")
		b.prove(identity.Password, rightPassword).want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, h.letter("work@example.com", message.VerifyAddress).Code).want(login.Complete)
		if got := h.holdings(ann); len(got) != 2 || len(h.recorded(event.AddressVerified)) != 1 {
			t.Errorf("on file are %q", got)
		}
	})
}

func TestACodeForOneAddressPutsNoOtherOnFile(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		b.begin(login.Beginning{Goal: login.Extend, Session: s, Address: "mine@example.com"})
		mine := h.letter("mine@example.com", message.VerifyAddress).Code
		b.begin(login.Beginning{Goal: login.Extend, Session: s, Address: "victim@example.com"}).want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, mine).refused("code_wrong", login.NeedsEmailVerification)
		if got := h.holdings(ann); len(got) != 1 {
			t.Errorf("on file are %q", got)
		}
	})
}

func TestWhatASessionProvedDiesWithIt(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		b.begin(login.Beginning{Goal: login.Extend, Session: s, Address: "work@example.com"}).want(login.NeedsEmailVerification)
		ended, err := h.sessions.End(h.Context(), s, h.clock.Now())
		h.must(err)
		b.prove(identity.EmailCode, h.letter("work@example.com", message.VerifyAddress).Code)
		if !ended || !errors.Is(b.err, session.ErrNobody) {
			t.Errorf("an attempt went on after its session had ended: %v", b.err)
		}
		open, err := h.sessions.OfUser(h.Context(), ann)
		h.must(err)
		if got := h.holdings(ann); len(got) != 1 || len(open) != 0 {
			t.Errorf("on file are %q, and %d sessions stand", got, len(open))
		}
	})
}

func TestAFactorSetUpWhileSigningInDoesNotStandForOneThatCameMeanwhile(t *testing.T) {
	each(t, func(h *house) {
		h.settings.TwoStep = login.Required
		ann := h.person("ann@example.com", identity.Password)
		thief := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.NeedsEnrollment)
		thief.enroll(identity.TOTP, "").want(login.NeedsEnrollment)
		answer := h.code(thief.view.Enrollment.Key, 0)
		commit := h.engine.InTx
		h.engine.InTx = func(ctx context.Context, do func(ctx context.Context) error) error {
			h.engine.InTx = commit // the answer is checked, and nothing of it is kept yet
			h.must(h.people.SaveFactor(ctx, identity.Factor{
				ID: "factor_anns", UserID: ann, Method: identity.SecurityKey, Credential: "anns", Secret: secret.NewString("{}"), CreatedAt: h.clock.Now(),
			}))
			return commit(ctx, do)
		}
		thief.enrollConfirm(answer).want(login.NeedsSecondFactor)
		if open, err := h.sessions.OfUser(h.Context(), ann); err != nil || len(open) != 0 {
			t.Errorf("a factor of the thief's own let them in: %v %v", open, err)
		}
	})
}
