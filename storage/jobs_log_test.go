package storage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"idp/job"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestTheQueuesLogHoldsFailedJobsAndNoChatter(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := within(t)
		var log bytes.Buffer // its handler locks, and the queue is stopped before it is read
		q, err := storage.NewQueue(db, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		must(t, err)
		must(t, q.Enqueue(ctx, job.Job{Kind: "hopeless", Attempts: 1}))
		must(t, q.Enqueue(ctx, job.Job{Kind: "broken", Attempts: 1}))
		must(t, q.Enqueue(ctx, job.Job{Kind: "fine"}))
		ran := make(chan bool, 3)
		must(t, q.Start(ctx, job.Handlers{
			"hopeless": func(context.Context, json.RawMessage) error {
				ran <- true
				return errors.New("the mail server is away")
			},
			"broken": func(context.Context, json.RawMessage) error { ran <- true; panic("out of paper") },
			"fine":   func(context.Context, json.RawMessage) error { ran <- true; return nil },
		}, nil))
		for range 3 {
			next(ctx, t, ran)
		}
		must(t, q.Stop(ctx))
		for _, part := range []string{
			`"msg":"job failed","job":1,"attempt":1,"of":1,"kind":"hopeless","err":"the mail server is away"`,
			`"msg":"job panicked","job":2,"attempt":1,"of":1,"kind":"broken","cause":"out of paper","stack":`,
		} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("%s is missing in\n%s", part, log.String())
			}
		}
		for _, chatter := range []string{"DEBUG", "INFO", "fine", "listener", "canceled"} {
			if strings.Contains(log.String(), chatter) {
				t.Errorf("%s is in\n%s", chatter, log.String())
			}
		}
	})
}

func TestQueriesThatAStopCancelledAreNoErrors(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(storage.Quiet(slog.NewTextHandler(&out, nil))).With("room", "queue").WithGroup("river")
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	log.ErrorContext(stopped, "Error starting transaction", "error", "context canceled")
	log.InfoContext(t.Context(), "River client started")
	if out.Len() > 0 {
		t.Errorf("logged %s", out.String())
	}
	log.WarnContext(t.Context(), "backlog")
	log.ErrorContext(late, "too slow")
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "backlog") || !strings.Contains(got, "too slow") {
		t.Errorf("logged %s", got)
	}
}
