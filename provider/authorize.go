package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
)

// Authorize is the authorization endpoint (RFC 6749 §3.1, OIDC Core §3.1.2).
func (p *Provider) Authorize(w http.ResponseWriter, r *http.Request) error {
	form, err := queryForm(w, r)
	if err != nil {
		p.Pages.Problem(w, r, errGarbled.Because(err))
		return nil
	}
	if p.cookieless(r) {
		return p.bounce(w, r, form, "/oauth2/authorize")
	}
	whole, origin, unreadable := p.expand(r.Context(), form)
	if unreadable != nil {
		whole = form
	}
	a, err := p.addressee(r.Context(), whole)
	if err = pageOf(err, unreadable, form); err != nil {
		p.Pages.Problem(w, r, err)
		return nil
	}
	if a.Request = (Request{Form: whole, Origin: origin, RequestedAt: p.Now()}); unreadable == nil {
		unreadable = a.arrived()
	}
	if unreadable != nil {
		return p.turnDown(w, r, a, unreadable)
	}
	a, err = p.parse(r.Context(), a)
	if err != nil {
		return p.turnDown(w, r, a, err)
	}
	return p.proceed(w, r, a, login.Ask{})
}

// cookieless reports a form that another site posted here: browsers send no SameSite=Lax
// cookie with it, so that a person who is signed in looks like nobody.
func (p *Provider) cookieless(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	_, ok := p.Sessions.Cookies.Read(r)
	return !ok
}

const maxBounce = 8 << 10 // characters of a query that we make ourselves

// bounce lets the browser come again by GET, which brings the cookie.
func (p *Provider) bounce(w http.ResponseWriter, r *http.Request, form url.Values, path string) error {
	query := form.Encode()
	if len(query) > maxBounce {
		p.Pages.Problem(w, r, errGarbled)
		return nil
	}
	http.Redirect(w, r, path+"?"+query, http.StatusSeeOther) //nolint:gosec // path is one of our own, only the query is the caller's
	return nil
}

// Resume takes up a parked request when the browser comes back from signing in, choosing
// or consenting. It decides again, from what is stored now.
func (p *Provider) Resume(w http.ResponseWriter, r *http.Request) error {
	ask, err := p.parked(r)
	if err != nil {
		p.Pages.Problem(w, r, err)
		return nil
	}
	var kept Request
	if err := json.Unmarshal(ask.Request, &kept); err != nil {
		return fmt.Errorf("resume %s: %w", ask.ID, err)
	}
	a, err := p.addressee(r.Context(), kept.Form)
	if err != nil {
		p.Pages.Problem(w, r, err)
		return nil
	}
	a.Request = kept
	a, err = p.parse(r.Context(), a)
	if err != nil {
		return p.turnDown(w, r, a, err)
	}
	return p.proceed(w, r, a, ask)
}

// parked returns the request that waits, if it was started in this browser.
func (p *Provider) parked(r *http.Request) (login.Ask, error) {
	browser, err := p.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return login.Ask{}, errElsewhere
	}
	if err != nil {
		return login.Ask{}, err
	}
	id := r.URL.Query().Get("ask")
	if !nameable(id) {
		return login.Ask{}, errElsewhere
	}
	ask, err := p.Asks.Ask(r.Context(), login.AskID(id))
	switch {
	case problem.Is(err, problem.NotFound) || err == nil && (ask.Browser != browser.ID || ask.Resume != resumePath(p)):
		return login.Ask{}, errElsewhere
	case err != nil:
		return login.Ask{}, err
	case !ask.UsedAt.IsZero():
		return login.Ask{}, errTwice
	case !p.Now().Before(ask.ExpiresAt):
		return login.Ask{}, errOver
	}
	return ask, nil
}

func resumePath(p *Provider) string { return "/oauth2/resume" }

// proceed decides and carries out the decision.
func (p *Provider) proceed(w http.ResponseWriter, r *http.Request, a asked, ask login.Ask) error {
	s, err := p.situation(r, a, ask)
	if err != nil {
		return err
	}
	v, err := decide(a, s)
	if err != nil {
		return err
	}
	switch v.step {
	case issue:
		return p.issue(w, r, a, ask, v.session)
	case refuse:
		if err := p.used(r.Context(), a, ask); err != nil {
			p.Pages.Problem(w, r, err)
			return nil
		}
		return p.answer(w, r, a, url.Values{"error": {v.code}, "error_description": {said[v.code]}})
	case signIn, signUp, choose, agree:
	}
	return p.send(w, r, a, ask, v)
}

// said are the descriptions of decisions.
var said = map[string]string{
	"login_required":             "Somebody must sign in.",
	"account_selection_required": "Somebody must choose an account.",
	"consent_required":           "The person must agree first.",
	"access_denied":              "The person did not agree.",
}

// situation gathers what decide looks at.
func (p *Provider) situation(r *http.Request, a asked, ask login.Ask) (situation, error) {
	s := situation{ask: ask, now: p.Now(), subject: func(u identity.UserID) string { return p.subject(a.client, u) }}
	browser, err := p.Sessions.Browser(r)
	if err == nil {
		s.inUse = browser.Active
		s.sessions, err = p.Sessions.Sessions(r.Context(), browser)
	}
	if err != nil && !problem.Is(err, problem.NotFound) {
		return s, fmt.Errorf("who is signed in: %w", err)
	}
	s.granted = func(one session.Session) (bool, error) { return p.granted(r.Context(), one.User, a) }
	return s, nil
}

func (p *Provider) granted(ctx context.Context, user identity.UserID, a asked) (bool, error) {
	grant, err := p.Grants.Grant(ctx, user, string(a.client.ID))
	if problem.Is(err, problem.NotFound) {
		return false, nil
	}
	return err == nil && grant.Covers(a.consents()), err
}

// send parks the request, if it is not yet, and sends the browser to the page of the step.
func (p *Provider) send(w http.ResponseWriter, r *http.Request, a asked, ask login.Ask, v verdict) error {
	if ask.ID == "" {
		browser, err := p.Sessions.Ensure(w, r)
		if err != nil {
			return fmt.Errorf("park request: %w", err)
		}
		ask, err = a.pack(browser.ID, login.AskID(secret.NewID("ask")), p.Now())
		if err != nil {
			return err
		}
		ask.Resume = resumePath(p)
	}
	// The pages ask the person of this session, and nobody else's answer will do.
	if v.session.ID != "" {
		ask.Chosen = v.session.ID
	}
	if v.step == agree {
		ask.Answer, ask.Answered = login.Unanswered, ""
	}
	if err := p.Asks.SaveAsk(r.Context(), ask); err != nil {
		return fmt.Errorf("park request: %w", err)
	}
	pages := map[step]string{signIn: "/sign-in", signUp: "/sign-up", choose: "/sign-in/choose", agree: "/consent"}
	http.Redirect(w, r, pages[v.step]+"?ask="+url.QueryEscape(string(ask.ID)), http.StatusSeeOther)
	return nil
}

// used marks a request as answered, where it was parked or pushed. The second time is errTwice.
func (p *Provider) used(ctx context.Context, a asked, ask login.Ask) error {
	if err := p.spend(ctx, a.Origin); err != nil || ask.ID == "" {
		return err
	}
	err := p.Asks.UseAsk(ctx, ask.ID, p.Now())
	if problem.Is(err, problem.Conflict) {
		return errTwice
	}
	return err
}
