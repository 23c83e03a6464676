package login

import (
	"context"
	"errors"
	"time"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/message"
	"idp/session"
)

// Hasher hashes passwords at a cost worth hiding: whoever has no hash to compare wastes
// as much. secret.Hasher is one.
type Hasher interface {
	Hash(ctx context.Context, password secret.String) (secret.String, error)
	Verify(ctx context.Context, password, hash secret.String) (ok, upgrade bool, err error)
	Waste(ctx context.Context) error
}

// Engine moves attempts along. Each method is one event; each answers with what the
// screen may know now, also beside a problem, so that it can be shown in place.
type Engine struct {
	Store    Store
	People   People
	Throttle Throttle
	Trust    Trust // nil: no browser is trusted
	// Unfinished bounds how many attempts are open; nil: nothing does.
	Unfinished Unfinished
	Sessions   session.Store
	Events     event.Recorder
	Hasher     Hasher
	Breaches   Breaches               // nil: passwords are not looked up
	Checker    *Checker               // nil: no bot checks, whatever the settings say
	WebAuthn   *WebAuthn              // nil: neither passkeys nor security keys, whatever the settings say
	Federation *federation.Federation // nil: nobody signs in elsewhere
	Box        *secret.Box
	Post       func(ctx context.Context, m message.Message) error // in the caller's transaction
	InTx       func(ctx context.Context, do func(ctx context.Context) error) error
	// Revoke ends what relying parties hold of a person, in the caller's transaction; a
	// reset calls it. Nil where nothing is issued.
	Revoke func(ctx context.Context, u identity.UserID) error
	// Place says where a network address is, "Auckland, New Zealand", or "". Nil: not known.
	Place func(network string) string
	Undos Undos // nil: no change can be taken back
	// Presences remembers by which sessions at providers people came; nil: nothing does, and
	// signing out there does not reach here.
	Presences Presences
	// Picture has the picture at an address of a connection's provider fetched later, in the
	// caller's transaction. Nil: pictures are left where they are.
	Picture func(ctx context.Context, u identity.UserID, connection, address string) error

	Settings        func() Settings
	SessionSettings func() session.Settings
	Limits          Limits // zero fields take their defaults
	Name            string // what the instance calls itself; authenticator apps show it
	// Returnable returns where somebody may still be sent who was to come back there once they have
	// signed in, "" if nowhere any more: an app may be taken off the list meanwhile. Nil: anywhere.
	Returnable func(to string) string
	// Reaches says whether an SMS may be sent to that number; nil: to every one.
	Reaches func(number identity.Identifier) bool
	Origin  string // of the issuer, without a slash at the end; every mailed link begins with it
	Now     func() time.Time
}

// At says which attempt an event is for and where it comes from.
type At struct {
	Attempt   AttemptID
	Browser   session.Browser
	Network   string // the caller's address
	UserAgent string
	Locale    string // best language of the browser, for mails
	Trust     bool   // Prove: let this browser skip the second factor for a while
}

// Beginning is what an attempt starts from.
type Beginning struct {
	Browser    session.Browser
	Goal       Goal
	Ask        AskID         // relying party waiting, or ""
	Session    session.ID    // StepUp, Enroll, Extend, Connect: the session whose person it is
	Connection string        // Connect: by which to sign in from now on
	Address    string        // Extend: the email address or phone number, as typed
	Invitation secret.String // SignUp: from the invitation's link, or empty
	Public     bool          // "this is a public computer"
	Return     string        // where to go when complete, judged; "" for the account pages
	Locale     string
	Network    string
	UserAgent  string
}

// Fields are what a person fills in to sign up. Empty ones are not filled in yet.
type Fields struct {
	Email    string
	Name     string
	Password secret.String
	Locale   string // language tag (BCP 47)
}

// The problems that more than one event may answer with.
var (
	ErrNoAttempt = problem.New(problem.NotFound, "attempt_unknown", "This sign-in was not started in this browser. Please start again.")
	ErrOver      = problem.New(problem.Gone, "attempt_over", "This took too long or was cancelled. Please start again.")
	ErrNotNow    = problem.New(problem.Conflict, "not_now", "That is not what comes next. Please look again.")
	ErrMoved     = problem.New(problem.Conflict, "attempt_moved", "Something else happened here at the same moment. Please try again.")
	ErrAsk       = problem.New(problem.NotFound, "ask_unknown", "The app's request has expired. Please go back to the app and sign in again.")
	ErrSuspended = problem.New(problem.Forbidden, "account_suspended", "This account is suspended. Please ask whoever runs this service.")
	ErrClosed    = problem.New(problem.Forbidden, "sign_up_closed", "Signing up is closed here.")
	ErrUninvited = problem.New(problem.Forbidden, "invitation_needed", "Signing up needs an invitation. If you have one, open its link again.")
	ErrSlow      = problem.New(problem.TooMany, "too_many_tries", "Too many tries. Please wait a little.")
)

