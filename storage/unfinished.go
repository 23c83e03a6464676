package storage

import (
	"context"
	"time"

	"idp/login"
	"idp/session"
)

var _ login.Unfinished = (*Login)(nil)

// Unfinished counts the open attempts of a browser, and those of a network, in one statement.
func (s *Login) Unfinished(ctx context.Context, b session.BrowserID, network string, now time.Time) (login.Crowding, error) {
	var c login.Crowding
	var until int64
	err := s.db.read(ctx).NewRaw(`
		SELECT
			(SELECT count(*) FROM attempts WHERE browser_id = ?0 AND network <> '' AND expires_at > ?2),
			count(*),
			coalesce(min(expires_at), 0),
			EXISTS (SELECT 1 FROM sessions WHERE browser_id = ?0)
		FROM attempts
		WHERE network = ?1 AND network <> '' AND expires_at > ?2`, string(b), network, stamp(now)).
		Scan(ctx, &c.Here, &c.Around, &until, &c.Known)
	c.Until = instant(until)
	return c, explain("count unfinished attempts", err)
}

const mostEnded = 1000 // of one browser at once

// EndAttemptsOn ends all open attempts of a browser but so many: those where somebody did
// something stay before others, and then the later ones.
func (s *Login) EndAttemptsOn(ctx context.Context, b session.BrowserID, keep int, now time.Time) error {
	_, err := s.db.write(ctx).NewRaw(`
		UPDATE attempts
		SET expires_at = ?1, network = '', version = version + 1
		WHERE id IN (
			SELECT id
			FROM attempts
			WHERE browser_id = ?0 AND network <> '' AND expires_at > ?1
			ORDER BY CASE WHEN version > 1 THEN 0 ELSE 1 END, expires_at DESC, id DESC
			LIMIT ?2 OFFSET ?3
		)`, string(b), stamp(now), mostEnded, keep).Exec(ctx)
	return explain("end unfinished attempts", err)
}
