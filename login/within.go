package login

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/message"
	"idp/session"
)

// This file is about attempts of somebody who is signed in: to prove anew, to set up a
// factor, to have another address on file.

// RecentFor is how long what was proven is good enough for a sensitive act.
const RecentFor = 10 * time.Minute

// Recent is what a sensitive act demands of a session of that person: all that they can
// show, at most ten minutes ago. What a trusted browser was spared has to be shown.
func (e *Engine) Recent(p Person) session.Need {
	return Recent(Facts{Holdings: p.Holdings, Factors: p.Factors}, e.policy())
}

// Recent is the same as a function of what it depends on.
func Recent(f Facts, p Policy) session.Need {
	age := RecentFor
	need := session.Need{Categories: identity.Knowledge, MaxAge: &age}
	if f.hasSecond(p) {
		need.Categories = identity.Both
	}
	return need
}

// Carried returns the proofs of a standing session that count for an attempt within it. Somebody
// who wants to add a factor or an address proves anew first, unless they just did; so does whoever
// changes something. An app that wants more than the session proved gets what is missing, if
// the rest was shown just now.
func Carried(g Goal, s session.Session, f Facts, p Policy, now time.Time) []identity.Proof {
	need := Recent(f, p)
	if g == StepUp {
		if p.Need.MaxAge != nil || p.Need.Anew || p.Need.Categories == identity.None && !p.Need.Resistant {
			return nil
		}
		need.Categories = identity.Knowledge
	}
	if !s.Satisfies(need, now) {
		return nil
	}
	return slices.Clone(s.Proofs)
}

// again fixes the person of a standing session, with what it proved as far as that counts.
func (e *Engine) again(ctx context.Context, t *turn, b Beginning) error {
	s, err := e.Sessions.Session(ctx, b.Session)
	if problem.Is(err, problem.NotFound) || err == nil && (s.Browser != t.a.Browser || !s.Alive(t.now)) {
		return session.ErrNobody
	}
	if err != nil {
		return err
	}
	t.a.UserID, t.a.Public, t.a.Within = s.User, s.Public, s.ID
	if err := e.learn(ctx, t); err != nil {
		return err
	}
	t.a.Identifier = t.f.mailbox()
	t.a.Proofs = Carried(t.a.Goal, t.f.stands(s, t.p), t.f, t.p, t.now)
	if t.a.Goal == StepUp {
		return nil
	}
	if t.a.Goal == Enroll {
		if len(enrollable(t.a, t.f, t.p)) == 0 {
			return ErrMethod
		}
		return nil
	}
	if t.a.Goal == Connect {
		if _, err := e.Federation.Connection(b.Connection); err != nil {
			return err
		}
		t.a.Draft.Connection = b.Connection
		return nil
	}
	if err := t.extend(b.Address); err != nil || t.a.Draft.Address.Kind != identity.Phone {
		return err
	}
	return e.textable(t, t.a.Draft.Address)
}

// still refuses to go on for somebody whose session has ended meanwhile: what it had proven
// was taken back with it.
func (e *Engine) still(ctx context.Context, t *turn) error {
	if t.a.Within == "" {
		return nil
	}
	s, err := e.Sessions.Session(ctx, t.a.Within)
	if problem.Is(err, problem.NotFound) || err == nil && !s.Alive(t.now) {
		return session.ErrNobody
	}
	return err
}

// holds reports whether what this attempt proved is still on the person's file. What was taken
// off or replaced meanwhile, by its owner, an operator or an undo, lets nobody in.
func (t *turn) holds() bool {
	d := t.a.Draft.Factor
	return !slices.ContainsFunc(t.a.Proofs, func(p identity.Proof) bool {
		own := d != nil && p.Method == d.Method && p.Credential == d.shown() || t.a.brings(p) // comes on file now
		return !own && !t.f.stand(p, t.p)
	})
}

// stand reports whether what a proof names is on file: the same password, the address that
// answered, the factor that was shown, the account elsewhere, if its connection is in force.
func (f Facts) stand(p identity.Proof, in Policy) bool {
	if p.Method.Federated() && !in.allows(p.Method) {
		return false
	}
	switch slot(p.Method) {
	case identity.EmailCode, identity.ResetCode:
		return slices.ContainsFunc(f.Holdings, func(h identity.Holding) bool {
			return h.Identifier.Kind == identity.Email && h.Identifier.Value == p.Credential
		})
	default:
	}
	return slices.ContainsFunc(f.Factors, func(x identity.Factor) bool {
		switch {
		case x.Method != p.Method:
			return false
		case x.Method == identity.Password:
			return string(x.ID) == p.Credential && !x.CreatedAt.After(p.At)
		case x.Method == identity.PhoneCode && x.Secret.Reveal() == p.Credential: // shown while it was set up
			return true
		}
		return string(x.ID) == p.Credential || x.Credential != "" && x.Credential == p.Credential
	})
}

