package storage_test

import (
	"context"
	"testing"

	"idp/internal/problem"
	"idp/provider"
	"idp/storage"
	"idp/storage/storagetest"
)

// One connection, so that what it has prepared can be asked of it.
func TestPlansAreKeptUnlessAPoolerIsInBetween(t *testing.T) {
	url := storagetest.Postgres(t)
	for mode, kept := range map[string]int{"": 1, "&default_query_exec_mode=exec": 0} {
		ctx := within(t)
		db, err := storage.Open(ctx, storage.Options{URL: url + mode, Box: storagetest.Box(), Now: storagetest.NewClock().Now, MaxConns: 1})
		must(t, err)
		for range 3 {
			_, _, err = storage.NewProvider(db).Token(ctx, "nobody's", provider.WholePerson)
			wantKind(t, err, problem.NotFound)
		}
		must(t, db.InTx(ctx, func(ctx context.Context) error { // and no second connection is needed
			_, err := storage.NewProvider(db).Authorization(ctx, "none")
			wantKind(t, err, problem.NotFound)
			return nil
		}))
		var n int
		must(t, db.Pools()["postgres"].QueryRowContext(ctx, "SELECT count(*) FROM pg_prepared_statements").Scan(&n))
		if n != kept {
			t.Errorf("with %q %d statements are prepared, want %d", mode, n, kept)
		}
		must(t, db.Close())
	}
}
