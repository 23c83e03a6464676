package login

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/message"
	"idp/session"
)

// turn is one event on its way through the engine's one door: what was loaded, what it
// changes, and what must be said when the change stands.
type turn struct {
	at  At
	now time.Time
	a   Attempt
	f   Facts
	p   Policy
	ask Ask // zero if nobody waits, or no longer

	known  *bool  // the person signed in on this browser before; nil: not asked yet
	told   bool   // of something that happens with this turn, so that the browser is mentioned there
	holder Person // who holds the address of a sign-up, if Facts.Held

	mail   []message.Message
	said   []event.Event
	cookie *session.Token
	backup []secret.String // fresh backup codes, shown this once

	options json.RawMessage // of WebAuthn, for the browser
}

// know fills in the person.
func (t *turn) know(p Person) {
	t.a.UserID = p.User.ID
	t.f = Facts{Known: true, User: p.User, Holdings: p.Holdings, Factors: p.Factors, Trusted: t.f.Trusted}
}

// tell adds an event to those recorded with the change. Until they are proven, nobody
// knows who is acting.
func (t *turn) tell(k event.Kind, detail map[string]string) {
	ev := event.Event{
		Kind: k, User: string(t.a.UserID), Client: t.ask.Party.ID,
		Session: string(t.a.SessionID), Network: t.at.Network, Detail: detail,
	}
	if len(t.a.Proofs) > 0 {
		ev.Actor = ev.User
	}
	t.said = append(t.said, ev)
}

// load fetches an attempt of this browser with all that Next needs.
func (e *Engine) load(ctx context.Context, at At) (*turn, error) {
	a, err := e.Store.Attempt(ctx, at.Attempt)
	if problem.Is(err, problem.NotFound) || err == nil && a.Browser != at.Browser.ID {
		return nil, ErrNoAttempt
	}
	if err != nil {
		return nil, err
	}
	t := &turn{at: at, now: e.Now(), a: a}
	if a.SessionID == "" && a.AbandonedAt.IsZero() && !t.now.Before(a.ExpiresAt) {
		t.a.AbandonedAt = a.ExpiresAt
	}
	return t, e.learn(ctx, t)
}

// learn loads the facts and the policy of an attempt.
func (e *Engine) learn(ctx context.Context, t *turn) error {
	if t.a.Ask != "" {
		ask, err := e.Store.Ask(ctx, t.a.Ask)
		if err != nil && !problem.Is(err, problem.NotFound) {
			return err
		}
		if err == nil && ask.Browser == t.a.Browser && t.now.Before(ask.ExpiresAt) {
			t.ask = ask
		}
	}
	t.p = e.policy()
	t.p.Need = t.ask.Need
	e.suspect(t)
	if e.WebAuthn == nil {
		t.p.Passkeys, t.p.SecurityKeys = false, false
	}
	if t.a.UserID != "" {
		p, err := e.People.Person(ctx, t.a.UserID)
		if problem.Is(err, problem.NotFound) {
			return ErrNoAttempt.Because(err) // deleted meanwhile
		}
		if err != nil {
			return fmt.Errorf("load the person of attempt %s: %w", t.a.ID, err)
		}
		t.know(p)
		return e.trusts(ctx, t)
	}
	if t.a.Goal != SignUp || t.a.Identifier.None() {
		return e.nobody(ctx, t)
	}
	p, held, err := e.find(ctx, t.a.Identifier)
	if t.holder, t.f.Held = p, held; err != nil || !t.a.Confirmed || t.a.Upstream == nil && !t.p.byMail() {
		return err
	}
	t.meet() // somebody was faster: it is theirs since this attempt proved it
	return e.trusts(ctx, t)
}

// meet makes whoever holds the address that a sign-up proved the person of the attempt: it is
// them signing in, and what was filled in is dropped.
func (t *turn) meet() {
	if !t.f.Held {
		return
	}
	if d := t.a.Draft.Factor; d != nil {
		t.a.Proofs = slices.DeleteFunc(slices.Clone(t.a.Proofs), func(p identity.Proof) bool { return p.Method == d.Method && p.Credential == d.shown() })
	}
	t.a.Draft = Draft{}
	t.know(t.holder)
	if t.a.Upstream != nil {
		t.a.Goal = SignIn
	}
}

// nobody looks for a person where an address was named that nobody has: that takes as long
// as to load somebody.
func (e *Engine) nobody(ctx context.Context, t *turn) error {
	if t.a.Goal != SignIn || t.a.Identifier.None() {
		return nil
	}
	_, err := e.People.Person(ctx, "")
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	return err
}

