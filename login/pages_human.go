package login

import (
	"cmp"
	"context"
	"net/http"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
)

// humanPage is the data of the page "human".
type humanPage struct {
	Party      *identity.Party
	Attempt    AttemptID
	Identifier string
	Check      *Check
	Method     identity.Method // of the mailed code that does instead
	Target     string
	Reset      bool
}

// Sources lets the page load the widget of a captcha.
func (h humanPage) Sources() map[string]string { return h.Check.Sources() }

// Sources lets the page load the widget of a captcha, if one is on it.
func (f signUpForm) Sources() map[string]string { return f.Check.Sources() }

// human shows the bot check that is due, and the mailed code that does instead.
func (p *Pages) human(w http.ResponseWriter, r *http.Request, v View, trouble error) error {
	picked, ok := pick(v.Methods, identity.Method(r.FormValue("method")))
	if ok && picked.Sent && !r.URL.Query().Has("other") && !problem.HasCode(trouble, ErrHuman.Code) {
		return p.proof(w, r, v, trouble)
	}
	return p.draw(w, r, trouble, "human", humanPage{
		Party: v.Party, Attempt: v.ID, Identifier: v.Identifier, Check: v.Human,
		Method: picked.Method, Target: picked.Target, Reset: v.Reset,
	})
}

// PassHuman answers POST /sign-in/{attempt}/human: the check was solved.
func (p *Pages) PassHuman(w http.ResponseWriter, r *http.Request) error {
	return p.event(w, r, func(ctx context.Context, at At) (View, error) { return p.Engine.PassHuman(ctx, at, solution(r)) })
}

// solution is what a form says to the bot check: our script's answer, or a widget's.
func solution(r *http.Request) secret.String {
	return secret.NewString(cmp.Or(r.PostFormValue("human"), r.PostFormValue("cf-turnstile-response"), r.PostFormValue("h-captcha-response")))
}

// humanly makes an event happen. If a bot check turns out to be due and its solution came
// along, that is shown first. A solution that does not hold leaves the page that asks anew.
func (p *Pages) humanly(r *http.Request, at At, do func() (View, error)) (View, error) {
	v, err := do()
	answer := solution(r)
	if err != nil || v.Step != NeedsHuman || answer.Empty() {
		return v, err
	}
	reset := v.Reset
	passed, err := p.Engine.PassHuman(r.Context(), at, answer)
	if problem.HasCode(err, ErrHuman.Code) || problem.HasCode(err, ErrHumanUnreachable.Code) {
		return v, nil
	}
	if err != nil || reset { // the message of a reset is on its way
		return passed, err
	}
	return do()
}

// asks reports whether the script of a form should ask if a check is due before the form is sent.
func (p *Pages) asks() bool {
	c := p.Engine.Checker
	return c != nil && c.Captcha == nil && p.Engine.Settings().BotCheck != CheckNever
}

// widget is the captcha for a form that whoever sent r would have to solve now, nil for none.
func (p *Pages) widget(r *http.Request, act Action) (*Check, error) {
	if c := p.Engine.Checker; c == nil || c.Captcha == nil {
		return nil, nil
	}
	return p.Engine.Due(r.Context(), act, "", At{Network: web.Network(r)})
}
