package account

import (
	"cmp"
	"net/http"

	"idp/internal/problem"
	"idp/internal/web"
	"idp/session"
)

var errNoSession = problem.New(problem.NotFound, "session_unknown", "That device is not signed in to your account.")

// notTheirs says of somebody else's session what is said of one that never was.
func notTheirs(err error) error {
	if err == nil || problem.Is(err, problem.NotFound) {
		return errNoSession
	}
	return err
}

// EndSession answers POST /account/sessions/end: one of the person's sessions, anywhere, is over.
func (p *Pages) EndSession(w http.ResponseWriter, r *http.Request) error {
	s, ok, err := p.signedIn(w, r)
	if !ok {
		return err
	}
	id := session.ID(r.PostFormValue("session"))
	if err := p.EndDevice(r.Context(), s, id); err != nil {
		return err
	}
	if id == s.ID { // a second tab asked for what the first had made this one
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
	if err := p.leaveOthers(r.Context(), s); err != nil {
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
	if err := p.RevokeApp(r.Context(), s, r.PostFormValue("client")); err != nil {
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
	if p.Behind != nil {
		offer, err := p.Behind(r, ended)
		if err != nil {
			return err
		}
		to = cmp.Or(offer, to)
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
