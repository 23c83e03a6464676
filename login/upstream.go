package login

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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
	ErrStale     = problem.New(problem.Invalid, "upstream_stale", "The other service did not ask you to sign in again, which is needed here. Sign out there first, or choose another way.")
	ErrTaken     = problem.New(problem.Conflict, "external_account_taken", "That account signs in to another account here.")
)

// Depart sends the browser to a provider. What it comes back with is for Return. A connection by
// which nobody can come in here and now is ErrMethod.
func (e *Engine) Depart(ctx context.Context, at At, connection string) (View, federation.Way, error) {
	t, err := e.turn(ctx, at, depart)
	if err != nil {
		return e.view(t), federation.Way{}, err
	}
	c, err := e.Federation.Connection(connection)
	if err != nil {
		return e.view(t), federation.Way{}, err
	}
	if !slices.Contains(Departures(t.a, t.f, t.p), c.Method()) {
		return e.view(t), federation.Way{}, ErrMethod
	}
	d := t.departure(federation.NewState(string(t.a.ID)), t.now)
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

// departure is what a provider is asked for, the same on the way there and back.
func (t *turn) departure(state secret.String, sent time.Time) federation.Departure {
	d := federation.Departure{State: state, At: sent, Anew: t.anew(), MaxAge: t.p.Need.MaxAge, Locale: t.at.Locale, Both: required(t.a, t.f, t.p) == identity.Both}
	switch {
	case t.connecting():
	case t.a.Identifier.Kind == identity.Email:
		d.Hint = t.a.Identifier.Value
	default:
		d.Hint = t.ask.Hint
	}
	return d
}

// anew reports whether the provider has to ask the person for a proof, whoever is signed in there:
// an app wants it, or something within a session does.
func (t *turn) anew() bool { return t.p.Need.Anew || t.a.Goal.within() && !t.connecting() }

// connecting reports whether all that is owed is the account that is to be connected.
func (t *turn) connecting() bool {
	return t.a.Goal == Connect && Next(t.a, t.f, t.p) == NeedsConnection && !detained(t.a, t.f, t.p)
}

// Return takes what a browser brought back from a provider. A state that is not of this
// browser's attempt, was used or is older than ten minutes is ErrState; at.Attempt is what the
// state names. The state is used up before the provider is asked, whatever the answer is worth:
// of two that bring the same one, the slower gets ErrMoved.
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
	if err := e.spend(ctx, t, c); err != nil {
		return e.late(ctx, t, err)
	}
	if !slices.Contains(Departures(t.a, t.f, t.p), c.Method()) {
		return e.view(t), ErrMethod // something else is owed by now
	}
	x, err := e.finish(ctx, t, c, out, answer)
	before := *t
	if err == nil {
		err = e.resolve(ctx, t, x)
	}
	if err == nil {
		t.a.Presence = x.Presence()
	}
	if err != nil {
		*t = before
		t.tell(event.SignInFailed, map[string]string{"method": string(c.Method())})
		if said := e.InTx(ctx, func(ctx context.Context) error { return e.announce(ctx, t) }); said != nil {
			return e.view(t), errors.Join(err, said)
		}
		return e.view(t), err
	}
	return e.keep(ctx, t, func(ctx context.Context, t *turn) error { return e.useLink(ctx, t, x) })
}

// spend uses up the state of a departure, in one conditional write.
func (e *Engine) spend(ctx context.Context, t *turn, c federation.Connection) error {
	t.a.Challenges = maps.Clone(t.a.Challenges)
	delete(t.a.Challenges, c.Method())
	err := e.Store.SaveAttempt(ctx, t.a)
	if problem.Is(err, problem.Conflict) {
		return ErrMoved.Because(err)
	}
	t.a.Version++
	return err
}

// finish has what came back checked. What comes out says of which connection and when; of a second
// step it says only what the operator takes the provider's word for.
func (e *Engine) finish(ctx context.Context, t *turn, c federation.Connection, out Challenge, answer federation.Answer) (federation.Assertion, error) {
	x, err := e.Federation.Finish(ctx, c, t.departure(answer.State, out.SentAt), answer)
	if err != nil {
		return x, err
	}
	if x.Account.Method != c.Method() || x.Account.Issuer == "" || x.Account.Subject == "" {
		return x, fmt.Errorf("connection %s says of whom it speaks as %s %q %q", c.Name, x.Account.Method, x.Account.Issuer, x.Account.Subject)
	}
	if x.AuthTime, err = t.proven(x.AuthTime, out.SentAt); err != nil {
		return x, err
	}
	return x, e.Federation.Observe(ctx, c, x)
}

