package login

import (
	"cmp"
	"net/http"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/session"
)

// signInForm is the data of the page "sign_in".
type signInForm struct {
	Party      *identity.Party
	Ask        AskID
	Return     string // where to go then, if nobody waits
	Attempt    AttemptID
	Identifier string
	Typed      bool // ask for an address
	Password   bool // ask for it on this page
	ByCode     bool // offer a mailed code
	Passkey    bool // offer to use one
	SignUp     bool // offer to sign up
	Public     bool
	Accounts   bool // offer the chooser
	SignedOut  bool
	Asks       bool // its script asks if a bot check is due
	Elsewhere  row  // of buttons to providers
}

func (p *Pages) blankSignIn() signInForm {
	s := p.Engine.Settings()
	routed := p.routed()
	return signInForm{
		Typed: s.Password || s.EmailCode || s.EmailLink || routed,
		// Whose domain has a provider of its own has no password to type.
		Password: s.Password && !s.TwoPages && !routed, ByCode: s.EmailCode || s.EmailLink,
		Passkey: s.Passkeys && p.Engine.WebAuthn != nil, SignUp: s.SignUp == Open,
		Asks: p.asks(), Elsewhere: p.row(),
	}
}

// signInForm is the form of an attempt that was begun, filled with what was typed.
func (p *Pages) signInForm(r *http.Request, v View) signInForm {
	f := p.blankSignIn()
	f.Party, f.Attempt, f.Identifier, f.Public = v.Party, v.ID, v.Identifier, v.Public
	f.Ask, f.Return = cmp.Or(AskID(r.FormValue("ask")), v.ask), v.back
	if f.Identifier == "" {
		f.Identifier = v.Hint
	}
	return f
}

// SignIn answers GET /sign-in with the form; ?ask= names a waiting request, ?add=1 asks for
// another account beside those that are signed in, ?return_to= says where to go then.
func (p *Pages) SignIn(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	ask, err := p.ask(r, AskID(q.Get("ask")))
	if err != nil {
		return err
	}
	b, err := p.Sessions.Browser(r)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return err
	}
	form := p.blankSignIn()
	form.Return = p.back(r)
	if err == nil {
		alive, err := p.Sessions.Sessions(r.Context(), b)
		if err != nil {
			return err
		}
		if s, ok := halfway(ask, alive, p.Engine.Now()); ok && !q.Has("add") {
			return p.more(w, r, ask, b, s)
		}
		switch {
		case len(alive) == 0 || ask.ID != "" || q.Has("add"):
		case q.Has("signed_out"):
			return web.Redirect(w, r, choosePath) // of several accounts, one is left
		default:
			return web.Redirect(w, r, cmp.Or(form.Return, home))
		}
		form.Accounts = len(alive) > 0
	}
	form.Party, form.Ask, form.Identifier = ask.party(), ask.ID, clipHint(ask.Hint)
	if name := p.wished(q, ask); name != "" {
		return p.leave(w, r, ask, form, name)
	}
	form.SignedOut = q.Has("signed_out")
	return p.Web.Show(w, r, http.StatusOK, "sign_in", form)
}

// clipHint shows a login_hint only if it is an address; it came from elsewhere.
func clipHint(hint string) string {
	address, err := identity.ParseEmail(hint)
	if err != nil {
		return ""
	}
	return address.Value
}

