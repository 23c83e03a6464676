package login_test

import (
	"testing"

	"idp/event"
	"idp/identity"
	"idp/login"
	"idp/message"
)

// assigned puts somebody on file the way `idp user create` without --verified does.
func (h *house) assigned(mail string, source string) identity.UserID {
	h.Helper()
	u := h.person("spare-"+mail, identity.Password)
	h.must(h.people.SaveHolding(h.Context(), identity.Holding{
		ID: identity.HoldingID("holding_" + mail), UserID: u, Identifier: address(mail), Primary: true, Source: source, CreatedAt: h.clock.Now(),
	}))
	return u
}

func (h *house) verified(u identity.UserID, mail string) bool {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	for _, x := range p.Holdings {
		if x.Identifier == address(mail) {
			return x.Verified()
		}
	}
	return false
}

func TestAnAddressThatAnOperatorAssignedMustAnswerBeforeItSignsIn(t *testing.T) {
	each(t, func(h *house) {
		u := h.assigned("ann@example.com", identity.SourceOperator)
		b := h.browser().signIn().identify("ann@example.com")
		b.prove(identity.Password, rightPassword).want(login.NeedsEmailVerification)
		if h.verified(u, "ann@example.com") || len(h.recorded(event.SignInSucceeded)) != 0 {
			t.Fatal("the password alone verified the address or signed in")
		}
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.SignIn).Code).want(login.Complete)
		if !h.verified(u, "ann@example.com") || len(h.recorded(event.AddressVerified)) != 1 {
			t.Error("the address answered and is not verified")
		}
		// From now on it is an address like any other.
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
	})
}

func TestACodeToAnAssignedAddressIsBothProofAndVerification(t *testing.T) {
	each(t, func(h *house) {
		u := h.assigned("ann@example.com", identity.SourceOperator)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.SignIn).Code).want(login.Complete)
		if b.session().User != u || !h.verified(u, "ann@example.com") {
			t.Error("the code did not let the person in whom the operator had named")
		}
	})
}

func TestAnImportedAddressThatNobodyProvedFindsNobody(t *testing.T) {
	each(t, func(h *house) {
		// Whoever registered it in the old system may not be its owner.
		imported := h.assigned("ann@example.com", identity.SourceImport)
		b := h.browser().signIn().identify("ann@example.com")
		b.prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		if owner := h.browser().signUp("ann@example.com").session().User; owner == imported {
			t.Error("the owner of the address was let into the imported account")
		}
	})
}
