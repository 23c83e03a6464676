package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"idp/federation"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/templates"
)

// This file is the way to another provider and back, for people. What a provider sends back
// stays in no address that can be seen or loaded again: whatever it was worth, the browser
// goes on with 303.

// departing is the beginning of the value of a button that leads to a provider.
const departing = "connection:"

// connectionOf returns the connection that a form's button names, "" for none.
func connectionOf(do string) string {
	name, ok := strings.CutPrefix(do, departing)
	if !ok {
		return ""
	}
	return name
}

// Depart answers POST /sign-in/{attempt}/depart/{connection}: off to the provider.
func (p *Pages) Depart(w http.ResponseWriter, r *http.Request) error {
	at, err := p.at(r)
	if err != nil {
		return err
	}
	return p.depart(w, r, at, r.PathValue("connection"))
}

// depart sends the browser to a provider, or shows where it was with what is wrong.
func (p *Pages) depart(w http.ResponseWriter, r *http.Request, at At, connection string) error {
	var way federation.Way
	v, err := unmoved(func() (v View, err error) {
		v, way, err = p.Engine.Depart(r.Context(), at, connection)
		return v, err
	})
	switch {
	case err == nil:
		return p.follow(w, r, way)
	case v.ID == "" || v.Step == Complete || v.Step == Abandoned:
		return p.answer(w, r, v, err)
	}
	return p.stay(w, r, v, connection, err)
}

// follow takes the browser to where a way leads.
func (p *Pages) follow(w http.ResponseWriter, r *http.Request, way federation.Way) error {
	return Follow(w, r, p.Web, way)
}

// Follow takes a browser to where a way leads: with 303, or by a form that sends itself and
// has a button for who has no script.
func Follow(w http.ResponseWriter, r *http.Request, pages *web.Pages, way federation.Way) error {
	if way.Form == nil {
		return web.Redirect(w, r, way.URL)
	}
	fields := map[string]string{}
	for name := range way.Form {
		fields[name] = way.Form.Get(name)
	}
	return pages.Show(w, r, http.StatusOK, "form_post", templates.FormPost{Action: way.URL, Fields: fields, Away: true})
}

// Arrive answers GET /federation/{connection}/callback: the browser is back.
func (p *Pages) Arrive(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	at, err := p.on(r, AttemptID(federation.AttemptOf(q.Get("state"))))
	if err != nil {
		return err
	}
	answer := federation.Answer{State: secret.NewString(q.Get("state")), Values: q, Arrival: secret.NewString(q.Get("arrival"))}
	connection := r.PathValue("connection")
	v, err := p.Engine.Return(r.Context(), at, connection, answer)
	switch {
	case err == nil:
		return p.advance(w, r, v)
	case v.Step == Complete:
		return p.advance(w, r, v) // somebody went back to where the provider had sent them
	case problem.HasCode(err, ErrTaken.Code): // the account pages say what can be done about that
		return web.Redirect(w, r, home+"/merge?"+url.Values{"connection": {connection}}.Encode())
	case v.ID == "" || v.Step == Abandoned:
		return p.astray(w, r, at, err)
	}
	if told := q.Get("trouble"); mishaps[told] != "" { // where it was posted, more was known
		err = problem.New(problem.Invalid, told, told)
	}
	return p.stay(w, r, v, connection, err)
}

// astray says that what came back belongs to nothing that goes on here, and leads to where to
// start again: for the app that waits, if it still does.
func (p *Pages) astray(w http.ResponseWriter, r *http.Request, at At, err error) error {
	if problem.HasCode(err, ErrNoAttempt.Code) {
		err = ErrState.Because(err)
	}
	if problem.Is(err, problem.Unknown) || !problem.Is(err, problem.Gone) && !problem.Is(err, problem.Forbidden) {
		return err
	}
	p.Web.Failed(w, r, err, p.afresh(r, at))
	return nil
}

// afresh is where to start again after an attempt is over.
func (p *Pages) afresh(r *http.Request, at At) string {
	a, err := p.Engine.Store.Attempt(r.Context(), at.Attempt)
	if err != nil || a.Browser != at.Browser.ID {
		return signInPath
	}
	if _, err := p.ask(r, a.Ask); err != nil {
		return signInPath
	}
	return startFor(a.Ask, p.Engine.back(a))
}

