package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/internal/problem"
	"idp/session"
	"idp/templates"
)

// farewell is a logout request that was found to be in order.
type farewell struct {
	form   url.Values
	client Client // that asks, as far as its hint proves
	hint   idClaims
	back   string // where the browser goes afterwards, "" for our own page
}

// logoutFields are the parameters a confirmation carries on.
var logoutFields = []string{"id_token_hint", "post_logout_redirect_uri", "state", "client_id", "ui_locales"}

// Logout ends a session at a relying party's wish (OIDC RP-Initiated Logout). Only an ID
// token of that very session makes it go without a question: anybody can make a link.
func (p *Provider) Logout(w http.ResponseWriter, r *http.Request) error {
	form, err := queryForm(w, r)
	if err != nil {
		p.Pages.Problem(w, r, errGarbled.Because(err))
		return nil
	}
	if p.cookieless(r) {
		return p.bounce(w, r, form, "/oauth2/logout")
	}
	f, err := p.farewell(r, form)
	if err != nil {
		return err
	}
	here, active, err := p.present(r)
	if err != nil {
		return err
	}
	if len(here) == 0 {
		return p.leave(w, r, f)
	}
	if i := slices.IndexFunc(here, f.isOf); i >= 0 {
		if err := p.Sessions.End(r.Context(), here[i], "client:"+string(f.client.ID)); err != nil {
			return err
		}
		return p.leave(w, r, f)
	}
	fields := map[string]string{}
	for _, name := range logoutFields {
		if v := form.Get(name); v != "" {
			fields[name] = v
		}
	}
	fields["session"] = string(active.ID)
	var account string
	if p.Who != nil {
		if _, account, err = p.Who(r.Context(), active.User); err != nil {
			return err
		}
	}
	return p.Pages.Show(w, r, http.StatusOK, "logout", templates.Logout{
		Party: f.client.Name, Account: account, Action: "/oauth2/logout/confirm", Fields: fields,
	})
}

// isOf reports whether the hint is an ID token of that session.
func (f farewell) isOf(s session.Session) bool {
	return f.hint.SessionID != "" && f.hint.SessionID == string(s.ID) && f.hint.Subject == string(s.User)
}

// LogoutConfirm is the person's answer to the page "logout". It is a form of ours: the
// route's face has checked its token.
func (p *Provider) LogoutConfirm(w http.ResponseWriter, r *http.Request) error {
	form, err := bodyForm(w, r)
	if err != nil {
		p.Pages.Problem(w, r, errGarbled.Because(err))
		return nil
	}
	if form.Get("answer") != "confirm" {
		http.Redirect(w, r, "/account", http.StatusSeeOther)
		return nil
	}
	f, err := p.farewell(r, form)
	if err != nil {
		return err
	}
	here, _, err := p.present(r)
	if err != nil {
		return err
	}
	for _, s := range here {
		if string(s.ID) != form.Get("session") {
			continue
		}
		if err := p.Sessions.End(r.Context(), s, string(s.User)); err != nil {
			return err
		}
	}
	return p.leave(w, r, f)
}

// LogoutDone says that the person is signed out.
func (p *Provider) LogoutDone(w http.ResponseWriter, r *http.Request) error {
	return p.Pages.Show(w, r, http.StatusOK, "logged_out", templates.LoggedOut{})
}

// leave sends the browser where the relying party may have it, or to our own page.
func (p *Provider) leave(w http.ResponseWriter, r *http.Request, f farewell) error {
	w.Header().Set("Cache-Control", "no-store")
	if f.back == "" {
		http.Redirect(w, r, "/oauth2/logout/done", http.StatusSeeOther)
		return nil
	}
	to := f.back
	if state := f.form.Get("state"); state != "" {
		joint := "?"
		if strings.Contains(to, "?") {
			joint = "&"
		}
		to += joint + url.Values{"state": {state}}.Encode()
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// farewell reads a logout request. A hint that is not good counts for nothing, and without
// a good one nobody is sent anywhere.
func (p *Provider) farewell(r *http.Request, form url.Values) (farewell, error) {
	f := farewell{form: form}
	hint, err := p.readHint(form.Get("id_token_hint"))
	if err != nil {
		return f, nil
	}
	if id := form.Get("client_id"); id != "" && id != hint.Audience {
		return f, nil
	}
	client, err := p.Clients.Get(r.Context(), ClientID(hint.Audience))
	if problem.Is(err, problem.NotFound) || err == nil && client.Disabled {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.hint, f.client = hint, client
	if uri := form.Get("post_logout_redirect_uri"); slices.Contains(client.PostLogoutRedirectURIs, uri) && len(form.Get("state")) <= maxState {
		f.back = uri
	}
	return f, nil
}

// present returns the sessions on the browser, and the one in use.
func (p *Provider) present(r *http.Request) ([]session.Session, session.Session, error) {
	browser, err := p.Sessions.Browser(r)
	if problem.Is(err, problem.NotFound) {
		return nil, session.Session{}, nil
	}
	if err != nil {
		return nil, session.Session{}, err
	}
	here, err := p.Sessions.Sessions(r.Context(), browser)
	if err != nil || len(here) == 0 {
		return nil, session.Session{}, err
	}
	return here, here[0], nil
}
