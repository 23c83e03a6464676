package prover

import (
	"encoding/json"
	"slices"
	"strings"

	"idp/federation"
	"idp/identity"
	"idp/login"
)

// This file is about people who come by an account elsewhere: acme, where anybody may have one,
// and corp, which is the only way in for people of corp.test.

const (
	acme = identity.Method("oauth_acme")
	corp = identity.Method("oauth_corp")

	corpDomain = "@corp.test"
)

// connections are those that a walk knows. trusted says that acme's word about a second step is taken.
func connections(trusted bool) []federation.Connection {
	return []federation.Connection{
		{Name: "acme", Type: federation.OIDC, Trust: federation.Trust{MFA: trusted}},
		{Name: "corp", Type: federation.OIDC, Hidden: true, Domains: []string{"corp.test"}, Enforce: true},
	}
}

// believed is a provider's word that federation judged to be good: as it is kept, because nobody
// else makes one.
var believed = func() (x federation.Assertion) {
	if err := json.Unmarshal([]byte(`{"verdict":{"verified":true}}`), &x); err != nil {
		panic("prover: " + err.Error())
	}
	return x
}()

// Abroad are the policies of some settings with these connections.
func Abroad(s login.Settings) (all []login.Policy) {
	for _, trusted := range []bool{false, true} {
		for _, p := range Policies(s) {
			if p.Human && (trusted || p.Need.Categories != identity.None) {
				continue // a check changes nothing about these
			}
			p.Connections = connections(trusted)
			all = append(all, p)
		}
	}
	return all
}

// AllAbroad are Abroad of every sort of settings that matters to who comes from elsewhere.
func AllAbroad() (all []login.Policy) {
	for _, s := range []login.Settings{
		{Password: true}, {EmailCode: true}, {Password: true, EmailCode: true, TOTP: true, TrustDays: 30},
		{Password: true, EmailCode: true, Passkeys: true}, {Password: true, TOTP: true, Passkeys: true, SecurityKeys: true, BackupCodes: true},
	} {
		for _, twoStep := range []login.TwoStep{login.Optional, login.Required} {
			s.SignUp, s.TwoStep = login.Open, twoStep
			all = append(all, Abroad(s)...)
		}
	}
	return all
}

// trusts reports whether a connection's word about a second step is taken.
func trusts(p login.Policy, m identity.Method) bool {
	return slices.ContainsFunc(p.Connections, func(c federation.Connection) bool { return identity.OAuthMethod(c.Name) == m && c.Trust.MFA })
}

// connected reports whether the connection of a method is there.
func connected(p login.Policy, m identity.Method) bool {
	return slices.ContainsFunc(p.Connections, func(c federation.Connection) bool { return identity.OAuthMethod(c.Name) == m })
}

func elsewhere(m identity.Method) bool { return m == acme || m == corp }

// guests are the people who walk where there are connections.
func guests() []person {
	of := func(name string, factors ...identity.Method) person { return person{name: name, factors: factors} }
	operator := of("operator@corp.test", identity.Password, identity.TOTP)
	operator.operator = true
	bare := of("bare@corp.test", identity.Password)
	bare.operator = true
	alias := of("pat", identity.Password, acme)
	alias.alias = "pat@corp.test"
	assigned := of("assigned", identity.Password)
	assigned.assigned = true
	return []person{
		{}, of("single", identity.Password), of("linked", acme), of("linkedapp", identity.Password, acme, identity.TOTP), assigned,
		of("app", identity.Password, identity.TOTP), of("ann@corp.test", identity.Password), of("bob@corp.test", corp, identity.TOTP),
		of("eve@corp.test", identity.Passkey, acme), operator, bare, alias,
	}
}

// detained reports whether the person may only come by corp: whoever is of its domain, but for
// operators with a second factor.
func (w *walk) detained(n *node, who person) bool {
	if !connected(w.policy, corp) || who.operator && who.twoStep(w.policy) {
		return false
	}
	return strings.HasSuffix(n.a.Identifier.Value, corpDomain) || !who.assigned && strings.HasSuffix(who.address().Value, corpDomain) || who.alias != ""
}

// judgeAbroad looks at what was taken from providers.
func (w *walk) judgeAbroad(n *node, who person, inside bool) {
	said := n.a.Upstream
	for _, p := range n.a.Proofs {
		if !elsewhere(p.Method) {
			continue
		}
		if p.Category == identity.Both && !trusts(w.policy, p.Method) {
			w.fault(n, "a provider's word about a second step was taken that nobody trusts")
		}
		if who.has(p.Method) && p.Credential == "factor_"+string(p.Method) {
			continue
		}
		answered := slices.ContainsFunc(n.a.Proofs, func(x identity.Proof) bool { return x.Credential == n.a.Identifier.Value })
		if said == nil || said.Account.Method != p.Method || !answered && (!said.Verdict.Verified || said.Email != n.a.Identifier) {
			w.fault(n, "a provider's word that nobody believes signed somebody in")
		}
	}
	if !inside {
		return
	}
	came := slices.ContainsFunc(n.a.Proofs, func(p identity.Proof) bool { return p.Method == corp })
	if w.detained(n, who) && !came {
		w.fault(n, "somebody came in round the provider of their domain")
	}
	if n.a.Goal == login.Connect && (said == nil || said.Account.Method != acme) {
		w.fault(n, "nothing was connected")
	}
}

