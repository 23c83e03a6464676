// Package account is where people keep their own account: who they are, where they are
// signed in, and which apps they let in. Whatever they end here is over at once.
package account

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/session"
)

// Pages are the account for people: forms in, a page or a 303 out, under /account.
type Pages struct {
	*Self
	Web *web.Pages

	// Parting returns where the browser goes when its session has ended, by way of the apps
	// that want to hear of it there; nil: straight to the given path.
	Parting func(r *http.Request, ended []session.ID, to string) (string, error)
}

// home is where the account page lives.
const home = "/account"

// device is a session as its owner sees it.
type device struct {
	ID      session.ID
	Device  string // browser and system, "" if the header says nothing
	This    bool
	Network string
	Seen    time.Time
	Since   time.Time
}

// other is another account that is signed in on this browser.
type other struct {
	Session session.ID
	Name    string
	Address string
}

// app is a relying party that was let in.
type app struct {
	Client string
	Party  identity.Party
	Scopes []string
	Since  time.Time
}

// page is the data of the page "account".
type page struct {
	Name, Address string
	Operator      bool
	Now           time.Time
	Sessions      []device
	Accounts      []other
	Grants        []app
	Done          string // key of what was just done, ""
}

// Root answers GET / by going to the account, or to sign in.
func (p *Pages) Root(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Sessions.Current(r)
	if problem.Is(err, problem.Unauthenticated) {
		return web.Redirect(w, r, "/sign-in")
	}
	if err != nil {
		return err
	}
	return web.Redirect(w, r, home)
}

// signedIn returns the session in use. Somebody who is not signed in is sent to do that,
// and comes back; then ok is false and the answer is written.
func (p *Pages) signedIn(w http.ResponseWriter, r *http.Request) (s session.Session, ok bool, err error) {
	s, err = p.Sessions.Current(r)
	if problem.Is(err, problem.Unauthenticated) {
		return s, false, web.Redirect(w, r, "/sign-in")
	}
	web.Note(r.Context(), web.KeyUser, string(s.User))
	web.Note(r.Context(), web.KeySession, string(s.ID))
	return s, err == nil, err
}

// notices are what the account page may say was done.
var notices = map[string]string{
	"ended": "account.done_ended", "ended_others": "account.done_ended_others", "revoked": "account.done_revoked",
}

// Account answers GET /account.
func (p *Pages) Account(w http.ResponseWriter, r *http.Request) error {
	s, ok, err := p.signedIn(w, r)
	if !ok {
		return err
	}
	person, err := p.People.Person(r.Context(), s.User)
	if err != nil {
		return err
	}
	data := page{Operator: person.User.Operator, Now: p.Now(), Done: notices[r.URL.Query().Get("done")]}
	data.Name, data.Address = person.Shown()
	if data.Sessions, err = p.devices(r.Context(), s); err != nil {
		return err
	}
	if data.Accounts, err = p.others(r, s); err != nil {
		return err
	}
	grants, err := p.Grants.Grants(r.Context(), s.User)
	if err != nil {
		return err
	}
	for _, g := range grants {
		data.Grants = append(data.Grants, app{Client: g.Client, Party: g.Party, Scopes: g.Scopes, Since: g.CreatedAt})
	}
	return p.Web.Show(w, r, http.StatusOK, "account", data)
}

// devices lists where the person is signed in, this device first.
func (p *Pages) devices(ctx context.Context, this session.Session) ([]device, error) {
	all, err := p.Sessions.Store.OfUser(ctx, this.User)
	if err != nil {
		return nil, err
	}
	var first, rest []device
	for _, s := range all {
		if !s.Alive(p.Now()) {
			continue
		}
		d := device{ID: s.ID, Device: session.Describe(s.UserAgent), This: s.ID == this.ID, Network: s.Network, Seen: s.LastActiveAt, Since: s.CreatedAt}
		if d.This {
			first = append(first, d)
			continue
		}
		rest = append(rest, d)
	}
	return append(first, rest...), nil
}

// others lists the other accounts on this browser.
func (p *Pages) others(r *http.Request, this session.Session) ([]other, error) {
	b, err := p.Sessions.Browser(r)
	if err != nil {
		return nil, err
	}
	alive, err := p.Sessions.Sessions(r.Context(), b)
	if err != nil {
		return nil, err
	}
	var out []other
	for _, s := range alive {
		if s.ID == this.ID {
			continue
		}
		person, err := p.People.Person(r.Context(), s.User)
		if err != nil {
			return nil, err
		}
		name, address := person.Shown()
		out = append(out, other{s.ID, name, address})
	}
	return out, nil
}

func done(w http.ResponseWriter, r *http.Request, what string) error {
	return web.Redirect(w, r, home+"?done="+url.QueryEscape(what))
}
