package login

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

const longestName = 256 // characters

// ErrInvitation is what a person reads whose invitation is of no use any more.
var ErrInvitation = problem.New(problem.Gone, "invitation_spent", "This invitation was used or is too old. Please ask for a new one.")

// admit decides whether this attempt may sign up at all. An invitation binds it to the
// invited address, also where anybody may sign up.
func (e *Engine) admit(ctx context.Context, t *turn, invitation secret.String) error {
	if t.p.SignUp == Closed {
		return ErrClosed
	}
	if invitation.Empty() {
		if t.p.SignUp == Invited {
			return ErrUninvited
		}
		return nil
	}
	i, err := e.invited(ctx, invitation, t.now)
	if err != nil {
		return err
	}
	t.a.Draft.Invitation, t.a.Identifier = i.ID, i.Address
	return nil
}

// invited returns the invitation of a token, or a problem that says it is of no use any more.
func (e *Engine) invited(ctx context.Context, token secret.String, now time.Time) (Invitation, error) {
	i, err := e.Store.Invitation(ctx, secret.DigestOf(token.Reveal()))
	if problem.Is(err, problem.NotFound) || err == nil && (!i.UsedAt.IsZero() || !now.Before(i.ExpiresAt)) {
		return Invitation{}, ErrInvitation
	}
	return i, err
}

// Submit fills in sign-up fields; what is given replaces what was there. When nothing is
// missing any more, the code that confirms the address is sent at once. An address that
// somebody holds gets the same screen; its owner is told by mail. An address that the
// rules refuse is refused whether or not somebody holds it. While a bot check is due, address
// and name are noted and nothing else happens.
func (e *Engine) Submit(ctx context.Context, at At, f Fields) (View, error) {
	t, err := e.turn(ctx, at, submit)
	if err != nil {
		return e.view(t), err
	}
	before := *t
	if err := t.fill(f); err != nil {
		return e.view(&before), err
	}
	if err := e.learn(ctx, t); err != nil {
		return e.view(&before), err
	}
	if step := Next(t.a, t.f, t.p); step == NeedsHuman || step == NeedsConnection || t.a.Upstream != nil {
		return e.keep(ctx, t) // the password can wait, because it costs a hash, or none is wanted
	}
	if !f.Password.Empty() && t.p.Password {
		if err := e.fresh(ctx, t, f.Password); err != nil {
			return e.view(&before), err
		}
	}
	full := !t.a.Identifier.None() && (!t.p.Password || !f.Password.Empty() || !t.a.Draft.PasswordHash.Empty())
	if full && !t.a.Confirmed {
		err := e.send(ctx, t, identity.EmailCode)
		if errors.Is(err, errDoubtful) {
			return e.doubt(ctx, t)
		}
		if err != nil {
			return e.view(&before), err
		}
	}
	if !f.Password.Empty() && t.p.Password {
		// Also for an address that is held: it must take as long.
		t.a.Draft.PasswordHash, err = e.Hasher.Hash(ctx, f.Password)
		if err != nil {
			return e.view(&before), err
		}
	}
	return e.keep(ctx, t)
}

// welcome asks the rules about the address that a sign-up brings along: when it is typed,
// and again when it would come on file. An invitation is the operator's own word for it.
func (t *turn) welcome() error {
	if t.a.Identifier.None() || t.a.Draft.Invitation != "" {
		return nil
	}
	return t.p.Addresses.Check(t.a.Identifier)
}

// fill checks the fields and puts all but the password into the draft.
func (t *turn) fill(f Fields) error {
	if f.Email != "" {
		address, err := identity.ParseEmail(f.Email)
		if err != nil {
			return identity.ErrEmail.On("email")
		}
		if t.a.Draft.Invitation != "" && address != t.a.Identifier {
			return problem.New(problem.Invalid, "invitation_elsewhere", "This invitation is for another address.").On("email")
		}
		if t.a.Confirmed && address != t.a.Identifier {
			return problem.New(problem.Conflict, "address_confirmed", "You have confirmed another address already. To use this one, start again.").On("email")
		}
		if t.a.Upstream != nil && !t.a.Identifier.None() && address != t.a.Identifier { // one check is for one letter
			t.a.Human, t.a.Doubted = false, t.a.Doubted && !t.a.Human
		}
		t.a.Identifier = address
	}
	if err := t.welcome(); err != nil {
		return err
	}
	if !f.Password.Empty() && t.p.Password && t.a.Upstream == nil {
		if err := t.p.Rules.Check(f.Password, t.a.Identifier); err != nil {
			return err
		}
	}
	name := strings.TrimSpace(f.Name)
	if utf8.RuneCountInString(name) > longestName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return problem.New(problem.Invalid, "name_invalid", "Enter a shorter name, in plain letters.").On("name")
	}
	if name != "" {
		t.a.Draft.Name = name
	}
	if tag, err := language.Parse(f.Locale); f.Locale != "" && err == nil {
		t.a.Draft.Locale = tag.String()
	}
	return nil
}
