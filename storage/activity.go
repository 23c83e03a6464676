package storage

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"idp/admin"
	"idp/identity"
)

var _ admin.ActivityStore = (*Activity)(nil)

// Activity tells when people were last there. Sessions say it, and for those that were swept
// the person's row does: so a session that is used costs one write, and not two.
type Activity struct{ db *DB }

// NewActivity returns the activity of the people in a database.
func NewActivity(db *DB) *Activity { return &Activity{db} }

// seen is when the person of a row of users was last there.
const seen = `COALESCE((
		SELECT MAX(CASE WHEN s.last_active_at > u.last_active_at THEN s.last_active_at ELSE u.last_active_at END)
		FROM sessions s
		WHERE s.user_id = u.id), u.last_active_at)`

// present is whether somebody's session was used at that time or later.
const present = `EXISTS (
		SELECT 1
		FROM sessions s
		WHERE s.user_id = u.id
			AND s.last_active_at >= ?)`

type seenRow struct {
	userRow

	Seen int64
}

// Search lists people. By activity it looks at everybody whom the rest of the search leaves.
func (a *Activity) Search(ctx context.Context, s admin.Search) ([]admin.Found, error) {
	found := a.db.reader.NewSelect().TableExpr("users AS u").ColumnExpr("u.*").ColumnExpr(seen + " AS seen")
	if s.Text != "" {
		part := "%" + escapeLike.Replace(strings.ToLower(s.Text)) + "%"
		found = found.Where(`(
			u.search_name LIKE ? ESCAPE '!'
			OR u.external_id = ?
			OR u.id IN (SELECT user_id FROM holdings WHERE value LIKE ? ESCAPE '!'))`, part, s.Text, part)
	}
	if t := stamp(s.ActiveSince); t != 0 {
		found = found.Where("(u.last_active_at >= ? OR "+present+")", t, t)
	}
	if t := stamp(s.InactiveSince); t != 0 {
		found = found.Where("u.last_active_at < ?", t).Where("u.created_at < ?", t).Where("NOT "+present, t)
	}
	q := a.db.read(ctx).NewSelect().TableExpr("(?) AS u", found).ColumnExpr("u.*")
	switch {
	case !s.ByActivity:
		if s.After != "" {
			q = q.Where("u.id < ?", string(s.After))
		}
		q = q.OrderExpr("u.id DESC")
	default:
		if s.After != "" {
			at := stamp(s.AfterActive)
			q = q.Where("(u.seen < ? OR u.seen = ? AND u.id < ?)", at, at, string(s.After))
		}
		q = q.OrderExpr("u.seen DESC, u.id DESC")
	}
	var rows []seenRow
	if err := q.Limit(int64(min(max(s.Limit, 1), 100))).Scan(ctx, &rows); err != nil {
		return nil, explain("search people", err)
	}
	users := make([]userRow, len(rows))
	for i, r := range rows {
		users[i] = r.userRow
	}
	people, err := NewPeople(a.db).completeAll(ctx, users)
	if err != nil {
		return nil, err
	}
	all := make([]admin.Found, len(people))
	for i, p := range people {
		all[i] = admin.Found{Person: p, LastActiveAt: instant(rows[i].Seen)}
	}
	return all, nil
}

// LastActive returns when the person was last there; zero is never.
func (a *Activity) LastActive(ctx context.Context, id identity.UserID) (time.Time, error) {
	var at int64
	err := a.db.read(ctx).NewRaw("SELECT "+seen+" FROM users u WHERE u.id = ? LIMIT 1", string(id)).Scan(ctx, &at)
	return instant(at), explain("look when "+string(id)+" was last there", err, errNoPerson)
}

// forget deletes sessions that were over long ago, and keeps when their people were last there.
func (a *Activity) forget(ctx context.Context, where string, before time.Time, limit int) (int, error) {
	var gone []struct {
		UserID       string
		LastActiveAt int64
	}
	err := a.db.InTx(ctx, func(ctx context.Context) error {
		gone = gone[:0]
		err := a.db.write(ctx).NewRaw(`
			DELETE FROM sessions
			WHERE id IN (SELECT id FROM sessions WHERE `+where+` LIMIT ?)
			RETURNING user_id, last_active_at`, stamp(before), limit).Scan(ctx, &gone)
		if err != nil {
			return explain("sweep sessions", err)
		}
		last := map[string]int64{}
		for _, s := range gone {
			last[s.UserID] = max(last[s.UserID], s.LastActiveAt)
		}
		for _, user := range slices.Sorted(maps.Keys(last)) {
			at := last[user]
			_, err := a.db.write(ctx).NewRaw(`
				UPDATE users
				SET last_active_at = ?
				WHERE id = ?
					AND last_active_at < ?`, at, user, at).Exec(ctx)
			if err != nil {
				return explain("keep when somebody was last there", err)
			}
		}
		return nil
	})
	return len(gone), err
}