// Enter answers POST /sign-in: it begins an attempt, names the person and does what the
// button said: prove the password, use a passkey, mail a code, start a reset, or go back to the app.
func (p *Pages) Enter(w http.ResponseWriter, r *http.Request) error {
	do := r.PostFormValue("do")
	ask, err := p.ask(r, AskID(r.PostFormValue("ask")))
	if err != nil {
		return err
	}
	if do == "cancel" {
		return p.decline(w, r, ask)
	}
	form := p.blankSignIn()
	form.Party, form.Ask, form.Identifier, form.Public = ask.party(), ask.ID, r.PostFormValue("identifier"), r.PostFormValue("public") != ""
	form.Return = p.back(r)
	if do == "passkey" && form.Passkey {
		return p.enterByKey(w, r, ask, form.Public)
	}
	if name := connectionOf(do); name != "" {
		return p.leave(w, r, ask, form, name)
	}
	if _, err := identity.ParseEmail(form.Identifier); err != nil {
		return p.misspelt(w, r, form, do, err)
	}
	v, at, err := p.begin(w, r, ask, form.Public)
	if err != nil {
		return err
	}
	at.Attempt = v.ID
	form.Attempt = v.ID
	if v, err = unmoved(func() (View, error) { return p.Engine.Identify(r.Context(), at, form.Identifier) }); err != nil {
		return p.Web.Again(w, r, err, "sign_in", form)
	}
	typed := secret.NewString(r.PostFormValue("password"))
	if name := sole(v); name != "" {
		return p.hand(w, r, at, v, name, typed)
	}
	switch {
	case do == "forgot":
		v, err = p.humanly(r, at, func() (View, error) { return p.Engine.Forgot(r.Context(), at) })
	case do == "code":
		v, err = p.Engine.Prepare(r.Context(), at, mailed(p.Engine.policy()))
	case form.Password || p.Engine.Settings().Password && !typed.Empty():
		v, err = p.humanly(r, at, func() (View, error) {
			return unmoved(func() (View, error) { return p.Engine.Prove(r.Context(), at, identity.Password, typed) })
		})
	case !p.Engine.Settings().Password:
		// Nothing but the mailbox can prove anything: do not make the person ask for it.
		v, err = p.Engine.Prepare(r.Context(), at, mailed(p.Engine.policy()))
	}
	if err != nil {
		return p.Web.Again(w, r, err, "sign_in", form)
	}
	return p.advance(w, r, v)
}

// misspelt shows the form again for what is no address; somebody who pressed "Forgot
// password?" before typing one gets a page that asks for just that.
func (p *Pages) misspelt(w http.ResponseWriter, r *http.Request, form signInForm, do string, err error) error {
	if do != "forgot" && do != "code" {
		return p.Web.Again(w, r, err, "sign_in", form)
	}
	data := struct {
		Party      *identity.Party
		Ask        AskID
		Return     string
		Identifier string
		Code       bool
		Asks       bool
	}{form.Party, form.Ask, form.Return, form.Identifier, do == "code", form.Asks}
	if form.Identifier == "" {
		return p.Web.Show(w, r, http.StatusOK, "forgot", data)
	}
	return p.Web.Again(w, r, err, "forgot", data)
}

// begin returns the attempt that the form names, if it can go on, or a new one.
func (p *Pages) begin(w http.ResponseWriter, r *http.Request, ask Ask, public bool) (View, At, error) {
	b, err := p.Sessions.Ensure(w, r)
	if err != nil {
		return View{}, At{}, err
	}
	at := At{Browser: b, Network: web.Network(r), UserAgent: session.Clip(r.UserAgent()), Locale: p.Web.Locale(r)}
	if at.Attempt = AttemptID(r.PostFormValue("attempt")); at.Attempt != "" {
		v, err := p.Engine.Look(r.Context(), at)
		on := v.Step == NeedsIdentifier || v.Step == NeedsFirstFactor && v.Goal == SignIn
		if err == nil && on && v.Public == public {
			return v, at, nil
		}
	}
	v, err := p.Engine.Start(r.Context(), Beginning{
		Browser: b, Goal: SignIn, Ask: ask.ID, Public: public, Return: p.back(r),
		Locale: at.Locale, Network: at.Network, UserAgent: at.UserAgent,
	})
	at.Attempt = v.ID
	return v, at, err
}

// decline tells the waiting app that the person turned back before proving anything.
func (p *Pages) decline(w http.ResponseWriter, r *http.Request, ask Ask) error {
	b, err := p.Sessions.Browser(r)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return err
	}
	if ask.ID == "" || ask.Browser != b.ID {
		return ErrAsk
	}
	ask.Answer, ask.Answered = Denied, ""
	if err := p.Engine.Store.SaveAsk(r.Context(), ask); err != nil {
		return err
	}
	return web.Redirect(w, r, ask.Back())
}

// unmoved does it once more if something else moved the attempt: the page's own script prepares a
// passkey for the same attempt, perhaps in this moment.
func unmoved(do func() (View, error)) (View, error) {
	v, err := do()
	if problem.HasCode(err, ErrMoved.Code) {
		return do()
	}
	return v, err
}
