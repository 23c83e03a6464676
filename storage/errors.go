package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"idp/internal/problem"
)

// explain says what was being done when err came, and turns what callers can act on into
// the problem they gave for it: a missing row into the one of kind NotFound, a taken key
// into the one of kind Conflict. A database that does not answer is problem.Unavailable.
func explain(doing string, err error, known ...*problem.Error) error {
	if err == nil {
		return nil
	}
	var kind problem.Kind
	switch {
	case errors.Is(err, sql.ErrNoRows):
		kind = problem.NotFound
	case isTaken(err):
		kind = problem.Conflict
	case unstorable(err):
		kind = problem.NotFound // no row can have such a text
		known = append(known, errUnstorable)
	}
	for _, p := range known {
		if p.Kind == kind || p == errUnstorable {
			return p.Because(fmt.Errorf("%s: %w", doing, err))
		}
	}
	return unreachable(fmt.Errorf("%s: %w", doing, err))
}

var errUnstorable = problem.New(problem.Malformed, "text_unreadable", "The request contains characters that cannot be text.")

// unstorable reports text that no column can hold: invalid UTF-8 on PostgreSQL, and NUL,
// in whose place bun writes "?!(bun: …)", which neither engine can parse.
func unstorable(err error) bool {
	switch pgCode(err) {
	case "22021", "22P05":
		return true
	case "42601":
		return strings.Contains(err.Error(), `at or near ":"`)
	}
	return sqliteCode(err) == sqlite3.SQLITE_ERROR && strings.Contains(err.Error(), `unrecognized token: "!"`)
}

// oneRow demands that a conditional statement changed exactly one row; if it changed
// none, somebody was faster or the row is not there, which is otherwise.
func oneRow(doing string, res sql.Result, err error, otherwise *problem.Error) error {
	if err != nil {
		return explain(doing, err, otherwise)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return explain(doing, err)
	}
	if n != 1 {
		return otherwise.Because(fmt.Errorf("%s: %d rows changed", doing, n))
	}
	return nil
}

// unreachable makes a problem.Unavailable of errors that say "no database just now".
func unreachable(err error) error {
	var p *problem.Error
	if err == nil || errors.As(err, &p) || errors.Is(err, context.Canceled) {
		return err
	}
	var network net.Error
	var connect *pgconn.ConnectError
	code := pgCode(err)
	away := errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) ||
		sqliteCode(err)&0xff == sqlite3.SQLITE_BUSY ||
		strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || code == "53300" || code == "55P03"
	if !away {
		return err
	}
	return problem.New(problem.Unavailable, "database_unavailable", "This service is busy. Please try again in a moment.").
		After(time.Second).Because(err)
}

// isTaken reports a violated unique index or primary key.
func isTaken(err error) bool {
	switch sqliteCode(err) {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return true
	}
	return pgCode(err) == "23505"
}

// lostRace reports errors that a second try can cure. A plain SQLITE_BUSY is none: it
// comes after five seconds of waiting, and nobody waits longer than that.
func lostRace(err error) bool {
	switch pgCode(err) {
	case "40001", "40P01":
		return true
	}
	switch sqliteCode(err) {
	case sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY:
		return true
	}
	return false
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
