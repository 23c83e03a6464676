package login

import (
	"slices"

	"idp/identity"
)

// This file says which methods may be used at a step, by whom, in which order.

// Offered returns the methods that may be used now, best first: to prove something, or at
// needs_enrollment to set up.
func Offered(a Attempt, f Facts, p Policy) []identity.Method { return usable(a, f, p) }

// usable returns the methods that may prove something at this step, best first.
func usable(a Attempt, f Facts, p Policy) []identity.Method {
	switch Next(a, f, p) {
	case NeedsHuman:
		return instead(a, p)
	case NeedsIdentifier:
		var methods []identity.Method
		if p.Passkeys {
			methods = append(methods, identity.Passkey) // a discoverable one names its person
		}
		return append(methods, p.federated(false)...)
	case NeedsFirstFactor:
		return firsts(a, f, p)
	case NeedsSecondFactor:
		return seconds(a, f, p)
	case NeedsEnrollment:
		return enrollable(a, f, p)
	case NeedsEmailVerification:
		return []identity.Method{mailed(p)}
	case NeedsPhoneVerification:
		return []identity.Method{identity.PhoneCode}
	case MissingRequirements:
		if a.Upstream == nil {
			return p.foremost(a.Identifier, p.federated(false))
		}
		return nil
	case NeedsConnection:
		if detained(a, f, p) {
			return methodsBy(bound(a, f, p))
		}
		return slices.DeleteFunc(p.federated(true), func(m identity.Method) bool { return m.Connection() != a.Draft.Connection })
	default:
		return nil
	}
}

// Accepted are the methods by which something can be proven now: those that are offered, and an
// operator's way round the provider of their domain.
func Accepted(a Attempt, f Facts, p Policy) []identity.Method {
	methods := usable(a, f, p)
	if breaksGlass(a, f, p) {
		methods = append(methods, identity.Password)
	}
	return methods
}

// Departures are the connections by which the browser may leave now, by their methods: also
// those without a button, which a hint or an address leads to.
func Departures(a Attempt, f Facts, p Policy) []identity.Method {
	step := Next(a, f, p)
	switch {
	case step == NeedsConnection, a.Goal.within() && step == NeedsFirstFactor:
		return slices.DeleteFunc(usable(a, f, p), func(m identity.Method) bool { return !m.Federated() })
	case a.Goal.within(), a.Reset, step == MissingRequirements && a.Upstream != nil, !depart.open(step, a, p):
		return nil
	}
	if c, ok := p.enforces(a.Identifier); ok {
		return []identity.Method{c.Method()}
	}
	return p.federated(true)
}

// instead is the mailed code that stands in for a bot check, once there is an address to mail
// it to. After "forgot password" it is the message that the reset sends anyway.
func instead(a Attempt, p Policy) []identity.Method {
	switch {
	case a.Identifier.None() || a.Goal.within():
		return nil
	case a.Reset:
		return []identity.Method{identity.ResetCode}
	}
	return []identity.Method{mailed(p)}
}

// firsts never depends on who was named, so that it tells nobody who exists: at most on the
// domain of the address. Only within a session, where the person is known already, it looks at
// what they have.
func firsts(a Attempt, f Facts, p Policy) []identity.Method {
	known := a.Goal.within()
	if c, ok := p.enforces(a.Identifier); ok && !known {
		return []identity.Method{c.Method()}
	}
	if known && detained(a, f, p) {
		return methodsBy(bound(a, f, p))
	}
	var methods []identity.Method
	if a.Reset {
		methods = append(methods, identity.ResetCode)
	}
	if p.Password && (!known || f.has(identity.Password)) {
		methods = append(methods, identity.Password)
	}
	if p.Passkeys && !a.Reset && (!known || f.has(identity.Passkey)) {
		methods = append(methods, identity.Passkey)
	}
	if p.byMail() && (!known || !f.mailbox().None()) {
		methods = append(methods, mailed(p))
	}
	if a.Reset {
		return methods
	}
	for _, m := range p.federated(known) {
		if !known || f.has(m) {
			methods = append(methods, m)
		}
	}
	if known {
		return methods
	}
	return p.foremost(a.Identifier, methods)
}

