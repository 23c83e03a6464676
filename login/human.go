package login

import (
	"context"
	"sync/atomic"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
)

// A bot check makes guessing and mailing in bulk dear. It is a step of its own, due before
// anything else on the attempt, and one that nobody needs script or a third party to get
// past: whoever cannot or will not solve it has a code mailed instead.

// BotCheck says when visitors show that they are no robots.
type BotCheck string

// The rules about bot checks.
const (
	CheckNever      BotCheck = "off"
	CheckSuspicious BotCheck = "suspicious" // after failures, or after the first few unanswered messages of a network
	CheckAlways     BotCheck = "always"     // every sign-up and every reset; sign-in after failures
)

// Action is what a bot check is for. A solution for one is none for another.
type Action string

// The actions.
const (
	ActSignUp Action = "sign_up"
	ActSignIn Action = "sign_in"
	ActReset  Action = "reset"
)

// Checks remembers which solutions were used.
type Checks interface {
	// UseCheck notes that a solution was used; problem.Conflict if it was before.
	UseCheck(ctx context.Context, solution secret.Digest, expires time.Time) error
}

// Checker is how an instance tells people from robots. Safe for concurrent use.
type Checker struct {
	Used    Checks
	Work    Work     // zero fields take their defaults
	Captcha *Captcha // nil: own proof of work

	passed, refused, unreachable atomic.Int64
}

// Counts says how often each answer was given since the start.
func (c *Checker) Counts() (passed, refused, unreachable int64) {
	return c.passed.Load(), c.refused.Load(), c.unreachable.Load()
}

// Check is a bot check that is due, with what it takes to solve it.
type Check struct {
	Provider Provider `json:"provider"`
	Action   Action   `json:"action"`
	SiteKey  string   `json:"site_key,omitempty"` // of a captcha's widget
	Puzzle   *Puzzle  `json:"puzzle,omitempty"`   // of our own proof of work
}

// The problems of bot checks.
var (
	ErrHuman = problem.New(problem.Invalid, "bot_check_failed", "We could not tell you from a robot. Please try again, or have a code mailed to you.").On("human")

	ErrHumanUnreachable = problem.New(problem.Unavailable, "bot_check_unreachable", "The check cannot be made at the moment. Please have a code mailed to you instead.").On("human")
)

// action is what a check on this attempt is for.
func (a Attempt) action() Action {
	switch {
	case a.Goal == SignUp:
		return ActSignUp
	case a.Reset:
		return ActReset
	}
	return ActSignIn
}

// suspects reports whether whoever drives the attempt has to show that they are no robot.
func (s Settings) suspects(a Attempt) bool {
	newcomer := a.Goal == SignUp && a.UserID == "" && !a.Confirmed
	switch {
	case s.BotCheck == CheckNever, a.Goal.within():
		return false
	case a.Doubted:
		return true
	}
	return s.BotCheck == CheckAlways && (newcomer || a.Reset)
}

// suspect notes in the policy of a turn whether a bot check is due on the attempt as it is now.
func (e *Engine) suspect(t *turn) { t.p.Human = e.Checker != nil && t.p.suspects(t.a) }

// checks reports whether this instance makes bot checks on the attempt at all and has not yet.
func (e *Engine) checks(t *turn) bool {
	return e.Checker != nil && t.p.BotCheck != CheckNever && !t.a.Goal.within() && !t.a.Human
}

// guessBudgets are what makes a guess at a password doubtful: failures of the network, and for
// the address, whether anybody has it or not.
func (e *Engine) guessBudgets(network, account string) []Budget {
	l := e.Limits.orDefault()
	return []Budget{{Key: network, Limit: l.DoubtFailures}, {Key: account, Limit: l.DoubtPasswords}}
}

// mailDoubts are what makes a sign-up or reset doubtful: messages that its network asked for
// and nobody answered. A code that stands in for the check is not doubted itself.
func (e *Engine) mailDoubts(t *turn, box identity.Method, network Budget) []Budget {
	if !e.checks(t) || (t.a.Goal != SignUp || t.a.UserID != "") && box != identity.ResetCode || Next(t.a, t.f, t.p) == NeedsHuman {
		return nil
	}
	network.Limit = e.Limits.orDefault().DoubtMessages
	return []Budget{network}
}

// errDoubtful says that nothing was done, because a bot check is due first.
var errDoubtful = problem.New(problem.Conflict, "bot_check_due", "Please show that you are no robot.")

