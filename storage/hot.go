package storage

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"
)

// hot reads one row by a statement that relying parties make idp ask all the time. It is
// prepared once per connection: planning its joins costs PostgreSQL many times what
// running them does. The statement has one parameter, written $1, which both engines know.
func (db *DB) hot(ctx context.Context, into any, query, value string) (err error) {
	if db.hook != nil { // what goes round bun is told to the hook like anything else
		e := &bun.QueryEvent{DB: db.reader, Query: query, StartTime: db.now()}
		ctx = db.hook.BeforeQuery(ctx, e)
		defer func() { db.hook.AfterQuery(ctx, e) }()
	}
	rows, err := db.fetch(ctx, query, value)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return noRows(rows.Err())
	}
	return errors.Join(db.reader.ScanRow(ctx, rows, into), rows.Err())
}

func noRows(err error) error {
	if err != nil {
		return err
	}
	return sql.ErrNoRows
}

// fetch runs the statement. Inside a transaction it is not prepared: that would ask the
// pool for a second connection, and a pool of one has none.
func (db *DB) fetch(ctx context.Context, query, value string) (*sql.Rows, error) {
	tx := db.current(ctx)
	switch {
	case tx != nil:
		return tx.bun.Tx.QueryContext(ctx, query, value)
	case db.unnamed:
		return db.reader.DB.QueryContext(ctx, query, value)
	}
	stmt, err := db.statement(ctx, query) //nolint:sqlclosecheck // kept until the database closes
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, value)
}

// statement returns a prepared statement, preparing it the first time. Two who come first
// both prepare it; one of the two is closed again.
func (db *DB) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if found, ok := db.prepared.Load(query); ok {
		return found.(*sql.Stmt), nil
	}
	stmt, err := db.reader.DB.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if first, lost := db.prepared.LoadOrStore(query, stmt); lost {
		return first.(*sql.Stmt), stmt.Close() //nolint:sqlclosecheck // only the one that came second
	}
	return stmt, nil
}
