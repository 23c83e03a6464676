package login_test

import (
	"testing"
	"time"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/message"
)

// Who signed in before the provider of their domain became the only way comes by it within the
// session: only its word about an address of theirs counts, and only where it is owed.
func TestWithinASessionAnUnlinkedAccountCountsOnlyWhereItsProviderIsOwed(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.person("ann@corp.example", identity.Password)
		b, s := h.inside("ann@corp.example")
		h.clock.Add(time.Hour)
		domains := func(enforce bool, trust federation.EmailTrust) func(c *federation.Connection) {
			return func(c *federation.Connection) {
				c.Domains, c.Enforce, c.Trust.Email = []string{"corp.example"}, enforce, trust
			}
		}
		refused := func(why string, goal login.Goal) {
			t.Helper()
			in := b.tab().begin(login.Beginning{Goal: goal, Session: s, Connection: "acme"})
			if in.by(h, "acme"); !problem.HasCode(in.err, login.ErrElsewhere.Code) || h.whose("acme", "s1") != "" {
				t.Errorf("%s: at %s, %v", why, in.view.Step, in.err)
			}
		}
		h.says("s1", "ann@corp.example", true)
		h.change(domains(true, federation.TrustNever))
		refused("its word is not taken", login.StepUp)
		h.change(domains(true, federation.TrustDomains))
		refused("to connect it is no proof", login.Connect)

		in := b.tab().begin(login.Beginning{Goal: login.StepUp, Session: s})
		answer := in.away(h.op, "acme")
		h.change(domains(false, federation.TrustDomains))
		if in.back("acme", answer); in.err == nil || in.view.Step != login.NeedsFirstFactor || h.whose("acme", "s1") != "" {
			t.Errorf("not owed any more: at %s, %v", in.view.Step, in.err)
		}

		h.change(domains(true, federation.TrustDomains))
		b.tab().begin(login.Beginning{Goal: login.StepUp, Session: s}).by(h, "acme").want(login.Complete)
	})
}

func TestAnAddressThatTheRulesRefuseMakesNobodyWhateverItsProviderSays(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.settings.Addresses.Blocked = []string{"blocked.example"}
		h.says("s1", "eve@blocked.example", true)
		b := h.browser().signIn().by(h, "acme")
		if b.err == nil || b.view.Step != login.Abandoned || h.whose("acme", "s1") != "" {
			t.Errorf("at %s: %v", b.view.Step, b.err)
		}
		h.nobody()
	})
}

func TestAFinishedAttemptKeepsNothingOfWhatTheProviderSaid(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "ann@example.com", true)
		b := h.browser().signIn().by(h, "acme").want(login.Complete)
		a, err := h.store.Attempt(t.Context(), b.view.ID)
		h.must(err)
		if a.Upstream != nil {
			t.Errorf("it keeps %+v", a.Upstream)
		}
	})
}

// One provider's word satisfies its own domain alone, also when it came with an address of another.
func TestComingByOneProviderIsNotComingByAnother(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		other := h.op.Connection("other")
		other.Domains, other.Enforce = []string{"corp.example"}, true
		h.connect(other)
		ann := h.person("ann@example.com", identity.Password)
		h.hold(ann, "ann@corp.example", h.clock.Now())
		h.says("s1", "ann@example.com", false)
		b := h.browser().signIn().by(h, "acme").want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.VerifyAddress).Code).want(login.NeedsConnection)
		if h.nobodyIn(ann); h.whose("acme", "s1") != "" {
			t.Error("linked before its domain's provider was asked")
		}
	})
}