// doubt makes a bot check due.
func (e *Engine) doubt(ctx context.Context, t *turn) (View, error) {
	t.a.Doubted = true
	e.suspect(t)
	return e.keep(ctx, t)
}

// PassHuman shows the solution of the check that the view named, or of one from Due. It holds
// for the attempt, until somebody else is named on it. Anything but a fresh solution for this
// browser, action and attempt is ErrHuman; ErrHumanUnreachable says that the provider could not
// be asked. After a reset was asked for, its message is sent at once.
func (e *Engine) PassHuman(ctx context.Context, at At, answer secret.String) (View, error) {
	t, err := e.turn(ctx, at, passHuman)
	if err != nil {
		return e.view(t), err
	}
	solution, until, err := e.judge(ctx, t, answer)
	if problem.Is(err, problem.Unavailable) {
		t.tell(event.BotCheckUnreachable, map[string]string{"provider": string(e.Checker.provider()), "action": string(t.a.action())})
		if said := e.InTx(ctx, func(ctx context.Context) error { return e.announce(ctx, t) }); said != nil {
			return e.view(t), said
		}
	}
	if err != nil {
		return e.view(t), err
	}
	t.a.Human = true
	if t.a.Reset {
		if err := e.send(ctx, t, identity.ResetCode); err != nil && !problem.Is(err, problem.TooMany) {
			return View{}, err
		}
	}
	v, err := e.keep(ctx, t, func(ctx context.Context, _ *turn) error {
		err := e.Checker.Used.UseCheck(ctx, solution, until)
		if problem.Is(err, problem.Conflict) {
			return ErrHuman.Because(err)
		}
		return err
	})
	if err == nil {
		e.Checker.passed.Add(1)
	} else if problem.HasCode(err, ErrHuman.Code) {
		e.Checker.refused.Add(1)
	}
	return v, err
}

// judge finds out whether the answer solves the check that is due on the attempt. It returns
// what must not be used again until then.
func (e *Engine) judge(ctx context.Context, t *turn, answer secret.String) (solution secret.Digest, until time.Time, err error) {
	if c := e.Checker.Captcha; c != nil {
		solution, until, err = c.verify(ctx, t.a.action(), answer, t.now)
	} else {
		solution, until, err = e.solved(t, answer)
	}
	switch {
	case problem.Is(err, problem.Unavailable):
		e.Checker.unreachable.Add(1)
	case err != nil:
		e.Checker.refused.Add(1)
	}
	return solution, until, err
}

func (c *Checker) provider() Provider {
	if c.Captcha != nil {
		return c.Captcha.Provider
	}
	return OwnWork
}

// pose makes a check; an attempt of "" leaves open on which of the browser's it will be shown.
func (e *Engine) pose(act Action, b session.BrowserID, a AttemptID) *Check {
	c := &Check{Provider: e.Checker.provider(), Action: act}
	if e.Checker.Captcha != nil {
		c.SiteKey = e.Checker.Captcha.SiteKey
		return c
	}
	c.Puzzle = e.puzzle(act, b, a)
	return c
}

// Due returns the check that would be due if that browser did this now, nil if none would: so
// that a page can have it solved before its form is sent. Who is named matters only for
// sign-in, and whether anybody has that address does not.
func (e *Engine) Due(ctx context.Context, act Action, typed string, at At) (*Check, error) {
	s := e.Settings()
	if e.Checker == nil || s.BotCheck == CheckNever {
		return nil, nil
	}
	network := neighbourhood(at.Network)
	var watched []Budget
	switch act {
	case ActSignUp, ActReset:
		if s.BotCheck == CheckAlways {
			return e.pose(act, at.Browser.ID, ""), nil
		}
		watched = []Budget{{Key: e.key("mail-network", network), Limit: e.Limits.orDefault().DoubtMessages}}
	case ActSignIn:
		for _, own := range []string{"", string(at.Browser.ID)} {
			address, _ := identity.ParseEmail(typed) // of no address, only the network counts
			watched = append(watched, e.guessBudgets(e.key("password-network", network), e.addressKey("password", aim{address: address.Value, own: own}))...)
		}
	default:
		return nil, problem.New(problem.Invalid, "action_unknown", "A bot check is for sign_up, sign_in or reset.").On("action")
	}
	doubtful, _, err := e.Throttle.ReserveUnless(ctx, watched, nil, e.Now())
	if err != nil || !doubtful {
		return nil, err
	}
	return e.pose(act, at.Browser.ID, ""), nil
}
