package login

import (
	"context"
	"slices"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
)

// This file is what people do about the second factors they have on file. That they proved
// just now who they are is for the caller to make sure.

// The problems of factors on file.
var (
	ErrFactor       = problem.New(problem.NotFound, "factor_unknown", "There is no such way of signing in on your account.")
	ErrLastSecond   = problem.New(problem.Conflict, "factor_last", "Here everybody needs two-step verification, and this is all you have for it. Set up something else first, then remove this.")
	ErrLastWay      = problem.New(problem.Conflict, "factor_needed", "This is your only way to sign in. Set up another one first, then remove this.")
	ErrNoSecond     = problem.New(problem.Conflict, "second_factor_needed", "Backup codes stand in for a second step. Set one up first.")
	ErrBackupOff    = problem.New(problem.NotFound, "backup_codes_off", "There are no backup codes here.")
	ErrNameRequired = problem.New(problem.Invalid, "name_missing", "Give it a name.").On("name")
)

// Keeping is what somebody can prove themselves with in a second step, as they see it.
type Keeping struct {
	Factors []identity.Factor // passkeys, security keys, app, phone; the oldest first
	Left    int               // backup codes that are not spent
	Backup  bool              // there may be backup codes
	Add     []identity.Method // what may be set up
	TwoStep bool              // a second step is asked for at sign-in
	Must    bool              // the operator wants everybody to have one
}

// Keeping says what a person has on file for a second step, and what they may add.
func (e *Engine) Keeping(p Person) Keeping {
	f, policy := factsOf(p), e.policy()
	k := Keeping{
		Add: enrollable(Attempt{Goal: Enroll}, f, policy), TwoStep: f.hasSecond(policy), Must: policy.TwoStep == Required,
		Backup: policy.BackupCodes && f.hasSecond(policy),
	}
	for _, x := range p.Factors {
		switch {
		case isSecond(x):
			k.Factors = append(k.Factors, x)
		case x.Method == identity.BackupCode && !x.Spent():
			k.Left++
		}
	}
	return k
}

// RenameFactor gives one of the person's second factors another name.
func (e *Engine) RenameFactor(ctx context.Context, s session.Session, at At, id identity.FactorID, name string) error {
	return e.alter(ctx, s, at, func(ctx context.Context, t *turn) error {
		f, err := t.second(id)
		if err != nil {
			return err
		}
		if f.Name = factorName(name); f.Name == "" {
			return ErrNameRequired
		}
		return e.People.SaveFactor(ctx, f)
	})
}

// RemoveFactor takes one of the person's second factors off their file. It is ErrLastSecond
// where two steps are demanded and it is the last one, ErrLastWay if nothing is left to sign
// in with, and ErrFactor if it is not theirs. With the last one the backup codes go, too.
func (e *Engine) RemoveFactor(ctx context.Context, s session.Session, at At, id identity.FactorID) error {
	return e.alter(ctx, s, at, func(ctx context.Context, t *turn) error {
		f, err := t.second(id)
		if err != nil {
			return err
		}
		left := t.f
		left.Factors = slices.DeleteFunc(slices.Clone(t.f.Factors), func(x identity.Factor) bool { return x.ID == id })
		switch {
		case t.p.TwoStep == Required && t.f.hasSecond(t.p) && !left.hasSecond(t.p):
			return ErrLastSecond
		case !left.entered(t.p):
			return ErrLastWay
		}
		gone := []identity.Factor{f}
		if !slices.ContainsFunc(left.Factors, isSecond) {
			gone = append(gone, left.backups()...)
		}
		for _, x := range gone {
			if err := e.People.DropFactor(ctx, x.UserID, x.ID); err != nil {
				return err
			}
		}
		t.tell(event.FactorRemoved, map[string]string{"method": string(f.Method), "factor": string(f.ID)})
		if err := e.Distrust(ctx, t.a.UserID); err != nil {
			return err
		}
		return e.notify(ctx, t, Change{Kind: FactorRemoved, Factor: f})
	})
}

// RenewBackupCodes voids the person's backup codes and returns ten fresh ones, this once.
func (e *Engine) RenewBackupCodes(ctx context.Context, s session.Session, at At) (fresh []secret.String, err error) {
	err = e.alter(ctx, s, at, func(ctx context.Context, t *turn) error {
		switch {
		case !t.p.BackupCodes:
			return ErrBackupOff
		case !t.f.hasSecond(t.p):
			return ErrNoSecond
		}
		if fresh, err = e.renewBackup(ctx, t); err != nil {
			return err
		}
		return e.notify(ctx, t, Change{Kind: BackupCodesRenewed})
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

// alter changes what somebody who is signed in has on file, with its events and notices, in
// one transaction. The session must still stand.
func (e *Engine) alter(ctx context.Context, s session.Session, at At, do func(ctx context.Context, t *turn) error) error {
	return e.InTx(ctx, func(ctx context.Context) error {
		t := &turn{at: at, now: e.Now(), p: e.policy(), a: Attempt{UserID: s.User, SessionID: s.ID, Proofs: s.Proofs}}
		p, err := e.People.Person(ctx, s.User)
		if err != nil {
			return err
		}
		t.know(p)
		now, err := e.Sessions.Session(ctx, s.ID)
		if err != nil {
			return err
		}
		if now.User != s.User || !now.Alive(t.now) {
			return session.ErrNobody
		}
		if err := do(ctx, t); err != nil {
			return err
		}
		return e.announce(ctx, t)
	})
}

// second returns one of the person's second factors; backup codes are no factor to name.
func (t *turn) second(id identity.FactorID) (identity.Factor, error) {
	i := slices.IndexFunc(t.f.Factors, func(x identity.Factor) bool { return x.ID == id && isSecond(x) })
	if i < 0 {
		return identity.Factor{}, ErrFactor
	}
	return t.f.Factors[i], nil
}

// isSecond reports whether the factor is one that turns two-step verification on, whatever
// the operator allows at the moment.
func isSecond(x identity.Factor) bool { return slices.Contains(Seconds(), x.Method) }

func (f Facts) backups() []identity.Factor {
	return slices.DeleteFunc(slices.Clone(f.Factors), func(x identity.Factor) bool { return x.Method != identity.BackupCode })
}

// entered reports whether there is a first factor left, be it by way of a reset.
func (f Facts) entered(p Policy) bool {
	mail := !f.mailbox().None() && (p.Password || p.byMail())
	elsewhere := slices.ContainsFunc(f.Factors, func(x identity.Factor) bool { return x.Method.Federated() && p.allows(x.Method) })
	named := slices.ContainsFunc(f.Holdings, identity.Holding.Assigned) // a password is of somebody who can be named
	return mail || elsewhere || p.Password && named && f.has(identity.Password) || p.Passkeys && f.has(identity.Passkey)
}

func factsOf(p Person) Facts {
	return Facts{Known: true, User: p.User, Holdings: p.Holdings, Factors: p.Factors}
}
