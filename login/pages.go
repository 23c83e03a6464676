package login

import (
	"net/http"
	"net/url"
	"time"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/session"
)

// Pages is the engine for people: forms in, a page or a 303 out, under /sign-in and
// /sign-up. Its handlers differ from the API's in how they read and write, in nothing
// else.
type Pages struct {
	Engine   *Engine
	Sessions *session.Keeper
	Web      *web.Pages
}

const (
	signInPath = "/sign-in"
	choosePath = "/sign-in/choose"
)

// startFor is where to sign in for whoever waits, or so that somebody comes back there.
func startFor(ask AskID, back string) string {
	q := url.Values{}
	switch {
	case ask != "":
		q.Set("ask", string(ask))
	case back != "":
		q.Set(web.ReturnField, back)
	default:
		return signInPath
	}
	return signInPath + "?" + q.Encode()
}

// back is where the form or link says to go once somebody has signed in, "" if it does not, or
// nobody may be sent there.
func (p *Pages) back(r *http.Request) string { return p.Web.Returnable(r.FormValue(web.ReturnField)) }

func attemptPath(id AttemptID) string { return signInPath + "/" + string(id) }

// at says which attempt the path names and who asks.
func (p *Pages) at(r *http.Request) (At, error) { return p.on(r, AttemptID(r.PathValue("attempt"))) }

// on says who asks, about that attempt.
func (p *Pages) on(r *http.Request, id AttemptID) (At, error) {
	b, err := p.Sessions.Browser(r)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return At{}, err
	}
	// A browser we have never seen is the zero Browser: it owns no attempt.
	web.Note(r.Context(), web.KeyAttempt, string(id))
	return At{
		Attempt: id, Browser: b, Network: web.Network(r),
		UserAgent: session.Clip(r.UserAgent()), Locale: p.Web.Locale(r),
	}, nil
}

// ask returns the waiting request that a page names, if it is this browser's and still waits.
// An empty id is nobody waiting. The id in the cookie is enough to show a name; whoever
// changes the request verifies the browser first.
func (p *Pages) ask(r *http.Request, id AskID) (Ask, error) {
	if id == "" {
		return Ask{}, nil
	}
	t, ok := p.Sessions.Cookies.Read(r)
	if !ok {
		return Ask{}, ErrAsk
	}
	a, err := p.Engine.Store.Ask(r.Context(), id)
	if problem.Is(err, problem.NotFound) {
		return Ask{}, ErrAsk
	}
	if err != nil {
		return Ask{}, err
	}
	if a.Browser != t.ID || !a.UsedAt.IsZero() || !p.Engine.Now().Before(a.ExpiresAt) {
		return Ask{}, ErrAsk
	}
	return a, nil
}

// party returns who waits, nil if nobody does.
func (a Ask) party() *identity.Party {
	if a.ID == "" {
		return nil
	}
	party := a.Party
	return &party
}

// advance sends the browser to what comes next, with 303, so that no form is sent twice.
func (p *Pages) advance(w http.ResponseWriter, r *http.Request, v View) error {
	if v.Step != Complete {
		return web.Redirect(w, r, attemptPath(v.ID))
	}
	if v.Cookie != nil {
		p.Sessions.Cookies.Write(w, *v.Cookie, !v.Public)
		p.Sessions.ShowStateOf(w, v.Cookie.ID, v.SessionID)
	}
	to := v.Next
	if to == home {
		to = p.Web.TakeReturn(w, r, home)
	}
	if len(v.BackupCodes) > 0 {
		return ShowBackupCodes(w, r, p.Web, v.BackupCodes, to)
	}
	return web.Redirect(w, r, to)
}

// Show answers GET /sign-in/{attempt} with what comes next.
func (p *Pages) Show(w http.ResponseWriter, r *http.Request) error {
	at, err := p.at(r)
	if err != nil {
		return err
	}
	v, err := p.Engine.Look(r.Context(), at)
	if err != nil {
		return p.lost(w, r, err)
	}
	return p.page(w, r, v, p.mishap(r, v))
}

// answer finishes a POST: onwards if all is well, else the page again with what is wrong.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, v View, err error) error {
	switch {
	case err == nil && v.Step == Abandoned:
		return web.Redirect(w, r, startFor("", v.back))
	case err == nil:
		return p.advance(w, r, v)
	case v.ID == "":
		return p.lost(w, r, err)
	}
	return p.page(w, r, v, err)
}

// lost shows trouble that cannot be mended on this page, with the way back to the start.
func (p *Pages) lost(w http.ResponseWriter, r *http.Request, err error) error {
	if problem.Is(err, problem.Unknown) || !problem.Is(err, problem.NotFound) && !problem.Is(err, problem.Gone) {
		return err
	}
	p.Web.Failed(w, r, err, signInPath)
	return nil
}

