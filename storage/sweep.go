package storage

import (
	"context"
	"time"
)

// What is kept for how long after it ended.
const (
	keepSessions       = 90 * 24 * time.Hour // shown to their person, and a known browser
	keepStrangers      = 24 * time.Hour      // browsers on which nobody signed in
	keepAuthorizations = 24 * time.Hour
	keepLetters        = 7 * 24 * time.Hour
	keepInvitations    = 30 * 24 * time.Hour
	keepUndos          = 24 * time.Hour
	keepWaiting        = time.Hour // attempts and requests, so that a late click is told what happened
	sweepBatch         = 1000
)

// Sweep deletes what nobody will ask for again: finished attempts and requests, forgotten
// throttles, expired authorizations and tokens, sessions over for 90 days, browsers without
// any and unseen for a day, old letters, spent invitations, operator links, client assertions
// and bot checks. It works in small
// transactions, so that nobody waits long for the writer.
func (db *DB) Sweep(ctx context.Context) error {
	_, err := db.sweep(ctx, db.now())
	return err
}

func (db *DB) sweep(ctx context.Context, now time.Time) (int, error) {
	sweeps := []struct {
		table, key, where string
		before            time.Time
	}{
		{"attempts", "id", "expires_at < ?", now.Add(-keepWaiting)},
		{"asks", "id", "expires_at < ?", now.Add(-keepWaiting)},
		{"pushed_requests", "digest", "expires_at < ?", now},
		{"throttles", "id", "expires_at < ?", now},
		{"trusted_browsers", "id", "expires_at < ?", now},
		{"browsers", "id", "seen_at < ? AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.browser_id = browsers.id)", now.Add(-keepStrangers)},
		{"letters", "id", "sent_at < ?", now.Add(-keepLetters)},
		{"invitations", "id", "expires_at < ?", now.Add(-keepInvitations)},
		{"undos", "id", "expires_at < ?", now.Add(-keepUndos)},
		{"operator_links", "digest", "expires_at < ?", now},
		{"assertions", "digest", "expires_at < ?", now},
		{"arrivals", "id", "expires_at < ?", now},
		{"bot_checks", "digest", "expires_at < ?", now},
	}
	total := 0
	for _, where := range []string{"ended_at < ?", "expires_at < ?"} { // browsers without sessions come after them
		for {
			n, err := NewActivity(db).forget(ctx, where, now.Add(-keepSessions), sweepBatch)
			total += n
			if err != nil {
				return total, err
			}
			if n < sweepBatch {
				break
			}
		}
	}
	for _, s := range sweeps {
		query := "DELETE FROM " + s.table + " WHERE " + s.key +
			" IN (SELECT " + s.key + " FROM " + s.table + " WHERE " + s.where + " LIMIT ?)"
		for {
			res, err := db.write(ctx).NewRaw(query, stamp(s.before), sweepBatch).Exec(ctx)
			if err != nil {
				return total, explain("sweep "+s.table, err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return total, explain("sweep "+s.table, err)
			}
			total += int(n)
			if n < sweepBatch {
				break
			}
		}
	}
	for {
		n, err := NewProvider(db).Sweep(ctx, now.Add(-keepAuthorizations), sweepBatch)
		total += n
		if err != nil || n < sweepBatch {
			return total, err
		}
	}
}
