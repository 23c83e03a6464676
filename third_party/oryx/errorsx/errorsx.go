// Package errorsx stands in for the error helpers that fosite imports.
package errorsx

// WithStack returns err as it is: idp wraps errors with words, not with stacks.
func WithStack(err error) error { return err }

// Cause returns the innermost error that err carries by a Cause method.
func Cause(err error) error {
	for err != nil {
		carrier, ok := err.(interface{ Cause() error })
		if !ok {
			return err
		}
		inner := carrier.Cause()
		if inner == nil {
			return err
		}
		err = inner
	}
	return nil
}

// DebugCarrier is an error with a note for developers.
type DebugCarrier interface{ Debug() string }

// DetailsCarrier is an error with structured details.
type DetailsCarrier interface{ Details() map[string]any }

// ReasonCarrier is an error that says why.
type ReasonCarrier interface{ Reason() string }

// RequestIDCarrier is an error that knows its request.
type RequestIDCarrier interface{ RequestID() string }

// StatusCarrier is an error with a status text.
type StatusCarrier interface{ Status() string }

// StatusCodeCarrier is an error with an HTTP status.
type StatusCodeCarrier interface{ StatusCode() int }
