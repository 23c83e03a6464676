package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
)

var _ session.Store = (*Sessions)(nil)

// Sessions remembers browsers and who is signed in on them.
type Sessions struct{ db *DB }

// NewSessions returns the sessions of a database.
func NewSessions(db *DB) *Sessions { return &Sessions{db} }

var (
	errNoBrowser    = problem.New(problem.NotFound, "browser_unknown", "This browser has no session cookie.")
	errNoSession    = problem.New(problem.NotFound, "session_unknown", "That session has ended.")
	errSessionEnded = problem.New(problem.Conflict, "session_ended", "That session has ended.")
)

type browserRow struct {
	bun.BaseModel `bun:"table:browsers,alias:b"`

	ID        string `bun:",pk"`
	Digest    string
	Active    string
	UserAgent string
	CreatedAt int64
	SeenAt    int64
}

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	ID           string `bun:",pk"`
	BrowserID    string
	UserID       string
	Proofs       string
	AuthTime     int64
	CreatedAt    int64
	LastActiveAt int64
	ExpiresAt    int64
	Idle         int64 // microseconds
	EndedAt      int64 `bun:",nullzero"`
	Public       bool
	UserAgent    string
	Network      string
}

func fromSession(s session.Session) sessionRow {
	return sessionRow{
		ID: string(s.ID), BrowserID: string(s.Browser), UserID: string(s.User), Proofs: encode(s.Proofs),
		AuthTime: stamp(s.AuthTime), CreatedAt: stamp(s.CreatedAt), LastActiveAt: stamp(s.LastActiveAt), ExpiresAt: stamp(s.ExpiresAt),
		Idle: s.Idle.Microseconds(), EndedAt: stamp(s.EndedAt), Public: s.Public, UserAgent: s.UserAgent, Network: s.Network,
	}
}

func toSession(r sessionRow) (session.Session, error) {
	s := session.Session{
		ID: session.ID(r.ID), Browser: session.BrowserID(r.BrowserID), User: identity.UserID(r.UserID),
		AuthTime: instant(r.AuthTime), CreatedAt: instant(r.CreatedAt), LastActiveAt: instant(r.LastActiveAt), ExpiresAt: instant(r.ExpiresAt),
		Idle: time.Duration(r.Idle) * time.Microsecond, EndedAt: instant(r.EndedAt), Public: r.Public, UserAgent: r.UserAgent, Network: r.Network,
	}
	return s, decode("sessions.proofs", r.Proofs, &s.Proofs)
}

