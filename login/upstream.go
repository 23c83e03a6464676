package login

import (
	"context"
	"errors"
	"maps"
	"slices"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// This file is how people come in by an account they have elsewhere. A provider's word is
// evidence like any other: of whose account it is, if that is linked, it proves them. If it is
// not, the e-mail address decides, and only an address that is proven, by a provider we believe
// about it or by our own code, leads to anybody. The link itself is written when nothing is owed
// any more, second factor included.

// The problems of coming back from a provider.
var (
	ErrState     = problem.New(problem.Gone, "upstream_state", "This sign-in was not started here, or it has been used already. Please start again.")
	ErrElsewhere = problem.New(problem.Conflict, "external_account_foreign", "That is somebody else's account. Please use your own.")
	ErrLinked    = problem.New(problem.Conflict, "external_account_linked", "That account is connected already.")
	ErrTaken     = problem.New(problem.Conflict, "external_account_taken", "That account signs in to another account here.")
)

// Depart sends the browser to a provider. What it comes back with is for Return.
func (e *Engine) Depart(ctx context.Context, at At, connection string) (View, federation.Way, error) {
	t, err := e.turn(ctx, at, depart)
	if err != nil {
		return e.view(t), federation.Way{}, err
	}
	c, err := e.Federation.Connection(connection)
	if err != nil {
		return e.view(t), federation.Way{}, err
	}
	if !slices.Contains(usable(t.a, t.f, t.p), c.Method()) {
		return e.view(t), federation.Way{}, ErrMethod
	}
	d := federation.Departure{
		State: federation.NewState(string(t.a.ID)), At: t.now, Hint: t.a.Identifier.Value,
		Anew: t.p.Need.Anew || t.a.Goal.within(), MaxAge: t.p.Need.MaxAge, Locale: at.Locale,
	}
	way, err := e.Federation.Depart(ctx, c, d)
	if err != nil {
		return e.view(t), federation.Way{}, err
	}
	challenges := maps.Clone(t.a.Challenges)
	if challenges == nil {
		challenges = map[identity.Method]Challenge{}
	}
	challenges[c.Method()] = Challenge{Link: secret.DigestOf(d.State.Reveal()), SentAt: t.now, ExpiresAt: t.now.Add(challengeLife)}
	t.a.Challenges = challenges
	v, err := e.keep(ctx, t)
	return v, way, err
}

// Return takes what a browser brought back from a provider. A state that is not of this
// browser's attempt, or was used, is ErrState; at.Attempt is what the state names.
func (e *Engine) Return(ctx context.Context, at At, connection string, answer federation.Answer) (View, error) {
	t, err := e.turn(ctx, at, arrive)
	if err != nil {
		return e.view(t), err
	}
	c, err := e.Federation.Connection(connection)
	if err != nil {
		return e.view(t), err
	}
	out, sent := t.a.Challenges[c.Method()]
	if !sent || !secret.Equal(string(out.Link), string(secret.DigestOf(answer.State.Reveal()))) || !t.now.Before(out.ExpiresAt) {
		return e.view(t), ErrState
	}
	t.a.Challenges = maps.Clone(t.a.Challenges)
	delete(t.a.Challenges, c.Method()) // whatever the answer is worth: the next one departs anew
	x, err := e.Federation.Finish(ctx, c, federation.Departure{State: answer.State, At: out.SentAt, Anew: t.p.Need.Anew || t.a.Goal.within(), MaxAge: t.p.Need.MaxAge}, answer)
	if err == nil {
		err = e.resolve(ctx, t, x)
	}
	if err != nil {
		t.tell(event.SignInFailed, map[string]string{"method": string(c.Method())})
		v, kept := e.keep(ctx, t)
		return v, errors.Join(kept, err)
	}
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error { return e.useLink(ctx, t, x) })
}

// resolve finds out what an assertion is evidence of. The first question is whether the account
// is linked; only then does the address matter.
func (e *Engine) resolve(ctx context.Context, t *turn, x federation.Assertion) error {
	p, err := e.People.ByCredential(ctx, x.Account.Credential())
	switch {
	case problem.Is(err, problem.NotFound):
		return e.unlinked(ctx, t, x)
	case err != nil:
		return err
	case t.a.Goal == Connect && p.User.ID == t.a.UserID:
		return ErrLinked
	case t.a.Goal == Connect:
		return ErrTaken
	case t.a.Goal.within() && p.User.ID != t.a.UserID:
		return ErrElsewhere
	}
	if p.User.ID != t.a.UserID {
		t.restart()
		t.f = Facts{}
		t.know(p)
		t.a.Goal, t.a.Identifier = SignIn, t.f.mailbox()
	}
	t.a.Proofs = append(slices.Clone(t.a.Proofs), x.Proof(t.now))
	return nil
}

