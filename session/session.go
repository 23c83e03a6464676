// Package session knows who is signed in on this browser, and how well proven.
//
// A Browser is one cookie jar; it is recognised by a random secret in one cookie
// and may hold several Sessions, one per person. A Session is a person's presence
// there: what they proved and when, how long it lasts, when it was last used.
// Signing out ends the session's row, so it is over everywhere at once.
package session

import (
	"context"
	"time"

	"idp/identity"
	"idp/internal/secret"
)

// BrowserID names one cookie jar.
type BrowserID string

// ID names a session; relying parties see it as the claim sid.
type ID string

// Browser is one cookie jar. The secret in its cookie is renewed at every sign-in.
type Browser struct {
	ID        BrowserID
	Digest    secret.Digest // of the cookie's secret
	Active    ID            // the session in use, "" for none
	UserAgent string
	CreatedAt time.Time
	SeenAt    time.Time
}

// Session is a person's presence on one browser.
type Session struct {
	ID           ID
	Browser      BrowserID
	User         identity.UserID
	Proofs       []identity.Proof
	AuthTime     time.Time // when the person last proved who they are
	CreatedAt    time.Time
	LastActiveAt time.Time
	ExpiresAt    time.Time     // however active
	Idle         time.Duration // ends this long after LastActiveAt
	EndedAt      time.Time     // zero while it lasts
	Public       bool          // "public computer": the cookie is forgotten with the window
	UserAgent    string
	Network      string // address it was last used from
}

// Alive reports whether the session still stands at now.
func (s Session) Alive(now time.Time) bool {
	return s.EndedAt.IsZero() && now.Before(s.ExpiresAt) && now.Before(s.LastActiveAt.Add(s.Idle))
}

// Need is what a relying party, or a sensitive act, demands of a session.
type Need struct {
	Categories  identity.Category `json:"categories,omitempty"`
	Resistant   bool              `json:"resistant,omitempty"`    // to phishing: a passkey was shown
	MaxAge      *time.Duration    `json:"max_age,omitempty"`      // of the last proof (OIDC max_age)
	Anew        bool              `json:"anew,omitempty"`         // proven after RequestedAt (prompt=login)
	RequestedAt time.Time         `json:"requested_at,omitempty"` // when it was first asked for
}

// Satisfies reports whether the session meets the need at now. Somebody who proved
// themselves after the request arrived is always fresh enough: otherwise max_age=0
// would ask for ever.
func (s Session) Satisfies(n Need, now time.Time) bool {
	if !s.Alive(now) || n.Categories&^identity.Covered(s.Proofs) != 0 || n.Resistant && identity.ACR(s.Proofs) != identity.PHR {
		return false
	}
	if !n.RequestedAt.IsZero() && !s.AuthTime.Before(n.RequestedAt) {
		return true
	}
	return !n.Anew && (n.MaxAge == nil || now.Sub(s.AuthTime) <= *n.MaxAge)
}

// Settings are the operator's choices about sessions.
type Settings struct {
	Maximum time.Duration `json:"maximum"` // a session's life, however active
	Idle    time.Duration `json:"idle"`    // a session's life without use
}

// DefaultSettings are 30 days at most and 7 days without use.
func DefaultSettings() Settings {
	return Settings{Maximum: 30 * 24 * time.Hour, Idle: 7 * 24 * time.Hour}
}

// Store is what session needs remembered.
type Store interface {
	Browsers

	Session(ctx context.Context, id ID) (Session, error) // problem.NotFound; ended ones too
	SaveSession(ctx context.Context, s Session) error    // creates or replaces; never revives an ended one
	OnBrowser(ctx context.Context, id BrowserID) ([]Session, error)
	OfUser(ctx context.Context, id identity.UserID) ([]Session, error) // not ended, newest activity first, at most 100
	Touch(ctx context.Context, id ID, network string, at time.Time) error
	End(ctx context.Context, id ID, at time.Time) (bool, error) // false: it had ended already
	EndOthers(ctx context.Context, user identity.UserID, keep ID, at time.Time) ([]ID, error)
}

// Browsers is what has to be remembered of browsers.
type Browsers interface {
	Browser(ctx context.Context, id BrowserID) (Browser, error) // problem.NotFound
	SaveBrowser(ctx context.Context, b Browser) error           // creates or replaces
	// Activate notes which session is in use and when b was seen, while its secret is the one
	// of b: otherwise problem.NotFound, and a secret that was renewed stays so.
	Activate(ctx context.Context, b Browser) error
	// Renew puts b in the place of the browser whose secret was until now: of two who sign in at
	// once on one browser, the slower gets problem.NotFound, and a secret that was renewed stays so.
	Renew(ctx context.Context, b Browser, was secret.Digest) error
}
