package login

import (
	"cmp"
	"net/http"
	"slices"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/session"
)

// account is a session of this browser as the chooser shows it.
type account struct {
	Session session.ID
	Name    string
	Address string
}

// choosePage is the data of the page "choose".
type choosePage struct {
	Party    *identity.Party
	Ask      AskID
	Return   string // where to go then, if nobody waits
	Accounts []account
}

// Choose answers GET /sign-in/choose with the accounts that are signed in on this browser.
func (p *Pages) Choose(w http.ResponseWriter, r *http.Request) error {
	ask, err := p.ask(r, AskID(r.URL.Query().Get("ask")))
	if err != nil {
		return err
	}
	_, alive, err := p.signedIn(r)
	if err != nil {
		return err
	}
	if len(alive) == 0 {
		return web.Redirect(w, r, signInFor(ask, p.back(r)))
	}
	page := choosePage{Party: ask.party(), Ask: ask.ID, Return: p.back(r)}
	for _, s := range alive {
		a, err := p.account(r, s)
		if err != nil {
			return err
		}
		page.Accounts = append(page.Accounts, a)
	}
	return p.Web.Show(w, r, http.StatusOK, "choose", page)
}

// Chosen answers POST /sign-in/choose: the picked session answers the waiting app, or is
// the one in use from now on.
func (p *Pages) Chosen(w http.ResponseWriter, r *http.Request) error {
	ask, err := p.ask(r, AskID(r.PostFormValue("ask")))
	if err != nil {
		return err
	}
	b, alive, err := p.signedIn(r)
	if err != nil {
		return err
	}
	id := session.ID(r.PostFormValue("session"))
	if !slices.ContainsFunc(alive, func(s session.Session) bool { return s.ID == id }) {
		return web.Redirect(w, r, signInFor(ask, p.back(r))) // it ended meanwhile
	}
	if err := p.Sessions.Switch(r.Context(), b, id); err != nil {
		return err
	}
	p.Sessions.ShowStateOf(w, b.ID, id)
	if ask.ID == "" {
		return web.Redirect(w, r, cmp.Or(p.back(r), home))
	}
	if ask.Browser != b.ID {
		return ErrAsk
	}
	ask.Chosen, ask.Choose = id, false
	if err := p.Engine.Store.SaveAsk(r.Context(), ask); err != nil {
		return err
	}
	return web.Redirect(w, r, ask.Back())
}

func signInFor(ask Ask, back string) string {
	path := startFor(ask.ID, back)
	if path == signInPath {
		return path + "?add=1"
	}
	return path + "&add=1"
}

// signedIn returns the browser, verified, and the sessions that stand on it.
func (p *Pages) signedIn(r *http.Request) (session.Browser, []session.Session, error) {
	b, err := p.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return session.Browser{}, nil, nil
	}
	if err != nil {
		return session.Browser{}, nil, err
	}
	alive, err := p.Sessions.Sessions(r.Context(), b)
	return b, alive, err
}

func (p *Pages) account(r *http.Request, s session.Session) (account, error) {
	person, err := p.Engine.People.Person(r.Context(), s.User)
	if err != nil {
		return account{}, err
	}
	name, address := person.Shown()
	return account{Session: s.ID, Name: name, Address: address}, nil
}

// Shown returns how a person is shown to themselves: the name, or the address where there
// is none, and the primary address.
func (p Person) Shown() (name, address string) {
	for _, h := range p.Holdings {
		if h.Identifier.Kind == identity.Email && (address == "" || h.Primary) {
			address = h.Identifier.Value
		}
	}
	if name = p.User.Profile.Name; name == "" {
		name = address
	}
	return name, address
}
