package login

import (
	"context"
	"strings"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/message"
)

// A code by SMS shows that somebody holds a phone number. It does so for two things: as the
// second step of whoever turned that on for a number of theirs, and to put a number on file
// or turn it on. Only the first is a proof of who somebody is; a number that merely answered
// changes nothing about how they sign in.
//
// Of the six digits only a MAC is kept, bound to attempt, purpose and number. A number that
// is on somebody else's file gets the same screen and a challenge that nothing answers; at
// most once a day it is told so. Nothing else about it is different.

// The problems of phone numbers.
var (
	ErrNoSMS     = problem.New(problem.Invalid, "sms_off", "Text messages are not sent here.").On("phone")
	ErrUnreached = problem.New(problem.Invalid, "phone_unreached", "No text messages are sent to that number. Try one of another country, or a mobile number.").On("phone")
)

const textsPerDay = 20 // to one person, answered or not

// proving reports whether the number at stake is one that is to come on file or to be turned
// on, not one that is a second factor already.
func (t *turn) proving() bool {
	return t.extending() || t.a.Draft.Factor != nil && Next(t.a, t.f, t.p) == NeedsEnrollment
}

// textable says why no code can be sent to a number.
func (e *Engine) textable(t *turn, number identity.Identifier) error {
	switch {
	case !t.p.SMS:
		return ErrNoSMS
	case e.Reaches != nil && !e.Reaches(number):
		return ErrUnreached
	}
	return nil
}

// text adds a fresh code for the number at stake and its message to the turn; the code before
// it dies. ErrTooSoon says when the next may be sent, whichever budget is spent.
func (e *Engine) text(ctx context.Context, t *turn) error {
	number := t.target(identity.PhoneCode)
	if number.None() {
		return ErrMethod
	}
	if err := e.textable(t, number); err != nil {
		return err
	}
	b, err := e.textBudgets(ctx, t, number)
	if err != nil {
		return err
	}
	if err := e.reserveText(ctx, t, b); err != nil {
		return err
	}
	c := Challenge{Target: number, Tries: codeTries, SentAt: t.now, ExpiresAt: t.now.Add(challengeLife)}
	m := message.Message{Kind: message.PhoneCode, To: number, Locale: t.at.Locale, ExpiresAt: c.ExpiresAt}
	answerable := true
	if t.proving() {
		if m.Kind, answerable, err = e.textNew(ctx, t, number); err != nil {
			return err
		}
	}
	if answerable {
		m.Code = e.codeOf(secret.Token(""))
		c.Code = e.phoneMAC(t, number, m.Code)
	}
	if m.Kind != "" {
		t.mail = append(t.mail, m)
	}
	challenges := map[identity.Method]Challenge{identity.PhoneCode: c}
	for k, other := range t.a.Challenges {
		if k != identity.PhoneCode {
			challenges[k] = other
		}
	}
	t.a.Challenges = challenges
	return nil
}

// textNew decides what is written to a number that is to come on file or to be turned on. One
// that is somebody else's gets no code.
func (e *Engine) textNew(ctx context.Context, t *turn, number identity.Identifier) (k message.Kind, answerable bool, err error) {
	holder, held, err := e.find(ctx, number)
	if err != nil {
		return "", false, err
	}
	if !held || holder.User.ID == t.a.UserID {
		return message.PhoneProof, true, nil
	}
	wait, err := e.reserve(ctx, t.now, Budget{Key: e.key("sms-held", number.Value), Limit: 1, Window: 24 * time.Hour})
	if err != nil || wait > 0 {
		return "", false, err
	}
	return message.PhoneHeld, false, nil
}

// texts are the budgets of one SMS. Fraud sends to numbers that earn with each message, and
// answers them all: what counts against the instance, and against the person in a day, is
// never given back.
type texts struct {
	soon, number, network, person, instance Budget

	guess string // counts wrong answers from a number that is to be proven
}

