package storage

import (
	"database/sql"
	"time"
)

// maybe is stamp for a column that keeps NULL for "never".
func maybe(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	micros := t.UnixMicro()
	return &micros
}

// maybeInstant is the inverse of maybe.
func maybeInstant(micros *int64) time.Time {
	if micros == nil {
		return time.Time{}
	}
	return instant(*micros)
}

// orNull keeps NULL for "none".
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// orEmpty is the inverse of orNull.
func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// changed reports whether a conditional statement changed a row.
func changed(doing string, res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, explain(doing, err)
	}
	n, err := res.RowsAffected()
	return n > 0, explain(doing, err)
}
