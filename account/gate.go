package account

import (
	"net/http"

	"idp/internal/problem"
	"idp/internal/web"
	"idp/login"
	"idp/session"
)

// A session lasts for weeks, and somebody else may sit down at it. What they could lock its
// owner out with, or carry away, needs more: everything the person can show, shown within
// the last ten minutes. The gate is in front of the act itself; a page that only has a form
// may be looked at freely.

// ErrStepUp says that the person has to prove anew who they are before they may do that.
var ErrStepUp = problem.New(problem.Forbidden, "step_up_required", "Please confirm first that it is you.").First(string(login.StepUp))

// Recently returns the session in use and its person if what they proved suffices for a
// sensitive act. It is session.ErrNobody without a session, and ErrStepUp together with
// both where it does not suffice.
func (a *Self) Recently(r *http.Request) (session.Session, login.Person, error) {
	s, who, err := a.whoever(r)
	if err == nil && !s.Satisfies(a.Engine.Recent(who), a.Now()) {
		err = ErrStepUp
	}
	return s, who, err
}

// whoever returns the session in use and its person, or session.ErrNobody.
func (a *Self) whoever(r *http.Request) (session.Session, login.Person, error) {
	s, err := a.Sessions.Current(r)
	if err != nil {
		return s, login.Person{}, err
	}
	web.Note(r.Context(), web.KeyUser, string(s.User))
	web.Note(r.Context(), web.KeySession, string(s.ID))
	who, err := a.People.Person(r.Context(), s.User)
	return s, who, err
}

// recently is Recently for pages. Somebody who is not signed in is sent to do that, and
// somebody whose proof is too old to prove anew; both come back to the path back, and ok is
// false: the answer is written.
func (p *Pages) recently(w http.ResponseWriter, r *http.Request, back string) (s session.Session, who login.Person, ok bool, err error) {
	s, who, err = p.Recently(r)
	switch {
	case problem.Is(err, problem.Unauthenticated):
		p.Web.KeepReturn(w, back)
		err = web.Redirect(w, r, "/sign-in")
	case problem.HasCode(err, ErrStepUp.Code):
		err = p.stepUp(w, r, s, back)
	default:
		ok = err == nil
	}
	return s, who, ok, err
}

// stepUp sends the browser to prove anew, and then back.
func (p *Pages) stepUp(w http.ResponseWriter, r *http.Request, s session.Session, back string) error {
	return p.begin(w, r, login.Beginning{Goal: login.StepUp, Session: s.ID}, back)
}

// begin starts an attempt within the session in use and sends the browser there; when it is
// complete it comes back to the path back.
func (p *Pages) begin(w http.ResponseWriter, r *http.Request, b login.Beginning, back string) error {
	v, err := p.start(r, b)
	if err != nil {
		return err
	}
	p.Web.KeepReturn(w, back)
	return web.Redirect(w, r, "/sign-in/"+string(v.ID))
}

// start begins an attempt within a session of this browser.
func (a *Self) start(r *http.Request, b login.Beginning) (login.View, error) {
	browser, err := a.Sessions.Browser(r)
	if err != nil {
		return login.View{}, err
	}
	b.Browser, b.Locale, b.Network, b.UserAgent = browser, a.Locale(r), web.Network(r), session.Clip(r.UserAgent())
	return a.Engine.Start(r.Context(), b)
}

// Confirm answers POST /account/confirm: the person proves anew who they are, and comes back
// to the page that asked for it, which can be named in the field to.
func (p *Pages) Confirm(w http.ResponseWriter, r *http.Request) error {
	back := web.Local(r.PostFormValue("to"), home)
	_, _, ok, err := p.recently(w, r, back)
	if !ok {
		return err
	}
	return web.Redirect(w, r, back)
}
