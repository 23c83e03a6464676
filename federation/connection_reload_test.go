package federation_test

import (
	"context"
	"testing"
	"time"

	"idp/federation"
)

// held hands out what was on file when it was first asked only when it is let go.
type held struct {
	federation.Store
	read, free chan struct{}
	asked      bool
}

func (s *held) Connections(ctx context.Context) ([]federation.Connection, error) {
	first := !s.asked
	s.asked = true
	all, err := s.Store.Connections(ctx)
	if first {
		close(s.read)
		<-s.free
	}
	return all, err
}

func TestWhoReadsTheConnectionsSlowlyPutsNoOlderOnesInForce(t *testing.T) {
	h := newHouse(t)
	store := &held{Store: h.f.Store, read: make(chan struct{}), free: make(chan struct{})}
	h.f.Store = store
	slow, fast := make(chan error, 1), make(chan error, 1)
	go func() { slow <- h.f.Reload(context.WithoutCancel(t.Context())) }()
	<-store.read
	h.must(store.SaveConnection(t.Context(), h.c))
	go func() { fast <- h.f.Reload(context.WithoutCancel(t.Context())) }()
	var err error
	select { // whoever does not wait is done by then, and the slow one overtakes it
	case err = <-fast:
		fast <- err
	case <-time.After(100 * time.Millisecond):
	}
	close(store.free)
	h.must(<-slow)
	h.must(<-fast)
	if _, err := h.f.Connection("acme"); err != nil {
		t.Errorf("what was just written is not in force: %v", err)
	}
}
