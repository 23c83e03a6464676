package storage_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
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
		_, err = storage.Open(t.Context(), storage.Options{URL: url, Box: other, Now: time.Now})
		if !errors.Is(err, storage.ErrMasterKey) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestOpenNeverPrintsThePassword(t *testing.T) {
	_, err := storage.Open(t.Context(), storage.Options{URL: "postgres://u:hunter2@host:notaport/x", Box: storagetest.Box(), Now: time.Now})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
}

func TestASchemaFromTheFutureIsRefused(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		db := storagetest.OpenURL(t, url, nil)
		storage.Pretend(t, db, "INSERT INTO migrations (name, applied_at) VALUES ('9999_tomorrow', 1)")
		if err := db.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "newer idp (step 9999_tomorrow") {
			t.Fatalf("migrate: %v", err)
		}
		_, err := storage.Open(t.Context(), storage.Options{URL: url, Box: storagetest.Box(), Now: time.Now})
		if err == nil || !strings.Contains(err.Error(), "newer idp") {
			t.Fatalf("open: %v", err)
		}
	})
}

func TestTheMigrationLockOutlivesNoCrash(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		ctx, clock := within(t), storagetest.NewClock()
		open := func() *storage.DB {
			db, err := storage.Open(ctx, storage.Options{URL: url, Box: storagetest.Box(), Now: clock.Now})
			must(t, err)
			t.Cleanup(func() { must(t, db.Close()) })
			return db
		}
		db := open()
		must(t, db.Migrate(ctx))
		// Somebody died holding the lock, before the last step.
		hold := func() {
			storage.Pretend(t, db, "DELETE FROM migrations WHERE name = '0001_first_rooms'")
			storage.Pretend(t, db, "UPDATE migration_lock SET holder = 'dead', expires_at = "+strconv.FormatInt(clock.Now().Add(30*time.Second).UnixMicro(), 10))
		}
		hold()
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if err := db.Migrate(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("with the lock held: %v", err)
		}
		clock.Add(time.Minute)
		if err := db.Migrate(ctx); err == nil || !strings.Contains(err.Error(), "already exists") {
			t.Fatalf("with the lock expired the step should have run again: %v", err)
		}
		hold()
		must(t, db.Unlock(ctx))
		if err := db.Migrate(ctx); err == nil || !strings.Contains(err.Error(), "already exists") {
			t.Fatalf("with the lock taken away the step should have run again: %v", err)
		}
		if pending, err := db.Pending(ctx); err != nil || len(pending) != 1 {
			t.Fatalf("a failed step must stay pending: %v, %v", pending, err)
		}
	})
}

func TestAMigrationCutShortAnywhereIsResumed(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		clock := storagetest.NewClock()
		for patience := time.Millisecond; ; patience += patience/4 + time.Millisecond {
			clock.Add(time.Minute) // PostgreSQL may still take the lock for a caller who hung up
			db, err := storage.Open(t.Context(), storage.Options{URL: url, Box: storagetest.Box(), Now: clock.Now})
			must(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			err = db.Migrate(ctx)
			cancel()
			must(t, db.Close())
			if err == nil {
				break
			}
			if patience > 10*time.Second {
				t.Fatal(err)
			}
		}
		db := storagetest.OpenURL(t, url, nil)
		if pending, err := db.Pending(t.Context()); err != nil || len(pending) != 0 {
			t.Fatalf("pending %v, %v", pending, err)
		}
		u := person(t, db, "Ann")
		present(t, db, u, "browser_1")
		must(t, queueOf(t, db).Enqueue(t.Context(), anyJob))
	})
}

// eachEmpty is EachURL with databases that were never migrated.
func eachEmpty(t *testing.T, f func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, "sqlite:"+filepath.Join(t.TempDir(), "new", "idp.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, storagetest.EmptyPostgres(t)) })
}
