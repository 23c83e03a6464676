package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"

	"idp/internal/problem"
)

// malformed says that a body could not be read, or was too long to be.
func malformed(code string, err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return problem.New(problem.TooLarge, "too_large", "That is more than this address accepts.").Because(err)
	}
	return problem.New(problem.Malformed, code, "The request could not be read.").Because(err)
}

// errGone says that a body ended before it was whole: a page that was left takes back what it was
// sending. It has a code of its own, so that nobody takes it for a client's mistake.
var errGone = problem.New(problem.Malformed, "body_cut_short", "The request ended before it was whole.")

// DecodeJSON reads exactly one JSON value into v. Unknown members, trailing data and
// bodies over the limit are problems.
func DecodeJSON(r *http.Request, v any) error {
	body, err := io.ReadAll(r.Body)
	var large *http.MaxBytesError
	if err != nil && !errors.As(err, &large) {
		return errGone.Because(err)
	}
	if err != nil {
		return malformed("json_unreadable", err)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return malformed("json_unreadable", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed("json_unreadable", errors.New("data after the value"))
	}
	return nil
}

// WriteJSON answers with v.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller that went away is no error of ours
	return nil
}

// Problem is an RFC 9457 problem with our members.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Name   string `json:"code"` // what programs may rely on; details are for people and change
	Field  string `json:"field,omitempty"`
	Goal   string `json:"goal,omitempty"` // of the attempt to complete first
	Trace  string `json:"trace,omitempty"`
}

// WriteProblem answers with application/problem+json.
func WriteProblem(w http.ResponseWriter, r *http.Request, p *problem.Error) {
	status := Status(p)
	body, err := json.Marshal(Problem{
		Title: http.StatusText(status), Status: status, Detail: p.Detail, Name: p.Code, Field: p.Field, Goal: p.Goal, Trace: Trace(r),
	})
	if err != nil {
		body = []byte(`{}`) // strings always marshal
	}
	retryAfter(w, p)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

func retryAfter(w http.ResponseWriter, p *problem.Error) {
	if p.Retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.Retry.Seconds()))))
	}
}

// Status returns the HTTP status of a problem.
func Status(p *problem.Error) int {
	switch p.Kind {
	case problem.Invalid:
		return http.StatusUnprocessableEntity
	case problem.Unauthenticated:
		return http.StatusUnauthorized
	case problem.Forbidden:
		return http.StatusForbidden
	case problem.NotFound:
		return http.StatusNotFound
	case problem.Conflict:
		return http.StatusConflict
	case problem.Gone:
		return http.StatusGone
	case problem.TooMany:
		return http.StatusTooManyRequests
	case problem.Unavailable:
		return http.StatusServiceUnavailable
	case problem.Malformed:
		if p.Code == ErrMethod.Code {
			return http.StatusMethodNotAllowed
		}
		return http.StatusBadRequest
	case problem.TooLarge:
		return http.StatusRequestEntityTooLarge
	case problem.Unsupported:
		return http.StatusUnsupportedMediaType
	case problem.Unknown:
	}
	return http.StatusInternalServerError
}
