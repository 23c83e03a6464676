package storage

import (
	"context"
	"log/slog"
	"testing"
	"time"
)

// Quiet is what River's log passes.
func Quiet(h slog.Handler) slog.Handler { return quiet{h} }

// Pretend runs a statement that no store offers, so that a test can play a crash or a
// stranger with the database file.
func Pretend(t *testing.T, db *DB, statement string) {
	t.Helper()
	if _, err := db.writer.DB.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// Bump raises a version of the test's own.
func Bump(ctx context.Context, db *DB, name string) error { return db.bump(ctx, name) }

// SweepAt sweeps as if it were now and returns how many rows went.
func SweepAt(ctx context.Context, db *DB, now time.Time) (int, error) { return db.sweep(ctx, now) }
