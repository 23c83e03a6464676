package login_test

import (
	"testing"
	"time"

	"idp/federation"
	"idp/identity"
	"idp/login"
	"idp/message"
)

// eachEnforced has acme as the provider of corp.example, which it may speak for, and another one.
func eachEnforced(t *testing.T, f func(h *abroad)) {
	eachAbroad(t, func(h *abroad) {
		h.connect(h.op.Connection("other"))
		h.enforce(true)
		f(h)
	})
}

func (h *abroad) enforce(on bool) {
	h.Helper()
	h.change(func(c *federation.Connection) {
		c.Domains, c.Enforce, c.Hidden, c.Trust.Email = []string{"corp.example"}, on, true, federation.TrustDomains
	})
}

func TestAnAddressLeadsToTheProviderOfItsDomainWhoeverHasIt(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		h.enforce(false)
		h.person("ann@corp.example", identity.Password)
		for _, mail := range []string{"ann@corp.example", "nobody@corp.example"} {
			b := h.browser().signIn()
			if b.offers(acme) {
				t.Error("a connection without button is offered before an address was named")
			}
			if b.identify(mail).want(login.NeedsFirstFactor); b.view.Methods[0].Method != acme || !b.offers(identity.Password) {
				t.Errorf("%s is offered %v", mail, b.view.Methods)
			}
		}
		if b := h.browser().signIn().identify("ann@example.com"); b.offers(acme) {
			t.Errorf("another domain is offered %v", b.view.Methods)
		}
	})
}

func TestWhereADomainIsEnforcedNothingElseIsOfferedOrProves(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		ann := h.person("ann@corp.example", identity.Password)
		h.linked(ann, "other", "s9")
		for _, mail := range []string{"ann@corp.example", "nobody@corp.example"} {
			b := h.browser().signIn().identify(mail).want(login.NeedsFirstFactor)
			if len(b.view.Methods) != 1 || b.view.Methods[0].Method != acme {
				t.Errorf("%s is offered %v", mail, b.view.Methods)
			}
			before := h.hasher.all()
			b.prove(identity.Password, rightPassword).refused(login.ErrPassword.Code, login.NeedsFirstFactor)
			if h.hasher.all() != before+1 {
				t.Errorf("%s cost %d hashes", mail, h.hasher.all()-before)
			}
			b.prepare(identity.EmailCode).refused(login.ErrMethod.Code, login.NeedsFirstFactor)
			b.prepare(identity.Passkey).refused(login.ErrMethod.Code, login.NeedsFirstFactor)
			b.forgot().refused(login.ErrNotNow.Code, login.NeedsFirstFactor)
			b.nowhere("other", login.ErrMethod)
			if len(h.letters(mail)) != 0 {
				t.Errorf("%s was mailed %v", mail, h.kinds(mail))
			}
		}
		h.nobodyIn(ann)

		h.says("s1", "ann@corp.example", nil) // TrustDomains: the provider hands the addresses out
		if b := h.browser().signIn().identify("ann@corp.example").by(h, "acme").want(login.Complete); b.session().User != ann {
			t.Error("it is somebody else")
		}
		h.says("s9", "ann@corp.example", true)
		b := h.browser().signIn().by(h, "other").want(login.NeedsConnection)
		if len(b.view.Methods) != 1 || b.view.Methods[0].Method != acme {
			t.Errorf("after another connection is offered %v", b.view.Methods)
		}
	})
}

func TestWhoHoldsAnAddressOfAnEnforcedDomainOwesItsProviderAlsoUnderAnotherAddress(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		ann := h.person("ann@private.example", identity.Password)
		h.must(h.people.SaveHolding(t.Context(), identity.Holding{
			ID: "corp", UserID: ann, Identifier: address("ann@corp.example"), VerifiedAt: h.clock.Now(), Source: identity.SourceSelf, CreatedAt: h.clock.Now(),
		}))
		b := h.browser().signIn().identify("ann@private.example").prove(identity.Password, rightPassword).want(login.NeedsConnection)
		b.nowhere("other", login.ErrMethod)
		h.says("s1", "ann@corp.example", nil)
		if b.by(h, "acme").want(login.Complete); b.session().User != ann {
			t.Error("it is somebody else")
		}

		h.enforce(false)
		_, key := h.owner("eve@corp.example", identity.Passkey)
		h.enforce(true)
		h.says("s2", "eve@corp.example", nil)
		b = h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, key.signs(b.asked())).want(login.NeedsConnection)
		b.by(h, "acme").want(login.NeedsSecondFactor).prepare(identity.Passkey)
		b.prove(identity.Passkey, key.signs(b.asked())).want(login.Complete)
		b = h.browser().signIn().prepare(identity.Passkey)
		b.prove(identity.Passkey, key.signs(b.asked())).want(login.NeedsConnection)
		b.by(h, "acme").want(login.Complete) // linked by now: the two proofs come together
		if got := identity.ACR(b.session().Proofs); got != identity.PHR {
			t.Errorf("apps are told %s", got)
		}
	})
}

