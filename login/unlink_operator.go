package login

import (
	"context"
	"slices"
	"strings"

	"idp/identity"
	"idp/internal/problem"
)

// The problems of an operator who disconnects somebody's account.
var (
	ErrOnlyWay = problem.New(problem.Conflict, "external_account_needed",
		"Without it that person has no other way to sign in, or no address that is proven. Insist if you mean it.")
	ErrNotLinked = problem.New(problem.NotFound, "external_account_unknown", "No such account elsewhere is connected to that person's account.")
)

// Disconnect takes an account elsewhere off a person's file, at an operator's word: which is its id,
// or the name of its connection where they have one by it. All that Unlink does is done, but every
// session that began with it ends. It is ErrOnlyWay where the person could not do it, unless forced.
func (e *Engine) Disconnect(ctx context.Context, u identity.UserID, which string, force bool, by string) error {
	return e.InTx(ctx, func(ctx context.Context) error {
		p, err := e.People.Person(ctx, u)
		if err != nil {
			return err
		}
		t := &turn{now: e.Now(), p: e.policy(), a: Attempt{UserID: u}}
		t.know(p)
		x, err := Account(p, which)
		if err != nil {
			return err
		}
		if t.spares(x, t.f.without(x)) != nil && !force {
			return ErrOnlyWay
		}
		if err := e.drop(ctx, t, x, ""); err != nil {
			return err
		}
		if err := e.notify(ctx, t, Change{Kind: AccountUnlinked, Factor: x}); err != nil {
			return err
		}
		for i := range t.said {
			t.said[i].Actor = by
		}
		return e.announce(ctx, t)
	})
}

// Account returns the account elsewhere with that id or by that connection: ErrNotLinked if
// there is none, and a problem that names them if there are several.
func Account(p Person, which string) (identity.Factor, error) {
	var ids []string
	var found identity.Factor
	for _, x := range p.Factors {
		if x.Method.Federated() && (string(x.ID) == which || x.Method.Connection() == which) {
			found, ids = x, append(ids, string(x.ID))
		}
	}
	switch len(ids) {
	case 0:
		return found, ErrNotLinked
	case 1:
		return found, nil
	}
	slices.Sort(ids)
	return identity.Factor{}, problem.New(problem.Conflict, "external_account_several",
		"That person has several accounts by this connection. Name one of them: "+strings.Join(ids, ", ")+".")
}
