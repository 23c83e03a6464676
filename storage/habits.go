package storage

import (
	"context"
	"database/sql"
	"errors"

	"idp/federation"
)

var _ federation.Habits = (*Habits)(nil)

// Habits remembers what providers usually send about addresses.
type Habits struct{ db *DB }

// NewHabits returns the habits that a database remembers.
func NewHabits(db *DB) *Habits { return &Habits{db} }

// Habit returns what is usual of a connection, "" if that is not known.
func (s *Habits) Habit(ctx context.Context, connection string) (federation.Habit, error) {
	var habit string
	err := s.db.read(ctx).NewRaw("SELECT habit FROM connection_habits WHERE connection = ?", connection).Scan(ctx, &habit)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return federation.Habit(habit), explain("read a provider's habit", err)
}

// ChangeHabit writes what is usual now if it still was that before, then calls also, and reports
// whether it was the first to do so.
func (s *Habits) ChangeHabit(ctx context.Context, connection string, was, now federation.Habit, also func(ctx context.Context) error) (changed bool, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		changed = false // the transaction may run again
		statement, args := "UPDATE connection_habits SET habit = ?, changed_at = ? WHERE connection = ? AND habit = ?",
			[]any{string(now), stamp(s.db.now()), connection, string(was)}
		if was == "" {
			statement, args = "INSERT INTO connection_habits (habit, changed_at, connection) VALUES (?, ?, ?) ON CONFLICT (connection) DO NOTHING", args[:3]
		}
		res, err := s.db.write(ctx).NewRaw(statement, args...).Exec(ctx)
		if err != nil {
			return explain("change a provider's habit", err)
		}
		n, err := res.RowsAffected()
		if err != nil || n == 0 {
			return explain("change a provider's habit", err)
		}
		changed = true
		return also(ctx)
	})
	return changed && err == nil, err
}
