package storage

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"idp/admin"
	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

var (
	_ federation.Store      = (*Connections)(nil)
	_ admin.ConnectionStore = (*Connections)(nil)
)

// Connections remembers the upstreams that people sign in by, and what was posted here from there.
type Connections struct{ db *DB }

// NewConnections returns the connections of a database.
func NewConnections(db *DB) *Connections { return &Connections{db} }

var (
	errConnectionMoved = problem.New(problem.Conflict, "connection_changed", "Somebody else changed this connection just now. Look again.")
	errNoConnection    = problem.New(problem.NotFound, "connection_unknown", "There is no such connection.")
	errArrived         = problem.New(problem.Conflict, "arrival_exists", "That has arrived already.")
	errArrival         = problem.New(problem.Gone, "arrival_gone", "This has been used already, or took too long. Please start again.")
)

type connectionRow struct {
	bun.BaseModel `bun:"table:connections,alias:c"`

	Name      string `bun:",pk"`
	Body      string
	Secret    string
	Version   int
	CreatedAt int64
	UpdatedAt int64
}

func connectionPlace(name string) string { return "connections.secret:" + name }

const maxConnections = 1000

// Connections returns all connections, by name.
func (s *Connections) Connections(ctx context.Context) ([]federation.Connection, error) {
	var rows []connectionRow
	err := s.db.read(ctx).NewSelect().Model(&rows).OrderExpr("name").Limit(maxConnections).Scan(ctx)
	if err != nil {
		return nil, explain("load connections", err)
	}
	all := make([]federation.Connection, 0, len(rows))
	for _, r := range rows {
		var c federation.Connection
		if err := decode("connections.body", r.Body, &c); err != nil {
			return nil, err
		}
		plain, err := s.db.box.Open(connectionPlace(r.Name), r.Secret)
		if err != nil {
			return nil, err
		}
		c.ClientSecret, c.Version = secret.NewString(string(plain)), r.Version
		c.CreatedAt, c.UpdatedAt = instant(r.CreatedAt), instant(r.UpdatedAt)
		all = append(all, c)
	}
	return all, nil
}

// SaveConnection creates a connection at Version 0 and changes one otherwise. A name that is
// taken, or a version that moved, is problem.Conflict.
func (s *Connections) SaveConnection(ctx context.Context, c federation.Connection) error {
	r := connectionRow{
		Name: c.Name, Body: encode(c), Secret: s.db.box.Seal(connectionPlace(c.Name), []byte(c.ClientSecret.Reveal())),
		Version: c.Version + 1, CreatedAt: stamp(c.CreatedAt), UpdatedAt: stamp(c.UpdatedAt),
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if c.Version == 0 {
			if _, err := s.db.write(ctx).NewInsert().Model(&r).Exec(ctx); err != nil {
				return explain("create a connection", err, errConnectionMoved)
			}
			return s.db.bump(ctx, versionConnections)
		}
		res, err := s.db.write(ctx).NewUpdate().Model(&r).
			ExcludeColumn("name", "created_at").
			Where("name = ?", r.Name).
			Where("version = ?", c.Version).
			Exec(ctx)
		if err := oneRow("save a connection", res, err, errConnectionMoved); err != nil {
			return err
		}
		return s.db.bump(ctx, versionConnections)
	})
}

