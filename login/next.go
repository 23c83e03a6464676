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
		if detained(a, f, p) {
			return NeedsConnection
		}
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
	case detained(a, f, p):
		return NeedsConnection
	case f.assigned(a):
		return NeedsEmailVerification
	}
	if owed(a, f, p) != identity.None {
		if len(seconds(a, f, p)) > 0 {
			return NeedsSecondFactor
		}
		return NeedsEnrollment
	}
	if p.Need.Resistant && identity.ACR(a.Proofs) != identity.PHR {
		// Only now: whoever has a second factor shows it before there is another.
		if p.Passkeys && f.has(identity.Passkey) {
			return NeedsSecondFactor
		}
		return NeedsEnrollment
	}
	if (resetProven(a) || a.Breached != "") && a.Draft.PasswordHash.Empty() {
		return NeedsNewPassword
	}
	switch {
	case a.Goal == Enroll && (a.Draft.Factor == nil || !a.Draft.Factor.Confirmed):
		return NeedsEnrollment
	case a.Goal == Extend && !a.Confirmed && a.Draft.Address.Kind == identity.Phone:
		return NeedsPhoneVerification
	case a.Goal == Extend && !a.Confirmed:
		return NeedsEmailVerification
	case a.Goal == Connect && (a.Upstream == nil || a.Upstream.Connection() != a.Draft.Connection):
		return NeedsConnection
	}
	return Ready
}

// owed returns the categories that must still be shown.
func owed(a Attempt, f Facts, p Policy) identity.Category {
	return required(a, f, p) &^ identity.Covered(shown(a, f, p))
}

// shown are the proofs that count. What was set up in this very attempt counts only for
// somebody who had no second factor: whoever has one, perhaps since a moment ago and in
// another window, shows that.
func shown(a Attempt, f Facts, p Policy) []identity.Proof {
	d := a.Draft.Factor
	if d == nil || !f.hasSecond(p) {
		return a.Proofs
	}
	return slices.DeleteFunc(slices.Clone(a.Proofs), func(x identity.Proof) bool {
		return x.Method == d.Method && x.Credential == d.shown()
	})
}

// required returns the categories that this attempt must show: both of them as soon as the
// person has a second factor or the policy wants everybody to, or whatever the waiting
// request demands. A trusted browser need not show the second one when it only signs in: not
// where more is demanded, not where the password changes or an account elsewhere is linked, and
// not where an operator goes round their domain's provider.
func required(a Attempt, f Facts, p Policy) identity.Category {
	trusted := f.Trusted && a.Goal == SignIn && !a.Reset && a.Breached == "" && a.Upstream == nil && len(bound(a, f, p)) == 0 && f.hasSecond(p)
	if p.Need.Resistant || !trusted && (f.hasSecond(p) || p.TwoStep == Required) {
		return identity.Both
	}
	return p.Need.Categories
}

// hasSecond reports whether the person has turned on two-step verification, by a method that
// the operator lets people use. Backup codes alone do not count: they stand in for a factor
// that is lost.
func (f Facts) hasSecond(p Policy) bool {
	return slices.ContainsFunc(f.Factors, func(x identity.Factor) bool { return x.Method != identity.BackupCode && f.counts(x, p) })
}

// counts reports whether a factor can be the second step: what counts is offered, and what is
// not offered does not count. A number that is not the person's any more is neither.
func (f Facts) counts(x identity.Factor, p Policy) bool {
	if x.Method == identity.PhoneCode && !f.holds(x.Secret.Reveal()) {
		return false
	}
	return x.Method.Category()&identity.Possession != 0 && p.allows(x.Method)
}

// assigned reports whether the person was named by an address that an operator put on
// file and that has not answered yet, neither before nor in this attempt.
func (f Facts) assigned(a Attempt) bool {
	return slices.ContainsFunc(f.Holdings, func(h identity.Holding) bool {
		return h.Identifier == a.Identifier && !h.Verified() && confirmedBy(a) == ""
	})
}