// stands is a session without those of its proofs that are worth nothing any more.
func (f Facts) stands(s session.Session, in Policy) session.Session {
	s.Proofs = slices.DeleteFunc(slices.Clone(s.Proofs), func(p identity.Proof) bool { return !f.stand(p, in) })
	return s
}

// extend notes what is to come on file. What the person has proven already need not be proven again.
func (t *turn) extend(typed string) error {
	address, err := identity.ParsePhone(typed)
	if !strings.HasPrefix(strings.TrimSpace(typed), "+") {
		address, err = identity.ParseEmail(typed)
	}
	if err != nil {
		return err
	}
	assigned := false
	for _, h := range t.f.Holdings {
		if h.Identifier == address && h.Verified() && !h.VerifiedBy.Federated() { // our own code may confirm what a provider did
			return errHeldAlready
		}
		assigned = assigned || h.Identifier == address && h.Assigned() // an operator chose it: the rules are for others
	}
	if len(t.f.Holdings) >= mostHoldings && !slices.ContainsFunc(t.f.Holdings, func(h identity.Holding) bool { return h.Identifier == address }) {
		return errTooMany
	}
	if address.Kind == identity.Email && !assigned {
		if err := t.p.Addresses.Check(address); err != nil {
			return err
		}
	}
	t.a.Draft.Address = address
	return t.may(address)
}

// may refuses an address of an enforced domain to an account that does not sign in by the
// domain's provider, unless an operator chose it for them.
func (t *turn) may(address identity.Identifier) error {
	c, enforced := t.p.enforces(address)
	chosen := func(h identity.Holding) bool { return h.Identifier == address && h.Assigned() }
	if !enforced || t.f.has(c.Method()) || slices.ContainsFunc(t.f.Holdings, chosen) {
		return nil
	}
	return ErrEnforced
}

const mostHoldings = 50 // addresses and numbers of one person

var (
	errHeldAlready = problem.New(problem.Conflict, "identifier_yours", "That is on your account already.").On("address")
	errTooMany     = problem.New(problem.Conflict, "identifiers_too_many", "That is as many as an account can have. Remove one first.").On("address")
)

// extending reports whether all that is owed is an answer from what is to come on file.
func (t *turn) extending() bool {
	if t.a.Goal != Extend {
		return false
	}
	step := Next(t.a, t.f, t.p)
	return step == NeedsEmailVerification || step == NeedsPhoneVerification
}

// reachOut sends the code to what is to come on file as soon as nothing else is owed, without
// the page having to ask, and so it does for who comes from a provider. If it may not be sent
// yet, the page offers to.
func (e *Engine) reachOut(ctx context.Context, t *turn) error {
	if !t.extending() && (Next(t.a, t.f, t.p) != NeedsEmailVerification || !t.a.abroad()) {
		return nil
	}
	box := identity.EmailCode
	if t.extending() && t.a.Draft.Address.Kind == identity.Phone {
		box = identity.PhoneCode
	}
	if c, sent := t.a.Challenges[box]; sent && c.Target == t.target(box) {
		return nil
	}
	err := e.send(ctx, t, box)
	if errors.Is(err, errDoubtful) {
		t.a.Doubted = true // a bot check is due first; the message follows it
		e.suspect(t)
		return nil
	}
	if err != nil && !problem.Is(err, problem.TooMany) {
		return err
	}
	return nil
}

// abroad reports whether the person came by an account elsewhere.
func (a Attempt) abroad() bool {
	return a.Upstream != nil || slices.ContainsFunc(a.Proofs, func(p identity.Proof) bool { return p.Method.Federated() })
}

// addressNew decides what is written to an address that is to come on file. One that is on
// somebody else's gets no code; to the person who typed it both look the same.
func (e *Engine) addressNew(ctx context.Context, t *turn, m *message.Message) (answerable bool, err error) {
	p, held, err := e.find(ctx, t.a.Draft.Address)
	if err != nil {
		return false, err
	}
	if held && p.User.ID != t.a.UserID {
		m.Kind = message.AddressBelongs
		return false, nil
	}
	m.Kind = message.VerifyAddress
	return true, nil
}

// person is who the attempt is about, as loaded.
func (t *turn) person() Person {
	return Person{User: t.f.User, Holdings: t.f.Holdings, Factors: t.f.Factors}
}
