package account

import (
	"context"
	"slices"
	"strings"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
)

// Another address comes on file through the engine only, by an attempt with the goal
// extend: it has to answer first. Here the ones on file change rank, or leave.

// The problems of addresses and phone numbers.
var (
	errNoIdentifier = problem.New(problem.NotFound, "identifier_unknown", "That is not on your account.")
	errUnverified   = problem.New(problem.Conflict, "identifier_unverified", "Verify it first. Then you can make it the main one.")
	errLastAddress  = problem.New(problem.Conflict, "identifier_last", "This is the only address we can reach you at. Add another one first.")
	errNumberInUse  = problem.New(problem.Conflict, "identifier_in_use", "Your sign-in codes go to that number. Turn them off under Security first, then remove the number.")
	errRank         = problem.New(problem.Invalid, "primary_only", "One address takes the rank of another by becoming primary itself.").On("primary")
)

// extension is the beginning of an attempt that has an address or number answer, and then
// puts it on file. Kind is what the person was asked for, "" for either. What is typed is
// judged by the engine.
func (a *Self) extension(by By, typed string, kind identity.Kind) (login.Beginning, error) {
	typed = strings.TrimSpace(typed)
	number := strings.HasPrefix(typed, "+")
	switch {
	case kind == identity.Phone && !number:
		return login.Beginning{}, identity.ErrPhone
	case kind == identity.Email && number:
		return login.Beginning{}, identity.ErrEmail
	}
	return login.Beginning{Goal: login.Extend, Session: by.Session.ID, Address: typed}, nil
}

// MakePrimary makes a verified address, or number, the main one of its kind. The person is told
// at all addresses that were theirs before.
func (a *Self) MakePrimary(ctx context.Context, by By, id identity.HoldingID) error {
	return a.InTx(ctx, func(ctx context.Context) error {
		p, h, err := a.holding(ctx, by, id)
		switch {
		case err != nil || h.Primary:
			return err
		case !h.Verified():
			return errUnverified
		}
		h.Primary = true
		if err := a.People.SaveHolding(ctx, h); err != nil {
			return err
		}
		return a.told(ctx, by, p, login.Change{Kind: login.AddressPrimary, Address: h.Identifier}, event.AddressPrimary)
	})
}

// RemoveIdentifier takes an address or number off the person's file. The last address that
// they can be reached at stays, and so does a number that sign-in codes go to.
func (a *Self) RemoveIdentifier(ctx context.Context, by By, id identity.HoldingID) error {
	return a.InTx(ctx, func(ctx context.Context) error {
		p, h, err := a.holding(ctx, by, id)
		if err != nil {
			return err
		}
		if err := removable(p, h); err != nil {
			return err
		}
		if err := a.Store.DropHolding(ctx, p.User.ID, id); err != nil {
			return err
		}
		if h.Primary {
			if err := a.promote(ctx, p, h); err != nil {
				return err
			}
		}
		return a.told(ctx, by, p, login.Change{Kind: login.AddressRemoved, Address: h.Identifier}, event.AddressRemoved)
	})
}

// holding loads the person, locked, and one of their addresses. Somebody else's is not there.
func (a *Self) holding(ctx context.Context, by By, id identity.HoldingID) (login.Person, identity.Holding, error) {
	p, err := a.person(ctx, by)
	if err != nil {
		return p, identity.Holding{}, err
	}
	i := slices.IndexFunc(p.Holdings, func(h identity.Holding) bool { return h.ID == id })
	if i < 0 {
		return p, identity.Holding{}, errNoIdentifier
	}
	return p, p.Holdings[i], nil
}

// removable says why an address has to stay, if it has.
func removable(p login.Person, h identity.Holding) error {
	if h.Identifier.Kind == identity.Phone {
		if receives(p, h) {
			return errNumberInUse
		}
		return nil
	}
	if !slices.ContainsFunc(p.Holdings, func(x identity.Holding) bool {
		return x.ID != h.ID && x.Identifier.Kind == identity.Email && x.Verified()
	}) {
		return errLastAddress
	}
	return nil
}

// receives reports whether sign-in codes go to that number.
func receives(p login.Person, h identity.Holding) bool {
	return h.Identifier.Kind == identity.Phone && slices.ContainsFunc(p.Factors, func(f identity.Factor) bool {
		return f.Method == identity.PhoneCode && f.Secret.Reveal() == h.Identifier.Value
	})
}

// promote makes the oldest verified one the main one in place of one that left.
func (a *Self) promote(ctx context.Context, p login.Person, gone identity.Holding) error {
	for _, h := range p.Holdings { // oldest first
		if h.ID != gone.ID && h.Identifier.Kind == gone.Identifier.Kind && h.Verified() {
			h.Primary = true
			return a.People.SaveHolding(ctx, h)
		}
	}
	return nil
}

// told notes a change of addresses where apps and the person will see it.
func (a *Self) told(ctx context.Context, by By, before login.Person, c login.Change, k event.Kind) error {
	u := before.User
	u.UpdatedAt = a.Now()
	if err := a.People.SaveUser(ctx, u); err != nil {
		return err
	}
	c.Before, c.At = before, by.At
	if err := a.Engine.Notify(ctx, c); err != nil {
		return err
	}
	return a.tell(ctx, by, k, map[string]string{"kind": string(c.Address.Kind)})
}
