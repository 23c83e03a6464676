package provider

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"idp/internal/problem"
	"idp/session"
	"idp/templates"
)

// farewell is a logout request that was read.
type farewell struct {
	form   url.Values
	client Client   // that asks: proven by its hint, or only named by client_id
	hint   idClaims // zero without a good one
	back   string   // where the browser goes afterwards, "" for our own page
	why    string   // what is wrong with the request, "" for nothing
}

// What may be wrong with a logout request. Then nobody is sent anywhere, and nobody is
// signed out unasked (OIDC RP-Initiated Logout §4).
const (
	whyHint    = "hint"    // the id_token_hint is not an ID token that we issued to who asks
	whyAddress = "address" // the post_logout_redirect_uri is not registered for a client we can name
)

// logoutFields are the parameters a confirmation carries on.
var logoutFields = []string{"id_token_hint", "post_logout_redirect_uri", "state", "client_id", "ui_locales"}

const donePath = "/oauth2/logout/done"

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
		return p.absent(w, r, f)
	}
	if i := slices.IndexFunc(here, func(s session.Session) bool { return p.isOf(f, s) }); i >= 0 && f.why == "" {
		if err := p.Sessions.End(r.Context(), here[i], "client:"+string(f.client.ID)); err != nil {
			return err
		}
		return p.leave(w, r, f, here[i].ID)
	}
	if i := slices.IndexFunc(here, func(s session.Session) bool { return p.sessionName(f.client, s.ID) == form.Get("logout_hint") }); i >= 0 {
		active = here[i]
	}
	return p.ask(w, r, f, active)
}

// ask shows the page that asks whether to end a session.
func (p *Provider) ask(w http.ResponseWriter, r *http.Request, f farewell, s session.Session) error {
	fields := map[string]string{}
	for _, name := range logoutFields {
		if v := f.form.Get(name); v != "" {
			fields[name] = v
		}
	}
	fields["session"] = string(s.ID)
	var account string
	if p.Who != nil {
		var err error
		if _, account, err = p.Who(r.Context(), s.User); err != nil {
			return err
		}
	}
	return p.Pages.Show(w, r, http.StatusOK, "logout", templates.Logout{
		Party: f.client.Name, Account: account, Action: "/oauth2/logout/confirm", Fields: fields, Why: f.why,
	})
}

// absent answers where nobody is signed in, which is no error. Without a hint anybody may
// have made the link, so that the person goes on by their own hand only.
func (p *Provider) absent(w http.ResponseWriter, r *http.Request, f farewell) error {
	if f.back == "" || f.hint.Subject != "" {
		return p.leave(w, r, f)
	}
	return p.Pages.Show(w, r, http.StatusOK, "logged_out", templates.LoggedOut{Party: f.client.Name, Back: f.destination()})
}

// isOf reports whether the hint is an ID token of that session.
func (p *Provider) isOf(f farewell, s session.Session) bool {
	return f.hint.SessionID != "" && f.hint.SessionID == p.sessionName(f.client, s.ID) && f.hint.Subject == p.subject(f.client, s.User)
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
		return p.leave(w, r, f, s.ID)
	}
	return p.leave(w, r, f)
}

// LogoutDone says that the person is signed out.
func (p *Provider) LogoutDone(w http.ResponseWriter, r *http.Request) error {
	why := r.URL.Query().Get("why")
	if why != whyHint && why != whyAddress {
		why = ""
	}
	return p.Pages.Show(w, r, http.StatusOK, "logged_out", templates.LoggedOut{Why: why})
}

// destination is where the relying party may have the browser, with its state, or our own page.
func (f farewell) destination() string {
	switch {
	case f.back != "" && f.form.Get("state") != "":
		return joined(f.back, url.Values{"state": {f.form.Get("state")}})
	case f.back != "":
		return f.back
	case f.why != "":
		return donePath + "?why=" + f.why
	}
	return donePath
}

// leave sends the browser to its destination, by way of the relying parties that want to
// hear in a frame that these sessions ended. Who stays here is offered to sign out at the
// provider where they came from.
func (p *Provider) leave(w http.ResponseWriter, r *http.Request, f farewell, ended ...session.ID) error {
	if _, err := p.Sessions.ShowState(w, r); err != nil {
		return err
	}
	to := f.destination()
	if to == donePath && len(ended) == 1 && p.Behind != nil {
		offer, err := p.Behind(r, ended[0])
		if err != nil {
			return err
		}
		to = cmp.Or(offer, to)
	}
	to, err := p.Parting(r, ended, to)
	if err != nil {
		return err
	}
	goTo(w, to)
	return nil
}

// farewell reads a logout request.
func (p *Provider) farewell(r *http.Request, form url.Values) (farewell, error) {
	f := farewell{form: form}
	id := ClientID(form.Get("client_id"))
	if raw := form.Get("id_token_hint"); raw != "" {
		hint, err := p.readHint(r.Context(), raw)
		if err != nil || id != "" && string(id) != hint.Audience {
			f.why = whyHint
			return f, nil //nolint:nilerr // a hint of somebody else's making
		}
		f.hint, id = hint, ClientID(hint.Audience)
	}
	client, err := p.Clients.Get(r.Context(), id)
	switch {
	case err != nil && !problem.Is(err, problem.NotFound):
		return f, err
	case err == nil && !client.Disabled:
		f.client = client
	case f.hint.Subject != "":
		f.hint, f.why = idClaims{}, whyHint
		return f, nil
	}
	uri := form.Get("post_logout_redirect_uri")
	if uri == "" {
		return f, nil
	}
	if !slices.Contains(f.client.PostLogoutRedirectURIs, uri) || len(form.Get("state")) > maxState {
		f.why = whyAddress
		return f, nil
	}
	f.back = uri
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
