package login_test

import (
	"slices"
	"testing"
	"time"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/storage"
)

// squatter is an account that claims victim@example.com and never proved it, with all that
// could let its maker in again: a password, an app, an account elsewhere, a session, a trusted
// browser, something begun and a change that can be taken back.
type squatter struct {
	*house
	id       identity.UserID
	in       *browser // signed in
	pending  *browser // about to add an address
	undoLink string
}

const victim = "victim@example.com"

func (h *house) squat() *squatter {
	h.Helper()
	h.settings.TrustDays = 30
	q := &squatter{house: h, id: h.person("eve@example.com", identity.Password, identity.TOTP)}
	h.must(storage.NewConnections(h.db).SaveConnection(h.Context(), federation.Connection{Name: "other", Type: federation.OIDC}))
	h.must(h.people.SaveFactor(h.Context(), identity.Factor{
		ID: identity.FactorID(secret.NewID("factor")), UserID: q.id, Method: identity.OAuthMethod("other"), Secret: secret.NewString("{}"),
		Credential: identity.ExternalAccount{Method: identity.OAuthMethod("other"), Issuer: "i", Subject: "eve"}.Credential(), CreatedAt: h.clock.Now(),
	}))
	q.in = h.browser().signIn().identify("eve@example.com").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
	q.in.second(true).want(login.Complete)
	q.in.tab().begin(login.Beginning{Goal: login.Extend, Session: q.in.view.SessionID, Address: "more@example.com"}).
		prove(identity.EmailCode, h.letter("more@example.com", message.VerifyAddress).Code).want(login.Complete)
	_, q.undoLink = h.notice("eve@example.com", "email_added")
	q.pending = q.in.tab().begin(login.Beginning{Goal: login.Extend, Session: q.in.view.SessionID, Address: victim}).want(login.NeedsEmailVerification)
	for _, mail := range []string{"eve@example.com", "more@example.com"} {
		h.must(h.engine.Undos.DropHolding(h.Context(), q.id, address(mail)))
	}
	h.must(h.people.SaveHolding(h.Context(), identity.Holding{
		ID: "claim", UserID: q.id, Identifier: address(victim), Primary: true, Source: "import", CreatedAt: h.clock.Now(),
	}))
	return q
}

// gone fails unless nothing is left that could let anybody into the squatter's account.
func (q *squatter) gone() {
	q.Helper()
	p, err := q.people.Person(q.Context(), q.id)
	q.must(err)
	if len(p.Holdings) != 0 || len(p.Factors) != 0 {
		q.Errorf("the squatter keeps addresses %v and %d factors", p.Holdings, len(p.Factors))
	}
	if q.in.session().Alive(q.clock.Now()) {
		q.Error("the squatter's session lives")
	}
	if !slices.Contains(q.revoked, q.id) {
		q.Error("what apps hold of the squatter's account lives")
	}
	if q.trusted(q.id) != 0 {
		q.Error("the squatter's browser is trusted")
	}
	if s := q.state(q.undoLink); s != login.UndoUsed {
		q.Errorf("the squatter's change can be taken back: %s", s)
	}
	if q.pending.look(); q.pending.err == nil && q.pending.view.Step != login.Abandoned {
		q.Errorf("what the squatter began goes on at %s", q.pending.view.Step)
	}
	if n := len(q.recorded(event.ClaimLost)); n != 1 {
		q.Errorf("%d events say that the claim is lost", n)
	}
}

func TestWhoProvesAnAddressAtSignUpLeavesNothingOfWhoClaimedIt(t *testing.T) {
	each(t, func(h *house) {
		q := h.squat()
		b := h.browser().signUp(victim)
		if b.session().User == q.id {
			t.Fatal("the squatter's account was joined")
		}
		q.gone()
		h.browser().signIn().identify(victim).prove(identity.Password, rightPassword).want(login.Complete)
		if h.holderOf(victim) != b.session().User {
			t.Error("the address is not its owner's")
		}
	})
}

func TestWhoProvesAnAddressForAnotherAccountLeavesNothingOfWhoClaimedIt(t *testing.T) {
	each(t, func(h *house) {
		q := h.squat()
		h.person("ann@example.com", identity.Password)
		b, _ := h.inside("ann@example.com")
		h.clock.Add(time.Minute)
		b.extend(victim)
		q.gone()
	})
}

func TestWhoOnlyClaimedAnAddressKeepsWhatTheyProvedOtherwise(t *testing.T) {
	each(t, func(h *house) {
		bob := h.person("bob@example.com", identity.Password)
		in := h.browser().signIn().identify("bob@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		h.must(h.people.SaveHolding(t.Context(), identity.Holding{
			ID: "claim", UserID: bob, Identifier: address(victim), Source: "import", CreatedAt: h.clock.Now(),
		}))
		h.browser().signUp(victim)
		p, err := h.people.Person(t.Context(), bob)
		h.must(err)
		if len(p.Holdings) != 1 || len(p.Factors) != 1 || !in.session().Alive(h.clock.Now()) || len(h.recorded(event.ClaimLost)) != 0 {
			t.Errorf("bob keeps %d addresses, %d factors, alive %v", len(p.Holdings), len(p.Factors), in.session().Alive(h.clock.Now()))
		}
		if _, err := h.people.Find(t.Context(), address("nobody@example.com")); !problem.Is(err, problem.NotFound) {
			t.Error(err)
		}
	})
}
