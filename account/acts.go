package account

import (
	"context"
	"net/http"

	"idp/event"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/session"
)

// EndSession answers POST /account/sessions/end: one of the person's sessions, anywhere, is over.
func (p *Pages) EndSession(w http.ResponseWriter, r *http.Request) error {
	s, ok, err := p.signedIn(w, r)
	if !ok {
		return err
	}
	target, err := p.Sessions.Store.Session(r.Context(), session.ID(r.PostFormValue("session")))
	if problem.Is(err, problem.NotFound) || err == nil && target.User != s.User {
		return problem.New(problem.NotFound, "session_unknown", "That device is not signed in to your account.")
	}
	if err != nil {
		return err
	}
	if err := p.Sessions.End(r.Context(), target, string(s.User)); err != nil {
		return err
	}
	if target.ID == s.ID { // a second tab asked for what the first had made this one
		return p.left(w, r, s.ID)
	}
	return done(w, r, "ended")
}

// EndOthers answers POST /account/sessions/end-others: all of the person's sessions but this one are over.
func (p *Pages) EndOthers(w http.ResponseWriter, r *http.Request) error {
	s, ok, err := p.signedIn(w, r)
	if !ok {
		return err
	}
	if err := p.Sessions.EndOthers(r.Context(), s.User, s.ID, string(s.User)); err != nil {
		return err
	}
	return done(w, r, "ended_others")
}

// Revoke answers POST /account/apps/revoke: the app's access, and all that rests on it, is over.
func (p *Pages) Revoke(w http.ResponseWriter, r *http.Request) error {
	s, ok, err := p.signedIn(w, r)
	if !ok {
		return err
	}
	client := r.PostFormValue("client")
	err = p.InTx(r.Context(), func(ctx context.Context) error {
		dropped, err := p.Grants.DropGrant(ctx, s.User, client, p.Now())
		if err != nil || !dropped {
			return err
		}
		return p.Events.Record(ctx, event.Event{
			Kind: event.ConsentRevoked, Actor: string(s.User), User: string(s.User), Client: client, Session: string(s.ID),
		})
	})
	if err != nil {
		return err
	}
	return done(w, r, "revoked")
}

// SignOut answers POST /sign-out: the session in use is over. Signing out twice is fine.
func (p *Pages) SignOut(w http.ResponseWriter, r *http.Request) error {
	s, err := p.Sessions.Current(r)
	if problem.Is(err, problem.Unauthenticated) {
		return web.Redirect(w, r, "/sign-in?signed_out=1")
	}
	if err != nil {
		return err
	}
	if err := p.Sessions.End(r.Context(), s, string(s.User)); err != nil {
		return err
	}
	return p.left(w, r, s.ID)
}

// left sends the browser on after its session has ended.
func (p *Pages) left(w http.ResponseWriter, r *http.Request, ended session.ID) error {
	to := "/sign-in?signed_out=1"
	if _, err := p.Sessions.ShowState(w, r); err != nil {
		return err
	}
	if p.Parting == nil {
		return web.Redirect(w, r, to)
	}
	to, err := p.Parting(r, []session.ID{ended}, to)
	if err != nil {
		return err
	}
	return web.Redirect(w, r, to)
}
