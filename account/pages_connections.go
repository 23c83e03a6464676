package account

import (
	"net/http"

	"idp/identity"
	"idp/internal/web"
	"idp/login"
)

// Connect answers POST /account/connections/connect: the browser goes to the provider of the
// connection named, after a fresh proof if one is due, and what it comes back with signs in here
// from then on.
func (p *Pages) Connect(w http.ResponseWriter, r *http.Request) error {
	by, ok, err := p.acting(w, r)
	if !ok {
		return err
	}
	connection := r.PostFormValue("connection")
	v, err := p.start(r, login.Beginning{Goal: login.Connect, Session: by.Session.ID, Connection: connection})
	if err != nil {
		return p.onSecurityAgain(w, r, by, err)
	}
	p.Web.KeepReturn(w, securityPath+"?done=connected")
	if v.Step != login.NeedsConnection {
		return web.Redirect(w, r, "/sign-in/"+string(v.ID))
	}
	at, err := p.at(r, by, v.ID)
	if err != nil {
		return err
	}
	_, way, err := p.Engine.Depart(r.Context(), at, connection)
	if err != nil {
		return p.onSecurityAgain(w, r, by, err)
	}
	return login.Follow(w, r, p.Web, way)
}

// Disconnect answers POST /account/connections/disconnect: the account elsewhere that is named
// signs in here no longer.
func (p *Pages) Disconnect(w http.ResponseWriter, r *http.Request) error {
	return p.onSecurity(w, r, func(by By) error {
		if err := p.Self.Disconnect(r.Context(), by, identity.FactorID(r.PostFormValue("factor"))); err != nil {
			return err
		}
		return web.Redirect(w, r, securityPath+"?done=disconnected")
	})
}

// onSecurityAgain shows the security page with the trouble.
func (p *Pages) onSecurityAgain(w http.ResponseWriter, r *http.Request, by By, trouble error) error {
	data, err := p.securityPage(r, by)
	if err != nil {
		return err
	}
	return p.Web.Again(w, r, trouble, "account_security", data)
}
