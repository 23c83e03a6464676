package secret

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"idp/internal/problem"
)

const (
	gateQueue = 64              // callers that may wait; the next one is told to come back
	gateWait  = 2 * time.Second // longest wait for a slot
)

// ErrBusy says that more passwords arrive than this machine can hash.
var ErrBusy = problem.New(problem.Unavailable, "busy", "Too many people are signing in right now. Please try again in a moment.").After(gateWait)

// gate lets only so many expensive computations run at once. A flood of sign-ins then
// costs a bounded share of processor and memory, and everything else stays quick.
type gate struct {
	slots   chan struct{}
	waiting atomic.Int64
	wait    time.Duration
}

// newGate makes a gate of n slots; 0 is one fewer than the processors, at least one.
func newGate(n int) *gate {
	if n <= 0 {
		n = max(1, runtime.GOMAXPROCS(0)-1)
	}
	return &gate{slots: make(chan struct{}, n), wait: gateWait}
}

// pass runs do in a slot, or returns ErrBusy when there is none in time, or ctx's error.
func (g *gate) pass(ctx context.Context, do func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case g.slots <- struct{}{}:
	default:
		if err := g.queue(ctx); err != nil {
			return err
		}
	}
	defer func() { <-g.slots }()
	do()
	return nil
}

func (g *gate) queue(ctx context.Context) error {
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > gateQueue {
		return ErrBusy
	}
	patience, stop := context.WithTimeoutCause(ctx, g.wait, ErrBusy)
	defer stop()
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-patience.Done():
		if cause := context.Cause(patience); errors.Is(cause, ErrBusy) {
			return cause
		}
		return ctx.Err()
	}
}
