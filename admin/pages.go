package admin

import (
	"net/http"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/login"
	"idp/message"
	"idp/provider"
	"idp/session"
	"idp/token"
)

// Pages are the operator's pages, under /operator. Whoever is no operator finds nothing
// there, not even that it exists.
type Pages struct {
	Web         *web.Pages
	Session     *session.Keeper
	People      login.People
	Users       *Users
	Operators   *Operators
	Invitations *Invitations
	Settings    *Keeper
	Connections *Connections
	Templates   *Templates
	Clients     *provider.Clients
	Keys        *token.KeySet
	Inbox       message.Inbox // development only

	// ForApps returns the names of the token templates that apps may name.
	ForApps func() []string
	Issuer  string
	Now     func() time.Time
}

// act is a handler that knows which operator asks.
type act func(w http.ResponseWriter, r *http.Request, by identity.User) error

// operator lets operators through. Somebody who is not signed in signs in first and comes
// back; everybody else is told that there is nothing.
func (p *Pages) operator(do act) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, err := p.Session.Current(r)
		if problem.Is(err, problem.Unauthenticated) {
			if r.Method == http.MethodGet {
				p.Web.KeepReturn(w, r.URL.RequestURI())
			}
			return web.Redirect(w, r, "/sign-in")
		}
		if err != nil {
			return err
		}
		person, err := p.People.Person(r.Context(), s.User)
		if err != nil {
			return err
		}
		if !person.User.Operator || !person.User.MayEnter() {
			return web.ErrNoPage
		}
		web.Note(r.Context(), web.KeyUser, string(s.User))
		return do(w, r, person.User)
	}
}

// lines splits a text area into its lines that say something.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func ticked(r *http.Request, field string) bool { return r.PostFormValue(field) != "" }
