package prover

import (
	"slices"
	"time"

	"idp/identity"
	"idp/login"
)

// The oracle's own tables, copied from the decisions and not from the code.

// Knows and Has are the two kinds of proof.
const (
	Knows = 1
	Has   = 2
)

// Proves says what each method proves. A mailbox sits behind a password, hence it is knowledge.
func Proves(m identity.Method) int { return proves[m] }

var proves = map[identity.Method]int{
	identity.Password:    Knows,
	identity.EmailCode:   Knows,
	identity.EmailLink:   Knows,
	identity.ResetCode:   Knows,
	identity.TOTP:        Has,
	identity.SecurityKey: Has,
	identity.PhoneCode:   Has,
	identity.BackupCode:  Has,
	identity.Passkey:     Knows | Has,
	acme:                 Knows,
	corp:                 Knows,
}

// shows says what one proof proves: of an account elsewhere more than its method only if the
// operator trusts the provider about that.
func (w *walk) shows(p identity.Proof) int {
	if elsewhere(p.Method) && p.Category == identity.Both && trusts(w.policy, p.Method) {
		return Knows | Has
	}
	return proves[p.Method]
}

// begins are the methods that can be the first proof.
var begins = map[identity.Method]bool{
	identity.Password: true, identity.EmailCode: true, identity.EmailLink: true, identity.ResetCode: true, identity.Passkey: true,
	acme: true, corp: true,
}

// turnsOn are the methods that make somebody a person with two-step verification.
var turnsOn = []identity.Method{identity.TOTP, identity.SecurityKey, identity.PhoneCode, identity.Passkey}

// on reports whether the operator lets people use the method.
func on(p login.Policy, m identity.Method) bool {
	switch m {
	case identity.Password, identity.ResetCode:
		return p.Password
	case identity.EmailCode, identity.EmailLink:
		return mails(p)
	case identity.TOTP:
		return p.TOTP
	case identity.SecurityKey:
		return p.SecurityKeys
	case identity.PhoneCode:
		return p.SMS
	case identity.BackupCode:
		return p.BackupCodes
	case identity.Passkey:
		return p.Passkeys
	case acme, corp:
		return connected(p, m)
	}
	return false
}

func mails(p login.Policy) bool { return p.EmailCode || p.EmailLink }

// twoStep reports whether the person has two-step verification under that policy.
func (w person) twoStep(p login.Policy) bool {
	for _, m := range turnsOn {
		if w.has(m) && on(p, m) && (m != identity.PhoneCode || !w.numberGone) {
			return true
		}
	}
	return false
}

// demanded returns what a session of that walk has to prove at least.
func (w *walk) demanded(n *node, who person) int {
	demand := int(w.policy.Need.Categories)
	if w.policy.Need.Resistant {
		return Knows | Has
	}
	spared := w.start.trusted && n.a.Goal == login.SignIn && n.a.Upstream == nil && !n.reset() && n.a.Breached == "" && who.twoStep(w.policy)
	if !spared && (who.twoStep(w.policy) || w.policy.TwoStep == login.Required) {
		return Knows | Has
	}
	return demand
}

const recent = 10 * time.Minute

// evidence is what the proofs of a state come to.
type evidence struct {
	all, shown, fresh int // of all, of those by what was on file before, and of these the recent ones
	passkey, mailed   bool
}

func (w *walk) evidenceOf(a login.Attempt) evidence {
	var e evidence
	for _, p := range a.Proofs {
		is := w.shows(p)
		e.all |= is
		e.passkey = e.passkey || p.Method == identity.Passkey
		if p.Credential == drafted {
			continue
		}
		e.shown |= is
		if now.Sub(p.At) <= recent {
			e.fresh |= is
		}
		believed := a.Upstream != nil && a.Upstream.Verdict.Verified && p.Method == a.Upstream.Account.Method
		e.mailed = e.mailed || is == Knows && p.Method != identity.Password && !elsewhere(p.Method) || believed
	}
	return e
}

