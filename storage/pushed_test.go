package storage_test

import (
	"sync"
	"testing"
	"time"

	"idp/internal/problem"
	"idp/provider"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestPushedRequestsComeBackAndAreUsedOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, p, now := t.Context(), storage.NewPushed(db), storagetest.NewClock().Now()
		want := provider.Pushed{Digest: "d1", Client: "c1", Request: []byte(`{"form":{}}`), CreatedAt: now, ExpiresAt: now.Add(time.Minute)}
		must(t, p.SavePushed(ctx, want))
		got, err := p.Pushed(ctx, "d1")
		must(t, err)
		if got.Client != "c1" || string(got.Request) != `{"form":{}}` || !got.ExpiresAt.Equal(want.ExpiresAt) || !got.SeenAt.IsZero() || !got.UsedAt.IsZero() {
			t.Fatalf("%+v", got)
		}
		must(t, p.SeePushed(ctx, "d1", now, now.Add(time.Hour)))
		must(t, p.SeePushed(ctx, "d1", now.Add(time.Minute), now.Add(9*time.Hour))) // changes nothing
		if got, err = p.Pushed(ctx, "d1"); err != nil || !got.SeenAt.Equal(now) || !got.ExpiresAt.Equal(now.Add(time.Hour)) {
			t.Fatalf("%+v %v", got, err)
		}
		errs := make(chan error, 8)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { errs <- p.UsePushed(ctx, "d1", now) })
		}
		all.Wait()
		won := 0
		for range 8 {
			if err := <-errs; err == nil {
				won++
			} else if !problem.Is(err, problem.Conflict) {
				t.Fatal(err)
			}
		}
		if won != 1 {
			t.Fatalf("%d of 8 used it", won)
		}
		if _, err := p.Pushed(ctx, "d2"); !problem.Is(err, problem.NotFound) {
			t.Fatal(err)
		}
		if _, err := storage.SweepAt(ctx, db, now.Add(59*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Pushed(ctx, "d1"); err != nil {
			t.Fatalf("swept too early: %v", err)
		}
		if _, err := storage.SweepAt(ctx, db, now.Add(61*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Pushed(ctx, "d1"); !problem.Is(err, problem.NotFound) {
			t.Fatalf("kept for ever: %v", err)
		}
	})
}
