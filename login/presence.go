package login

import (
	"context"
	"errors"
	"slices"
	"time"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/session"
)

// This file ties sessions here to the sessions at providers by which they began: whoever is signed
// out there is signed out here, and whoever signs out here can do so there too. Ours ends first.

// Presences remembers by which session at a provider a session began. It goes with the session.
type Presences interface {
	// SavePresence replaces what was remembered of that session.
	SavePresence(ctx context.Context, id session.ID, p federation.Presence, at time.Time) error
	// Presence is problem.NotFound if the session began by none.
	Presence(ctx context.Context, id session.ID) (federation.Presence, error)
	// Present returns sessions that were not ended and began by a session of that name, by their
	// id, after that one, at most 100.
	Present(ctx context.Context, name string, after session.ID) ([]Attendance, error)
}

// Attendance is a session with the one at a provider by which it began.
type Attendance struct {
	Session  session.ID
	User     identity.UserID
	Presence federation.Presence
}

// attend notes by which session at a provider the session begins, if what it rests on is that: a
// proof by the account there, or a newcomer who came by it.
func (e *Engine) attend(ctx context.Context, t *turn, s session.Session) error {
	p := t.a.Presence
	if p == nil || e.Presences == nil {
		return nil
	}
	rests := slices.ContainsFunc(s.Proofs, func(x identity.Proof) bool {
		return x.Credential == p.Credential && x.Method.Federated() && x.Method.Connection() == p.Connection
	})
	came := t.a.Goal != Connect && t.a.Upstream != nil && t.a.Upstream.Account.Credential() == p.Credential
	if !rests && !came {
		return nil
	}
	return e.Presences.SavePresence(ctx, s.ID, *p, t.now)
}

const mostPresent = 100 // read at once

// Part is what comes of a provider's message about signing out. If it is the provider's wish, the
// sessions that began by the one there are over, each like one that its person ended, once; way is
// then where the browser brings our answer. If it is the provider's answer to ours, way is nil.
func (e *Engine) Part(ctx context.Context, c federation.Connection, n federation.Notice) (confirmed bool, way *federation.Way, err error) {
	said, err := e.Federation.Part(ctx, c, n)
	if err != nil || said.Request == nil {
		return said.Confirmed, nil, err
	}
	answer, err := e.Federation.Reply(ctx, c, said.Request)
	if err != nil {
		return false, nil, err
	}
	err = e.InTx(ctx, func(ctx context.Context) error {
		if err := e.Federation.Use(ctx, said.Request); err != nil || e.Presences == nil {
			return err
		}
		return e.endPresent(ctx, c, said.Request)
	})
	if err != nil {
		return false, nil, err
	}
	return false, &answer, nil
}

func (e *Engine) endPresent(ctx context.Context, c federation.Connection, r *federation.PartingRequest) error {
	now, last := e.Now(), session.ID("")
	for {
		all, err := e.Presences.Present(ctx, r.Key, last)
		if err != nil {
			return err
		}
		for _, a := range all {
			last = a.Session
			if a.Presence.Connection != c.Name || !r.Ends(a.Presence) {
				continue
			}
			ended, err := e.Sessions.End(ctx, a.Session, now)
			if err != nil {
				return err
			}
			if !ended {
				continue
			}
			err = e.Events.Record(ctx, event.Event{
				Kind: event.SessionEnded, Actor: "connection:" + c.Name, User: string(a.User), Session: string(a.Session),
			})
			if err != nil {
				return err
			}
		}
		if len(all) < mostPresent {
			return nil
		}
	}
}

// LeftBehind returns the provider at which a session is left that this one began by, if the person
// can be signed out there too.
func (e *Engine) LeftBehind(ctx context.Context, id session.ID) (federation.Connection, federation.Presence, bool, error) {
	saml := func(c federation.Connection) bool { return c.Type == federation.SAML }
	if e.Presences == nil || !slices.ContainsFunc(e.Federation.All(), saml) {
		return federation.Connection{}, federation.Presence{}, false, nil // and costs nothing
	}
	p, err := e.Presences.Presence(ctx, id)
	if problem.Is(err, problem.NotFound) {
		return federation.Connection{}, p, false, nil
	}
	if err != nil {
		return federation.Connection{}, p, false, err
	}
	c, err := e.Federation.Connection(p.Connection)
	if err != nil && !problem.HasCode(err, federation.ErrDisabled.Code) {
		return c, p, false, nil
	}
	return c, p, e.Federation.Parts(ctx, c), nil
}

var errNoneLeft = errors.New("no session is left there")

// Leave is where the browser goes so that its person is signed out there too, after the session
// here has ended. One that stands is not signed out by this.
func (e *Engine) Leave(ctx context.Context, id session.ID) (federation.Way, error) {
	s, err := e.Sessions.Session(ctx, id)
	if err != nil {
		return federation.Way{}, err
	}
	c, p, ok, err := e.LeftBehind(ctx, id)
	if err != nil {
		return federation.Way{}, err
	}
	if !ok || s.Alive(e.Now()) {
		return federation.Way{}, ErrOver.Because(errNoneLeft)
	}
	return e.Federation.Leave(ctx, c, p)
}
