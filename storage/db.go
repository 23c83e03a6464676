// Package storage remembers everything, atomically: all SQL of idp is here, a file
// per consumer, each opening with the interface it fulfils.
//
// One history of plain SQL runs on SQLite and on PostgreSQL. A transaction rides in
// the context: whoever is called inside InTx takes part in it without knowing.
// Reads outside go to a pool, writes on SQLite to its single writer.
//
// Instants are kept as whole microseconds since 1970 in UTC, in a bigint: exact,
// sortable and the same on both engines; NULL means "never". What must come back
// secret is sealed by the Box for its very row; codes, links and tokens are kept as
// digests only. Single use is one conditional UPDATE and one row affected.
package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"idp/internal/secret"
)

// Options say which database to open and how.
type Options struct {
	URL      string      // "sqlite:PATH" or "postgres://…"
	Box      *secret.Box // seals columns and keys the digests of short values
	Now      func() time.Time
	MaxConns int           // size of the PostgreSQL pool, 0: four per core, at least 8
	Hook     bun.QueryHook // sees every statement; may be nil
}

// DB is one open database. It is safe for use by many goroutines.
type DB struct {
	writer   *bun.DB
	reader   *bun.DB // the writer itself on PostgreSQL
	box      *secret.Box
	clock    func() time.Time
	postgres bool
	hook     bun.QueryHook
	unnamed  bool     // no prepared statements: a pooler in between would lose them
	prepared sync.Map // query → *sql.Stmt
}

// Open opens the database and refuses one that was sealed under another master key or
// made by a newer idp. It changes nothing in it; Migrate does.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Box == nil || o.Now == nil {
		return nil, errors.New("open database: it needs a master key and a clock")
	}
	db := &DB{box: o.Box, clock: o.Now, hook: o.Hook}
	if err := db.connect(o); err != nil {
		return nil, err
	}
	if o.Hook != nil {
		db.writer = db.writer.WithQueryHook(o.Hook)
		if db.postgres {
			db.reader = db.writer
		} else {
			db.reader = db.reader.WithQueryHook(o.Hook)
		}
	}
	if err := db.check(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) connect(o Options) error {
	if path, ok := strings.CutPrefix(o.URL, "sqlite:"); ok {
		return db.connectSQLite(path)
	}
	if strings.HasPrefix(o.URL, "postgres://") || strings.HasPrefix(o.URL, "postgresql://") {
		return db.connectPostgres(o)
	}
	return errors.New(`open database: the URL must begin with "sqlite:" or "postgres://"`)
}

// One handle writes, so that writers queue in the process instead of failing as busy;
// the other reads beside it, as WAL allows.
func (db *DB) connectSQLite(path string) error {
	if path == "" {
		return errors.New(`open database: "sqlite:" must be followed by a file name`)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file; WAL and shm inherit its mode
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	file := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()
	pragmas := "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	w, err := sql.Open("sqlite", file+pragmas+"&_txlock=immediate")
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite", file+pragmas+"&_pragma=query_only(1)")
	if err != nil {
		return fmt.Errorf("open database: %w", errors.Join(err, w.Close()))
	}
	readers := max(4, 2*runtime.NumCPU())
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	db.writer, db.reader = bun.NewDB(w, sqlitedialect.New()), bun.NewDB(r, sqlitedialect.New())
	return nil
}

func (db *DB) connectPostgres(o Options) error {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return errors.New("open database: the PostgreSQL URL is not readable") // the cause would print the password
	}
	// bun writes values into the statement, so a statement cache would only cost round trips;
	// what is worth preparing, hot prepares. An operator who chose a mode has a pooler.
	db.unnamed = strings.Contains(o.URL, "default_query_exec_mode=")
	if !db.unnamed {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	pool := stdlib.OpenDB(*config)
	size := o.MaxConns
	if size <= 0 {
		size = max(8, 4*runtime.NumCPU())
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size) // fewer would open connections all the time under load
	db.postgres = true
	db.writer = bun.NewDB(pool, pgdialect.New())
	db.reader = db.writer
	return nil
}

// Close closes the database. Transactions that still run fail.
func (db *DB) Close() error {
	if db.reader == db.writer {
		return db.writer.Close()
	}
	return errors.Join(db.reader.Close(), db.writer.Close())
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	_, err := db.reader.ExecContext(ctx, "SELECT 1")
	return explain("reach the database", err)
}

// Pools returns the connection pools by name, for those who watch how full they are.
func (db *DB) Pools() map[string]*sql.DB {
	if db.reader == db.writer {
		return map[string]*sql.DB{"postgres": db.writer.DB}
	}
	return map[string]*sql.DB{"sqlite_writer": db.writer.DB, "sqlite_reader": db.reader.DB}
}

func (db *DB) now() time.Time { return db.clock().UTC().Truncate(time.Microsecond) }

// read returns the transaction in ctx or else what reads outside one.
func (db *DB) read(ctx context.Context) bun.IDB {
	if tx := db.current(ctx); tx != nil {
		return tx.bun
	}
	return db.reader
}

// write returns the transaction in ctx or else what writes outside one.
func (db *DB) write(ctx context.Context) bun.IDB {
	if tx := db.current(ctx); tx != nil {
		return tx.bun
	}
	return db.writer
}

// stamp turns an instant into what a column keeps; the zero time is 0, which fields
// tagged nullzero keep as NULL.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant is the inverse of stamp.
func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
