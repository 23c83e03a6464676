package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"idp/federation"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/session"
	"idp/templates"
)

// This file is signing out at providers, for browsers. What a provider has a browser bring comes
// from another site, by POST without our cookie: nothing here asks who is signed in.

const leavePath = "/federation/sign-out"

// SingleLogout answers GET and POST /federation/{connection}/slo (SAML Profiles §4.4): a provider
// signs somebody out here, or answers our wish that it does so there. A connection that is switched
// off lets nobody in, but everybody out.
func (p *Pages) SingleLogout(w http.ResponseWriter, r *http.Request) error {
	err := p.singleLogout(w, r)
	var e *problem.Error
	if errors.As(err, &e) {
		p.Web.Failed(w, r, err, signInPath)
		return nil
	}
	return err
}

func (p *Pages) singleLogout(w http.ResponseWriter, r *http.Request) error {
	n := federation.Notice{Query: r.URL.RawQuery}
	if r.Method == http.MethodPost {
		if err := web.ParseForm(r); err != nil {
			return err
		}
		n = federation.Notice{Form: r.PostForm}
	}
	c, err := p.Engine.Federation.Connection(r.PathValue("connection"))
	if err != nil && !problem.HasCode(err, federation.ErrDisabled.Code) {
		return err
	}
	confirmed, way, err := p.Engine.Part(r.Context(), c, n)
	switch {
	case err != nil:
		return err
	case way != nil:
		return p.follow(w, r, *way)
	}
	return p.Web.Show(w, r, http.StatusOK, "logged_out", templates.LoggedOut{There: c.Shown(), Unsure: !confirmed})
}

// behind is what a browser takes along to where it may sign out at a provider too: sealed, so that
// nobody can make one up, and good for that browser alone.
type behind struct {
	Browser session.BrowserID `json:"browser"`
	Session session.ID        `json:"session"`
	Until   time.Time         `json:"until"`
}

const (
	behindPlace = "sign-out left behind"
	behindLife  = 10 * time.Minute
)

// Behind returns the path of the page that offers to sign out at the provider by whose session
// one that has ended on this browser began, "" if there is none.
func (p *Pages) Behind(r *http.Request, ended session.ID) (string, error) {
	_, _, ok, err := p.Engine.LeftBehind(r.Context(), ended)
	if err != nil || !ok {
		return "", err
	}
	b, err := p.Sessions.Browser(r)
	if err != nil {
		return "", err
	}
	plain, err := json.Marshal(behind{b.ID, ended, p.Engine.Now().Add(behindLife)})
	if err != nil {
		return "", fmt.Errorf("write what is left behind: %w", err)
	}
	return leavePath + "?" + url.Values{"left": {p.Engine.Box.Seal(behindPlace, plain)}}.Encode(), nil
}

// left opens what Behind sealed: ErrOver if it is not this browser's, or too old.
func (p *Pages) left(r *http.Request, sealed string) (out behind, err error) {
	plain, err := p.Engine.Box.Open(behindPlace, sealed)
	if err != nil {
		return out, ErrOver.Because(err)
	}
	if err := json.Unmarshal(plain, &out); err != nil {
		return out, fmt.Errorf("read what is left behind: %w", err)
	}
	b, err := p.Sessions.Browser(r)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return out, err
	}
	if b.ID != out.Browser || !p.Engine.Now().Before(out.Until) {
		return out, ErrOver
	}
	return out, nil
}

// OfferLeave answers GET /federation/sign-out: the person is signed out here, and a button signs
// them out at their provider too.
func (p *Pages) OfferLeave(w http.ResponseWriter, r *http.Request) error {
	sealed := r.URL.Query().Get("left")
	b, err := p.left(r, sealed)
	if problem.HasCode(err, ErrOver.Code) {
		return web.Redirect(w, r, signInPath) // an old tab
	}
	if err != nil {
		return err
	}
	c, _, ok, err := p.Engine.LeftBehind(r.Context(), b.Session)
	if err != nil {
		return err
	}
	page := templates.LoggedOut{}
	if ok {
		page.Left, page.Ticket = c.Shown(), sealed
	}
	return p.Web.Show(w, r, http.StatusOK, "logged_out", page)
}

// LeaveElsewhere answers POST /federation/sign-out: off to the provider.
func (p *Pages) LeaveElsewhere(w http.ResponseWriter, r *http.Request) error {
	b, err := p.left(r, r.PostFormValue("left"))
	var way federation.Way
	if err == nil {
		way, err = p.Engine.Leave(r.Context(), b.Session)
	}
	var e *problem.Error
	if errors.As(err, &e) {
		p.Web.Failed(w, r, err, signInPath)
		return nil
	}
	if err != nil {
		return err
	}
	return p.follow(w, r, way)
}