// proven is when the person proved themselves, by the provider's word if it gives it: sessions
// and apps are told no later time. Where a proof as fresh as that was demanded and the provider
// says that it has none, that is ErrStale.
func (t *turn) proven(told, sent time.Time) (time.Time, error) {
	at := t.now
	if !told.IsZero() && told.Before(at) {
		at = told
	}
	age := t.p.Need.MaxAge
	switch asked := t.anew() || age != nil; {
	case asked && !at.Before(sent.Add(-skew)):
		return latest(at, sent), nil // since it was asked
	case t.anew(), age != nil && t.now.Sub(at) > *age:
		return at, ErrStale
	}
	return at, nil
}

func latest(x, y time.Time) time.Time {
	if x.Before(y) {
		return y
	}
	return x
}

// resolve finds out what an assertion is evidence of. The first question is whether the account
// is linked; only then does the address matter.
func (e *Engine) resolve(ctx context.Context, t *turn, x federation.Assertion) error {
	p, err := e.People.ByCredential(ctx, x.Account.Credential())
	if problem.Is(err, problem.NotFound) {
		return e.unlinked(ctx, t, x)
	}
	if err != nil {
		return err
	}
	mine, connecting := p.User.ID == t.a.UserID, t.connecting()
	switch {
	case connecting && mine:
		return ErrLinked
	case connecting:
		return ErrTaken
	case t.a.Goal.within() && !mine:
		return ErrElsewhere
	case !mine:
		t.restart()
		t.know(p)
		t.a.Goal, t.a.Identifier = SignIn, t.f.mailbox()
	}
	t.a.Proofs = append(slices.Clone(t.a.Proofs), x.Proof(x.AuthTime))
	e.suspect(t)
	return nil
}

// unlinked is the word of a provider about somebody it is not linked to. Within a session it
// is linked to who is signed in. Elsewhere the attempt becomes a sign-up, in which an address
// that somebody holds is theirs, as in every sign-up: at once if the provider's word about it is
// taken, else when our own code returns.
func (e *Engine) unlinked(ctx context.Context, t *turn, x federation.Assertion) error {
	if t.connecting() {
		t.a.Upstream = &x
		return nil
	}
	if t.a.Goal.within() {
		return t.unlinkedWithin(x)
	}
	said, invited, goal := t.a.Draft, t.a.Identifier, t.a.Goal
	t.restart()
	t.a.Goal, t.a.Upstream, t.a.Identifier = SignUp, &x, x.Email
	if goal == SignUp {
		t.a.Draft.Name, t.a.Draft.Locale = said.Name, said.Locale
	}
	if goal == SignUp && said.Invitation != "" {
		t.a.Draft.Invitation, t.a.Identifier = said.Invitation, invited // it is for that address
	}
	t.a.Confirmed = t.a.believed()
	if err := e.learn(ctx, t); err != nil {
		return err
	}
	if t.a.Confirmed {
		t.a.Proofs = append(t.a.Proofs, x.Proof(x.AuthTime))
		e.suspect(t)
	}
	return nil
}

// unlinkedWithin is for who signed in before the provider of their domain became the only way:
// the provider's word that it is their address is as good as at sign-in.
func (t *turn) unlinkedWithin(x federation.Assertion) error {
	own := func(h identity.Holding) bool { return h.Identifier == x.Email && h.Verified() }
	owed := func(c federation.Connection) bool { return c.Method() == x.Account.Method }
	if t.a.Goal == Connect || !x.Verdict.Verified || !slices.ContainsFunc(t.f.Holdings, own) || !slices.ContainsFunc(bound(t.a, t.f, t.p), owed) {
		return ErrElsewhere
	}
	t.a.Upstream = &x
	t.a.Proofs = append(slices.Clone(t.a.Proofs), x.Proof(x.AuthTime))
	return nil
}

// restart forgets what was said and shown before somebody else came in.
func (t *turn) restart() {
	t.a.UserID, t.a.Proofs, t.a.Challenges, t.a.Draft, t.a.Upstream, t.a.Presence = "", nil, nil, Draft{}, nil, nil
	t.a.Reset, t.a.Breached, t.a.Confirmed, t.a.Identifier = false, "", false, identity.Identifier{}
	t.f, t.holder = Facts{}, Person{}
}

// believed reports whether the address that the attempt is about came from a provider whose
// word about it we take.
func (a Attempt) believed() bool {
	return a.Upstream != nil && a.Upstream.Verdict.Verified && !a.Identifier.None() && a.Upstream.Email == a.Identifier
}