// The words for what can go wrong on the way, by the code of the problem.
var mishaps = map[string]string{
	federation.ErrChanged.Code:     "upstream.declined",
	federation.ErrAway.Code:        "upstream.unreachable",
	federation.ErrSetup.Code:       "upstream.misconfigured",
	federation.ErrRefused.Code:     "upstream.refused",
	federation.ErrUnknown.Code:     "upstream.unknown",
	federation.ErrDisabled.Code:    "upstream.disabled",
	federation.ErrUnsolicited.Code: "upstream.state",
	federation.ErrArrival.Code:     "upstream.refused",
	ErrState.Code:                  "upstream.state",
	ErrStale.Code:                  "upstream.stale",
	ErrMethod.Code:                 "upstream.not_offered",
	ErrNotNow.Code:                 "upstream.moved",
	ErrMoved.Code:                  "upstream.moved",
	ErrElsewhere.Code:              "upstream.foreign",
	ErrLinked.Code:                 "upstream.linked",
	ErrTaken.Code:                  "upstream.taken",
	ErrClosed.Code:                 "upstream.closed",
	ErrUninvited.Code:              "upstream.closed",
}

// stay brings the browser back to its attempt after something went wrong on the way. What it
// was is in the address, by its code and the connection's name, for the page to say.
func (p *Pages) stay(w http.ResponseWriter, r *http.Request, v View, connection string, err error) error {
	var e *problem.Error
	if !errors.As(err, &e) || mishaps[e.Code] == "" {
		return p.answer(w, r, v, err)
	}
	return web.Redirect(w, r, attemptPath(v.ID)+"?"+url.Values{"trouble": {e.Code}, "at": {connection}}.Encode())
}

// mishap reads what stay wrote: nil if nothing went wrong, or nothing that we have words for.
func (p *Pages) mishap(r *http.Request, v View) error {
	q := r.URL.Query()
	key, ok := mishaps[q.Get("trouble")]
	if !ok || v.Step == Complete || v.Step == Abandoned {
		return nil
	}
	locale := p.Web.Locale(r)
	title := p.Web.Set.Say(locale, "upstream.other")
	for _, c := range p.Engine.Federation.All() {
		if c.Name == q.Get("at") {
			title = c.Shown()
		}
	}
	return problem.New(problem.Conflict, q.Get("trouble"), p.Web.Set.Say(locale, key, "upstream", title))
}

// PostedForm answers POST /federation/{connection}/callback (OAuth 2.0 Form Post Response Mode): a
// provider's page had the browser post here, without our cookie. What came travels on, sealed, in the
// address by which the browser comes back by GET, which is where it goes now in any case. Nothing is
// sealed that no attempt expects, and nothing is kept.
func (p *Pages) PostedForm(w http.ResponseWriter, r *http.Request) error {
	to := url.Values{}
	err := p.post(r, to)
	var e *problem.Error
	if err != nil && !errors.As(err, &e) {
		return err
	}
	if e != nil {
		to.Set("trouble", e.Code)
	}
	return web.Redirect(w, r, "/federation/"+url.PathEscape(r.PathValue("connection"))+"/callback?"+to.Encode())
}

// post keeps what was posted and says in to how it is found.
func (p *Pages) post(r *http.Request, to url.Values) error {
	if err := web.ParseForm(r); err != nil {
		return err
	}
	c, err := p.Engine.Federation.Connection(r.PathValue("connection"))
	if c.Name == "" {
		return err
	}
	state := r.PostForm.Get("state")
	if awaited, failed := p.Engine.awaits(r.Context(), c, state); failed != nil || !awaited {
		return failed
	}
	to.Set("state", state)
	if err != nil {
		return err
	}
	_, arrived, err := p.Engine.Federation.Post(c, r.PostForm)
	if err == nil {
		to.Set("arrival", arrived.Reveal())
	}
	return err
}

// awaits reports whether an attempt departed by the connection with that state and waits for what comes back.
func (e *Engine) awaits(ctx context.Context, c federation.Connection, state string) (bool, error) {
	a, err := e.Store.Attempt(ctx, AttemptID(federation.AttemptOf(state)))
	if problem.Is(err, problem.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	out, sent := a.Challenges[c.Method()]
	return sent && a.SessionID == "" && a.AbandonedAt.IsZero() && e.Now().Before(out.ExpiresAt) &&
		secret.Equal(string(out.Link), string(secret.DigestOf(state))), nil
}
