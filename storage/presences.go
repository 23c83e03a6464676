package storage

import (
	"context"
	"time"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/session"
)

var _ login.Presences = (*Presences)(nil)

// Presences remembers by which sessions at providers sessions began.
type Presences struct{ db *DB }

// NewPresences returns the presences of a database.
func NewPresences(db *DB) *Presences { return &Presences{db} }

var errNoPresence = problem.New(problem.NotFound, "presence_unknown", "That session did not begin elsewhere.")

func attendancePlace(id string) string { return "upstream_sessions.sealed:" + id }

// SavePresence keeps it with the session.
func (s *Presences) SavePresence(ctx context.Context, id session.ID, p federation.Presence, at time.Time) error {
	_, err := s.db.write(ctx).NewRaw(`
		INSERT INTO upstream_sessions (session_id, connection, name, sealed, created_at)
		VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (session_id) DO UPDATE
		SET connection = excluded.connection, name = excluded.name, sealed = excluded.sealed, created_at = excluded.created_at`,
		string(id), p.Connection, p.Key, s.db.box.Seal(attendancePlace(string(id)), []byte(encode(p))), stamp(at)).Exec(ctx)
	return explain("keep a session at a provider", err)
}

// Presence returns it, or problem.NotFound.
func (s *Presences) Presence(ctx context.Context, id session.ID) (p federation.Presence, err error) {
	var sealed string
	err = s.db.read(ctx).NewRaw("SELECT sealed FROM upstream_sessions WHERE session_id = ?", string(id)).Scan(ctx, &sealed)
	if err != nil {
		return p, explain("load a session at a provider", err, errNoPresence)
	}
	return s.opened(string(id), sealed)
}

func (s *Presences) opened(id, sealed string) (p federation.Presence, err error) {
	plain, err := s.db.box.Open(attendancePlace(id), sealed)
	if err != nil {
		return p, err
	}
	return p, decode("upstream_sessions.sealed", string(plain), &p)
}

// Present returns the sessions that were not ended and began by a session of that name.
func (s *Presences) Present(ctx context.Context, name string, after session.ID) ([]login.Attendance, error) {
	var rows []struct{ SessionID, UserID, Sealed string }
	err := s.db.read(ctx).NewRaw(`
		SELECT u.session_id, s.user_id, u.sealed
		FROM upstream_sessions AS u
		JOIN sessions AS s ON s.id = u.session_id
		WHERE u.name = ?
			AND u.session_id > ?
			AND s.ended_at IS NULL
		ORDER BY u.session_id
		LIMIT ?`, name, string(after), maxSessions).Scan(ctx, &rows)
	if err != nil {
		return nil, explain("list sessions that began at a provider", err)
	}
	all := make([]login.Attendance, 0, len(rows))
	for _, r := range rows {
		p, err := s.opened(r.SessionID, r.Sealed)
		if err != nil {
			return nil, err
		}
		all = append(all, login.Attendance{Session: session.ID(r.SessionID), User: identity.UserID(r.UserID), Presence: p})
	}
	return all, nil
}
