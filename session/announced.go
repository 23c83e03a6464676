package session

import (
	"context"
	"time"

	"idp/identity"
)

// Announced is a Store that says which sessions were ended: whoever ends one, for whatever
// reason, goes through here. What died of age is not announced, because nobody did it.
type Announced struct {
	Store
	InTx func(ctx context.Context, do func(ctx context.Context) error) error
	// Tell is called with those that stood until now, in the transaction that ends them.
	Tell func(ctx context.Context, ended []ID) error
}

// End ends a session and tells.
func (a Announced) End(ctx context.Context, id ID, at time.Time) (ended bool, err error) {
	err = a.InTx(ctx, func(ctx context.Context) error {
		if ended, err = a.Store.End(ctx, id, at); err != nil || !ended {
			return err
		}
		return a.Tell(ctx, []ID{id})
	})
	return ended && err == nil, err
}

// EndOthers ends every session of a person except keep and tells.
func (a Announced) EndOthers(ctx context.Context, user identity.UserID, keep ID, at time.Time) (ended []ID, err error) {
	err = a.InTx(ctx, func(ctx context.Context) error {
		if ended, err = a.Store.EndOthers(ctx, user, keep, at); err != nil || len(ended) == 0 {
			return err
		}
		return a.Tell(ctx, ended)
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}
