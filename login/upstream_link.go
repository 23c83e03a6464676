package login

import (
	"context"
	"slices"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// This file is how an account elsewhere comes on file, and what changes there when it is used. Its
// address there is noted and never acted on: whoever it belongs to is whoever the account is
// linked to.

// brings reports whether a proof is by the account that comes on file when nothing is owed.
func (a Attempt) brings(p identity.Proof) bool {
	return a.Upstream != nil && p.Method == a.Upstream.Account.Method && p.Credential == a.Upstream.Account.Credential()
}

// linked finds an account elsewhere on the person's file.
func (f Facts) linked(x identity.ExternalAccount) (identity.Factor, bool) {
	i := slices.IndexFunc(f.Factors, func(f identity.Factor) bool {
		return f.Method == x.Method && f.Credential == x.Credential()
	})
	if i < 0 {
		return identity.Factor{}, false
	}
	return f.Factors[i], true
}

// useLink notes on the linked account when it was used and what its provider said.
func (e *Engine) useLink(ctx context.Context, t *turn, x federation.Assertion) error {
	was, ok := t.f.linked(x.Account)
	if !ok {
		return nil // not linked yet, or not any more
	}
	before, err := was.External()
	if err != nil {
		return err
	}
	if kept := &x.Account.Tokens; kept.Access != "" && kept.Refresh == "" {
		kept.Refresh = before.Tokens.Refresh // most providers give it once
	}
	x.Account.Heard = x.Profile
	f, err := x.Factor()
	if err != nil {
		return err
	}
	f.ID, f.UserID, f.CreatedAt, f.LastUsedAt = was.ID, was.UserID, was.CreatedAt, t.now
	if err := e.saveLink(ctx, f); err != nil {
		return err
	}
	return e.complete(ctx, t, x.Profile, before.Heard)
}

// link puts the account of a provider on the person's file. Of two people who race for the same
// account the slower one is over with ErrTaken.
func (e *Engine) link(ctx context.Context, t *turn, fresh bool) error {
	if t.a.Upstream == nil {
		return nil
	}
	x := *t.a.Upstream
	if _, ok := t.f.linked(x.Account); ok {
		return e.useLink(ctx, t, x) // another window of theirs was faster
	}
	x.Account.Heard = x.Profile
	f, err := x.Factor()
	if err != nil {
		return err
	}
	f.ID, f.UserID, f.CreatedAt, f.LastUsedAt = identity.FactorID(secret.NewID("factor")), t.a.UserID, t.now, t.now
	err = e.saveLink(ctx, f)
	if problem.Is(err, problem.Conflict) {
		return over{"external_account_taken", ErrTaken.Because(err)}
	}
	if err != nil {
		return err
	}
	t.tell(event.AccountLinked, map[string]string{"connection": x.Connection(), "factor": string(f.ID)})
	if picture := x.Profile.Picture; e.Picture != nil && picture != "" && t.f.User.Profile.Picture == "" {
		if err := e.Picture(ctx, t.a.UserID, x.Connection(), picture); err != nil {
			return err
		}
	}
	if fresh {
		return nil
	}
	if err := e.complete(ctx, t, x.Profile, identity.Profile{}); err != nil {
		return err
	}
	if err := e.Distrust(ctx, t.a.UserID); err != nil {
		return err
	}
	return e.notify(ctx, t, Change{Kind: AccountLinked, Factor: f})
}

// saveLink puts a linked account on file, unless its connection was deleted a moment ago: then
// nobody comes in by it any more.
func (e *Engine) saveLink(ctx context.Context, f identity.Factor) error {
	err := e.People.SaveFactor(ctx, f)
	if problem.Is(err, problem.NotFound) {
		return ErrOver
	}
	return err
}

// complete fills in of the person's profile what a provider says for the first time.
func (e *Engine) complete(ctx context.Context, t *turn, said, heard identity.Profile) error {
	p := fill(t.f.User.Profile, said, heard)
	if p == t.f.User.Profile {
		return nil
	}
	u := t.f.User
	u.Profile, u.UpdatedAt = p, t.now
	if err := e.People.SaveUser(ctx, u); err != nil {
		return err
	}
	u.Version++
	t.f.User = u
	t.tell(event.UserUpdated, nil)
	return nil
}

// fill returns the profile with what is said put where it is empty, unless it was heard before: then
// the person has seen it, and cleared it. What relying parties could not read is left out, and so is
// the picture, which is drawn anew before anybody sees it.
func fill(mine, said, heard identity.Profile) identity.Profile {
	for _, field := range []func(*identity.Profile) *string{
		func(p *identity.Profile) *string { return &p.Name },
		func(p *identity.Profile) *string { return &p.GivenName },
		func(p *identity.Profile) *string { return &p.FamilyName },
		func(p *identity.Profile) *string { return &p.MiddleName },
		func(p *identity.Profile) *string { return &p.Nickname },
		func(p *identity.Profile) *string { return &p.PreferredUsername },
		func(p *identity.Profile) *string { return &p.Page },
		func(p *identity.Profile) *string { return &p.Website },
		func(p *identity.Profile) *string { return &p.Gender },
		func(p *identity.Profile) *string { return &p.Birthdate },
		func(p *identity.Profile) *string { return &p.Zoneinfo },
		func(p *identity.Profile) *string { return &p.Locale },
	} {
		if *field(&mine) != "" || *field(&said) == "" || *field(&heard) != "" {
			continue
		}
		filled := mine
		*field(&filled) = *field(&said)
		if filled.Check() == nil {
			mine = filled
		}
	}
	return mine
}