// turn opens the door for one event, or says why it stays shut: ErrNoAttempt, ErrOver or
// ErrNotNow. The turn it returns can be shown in either case.
func (e *Engine) turn(ctx context.Context, at At, m move) (*turn, error) {
	t, err := e.load(ctx, at)
	if err != nil {
		return nil, err
	}
	step := Next(t.a, t.f, t.p)
	switch {
	case step == Abandoned:
		return t, ErrOver
	case step == Ready: // what was owed is owed no longer: a factor was taken away, a demand expired
		done, err := e.commit(ctx, t)
		if err != nil {
			return t, err
		}
		return done, ErrNotNow
	case !m.open(step, t.a, t.p):
		return t, ErrNotNow
	case t.a.Goal == SignUp && t.a.UserID == "" && t.a.Upstream == nil && m != depart && m != arrive: // from a provider may come somebody who is on file
		return t, t.admitted()
	}
	return t, nil
}

// admitted refuses a sign-up that the operator does not want.
func (t *turn) admitted() error {
	switch {
	case t.p.SignUp == Closed:
		return ErrClosed
	case t.p.SignUp == Invited && t.a.Draft.Invitation == "":
		return ErrUninvited
	}
	return nil
}

// keep commits a turn: what it changes, what follows from it and, when nothing is owed,
// the session, all at once. Whoever lost a race gets ErrMoved: nothing of theirs
// happened, and they see what the winner left.
func (e *Engine) keep(ctx context.Context, t *turn, also ...func(ctx context.Context, t *turn) error) (View, error) {
	if err := e.reachOut(ctx, t); err != nil {
		return e.view(t), err
	}
	kept, err := e.commit(ctx, t, also...)
	if err == nil || kept != nil {
		return e.view(kept), err
	}
	return e.late(ctx, t, err)
}

// late shows what is there now to whoever came too late.
func (e *Engine) late(ctx context.Context, t *turn, err error) (View, error) {
	left, missed := e.load(ctx, t.at)
	switch {
	case missed == nil:
		return e.view(left), err
	case problem.Is(missed, problem.NotFound):
		return View{}, err
	}
	return View{}, errors.Join(err, missed)
}

// over is why an attempt that owes nothing cannot come to its end. It is kept that it ended, so that
// nobody tries for ever, and the person reads the problem.
type over struct {
	reason string
	error
}

func (o over) Unwrap() error { return o.error }

// commit is keep without looking again. Only ErrSuspended, ErrOver and what is over come with a
// turn: it is kept that the attempt ended.
func (e *Engine) commit(ctx context.Context, t *turn, also ...func(ctx context.Context, t *turn) error) (*turn, error) {
	var kept turn
	err := e.InTx(ctx, func(ctx context.Context) error {
		kept = *t // the transaction may run again, each time from the same evidence
		return e.apply(ctx, &kept, also)
	})
	var end over
	switch {
	case errors.As(err, &end):
		return e.refuse(ctx, t, end.reason, end.error)
	case errors.Is(err, ErrSuspended):
		return e.refuse(ctx, t, "suspended", ErrSuspended)
	case errors.Is(err, ErrOver):
		return e.refuse(ctx, t, "withdrawn", ErrOver)
	case problem.Is(err, problem.Conflict):
		return nil, ErrMoved.Because(err)
	case err != nil:
		return nil, err
	}
	kept.a.Version++
	return &kept, nil
}

func (e *Engine) apply(ctx context.Context, t *turn, also []func(ctx context.Context, t *turn) error) error {
	t.p.Connections = e.Federation.Open() // a provider may have taken seconds to answer: what is enforced by now counts
	if t.a.UserID != "" {
		// Again, and locked: whatever was true before the slow work must still be.
		p, err := e.People.Person(ctx, t.a.UserID)
		if err != nil {
			return err
		}
		t.know(p)
		if err := e.trusts(ctx, t); err != nil {
			return err
		}
	} else if err := e.nobody(ctx, t); err != nil {
		return err
	}
	for _, do := range also {
		if err := do(ctx, t); err != nil {
			return err
		}
	}
	if Next(t.a, t.f, t.p) == Ready {
		if err := e.settle(ctx, t); err != nil {
			return err
		}
	} else if err := e.Store.SaveAttempt(ctx, t.a); err != nil {
		return err
	}
	return e.announce(ctx, t)
}