// Start begins an attempt of that browser. A request of another browser, or one that
// expired, is ErrAsk; sign-up may be ErrClosed or ErrUninvited; StepUp, Enroll and Extend
// without a standing session are session.ErrNobody.
func (e *Engine) Start(ctx context.Context, b Beginning) (View, error) {
	if b.Browser.ID == "" {
		return View{}, errors.New("start an attempt: no browser")
	}
	now := e.Now()
	t := &turn{
		at:  At{Browser: b.Browser, Network: b.Network, UserAgent: b.UserAgent, Locale: b.Locale},
		now: now,
		a: Attempt{
			ID: AttemptID(secret.NewID("attempt")), Browser: b.Browser.ID, Goal: b.Goal, Ask: b.Ask,
			Public: b.Public, Return: b.Return, CreatedAt: now, ExpiresAt: now.Add(attemptLife),
		},
	}
	if err := e.learn(ctx, t); err != nil {
		return View{}, err
	}
	if b.Ask != "" && (t.ask.ID == "" || !t.ask.UsedAt.IsZero()) {
		return View{}, ErrAsk
	}
	also, err := e.room(ctx, t)
	if err != nil {
		return View{}, err
	}
	switch b.Goal {
	case SignIn:
	case SignUp:
		if err := e.admit(ctx, t, b.Invitation); err != nil {
			return View{}, err
		}
	case StepUp, Enroll, Extend, Connect:
		if err := e.again(ctx, t, b); err != nil {
			return View{}, err
		}
	default:
		return View{}, problem.New(problem.Invalid, "goal_unknown", "An attempt signs in, signs up, steps up, enrolls a factor, extends what is on file or connects an account elsewhere.").On("goal")
	}
	return e.keep(ctx, t, also...)
}

// Look answers what is next. It changes nothing, unless nothing is owed any more.
func (e *Engine) Look(ctx context.Context, at At) (View, error) {
	t, err := e.load(ctx, at)
	if err != nil {
		return View{}, err
	}
	if Next(t.a, t.f, t.p) == Ready {
		return e.keep(ctx, t)
	}
	return e.view(t), nil
}

// Identify names the person. Known and unknown addresses look the same. Naming another
// one forgets what was sent to the first.
func (e *Engine) Identify(ctx context.Context, at At, typed string) (View, error) {
	t, err := e.turn(ctx, at, identify)
	if err != nil {
		return e.view(t), err
	}
	address, err := identity.ParseEmail(typed)
	if err != nil {
		return e.view(t), err
	}
	if address != t.a.Identifier {
		t.a.Challenges, t.a.Reset = nil, false
		if !t.a.Identifier.None() { // one check is for one name
			t.a.Human, t.a.Doubted = false, t.a.Doubted && !t.a.Human
		}
	}
	e.suspect(t)
	t.a.Identifier, t.a.UserID, t.f = address, "", Facts{}
	t.a.Presence = nil
	t.a.Proofs, t.a.Breached, t.a.Upstream, t.a.Confirmed = nil, "", nil, false // they were somebody else's, if there were any
	p, found, err := e.find(ctx, address)
	if err != nil {
		return e.view(t), err
	}
	if found {
		t.know(p)
	}
	return e.keep(ctx, t)
}

// Cancel ends the attempt; nothing it gathered is kept.
func (e *Engine) Cancel(ctx context.Context, at At) (View, error) {
	t, err := e.turn(ctx, at, cancel)
	if err != nil {
		return e.view(t), err
	}
	t.a.AbandonedAt, t.a.Draft, t.a.Challenges = t.now, Draft{}, nil
	return e.keep(ctx, t)
}

// policy is what the operator demands of everybody.
func (e *Engine) policy() Policy {
	return Policy{Settings: e.Settings(), Connections: e.Federation.Open()}
}

// find returns the person whom an address belongs to.
func (e *Engine) find(ctx context.Context, address identity.Identifier) (Person, bool, error) {
	p, err := e.People.Find(ctx, address)
	if problem.Is(err, problem.NotFound) {
		return Person{}, false, nil
	}
	if err != nil {
		return Person{}, false, err
	}
	for _, h := range p.Holdings {
		if h.Identifier == address && h.Assigned() {
			return p, true, nil
		}
	}
	return Person{}, false, nil // an unproven claim signs nobody in
}
