package storage

import (
	"context"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider"
)

// Pushed keeps pushed authorization requests. It is a provider.PushedStore.
type Pushed struct{ db *DB }

var _ provider.PushedStore = (*Pushed)(nil)

// NewPushed returns the pushed requests of db.
func NewPushed(db *DB) *Pushed { return &Pushed{db} }

var (
	errNoPushed   = problem.New(problem.NotFound, "request_unknown", "There is no such request.")
	errPushedUsed = problem.New(problem.Conflict, "request_answered", "That request was answered already.")
)

type pushedRow struct {
	Digest    string
	ClientID  string
	Request   string
	CreatedAt int64
	ExpiresAt int64
	SeenAt    *int64
	UsedAt    *int64
}

// SavePushed creates a pushed request.
func (p *Pushed) SavePushed(ctx context.Context, r provider.Pushed) error {
	_, err := p.db.write(ctx).NewRaw(`
		INSERT INTO pushed_requests (digest, client_id, request, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?)`,
		string(r.Digest), string(r.Client), string(r.Request), stamp(r.CreatedAt), stamp(r.ExpiresAt)).Exec(ctx)
	return explain("save pushed request", err)
}

// Pushed returns a pushed request, also one that was answered, or problem.NotFound.
func (p *Pushed) Pushed(ctx context.Context, d secret.Digest) (provider.Pushed, error) {
	var r pushedRow
	err := p.db.read(ctx).NewRaw(`
		SELECT digest, client_id, request, created_at, expires_at, seen_at, used_at
		FROM pushed_requests
		WHERE digest = ?
		LIMIT 1`, string(d)).Scan(ctx, &r)
	if err != nil {
		return provider.Pushed{}, explain("load pushed request", err, errNoPushed)
	}
	return provider.Pushed{
		Digest: secret.Digest(r.Digest), Client: provider.ClientID(r.ClientID), Request: []byte(r.Request),
		CreatedAt: instant(r.CreatedAt), ExpiresAt: instant(r.ExpiresAt), SeenAt: maybeInstant(r.SeenAt), UsedAt: maybeInstant(r.UsedAt),
	}, nil
}

// SeePushed notes the first use of a pushed request, which lasts until then from there on.
func (p *Pushed) SeePushed(ctx context.Context, d secret.Digest, at, until time.Time) error {
	_, err := p.db.write(ctx).NewRaw(`
		UPDATE pushed_requests
		SET seen_at = ?, expires_at = ?
		WHERE digest = ? AND seen_at IS NULL`, stamp(at), stamp(until), string(d)).Exec(ctx)
	return explain("note pushed request", err)
}

// UsePushed marks a pushed request as answered, once: the second is problem.Conflict.
func (p *Pushed) UsePushed(ctx context.Context, d secret.Digest, at time.Time) error {
	res, err := p.db.write(ctx).NewRaw(`
		UPDATE pushed_requests
		SET used_at = ?
		WHERE digest = ? AND used_at IS NULL`, stamp(at), string(d)).Exec(ctx)
	return oneRow("use pushed request", res, err, errPushedUsed)
}
