package storage_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/login"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestTheLastFailureBlocksAndOldOnesAreForgotten(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, throttle := within(t), storage.NewThrottle(db)
		budget := []login.Budget{{Key: "person ann", Limit: 3, Window: time.Hour}}
		for _, step := range []struct {
			at   time.Duration
			want time.Duration
			why  string
		}{
			{0, 0, "first"},
			{40 * time.Minute, 0, "second, and the window starts again"},
			{80 * time.Minute, 0, "third and last; the first is 80 minutes old, but they came in a row"},
			{81 * time.Minute, 59 * time.Minute, "blocked since the last failure"},
			{139 * time.Minute, time.Minute, "asking while blocked makes it no longer"},
			{140 * time.Minute, 0, "forgotten, counted from one again"},
			{140 * time.Minute, 0, "second"},
			{140 * time.Minute, 0, "third"},
			{140 * time.Minute, time.Hour, "blocked again"},
		} {
			wait, err := throttle.Reserve(ctx, budget, noon.Add(step.at))
			must(t, err)
			if wait != step.want {
				t.Fatalf("after %v: wait %v, want %v (%s)", step.at, wait, step.want, step.why)
			}
		}
	})
}

func TestAReservationIsAllOrNone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, throttle := within(t), storage.NewThrottle(db)
		small, big := login.Budget{Key: "small", Limit: 1, Window: time.Hour}, login.Budget{Key: "big", Limit: 2, Window: 3 * time.Hour}
		reserve := func(b ...login.Budget) time.Duration {
			t.Helper()
			wait, err := throttle.Reserve(ctx, b, noon)
			must(t, err)
			return wait
		}
		if w := reserve(big, small); w != 0 {
			t.Fatalf("first: %v", w)
		}
		for range 5 { // small is spent: none of these may cost big anything
			if w := reserve(big, small); w != time.Hour {
				t.Fatalf("wait %v", w)
			}
		}
		if w := reserve(big); w != 0 {
			t.Fatalf("big was charged: %v", w)
		}
		if w := reserve(small, big); w != 3*time.Hour {
			t.Fatalf("the longest wait counts: %v", w)
		}
		must(t, throttle.Release(ctx, []string{"big"}, noon))
		if w := reserve(big); w != 0 {
			t.Fatalf("given back, yet %v", w)
		}
		must(t, throttle.Clear(ctx, []string{"small", "big"}))
		if w := reserve(small, big); w != 0 {
			t.Fatalf("cleared, yet %v", w)
		}
		must(t, throttle.Release(ctx, []string{"never seen"}, noon))
		if w := reserve(); w != 0 {
			t.Fatalf("no budgets, yet %v", w)
		}
	})
}

func TestParallelGuessesCannotBeatTheCount(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		ctx := within(t)
		var let atomic.Int32
		var all sync.WaitGroup
		for range 2 {
			throttle := storage.NewThrottle(storagetest.OpenURL(t, url, nil))
			for range 32 {
				all.Go(func() {
					wait, err := throttle.Reserve(ctx, []login.Budget{
						{Key: "network", Limit: 50, Window: time.Hour}, {Key: "person", Limit: 10, Window: time.Hour},
					}, noon)
					if err != nil {
						t.Error(err)
					} else if wait == 0 {
						let.Add(1)
					}
				})
			}
		}
		all.Wait()
		if let.Load() != 10 {
			t.Fatalf("%d guesses got through a budget of 10", let.Load())
		}
	})
}

func TestGuessingAndForgivingAtOnceNeverWaitForEachOther(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		ctx, began := within(t), time.Now()
		budgets := []login.Budget{
			{Key: "network", Limit: 1000, Window: time.Hour}, {Key: "person", Limit: 1000, Window: time.Hour}, {Key: "mail", Limit: 1000, Window: time.Hour},
		}
		var all sync.WaitGroup
		for range 2 {
			throttle := storage.NewThrottle(storagetest.OpenURL(t, url, nil))
			for range 4 {
				all.Go(func() {
					for range 25 {
						_, err := throttle.Reserve(ctx, budgets, noon)
						must(t, err)
					}
				})
				all.Go(func() {
					for range 25 {
						must(t, throttle.Forgive(ctx, []string{"network"}, []string{"person", "mail"}, noon))
					}
				})
			}
		}
		all.Wait()
		// PostgreSQL looks for a deadlock after a second; then one of the two starts over.
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}