// page shows the step of a view, with the trouble in its place if there is any.
func (p *Pages) page(w http.ResponseWriter, r *http.Request, v View, trouble error) error {
	switch v.Step {
	case Complete:
		return p.advance(w, r, v)
	case Abandoned:
		if trouble == nil {
			trouble = ErrOver
		}
		return p.lost(w, r, trouble)
	case NeedsIdentifier:
		if picked, ok := pick(v.Methods, identity.Passkey); ok && trouble == nil && r.FormValue("method") == string(picked.Method) {
			return p.key(w, r, v, picked.Method, nil)
		}
		return p.draw(w, r, trouble, "sign_in", p.signInForm(r, v))
	case MissingRequirements:
		return p.draw(w, r, trouble, "sign_up", p.signUpForm(v))
	case NeedsNewPassword:
		return p.draw(w, r, trouble, "new_password", struct {
			Party      *identity.Party
			Attempt    AttemptID
			Identifier string
			Rules      *PasswordRules
			Breached   bool
		}{v.Party, v.ID, v.Identifier, v.Rules, v.Breached})
	case NeedsFirstFactor, NeedsSecondFactor, NeedsEmailVerification, NeedsPhoneVerification:
		return p.proof(w, r, v, trouble)
	case NeedsEnrollment:
		return p.enrolling(w, r, v, trouble)
	case NeedsHuman:
		return p.human(w, r, v, trouble)
	case NeedsConnection:
		if o, ok := pick(v.Methods, ""); ok {
			return p.connection(w, r, v, o, trouble)
		}
		return p.lost(w, r, federation.ErrDisabled)
	case Ready:
	}
	return errEnroll
}

var errEnroll = problem.New(problem.Forbidden, "second_factor_missing", "This app asks for two-step verification, which this account has not set up.")

// draw shows a page: as it is, or again with the trouble in its place.
func (p *Pages) draw(w http.ResponseWriter, r *http.Request, trouble error, name string, data any) error {
	if trouble != nil {
		return p.Web.Again(w, r, trouble, name, data)
	}
	return p.Web.Show(w, r, http.StatusOK, name, data)
}

// way is one method on the page "methods".
type way struct {
	Method identity.Method
	Key    string // of its words
	Target string
	Mailed bool
	Sent   bool
}

// proof shows how to prove oneself: the method that was picked, else the one a message is
// out for, else the first; or the list, if asked for.
func (p *Pages) proof(w http.ResponseWriter, r *http.Request, v View, trouble error) error {
	wanted := identity.Method(r.FormValue("method"))
	picked, ok := pick(v.Methods, wanted)
	if !ok {
		return errEnroll
	}
	if wanted == identity.Password && sole(v) != "" { // who runs the service may mend what is broken
		picked = Option{Method: wanted}
	}
	if r.URL.Query().Has("other") && v.Step != NeedsHuman && sole(v) == "" {
		return p.methods(w, r, v, trouble)
	}
	if isKeyMethod(picked.Method) {
		return p.key(w, r, v, picked.Method, trouble)
	}
	if picked.Connection != "" {
		return p.connection(w, r, v, picked, trouble)
	}
	if picked.Method == identity.Password {
		return p.draw(w, r, trouble, "password", struct {
			Party          *identity.Party
			Attempt        AttemptID
			Identifier     string
			Change         string
			Others, Forgot bool
			Asks           bool // its script asks if a bot check is due
		}{v.Party, v.ID, v.Identifier, attemptPath(v.ID) + "/identify", len(v.Methods) > 1 || sole(v) != "", v.Goal == SignIn && v.Step == NeedsFirstFactor && sole(v) == "", p.asks() && v.Goal == SignIn})
	}
	s := p.Engine.Settings()
	mailed, phone := slot(picked.Method) != "", picked.Method == identity.PhoneCode
	return p.draw(w, r, trouble, "code", struct {
		Party                                       *identity.Party
		Attempt                                     AttemptID
		Method                                      identity.Method
		Target                                      string
		Reset, Sent, Mailed, ByCode, ByLink, Others bool
		Wait                                        int // seconds until another message may be sent
		Second, Backup, Phone                       bool
		TrustDays                                   int // the browser may be trusted for so long, 0: it may not
		Trust                                       bool
		Upstream                                    string // the provider that named the address
	}{
		Party: v.Party, Attempt: v.ID, Method: picked.Method, Target: picked.Target,
		Reset: picked.Method == identity.ResetCode, Sent: picked.Sent, Mailed: mailed,
		ByCode: !mailed || phone || s.EmailCode || !s.EmailLink, ByLink: mailed && !phone && s.EmailLink, Others: len(v.Methods) > 1 || v.Step == NeedsHuman,
		Second: v.Step == NeedsSecondFactor, Backup: picked.Method == identity.BackupCode, Phone: phone,
		Wait:      max(0, int(picked.ResendAt.Sub(p.Engine.Now()).Round(time.Second).Seconds())),
		TrustDays: v.TrustDays, Trust: r.PostFormValue("trust") != "", Upstream: v.Upstream,
	})
}

func pick(options []Option, wanted identity.Method) (Option, bool) {
	for _, o := range options {
		if o.Method == wanted {
			return o, true
		}
	}
	for _, o := range options {
		if o.Sent {
			return o, true
		}
	}
	if len(options) == 0 {
		return Option{}, false
	}
	return options[0], true
}

func (p *Pages) methods(w http.ResponseWriter, r *http.Request, v View, trouble error) error {
	var ways []way
	for _, o := range v.Methods {
		if o.Connection != "" {
			continue
		}
		ways = append(ways, way{o.Method, "method." + string(o.Method), o.Target, slot(o.Method) != "", o.Sent})
	}
	return p.draw(w, r, trouble, "methods", struct {
		Party      *identity.Party
		Attempt    AttemptID
		Identifier string
		Second     bool
		Methods    []way
		Elsewhere  []elsewhere
	}{v.Party, v.ID, v.Identifier, v.Step == NeedsSecondFactor, ways, elsewheres(v.Methods)})
}
