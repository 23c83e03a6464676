package login

import (
	"cmp"
	"context"
	"slices"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/session"
)

// This file is what people do about the accounts elsewhere that they sign in with. That they
// proved just now who they are is for the caller to make sure, as with second factors.

// ErrLeans says that disconnecting would leave the person with no address that is proven.
var ErrLeans = problem.New(problem.Conflict, "address_leans",
	"Nobody but that provider has confirmed your email address. Confirm it with a code first, then disconnect.")

// Linked is an account elsewhere that a person signs in with, as they see it.
type Linked struct {
	Factor     identity.FactorID
	Connection string
	Title      string // what people call the connection
	Preset     string
	Label      string // its address or its name there, as last heard
	Since      time.Time
	Used       time.Time // zero: never since it was connected
	Closed     bool      // nobody signs in by that connection at the moment
	// Leaning are the addresses that only its provider has confirmed: without it they are unverified.
	Leaning []identity.Identifier
}

// Linkages are the accounts elsewhere that a person signs in with, the oldest first, and by what
// they could connect another.
type Linkages struct {
	Accounts []Linked
	Add      []Option
}

// Linkages says which accounts elsewhere a person signs in with.
func (e *Engine) Linkages(p Person) Linkages {
	f, policy := factsOf(p), e.policy()
	var all Linkages
	for _, x := range p.Factors {
		if !x.Method.Federated() {
			continue
		}
		c, err := e.Federation.Connection(x.Method.Connection())
		one := Linked{
			Factor: x.ID, Connection: x.Method.Connection(), Title: cmp.Or(c.Shown(), x.Method.Connection()), Preset: c.Preset,
			Label: x.Name, Since: x.CreatedAt, Used: x.LastUsedAt, Closed: err != nil,
		}
		for _, h := range f.leaning(x) {
			one.Leaning = append(one.Leaning, h.Identifier)
		}
		all.Accounts = append(all.Accounts, one)
	}
	for _, m := range policy.federated(false) {
		if c, ok := policy.connection(m); ok && !f.has(m) {
			all.Add = append(all.Add, Option{Method: m, Connection: c.Name, Title: c.Shown(), Preset: c.Preset})
		}
	}
	return all
}

// Unlink takes an account elsewhere off the person's file: they cannot sign in by it any more.
// What only its provider had confirmed is confirmed no longer, and sessions elsewhere that began
// with it are over; this one goes on. It is ErrLastWay if nothing else lets them in, ErrLeans
// if no address of theirs would be left that is proven, and ErrFactor if it is not theirs.
func (e *Engine) Unlink(ctx context.Context, s session.Session, at At, id identity.FactorID) error {
	return e.alter(ctx, s, at, func(ctx context.Context, t *turn) error {
		x, err := t.linked(id)
		if err != nil {
			return err
		}
		if err := e.unlink(ctx, t, x, s.ID); err != nil {
			return err
		}
		return e.notify(ctx, t, Change{Kind: AccountUnlinked, Factor: x})
	})
}

// unlink does it, in the turn's transaction, and tells the person nothing yet. The session keep goes on.
func (e *Engine) unlink(ctx context.Context, t *turn, x identity.Factor, keep session.ID) error {
	if err := t.spares(x, t.f.without(x)); err != nil {
		return err
	}
	return e.drop(ctx, t, x, keep)
}

// drop is unlink without asking whether the person can do without it.
func (e *Engine) drop(ctx context.Context, t *turn, x identity.Factor, keep session.ID) error {
	leaning, left := t.f.leaning(x), t.f.without(x)
	if err := e.People.DropFactor(ctx, x.UserID, x.ID); err != nil {
		return err
	}
	if err := e.unprove(ctx, t, leaning, left.Holdings); err != nil {
		return err
	}
	t.tell(event.AccountUnlinked, map[string]string{"connection": x.Method.Connection(), "factor": string(x.ID)})
	if err := e.Distrust(ctx, x.UserID); err != nil {
		return err
	}
	return e.endBegun(ctx, t, x, keep)
}

