package storage

import (
	"context"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

var _ login.Checks = (*Checks)(nil)

// Checks remembers the bot checks that were used.
type Checks struct{ db *DB }

// NewChecks returns the used bot checks of db.
func NewChecks(db *DB) *Checks { return &Checks{db} }

var errCheckUsed = problem.New(problem.Conflict, "bot_check_used", "That bot check was used already.")

// UseCheck notes that a solution was used; problem.Conflict if it was before.
func (c *Checks) UseCheck(ctx context.Context, digest secret.Digest, expires time.Time) error {
	res, err := c.db.write(ctx).NewRaw(
		"INSERT INTO bot_checks (digest, expires_at) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
		string(digest), stamp(expires)).Exec(ctx)
	return oneRow("use a bot check", res, err, errCheckUsed)
}
