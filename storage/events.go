package storage

import (
	"context"

	"github.com/uptrace/bun"

	"idp/event"
	"idp/internal/secret"
)

var _ event.Recorder = (*Events)(nil)

// Events remembers what happened.
type Events struct{ db *DB }

// NewEvents returns the audit trail of a database.
func NewEvents(db *DB) *Events { return &Events{db} }

type eventRow struct {
	bun.BaseModel `bun:"table:events,alias:e"`

	ID        string `bun:",pk"`
	At        int64
	Kind      string
	Actor     string
	UserID    string
	ClientID  string
	SessionID string
	Network   string
	Detail    string
}

// Record keeps an event, in the transaction of ctx if there is one. It gives the event an
// id and a time where they are missing.
func (e *Events) Record(ctx context.Context, what event.Event) error {
	if what.ID == "" {
		what.ID = secret.NewID("event")
	}
	if what.At.IsZero() {
		what.At = e.db.now()
	}
	r := eventRow{
		ID: what.ID, At: stamp(what.At), Kind: string(what.Kind), Actor: what.Actor, UserID: what.User, ClientID: what.Client,
		SessionID: what.Session, Network: what.Network, Detail: encode(what.Detail),
	}
	_, err := e.db.write(ctx).NewInsert().Model(&r).Exec(ctx)
	return explain("record "+r.Kind, err)
}

// EventFilter narrows a list of events; empty fields admit everything.
type EventFilter struct {
	Kind  event.Kind
	User  string
	Limit int // 0: 100; at most 1000
}

// List returns events, the newest first.
func (e *Events) List(ctx context.Context, f EventFilter) ([]event.Event, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	return e.list(ctx, f, min(limit, 1000))
}

func (e *Events) list(ctx context.Context, f EventFilter, limit int) ([]event.Event, error) {
	var rows []eventRow
	q := e.db.read(ctx).NewSelect().Model(&rows)
	if f.Kind != "" {
		q = q.Where("kind = ?", string(f.Kind))
	}
	if f.User != "" {
		q = q.Where("user_id = ?", f.User)
	}
	err := q.OrderExpr("at DESC, id DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, explain("list events", err)
	}
	all := make([]event.Event, 0, len(rows))
	for _, r := range rows {
		one := event.Event{
			ID: r.ID, At: instant(r.At), Kind: event.Kind(r.Kind), Actor: r.Actor, User: r.UserID, Client: r.ClientID,
			Session: r.SessionID, Network: r.Network,
		}
		if err := decode("events.detail", r.Detail, &one.Detail); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
