package login

import (
	"net/http"
	"strings"

	"idp/internal/web"
	"idp/session"
)

// API is the engine for scripts: JSON in, a View out, under /frontend/v1/attempts. Its
// handlers differ from the pages' in how they read and write, in nothing else.
type API struct {
	Engine *Engine
	Keeper *session.Keeper
	Locale func(r *http.Request) string // best language of who sent r
	Return func(to string) string       // where somebody may be sent who is to come back there, "" if nowhere
	Base   string                       // the issuer's path: where to go next begins with it
	Meter  *Meter                       // of passwords that are scored while they are typed
}

// Start answers POST /frontend/v1/attempts with a new attempt of this browser.
func (x *API) Start(w http.ResponseWriter, r *http.Request) error {
	var in StartRequest
	if err := web.DecodeJSON(r, &in); err != nil {
		return err
	}
	browser, err := x.Keeper.Ensure(w, r)
	if err != nil {
		return err
	}
	b := Beginning{
		Browser: browser, Goal: in.Goal, Ask: in.Ask, Connection: in.Connection, Invitation: in.Invitation.String, Public: in.Public, Return: x.Return(in.ReturnTo),
		Locale: x.Locale(r), Network: web.Network(r), UserAgent: r.UserAgent(),
	}
	if in.Goal.within() {
		s, err := x.Keeper.Current(r)
		if err != nil {
			return err
		}
		b.Session = s.ID
	}
	v, err := x.Engine.Start(r.Context(), b)
	return x.answer(w, http.StatusCreated, v, err)
}

// Look answers GET /frontend/v1/attempts/{attempt}.
func (x *API) Look(w http.ResponseWriter, r *http.Request) error {
	return x.event(w, r, nil, func(at At) (View, error) { return x.Engine.Look(r.Context(), at) })
}

// Identify answers POST …/identify.
func (x *API) Identify(w http.ResponseWriter, r *http.Request) error {
	var in IdentifyRequest
	return x.event(w, r, &in, func(at At) (View, error) { return x.Engine.Identify(r.Context(), at, string(in.Identifier)) })
}

// Prepare answers POST …/prepare: a code or link is sent.
func (x *API) Prepare(w http.ResponseWriter, r *http.Request) error {
	var in PrepareRequest
	return x.event(w, r, &in, func(at At) (View, error) { return x.Engine.Prepare(r.Context(), at, in.Method) })
}

// Prove answers POST …/prove.
func (x *API) Prove(w http.ResponseWriter, r *http.Request) error {
	var in ProveRequest
	return x.event(w, r, &in, func(at At) (View, error) {
		at.Trust = in.Trust
		return x.Engine.Prove(r.Context(), at, in.Method, in.Answer.String)
	})
}

// Forgot answers POST …/forgot.
func (x *API) Forgot(w http.ResponseWriter, r *http.Request) error {
	return x.event(w, r, &Nothing{}, func(at At) (View, error) { return x.Engine.Forgot(r.Context(), at) })
}

// Submit answers POST …/submit with the fields of a sign-up.
func (x *API) Submit(w http.ResponseWriter, r *http.Request) error {
	var in SubmitRequest
	return x.event(w, r, &in, func(at At) (View, error) {
		return x.Engine.Submit(r.Context(), at, Fields{Email: string(in.Email), Name: in.Name, Password: in.Password.String, Locale: in.Locale})
	})
}

// Password answers POST …/password: the new password of a reset, or in place of a breached one.
func (x *API) Password(w http.ResponseWriter, r *http.Request) error {
	var in PasswordRequest
	return x.event(w, r, &in, func(at At) (View, error) { return x.Engine.SetPassword(r.Context(), at, in.Password.String) })
}

// Enroll answers POST …/enroll: what to set up is chosen; detail is a number or a name.
func (x *API) Enroll(w http.ResponseWriter, r *http.Request) error {
	var in EnrollRequest
	return x.event(w, r, &in, func(at At) (View, error) { return x.Engine.Enroll(r.Context(), at, in.Method, in.Detail) })
}

// Confirm answers POST …/confirm: what was set up works. The answer that completes has the
// backup codes, if there are fresh ones; no other ever has.
func (x *API) Confirm(w http.ResponseWriter, r *http.Request) error {
	var in ConfirmRequest
	return x.event(w, r, &in, func(at At) (View, error) { return x.Engine.Confirm(r.Context(), at, in.Answer.String) })
}

// Cancel answers POST …/cancel.
func (x *API) Cancel(w http.ResponseWriter, r *http.Request) error {
	return x.event(w, r, &Nothing{}, func(at At) (View, error) { return x.Engine.Cancel(r.Context(), at) })
}

// event reads the body into in, if there is one to read, and shows what do answers.
func (x *API) event(w http.ResponseWriter, r *http.Request, in any, do func(At) (View, error)) error {
	if in != nil {
		if err := web.DecodeJSON(r, in); err != nil {
			return err
		}
	}
	at, err := x.at(r)
	if err != nil {
		return err
	}
	v, err := do(at)
	return x.answer(w, http.StatusOK, v, err)
}

// at says which attempt the path names and who asks.
func (x *API) at(r *http.Request) (At, error) {
	b, err := x.Keeper.Browser(r)
	return At{
		Attempt: AttemptID(r.PathValue("attempt")), Browser: b,
		Network: web.Network(r), UserAgent: r.UserAgent(), Locale: x.Locale(r),
	}, err
}

func (x *API) answer(w http.ResponseWriter, status int, v View, err error) error {
	if v.Cookie != nil { // whatever else went wrong, the old secret is void
		x.Keeper.Cookies.Write(w, *v.Cookie, !v.Public)
		x.Keeper.ShowStateOf(w, v.Cookie.ID, v.SessionID)
	}
	if err != nil {
		return err
	}
	if v, err = drawn(below(x.Base, v)); err != nil {
		return err
	}
	if len(v.BackupCodes) > 0 {
		return web.WriteJSON(w, status, CompletedAttempt{v, reveal(v.BackupCodes)})
	}
	return web.WriteJSON(w, status, v)
}

// below puts the issuer's path in front of the addresses in a view. Pages need no such: it
// is done for them on the way out.
func below(base string, v View) View {
	if strings.HasPrefix(v.Next, "/") {
		v.Next = base + v.Next
	}
	if v.Party != nil && v.Party.LogoURI != "" {
		party := *v.Party
		party.LogoURI = base + party.LogoURI
		v.Party = &party
	}
	return v
}

// drawn adds the square that an authenticator app scans.
func drawn(v View) (View, error) {
	if v.Enrollment == nil || v.Enrollment.URI == "" {
		return v, nil
	}
	square, err := qrOf(v.Enrollment.URI)
	if err != nil {
		return View{}, err
	}
	e := *v.Enrollment
	e.QR = &square
	v.Enrollment = &e
	return v, nil
}