// returns are the moves of going to a provider and coming back: linked or not, believed or not, with
// an address of this person's, of nobody's or without any, proven there in two steps or one.
func (w *walk) returns(n *node, add func(string, func(*node))) {
	if len(n.a.Proofs) >= mostProofs || len(w.policy.Connections) == 0 {
		return
	}
	one := w.world.cast[1]
	for _, m := range w.rules.Departures(n.a, w.facts(n), w.policy) {
		if slices.ContainsFunc(n.a.Proofs, func(p identity.Proof) bool { return p.Method == m }) {
			continue // once more brings nothing
		}
		for _, both := range []bool{false, true} {
			if both && !trusts(w.policy, m) {
				continue
			}
			x := federation.Assertion{Account: identity.ExternalAccount{Method: m, Issuer: "issuer", Subject: "subject"}, Both: both}
			steps := ""
			if both {
				steps = ", two steps"
			}
			if one.has(m) {
				add("return "+string(m)+", linked"+steps, func(to *node) { w.comes(to, n, x) })
			}
			if both {
				continue
			}
			for i, who := range []person{w.world.cast[0], one} {
				if i == 1 && (one.name == "" || one.has(m)) {
					continue
				}
				for _, verified := range []bool{false, true} {
					y := x
					if verified {
						y = believed
						y.Account = x.Account
					}
					y.Email = who.address()
					words := ", address of " + who.address().Value
					if verified {
						words += ", believed"
					}
					add("return "+string(m)+words, func(to *node) { w.arrives(to, n, i, y) })
				}
			}
			add("return "+string(m)+", no address", func(to *node) { w.arrives(to, n, 0, x) })
		}
	}
}

// connects reports whether all that is owed is the account to be connected.
func (w *walk) connects(n *node) bool {
	came := slices.ContainsFunc(n.a.Proofs, func(p identity.Proof) bool { return p.Method == corp })
	return n.a.Goal == login.Connect && n.step == login.NeedsConnection && (came || !w.detained(n, w.who(n)))
}

// comes is the return of somebody whose account is linked.
func (w *walk) comes(to, from *node, x federation.Assertion) {
	if w.connects(from) {
		return // it is connected already
	}
	one := w.world.cast[1]
	if to.a.UserID != one.id() {
		w.restart(to)
		to.a.Goal, to.is, to.a.UserID = login.SignIn, 1, one.id()
		if !one.assigned {
			to.a.Identifier = one.address()
		}
	}
	to.a.Proofs = append(to.a.Proofs, w.proofBy(x, "factor_"+string(x.Account.Method)))
}

// arrives is the return of somebody whose account is not linked; i is whose address it gives.
func (w *walk) arrives(to, from *node, i int, x federation.Assertion) {
	if w.connects(from) {
		to.a.Upstream = &x
		return
	}
	if within(to.a.Goal) {
		if to.a.Goal != login.Connect && x.Verdict.Verified && i == 1 && x.Account.Method == corp && w.detained(from, w.who(from)) {
			to.a.Upstream = &x
			to.a.Proofs = append(to.a.Proofs, w.proofBy(x, x.Account.Credential()))
		}
		return // it is nobody's
	}
	w.restart(to)
	to.a.Goal, to.a.Upstream, to.a.Identifier, to.is, to.held = login.SignUp, &x, x.Email, i, i == 1
	if to.a.Confirmed = x.Verdict.Verified && !x.Email.None(); !to.a.Confirmed {
		return
	}
	w.meets(to)
	to.a.Proofs = append(to.a.Proofs, w.proofBy(x, x.Account.Credential()))
}

// meets lets the holder of the address of a sign-up come in as themselves.
func (w *walk) meets(n *node) {
	if !n.held {
		return
	}
	n.a.UserID, n.a.Draft = w.who(n).id(), login.Draft{}
	if n.a.Upstream != nil {
		n.a.Goal = login.SignIn
	}
}

func (w *walk) proofBy(x federation.Assertion, credential string) identity.Proof {
	p := identity.Proof{Method: x.Account.Method, Category: w.rules.Category(x.Account.Method), Credential: credential, At: now}
	if x.Both {
		p.Category = identity.Both
	}
	return p
}

func (w *walk) restart(n *node) {
	a := n.a
	n.held, n.is = false, 0
	n.a = login.Attempt{Goal: a.Goal, Human: a.Human}
}
