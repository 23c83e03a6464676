package login

import (
	"context"
	"errors"

	"idp/identity"
	"idp/internal/secret"
)

// Forgot says that the password is lost and sends a code that stands in for it. What
// else the person has is still asked for, before the new password and not after.
func (e *Engine) Forgot(ctx context.Context, at At) (View, error) {
	t, err := e.turn(ctx, at, forgot)
	if err != nil {
		return e.view(t), err
	}
	before := *t
	t.a.Reset = true
	if e.suspect(t); Next(t.a, t.f, t.p) == NeedsHuman {
		return e.keep(ctx, t)
	}
	err = e.send(ctx, t, identity.ResetCode)
	if errors.Is(err, errDoubtful) {
		return e.doubt(ctx, t)
	}
	if err != nil {
		return e.view(&before), err
	}
	return e.keep(ctx, t)
}

// SetPassword chooses the new password of a reset, or in place of a breached one. It is written, and other sessions
// end, in the commit that completes the attempt.
func (e *Engine) SetPassword(ctx context.Context, at At, password secret.String) (View, error) {
	t, err := e.turn(ctx, at, setPassword)
	if err != nil {
		return e.view(t), err
	}
	if err := t.p.Rules.Check(password, t.a.Identifier); err != nil {
		return e.view(t), err
	}
	before := *t
	if err := e.another(ctx, t, password); err != nil {
		return e.view(&before), err
	}
	if err := e.fresh(ctx, t, password); err != nil {
		return e.view(&before), err
	}
	t.a.Draft.PasswordHash, err = e.Hasher.Hash(ctx, password)
	if err != nil {
		return e.view(&before), err
	}
	return e.keep(ctx, t)
}
