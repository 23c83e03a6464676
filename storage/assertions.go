package storage

import (
	"context"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider"
)

// Assertions remembers the client assertions that were used. It is a provider.Assertions.
type Assertions struct{ db *DB }

var _ provider.Assertions = (*Assertions)(nil)

// NewAssertions returns the used assertions of db.
func NewAssertions(db *DB) *Assertions { return &Assertions{db} }

var errAssertionUsed = problem.New(problem.Conflict, "assertion_used", "That assertion was used already.")

// UseAssertion notes that an assertion was used; problem.Conflict if it was before.
func (a *Assertions) UseAssertion(ctx context.Context, digest secret.Digest, expires time.Time) error {
	_, err := a.db.write(ctx).NewRaw(
		"INSERT INTO assertions (digest, expires_at) VALUES (?, ?)", string(digest), stamp(expires)).Exec(ctx)
	return explain("use assertion", err, errAssertionUsed)
}