// judge says what must hold at a step, whatever led there.
func (w *walk) judge(n *node, step login.Step) {
	who, e := w.who(n), w.evidenceOf(n.a)
	w.judgeProofs(n, who)
	newcomer := n.a.Goal == login.SignUp && n.a.UserID == ""
	inside := step == login.Ready || step == login.Complete
	w.judgeAbroad(n, who, inside)
	if n.a.Proofs != nil && n.a.UserID == "" && !newcomer {
		w.fault(n, "a stranger has proofs")
	}
	if step == login.NeedsEnrollment {
		if e.shown == 0 {
			w.fault(n, "a factor can be set up before anything was proven")
		}
		if who.twoStep(w.policy) && !newcomer && e.shown != Knows|Has && !w.spared(n, who) {
			w.fault(n, "a factor can be set up before the one on file was shown")
		}
	}
	asks := n.a.Goal == login.Extend && (step == login.NeedsEmailVerification || step == login.NeedsPhoneVerification)
	if !inside && !asks && step != login.NeedsNewPassword {
		return
	}
	if e.shown == 0 {
		w.fault(n, "nothing was proven")
	}
	demand := w.demanded(n, who)
	if demand == Knows|Has && who.twoStep(w.policy) && !newcomer && e.shown != Knows|Has {
		w.fault(n, "two-step verification was passed over")
	}
	if e.all&demand != demand {
		w.fault(n, "less than the policy demands was proven")
	}
	if w.policy.Need.Resistant && !e.passkey {
		w.fault(n, "a passkey was demanded and none was shown")
	}
	if w.policy.Human && !n.a.Human {
		w.fault(n, "the bot check was passed over")
	}
	if !newcomer && n.a.UserID == "" {
		w.fault(n, "a stranger is inside")
	}
	if within(n.a.Goal) && (e.fresh == 0 || who.twoStep(w.policy) && e.fresh != Knows|Has) {
		w.fault(n, "an old proof was good enough for a sensitive act")
	}
	if who.assigned && !e.mailed && n.a.Identifier == who.address() {
		w.fault(n, "an address that never answered signed somebody in")
	}
	if inside {
		w.judgeEnd(n, who, newcomer)
	}
}

// spared reports whether a trusted browser may have skipped the second factor, as far as this went.
func (w *walk) spared(n *node, who person) bool { return w.demanded(n, who) != Knows|Has }

// judgeProofs looks at what was taken as proof.
func (w *walk) judgeProofs(n *node, who person) {
	covered, first := 0, true
	for _, p := range n.a.Proofs {
		is := w.shows(p)
		if p.Credential == drafted {
			if !on(w.policy, p.Method) {
				w.fault(n, "a method that is switched off was set up")
			}
			continue
		}
		if p.At.Equal(now) { // in this attempt
			mail := begins[p.Method] && is == Knows && p.Method != identity.Password && !elsewhere(p.Method)
			confirms := mail && (w.start.goal == login.SignUp || who.assigned || n.a.Upstream != nil)
			owed := p.Method == corp || w.policy.Need.Resistant && p.Method == identity.Passkey || w.policy.Human && slices.ContainsFunc(n.a.Proofs, func(x identity.Proof) bool { return elsewhere(x.Method) }) // whatever was shown before
			switch {
			case first && covered == 0 && !begins[p.Method]:
				w.fault(n, "a second factor came first")
			case !on(w.policy, p.Method) && !confirms:
				w.fault(n, "a method that is switched off proved something")
			case covered&is == is && !confirms && !owed:
				w.fault(n, "a proof brought nothing new")
			}
		}
		if p.Method == identity.BackupCode && !who.twoStep(w.policy) {
			w.fault(n, "a backup code stood for a factor that is not there")
		}
		covered |= is
		first = false
	}
}

// judgeEnd is about what an attempt leaves behind.
func (w *walk) judgeEnd(n *node, who person, newcomer bool) {
	d := n.a.Draft
	switch {
	case n.reset() && d.PasswordHash.Empty():
		w.fault(n, "a reset ended without a new password")
	case n.a.Breached != "" && d.PasswordHash.Empty():
		w.fault(n, "a breached password was kept")
	case newcomer && (!n.a.Confirmed || n.held || n.a.Identifier.None() || w.policy.Password && d.PasswordHash.Empty() && n.a.Upstream == nil):
		w.fault(n, "a sign-up ended unfinished")
	case w.start.goal == login.Enroll && (d.Factor == nil || !d.Factor.Confirmed):
		w.fault(n, "nothing was set up")
	case w.start.goal == login.Extend && !n.a.Confirmed:
		w.fault(n, "an address came on file that did not answer")
	case d.Factor != nil && d.Factor.Confirmed && proves[d.Factor.Method]&Has == 0:
		w.fault(n, "something was set up that is no second factor")
	}
	if said, is := w.rules.ACR(n.a.Proofs), acr(w.evidenceOf(n.a)); said != is {
		w.fault(n, "apps are told "+said+" of a session that is "+is)
	}
}

// acr is what a session may be called.
func acr(e evidence) string {
	switch {
	case e.passkey:
		return "phr"
	case e.all == Knows|Has:
		return "aal2"
	}
	return "aal1"
}

func within(g login.Goal) bool {
	return g == login.StepUp || g == login.Enroll || g == login.Extend || g == login.Connect
}