// textBudgets count a second step for the number in this browser, if it is known: strangers
// with the password must not use up the owner's. For whoever claims a number, all count together.
func (e *Engine) textBudgets(ctx context.Context, t *turn, number identity.Identifier) (texts, error) {
	x, err := e.aim(ctx, t)
	if err != nil {
		return texts{}, err
	}
	whose := number.Value + "\x00"
	if !t.proving() {
		whose += x.own
	}
	l := e.Limits.orDefault()
	return texts{
		soon:     Budget{Key: e.key("sms-soon", whose), Limit: 1, Window: resendAfter},
		number:   Budget{Key: e.key("sms", whose), Limit: l.Messages, Window: time.Hour},
		network:  Budget{Key: e.key("sms-network", x.network), Limit: l.NetworkMessages, Window: time.Hour},
		person:   Budget{Key: e.personKey("sms-person", x), Limit: textsPerDay, Window: 24 * time.Hour},
		instance: Budget{Key: e.key("sms-instance", ""), Limit: l.SMS, Window: time.Hour},
		guess:    e.key("sms-guess", x.person), // of a newcomer, who is nobody yet, the address they proved
	}, nil
}

// reserveText takes one SMS from every budget, or is ErrTooSoon. That the one of the whole
// instance is spent is told to the operator, once an hour.
func (e *Engine) reserveText(ctx context.Context, t *turn, b texts) error {
	wait, err := e.reserve(ctx, t.now, b.soon, b.number, b.network, b.person)
	if err != nil {
		return err
	}
	if wait > 0 {
		return ErrTooSoon.After(wait)
	}
	if wait, err = e.reserve(ctx, t.now, b.instance); err != nil || wait == 0 {
		return err
	}
	told, err := e.reserve(ctx, t.now, Budget{Key: e.key("sms-told", ""), Limit: 1, Window: time.Hour})
	if err != nil {
		return err
	}
	if told == 0 {
		if err := e.Events.Record(ctx, event.Event{
			Kind: event.MessageFailed, Actor: "system", Detail: map[string]string{"kind": string(message.PhoneCode), "reason": "limits.sms is reached"},
		}); err != nil {
			return err
		}
	}
	return ErrTooSoon.After(wait)
}

// phoneMAC recognises digits for one attempt, one purpose and one number only.
func (e *Engine) phoneMAC(t *turn, number identity.Identifier, code secret.String) secret.Digest {
	why := "second step"
	if t.proving() {
		why = "proof"
	}
	return e.Box.MAC("login phone code", strings.Join([]string{string(t.a.ID), why, number.Value, code.Reveal()}, "\x00"))
}

// phoneChallenge returns the code that is out for the number at stake, if it can be answered.
func (t *turn) phoneChallenge() (Challenge, error) {
	c, sent := t.a.Challenges[identity.PhoneCode]
	switch {
	case !sent, c.Target != t.target(identity.PhoneCode):
		return c, ErrCodeUnsent
	case !c.UsedAt.IsZero(), c.Tries <= 0, !t.now.Before(c.ExpiresAt):
		return c, ErrCodeSpent
	}
	return c, nil
}

// answers reports whether the answer is that of the challenge, and notes it there: a right one
// uses it up, a wrong one takes a try.
func (e *Engine) answers(t *turn, c Challenge, answer secret.String) bool {
	mac := e.phoneMAC(t, c.Target, secret.NewString(typedCode(answer)))
	right := c.Code != "" && secret.Equal(string(mac), string(c.Code))
	c.Tries--
	if right {
		c.UsedAt, c.Tries = t.now, 0
	}
	challenges := map[identity.Method]Challenge{identity.PhoneCode: c}
	for k, other := range t.a.Challenges {
		if k != identity.PhoneCode {
			challenges[k] = other
		}
	}
	t.a.Challenges = challenges
	return right
}

