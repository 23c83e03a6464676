package session

import (
	"context"
	"net/http"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
)

// What may be wrong with a session that a browser names. One that never was and one of another
// browser are told apart by nobody.
var (
	// ErrUnknown says that this browser has no such session, and never had, as far as we know.
	ErrUnknown = problem.New(problem.NotFound, "session_unknown", "There is no such session on this browser.")
	// ErrEnded says that a session of this browser is over: the person has to sign in again.
	ErrEnded = problem.New(problem.Unauthenticated, "session_ended", "That session has ended. Please sign in again.")
)

// Shows reports whether the token is the one of a browser with that id and digest.
func (t Token) Shows(id BrowserID, digest secret.Digest) bool {
	same := secret.Equal(string(id), string(t.ID))
	proven := secret.Equal(string(digest), string(secret.DigestOf(t.Secret.Reveal())))
	return same && proven
}

// Here returns a session of the browser that sent r, an ended one too, together with the
// browser. It is ErrNobody if r comes from no browser we know, and ErrUnknown if that browser has
// no such session.
func (k *Keeper) Here(r *http.Request, id ID) (Browser, Session, error) {
	b, err := k.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return b, Session{}, ErrNobody
	}
	if err != nil {
		return b, Session{}, err
	}
	s, err := k.Store.Session(r.Context(), id)
	if problem.Is(err, problem.NotFound) || err == nil && s.Browser != b.ID {
		return b, Session{}, ErrUnknown
	}
	return b, s, err
}

// Use notes that a session was used, at most once a minute: a session dies of lack of use.
// One that is over is ErrEnded.
func (k *Keeper) Use(r *http.Request, s Session) error {
	if !s.Alive(k.Now()) {
		return ErrEnded
	}
	_, err := k.used(r, s)
	return err
}

// Still is how long a session that is used again is not written again.
const Still = time.Minute

// EndAll ends every session of a browser that stands, each in its person's name.
func (k *Keeper) EndAll(ctx context.Context, b Browser) error {
	return k.InTx(ctx, func(ctx context.Context) error {
		alive, err := k.Sessions(ctx, b)
		if err != nil {
			return err
		}
		for _, s := range alive {
			if err := k.End(ctx, s, string(s.User)); err != nil {
				return err
			}
		}
		return nil
	})
}
