package web

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"

	"idp/internal/secret"
)

// state is what one request gathers on its way.
type state struct {
	trace   string
	network string
	browser string // as Pages.Browser said, asked once
	origin  string // whose script asks
	notes   []slog.Attr
}

type stateKey struct{}

func newState(network, origin string) *state {
	return &state{trace: hex.EncodeToString(secret.Bytes(8)), network: network, origin: origin}
}

func stateOf(ctx context.Context) *state {
	if s, ok := ctx.Value(stateKey{}).(*state); ok {
		return s
	}
	return &state{}
}

// Network returns the caller's address: the connection's, or behind trusted proxies
// the nearest address that is not one of them. It is empty outside a face.
func Network(r *http.Request) string { return stateOf(r.Context()).network }

// Trace returns the id under which this request is logged; people quote it to us.
func Trace(r *http.Request) string { return stateOf(r.Context()).trace }

// response remembers what was answered.
type response struct {
	http.ResponseWriter
	status  int
	bytes   int64
	leaving func(http.Header) // has the last word on the headers; may be nil
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		if w.leaving != nil {
			w.leaving(w.Header())
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// probe takes the mux's own 404 or 405 without sending it.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
