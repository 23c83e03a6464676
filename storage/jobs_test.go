package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"idp/internal/problem"
	"idp/job"
	"idp/storage"
	"idp/storage/storagetest"
)

var anyJob = job.Job{Kind: "any", Args: json.RawMessage(`{"n":1}`)}

func queueOf(t *testing.T, db *storage.DB) *storage.Queue {
	t.Helper()
	q, err := storage.NewQueue(db, nil)
	must(t, err)
	return q
}

// started works the queue until the test ends.
func started(t *testing.T, q *storage.Queue, h job.Handlers, p ...job.Periodic) {
	t.Helper()
	must(t, q.Start(t.Context(), h, p))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		must(t, q.Stop(ctx))
	})
}

func next[T any](ctx context.Context, t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-ctx.Done():
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestAJobLivesAndDiesWithItsTransaction(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, q := within(t), queueOf(t, db)
		boom := errors.New("boom")
		err := db.InTx(ctx, func(ctx context.Context) error {
			must(t, q.Enqueue(ctx, job.Job{Kind: "lost"}))
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		must(t, db.InTx(ctx, func(ctx context.Context) error {
			return q.Enqueue(ctx, job.Job{Kind: "kept", Args: json.RawMessage(`{"to":"ann"}`), Priority: job.High})
		}))
		waiting, err := q.Jobs(ctx, "", 10)
		must(t, err)
		if len(waiting) != 1 || waiting[0].Kind != "kept" || waiting[0].Priority != job.High || waiting[0].Max != 10 || waiting[0].State != "available" {
			t.Fatalf("waiting: %+v", waiting)
		}
		got := make(chan string, 8)
		started(t, q, job.Handlers{"kept": func(_ context.Context, args json.RawMessage) error {
			got <- string(args)
			return nil
		}})
		if args := next(ctx, t, got); args != `{"to":"ann"}` && args != `{"to": "ann"}` {
			t.Fatalf("args %s", args)
		}
	})
}

func TestUrgentJobsRunFirst(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, q := within(t), queueOf(t, db)
		for i := range 10 { // more than there are workers
			must(t, q.Enqueue(ctx, job.Job{Kind: "low", Priority: job.Low, Args: json.RawMessage("1")}))
			must(t, q.Enqueue(ctx, job.Job{Kind: "normal", Args: json.RawMessage("2")}))
			if i < 8 {
				must(t, q.Enqueue(ctx, job.Job{Kind: "high", Priority: job.High}))
			}
		}
		ran := make(chan string, 64)
		h := job.Handlers{}
		for _, kind := range []string{"low", "normal", "high"} {
			h[kind] = func(context.Context, json.RawMessage) error {
				ran <- kind
				return nil
			}
		}
		started(t, q, h)
		var order []string
		for range 28 {
			order = append(order, next(ctx, t, ran))
		}
		if slices.ContainsFunc(order[:8], func(k string) bool { return k != "high" }) || slices.Contains(order[8:16], "low") {
			t.Fatalf("order %v", order)
		}
	})
}

func TestAFailedJobRunsAgainAndAnOperatorSeesWhy(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, q := within(t), queueOf(t, db)
		must(t, q.Enqueue(ctx, job.Job{Kind: "flaky"}))
		must(t, q.Enqueue(ctx, job.Job{Kind: "later", RunAt: time.Now().Add(time.Hour)}))
		must(t, q.Enqueue(ctx, job.Job{Kind: "hopeless", Attempts: 1}))
		tries, gaveUp, later := make(chan time.Time, 8), make(chan bool, 8), make(chan bool, 8)
		n := 0
		started(t, q, job.Handlers{
			"flaky": func(ctx context.Context, _ json.RawMessage) error {
				if n++; job.Last(ctx) {
					t.Error("a try of ten is called the last")
				}
				tries <- time.Now()
				if n == 1 {
					return errors.New("the mail server is away")
				}
				return nil
			},
			"hopeless": func(ctx context.Context, _ json.RawMessage) error {
				if !job.Last(ctx) {
					t.Error("the only try is not called the last")
				}
				gaveUp <- true
				return errors.New("never")
			},
			"later": func(context.Context, json.RawMessage) error {
				later <- true
				return nil
			},
		})
		first := next(ctx, t, tries)
		next(ctx, t, gaveUp)
		if again := next(ctx, t, tries); again.Sub(first) < 500*time.Millisecond || again.Sub(first) > 40*time.Second {
			t.Fatalf("tried again after %v", again.Sub(first))
		}
		var lost job.State
		for lost.ID == 0 { // the state is written after the handler returned
			discarded, err := q.Jobs(ctx, "discarded", 10)
			must(t, err)
			for _, s := range discarded {
				lost = s
			}
		}
		if lost.Kind != "hopeless" || lost.LastError != "never" || lost.Attempt != 1 {
			t.Fatalf("discarded: %+v", lost)
		}
		must(t, q.Retry(ctx, lost.ID))
		next(ctx, t, gaveUp)
		scheduled, err := q.Jobs(ctx, "scheduled", 10)
		must(t, err)
		if len(scheduled) != 1 || scheduled[0].Kind != "later" || len(later) != 0 {
			t.Fatalf("scheduled: %+v", scheduled)
		}
		must(t, q.Retry(ctx, scheduled[0].ID))
		next(ctx, t, later)
		wantKind(t, q.Retry(ctx, 1<<40), problem.NotFound)
	})
}

func TestPeriodicJobsRunOncePerTurnForAllProcesses(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		ctx := within(t)
		ran := make(chan time.Time, 64)
		h := job.Handlers{"tick": func(context.Context, json.RawMessage) error {
			ran <- time.Now()
			return nil
		}}
		for range 2 {
			started(t, queueOf(t, storagetest.OpenURL(t, url, nil)), h, job.Periodic{Kind: "tick", Every: 2 * time.Second})
		}
		first := next(ctx, t, ran)
		last := first
		for turn := range 2 {
			n := len(ran)
			if n != 0 && time.Since(last) < 1500*time.Millisecond { // later, it may be the next turn's
				t.Fatalf("turn %d ran %d times too often", turn, n)
			}
			last = next(ctx, t, ran)
		}
		if took := time.Since(first); took < 1900*time.Millisecond {
			t.Fatalf("three turns of two seconds in %v", took)
		}
	})
}

func TestWorkersDoNotStarveTransactions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, q := within(t), queueOf(t, db)
		done := make(chan bool, 256)
		started(t, q, job.Handlers{"write": func(ctx context.Context, _ json.RawMessage) error {
			err := db.InTx(ctx, func(ctx context.Context) error { return storage.Bump(ctx, db, "jobs") })
			done <- err == nil
			return err
		}})
		for range 100 {
			must(t, db.InTx(ctx, func(ctx context.Context) error {
				if err := storage.Bump(ctx, db, "callers"); err != nil {
					return err
				}
				return q.Enqueue(ctx, job.Job{Kind: "write"})
			}))
		}
		for range 100 {
			if !next(ctx, t, done) {
				t.Fatal("a job could not write")
			}
		}
		got, err := db.Versions(ctx)
		must(t, err)
		if got["jobs"] != 100 || got["callers"] != 100 {
			t.Fatalf("versions %v", got)
		}
	})
}
