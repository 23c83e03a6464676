package login

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/go-webauthn/webauthn/webauthn"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// discovers reports whether any passkey will do: it names its person. Within a session, and
// as a second step, it has to be one of the person's own.
func (t *turn) discovers(m identity.Method) bool {
	step := Next(t.a, t.f, t.p)
	return m == identity.Passkey && !t.a.Goal.within() && (step == NeedsIdentifier || step == NeedsFirstFactor)
}

// prepareKey asks the browser for a passkey or security key. Before anybody is known the
// request says nothing about who has one: it lists none.
func (e *Engine) prepareKey(ctx context.Context, t *turn, m identity.Method) (View, error) {
	var who *holder
	if !t.discovers(m) {
		own, err := holderOf(t.person(), func(f identity.Factor) bool { return f.Method == m })
		if err != nil {
			return e.view(t), err
		}
		if len(own.keys) == 0 {
			return e.view(t), ErrMethod
		}
		who = &own
	}
	options, session, err := e.WebAuthn.request(m, who)
	if err != nil {
		return e.view(t), err
	}
	t.challenge(m, session)
	t.options = options
	return e.keep(ctx, t)
}

// proveKey checks a browser's answer. A passkey of somebody else than was typed signs its own
// person in; a lock by wrong passwords does not concern it.
func (e *Engine) proveKey(ctx context.Context, t *turn, m identity.Method, answer secret.String) (View, error) {
	discovers := t.discovers(m)
	c, err := t.consume(m)
	if err != nil {
		return e.refuseKey(ctx, t, m, err)
	}
	a, err := e.WebAuthn.read(c, []byte(answer.Reveal()))
	if err != nil {
		return e.refuseKey(ctx, t, m, err)
	}
	p, f, err := e.keyholder(ctx, t, m, a, discovers)
	if err != nil {
		return e.refuseKey(ctx, t, m, err)
	}
	who, err := holderOf(p, func(x identity.Factor) bool { return x.Method == m })
	if err != nil {
		return e.view(t), err
	}
	if discovers != (len(c.Session.UserID) == 0) || len(a.Handle) > 0 && !bytes.Equal(a.Handle, who.handle) {
		return e.refuseKey(ctx, t, m, ErrKeyRefused) // the step moved on since it was asked, or it is another person's
	}
	used, err := e.WebAuthn.asserted(c, who, a)
	if err != nil {
		return e.refuseKey(ctx, t, m, err)
	}
	if used.Authenticator.CloneWarning {
		return e.cloned(ctx, t, p, f)
	}
	if p.User.ID != t.a.UserID {
		t.f = Facts{}
		t.know(p)
		t.a.Identifier, t.a.Challenges = t.f.mailbox(), nil
	}
	t.a.Proofs = append(slices.Clone(t.a.Proofs), identity.Proof{Method: m, Category: m.Category(), Credential: string(f.ID), At: t.now})
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error { return e.useKey(ctx, t, f, used) })
}

// keyholder returns whose credential answered, and the factor it is.
func (e *Engine) keyholder(ctx context.Context, t *turn, m identity.Method, a answered, discovers bool) (Person, identity.Factor, error) {
	p := t.person()
	if discovers {
		var err error
		p, err = e.People.ByCredential(ctx, a.Credential)
		if problem.Is(err, problem.NotFound) {
			return p, identity.Factor{}, ErrKeyUnknown
		}
		if err != nil {
			return p, identity.Factor{}, err
		}
	}
	i := slices.IndexFunc(p.Factors, func(f identity.Factor) bool { return f.Method == m && f.Credential == a.Credential })
	if i < 0 {
		return p, identity.Factor{}, ErrKeyForeign
	}
	return p, p.Factors[i], nil
}

// useKey moves the counter on, if it still is where it was when the answer was checked.
func (e *Engine) useKey(ctx context.Context, t *turn, f identity.Factor, used *webauthn.Credential) error {
	i := slices.IndexFunc(t.f.Factors, func(x identity.Factor) bool { return x.ID == f.ID && x.Credential == f.Credential })
	if i < 0 {
		return problem.New(problem.Conflict, "key_removed", "That was removed a moment ago.")
	}
	k, err := keyOf(f)
	if err != nil {
		return err
	}
	if k.Synced != used.Flags.BackupState {
		k.Synced = used.Flags.BackupState
		now := t.f.Factors[i]
		if now.Secret, err = k.seal(); err != nil {
			return err
		}
		if err := e.People.SaveFactor(ctx, now); err != nil {
			return err
		}
	}
	return e.People.UseFactor(ctx, f.ID, f.Counter, int64(used.Authenticator.SignCount), t.now)
}

// refuseKey saves that the challenge is used up, and why nobody was let in.
func (e *Engine) refuseKey(ctx context.Context, t *turn, m identity.Method, why error) (View, error) {
	var known *problem.Error
	if !errors.As(why, &known) {
		return e.view(t), why
	}
	t.tell(event.SignInFailed, map[string]string{"method": string(m)})
	return e.wasted(ctx, t, why)
}

// cloned refuses a credential whose counter stands still or went back: somebody may have a
// copy of it (WebAuthn §6.1.1).
func (e *Engine) cloned(ctx context.Context, t *turn, p Person, f identity.Factor) (View, error) {
	t.said = append(t.said, event.Event{
		Kind: event.PasskeyCloned, User: string(p.User.ID), Client: t.ask.Party.ID, Network: t.at.Network,
		Detail: map[string]string{"method": string(f.Method), "factor": string(f.ID)},
	})
	return e.wasted(ctx, t, ErrKeyCloned, func(ctx context.Context, t *turn) error {
		return e.Notify(ctx, Change{Kind: FactorCloned, Before: p, Factor: f, At: t.at})
	})
}
