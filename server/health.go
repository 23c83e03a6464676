package server

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// health answers those who watch the process: alive at all, and ready for traffic.
type health struct {
	ping     func(ctx context.Context) error
	stopping atomic.Bool
	open     atomic.Int64 // connections
}

// count keeps track of open connections; it is an http.Server's ConnState.
func (h *health) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		h.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		h.open.Add(-1)
	case http.StateActive, http.StateIdle: // was counted, still is
	}
}

// leaving asks callers to come back on another connection once the process is stopping.
func (h *health) leaving(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// calm is how long nobody may be connected, once somebody was, before nobody is expected to come: callers who open a
// connection for each request may all be between two of them.
const calm = 500 * time.Millisecond

// turnAway makes the process not ready, and waits until nobody is connected who could
// still send something, for notice at most. With no connection open it returns at once.
func (h *health) turnAway(notice time.Duration) {
	h.stopping.Store(true)
	if h.open.Load() == 0 {
		return
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end, seen := time.After(notice), time.Now()
	for time.Since(seen) < calm {
		select {
		case <-tick.C:
			if h.open.Load() > 0 {
				seen = time.Now()
			}
		case <-end:
			return
		}
	}
}

const pingPatience = 2 * time.Second

// live says that the process answers; it asks nothing else, so that a database outage
// does not get every replica killed.
func (h *health) live(w http.ResponseWriter, _ *http.Request) error {
	return plain(w, http.StatusOK, "ok\n")
}

// ready says whether to send traffic here: not while stopping, not without the database.
func (h *health) ready(w http.ResponseWriter, r *http.Request) error {
	if h.stopping.Load() {
		return plain(w, http.StatusServiceUnavailable, "stopping\n")
	}
	ctx, cancel := context.WithTimeout(r.Context(), pingPatience)
	defer cancel()
	if h.ping(ctx) != nil {
		w.Header().Set("Retry-After", "2")
		return plain(w, http.StatusServiceUnavailable, "database unreachable\n")
	}
	return plain(w, http.StatusOK, "ready\n")
}

func plain(w http.ResponseWriter, status int, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write([]byte(text))
	return err
}
