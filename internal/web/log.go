package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"idp/internal/problem"
)

// Key is a log attribute that handlers may add to the line of their request. There are
// no others, so that no address, code, token or query can slip into the log.
type Key string

// The keys.
const (
	KeyUser    Key = "user"
	KeySession Key = "session"
	KeyClient  Key = "client"
	KeyAttempt Key = "attempt"
	keyCode    Key = "code"
)

// Note adds an id to the access log line of the request that ctx belongs to. A path may
// hold anything where an id belongs; what has not the look of one is left out.
func Note(ctx context.Context, k Key, id string) {
	if !looksLikeID(id) {
		return
	}
	s := stateOf(ctx)
	s.notes = append(s.notes, slog.String(string(k), id))
}

const longestID = 64

func looksLikeID(s string) bool {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}
	return len(s) <= longestID && !strings.ContainsFunc(s, strange)
}

// record writes the access log line and tells the metrics. The route's pattern stands for
// the path, which may hold a token in its query.
func (f *Faces) record(r *http.Request, w *response, rt Route, s *state, took time.Duration) {
	status, route := w.status, rt.Pattern
	if status == 0 {
		status = http.StatusOK
	}
	if route == "" {
		route = "none"
	}
	if f.Observe != nil {
		f.Observe(route, status, took)
	}
	attrs := append([]slog.Attr{
		slog.String("method", method(r.Method)), slog.String("route", route), slog.Int("status", status),
		slog.Int64("bytes", w.bytes), slog.Duration("took", took), slog.String("trace", s.trace),
	}, s.notes...)
	f.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}

// method keeps invented methods out of the log.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// fail logs what is our own fault and answers in the manner of the face.
func (f *Faces) fail(w *response, r *http.Request, face Face, err error) {
	s := stateOf(r.Context())
	p := f.understood(r, err)
	Note(r.Context(), keyCode, p.Code)
	if p.Kind == problem.Unknown {
		f.Log.LogAttrs(r.Context(), slog.LevelError, "request failed", slog.String("trace", s.trace), slog.String("error", err.Error()))
	}
	if w.status != 0 {
		return // too late to say anything
	}
	if face.html() {
		f.Pages.Problem(w, r, p)
		return
	}
	WriteProblem(w, r, p)
}

var errOurs = problem.New(problem.Unknown, "server_error", "Something went wrong on our side.")

// understood returns the problem in err; whatever is none is our own fault.
func (f *Faces) understood(r *http.Request, err error) *problem.Error {
	var p *problem.Error
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &large):
		return problem.New(problem.TooLarge, "too_large", "That is more than this address accepts.")
	case errors.Is(err, context.DeadlineExceeded) && r.Context().Err() != nil:
		return problem.New(problem.Unavailable, "too_slow", "This takes too long right now. Please try again.").After(5 * time.Second)
	}
	return errOurs
}

func (f *Faces) panicked(w *response, r *http.Request, rt Route, cause any) {
	if cause == http.ErrAbortHandler { //nolint:errorlint // a sentinel that is panicked, not returned
		panic(cause)
	}
	f.Log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("trace", stateOf(r.Context()).trace),
		slog.String("cause", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
	f.fail(w, r, rt.Face, errOurs)
}
