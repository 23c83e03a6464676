// Package admin is what those who run idp can do: make, find, ban and import people,
// appoint operators, change settings, invite. The command line and the operator pages
// are two faces of it; the rules are here, so that no path goes round them.
//
// Every act is an event in the audit trail, in the transaction that does it.
package admin

import (
	"context"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/login"
)

// Store is what admin needs remembered about people and operators.
type Store interface {
	// People lists persons, newest first, at most limit, older than the one named after ("" starts);
	// text is part of an address, a name, or an external id, "" is everybody.
	People(ctx context.Context, text string, after identity.UserID, limit int) ([]login.Person, error)
	// ByExternalID returns the person who was imported under that id, or problem.NotFound.
	ByExternalID(ctx context.Context, id string) (identity.UserID, error)
	// DropHoldings takes all addresses of that kind off the person's file.
	DropHoldings(ctx context.Context, user identity.UserID, kind identity.Kind) error
	// CountWithout counts people who may enter and have a factor of one of the methods in have, but none of those in lack.
	CountWithout(ctx context.Context, have, lack []identity.Method) (int, error)
	// EndAuthorizations ends all that relying parties hold for the person: codes, access and refresh tokens.
	EndAuthorizations(ctx context.Context, user identity.UserID, at time.Time) error

	// OperatorExists reports whether anybody is an operator.
	OperatorExists(ctx context.Context) (bool, error)
	// SaveOperatorLink remembers a link and forgets every earlier one.
	SaveOperatorLink(ctx context.Context, link secret.Digest, createdAt, expiresAt time.Time) error
	// OperatorLink reports problem.NotFound unless the link is live: known, unused, not expired at now.
	OperatorLink(ctx context.Context, link secret.Digest, now time.Time) error
	// UseOperatorLink uses a live link up; for all others, and all but the first, problem.NotFound.
	UseOperatorLink(ctx context.Context, link secret.Digest, now time.Time) error
}

// SettingsStore keeps the operator's one row of settings.
type SettingsStore interface {
	// Settings returns the row's JSON and version; nothing and 0 before the first save.
	Settings(ctx context.Context) (body []byte, version int64, err error)
	// SaveSettings writes the row if its version is still the one given, else problem.Conflict.
	SaveSettings(ctx context.Context, body []byte, version int64) error
	// EndTrust forgets the browsers that people trust since then or longer.
	EndTrust(ctx context.Context, since time.Time) error
}

// The actors of what nobody signed in does, for events.
const (
	CLI    = "operator:cli" // on the command line
	System = "system"       // idp itself
)
