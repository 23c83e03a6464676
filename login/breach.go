package login

import (
	"context"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Breaches knows the passwords that were seen in breaches elsewhere. An error says that
// nobody could be asked. breach.List is one.
type Breaches interface {
	Breached(ctx context.Context, password secret.String) (bool, error)
}

// The problems of breached passwords.
var (
	ErrBreached = problem.New(problem.Invalid, "password_breached", "That password is known from a data breach elsewhere, so others will try it. Please choose a different one.").On("password")
	errReplaced = problem.New(problem.Conflict, "password_changed", "The password was changed meanwhile. Please sign in again, with the new one.")
)

// Fresh is nil for a password that may be chosen as far as is known, and ErrBreached for one
// that is on the list. Nobody is held up because the list cannot be asked; then unchecked is
// true, and an event is to say so.
func Fresh(ctx context.Context, b Breaches, password secret.String) (unchecked bool, err error) {
	if b == nil {
		return false, nil
	}
	switch known, err := b.Breached(ctx, password); {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		return true, nil
	case known:
		return false, ErrBreached
	}
	return false, nil
}

// fresh is Fresh for a password that this attempt would set.
func (e *Engine) fresh(ctx context.Context, t *turn, password secret.String) error {
	unchecked, err := Fresh(ctx, e.Breaches, password)
	if unchecked {
		t.tell(event.PasswordUnchecked, nil)
	}
	return err
}

// exposed reports whether a password that was just found right is on the list. It is asked
// about after that and for nobody else, so that the time it takes tells a stranger nothing.
func (e *Engine) exposed(ctx context.Context, password secret.String) bool {
	if e.Breaches == nil {
		return false
	}
	known, err := e.Breaches.Breached(ctx, password)
	return err == nil && known
}

// stands reports whether the breached password that this attempt proved is still the
// person's: whoever knew an old one has no say about the new one.
func (t *turn) stands() bool {
	on, ok := t.f.factor(identity.Password)
	return ok && secret.DigestOf(on.Secret.Reveal()) == t.a.Breached
}

// another refuses the breached password in place of itself, also while the list cannot be asked.
func (e *Engine) another(ctx context.Context, t *turn, password secret.String) error {
	if t.a.Breached == "" {
		return nil
	}
	on, ok := t.f.factor(identity.Password)
	if !ok || !t.stands() {
		return errReplaced
	}
	same, _, err := e.Hasher.Verify(ctx, password, on.Secret)
	if err == nil && same {
		err = ErrBreached
	}
	return err
}
