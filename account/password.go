package account

import (
	"context"
	"slices"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

// ErrPasswordsOff says that the operator switched passwords off.
var ErrPasswordsOff = problem.New(problem.NotFound, "passwords_off", "Nobody signs in with a password here.")

var (
	errNoPassword    = problem.New(problem.NotFound, "password_unknown", "There is no password on your account.")
	errOnlyPassword  = problem.New(problem.Conflict, "password_needed", "The password is your only way to sign in. Add a passkey first.")
	passwordBySelf   = map[string]string{"by": "self"}
	passwordMethodIs = map[string]string{"method": string(identity.Password)}
)

// ChangePassword gives the person a password, in place of the one there was if there was
// one. Others says that everything else that is signed in, or was let in, is over.
func (a *Self) ChangePassword(ctx context.Context, by By, password secret.String, others bool) error {
	set := a.Engine.Settings()
	if !set.Password {
		return ErrPasswordsOff
	}
	if password.Empty() {
		return login.ErrPasswordEmpty
	}
	if err := set.Rules.Check(password, mainAddress(by.Who)); err != nil {
		return err
	}
	unchecked, err := login.Fresh(ctx, a.Engine.Breaches, password)
	if err != nil {
		return err
	}
	hash, err := a.Engine.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	return a.InTx(ctx, func(ctx context.Context) error {
		p, err := a.person(ctx, by)
		if err != nil {
			return err
		}
		f, had := passwordOf(p)
		if !had {
			f = identity.Factor{ID: identity.FactorID(secret.NewID("factor")), UserID: p.User.ID, Method: identity.Password}
		}
		f.Secret, f.CreatedAt = hash, a.Now()
		if err := a.People.SaveFactor(ctx, f); err != nil {
			return err
		}
		if err := a.tell(ctx, by, event.PasswordChanged, passwordBySelf); err != nil {
			return err
		}
		if unchecked {
			if err := a.tell(ctx, by, event.PasswordUnchecked, nil); err != nil {
				return err
			}
		}
		if others {
			if err := a.endOthers(ctx, by); err != nil {
				return err
			}
		}
		if err := a.Engine.Distrust(ctx, p.User.ID); err != nil {
			return err
		}
		return a.Engine.Notify(ctx, login.Change{Kind: login.PasswordReplaced, Before: p, Factor: f, At: by.At})
	})
}

// RemovePassword takes the password off the file of somebody who has another way to sign in.
func (a *Self) RemovePassword(ctx context.Context, by By) error {
	return a.InTx(ctx, func(ctx context.Context) error {
		p, err := a.person(ctx, by)
		if err != nil {
			return err
		}
		f, had := passwordOf(p)
		switch {
		case !had:
			return errNoPassword
		case !a.spare(p):
			return errOnlyPassword
		}
		if err := a.People.DropFactor(ctx, p.User.ID, f.ID); err != nil {
			return err
		}
		if err := a.tell(ctx, by, event.FactorRemoved, passwordMethodIs); err != nil {
			return err
		}
		if err := a.Engine.Distrust(ctx, p.User.ID); err != nil {
			return err
		}
		return a.Engine.Notify(ctx, login.Change{Kind: login.FactorRemoved, Before: p, Factor: f, At: by.At})
	})
}

// spare reports whether somebody could do without the password: they have a passkey or an account elsewhere, or a
// code can be mailed to them, and the operator lets people sign in so.
func (a *Self) spare(p login.Person) bool {
	set := a.Engine.Settings()
	if set.EmailCode || set.EmailLink {
		return slices.ContainsFunc(p.Holdings, func(h identity.Holding) bool { return h.Identifier.Kind == identity.Email && h.Verified() })
	}
	if slices.ContainsFunc(a.Engine.Linkages(p).Accounts, func(l login.Linked) bool { return !l.Closed }) {
		return true
	}
	return set.Passkeys && slices.ContainsFunc(p.Factors, func(f identity.Factor) bool { return f.Method == identity.Passkey })
}

// endOthers ends all of the person's sessions but this one, and what apps were given.
func (a *Self) endOthers(ctx context.Context, by By) error {
	if err := a.Sessions.EndOthers(ctx, by.Session.User, by.Session.ID, string(by.Session.User)); err != nil {
		return err
	}
	if a.Engine.Revoke == nil {
		return nil
	}
	return a.Engine.Revoke(ctx, by.Session.User)
}

func passwordOf(p login.Person) (identity.Factor, bool) {
	i := slices.IndexFunc(p.Factors, func(f identity.Factor) bool { return f.Method == identity.Password })
	if i < 0 {
		return identity.Factor{}, false
	}
	return p.Factors[i], true
}

// mainAddress is the person's email address as others would guess it.
func mainAddress(p login.Person) identity.Identifier {
	_, address := p.Shown()
	return identity.Identifier{Kind: identity.Email, Value: address}
}