// spares says why a person cannot do without an account elsewhere, if they cannot.
func (t *turn) spares(x identity.Factor, left Facts) error {
	held := left
	held.Holdings = t.f.Holdings
	switch {
	case !held.entered(t.p):
		return ErrLastWay
	case left.mailbox().None() && !t.f.mailbox().None():
		return ErrLeans
	case !left.entered(t.p):
		return ErrLastWay
	}
	return nil
}

// unprove notes that addresses are not proven any more, and gives the rank of one that was the
// main one to another. All is what the person holds, as it will be.
func (e *Engine) unprove(ctx context.Context, t *turn, leaning, all []identity.Holding) error {
	if len(leaning) == 0 {
		return nil
	}
	u := t.f.User
	u.UpdatedAt = t.now // apps are told so
	if err := e.People.SaveUser(ctx, u); err != nil {
		return err
	}
	for _, h := range leaning {
		h.VerifiedAt, h.VerifiedBy = time.Time{}, ""
		if err := e.People.SaveHolding(ctx, h); err != nil {
			return err
		}
	}
	return e.rank(ctx, all)
}

// endBegun ends the person's sessions that began with an account elsewhere, all but keep: whoever
// disconnects it may do so because it is somebody else's by now.
func (e *Engine) endBegun(ctx context.Context, t *turn, x identity.Factor, keep session.ID) error {
	all, err := e.Sessions.OfUser(ctx, x.UserID)
	if err != nil {
		return err
	}
	for _, s := range all {
		begun := slices.ContainsFunc(s.Proofs, func(p identity.Proof) bool { return p.Method == x.Method && p.Credential == x.Credential })
		if s.ID == keep || !begun {
			continue
		}
		ended, err := e.Sessions.End(ctx, s.ID, t.now)
		if err != nil {
			return err
		}
		if ended {
			t.said = append(t.said, event.Event{
				Kind: event.SessionEnded, Actor: string(t.a.UserID), User: string(x.UserID), Session: string(s.ID), Network: t.at.Network,
			})
		}
	}
	return nil
}

// linked returns one of the person's accounts elsewhere.
func (t *turn) linked(id identity.FactorID) (identity.Factor, error) {
	i := slices.IndexFunc(t.f.Factors, func(x identity.Factor) bool { return x.ID == id && x.Method.Federated() })
	if i < 0 {
		return identity.Factor{}, ErrFactor
	}
	return t.f.Factors[i], nil
}

// leaning returns the addresses that nobody but the provider of that account has confirmed. Where
// the person has two accounts by one connection, an address leans on the one that it is the address of.
func (f Facts) leaning(x identity.Factor) (all []identity.Holding) {
	for _, h := range f.Holdings {
		other := slices.ContainsFunc(f.Factors, func(y identity.Factor) bool {
			return y.ID != x.ID && y.Method == x.Method && y.Name == h.Identifier.Value
		})
		if h.Verified() && h.VerifiedBy == x.Method && !other {
			all = append(all, h)
		}
	}
	return all
}

// without is what is on file once an account elsewhere is gone.
func (f Facts) without(x identity.Factor) Facts {
	leaning := f.leaning(x)
	left := f
	left.Factors = slices.DeleteFunc(slices.Clone(f.Factors), func(y identity.Factor) bool { return y.ID == x.ID })
	left.Holdings = slices.Clone(f.Holdings)
	for i, h := range left.Holdings {
		if slices.ContainsFunc(leaning, func(l identity.Holding) bool { return l.ID == h.ID }) {
			left.Holdings[i].VerifiedAt, left.Holdings[i].VerifiedBy = time.Time{}, ""
		}
	}
	return left
}

// title is what people call the connection of a federated method, "" for any other.
func (e *Engine) title(m identity.Method) string {
	if !m.Federated() {
		return ""
	}
	c, _ := e.Federation.Connection(m.Connection()) // a disabled one has its title still
	return cmp.Or(c.Shown(), m.Connection())
}
