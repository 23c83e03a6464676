package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/session"
)

var _ login.Trust = (*Trust)(nil)

// Trust remembers which browsers people signed in on, and where they need not show a second factor.
type Trust struct{ db *DB }

// NewTrust returns the trusted browsers of a database.
func NewTrust(db *DB) *Trust { return &Trust{db} }

var errTrustEnded = problem.New(problem.Conflict, "trust_ended", "This browser is not trusted any more. Please try again.")

type trustRow struct {
	bun.BaseModel `bun:"table:trusted_browsers,alias:t"`

	ID         string `bun:",pk"`
	BrowserID  string
	UserID     string
	UserAgent  string
	CreatedAt  int64
	ExpiresAt  int64
	LastUsedAt int64
}

// Trusted reports whether the person trusts the browser since after that time, and still at now.
func (t *Trust) Trusted(ctx context.Context, b session.BrowserID, u identity.UserID, since, now time.Time) (bool, error) {
	yes, err := t.db.read(ctx).NewSelect().Model((*trustRow)(nil)).
		Where("browser_id = ?", string(b)).
		Where("user_id = ?", string(u)).
		Where("created_at > ?", stamp(since)).
		Where("expires_at > ?", stamp(now)).
		Exists(ctx)
	return yes, explain("look whether a browser is trusted", err)
}

// UseTrusted notes that the second factor was skipped; problem.Conflict if it may not be any more.
func (t *Trust) UseTrusted(ctx context.Context, b session.BrowserID, u identity.UserID, since, now time.Time) error {
	res, err := t.db.write(ctx).NewUpdate().Model((*trustRow)(nil)).
		Set("last_used_at = ?", stamp(now)).
		Where("browser_id = ?", string(b)).
		Where("user_id = ?", string(u)).
		Where("created_at > ?", stamp(since)).
		Where("expires_at > ?", stamp(now)).
		Exec(ctx)
	return oneRow("use a trusted browser", res, err, errTrustEnded)
}

// SaveTrusted creates it, or replaces the one of the same browser and person.
func (t *Trust) SaveTrusted(ctx context.Context, one login.Trusted) error {
	r := trustRow{
		ID: string(one.ID), BrowserID: string(one.Browser), UserID: string(one.User), UserAgent: one.UserAgent,
		CreatedAt: stamp(one.CreatedAt), ExpiresAt: stamp(one.ExpiresAt), LastUsedAt: stamp(one.LastUsedAt),
	}
	_, err := t.db.write(ctx).NewInsert().Model(&r).
		On("CONFLICT (browser_id, user_id) DO UPDATE").
		Set("id = EXCLUDED.id").
		Set("user_agent = EXCLUDED.user_agent").
		Set("created_at = EXCLUDED.created_at").
		Set("expires_at = EXCLUDED.expires_at").
		Set("last_used_at = EXCLUDED.last_used_at").
		Exec(ctx)
	return explain("trust a browser", err)
}

const maxTrusted = 100 // shown of one person

// TrustedBy lists the browsers that a person trusts, the last used first, at most 100.
func (t *Trust) TrustedBy(ctx context.Context, u identity.UserID, since, now time.Time) ([]login.Trusted, error) {
	var rows []trustRow
	err := t.db.read(ctx).NewSelect().Model(&rows).
		Where("user_id = ?", string(u)).
		Where("created_at > ?", stamp(since)).
		Where("expires_at > ?", stamp(now)).
		OrderExpr("last_used_at DESC, id DESC").
		Limit(maxTrusted).
		Scan(ctx)
	if err != nil {
		return nil, explain("list trusted browsers", err)
	}
	all := make([]login.Trusted, 0, len(rows))
	for _, r := range rows {
		all = append(all, login.Trusted{
			ID: login.TrustID(r.ID), Browser: session.BrowserID(r.BrowserID), User: identity.UserID(r.UserID), UserAgent: r.UserAgent,
			CreatedAt: instant(r.CreatedAt), ExpiresAt: instant(r.ExpiresAt), LastUsedAt: instant(r.LastUsedAt),
		})
	}
	return all, nil
}

const maxKnown = 50 // browsers of one person

// KnownTo lists browsers on which the person has signed in, also long ago, the latest first, at most 50.
func (t *Trust) KnownTo(ctx context.Context, u identity.UserID) ([]session.BrowserID, error) {
	var ids []session.BrowserID
	err := t.db.read(ctx).NewRaw(`
		SELECT browser_id
		FROM sessions
		WHERE user_id = ?
		GROUP BY browser_id
		ORDER BY max(last_active_at) DESC
		LIMIT ?`, string(u), maxKnown).Scan(ctx, &ids)
	return ids, explain("list known browsers", err)
}

// DropTrusted forgets those of a person that are picked, and returns them.
func (t *Trust) DropTrusted(ctx context.Context, u identity.UserID, w login.Which) ([]login.TrustID, error) {
	q := t.db.write(ctx).NewDelete().Model((*trustRow)(nil)).Where("user_id = ?", string(u))
	if w.ID != "" {
		q = q.Where("id = ?", string(w.ID))
	}
	if w.On != "" {
		q = q.Where("browser_id = ?", string(w.On))
	}
	if w.NotOn != "" {
		q = q.Where("browser_id <> ?", string(w.NotOn))
	}
	var ids []login.TrustID
	_, err := q.Returning("id").Exec(ctx, &ids)
	return ids, explain("forget trusted browsers", err)
}
