package login

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/federation"
	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web"
)

// This file decides which providers a page offers, and who is sent to one without being asked:
// whose app wants it, and whose address belongs to one.

// routed reports whether some e-mail domain has a provider of its own. Then the address is asked
// for first: it says what comes next.
func (p *Pages) routed() bool {
	return slices.ContainsFunc(p.Engine.Federation.Open(), func(c federation.Connection) bool { return len(c.Domains) > 0 })
}

// wished is the connection that the app that waits leads to, "" for none. Whoever
// wants to choose is not sent anywhere.
func (p *Pages) wished(q url.Values, ask Ask) string {
	if ask.ID == "" || q.Has("add") || q.Has("other") {
		return ""
	}
	f := p.Engine.Federation
	for _, name := range []string{ask.Upstream.Connection, ask.Upstream.Domain} {
		if c, err := f.Connection(name); err == nil {
			return c.Name
		}
	}
	if c, ok := f.Domain(identity.Identifier{Kind: identity.Email, Value: "@" + strings.ToLower(ask.Upstream.Domain)}); ok {
		return c.Name
	}
	if address, err := identity.ParseEmail(ask.Hint); err == nil {
		if c, ok := f.Domain(address); ok && c.Enforce {
			return c.Name
		}
	}
	return ""
}

// leave begins an attempt and sends the browser to a provider at once.
func (p *Pages) leave(w http.ResponseWriter, r *http.Request, ask Ask, form signInForm, connection string) error {
	_, at, err := p.begin(w, r, ask, form.Public)
	if err != nil {
		return p.Web.Again(w, r, err, "sign_in", form)
	}
	return p.depart(w, r, at, connection)
}

// sole is the connection that is the only way in for who was named, "" if there is none.
func sole(v View) string {
	if v.Step != NeedsFirstFactor || len(v.Methods) != 1 {
		return ""
	}
	return v.Methods[0].Connection
}

// hand sends somebody to their only provider. Who typed a password is told first that none is
// needed here; it was not looked at.
func (p *Pages) hand(w http.ResponseWriter, r *http.Request, at At, v View, connection string, typed secret.String) error {
	if !typed.Empty() {
		return web.Redirect(w, r, attemptPath(v.ID))
	}
	return p.depart(w, r, at, connection)
}

// connectionPage is the data of the page "connection".
type connectionPage struct {
	Party      *identity.Party
	Attempt    AttemptID
	Identifier string
	Way        elsewhere
	Others     bool
	Only       bool // there is no other way in for who was named
	Operators  bool // who runs the service may come in by a password and a second factor all the same
	Connect    bool // within a session: to have it on the account from now on
}

// elsewhere is one provider as a button.
type elsewhere struct {
	Connection string
	Title      string
	Preset     string
}

// row is the buttons to providers on a sign-in or sign-up page.
type row struct {
	Buttons []elsewhere
	Icons   bool // without words
	Bottom  bool // after the form
}

func (p *Pages) row() row {
	policy := p.Engine.policy()
	out := row{Icons: policy.Buttons.Layout == Icons, Bottom: policy.Buttons.Place == Bottom}
	for _, c := range policy.Connections {
		if !c.Hidden {
			out.Buttons = append(out.Buttons, elsewhere{c.Name, c.Shown(), c.Preset})
		}
	}
	return out
}

// elsewheres are the providers among what may be tried now.
func elsewheres(options []Option) []elsewhere {
	var all []elsewhere
	for _, o := range options {
		if o.Connection != "" {
			all = append(all, elsewhere{o.Connection, o.Title, o.Preset})
		}
	}
	return all
}

// connection shows the button that leads to one provider.
func (p *Pages) connection(w http.ResponseWriter, r *http.Request, v View, o Option, trouble error) error {
	return p.draw(w, r, trouble, "connection", connectionPage{
		Party: v.Party, Attempt: v.ID, Identifier: v.Identifier, Way: elsewhere{o.Connection, o.Title, o.Preset},
		Others: len(v.Methods) > 1, Only: sole(v) != "" || v.Step == NeedsConnection && v.Goal != Connect,
		Operators: sole(v) != "" && p.Engine.Settings().Password, Connect: v.Step == NeedsConnection && v.Goal == Connect,
	})
}