func toSessions(rows []sessionRow) ([]session.Session, error) {
	all := make([]session.Session, 0, len(rows))
	for _, r := range rows {
		s, err := toSession(r)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Browser returns a browser, or problem.NotFound.
func (s *Sessions) Browser(ctx context.Context, id session.BrowserID) (session.Browser, error) {
	var r browserRow
	err := s.db.read(ctx).NewSelect().Model(&r).Where("id = ?", string(id)).Limit(1).Scan(ctx)
	if err != nil {
		return session.Browser{}, explain("load a browser", err, errNoBrowser)
	}
	return session.Browser{
		ID: session.BrowserID(r.ID), Digest: secret.Digest(r.Digest), Active: session.ID(r.Active), UserAgent: r.UserAgent,
		CreatedAt: instant(r.CreatedAt), SeenAt: instant(r.SeenAt),
	}, nil
}

// SaveBrowser creates or replaces a browser.
func (s *Sessions) SaveBrowser(ctx context.Context, b session.Browser) error {
	r := browserRow{
		ID: string(b.ID), Digest: string(b.Digest), Active: string(b.Active), UserAgent: b.UserAgent,
		CreatedAt: stamp(b.CreatedAt), SeenAt: stamp(b.SeenAt),
	}
	_, err := s.db.write(ctx).NewInsert().Model(&r).
		On("CONFLICT (id) DO UPDATE").
		Set("digest = EXCLUDED.digest").
		Set("active = EXCLUDED.active").
		Set("user_agent = EXCLUDED.user_agent").
		Set("seen_at = EXCLUDED.seen_at").
		Exec(ctx)
	return explain("save a browser", err)
}

// Activate notes which session is in use on a browser, unless its secret was renewed.
func (s *Sessions) Activate(ctx context.Context, b session.Browser) error {
	res, err := s.db.write(ctx).NewUpdate().Model((*browserRow)(nil)).
		Set("active = ?", string(b.Active)).
		Set("seen_at = ?", stamp(b.SeenAt)).
		Where("id = ?", string(b.ID)).
		Where("digest = ?", string(b.Digest)).
		Exec(ctx)
	return oneRow("switch sessions", res, err, errNoBrowser)
}

// Renew puts b in the place of the browser whose secret was until now.
func (s *Sessions) Renew(ctx context.Context, b session.Browser, was secret.Digest) error {
	res, err := s.db.write(ctx).NewUpdate().Model((*browserRow)(nil)).
		Set("digest = ?", string(b.Digest)).
		Set("active = ?", string(b.Active)).
		Set("user_agent = ?", b.UserAgent).
		Set("seen_at = ?", stamp(b.SeenAt)).
		Where("id = ?", string(b.ID)).
		Where("digest = ?", string(was)).
		Exec(ctx)
	return oneRow("renew a browser", res, err, errNoBrowser)
}

// Session returns a session, an ended one too, or problem.NotFound.
func (s *Sessions) Session(ctx context.Context, id session.ID) (session.Session, error) {
	var r sessionRow
	err := s.db.read(ctx).NewSelect().Model(&r).Where("id = ?", string(id)).Limit(1).Scan(ctx)
	if err != nil {
		return session.Session{}, explain("load session "+string(id), err, errNoSession)
	}
	return toSession(r)
}

// SaveSession creates or replaces a session. One that has ended stays so: problem.Conflict.
func (s *Sessions) SaveSession(ctx context.Context, one session.Session) error {
	r := fromSession(one)
	res, err := s.db.write(ctx).NewInsert().Model(&r).
		On("CONFLICT (id) DO UPDATE").
		Set("browser_id = EXCLUDED.browser_id").
		Set("proofs = EXCLUDED.proofs").
		Set("auth_time = EXCLUDED.auth_time").
		Set("last_active_at = EXCLUDED.last_active_at").
		Set("expires_at = EXCLUDED.expires_at").
		Set("idle = EXCLUDED.idle").
		Set("ended_at = EXCLUDED.ended_at").
		Set("public = EXCLUDED.public").
		Set("user_agent = EXCLUDED.user_agent").
		Set("network = EXCLUDED.network").
		Where("s.ended_at IS NULL").
		Where("s.user_id = EXCLUDED.user_id").
		Exec(ctx)
	return oneRow("save session "+r.ID, res, err, errSessionEnded)
}

const maxSessions = 100 // shown of one person or browser

// OnBrowser returns the sessions of a browser that were not ended, newest activity first, at most 100.
func (s *Sessions) OnBrowser(ctx context.Context, id session.BrowserID) ([]session.Session, error) {
	return s.standing(ctx, "browser_id = ?", string(id))
}

// OfUser returns the sessions of a person that were not ended, newest activity first, at most 100.
func (s *Sessions) OfUser(ctx context.Context, id identity.UserID) ([]session.Session, error) {
	return s.standing(ctx, "user_id = ?", string(id))
}

func (s *Sessions) standing(ctx context.Context, where, id string) ([]session.Session, error) {
	var rows []sessionRow
	err := s.db.read(ctx).NewSelect().Model(&rows).
		Where(where, id).
		Where("ended_at IS NULL").
		OrderExpr("last_active_at DESC, id DESC").
		Limit(maxSessions).
		Scan(ctx)
	if err != nil {
		return nil, explain("list sessions", err)
	}
	return toSessions(rows)
}

// Touch notes that a session was used. It never moves the clock back and wakes no ended session.
func (s *Sessions) Touch(ctx context.Context, id session.ID, network string, at time.Time) error {
	_, err := s.db.write(ctx).NewUpdate().Model((*sessionRow)(nil)).
		Set("last_active_at = ?", stamp(at)).
		Set("network = ?", network).
		Where("id = ?", string(id)).
		Where("ended_at IS NULL").
		Where("last_active_at < ?", stamp(at)).
		Exec(ctx)
	return explain("touch session "+string(id), err)
}

// End ends a session and reports whether it stood until now.
func (s *Sessions) End(ctx context.Context, id session.ID, at time.Time) (bool, error) {
	res, err := s.db.write(ctx).NewUpdate().Model((*sessionRow)(nil)).
		Set("ended_at = ?", stamp(at)).
		Where("id = ?", string(id)).
		Where("ended_at IS NULL").
		Exec(ctx)
	err = oneRow("end session "+string(id), res, err, errSessionEnded)
	if problem.Is(err, problem.Conflict) {
		return false, nil
	}
	return err == nil, err
}

// EndOthers ends every session of a person except keep ("" keeps none) and returns which.
func (s *Sessions) EndOthers(ctx context.Context, user identity.UserID, keep session.ID, at time.Time) ([]session.ID, error) {
	var ended []session.ID
	err := s.db.write(ctx).NewRaw(`
		UPDATE sessions
		SET ended_at = ?
		WHERE user_id = ?
			AND id <> ?
			AND ended_at IS NULL
		RETURNING id`, stamp(at), string(user), string(keep)).Scan(ctx, &ended)
	return ended, explain("end the sessions of "+string(user), err)
}
