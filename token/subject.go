package token

import (
	"context"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
)

// Standing is all that decides about a token for a session, as it was in one moment: the
// session with its person, and the browser it is on.
type Standing struct {
	Subject

	Browser secret.Digest // of the secret in the cookie of the session's browser
}

// MintStore is what minting needs remembered.
type MintStore interface {
	// Standing returns a session, an ended one too, with its person and browser, or problem.NotFound.
	Standing(ctx context.Context, id session.ID) (Standing, error)
	// Touch notes that a session was used. It never moves the clock back and wakes no ended session.
	Touch(ctx context.Context, id session.ID, network string, at time.Time) error
}

// Asking is who asks for a token, as the request shows it.
type Asking struct {
	Browser session.Token // of the browser; zero if it showed none
	Session session.ID    // for which the token is asked
	Origin  string        // whose script asks: azp; "" is the issuer's own
	Network string        // the caller's address
	Cookie  bool          // the token will be kept in a cookie, which holds less than a header
}

// standing returns the session that is asked for, if the browser that asks is its browser
// and it stands at now. Otherwise it is
// session.ErrNobody, if no browser asks, session.ErrUnknown or session.ErrEnded. It costs one read.
func (m *Minter) standing(ctx context.Context, a Asking, now time.Time) (Standing, error) {
	if a.Browser.ID == "" {
		return Standing{}, session.ErrNobody
	}
	s, err := m.Store.Standing(ctx, a.Session)
	if problem.Is(err, problem.NotFound) {
		return s, session.ErrUnknown
	}
	if err != nil {
		return s, err
	}
	switch {
	case !a.Browser.Shows(s.Session.Browser, s.Browser):
		return s, session.ErrUnknown
	case !s.Session.Alive(now) || !s.User.MayEnter():
		return s, session.ErrEnded
	}
	return s, nil
}
