package storage

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"idp/admin"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/provider"
)

var _ admin.Store = (*Admin)(nil)

// Admin finds people for operators and remembers the links that make operators.
type Admin struct {
	db     *DB
	people *People
}

// NewAdmin returns what operators need of a database.
func NewAdmin(db *DB) *Admin { return &Admin{db: db, people: NewPeople(db)} }

var errNoOperatorLink = problem.New(problem.NotFound, "operator_link_unknown", "This link was used already or has expired.")

// People lists persons, newest first, at most limit (1000 at most), created before the one
// named after ("" starts). Text is part of an address or a name, or a whole external id.
func (a *Admin) People(ctx context.Context, text string, after identity.UserID, limit int) ([]login.Person, error) {
	var rows []userRow
	q := a.db.read(ctx).NewSelect().Model(&rows)
	if text != "" {
		part := "%" + escapeLike.Replace(strings.ToLower(text)) + "%"
		q = q.Where(`(
			u.search_name LIKE ? ESCAPE '!'
			OR u.external_id = ?
			OR u.id IN (SELECT user_id FROM holdings WHERE value LIKE ? ESCAPE '!'))`, part, text, part)
	}
	if after != "" {
		q = q.Where("u.id < ?", string(after))
	}
	err := q.OrderExpr("u.id DESC").Limit(int64(min(max(limit, 1), 1000))).Scan(ctx)
	if err != nil {
		return nil, explain("list people", err)
	}
	return a.people.completeAll(ctx, rows)
}

var escapeLike = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// ByExternalID returns the person who was imported under that id, or problem.NotFound.
func (a *Admin) ByExternalID(ctx context.Context, id string) (identity.UserID, error) {
	var found string
	err := a.db.read(ctx).NewRaw("SELECT id FROM users WHERE external_id = ? LIMIT 1", id).Scan(ctx, &found)
	return identity.UserID(found), explain("find an imported person", err, errNoPerson)
}

// DropHoldings takes all addresses of that kind off the person's file.
func (a *Admin) DropHoldings(ctx context.Context, user identity.UserID, kind identity.Kind) error {
	_, err := a.db.write(ctx).NewRaw("DELETE FROM holdings WHERE user_id = ? AND kind = ?", string(user), string(kind)).Exec(ctx)
	return explain("take addresses off a file", err)
}

// CountWithout counts people who may enter and have a factor of one of the methods in have, but none of those in lack.
func (a *Admin) CountWithout(ctx context.Context, have, lack []identity.Method) (int, error) {
	var n int
	err := a.db.read(ctx).NewRaw(`
		SELECT count(DISTINCT f.user_id)
		FROM factors AS f
		JOIN users AS u ON u.id = f.user_id
		WHERE u.status = ?
			AND f.method IN (?)
			AND NOT EXISTS (
				SELECT 1
				FROM factors AS g
				WHERE g.user_id = f.user_id
					AND g.method IN (?))`, string(identity.Active), bun.List(have), bun.List(lack)).Scan(ctx, &n)
	return n, explain("count who lacks a factor", err)
}

// EndAuthorizations ends all that relying parties hold for the person: codes, access and refresh tokens.
func (a *Admin) EndAuthorizations(ctx context.Context, user identity.UserID, at time.Time) error {
	_, err := a.db.write(ctx).NewRaw(`
		UPDATE authorizations
		SET ended_at = ?, ended_why = ?
		WHERE user_id = ?
			AND ended_at IS NULL`, stamp(at), string(provider.PersonSaidSo), string(user)).Exec(ctx)
	return explain("end the authorizations of "+string(user), err)
}

// OperatorExists reports whether anybody who may enter is an operator.
func (a *Admin) OperatorExists(ctx context.Context) (bool, error) {
	n, err := a.Operators(ctx)
	return n > 0, err
}

// Operators returns how many operators may enter.
func (a *Admin) Operators(ctx context.Context) (int, error) {
	var n int
	err := a.db.read(ctx).NewRaw("SELECT count(*) FROM users WHERE operator AND status = ?", string(identity.Active)).Scan(ctx, &n)
	return n, explain("count operators", err)
}

// SaveOperatorLink remembers a link and forgets every earlier one.
func (a *Admin) SaveOperatorLink(ctx context.Context, link secret.Digest, createdAt, expiresAt time.Time) error {
	return a.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := a.db.write(ctx).NewRaw("DELETE FROM operator_links").Exec(ctx); err != nil {
			return explain("forget operator links", err)
		}
		_, err := a.db.write(ctx).NewRaw("INSERT INTO operator_links (digest, created_at, expires_at) VALUES (?, ?, ?)",
			string(link), stamp(createdAt), stamp(expiresAt)).Exec(ctx)
		return explain("save an operator link", err)
	})
}

// OperatorLink reports problem.NotFound unless the link is known, unused and not expired at now.
func (a *Admin) OperatorLink(ctx context.Context, link secret.Digest, now time.Time) error {
	var one int
	err := a.db.read(ctx).NewRaw(`
		SELECT 1
		FROM operator_links
		WHERE digest = ?
			AND used_at IS NULL
			AND expires_at > ?
		LIMIT 1`, string(link), stamp(now)).Scan(ctx, &one)
	return explain("look up an operator link", err, errNoOperatorLink)
}

// UseOperatorLink uses a live link up, once; for all others, and all but the first, problem.NotFound.
func (a *Admin) UseOperatorLink(ctx context.Context, link secret.Digest, now time.Time) error {
	res, err := a.db.write(ctx).NewRaw(`
		UPDATE operator_links
		SET used_at = ?
		WHERE digest = ?
			AND used_at IS NULL
			AND expires_at > ?`, stamp(now), string(link), stamp(now)).Exec(ctx)
	return oneRow("use an operator link", res, err, errNoOperatorLink)
}
