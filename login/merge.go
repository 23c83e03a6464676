package login

import (
	"context"
	"slices"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
)

// Somebody may turn out to have two accounts here: they connect an account elsewhere, and it
// signs in to another one. Both are theirs if they prove both, in one browser, just now, with all
// that each can show. Then one connection moves over, or all that leads to the one account moves
// to the other and the first is deleted. Nothing of this can be taken back.

// The problems of bringing accounts together.
var (
	ErrMergeSame     = problem.New(problem.Conflict, "merge_same", "That is the same account.")
	ErrMergeUnproven = problem.New(problem.Forbidden, "merge_unproven", "Confirm first that both accounts are yours.")
	ErrMergeOperator = problem.New(problem.Conflict, "merge_operator", "That account runs this service, so it cannot be deleted here. Move the connection alone, or join the other way round.")
)

// Side is one of two accounts that are to come together: a session on this browser, and its person.
type Side struct {
	Session session.Session
	Person  Person
	Recent  bool // what was proven suffices now
}

// Merging is what is asked for.
type Merging struct {
	Into, From session.ID        // both on the browser that asks
	Factor     identity.FactorID // the account elsewhere that moves from From to Into, if not all is to
	Join       bool              // all moves: verified addresses, numbers, accounts elsewhere; From's account is deleted

	// Erase deletes a person, in the transaction it is called in; actor is who said so.
	Erase func(ctx context.Context, u identity.UserID, actor string) error
}

// Sides returns the two accounts of sessions on a browser: session.ErrNobody if one does not stand
// there, and ErrMergeSame if both are of one person.
func (e *Engine) Sides(ctx context.Context, b session.BrowserID, into, from session.ID) (to, of Side, err error) {
	if to.Session, err = e.standing(ctx, b, into); err != nil {
		return to, of, err
	}
	if of.Session, err = e.standing(ctx, b, from); err != nil {
		return to, of, err
	}
	if to.Session.User == of.Session.User {
		return to, of, ErrMergeSame
	}
	both := []*Side{&to, &of}
	slices.SortFunc(both, func(x, y *Side) int { // locked in one order, whichever way they are to merge
		if x.Session.User < y.Session.User {
			return -1
		}
		return 1
	})
	for _, s := range both {
		if s.Person, err = e.People.Person(ctx, s.Session.User); err != nil {
			return to, of, err
		}
		if s.Session, err = e.standing(ctx, b, s.Session.ID); err != nil { // again, now that nobody ends it
			return to, of, err
		}
		f := factsOf(s.Person)
		s.Recent = f.stands(s.Session, e.policy()).Satisfies(Recent(f, e.policy()), e.Now())
	}
	return to, of, nil
}

// standing returns a session that stands on that browser.
func (e *Engine) standing(ctx context.Context, b session.BrowserID, id session.ID) (session.Session, error) {
	s, err := e.Sessions.Session(ctx, id)
	if problem.Is(err, problem.NotFound) || err == nil && (b == "" || s.Browser != b || !s.Alive(e.Now())) {
		return session.Session{}, session.ErrNobody
	}
	return s, err
}

// Merge brings two accounts together, all of it or nothing. Both must have been proven within ten
// minutes in this browser (ErrMergeUnproven). Moving one connection is refused as disconnecting
// it would be: ErrLastWay, ErrLeans, ErrFactor.
func (e *Engine) Merge(ctx context.Context, at At, m Merging) error {
	return e.InTx(ctx, func(ctx context.Context) error {
		to, of, err := e.Sides(ctx, at.Browser.ID, m.Into, m.From)
		switch {
		case err != nil:
			return err
		case !to.Person.User.MayEnter() || !of.Person.User.MayEnter():
			return ErrSuspended
		case !to.Recent || !of.Recent:
			return ErrMergeUnproven
		}
		into, from := e.side(at, to), e.side(at, of)
		if m.Join {
			err = e.join(ctx, into, from, m)
		} else {
			err = e.move(ctx, into, from, m.Factor)
		}
		if err != nil {
			return err
		}
		if err := e.announce(ctx, from); err != nil {
			return err
		}
		return e.announce(ctx, into)
	})
}

func (e *Engine) side(at At, s Side) *turn {
	t := &turn{at: at, now: e.Now(), p: e.policy(), a: Attempt{UserID: s.Person.User.ID, SessionID: s.Session.ID, Proofs: s.Session.Proofs}}
	t.know(s.Person)
	return t
}

// move takes one account elsewhere off a person's file and puts it on the other's.
func (e *Engine) move(ctx context.Context, into, from *turn, id identity.FactorID) error {
	x, err := from.linked(id)
	if err != nil {
		return err
	}
	if err := e.unlink(ctx, from, x, from.a.SessionID); err != nil {
		return err
	}
	if err := e.receive(ctx, into, x); err != nil {
		return err
	}
	if err := e.notify(ctx, from, Change{Kind: AccountGiven, Factor: x}); err != nil {
		return err
	}
	return e.notify(ctx, into, Change{Kind: AccountTaken, Factor: x})
}

// receive puts an account elsewhere that left another file on this one.
func (e *Engine) receive(ctx context.Context, into *turn, x identity.Factor) error {
	x.ID, x.UserID, x.CreatedAt = identity.FactorID(secret.NewID("factor")), into.a.UserID, into.now
	if err := e.People.SaveFactor(ctx, x); err != nil {
		return err
	}
	into.tell(event.AccountLinked, map[string]string{"connection": x.Method.Connection(), "factor": string(x.ID)})
	return e.Distrust(ctx, x.UserID)
}

// join moves all that leads to an account to the other one, and deletes it.
func (e *Engine) join(ctx context.Context, into, from *turn, m Merging) error {
	if from.f.User.Operator {
		return ErrMergeOperator
	}
	if len(into.f.Holdings)+len(from.f.Holdings) > mostHoldings {
		return errTooMany
	}
	if err := m.Erase(ctx, from.a.UserID, string(from.a.UserID)); err != nil {
		return err
	}
	main := map[identity.Kind]bool{}
	for _, h := range into.f.Holdings {
		main[h.Identifier.Kind] = main[h.Identifier.Kind] || h.Primary && h.Verified()
	}
	for _, h := range from.f.Holdings { // the main ones first
		if !h.Verified() {
			continue
		}
		h.ID, h.UserID, h.CreatedAt, h.Primary = identity.HoldingID(secret.NewID("holding")), into.a.UserID, into.now, !main[h.Identifier.Kind]
		main[h.Identifier.Kind] = true
		if err := e.People.SaveHolding(ctx, h); err != nil {
			return err
		}
	}
	for _, x := range from.f.Factors {
		if !x.Method.Federated() {
			continue
		}
		if err := e.receive(ctx, into, x); err != nil {
			return err
		}
	}
	u := into.f.User
	u.UpdatedAt = into.now
	if err := e.People.SaveUser(ctx, u); err != nil {
		return err
	}
	into.tell(event.UserJoined, map[string]string{"from": string(from.a.UserID)})
	return e.notify(ctx, into, Change{Kind: AccountsJoined})
}