// DropConnection forgets a connection and all accounts that were linked by it, and says how
// many these were. problem.NotFound if there is none of that name.
func (s *Connections) DropConnection(ctx context.Context, name string) (linked int, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		res, err := s.db.write(ctx).NewDelete().Model((*connectionRow)(nil)).Where("name = ?", name).Exec(ctx)
		if err := oneRow("delete a connection", res, err, errNoConnection); err != nil {
			return err
		}
		res, err = s.db.write(ctx).NewDelete().Model((*factorRow)(nil)).
			Where("method IN (?)", bun.List([]string{string(identity.OAuthMethod(name)), string(identity.SAMLMethod(name))})).
			Exec(ctx)
		if err != nil {
			return explain("drop the accounts of a connection", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return explain("count the accounts of a connection", err)
		}
		if _, err := s.db.write(ctx).NewRaw("DELETE FROM connection_habits WHERE connection = ?", name).Exec(ctx); err != nil {
			return explain("drop a provider's habit", err)
		}
		if _, err := s.db.write(ctx).NewRaw("DELETE FROM saml_metadata WHERE connection = ?", name).Exec(ctx); err != nil {
			return explain("drop the metadata of a connection", err)
		}
		if _, err := s.db.write(ctx).NewRaw("DELETE FROM upstream_sessions WHERE connection = ?", name).Exec(ctx); err != nil {
			return explain("drop the sessions at a provider", err)
		}
		linked = int(n)
		return s.db.bump(ctx, versionConnections)
	})
	return linked, err
}

// Linked counts the accounts elsewhere that people have linked, by method.
func (s *Connections) Linked(ctx context.Context) (map[identity.Method]int, error) {
	var rows []struct {
		Method string
		N      int
	}
	err := s.db.read(ctx).NewRaw(`
		SELECT method, count(*) AS n
		FROM factors
		WHERE method LIKE 'oauth!_%' ESCAPE '!' OR method LIKE 'saml!_%' ESCAPE '!'
		GROUP BY method
		LIMIT ?`, maxConnections).Scan(ctx, &rows)
	if err != nil {
		return nil, explain("count linked accounts", err)
	}
	all := make(map[identity.Method]int, len(rows))
	for _, r := range rows {
		all[identity.Method(r.Method)] = r.N
	}
	return all, nil
}

// Stranded counts people who may enter and have an account of lost, but no factor of any of
// ways, nor, where mail is a way in, an address that they have proven.
func (s *Connections) Stranded(ctx context.Context, lost identity.Method, ways []identity.Method, mail bool) (int, error) {
	var n int
	err := s.db.read(ctx).NewRaw(`
		SELECT count(DISTINCT f.user_id)
		FROM factors AS f
		JOIN users AS u ON u.id = f.user_id
		WHERE u.status = ?
			AND f.method = ?
			AND NOT EXISTS (
				SELECT 1
				FROM factors AS g
				WHERE g.user_id = f.user_id
					AND g.method IN (?))
			AND NOT (? AND EXISTS (
				SELECT 1
				FROM holdings AS h
				WHERE h.user_id = f.user_id
					AND h.kind = ?
					AND h.verified_at IS NOT NULL))`,
		string(identity.Active), string(lost), bun.List(ways), mail, string(identity.Email)).Scan(ctx, &n)
	return n, explain("count who has no other way in", err)
}

// Refusals returns what of a connection was last refused, the newest first, five at most.
func (s *Connections) Refusals(ctx context.Context, connection string) ([]event.Event, error) {
	all, err := NewEvents(s.db).List(ctx, EventFilter{Kind: event.ConnectionRefused, Limit: lookedThrough})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e event.Event) bool { return e.Detail["connection"] != connection })
	return all[:min(len(all), 5)], nil
}

const lookedThrough = 300 // refusals of all connections

// SaveArrival keeps what was posted here until it expires.
func (s *Connections) SaveArrival(ctx context.Context, id secret.Digest, sealed string, expires time.Time) error {
	_, err := s.db.write(ctx).NewRaw(
		"INSERT INTO arrivals (id, sealed, expires_at) VALUES (?, ?, ?)", string(id), sealed, stamp(expires)).Exec(ctx)
	return explain("keep an arrival", err, errArrived)
}

// TakeArrival returns what was kept, once: the second time, or too late, it is problem.Gone.
func (s *Connections) TakeArrival(ctx context.Context, id secret.Digest, now time.Time) (string, error) {
	var sealed string
	err := s.db.write(ctx).NewRaw(
		"DELETE FROM arrivals WHERE id = ? AND expires_at > ? RETURNING sealed", string(id), stamp(now)).Scan(ctx, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errArrival.Because(err)
	}
	return sealed, explain("take an arrival", err)
}
