package login

import (
	"slices"

	"idp/identity"
)

// Next says what is still owed. It is pure and the only source of a Step;
// docs/flows.md is drawn from its test. An attempt past its time must be marked as
// abandoned before it is asked about: Next has no clock.
func Next(a Attempt, f Facts, p Policy) Step {
	switch {
	case !a.AbandonedAt.IsZero():
		return Abandoned
	case a.SessionID != "":
		return Complete
	case p.Human && !a.Human:
		return NeedsHuman
	case a.Goal == SignUp && a.UserID == "":
		if len(missing(a, p)) > 0 {
			return MissingRequirements
		}
		if !a.Confirmed {
			return NeedsEmailVerification
		}
	case a.Identifier.None() && a.UserID == "":
		return NeedsIdentifier
	case len(a.Proofs) == 0 || a.UserID == "":
		return NeedsFirstFactor
	case f.assigned(a):
		return NeedsEmailVerification
	}
	if owed(a, f, p) != identity.None {
		if len(seconds(a, f, p)) > 0 {
			return NeedsSecondFactor
		}
		return NeedsEnrollment
	}
	if (resetProven(a) || a.Breached != "") && a.Draft.PasswordHash.Empty() {
		return NeedsNewPassword
	}
	return Ready
}

// owed returns the categories that must still be shown: both of them as soon as the
// person has a second factor, or whatever the policy and the waiting request demand.
func owed(a Attempt, f Facts, p Policy) identity.Category {
	required := p.Need.Categories
	if f.hasSecond() {
		required = identity.Both
	}
	return required &^ identity.Covered(a.Proofs)
}

// hasSecond reports whether the person has turned on two-step verification. Backup codes
// alone do not count: they stand in for a factor that is lost.
func (f Facts) hasSecond() bool {
	return slices.ContainsFunc(f.Factors, func(x identity.Factor) bool {
		return x.Method != identity.BackupCode && x.Method.Category()&identity.Possession != 0
	})
}

// assigned reports whether the person was named by an address that an operator put on
// file and that has not answered yet, neither before nor in this attempt.
func (f Facts) assigned(a Attempt) bool {
	return slices.ContainsFunc(f.Holdings, func(h identity.Holding) bool {
		return h.Identifier == a.Identifier && !h.Verified() && confirmedBy(a) == ""
	})
}

// resetProven reports whether this attempt came in by "forgot password".
func resetProven(a Attempt) bool {
	return slices.ContainsFunc(a.Proofs, func(p identity.Proof) bool { return p.Method == identity.ResetCode })
}

// missing names the sign-up fields that are still owed.
func missing(a Attempt, p Policy) []string {
	var fields []string
	if a.Identifier.None() {
		fields = append(fields, "email")
	}
	if p.Password && a.Draft.PasswordHash.Empty() {
		fields = append(fields, "password")
	}
	return fields
}

// usable returns the methods that may prove something at this step, best first.
func usable(a Attempt, f Facts, p Policy) []identity.Method {
	switch Next(a, f, p) {
	case NeedsFirstFactor:
		return firsts(a, f, p)
	case NeedsSecondFactor:
		return seconds(a, f, p)
	case NeedsEmailVerification:
		return []identity.Method{mailed(p)}
	default:
		return nil
	}
}

// firsts never depends on who was named, so that it tells nobody who exists; only within
// a session, where the person is known already, it looks at what they have.
func firsts(a Attempt, f Facts, p Policy) []identity.Method {
	var methods []identity.Method
	if a.Reset {
		methods = append(methods, identity.ResetCode)
	}
	if p.Password && (a.Goal != StepUp || f.has(identity.Password)) {
		methods = append(methods, identity.Password)
	}
	if p.byMail() && (a.Goal != StepUp || !f.mailbox().None()) {
		methods = append(methods, mailed(p))
	}
	return methods
}

// seconds are the methods on file that cover what is owed, the last used first. A mailed
// reset is never among them: it would let one inbox stand for two factors.
func seconds(a Attempt, f Facts, p Policy) []identity.Method {
	open := owed(a, f, p)
	factors := slices.Clone(f.Factors)
	slices.SortStableFunc(factors, func(x, y identity.Factor) int { return y.LastUsedAt.Compare(x.LastUsedAt) })
	var methods []identity.Method
	for _, x := range factors {
		switch {
		case x.Method.Category()&open == 0, slices.Contains(methods, x.Method):
		case x.Method == identity.Password && !p.Password:
		case x.Method == identity.BackupCode && !f.hasSecond():
		default:
			methods = append(methods, x.Method)
		}
	}
	if mail := mailed(p); p.byMail() && mail.Category()&open != 0 && !f.mailbox().None() {
		methods = append(methods, mail)
	}
	return methods
}

// byMail reports whether a mailed code or link may sign somebody in.
func (p Policy) byMail() bool { return p.EmailCode || p.EmailLink }

// mailed is the method whose message is sent when an inbox has to be proven. One message
// carries code and link when both are allowed, and a code when neither signs in.
func mailed(p Policy) identity.Method {
	if p.EmailLink && !p.EmailCode {
		return identity.EmailLink
	}
	return identity.EmailCode
}

func (f Facts) has(m identity.Method) bool {
	_, ok := f.factor(m)
	return ok
}

func (f Facts) factor(m identity.Method) (identity.Factor, bool) {
	i := slices.IndexFunc(f.Factors, func(x identity.Factor) bool { return x.Method == m })
	if i < 0 {
		return identity.Factor{}, false
	}
	return f.Factors[i], true
}

// mailbox is the person's verified address that codes go to, the primary one if there is one.
func (f Facts) mailbox() identity.Identifier {
	var found identity.Identifier
	for _, h := range f.Holdings {
		if h.Identifier.Kind == identity.Email && h.Verified() && (found.None() || h.Primary) {
			found = h.Identifier
		}
	}
	return found
}

// move is something that can happen to an attempt.
type move string

const (
	identify    move = "identify"
	prepare     move = "prepare"
	prove       move = "prove"
	forgot      move = "forgot"
	submit      move = "submit"
	setPassword move = "set_password"
	cancel      move = "cancel"
)

// moves says at which steps a move is open; elsewhere it changes nothing.
var moves = map[move][]Step{
	identify:    {NeedsIdentifier, NeedsFirstFactor},
	prepare:     {NeedsFirstFactor, NeedsSecondFactor, NeedsEmailVerification},
	prove:       {NeedsFirstFactor, NeedsSecondFactor, NeedsEmailVerification},
	forgot:      {NeedsFirstFactor},
	submit:      {MissingRequirements},
	setPassword: {NeedsNewPassword},
	cancel: {NeedsHuman, NeedsIdentifier, NeedsFirstFactor, NeedsSecondFactor, NeedsEnrollment,
		NeedsEmailVerification, MissingRequirements, NeedsNewPassword},
}

// open reports whether the move may be made on this attempt at that step. Within a session
// the person is fixed: nobody else can be named, and a lost password is for signing in.
func (m move) open(at Step, a Attempt, p Policy) bool {
	if m == identify && a.Goal == StepUp {
		return false
	}
	if m == forgot && (a.Goal != SignIn || !p.Password) {
		return false
	}
	return slices.Contains(moves[m], at)
}
