package storage_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/internal/secret"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestHistoryRunsTwiceAndFromTwoProcessesAtOnce(t *testing.T) {
	ctx := t.Context()
	eachEmpty(t, func(t *testing.T, url string) {
		var all sync.WaitGroup
		errs := make(chan error, 4)
		for range 4 {
			db := storagetest.OpenURL(t, url, nil)
			all.Go(func() { errs <- db.Migrate(ctx) })
		}
		all.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		db := storagetest.OpenURL(t, url, nil)
		if pending, err := db.Pending(ctx); err != nil || len(pending) != 0 {
			t.Fatalf("pending %v, %v", pending, err)
		}
		if applied, err := db.Applied(ctx); err != nil || len(applied) < 2 || applied[0] != "0001_first_rooms" {
			t.Fatalf("applied %v, %v", applied, err)
		}
		if err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnotherMasterKeyIsRefused(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		other, err := secret.NewBox([]byte("another master key of 32 bytes!!"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = storage.Open(t.Context(), storage.Options{URL: url, Box: other})
		if !errors.Is(err, storage.ErrMasterKey) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestOpenNeverPrintsThePassword(t *testing.T) {
	_, err := storage.Open(t.Context(), storage.Options{URL: "postgres://u:hunter2@host:notaport/x", Box: storagetest.Box()})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
}

// eachEmpty is EachURL with databases that were never migrated.
func eachEmpty(t *testing.T, f func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, "sqlite:"+filepath.Join(t.TempDir(), "new", "idp.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, storagetest.EmptyPostgres(t)) })
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
