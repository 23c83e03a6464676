package login

import (
	"context"
	"slices"
	"time"

	"idp/event"
	"idp/identity"
)

// An account may claim an address that nobody ever proved for it: it was imported, or somebody
// made it before the address' owner came. It is never joined with the owner's. When the owner
// proves the address it loses the claim, and if it has nothing else that was ever proven, all
// that could keep somebody in it, or let them in again, dies with the claim (the pre-hijacking
// attacks of Sudhodanan and Paverd, USENIX Security 2022).

// Claim makes an address that was just proven its owner's alone, in the caller's transaction.
// by is the actor of the events, "" for the system. Whatever proves an address calls it.
func (e *Engine) Claim(ctx context.Context, address identity.Identifier, owner identity.UserID, by string) error {
	claimants, err := e.People.DropUnverified(ctx, address, owner)
	if err != nil {
		return err
	}
	for _, u := range claimants {
		if err := e.dispossess(ctx, u, by); err != nil {
			return err
		}
	}
	return nil
}

// dispossess takes all from an account that a claim was all there was to: sessions, what relying
// parties hold, factors and linked accounts, trusted browsers, what was begun and what could be
// taken back.
func (e *Engine) dispossess(ctx context.Context, u identity.UserID, by string) error {
	p, err := e.People.Person(ctx, u)
	if err != nil {
		return err
	}
	if p.User.Operator || slices.ContainsFunc(p.Holdings, identity.Holding.Assigned) {
		return nil // somebody who proved something else, or whom an operator vouches for
	}
	now := e.Now()
	for _, f := range p.Factors {
		if err := e.People.DropFactor(ctx, u, f.ID); err != nil {
			return err
		}
	}
	ended, err := e.Sessions.EndOthers(ctx, u, "", now)
	if err != nil {
		return err
	}
	if e.Revoke != nil {
		if err := e.Revoke(ctx, u); err != nil {
			return err
		}
	}
	if e.Undos != nil {
		if err := e.Undos.EndAttempts(ctx, u, now); err != nil {
			return err
		}
		if _, err := e.Undos.VoidUndos(ctx, u, time.Time{}, now); err != nil {
			return err
		}
	}
	if e.Trust != nil {
		if _, err := DropTrusted(ctx, e.Trust, e.Events, u, Which{}, "system"); err != nil {
			return err
		}
	}
	said := []event.Event{{Kind: event.ClaimLost, Actor: by, User: string(u)}}
	for _, id := range ended {
		said = append(said, event.Event{Kind: event.SessionEnded, Actor: by, User: string(u), Session: string(id)})
	}
	for _, ev := range said {
		if err := e.Events.Record(ctx, ev); err != nil {
			return err
		}
	}
	return nil
}
