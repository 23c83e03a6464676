package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/provider"
	"idp/session"
)

var _ provider.Visits = (*Visits)(nil)

// Visits remembers which relying parties to tell when a session ends. A visit goes with
// its session.
type Visits struct{ db *DB }

// NewVisits returns the visits of a database.
func NewVisits(db *DB) *Visits { return &Visits{db} }

// SaveVisit notes that the client learned of the session. Twice is fine.
func (v *Visits) SaveVisit(ctx context.Context, one provider.Visit, at time.Time) error {
	_, err := v.db.write(ctx).NewRaw(`
		INSERT INTO visits (session_id, client_id, user_id, created_at)
		VALUES (?, ?, ?, ?)
		ON CONFLICT (session_id, client_id) DO NOTHING`,
		string(one.Session), string(one.Client), string(one.User), stamp(at)).Exec(ctx)
	return explain("save a visit", err)
}

// most visits of the sessions that end at once; nobody uses so many apps.
const maxVisits = 10_000

// Visits returns who learned of those sessions.
func (v *Visits) Visits(ctx context.Context, sessions []session.ID) ([]provider.Visit, error) {
	if len(sessions) == 0 {
		return nil, nil
	}
	var rows []struct{ SessionID, ClientID, UserID string }
	err := v.db.read(ctx).NewRaw(`
		SELECT session_id, client_id, user_id
		FROM visits
		WHERE session_id IN (?)
		ORDER BY session_id, client_id
		LIMIT ?`, bun.List(sessions), maxVisits).Scan(ctx, &rows)
	if err != nil {
		return nil, explain("list visits", err)
	}
	all := make([]provider.Visit, 0, len(rows))
	for _, r := range rows {
		all = append(all, provider.Visit{
			Session: session.ID(r.SessionID), Client: provider.ClientID(r.ClientID), User: identity.UserID(r.UserID),
		})
	}
	return all, nil
}
