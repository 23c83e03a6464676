package login

import (
	"context"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// LinkView is what the page behind a mailed link may show. Opening it consumes nothing;
// a button posts the token to Prove.
type LinkView struct {
	View        View            // of the attempt; empty in another browser
	Goal        Goal            // also in another browser
	Method      identity.Method // what to Prove
	SameBrowser bool            // this browser asked for the link
	Code        secret.String   // in another browser: the digits to type where it was asked for
	Spent       bool            // used, replaced, cancelled or too old: say so, and offer to start again
}

// Link says what a mailed link may show in the browser that opened it. A link of no
// attempt, or of none that lives, is just Spent: it cannot be told apart from an old one.
func (e *Engine) Link(ctx context.Context, at At, token secret.String) (LinkView, error) {
	spent := LinkView{Spent: true}
	a, err := e.Store.Attempt(ctx, at.Attempt)
	if problem.Is(err, problem.NotFound) {
		return spent, nil
	}
	if err != nil {
		return spent, err
	}
	method, c, ok := linked(a, token)
	if !ok {
		return spent, nil
	}
	asked := at
	asked.Browser.ID = a.Browser
	t, err := e.load(ctx, asked)
	if problem.Is(err, problem.NotFound) {
		return spent, nil
	}
	if err != nil {
		return spent, err
	}
	l := LinkView{Goal: a.Goal, Method: method, SameBrowser: a.Browser == at.Browser.ID}
	l.Spent = !c.UsedAt.IsZero() || c.Tries <= 0 || !t.now.Before(c.ExpiresAt) || !t.offers(method)
	switch {
	case l.SameBrowser:
		l.View = e.view(t)
	case !l.Spent:
		l.Code = e.codeOf(token)
	}
	return l, nil
}

// linked finds the challenge that a link's token belongs to.
func linked(a Attempt, token secret.String) (identity.Method, Challenge, bool) {
	digest := secret.DigestOf(token.Reveal())
	for box, c := range a.Challenges {
		if c.Code != "" && secret.Equal(string(c.Link), string(digest)) {
			if box == identity.EmailCode {
				box = identity.EmailLink
			}
			return box, c, true
		}
	}
	return "", Challenge{}, false
}
