package account

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/login"
	"idp/session"
)

// Where somebody connects an account elsewhere that signs in to another account here, nothing is
// said about that one but that there is one. Whoever wants more signs in to it, in this browser,
// with all that it asks for; then both are on one page, and they choose.

const mergePath = home + "/merge"

// Merge brings two accounts of one person together, in the browser that sent r. It becomes into's.
func (a *Self) Merge(ctx context.Context, r *http.Request, m login.Merging) error {
	b, err := a.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return session.ErrNobody
	}
	if err != nil {
		return err
	}
	at := login.At{Browser: b, Network: web.Network(r), UserAgent: session.Clip(r.UserAgent()), Locale: a.Locale(r)}
	m.Erase = a.Erase
	if err := a.Engine.Merge(ctx, at, m); err != nil {
		return err
	}
	return a.Sessions.Switch(ctx, b, m.Into)
}

// Merge answers POST /frontend/v1/me/merge with 204: the account of the session from, or one
// account elsewhere of it, comes to that of the session into. Both stand in the browser that asks.
func (x *API) Merge(w http.ResponseWriter, r *http.Request) error {
	var in MergeRequest
	return x.act(w, r, false, &in, func(By) (any, error) {
		return nil, x.Self.Merge(r.Context(), r, login.Merging{Into: in.Into, From: in.From, Factor: in.Factor, Join: in.Join})
	})
}

// mergePage is the data of the page "account_merge".
type mergePage struct {
	Operator   bool
	Connection string
	Title      string // what people call the connection
	Into       other
	IntoRecent bool
	From       *other // nil: nobody signed in to it yet
	FromRecent bool
	Factor     identity.FactorID
	Label      string // of the account elsewhere
	Apps       []App  // that know the account which would be deleted
}

// merging gathers what the page shows. ok is false if there is nothing to merge here; the answer is written.
func (p *Pages) merging(w http.ResponseWriter, r *http.Request) (data mergePage, ok bool, err error) {
	s, ok, err := p.signedIn(w, r)
	if !ok {
		return data, false, err
	}
	c, err := p.Engine.Federation.Connection(r.FormValue("connection"))
	if err != nil {
		return data, false, err
	}
	b, err := p.Sessions.Browser(r)
	if err != nil {
		return data, false, err
	}
	alive, err := p.Sessions.Sessions(r.Context(), b)
	if err != nil {
		return data, false, err
	}
	if id := session.ID(r.FormValue("into")); id != "" {
		i := slices.IndexFunc(alive, func(x session.Session) bool { return x.ID == id })
		if i < 0 {
			return data, false, web.Redirect(w, r, securityPath) // it ended meanwhile
		}
		s = alive[i]
	}
	data = mergePage{Connection: c.Name, Title: c.Shown()}
	for _, x := range alive {
		if x.User == s.User || !slices.ContainsFunc(x.Proofs, func(f identity.Proof) bool { return f.Method == c.Method() }) {
			continue
		}
		if err := p.sides(r, b, s, x, c.Method(), &data); err != nil || data.From != nil {
			return data, err == nil, err
		}
	}
	who, err := p.People.Person(r.Context(), s.User)
	data.Into, data.Operator = otherOf(s, who), who.User.Operator
	return data, err == nil, err
}

// sides fills in both accounts, unless that session was not begun with what is on its person's file.
func (p *Pages) sides(r *http.Request, b session.Browser, s, x session.Session, m identity.Method, data *mergePage) error {
	into, from, err := p.Engine.Sides(r.Context(), b.ID, s.ID, x.ID)
	if err != nil {
		return err
	}
	for _, f := range from.Person.Factors {
		if f.Method == m && slices.ContainsFunc(from.Session.Proofs, func(proof identity.Proof) bool { return proof.Credential == f.Credential }) {
			of := otherOf(from.Session, from.Person)
			data.From, data.FromRecent, data.Factor, data.Label = &of, from.Recent, f.ID, f.Name
		}
	}
	if data.From == nil {
		return nil
	}
	data.Into, data.IntoRecent, data.Operator = otherOf(into.Session, into.Person), into.Recent, into.Person.User.Operator
	data.Apps, err = p.Apps(r.Context(), from.Person.User.ID)
	return err
}

func otherOf(s session.Session, who login.Person) other {
	name, address := who.Shown()
	return other{s.ID, name, address}
}

// path is where the page is, whoever is in use on the browser by then.
func (d mergePage) path() string {
	return mergePath + "?" + url.Values{"connection": {d.Connection}, "into": {string(d.Into.Session)}}.Encode()
}

// MergeForm answers GET /account/merge?connection=&into=.
func (p *Pages) MergeForm(w http.ResponseWriter, r *http.Request) error {
	data, ok, err := p.merging(w, r)
	if !ok {
		return err
	}
	return p.Web.Show(w, r, http.StatusOK, "account_merge", data)
}

// MergeProve answers POST /account/merge/prove: the person signs in to the other account by the
// connection, or, with the field side "into", proves anew who they are here; then they come back.
func (p *Pages) MergeProve(w http.ResponseWriter, r *http.Request) error {
	data, ok, err := p.merging(w, r)
	if !ok {
		return err
	}
	if r.PostFormValue("side") == "into" {
		return p.begin(w, r, login.Beginning{Goal: login.StepUp, Session: data.Into.Session}, data.path())
	}
	v, err := p.start(r, login.Beginning{Goal: login.SignIn})
	if err != nil {
		return err
	}
	p.Web.KeepReturn(w, data.path())
	at, err := p.at(r, By{At: login.At{Network: web.Network(r), UserAgent: session.Clip(r.UserAgent()), Locale: p.Locale(r)}}, v.ID)
	if err != nil {
		return err
	}
	_, way, err := p.Engine.Depart(r.Context(), at, data.Connection)
	if problem.HasCode(err, login.ErrMethod.Code) || problem.HasCode(err, login.ErrNotNow.Code) { // it has no button
		return web.Redirect(w, r, "/sign-in?add=1")
	}
	if err != nil {
		return err
	}
	return login.Follow(w, r, p.Web, way)
}

// MergeAccounts answers POST /account/merge with the field what: "move" or "join".
func (p *Pages) MergeAccounts(w http.ResponseWriter, r *http.Request) error {
	what := r.PostFormValue("what")
	if what != "move" && what != "join" {
		return web.Redirect(w, r, securityPath) // both stay as they are
	}
	err := p.Self.Merge(r.Context(), r, login.Merging{
		Into: session.ID(r.PostFormValue("into")), From: session.ID(r.PostFormValue("from")),
		Factor: identity.FactorID(r.PostFormValue("factor")), Join: what == "join",
	})
	if err == nil {
		if _, err := p.Sessions.ShowState(w, r); err != nil {
			return err
		}
		return web.Redirect(w, r, securityPath+"?done="+map[string]string{"move": "connected", "join": "joined"}[what])
	}
	if problem.Is(err, problem.Unauthenticated) || problem.Is(err, problem.NotFound) {
		return web.Redirect(w, r, securityPath) // somebody did it already, or left meanwhile
	}
	data, ok, failed := p.merging(w, r)
	if !ok {
		return failed
	}
	if data.From == nil { // what it signed in with has moved already
		return web.Redirect(w, r, securityPath)
	}
	return p.Web.Again(w, r, err, "account_merge", data)
}
