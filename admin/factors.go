package admin

import (
	"context"
	"fmt"
	"strings"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
)

// Helper is what sign-in does for somebody who cannot get in. login.Engine is one.
type Helper interface {
	Unlock(ctx context.Context, u identity.UserID, by string) error
	Notify(ctx context.Context, c login.Change) error
	Disconnect(ctx context.Context, u identity.UserID, which string, force bool, by string) error
	Claim(ctx context.Context, address identity.Identifier, owner identity.UserID, by string) error
}

// ErrNoFactors says that there is nothing to reset.
var ErrNoFactors = problem.New(problem.Conflict, "factors_none", "There is no passkey and no second factor on that person's file.")

// ResetFactors helps somebody who lost every second factor: passkeys, second factors and backup codes
// are gone, the password and accounts elsewhere stay. Nothing that was proven with them goes on: sessions end, what apps
// hold ends, no browser is trusted. The person is told. At the next sign-in they are asked for one step, and
// set up another factor where the policy wants one.
func (u *Users) ResetFactors(ctx context.Context, id identity.UserID, actor string) error {
	now := u.Now()
	return u.InTx(ctx, func(ctx context.Context) error {
		p, err := u.People.Person(ctx, id)
		if err != nil {
			return err
		}
		var gone []string
		for _, f := range p.Factors {
			if f.Method == identity.Password || f.Method.Federated() { // how they come in, not their second step
				continue
			}
			if err := u.People.DropFactor(ctx, id, f.ID); err != nil {
				return fmt.Errorf("drop a factor: %w", err)
			}
			gone = append(gone, string(f.Method))
		}
		if len(gone) == 0 {
			return ErrNoFactors
		}
		if u.Trust != nil {
			if _, err := login.DropTrusted(ctx, u.Trust, u.Events, id, login.Which{}, actor); err != nil {
				return err
			}
		}
		if err := u.endAll(ctx, id, actor, now); err != nil {
			return err
		}
		if err := u.Events.Record(ctx, event.Event{
			Kind: event.FactorsReset, Actor: actor, User: string(id), Detail: map[string]string{"methods": strings.Join(gone, " ")},
		}); err != nil {
			return err
		}
		return u.Help.Notify(ctx, login.Change{Kind: login.FactorsReset, Before: p})
	})
}

// Unlink takes an account elsewhere off a person's file: by its id, or by its connection where
// they have one by it. The person is told, and sessions that began with it end. It is
// login.ErrOnlyWay where they could not come in without it, unless forced.
func (u *Users) Unlink(ctx context.Context, id identity.UserID, which string, force bool, actor string) error {
	return u.Help.Disconnect(ctx, id, which, force, actor)
}

// Unlock lets a person try again whom wrong answers locked out.
func (u *Users) Unlock(ctx context.Context, id identity.UserID, actor string) error {
	return u.Help.Unlock(ctx, id, actor)
}
