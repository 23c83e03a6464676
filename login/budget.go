package login

import (
	"context"
	"errors"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
)

// This file is how much guessing at second factors is borne. Whoever guesses has shown the
// first factor already, so it is counted per person and method, over all attempts and
// networks, and a right password forgives nothing.

const (
	factorTries  = 5  // wrong answers that end an attempt
	factorBudget = 10 // wrong answers of a method in factorWindow; then it is refused for as long
	factorWindow = time.Hour
)

// ErrWrongOften ends an attempt: whoever goes on begins with the first factor.
var ErrWrongOften = problem.New(problem.Gone, "answers_wrong", "That was wrong too often. Please start again.")

// stake is what one answer by a second factor took.
type stake struct {
	method identity.Method
	key    string
	last   bool // if this one is wrong, the method is refused for a while
}

// stake reserves one answer by a method of the person before it is looked at, so that those
// who race do not get more. Where none is left it is ErrSlow, right or wrong. A browser on
// which the person has signed in counts apart: who stole the password cannot keep them out.
func (e *Engine) stake(ctx context.Context, t *turn, m identity.Method) (stake, error) {
	x, err := e.aim(ctx, t)
	if err != nil {
		return stake{}, err
	}
	s := stake{method: m, key: e.personKey("factor-"+string(m), x)}
	counts, wait, err := e.Throttle.Count(ctx, []Budget{{Key: s.key, Limit: factorBudget, Window: factorWindow}}, t.now)
	if err != nil {
		return s, err
	}
	if wait > 0 {
		return s, ErrSlow.After(wait)
	}
	s.last = counts[0] == factorBudget
	return s, nil
}

// won forgets the wrong answers after a right one, in the transaction that uses it.
func (e *Engine) won(ctx context.Context, s stake) error {
	return e.Throttle.Clear(ctx, []string{s.key})
}

// lost notes a wrong answer by a second factor and answers with it. The last one of the budget
// is told to the person, the fifth one of the attempt ends it. Of those that race only one
// counts against the attempt; what a loud one has to tell is told all the same.
func (e *Engine) lost(ctx context.Context, t *turn, s stake, wrong error, loud bool) (View, error) {
	t.tell(event.SignInFailed, map[string]string{"method": string(s.method)})
	var tell []func(context.Context, *turn) error
	if s.last {
		t.tell(event.SignInLocked, map[string]string{"method": string(s.method)})
		tell = append(tell, func(ctx context.Context, t *turn) error {
			return e.notify(ctx, t, Change{Kind: FactorLocked, Factor: identity.Factor{Method: s.method}})
		})
	}
	t.a.Wrong++
	if t.a.Wrong >= factorTries {
		t.a.AbandonedAt, t.a.Draft, t.a.Challenges = t.now, Draft{}, nil
		wrong = ErrWrongOften
	}
	v, err := e.keep(ctx, t, tell...)
	if problem.Is(err, problem.Conflict) && (loud || s.last) {
		return v, errors.Join(err, e.InTx(ctx, func(ctx context.Context) error {
			for _, do := range tell {
				if err := do(ctx, t); err != nil {
					return err
				}
			}
			return e.announce(ctx, t)
		}))
	}
	if err != nil {
		return v, err
	}
	return v, wrong
}
