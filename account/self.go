package account

import (
	"context"
	"net/http"
	"time"

	"idp/consent"
	"idp/event"
	"idp/identity"
	"idp/internal/web"
	"idp/login"
	"idp/session"
)

// Store is what account needs remembered beside what login does.
type Store interface {
	// DropHolding takes an address off that person's file, or is problem.NotFound.
	DropHolding(ctx context.Context, user identity.UserID, id identity.HoldingID) error
	// EventsOf returns what happened to a person, newest first, at most limit.
	EventsOf(ctx context.Context, user identity.UserID, limit int) ([]event.Event, error)
	// AppsUsed returns when each app last got something new in the person's name, by client id.
	AppsUsed(ctx context.Context, user identity.UserID) (map[string]time.Time, error)
}

// Self is what somebody who is signed in can do about themselves. Pages and API are its two
// faces: they read and write differently, and decide nothing.
type Self struct {
	Engine   *login.Engine
	Sessions *session.Keeper
	People   login.People
	Store    Store
	Grants   consent.Store
	Events   event.Recorder
	Locale   func(r *http.Request) string // best language of who sent r
	Issuer   string
	Pictures *Pictures // nil: nobody has one
	InTx     func(ctx context.Context, do func(ctx context.Context) error) error
	Now      func() time.Time

	// Erase deletes a person with all that is theirs; actor is who said so. The last operator
	// is problem.Conflict.
	Erase func(ctx context.Context, u identity.UserID, actor string) error
}

// By is who acts: the session in use, its person as they were when the request came, and
// whence it came.
type By struct {
	Session session.Session
	Who     login.Person
	At      login.At
}

// by says who acts with a request.
func (a *Self) by(r *http.Request, s session.Session, who login.Person) By {
	return By{Session: s, Who: who, At: login.At{Network: web.Network(r), UserAgent: session.Clip(r.UserAgent()), Locale: a.Locale(r)}}
}

// at says whence a request came, and for which attempt.
func (a *Self) at(r *http.Request, by By, id login.AttemptID) (login.At, error) {
	browser, err := a.Sessions.Browser(r)
	at := by.At
	at.Attempt, at.Browser = id, browser
	return at, err
}

// person loads who acts, locked, in the transaction of what they do. The session must still
// stand: a reset or an operator may have ended it since the request came, and who lost it
// has the last word no longer.
func (a *Self) person(ctx context.Context, by By) (login.Person, error) {
	p, err := a.People.Person(ctx, by.Session.User)
	if err != nil {
		return p, err
	}
	s, err := a.Sessions.Store.Session(ctx, by.Session.ID)
	if err == nil && (s.User != p.User.ID || !s.Alive(a.Now())) {
		err = session.ErrNobody
	}
	return p, err
}

// tell records what somebody did to themselves.
func (a *Self) tell(ctx context.Context, by By, k event.Kind, detail map[string]string) error {
	me := string(by.Session.User)
	return a.Events.Record(ctx, event.Event{
		Kind: k, Actor: me, User: me, Session: string(by.Session.ID), Network: by.At.Network, Detail: detail,
	})
}