// announce records the events of a turn and posts its messages.
func (e *Engine) announce(ctx context.Context, t *turn) error {
	for _, ev := range t.said {
		if err := e.Events.Record(ctx, ev); err != nil {
			return err
		}
	}
	for _, m := range t.mail {
		if err := e.Post(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// refuse ends an attempt whose person proved themselves and may not enter, or not with what
// is on file no longer.
func (e *Engine) refuse(ctx context.Context, t *turn, reason string, with error) (*turn, error) {
	t.a.AbandonedAt, t.a.Draft, t.a.Challenges, t.a.Upstream, t.a.Presence = t.now, Draft{}, nil, nil, nil
	t.said, t.mail = nil, nil
	t.tell(event.SignInFailed, map[string]string{"reason": reason})
	ended, err := e.commit(ctx, t)
	if err != nil {
		return nil, err
	}
	return ended, with
}

// view is what a screen may know of a turn.
func (e *Engine) view(t *turn) View {
	if t == nil {
		return View{}
	}
	step := Next(t.a, t.f, t.p)
	v := View{
		ID: t.a.ID, Goal: t.a.Goal, Step: step, Identifier: t.a.Identifier.Value, Masked: t.a.Identifier.Mask(),
		Reset: t.a.Reset, Methods: Options(t.a, t.f, t.p), SessionID: t.a.SessionID,
		ExpiresAt: t.a.ExpiresAt, Cookie: t.cookie, Public: t.a.Public, BackupCodes: t.backup, back: e.back(t.a),
	}
	if t.ask.ID != "" {
		party := t.ask.Party
		v.Party, v.Hint, v.ask = &party, t.ask.Hint, t.ask.ID
	}
	if t.a.Upstream != nil && !t.a.Goal.within() {
		v.Upstream = t.a.Upstream.Connection()
		if c, ok := t.p.connection(t.a.Upstream.Account.Method); ok {
			v.Upstream = c.Shown()
		}
	}
	if step == MissingRequirements {
		v.Confirmed = t.a.Confirmed
		v.Missing = missing(t.a, t.p)
	}
	if t.p.Password && (step == MissingRequirements && t.a.Upstream == nil || step == NeedsNewPassword) {
		rules := t.p.Rules
		v.Rules = &rules
	}
	if step != NeedsEnrollment {
		v.Options = t.options
	}
	if d := t.a.Draft.Factor; d != nil && step == NeedsEnrollment {
		v.Enrollment = e.enrollment(t, d)
	}
	if step == NeedsSecondFactor {
		v.TrustDays = mayTrust(t.a, t.f, t.p)
	}
	if step == NeedsHuman {
		v.Human = e.pose(t.a.action(), t.a.Browser, t.a.ID)
	}
	v.Breached = step == NeedsNewPassword && t.a.Breached != ""
	if step == Complete {
		v.Next = cmp.Or(v.back, home)
		if t.ask.ID != "" {
			v.Next = t.ask.Back()
		}
	}
	return v
}

// back is where somebody comes back to from an attempt, judged now and not when it began.
func (e *Engine) back(a Attempt) string {
	if a.Return == "" || e.Returnable == nil {
		return a.Return
	}
	return e.Returnable(a.Return)
}

const home = "/account" // where somebody goes whom no relying party waits for

// Options lists what may be tried now, best first, with what was sent already.
func Options(a Attempt, f Facts, p Policy) []Option {
	var options []Option
	for _, m := range usable(a, f, p) {
		o := Option{Method: m}
		if c, ok := p.connection(m); ok {
			o.Connection, o.Title, o.Preset = c.Name, c.Shown(), c.Preset
		}
		if box := slot(m); box != "" {
			target := target(a, f, p, m)
			o.Target = target.Mask()
			if c, ok := a.Challenges[box]; ok && c.UsedAt.IsZero() && c.Target == target {
				o.Sent, o.ResendAt = true, c.SentAt.Add(resendAfter)
			}
		}
		options = append(options, o)
	}
	return options
}

// target is where a message for a method goes: what is to come on file, the number of the
// factor, the address that was named, or the person's own.
func target(a Attempt, f Facts, p Policy, m identity.Method) identity.Identifier {
	step := Next(a, f, p)
	switch {
	case a.Goal == Extend && (step == NeedsEmailVerification || step == NeedsPhoneVerification):
		return a.Draft.Address
	case m == identity.PhoneCode && step == NeedsEnrollment && a.Draft.Factor != nil:
		return a.Draft.Factor.Target
	case m == identity.PhoneCode:
		return f.phone()
	case a.Goal.within() || a.Identifier.None():
		return f.mailbox()
	}
	return a.Identifier
}

func (t *turn) target(m identity.Method) identity.Identifier { return target(t.a, t.f, t.p, m) }