// resetProven reports whether this attempt came in by "forgot password". A proof that it carries
// from the session it is within had its new password then.
func resetProven(a Attempt) bool {
	return slices.ContainsFunc(a.Proofs, func(p identity.Proof) bool {
		return p.Method == identity.ResetCode && !p.At.Before(a.CreatedAt)
	})
}

// missing names the sign-up fields that are still owed.
func missing(a Attempt, p Policy) []string {
	var fields []string
	if a.Identifier.None() {
		fields = append(fields, "email")
	}
	if p.Password && a.Draft.PasswordHash.Empty() && a.Upstream == nil { // who comes from a provider goes in by it
		fields = append(fields, "password")
	}
	return fields
}

// move is something that can happen to an attempt.
type move string

const (
	passHuman   move = "pass_human"
	identify    move = "identify"
	prepare     move = "prepare"
	prove       move = "prove"
	forgot      move = "forgot"
	submit      move = "submit"
	setPassword move = "set_password"
	enroll      move = "enroll"  // choose a factor and get what it takes to set it up
	confirm     move = "confirm" // show that it works
	depart      move = "depart"  // go to a provider
	arrive      move = "arrive"  // come back from it
	cancel      move = "cancel"
)

// moves says at which steps a move is open; elsewhere it changes nothing.
var moves = map[move][]Step{
	passHuman:   {NeedsHuman},
	identify:    {NeedsHuman, NeedsIdentifier, NeedsFirstFactor},
	prepare:     {NeedsHuman, NeedsIdentifier, NeedsFirstFactor, NeedsSecondFactor, NeedsEmailVerification, NeedsPhoneVerification},
	prove:       {NeedsHuman, NeedsIdentifier, NeedsFirstFactor, NeedsSecondFactor, NeedsEmailVerification, NeedsPhoneVerification},
	forgot:      {NeedsFirstFactor},
	submit:      {NeedsHuman, MissingRequirements, NeedsEmailVerification, NeedsConnection},
	setPassword: {NeedsNewPassword},
	enroll:      {NeedsEnrollment},
	confirm:     {NeedsEnrollment},
	depart:      {NeedsHuman, NeedsIdentifier, NeedsFirstFactor, MissingRequirements, NeedsConnection},
	arrive:      {NeedsHuman, NeedsIdentifier, NeedsFirstFactor, MissingRequirements, NeedsConnection},
	cancel: {NeedsHuman, NeedsIdentifier, NeedsFirstFactor, NeedsSecondFactor, NeedsEnrollment,
		NeedsEmailVerification, NeedsPhoneVerification, MissingRequirements, NeedsConnection, NeedsNewPassword},
}

// MayMove reports whether the named move is open at that step; the prover walks along it.
func MayMove(name string, at Step, a Attempt, p Policy) bool { return move(name).open(at, a, p) }

// open reports whether the move may be made on this attempt at that step. Within a session
// the person is fixed: nobody else can be named, and a lost password is for signing in.
func (m move) open(at Step, a Attempt, p Policy) bool {
	if m == identify && a.Goal.within() {
		return false
	}
	// Before a bot check, whoever signs up fills in and whoever signs in is named, as after it.
	if at == NeedsHuman && (m == identify && a.Goal == SignUp || m == submit && a.Goal != SignUp) {
		return false
	}
	if _, enforced := p.enforces(a.Identifier); m == forgot && (a.Goal != SignIn || !p.Password || enforced) {
		return false
	}
	// Who comes from a provider may give another address than it did, if it is not to be believed;
	// and who typed one whose domain has a provider may have mistyped it.
	if newcomer := a.Goal == SignUp && a.UserID == "" && a.Draft.Invitation == ""; m == submit && (at == NeedsConnection && !newcomer || at == NeedsEmailVerification && (!newcomer || a.Upstream == nil)) {
		return false
	}
	return slices.Contains(moves[m], at)
}
