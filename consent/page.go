package consent

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/session"
)

// Pages asks a person what a relying party may know.
type Pages struct {
	Store    Store
	Sessions *session.Keeper
	Events   event.Recorder
	Web      *web.Pages
	// Who returns how a person is shown to themselves: name and address.
	Who  func(ctx context.Context, u identity.UserID) (name, address string, err error)
	InTx func(ctx context.Context, do func(ctx context.Context) error) error
	Now  func() time.Time
}

// The problems of the consent screen.
var (
	ErrOver    = problem.New(problem.Gone, "ask_over", "The app's request was answered or has expired. Please go back to the app and try again.")
	ErrForeign = problem.New(problem.Forbidden, "ask_foreign", "This request was made in another browser.")
	ErrChanged = problem.New(problem.Conflict, "account_changed", "You are signed in with another account now. Please look again.")
)

// page is the data of the page "consent".
type page struct {
	Party         identity.Party
	Host          string
	Ask           string
	Session       session.ID
	Name, Address string
	Scopes        []string
}

// Ask answers GET /consent?ask= with the question.
func (p *Pages) Ask(w http.ResponseWriter, r *http.Request) error {
	q, s, err := p.question(r, r.URL.Query().Get("ask"))
	if problem.Is(err, problem.Unauthenticated) {
		return web.Redirect(w, r, "/sign-in?ask="+url.QueryEscape(q.Ask))
	}
	if err != nil {
		return err
	}
	return p.show(w, r, q, s, nil)
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, q Pending, s session.Session, trouble error) error {
	name, address, err := p.Who(r.Context(), s.User)
	if err != nil {
		return err
	}
	data := page{Party: q.Party, Host: q.Party.Host, Ask: q.Ask, Session: s.ID, Name: name, Address: address, Scopes: q.Scopes}
	if trouble != nil {
		return p.Web.Again(w, r, trouble, "consent", data)
	}
	return p.Web.Show(w, r, http.StatusOK, "consent", data)
}

// question returns the waiting request and the session that is asked. Both belong to the
// browser that sent r, or it is ErrForeign or session.ErrNobody.
func (p *Pages) question(r *http.Request, id string) (Pending, session.Session, error) {
	q, err := p.Store.Pending(r.Context(), id)
	if problem.Is(err, problem.NotFound) {
		return Pending{}, session.Session{}, ErrOver.Because(err)
	}
	if err != nil {
		return Pending{}, session.Session{}, err
	}
	b, err := p.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) || err == nil && b.ID != q.Browser {
		return Pending{}, session.Session{}, ErrForeign
	}
	if err != nil {
		return Pending{}, session.Session{}, err
	}
	if q.Done || !p.Now().Before(q.ExpiresAt) {
		return Pending{}, session.Session{}, ErrOver
	}
	alive, err := p.Sessions.Sessions(r.Context(), b)
	if err != nil {
		return Pending{}, session.Session{}, err
	}
	i := 0 // the one in use stands first
	if q.Chosen != "" {
		i = slices.IndexFunc(alive, func(s session.Session) bool { return s.ID == q.Chosen })
	}
	if i < 0 || i >= len(alive) {
		return q, session.Session{}, session.ErrNobody
	}
	web.Note(r.Context(), web.KeyUser, string(alive[i].User))
	web.Note(r.Context(), web.KeyClient, q.Party.ID)
	return q, alive[i], nil
}

// Answer answers POST /consent: the person's word, given once, by the session that saw the
// question. Allowing remembers it; either way the browser goes back to the protocol.
func (p *Pages) Answer(w http.ResponseWriter, r *http.Request) error {
	q, s, err := p.question(r, r.PostFormValue("ask"))
	if problem.Is(err, problem.Unauthenticated) {
		return web.Redirect(w, r, "/sign-in?ask="+url.QueryEscape(q.Ask))
	}
	if err != nil {
		return err
	}
	if string(s.ID) != r.PostFormValue("session") {
		return p.show(w, r, q, s, ErrChanged)
	}
	allow := r.PostFormValue("answer") == "allow"
	if !allow && r.PostFormValue("answer") != "deny" {
		return problem.New(problem.Malformed, "answer_unknown", "The answer is to allow or to deny.")
	}
	if err := p.note(r.Context(), q, s, allow); err != nil {
		if problem.Is(err, problem.Conflict) {
			return ErrOver.Because(err)
		}
		return err
	}
	return web.Redirect(w, r, q.Resume+"?ask="+url.QueryEscape(q.Ask))
}

// note keeps the answer and, if it was yes, the grant: what was allowed before stays allowed.
func (p *Pages) note(ctx context.Context, q Pending, s session.Session, allow bool) error {
	return p.InTx(ctx, func(ctx context.Context) error {
		if err := p.Store.Answer(ctx, q.Ask, s.ID, allow); err != nil || !allow {
			return err
		}
		now := p.Now()
		g := Grant{User: s.User, Client: q.Party.ID, Scopes: q.Scopes, CreatedAt: now, UpdatedAt: now}
		if err := p.Store.SaveGrant(ctx, g); err != nil {
			return err
		}
		return p.Events.Record(ctx, event.Event{
			Kind: event.ConsentGranted, Actor: string(s.User), User: string(s.User), Client: q.Party.ID, Session: string(s.ID),
		})
	})
}
