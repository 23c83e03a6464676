package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestALockedFileIsUnavailableAfterSecondsAndReadsGoOn(t *testing.T) {
	t.Parallel() // it waits five seconds
	url := storagetest.SQLite(t)
	db := storagetest.OpenURL(t, url, nil)
	ctx, events := within(t), storage.NewEvents(db)
	stranger, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:")+"?_txlock=immediate")
	must(t, err)
	t.Cleanup(func() { must(t, stranger.Close()) })
	held, err := stranger.BeginTx(ctx, nil)
	must(t, err)
	start := time.Now()
	err = events.Record(ctx, event.Event{Kind: event.UserCreated})
	wantKind(t, err, problem.Unavailable)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("gave up after %v", took)
	}
	if list, err := events.List(ctx, storage.EventFilter{}); err != nil || len(list) != 0 {
		t.Errorf("reading meanwhile: %v, %v", list, err)
	}
	must(t, held.Rollback())
	must(t, events.Record(ctx, event.Event{Kind: event.UserCreated}))
}

func TestLostConnectionsAreUnavailableAndComeBack(t *testing.T) {
	url := storagetest.Postgres(t)
	db := storagetest.OpenURL(t, url, nil)
	ctx, events := within(t), storage.NewEvents(db)
	admin, err := sql.Open("pgx", os.Getenv(storagetest.Env))
	must(t, err)
	t.Cleanup(func() { must(t, admin.Close()) })
	name := url[strings.LastIndex(url, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	cut := func() {
		_, err := admin.ExecContext(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
		must(t, err)
	}
	err = db.InTx(ctx, func(ctx context.Context) error {
		must(t, events.Record(ctx, event.Event{Kind: event.UserCreated}))
		cut()
		return events.Record(ctx, event.Event{Kind: event.UserCreated})
	})
	wantKind(t, err, problem.Unavailable)
	var p *problem.Error
	if !errors.As(err, &p) || p.Retry <= 0 {
		t.Errorf("no word on when to come back: %v", err)
	}
	cut()
	for range 3 { // the pool's dead connections, if any, show themselves once
		if err = events.Record(ctx, event.Event{Kind: event.UserBanned}); err == nil {
			break
		}
		wantKind(t, err, problem.Unavailable)
	}
	must(t, err)
	if list, err := events.List(ctx, storage.EventFilter{Kind: event.UserCreated}); err != nil || len(list) != 0 {
		t.Errorf("half a transaction stayed: %v, %v", list, err)
	}
}

func TestNoDatabaseIsUnavailable(t *testing.T) {
	_, err := storage.Open(within(t), storage.Options{
		URL: "postgres://nobody@127.0.0.1:1/none?sslmode=disable", Box: storagetest.Box(), Now: time.Now,
	})
	wantKind(t, err, problem.Unavailable)
}

func TestStatementsAreCountedAndJobsAmongThem(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		var count storagetest.Counter
		db := storagetest.OpenURL(t, url, &count)
		ctx, events, queue := within(t), storage.NewEvents(db), queueOf(t, db)
		count.Reset()
		must(t, db.InTx(ctx, func(ctx context.Context) error {
			return errors.Join(events.Record(ctx, event.Event{Kind: event.UserCreated}), queue.Enqueue(ctx, anyJob))
		}))
		must(t, second(events.List(ctx, storage.EventFilter{})))
		if count.Statements() != 3 || count.Transactions() != 1 || count.Verbs()["INSERT"] != 2 {
			t.Fatalf("counted %v: %q", count.Verbs(), count.Texts())
		}
	})
}
