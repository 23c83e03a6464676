package login_test

import (
	"context"
	"testing"

	"idp/federation"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/storage"
	"idp/storage/storagetest"
)

// slowly lets something happen while a password is compared.
type slowly struct {
	*counter
	do func()
}

func (s slowly) Verify(ctx context.Context, password, hash secret.String) (ok, upgrade bool, err error) {
	s.do()
	return s.counter.Verify(ctx, password, hash)
}

func TestADomainThatIsEnforcedWhileAPasswordIsComparedHoldsAtOnce(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		h.enforce(false)
		ann := h.person("ann@corp.example", identity.Password)
		b := h.browser().signIn().identify("ann@corp.example").want(login.NeedsFirstFactor)
		h.engine.Hasher = slowly{h.hasher, func() { h.enforce(true) }}
		b.prove(identity.Password, rightPassword).want(login.NeedsConnection)
		h.nobodyIn(ann)
	})
}

func TestADomainThatIsEnforcedWhileAnotherProviderAnswersHoldsAtOnce(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		h.enforce(false)
		ann := h.person("ann@corp.example", identity.Password)
		h.linked(ann, "other", "s9")
		h.says("s9", "ann@corp.example", true)
		h.op.Token = func(map[string]any) { h.enforce(true) }
		b := h.browser().signIn().by(h, "other").want(login.NeedsConnection)
		h.nobodyIn(ann)
		h.op.Token = nil
		b.nowhere("other", login.ErrMethod)
	})
}

// elsewhere is another process on the same database, which hears of changes when it reloads.
func (h *abroad) elsewhere() *abroad {
	h.Helper()
	engine, other := *h.engine, *h.house
	engine.Federation = &federation.Federation{
		Store: storage.NewConnections(h.db), Outbound: h.engine.Federation.Outbound, Box: storagetest.Box(), Issuer: origin, Now: h.clock.Now,
	}
	h.must(engine.Federation.Reload(h.Context()))
	other.engine = &engine
	return &abroad{house: &other, op: h.op}
}

// In the second until a process hears that a domain is enforced, it lets people in as it did the
// second before. That leaves nothing that would let anybody in later.
func TestWhatAProcessLetsInBeforeItHearsOfAnEnforcedDomainOpensNothingAfterwards(t *testing.T) {
	eachEnforced(t, func(h *abroad) {
		h.enforce(false)
		ann := h.person("ann@corp.example", identity.Password)
		second := h.elsewhere()
		half := second.browser().signIn().identify("ann@corp.example").want(login.NeedsFirstFactor)
		joins := second.browser().begin(login.Beginning{Goal: login.SignUp}).submit("late@corp.example", rightPassword).want(login.NeedsEmailVerification)
		h.enforce(true)

		h.browser().signIn().identify("ann@corp.example").prove(identity.Password, rightPassword).refused(login.ErrPassword.Code, login.NeedsFirstFactor)
		if b := second.browser().signIn().identify("ann@corp.example").prove(identity.Password, rightPassword).want(login.Complete); b.session().User != ann {
			t.Error("it is somebody else")
		}
		second.browser().begin(login.Beginning{Goal: login.SignUp}).submit("new@corp.example", rightPassword).want(login.NeedsEmailVerification).
			prove(identity.EmailCode, h.letter("new@corp.example", message.SignUp).Code).want(login.Complete)

		h.must(second.engine.Federation.Reload(t.Context()))
		half.prove(identity.Password, rightPassword).refused(login.ErrPassword.Code, login.NeedsFirstFactor)
		joins.prove(identity.EmailCode, h.letter("late@corp.example", message.SignUp).Code).refused(login.ErrNotNow.Code, login.NeedsConnection)
		for _, process := range []*abroad{h, second} {
			for _, mail := range []string{"ann@corp.example", "new@corp.example"} {
				b := process.browser().signIn().identify(mail).want(login.NeedsFirstFactor)
				if len(b.view.Methods) != 1 || b.view.Methods[0].Method != acme {
					t.Errorf("%s is offered %v", mail, b.view.Methods)
				}
				b.prove(identity.Password, rightPassword).refused(login.ErrPassword.Code, login.NeedsFirstFactor)
			}
		}
		h.says("s1", "new@corp.example", nil)
		h.browser().signIn().identify("new@corp.example").by(h, "acme").want(login.Complete)
	})
}
