package e2e

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// sqliteDatabase names a file that is not there yet.
func sqliteDatabase(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "idp.db") }

// postgresDatabase makes an empty database beside the one that admin names.
func postgresDatabase(t testing.TB, admin string) string {
	t.Helper()
	at, err := url.Parse(admin)
	if err != nil {
		t.Fatal("IDP_TEST_POSTGRES is no URL")
	}
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("e2e_%x", rand.Uint64())
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	at.Path = "/" + name
	return at.String()
}

// database is what a thief of the database, or an auditor, would read.
type database struct {
	t  testing.TB
	db *sql.DB
	pg bool
}

// open reads the instance's database beside the processes that use it.
func (i *instance) open() *database {
	i.t.Helper()
	d := &database{t: i.t, pg: !strings.HasPrefix(i.Database, "sqlite:")}
	driver, source := "pgx", i.Database
	if !d.pg {
		driver, source = "sqlite", "file:"+strings.TrimPrefix(i.Database, "sqlite:")+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = db.Close() })
	d.db = db
	return d
}

// count returns the one number that a query answers.
func (d *database) count(query string) (n int) {
	d.t.Helper()
	if err := d.db.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// tables names every table there is.
func (d *database) tables() (names []string) {
	d.t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if d.pg {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	}
	rows, err := d.db.QueryContext(context.Background(), query)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			d.t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return names
}

// dump calls see with every value of every row, as text.
func (d *database) dump(see func(table, column, value string)) {
	d.t.Helper()
	for _, table := range d.tables() {
		rows, err := d.db.QueryContext(context.Background(), `SELECT * FROM "`+table+`"`)
		if err != nil {
			d.t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			d.t.Fatal(err)
		}
		for rows.Next() {
			cells := make([]sql.NullString, len(columns))
			into := make([]any, len(columns))
			for k := range cells {
				into[k] = &cells[k]
			}
			if err := rows.Scan(into...); err != nil {
				d.t.Fatalf("%s: %v", table, err)
			}
			for k, cell := range cells {
				see(table, columns[k], cell.String)
			}
		}
		if err := rows.Err(); err != nil {
			d.t.Fatal(err)
		}
		_ = rows.Close()
	}
}

// files returns what stands beside a SQLite database: the file itself and its log, raw.
func (i *instance) files() (names []string) {
	if at, ok := strings.CutPrefix(i.Database, "sqlite:"); ok {
		names, _ = filepath.Glob(at + "*")
	}
	return names
}

func bodyOf(t testing.TB, r *http.Request) string {
	t.Helper()
	b, err := io.ReadAll(bufio.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
