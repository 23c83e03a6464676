package token

import "idp/internal/problem"

// The sizes of a token, in bytes of its compact form.
const (
	WarnSize   = 2 << 10 // from here on it burdens every request it travels with
	CookieSize = 3584    // a cookie with its name and attributes has 4096
	MaxSize    = 8 << 10 // what servers take in one header, and what we look at ourselves
)

// Weight is what a size means.
type Weight string

// The weights.
const (
	Light    Weight = "light"
	Heavy    Weight = "heavy"     // WarnSize or more
	TooHeavy Weight = "too_heavy" // more than MaxSize
)

// Size is what the meter shows of a token.
type Size struct {
	Bytes    int    `json:"bytes"`
	Weight   Weight `json:"weight"`
	InCookie bool   `json:"in_cookie"` // it fits into one
}

// Measure weighs a signed token.
func Measure(jwt string) Size {
	s := Size{Bytes: len(jwt), Weight: Light, InCookie: len(jwt) <= CookieSize}
	switch {
	case s.Bytes > MaxSize:
		s.Weight = TooHeavy
	case s.Bytes >= WarnSize:
		s.Weight = Heavy
	}
	return s
}

// ErrCookieTooLarge says that a token does not fit into a cookie.
var ErrCookieTooLarge = problem.New(problem.Invalid, "token_too_large", "This token is longer than 3.5 KB and does not fit into a cookie. Let the template tell less, or send the token as a header.")

// CheckSize refuses a signed token that is longer than may be, in a cookie or otherwise, with
// problem.Invalid.
func CheckSize(jwt string, cookie bool) error {
	switch {
	case len(jwt) > MaxSize:
		return ErrTokenTooLarge
	case cookie && len(jwt) > CookieSize:
		return ErrCookieTooLarge
	}
	return nil
}
