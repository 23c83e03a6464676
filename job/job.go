// Package job is work done later, urgent first. A room enqueues a Job in the
// transaction that causes it; if that transaction rolls back there is no job.
// The queue itself lives in storage.
package job

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Priority orders waiting jobs.
type Priority int

// Messages that somebody is waiting for come first, cleaning up last.
const (
	High   Priority = 1
	Normal Priority = 2
	Low    Priority = 4
)

// Job is one piece of work. A job runs at least once: handlers must bear repetition.
type Job struct {
	Kind     string // picks the Handler
	Args     json.RawMessage
	Priority Priority
	RunAt    time.Time // zero: now
	Attempts int       // tries before it is given up; 0 means 10
}

// Queue accepts jobs, in the transaction that ctx carries.
type Queue interface {
	Enqueue(ctx context.Context, j Job) error
}

// Handler does the work of one kind. An error means: try again later, with backoff.
type Handler func(ctx context.Context, args json.RawMessage) error

type lastKey struct{}

// OnLast says in a handler's context that this try is the last one.
func OnLast(ctx context.Context) context.Context { return context.WithValue(ctx, lastKey{}, true) }

// Last reports whether the queue gives the job up if this try fails, too.
func Last(ctx context.Context) bool {
	last, _ := ctx.Value(lastKey{}).(bool)
	return last
}

// Periodic is a job that the queue itself enqueues every so often, once for all replicas.
type Periodic struct {
	Kind  string
	Every time.Duration
}

// Handlers maps kinds to what does them.
type Handlers map[string]Handler

// Do runs the handler of that kind; a kind nobody handles is an error, not a loss.
func (h Handlers) Do(ctx context.Context, kind string, args json.RawMessage) error {
	do, ok := h[kind]
	if !ok {
		return fmt.Errorf("no handler for job kind %q", kind)
	}
	return do(ctx, args)
}

// State says where a job stands, for those who operate the queue.
type State struct {
	ID        int64
	Kind      string
	State     string // available, scheduled, running, retryable, completed, discarded, cancelled
	Priority  Priority
	Attempt   int
	Max       int
	RunAt     time.Time
	LastError string
}

// Registry is what an operator can see and do. Jobs lists the newest first, at most limit, in
// one state or ("") those not completed; Retry makes a job run now, problem.NotFound if it is gone.
type Registry interface {
	Jobs(ctx context.Context, state string, limit int) ([]State, error)
	Retry(ctx context.Context, id int64) error
}