// unlinked is the word of a provider about somebody it is not linked to. Within a session it
// is linked to who is signed in. Elsewhere the attempt becomes a sign-up, in which an address
// that somebody holds is theirs, as in every sign-up.
func (e *Engine) unlinked(ctx context.Context, t *turn, x federation.Assertion) error {
	switch {
	case t.a.Goal == Connect:
		t.a.Upstream = &x
		return nil
	case t.a.Goal.within():
		return ErrElsewhere
	}
	invitation, invited := t.a.Draft.Invitation, t.a.Identifier
	t.restart()
	t.a.Goal, t.a.Upstream, t.a.Identifier = SignUp, &x, x.Email
	if invitation != "" {
		t.a.Draft.Invitation, t.a.Identifier = invitation, invited // it is for that address
	}
	if err := e.learn(ctx, t); err != nil {
		return err
	}
	if !t.a.believed() {
		if t.a.Identifier.None() || Next(t.a, t.f, t.p) == NeedsHuman {
			return nil
		}
		if err := e.send(ctx, t, identity.EmailCode); err != nil && !problem.Is(err, problem.TooMany) && !errors.Is(err, errDoubtful) {
			return err
		}
		return nil
	}
	t.a.Confirmed = true
	if t.f.Held {
		t.a.Goal = SignIn
		t.know(t.holder)
	}
	t.a.Proofs = []identity.Proof{x.Proof(t.now)}
	return nil
}

// restart forgets what was said and shown before somebody else came in.
func (t *turn) restart() {
	t.a.UserID, t.a.Proofs, t.a.Challenges, t.a.Draft, t.a.Upstream = "", nil, nil, Draft{}, nil
	t.a.Reset, t.a.Breached, t.a.Confirmed, t.a.Identifier = false, "", false, identity.Identifier{}
	t.f = Facts{}
}

// believed reports whether the address that the attempt is about came from a provider whose
// word about it we take.
func (a Attempt) believed() bool {
	return a.Upstream != nil && a.Upstream.Verdict.Verified && !a.Identifier.None() && a.Upstream.Email == a.Identifier
}

// brings reports whether a proof is by the account that comes on file when nothing is owed.
func (a Attempt) brings(p identity.Proof) bool {
	return a.Upstream != nil && p.Method == a.Upstream.Account.Method && p.Credential == a.Upstream.Account.Credential()
}

// useLink notes on the linked account when it was used and what its provider said.
func (e *Engine) useLink(ctx context.Context, t *turn, x federation.Assertion) error {
	i := slices.IndexFunc(t.f.Factors, func(f identity.Factor) bool {
		return f.Method == x.Account.Method && f.Credential == x.Account.Credential()
	})
	if i < 0 {
		return nil // not linked yet
	}
	f, err := x.Factor()
	if err != nil {
		return err
	}
	was := t.f.Factors[i]
	f.ID, f.UserID, f.CreatedAt, f.LastUsedAt = was.ID, was.UserID, was.CreatedAt, t.now
	t.f.Factors[i] = f
	return e.People.SaveFactor(ctx, f)
}

// link puts the account of a provider on the person's file. Of two people who race for the same
// account the slower one gets problem.Conflict.
func (e *Engine) link(ctx context.Context, t *turn, fresh bool) error {
	x := t.a.Upstream
	if x == nil {
		return nil
	}
	f, err := x.Factor()
	if err != nil {
		return err
	}
	f.ID, f.UserID, f.CreatedAt, f.LastUsedAt = identity.FactorID(secret.NewID("factor")), t.a.UserID, t.now, t.now
	if err := e.People.SaveFactor(ctx, f); err != nil {
		return err
	}
	t.tell(event.AccountLinked, map[string]string{"connection": x.Connection(), "factor": string(f.ID)})
	if e.Picture != nil && x.Profile.Picture != "" && t.f.User.Profile.Picture == "" {
		if err := e.Picture(ctx, t.a.UserID, x.Connection(), x.Profile.Picture); err != nil {
			return err
		}
	}
	if fresh {
		return nil
	}
	return e.notify(ctx, t, Change{Kind: AccountLinked, Factor: f})
}
