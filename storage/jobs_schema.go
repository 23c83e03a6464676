package storage

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// silent keeps River from sending NOTIFY: nobody here listens, and PostgreSQL commits
// transactions that notify one after another.
type silent struct{ *riverdatabasesql.Driver }

// SupportsListenNotify implements riverdriver.Driver.
func (silent) SupportsListenNotify() bool { return false }

// riverDriver speaks River's dialect over the handle that writes.
func (db *DB) riverDriver() riverdriver.Driver[*sql.Tx] {
	if db.postgres {
		return silent{riverdatabasesql.New(db.writer.DB)}
	}
	return riversqlite.New(db.writer.DB)
}

// jobSteps install the schema of the pinned River. They are two, because PostgreSQL uses a
// new value of an enum only after the transaction that adds it. A later River adds a step.
func jobSteps() []step {
	return []step{
		{name: "0002_jobs_a", run: func(ctx context.Context, db *DB) error { return migrateJobs(ctx, db, 4) }},
		{name: "0002_jobs_b", run: func(ctx context.Context, db *DB) error { return migrateJobs(ctx, db, 6) }},
	}
}

// migrateJobs brings River's tables to its version target, in the transaction of the step.
func migrateJobs(ctx context.Context, db *DB, target int) error {
	m, err := rivermigrate.New(db.riverDriver(), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("prepare the job queue's schema: %w", err)
	}
	//nolint:staticcheck // deprecated for migrations that cannot share a transaction; jobSteps splits where those are
	_, err = m.MigrateTx(ctx, db.current(ctx).bun.Tx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: target})
	if err != nil {
		return fmt.Errorf("install the job queue's schema: %w", err)
	}
	return nil
}
