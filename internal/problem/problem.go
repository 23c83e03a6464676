// Package problem names what can go wrong for a caller, so that a person, a
// program and an operator each learn what they can act on: a stable code, a
// plain sentence, and a wrapped cause that never leaves the process.
//
// Rooms return problems; only internal/web turns them into a page or into
// application/problem+json (RFC 9457). Anything that is not a problem is our
// own fault and becomes a 500 without detail.
package problem

import (
	"errors"
	"time"
)

// Kind says what sort of trouble it is; internal/web maps it to an HTTP status.
type Kind int

// The kinds. Unknown is the zero value and never made on purpose.
const (
	Unknown         Kind = iota
	Invalid              // 422: the input cannot be accepted; Field says which
	Unauthenticated      // 401: nobody is signed in, or the credential is wrong
	Forbidden            // 403: known, but not allowed
	NotFound             // 404
	Conflict             // 409: somebody was faster, or it exists already
	Gone                 // 410: existed, used up or expired
	TooMany              // 429: slow down; RetryAfter says how long
	Unavailable          // 503: not now; RetryAfter says how long
	Malformed            // 400: not even readable
	TooLarge             // 413
	Unsupported          // 415
)

// Error is trouble that someone can act on.
type Error struct {
	Kind   Kind
	Code   string // stable, snake_case, part of the API
	Detail string // one plain sentence for people
	Field  string // input the sentence is about, or ""
	Retry  time.Duration
	Goal   string // of the attempt that has to be completed before this can be done, or ""
	cause  error
}

// New makes a problem. Code is part of the public contract; detail is shown to people.
func New(kind Kind, code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// On returns a copy that names the input field it is about.
func (e *Error) On(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// After returns a copy that asks the caller to wait d before trying again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.Retry = d
	return &c
}

// First returns a copy that says which attempt to complete before trying again, by its goal.
func (e *Error) First(goal string) *Error {
	c := *e
	c.Goal = goal
	return &c
}

// Because returns a copy that wraps cause, for logs and errors.Is; callers never see it.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error implements error, in words for the log.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.cause.Error()
	}
	return e.Code
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether err is, or wraps, a problem of that kind.
func Is(err error, kind Kind) bool {
	var p *Error
	return errors.As(err, &p) && p.Kind == kind
}

// HasCode reports whether err is, or wraps, a problem with that code.
func HasCode(err error, code string) bool {
	var p *Error
	return errors.As(err, &p) && p.Code == code
}
