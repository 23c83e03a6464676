// Package account is where people keep their own account: who they are, where they are
// signed in, and which apps they let in. Whatever they end here is over at once.
//
// What a person can do is a method of Self; pages and JSON are two faces of it. Which file
// answers which question:
//
//	who acts, and what of ours is on file?        self.go, me.go
//	what needs a fresh proof, and how is it got?  gate.go
//	profile, addresses and numbers                profile.go, identifiers.go
//	where does the picture come from?             pictures.go
//	password, second factors, trusted browsers    password.go, security.go, trusted.go
//	accounts elsewhere that one signs in with     connections.go, merge.go
//	where one is signed in, which apps were let in devices.go, apps.go
//	who is signed in on this browser              browser.go, browser_api.go
//	taking one's data out, and leaving            export.go, delete.go
//	what a form or a script sends                 pages*.go and acts.go, api.go
package account

import (
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
	// Behind returns the page that offers to sign out at the provider by which the session that
	// ended began, "" for none. Nil: nobody comes from one.
	Behind func(r *http.Request, ended session.ID) (string, error)
}

// home is where the account page lives.
const home = "/account"

// other is another account that is signed in on this browser.
type other struct {
	Session session.ID
	Name    string
	Address string
}

// page is the data of the page "account".
type page struct {
	Name, Address string
	Picture       string // where it is shown, "" if it is not ours or there is none
	Pictured      bool   // there is one
	Operator      bool
	Now           time.Time
	Profile       profileForm
	Emails        []Identifier
	Phones        []Identifier
	Texting       bool // numbers can be added
	Typed         typed
	Sessions      []Device
	Titles        map[identity.Method]string // what people call connections
	Accounts      []other
	Grants        []App
	Done          string // key of what was just done, ""
}

// profileForm is a profile as its form shows it.
type profileForm struct{ Name, GivenName, FamilyName, Locale, Zoneinfo string }

// typed is what a form held that came back.
type typed struct{ Email, Phone string }

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
	"profile": "account.done_profile", "picture": "account.done_picture", "added": "account.done_added", "primary": "account.done_primary", "removed": "account.done_removed",
	"password": "account.done_password", "password_removed": "account.done_password_removed", "confirmed": "account.done_confirmed",
}

// confirmed is where somebody comes back to who had to prove anew before a button of the
// account page did anything.
const confirmed = home + "?done=confirmed"

// Account answers GET /account.
func (p *Pages) Account(w http.ResponseWriter, r *http.Request) error {
	by, ok, err := p.acting(w, r)
	if !ok {
		return err
	}
	data, err := p.page(r, by)
	if err != nil {
		return err
	}
	data.Done = notices[r.URL.Query().Get("done")]
	return p.Web.Show(w, r, http.StatusOK, "account", data)
}

// acting is signedIn together with the person.
func (p *Pages) acting(w http.ResponseWriter, r *http.Request) (by By, ok bool, err error) {
	s, ok, err := p.signedIn(w, r)
	if !ok {
		return by, false, err
	}
	who, err := p.People.Person(r.Context(), s.User)
	return p.by(r, s, who), err == nil, err
}

// page gathers what the account page shows.
func (p *Pages) page(r *http.Request, by By) (data page, err error) {
	f := by.Who.User.Profile
	data = page{
		Operator: by.Who.User.Operator, Now: p.Now(), Texting: p.Engine.Settings().SMS,
		Profile: profileForm{f.Name, f.GivenName, f.FamilyName, f.Locale, f.Zoneinfo},
	}
	data.Name, data.Address = by.Who.Shown()
	data.Picture, data.Pictured = p.Pictures.shown(f.Picture), f.Picture != "" && p.Pictures != nil
	for _, i := range identifiers(by.Who) {
		if i.Kind == identity.Phone {
			data.Phones = append(data.Phones, i)
			continue
		}
		data.Emails = append(data.Emails, i)
	}
	if data.Sessions, err = p.Devices(r.Context(), by.Session); err != nil {
		return data, err
	}
	data.Titles = map[identity.Method]string{}
	for _, c := range p.Engine.Federation.All() {
		data.Titles[c.Method()] = c.Shown()
	}
	if data.Accounts, err = p.others(r, by.Session); err != nil {
		return data, err
	}
	data.Grants, err = p.Apps(r.Context(), by.Session.User)
	return data, err
}

// again shows the account page with the trouble in its place, as change leaves it.
func (p *Pages) again(w http.ResponseWriter, r *http.Request, by By, trouble error, change func(*page)) error {
	data, err := p.page(r, by)
	if err != nil {
		return err
	}
	if change != nil {
		change(&data)
	}
	return p.Web.Again(w, r, trouble, "account", data)
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
