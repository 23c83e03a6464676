package login

import (
	"net/http"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/session"
)

// signUpForm is the data of the page "sign_up".
type signUpForm struct {
	Party      *identity.Party
	Ask        AskID
	Return     string // where to go then, if nobody waits
	Attempt    AttemptID
	Email      string
	Name       string
	Typed      bool // ask for an address
	Password   bool // ask for one
	Rules      *PasswordRules
	Invitation string
	Public     bool
	Fixed      bool   // the address answered already
	Asks       bool   // its script asks if a bot check is due
	Check      *Check // the widget of a captcha that is due, nil for none
	Elsewhere  row    // of buttons to providers
	Upstream   string // the provider that the person comes from, as people call it
}

func (p *Pages) blankSignUp() signUpForm {
	s := p.Engine.Settings()
	return signUpForm{Typed: s.Password || s.EmailCode || s.EmailLink, Password: s.Password, Rules: &s.Rules, Asks: p.asks(), Elsewhere: p.row()}
}

func (p *Pages) signUpForm(v View) signUpForm {
	f := p.blankSignUp()
	f.Party, f.Attempt, f.Email, f.Public = v.Party, v.ID, v.Identifier, v.Public
	f.Ask, f.Return, f.Fixed = v.ask, v.back, v.Confirmed
	if f.Fixed || v.Upstream != "" {
		f.Elsewhere = row{}
	}
	return f.from(v)
}

// from leaves out what is not asked of somebody who comes from a provider.
func (f signUpForm) from(v View) signUpForm {
	if f.Upstream = v.Upstream; f.Upstream != "" {
		f.Typed, f.Password, f.Elsewhere = true, false, row{}
	}
	return f
}

// SignUp answers GET /sign-up with the form; ?ask= names a waiting request, ?invitation= is
// the token of an invitation, ?return_to= says where to go then.
func (p *Pages) SignUp(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	form := p.blankSignUp()
	form.Invitation, form.Return = q.Get("invitation"), p.back(r)
	if err := p.maySignUp(form.Invitation); err != nil {
		return p.closed(w, r, err)
	}
	ask, err := p.ask(r, AskID(q.Get("ask")))
	if err != nil {
		return err
	}
	form.Party, form.Ask, form.Email = ask.party(), ask.ID, clipHint(ask.Hint)
	if form.Invitation != "" {
		i, err := p.Engine.invited(r.Context(), secret.NewString(form.Invitation), p.Engine.Now())
		if problem.Is(err, problem.Gone) {
			return p.closed(w, r, err)
		}
		if err != nil {
			return err
		}
		form.Email = i.Address.Value // who holds the token was sent it there
	}
	if form.Check, err = p.widget(r, ActSignUp); err != nil {
		return err
	}
	return p.Web.Show(w, r, http.StatusOK, "sign_up", form)
}

func (p *Pages) maySignUp(invitation string) error {
	switch mode := p.Engine.Settings().SignUp; {
	case mode == Closed:
		return ErrClosed
	case mode == Invited && invitation == "":
		return ErrUninvited
	}
	return nil
}

func (p *Pages) closed(w http.ResponseWriter, r *http.Request, err error) error {
	p.Web.Failed(w, r, err, signInPath)
	return nil
}

// Register answers POST /sign-up: it begins an attempt, or goes on with the one the form
// names, and fills in the fields.
func (p *Pages) Register(w http.ResponseWriter, r *http.Request) error {
	ask, err := p.ask(r, AskID(r.PostFormValue("ask")))
	if err != nil {
		return err
	}
	form := p.blankSignUp()
	form.Party, form.Ask, form.Email, form.Name = ask.party(), ask.ID, r.PostFormValue("email"), r.PostFormValue("name")
	form.Invitation, form.Public, form.Return = r.PostFormValue("invitation"), r.PostFormValue("public") != "", p.back(r)
	if name := connectionOf(r.PostFormValue("do")); name != "" {
		return p.registerElsewhere(w, r, ask, form, name)
	}
	if at, err := p.on(r, AttemptID(r.PostFormValue("attempt"))); err == nil && at.Attempt != "" {
		if v, err := p.Engine.Look(r.Context(), at); err == nil {
			form = form.from(v)
		}
	}
	if _, err := identity.ParseEmail(form.Email); err != nil {
		return p.Web.Again(w, r, identity.ErrEmail.On("email"), "sign_up", form)
	}
	typed := secret.NewString(r.PostFormValue("password"))
	if form.Password && typed.Empty() {
		return p.Web.Again(w, r, ErrPasswordEmpty, "sign_up", form)
	}
	v, at, err := p.beginSignUp(w, r, ask, form)
	if problem.Is(err, problem.Forbidden) {
		return p.closed(w, r, err)
	}
	if err != nil {
		return p.Web.Again(w, r, err, "sign_up", form)
	}
	form.Attempt = v.ID
	v, err = p.humanly(r, at, func() (View, error) {
		return p.Engine.Submit(r.Context(), at, Fields{Email: form.Email, Name: form.Name, Password: typed, Locale: at.Locale})
	})
	form.Fixed = v.Confirmed
	if err != nil {
		return p.Web.Again(w, r, err, "sign_up", form)
	}
	return p.advance(w, r, v)
}

// registerElsewhere begins a sign-up by an account that the person has elsewhere.
func (p *Pages) registerElsewhere(w http.ResponseWriter, r *http.Request, ask Ask, form signUpForm, connection string) error {
	_, at, err := p.beginSignUp(w, r, ask, form)
	switch {
	case problem.Is(err, problem.Forbidden):
		return p.closed(w, r, err)
	case err != nil:
		return p.Web.Again(w, r, err, "sign_up", form)
	}
	return p.depart(w, r, at, connection)
}

func (p *Pages) beginSignUp(w http.ResponseWriter, r *http.Request, ask Ask, form signUpForm) (View, At, error) {
	b, err := p.Sessions.Ensure(w, r)
	if err != nil {
		return View{}, At{}, err
	}
	at := At{Browser: b, Network: web.Network(r), UserAgent: session.Clip(r.UserAgent()), Locale: p.Web.Locale(r)}
	if at.Attempt = AttemptID(r.PostFormValue("attempt")); at.Attempt != "" {
		v, err := p.Engine.Look(r.Context(), at)
		if err == nil && (v.Step == MissingRequirements || v.Step == NeedsHuman && v.Goal == SignUp) && v.Public == form.Public {
			return v, at, nil
		}
	}
	v, err := p.Engine.Start(r.Context(), Beginning{
		Browser: b, Goal: SignUp, Ask: ask.ID, Invitation: secret.NewString(form.Invitation), Public: form.Public, Return: form.Return,
		Locale: at.Locale, Network: at.Network, UserAgent: at.UserAgent,
	})
	at.Attempt = v.ID
	return v, at, err
}
