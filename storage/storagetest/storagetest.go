// Package storagetest gives tests a real database: SQLite in a temporary file always,
// PostgreSQL too when IDP_TEST_POSTGRES holds a superuser's URL. Each test has one of
// its own, already migrated and sealed under a fixed master key.
package storagetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx", to create databases
	"github.com/uptrace/bun"

	"idp/internal/secret"
	"idp/storage"
)

// Env names the variable that holds the URL of a PostgreSQL superuser.
const Env = "IDP_TEST_POSTGRES"

// Each runs f on every engine there is, each time with an empty database of its own.
func Each(t *testing.T, f func(t *testing.T, db *storage.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { f(t, OpenURL(t, url, nil)) })
}

// EachURL is Each for tests that open the database themselves, perhaps twice.
func EachURL(t *testing.T, f func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	if os.Getenv(Env) != "" {
		t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
	}
}

// Open opens an empty SQLite database, for tests that are not about storage.
func Open(t testing.TB) *storage.DB {
	t.Helper()
	return OpenURL(t, SQLite(t), nil)
}

// OpenURL opens a database and closes it when the test ends. Hook, often a Counter, may be nil.
func OpenURL(t testing.TB, url string, hook bun.QueryHook) *storage.DB {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Options{URL: url, Box: Box(), Now: NewClock().Now, Hook: hook})
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// Rows counts what is in a table, whatever rooms say about it.
func Rows(t testing.TB, db *storage.DB, table string) (n int) {
	t.Helper()
	for name, pool := range db.Pools() {
		if name == "sqlite_reader" {
			continue
		}
		if err := pool.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// Box returns the Box of all test databases.
func Box() *secret.Box {
	b, err := secret.NewBox([]byte("only for tests, 32 bytes at least"))
	if err != nil {
		panic(err)
	}
	return b
}

// migrated makes an SQLite file with the whole history once per process.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "idp-storagetest")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "idp.db")
	if err := migrate("sqlite:" + path); err != nil { // closing folds the WAL into the file
		return nil, err
	}
	return os.ReadFile(path)
})

func migrate(url string) error {
	ctx := context.Background()
	db, err := storage.Open(ctx, storage.Options{URL: url, Box: Box(), Now: NewClock().Now})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		_ = db.Close()
		return err
	}
	return db.Close()
}

// SQLite returns the URL of a fresh migrated database in a temporary file.
func SQLite(t testing.TB) string {
	t.Helper()
	content, err := migrated()
	if err != nil {
		t.Fatalf("migrate a test database: %v", err)
	}
	path := filepath.Join(t.TempDir(), "idp.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// Postgres returns the URL of a fresh migrated database, or skips the test where no server is.
func Postgres(t testing.TB) string {
	t.Helper()
	if os.Getenv(Env) == "" {
		t.Skip(Env + " is not set")
	}
	from, err := template()
	if err != nil {
		t.Fatalf("migrate a test database: %v", err)
	}
	return create(t, from)
}

// EmptyPostgres returns the URL of a fresh database that was never migrated, or skips the test.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	if os.Getenv(Env) == "" {
		t.Skip(Env + " is not set")
	}
	return create(t, "template0")
}

func create(t testing.TB, from string) string {
	t.Helper()
	super := os.Getenv(Env)
	name := "idp_test_" + strings.ToLower(hex.EncodeToString(secret.Bytes(8)))
	admin, err := sql.Open("pgx", super)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		if err != nil {
			t.Errorf("drop the test database: %v", err)
		}
		_ = admin.Close()
	})
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		t.Fatalf("create a test database: %v", err)
	}
	return withName(super, name)
}

// template migrates one database per schema and keeps it on the server, where later
// processes find it. An advisory lock lets one process make it.
var template = sync.OnceValues(func() (name string, err error) {
	ctx := context.Background()
	name, err = templateName()
	if err != nil {
		return "", err
	}
	super := os.Getenv(Env)
	admin, err := sql.Open("pgx", super)
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close() }()
	conn, err := admin.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }() // gives the lock back
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(716001)"); err != nil {
		return "", err
	}
	var ready int
	err = conn.QueryRowContext(ctx, "SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&ready)
	if err != nil || ready == 1 {
		return name, err
	}
	draft := name + "_draft"
	if _, err := conn.ExecContext(ctx, "DROP DATABASE IF EXISTS "+draft+" WITH (FORCE)"); err != nil {
		return "", err
	}
	if _, err := conn.ExecContext(ctx, "CREATE DATABASE "+draft+" TEMPLATE template0"); err != nil {
		return "", err
	}
	if err := migrate(withName(super, draft)); err != nil {
		return "", err
	}
	_, err = conn.ExecContext(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
	return name, err
})

// templateName changes with every migration and with the shape of what they make.
func templateName() (string, error) {
	text, err := storage.History()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("idp_template_%x", sum[:6]), nil
}

func withName(base, database string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic("storagetest: " + Env + " is not a URL")
	}
	u.Path = "/" + database
	return u.String()
}

// Clock is a clock that a test sets.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock returns a clock that stands at noon of a winter's day.
func NewClock() *Clock { return &Clock{at: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)} }

// Now returns where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Set puts the clock to t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t.UTC()
}