func TestASignUpInAnEnforcedDomainGoesToItsProvider(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		h.person("ann@corp.example", identity.Password)
		for _, mail := range []string{"ann@corp.example", "new@corp.example"} {
			b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit(mail, rightPassword).want(login.NeedsConnection)
			if len(h.letters(mail)) != 0 || len(b.view.Methods) != 1 || b.view.Methods[0].Method != acme {
				t.Errorf("%s: mailed %v, offered %v", mail, h.kinds(mail), b.view.Methods)
			}
			h.says(mail, mail, nil)
			b.by(h, "acme").want(login.Complete)
		}
		h.says("s9", "another@corp.example", true)
		b := h.browser().signIn().by(h, "other").want(login.NeedsConnection)
		h.says("s8", "another@corp.example", nil)
		b.by(h, "acme").want(login.Complete)
		if h.whose("other", "s9") != "" {
			t.Error("another connection came on file by the way")
		}
	})
}

func TestWithinASessionAnEnforcedDomainHolds(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		h.enforce(false)
		ann := h.person("ann@corp.example", identity.Password)
		b, s := h.inside("ann@corp.example")
		h.enforce(true)
		for _, goal := range []login.Goal{login.Enroll, login.Connect} {
			b.tab().begin(login.Beginning{Goal: goal, Session: s, Connection: "other"}).want(login.NeedsConnection).nowhere("other", login.ErrMethod)
		}
		up := b.tab().begin(login.Beginning{Goal: login.StepUp, Session: s}).want(login.NeedsFirstFactor)
		if len(up.view.Methods) != 1 || up.view.Methods[0].Method != acme {
			t.Errorf("offered are %v", up.view.Methods)
		}
		up.prove(identity.Password, rightPassword).refused(login.ErrMethod.Code, login.NeedsFirstFactor)
		h.says("s2", "bob@corp.example", nil)
		up.by(h, "acme").refused(login.ErrElsewhere.Code, login.NeedsFirstFactor)
		h.says("s1", "ann@corp.example", nil) // never linked: she was here before it was enforced
		if up.by(h, "acme").want(login.Complete); h.whose("acme", "s1") != ann || h.whose("acme", "s2") != "" {
			t.Error("the account is not linked")
		}
	})
}

func TestAnAddressOfAnEnforcedDomainDoesNotComeOnFileByItsCode(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		bob := h.person("bob@example.com", identity.Password)
		b, s := h.inside("bob@example.com")
		x := b.tab().begin(login.Beginning{Goal: login.Extend, Session: s, Address: "bob@corp.example"})
		if x.refused(login.ErrEnforced.Code, ""); len(h.letters("bob@corp.example")) != 0 {
			t.Error("a code was mailed")
		}
		h.enforce(false)
		x = b.tab().begin(login.Beginning{Goal: login.Extend, Session: s, Address: "bob@corp.example"}).want(login.NeedsEmailVerification)
		h.enforce(true)
		x.prove(identity.EmailCode, h.letter("bob@corp.example", message.VerifyAddress).Code).refused(login.ErrEnforced.Code, login.Abandoned)
		p, err := h.people.Person(t.Context(), bob)
		if h.must(err); len(p.Holdings) != 1 {
			t.Errorf("on file are %v", p.Holdings)
		}
		h.linked(bob, "acme", "s1")
		b.tab().begin(login.Beginning{Goal: login.Extend, Session: s, Address: "bob@corp.example"}).want(login.NeedsEmailVerification)
	})
}

func TestAnOperatorGetsInPastAnEnforcedDomainWithASecondFactor(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		h.settings.TrustDays = 30
		appoint := func(u identity.UserID) {
			p, err := h.people.Person(t.Context(), u)
			h.must(err)
			p.User.Operator = true
			h.must(h.people.SaveUser(t.Context(), p.User))
		}
		root := h.person("root@corp.example", identity.Password, identity.TOTP)
		appoint(root)
		b := h.browser().signIn().identify("root@corp.example").want(login.NeedsFirstFactor)
		if b.offers(identity.Password) {
			t.Error("the page tells who is an operator")
		}
		b.prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		b.second(true).want(login.Complete)
		h.clock.Add(time.Minute)
		b.tab().signIn().identify("root@corp.example").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)

		bare := h.person("bare@corp.example", identity.Password)
		appoint(bare)
		h.browser().signIn().identify("bare@corp.example").prove(identity.Password, rightPassword).refused(login.ErrPassword.Code, login.NeedsFirstFactor)
		h.change(func(c *federation.Connection) {
			c.Domains, c.Enforce, c.Disabled = []string{"corp.example"}, true, true
		})
		h.browser().signIn().identify("bare@corp.example").prove(identity.Password, rightPassword).want(login.Complete)
	})
}