// provePhone checks a code by SMS: as the second step, or to show whose a number is.
func (e *Engine) provePhone(ctx context.Context, t *turn, answer secret.String) (View, error) {
	if typedCode(answer) == "" {
		return e.view(t), ErrCodeMissing
	}
	if t.proving() {
		return e.provenNumber(ctx, t, answer, func(t *turn) { t.a.Confirmed = true })
	}
	c, err := t.phoneChallenge()
	if err != nil {
		return e.view(t), err
	}
	b, err := e.textBudgets(ctx, t, c.Target)
	if err != nil {
		return e.view(t), err
	}
	s, err := e.stake(ctx, t, identity.PhoneCode)
	if err != nil {
		return e.view(t), err
	}
	if !e.answers(t, c, answer) {
		return e.lost(ctx, t, s, ErrCodeWrong, false)
	}
	on, _ := t.f.phoneFactor()
	t.shown(on)
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error {
		if t.f.phone() != c.Target {
			return problem.New(problem.Conflict, "phone_changed", "The number was changed a moment ago.")
		}
		if err := e.People.UseFactor(ctx, on.ID, on.Counter, on.Counter, t.now); err != nil {
			return err
		}
		return e.Throttle.Forgive(ctx, []string{b.number.Key, b.network.Key}, []string{s.key, b.soon.Key}, t.now)
	})
}

// provenNumber checks the code that was sent to a number which is to come on file or to be
// turned on, and notes what follows. Wrong answers count per person, apart from those of the
// second step: whoever guesses at a number that is not theirs locks nothing of their own.
func (e *Engine) provenNumber(ctx context.Context, t *turn, answer secret.String, then func(t *turn)) (View, error) {
	c, err := t.phoneChallenge()
	if err != nil {
		return e.view(t), err
	}
	if err := e.textable(t, c.Target); err != nil {
		return e.view(t), err
	}
	b, err := e.textBudgets(ctx, t, c.Target)
	if err != nil {
		return e.view(t), err
	}
	guesses := Budget{Key: b.guess, Limit: factorBudget, Window: factorWindow}
	wait, err := e.reserve(ctx, t.now, guesses)
	if err != nil {
		return e.view(t), err
	}
	if wait > 0 {
		return e.view(t), ErrSlow.After(wait)
	}
	if !e.answers(t, c, answer) {
		t.tell(event.SignInFailed, map[string]string{"method": string(identity.PhoneCode)})
		v, err := e.keep(ctx, t)
		if err != nil {
			return v, err
		}
		return v, ErrCodeWrong
	}
	then(t)
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error {
		return e.Throttle.Forgive(ctx, []string{b.number.Key, b.network.Key}, []string{b.soon.Key, guesses.Key}, t.now)
	})
}

// enrollPhone drafts a number and sends it a code; "" sends another one to the number that
// was drafted.
func (e *Engine) enrollPhone(ctx context.Context, t *turn, typed string) (View, error) {
	before := *t
	number := identity.Identifier{}
	if d := t.a.Draft.Factor; d != nil && d.Method == identity.PhoneCode {
		number = d.Target
	}
	if typed != "" || number.None() {
		var err error
		if number, err = identity.ParsePhone(typed); err != nil {
			return e.view(&before), err
		}
	}
	if number == t.f.phone() {
		return e.view(&before), ErrFactorThere
	}
	t.a.Draft.Factor = &DraftFactor{Method: identity.PhoneCode, Secret: secret.NewString(number.Value), Credential: number.Value, Target: number}
	if err := e.text(ctx, t); err != nil {
		return e.view(&before), err
	}
	return e.keep(ctx, t)
}

// confirmPhone takes the code that was sent to the drafted number.
func (e *Engine) confirmPhone(ctx context.Context, t *turn, answer secret.String) (View, error) {
	if typedCode(answer) == "" {
		return e.view(t), ErrCodeMissing
	}
	return e.provenNumber(ctx, t, answer, (*turn).confirmed)
}

// installPhone puts the number that was turned on on file, unless it is there, and turns off
// the one before: codes go to one number, the last one that the person showed to be theirs.
func (e *Engine) installPhone(ctx context.Context, t *turn, number identity.Identifier) error {
	for _, x := range t.f.Factors {
		if x.Method != identity.PhoneCode {
			continue
		}
		if err := e.People.DropFactor(ctx, t.a.UserID, x.ID); err != nil {
			return err
		}
		t.tell(event.FactorRemoved, map[string]string{"method": string(x.Method), "factor": string(x.ID)})
	}
	for _, h := range t.f.Holdings {
		if h.Identifier == number && h.Verified() {
			return nil
		}
	}
	return e.hold(ctx, t, number)
}
