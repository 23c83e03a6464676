package idp

import (
	"errors"
	"fmt"
)

// What goes wrong. Every error of Verify is one of these (errors.Is); each is reason enough to
// refuse the request.
var (
	// ErrInvalid says that the token is not one to believe. The message says why, for logs; it
	// holds nothing of the token itself.
	ErrInvalid = errors.New("idp: token refused")

	// ErrExpired says that the token was good and its time is over; it is an ErrInvalid too.
	ErrExpired = fmt.Errorf("%w: expired", ErrInvalid)

	// ErrKeys says that the issuer's keys could not be fetched, so that nothing is known about
	// the token: answer 503, not 401.
	ErrKeys = errors.New("idp: the issuer's keys cannot be fetched")

	// ErrClaim says that a token has no claim of that name.
	ErrClaim = errors.New("idp: no such claim")
)

func refused(why string, args ...any) error {
	return fmt.Errorf("%w: "+why, append([]any{ErrInvalid}, args...)...)
}