// seconds are the methods on file that cover what is owed, the last used first and backup
// codes last. A mailed reset is never among them: it would let one inbox stand for two factors.
func seconds(a Attempt, f Facts, p Policy) []identity.Method {
	open := owed(a, f, p)
	if p.Need.Resistant && p.Passkeys && f.has(identity.Passkey) {
		return []identity.Method{identity.Passkey} // whatever else is shown, this is owed too
	}
	factors := slices.Clone(f.Factors)
	slices.SortStableFunc(factors, func(x, y identity.Factor) int { return y.LastUsedAt.Compare(x.LastUsedAt) })
	var methods []identity.Method
	backup := false
	for _, x := range factors {
		switch {
		case x.Method.Category()&open == 0, !f.counts(x, p), x.Spent(), slices.Contains(methods, x.Method):
		case x.Method == identity.BackupCode:
			backup = f.hasSecond(p)
		default:
			methods = append(methods, x.Method)
		}
	}
	if mail := mailed(p); p.byMail() && mail.Category()&open != 0 && !f.mailbox().None() {
		methods = append(methods, mail)
	}
	if backup {
		methods = append(methods, identity.BackupCode)
	}
	return methods
}

// Seconds are the methods that turn two-step verification on, best first. Backup codes are not
// among them: they stand in for one of these.
func Seconds() []identity.Method {
	return []identity.Method{identity.Passkey, identity.TOTP, identity.SecurityKey, identity.PhoneCode}
}

// Seconds are those of them that the operator lets people use.
func (s Settings) Seconds() []identity.Method {
	return slices.DeleteFunc(Seconds(), func(m identity.Method) bool { return !s.allows(m) })
}

// enrollable are the second factors that this person may set up under the policy, best first.
func enrollable(a Attempt, f Facts, p Policy) []identity.Method {
	var methods []identity.Method
	for _, m := range Seconds() {
		switch {
		case !p.allows(m):
		case p.Need.Resistant && m != identity.Passkey:
		case m == identity.TOTP && f.has(m) && a.Goal != Enroll: // there is one app; who changes phones replaces it
		default:
			methods = append(methods, m)
		}
	}
	return methods
}

// allows reports whether the operator lets people use the method.
func (p Policy) allows(m identity.Method) bool {
	if m.Federated() {
		_, open := p.connection(m)
		return open
	}
	return p.Settings.allows(m)
}

// allows is the same of our own methods.
func (s Settings) allows(m identity.Method) bool {
	switch m {
	case identity.Password:
		return s.Password
	case identity.TOTP:
		return s.TOTP
	case identity.BackupCode:
		return s.BackupCodes
	case identity.SecurityKey:
		return s.SecurityKeys
	case identity.Passkey:
		return s.Passkeys
	case identity.PhoneCode:
		return s.SMS
	case identity.EmailCode:
		return s.EmailCode
	case identity.EmailLink:
		return s.EmailLink
	case identity.ResetCode:
		return s.Password // it stands in for one
	}
	return false
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

// phone is the number that the person turned on for codes, none if there is none or the
// number is not theirs any more.
func (f Facts) phone() identity.Identifier {
	_, number := f.phoneFactor()
	return number
}

// phoneFactor is the factor of that number, and the number.
func (f Facts) phoneFactor() (identity.Factor, identity.Identifier) {
	for _, x := range f.Factors {
		if x.Method == identity.PhoneCode && f.holds(x.Secret.Reveal()) {
			return x, identity.Identifier{Kind: identity.Phone, Value: x.Secret.Reveal()}
		}
	}
	return identity.Factor{}, identity.Identifier{}
}

// holds reports whether the person proved that the number is theirs, and it still is.
func (f Facts) holds(number string) bool {
	return slices.ContainsFunc(f.Holdings, func(h identity.Holding) bool {
		return h.Identifier == identity.Identifier{Kind: identity.Phone, Value: number} && h.Verified()
	})
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
