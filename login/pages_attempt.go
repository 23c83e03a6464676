package login

import (
	"context"
	"net/http"

	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web"
)

// event answers a POST on an attempt with one event of the engine.
func (p *Pages) event(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, at At) (View, error)) error {
	at, err := p.at(r)
	if err != nil {
		return err
	}
	v, err := do(r.Context(), at)
	return p.answer(w, r, v, err)
}

// Identify answers POST /sign-in/{attempt}/identify.
func (p *Pages) Identify(w http.ResponseWriter, r *http.Request) error {
	at, err := p.at(r)
	if err != nil {
		return err
	}
	v, err := p.Engine.Identify(r.Context(), at, r.PostFormValue("identifier"))
	if name := sole(v); err == nil && name != "" {
		return p.depart(w, r, at, name)
	}
	return p.answer(w, r, v, err)
}

// Rename answers GET /sign-in/{attempt}/identify with the form for another address.
func (p *Pages) Rename(w http.ResponseWriter, r *http.Request) error {
	at, err := p.at(r)
	if err != nil {
		return err
	}
	v, err := p.Engine.Look(r.Context(), at)
	if err != nil {
		return p.lost(w, r, err)
	}
	if v.Step != NeedsFirstFactor && v.Step != NeedsIdentifier {
		return web.Redirect(w, r, attemptPath(v.ID))
	}
	return p.Web.Show(w, r, http.StatusOK, "sign_in", p.signInForm(r, v))
}

// Prepare answers POST /sign-in/{attempt}/prepare: a message is sent, and the page asks for what it says.
func (p *Pages) Prepare(w http.ResponseWriter, r *http.Request) error {
	m := identity.Method(r.PostFormValue("method"))
	at, err := p.at(r)
	if err != nil {
		return err
	}
	v, err := p.Engine.Prepare(r.Context(), at, m)
	if err != nil || v.Step == Complete || v.Step == Abandoned {
		return p.answer(w, r, v, err)
	}
	if _, offered := pick(v.Methods, m); !offered {
		return web.Redirect(w, r, attemptPath(v.ID))
	}
	return web.Redirect(w, r, attemptPath(v.ID)+"?method="+string(m))
}

// Prove answers POST /sign-in/{attempt}/prove.
func (p *Pages) Prove(w http.ResponseWriter, r *http.Request) error {
	m := identity.Method(r.PostFormValue("method"))
	typed := r.PostFormValue("code")
	if m == identity.Password {
		typed = r.PostFormValue("password")
	}
	return p.event(w, r, func(ctx context.Context, at At) (View, error) {
		at.Trust = r.PostFormValue("trust") != ""
		return p.humanly(r, at, func() (View, error) { return p.Engine.Prove(ctx, at, m, secret.NewString(typed)) })
	})
}

// Forgot answers POST /sign-in/{attempt}/forgot: the password is lost.
func (p *Pages) Forgot(w http.ResponseWriter, r *http.Request) error {
	return p.event(w, r, func(ctx context.Context, at At) (View, error) {
		return p.humanly(r, at, func() (View, error) { return p.Engine.Forgot(ctx, at) })
	})
}

// SetPassword answers POST /sign-in/{attempt}/password.
func (p *Pages) SetPassword(w http.ResponseWriter, r *http.Request) error {
	return p.event(w, r, func(ctx context.Context, at At) (View, error) {
		return p.Engine.SetPassword(ctx, at, secret.NewString(r.PostFormValue("password")))
	})
}

// Cancel answers POST /sign-in/{attempt}/cancel: back to the app that waits, or to the start.
func (p *Pages) Cancel(w http.ResponseWriter, r *http.Request) error {
	at, err := p.at(r)
	if err != nil {
		return err
	}
	a, err := p.Engine.Store.Attempt(r.Context(), at.Attempt)
	if err != nil || a.Browser != at.Browser.ID {
		return p.lost(w, r, ErrNoAttempt.Because(err))
	}
	v, err := p.Engine.Cancel(r.Context(), at)
	if err != nil {
		return p.answer(w, r, v, err)
	}
	switch {
	case a.Goal.within() && a.Ask == "" && p.Engine.back(a) != "":
		return web.Redirect(w, r, p.Engine.back(a))
	case a.Goal.within() && a.Ask == "":
		return web.Redirect(w, r, p.Web.TakeReturn(w, r, home))
	}
	ask, err := p.ask(r, a.Ask)
	if err != nil || ask.ID == "" {
		return web.Redirect(w, r, startFor("", p.Engine.back(a)))
	}
	return p.decline(w, r, ask)
}
