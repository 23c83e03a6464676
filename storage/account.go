package storage

import (
	"context"
	"time"

	"idp/account"
	"idp/admin"
	"idp/event"
	"idp/identity"
)

var (
	_ account.Store     = (*Account)(nil)
	_ admin.DeleteStore = (*Account)(nil)
)

// Account is what people see of their own file beside what signing in needs, and how all of
// it goes.
type Account struct {
	db     *DB
	events *Events
}

// NewAccount returns the accounts of a database.
func NewAccount(db *DB) *Account { return &Account{db: db, events: NewEvents(db)} }

// DropHolding takes an address off that person's file, or is problem.NotFound.
func (a *Account) DropHolding(ctx context.Context, user identity.UserID, id identity.HoldingID) error {
	res, err := a.db.write(ctx).NewRaw(`
		DELETE FROM holdings
		WHERE id = ?
			AND user_id = ?`, string(id), string(user)).Exec(ctx)
	return oneRow("drop an address", res, err, errNoHolding)
}

// EventsOf returns what happened to a person, newest first, at most limit.
func (a *Account) EventsOf(ctx context.Context, user identity.UserID, limit int) ([]event.Event, error) {
	return a.events.list(ctx, EventFilter{User: string(user)}, limit)
}

// AppsUsed returns when each app that has access last got a code or a fresh token in the
// person's name, by client id.
func (a *Account) AppsUsed(ctx context.Context, user identity.UserID) (map[string]time.Time, error) {
	var rows []struct {
		ClientID string
		Used     int64
	}
	err := a.db.read(ctx).NewRaw(`
		SELECT client_id, max(COALESCE(rotated_at, created_at)) AS used
		FROM authorizations
		WHERE user_id = ?
			AND ended_at IS NULL
		GROUP BY client_id
		LIMIT ?`, string(user), maxGrants).Scan(ctx, &rows)
	if err != nil {
		return nil, explain("look up when apps were used", err)
	}
	used := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		used[r.ClientID] = instant(r.Used)
	}
	return used, nil
}

// DropUser takes a person off file with all that is theirs, or is problem.NotFound. What
// happened to them stays in the audit trail.
func (a *Account) DropUser(ctx context.Context, user identity.UserID) error {
	res, err := a.db.write(ctx).NewRaw("DELETE FROM users WHERE id = ?", string(user)).Exec(ctx)
	return oneRow("delete person "+string(user), res, err, errNoPerson)
}

// OtherOperator reports whether somebody else than that person is an operator who may enter.
// Inside a transaction none of them changes until it ends, so that of two who leave at the
// same moment one stays.
func (a *Account) OtherOperator(ctx context.Context, user identity.UserID) (bool, error) {
	var ids []string
	query := "SELECT id FROM users WHERE operator AND status = ? ORDER BY id LIMIT 1000"
	if a.db.postgres && a.db.current(ctx) != nil {
		query += " FOR NO KEY UPDATE"
	}
	err := a.db.read(ctx).NewRaw(query, string(identity.Active)).Scan(ctx, &ids)
	for _, id := range ids {
		if id != string(user) {
			return true, nil
		}
	}
	return false, explain("look for another operator", err)
}
