// Package consent is what a person let a relying party know, and the screen that
// asks. A Grant is remembered per person and party, is shown only when something
// new is asked for, and can be taken back at any time; taking it back ends every
// authorization that rests on it.
package consent

import (
	"context"
	"slices"
	"time"

	"idp/identity"
	"idp/session"
)

// Grant is what one person lets one party know.
type Grant struct {
	User      identity.UserID
	Client    string
	Party     identity.Party // as it looks now, for lists; not saved
	Scopes    []string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Covers reports whether all scopes were granted.
func (g Grant) Covers(scopes []string) bool {
	for _, s := range scopes {
		if !slices.Contains(g.Scopes, s) {
			return false
		}
	}
	return true
}

// Pending is a parked request that waits for a person's word. The protocol room
// parked it; consent reads just this much of it.
type Pending struct {
	Ask       string
	Browser   session.BrowserID
	Party     identity.Party
	Scopes    []string
	Chosen    session.ID // the session that will answer, "" for the one in use
	Resume    string     // path that takes the browser back
	ExpiresAt time.Time
	Done      bool // answered or used already
}

// Store is what consent needs remembered.
type Store interface {
	Pending(ctx context.Context, ask string) (Pending, error) // problem.NotFound
	// Answer notes the person's word on an ask, once: the second is problem.Conflict.
	Answer(ctx context.Context, ask string, by session.ID, allow bool) error
	Grant(ctx context.Context, u identity.UserID, client string) (Grant, error) // problem.NotFound
	SaveGrant(ctx context.Context, g Grant) error                               // creates or widens
	Grants(ctx context.Context, u identity.UserID) ([]Grant, error)             // newest first, at most 200
	// DropGrant forgets the grant and ends the person's authorizations to that client.
	DropGrant(ctx context.Context, u identity.UserID, client string, at time.Time) (bool, error)
}
