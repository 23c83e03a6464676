package server

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// health answers those who watch the process: alive at all, and ready for traffic.
type health struct {
	ping     func(ctx context.Context) error
	stopping atomic.Bool
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
