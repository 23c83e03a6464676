package login_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
)

// This file is a small model of the world around Next: persons, policies, and what the
// moves do to an attempt. It walks every state breadth first and judges each with an
// oracle of its own. The oracle must not read the product's table of categories: one that
// does cannot notice when that table is wrong.

const (
	knows = 1
	has   = 2
)

// oracle says what each method proves, copied from the decision, not from the code.
var oracle = map[identity.Method]int{
	identity.Password:    knows,
	identity.EmailCode:   knows,
	identity.EmailLink:   knows,
	identity.ResetCode:   knows,
	identity.TOTP:        has,
	identity.SecurityKey: has,
	identity.PhoneCode:   has,
	identity.BackupCode:  has,
	identity.Passkey:     knows | has,
}

// somebody is a person of the model, by what they have on file. Everybody has an address
// that is verified, except a stranger, who has nothing.
type somebody struct {
	name    string
	factors []identity.Method
}

func (s somebody) facts() login.Facts {
	if s.name == "stranger" {
		return login.Facts{}
	}
	id := identity.UserID("user_" + s.name)
	f := login.Facts{
		Known: true, User: identity.User{ID: id, Status: identity.Active},
		Holdings: []identity.Holding{
			{ID: "h", UserID: id, Identifier: s.address(), Primary: true, VerifiedAt: time.Unix(1, 0)},
			{ID: "n", UserID: id, Identifier: identity.Identifier{Kind: identity.Phone, Value: "+442079460018"}, VerifiedAt: time.Unix(1, 0)},
		},
	}
	for _, m := range s.factors {
		f.Factors = append(f.Factors, identity.Factor{ID: identity.FactorID("f_" + m), UserID: id, Method: m, Secret: secret.NewString("+442079460018")})
	}
	return f
}

func (s somebody) address() identity.Identifier {
	return identity.Identifier{Kind: identity.Email, Value: s.name + "@example.com"}
}

// twoStep reports whether the person turned on two-step verification, by the oracle.
func (s somebody) twoStep() bool {
	return slices.ContainsFunc(s.factors, func(m identity.Method) bool { return m != identity.BackupCode && oracle[m]&has != 0 })
}

var people = []somebody{
	{"stranger", nil},
	{"plain", []identity.Method{identity.Password}},
	{"mailonly", nil},
	{"app", []identity.Method{identity.Password, identity.TOTP}},
	{"mailapp", []identity.Method{identity.TOTP}},
	{"phone", []identity.Method{identity.Password, identity.PhoneCode}},
	{"keys", []identity.Method{identity.Password, identity.SecurityKey, identity.BackupCode}},
	{"lonebackup", []identity.Method{identity.Password, identity.BackupCode}},
	{"passkey", []identity.Method{identity.Passkey}},
	{"both", []identity.Method{identity.Password, identity.Passkey}},
}

func policies() []login.Policy {
	var all []login.Policy
	for _, password := range []bool{true, false} {
		for _, code := range []bool{true, false} {
			for _, link := range []bool{true, false} {
				for _, need := range []identity.Category{identity.None, identity.Knowledge, identity.Possession, identity.Both} {
					for _, human := range []bool{false, true} {
						if !password && !code && !link {
							continue // an instance where nobody can sign in is refused elsewhere
						}
						all = append(all, login.Policy{
							Settings: login.Settings{SignUp: login.Open, Password: password, EmailCode: code, EmailLink: link, TOTP: true, BackupCodes: true, SecurityKeys: true, Passkeys: true, SMS: true},
							Need:     session.Need{Categories: need}, Human: human,
						})
					}
				}
			}
		}
	}
	return all
}

// rules is what a walk uses of the product; a test swaps one for a broken one.
type rules struct {
	next     func(login.Attempt, login.Facts, login.Policy) login.Step
	category func(identity.Method) identity.Category
}

func product() rules { return rules{next: login.Next, category: identity.Method.Category} }

// node is a state of one walk.
type node struct {
	a    login.Attempt
	who  somebody // whose facts hold
	held bool
}

func (n node) facts() login.Facts {
	f := n.who.facts()
	if n.a.UserID == "" {
		f = login.Facts{}
	}
	f.Held = n.held
	return f
}

func (n node) key() string {
	var b strings.Builder
	fmt.Fprint(&b, n.a.Goal, n.a.Identifier, n.a.UserID, n.a.Human, n.a.Confirmed, n.a.Reset, n.a.Breached, n.a.Draft.PasswordHash.Empty(),
		n.a.SessionID, n.a.AbandonedAt.IsZero(), n.who.name, n.held)
	for _, p := range n.a.Proofs {
		fmt.Fprint(&b, p.Method, p.Category)
	}
	return b.String()
}

// edge is one move from a state.
type edge struct {
	event string
	to    node
}

var hash = secret.NewString("hashed")

// edges are all moves that are open at a state: those of the engine, and the evidence
// that later methods will bring.
func (w *walk) edges(n node) []edge {
	step := w.rules.next(n.a, n.facts(), w.policy)
	open := func(m string) bool { return login.MayMove(m, step, n.a, w.policy) }
	var out []edge
	add := func(event string, change func(*node)) {
		to := n
		to.a.Proofs = slices.Clone(n.a.Proofs)
		change(&to)
		out = append(out, edge{event, to})
	}
	if step == login.NeedsHuman {
		add("pass_human", func(n *node) { n.a.Human = true })
	}
	if open("identify") {
		for _, who := range w.cast {
			add("identify", func(n *node) {
				if !n.a.Identifier.None() && n.a.Identifier != who.address() {
					n.a.Human = false // one check is for one name
				}
				n.a.Identifier, n.a.UserID, n.who, n.a.Reset = who.address(), who.facts().User.ID, who, false
			})
		}
	}
	if open("forgot") {
		add("forgot", func(n *node) { n.a.Reset = true })
	}
	if open("submit") {
		for _, who := range w.cast {
			if n.a.Confirmed && n.a.Identifier != who.address() {
				continue // what answered cannot be exchanged for what did not
			}
			add("submit", func(n *node) {
				n.a.Identifier, n.who, n.held = who.address(), who, who.facts().Known
				if w.policy.Password && step != login.NeedsHuman {
					n.a.Draft.PasswordHash = hash
				}
			})
		}
	}
	if open("set_password") {
		add("set_password", func(n *node) { n.a.Draft.PasswordHash = hash })
	}
	if open("prove") {
		for _, m := range w.provable(n, step) {
			add("prove "+string(m), func(n *node) { w.prove(n, m) })
			if m == identity.Password {
				add("prove breached password", func(n *node) {
					w.prove(n, m)
					n.a.Breached = "digest"
				})
			}
		}
	}
	if step == login.NeedsIdentifier {
		for _, who := range w.cast {
			if slices.Contains(who.factors, identity.Passkey) { // a discoverable one names its person
				add("prove passkey", func(n *node) {
					n.who, n.a.UserID = who, who.facts().User.ID
					w.prove(n, identity.Passkey)
				})
			}
		}
	}
	if open("cancel") {
		add("cancel", func(n *node) { n.a.AbandonedAt = time.Unix(1, 0) })
	}
	if step == login.Ready {
		add("settle", func(n *node) { n.a.SessionID = "session" })
	}
	return out
}

// mostProofs ends walks under broken rules, where a proof may bring nothing for ever.
const mostProofs = 3

// provable are the methods that somebody could answer rightly here. Only who is on file
// can: to a stranger nothing was sent.
func (w *walk) provable(n node, step login.Step) []identity.Method {
	var methods []identity.Method
	for _, o := range login.Options(n.a, n.facts(), w.policy) {
		methods = append(methods, o.Method)
	}
	newcomer := n.a.Goal == login.SignUp && (step == login.NeedsEmailVerification || step == login.NeedsHuman)
	if n.a.UserID == "" && !newcomer || w.silent(n) || len(n.a.Proofs) == mostProofs {
		return nil
	}
	if step == login.NeedsFirstFactor {
		if !slices.Contains(n.who.factors, identity.Password) {
			methods = slices.DeleteFunc(methods, func(m identity.Method) bool { return m == identity.Password })
		}
		for _, m := range []identity.Method{identity.Passkey, identity.PhoneCode} { // as first factors to come
			if slices.Contains(n.who.factors, m) {
				methods = append(methods, m)
			}
		}
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}

func (w *walk) prove(n *node, m identity.Method) {
	if w.rules.next(n.a, n.facts(), w.policy) == login.NeedsHuman {
		n.a.Human = true
		if n.a.Goal == login.SignIn && m != identity.ResetCode && !w.policy.EmailCode && !w.policy.EmailLink {
			return // the code stood in for the check and is no factor here
		}
	}
	if n.a.Goal == login.SignUp && n.a.UserID == "" {
		n.a.Confirmed = true
		if n.held {
			n.a.UserID, n.a.Draft = n.who.facts().User.ID, login.Draft{}
		}
	}
	n.a.Proofs = append(n.a.Proofs, identity.Proof{Method: m, Category: w.rules.category(m)})
}

// walk visits every state that a policy and a cast of persons allow.
type walk struct {
	rules     rules
	policy    login.Policy
	cast      []somebody
	violation func(n node, why string)
	arrow     func(from login.Step, event string, to login.Step)

	states, completions int
}

func (w *walk) run(start node) {
	seen := map[string]node{start.key(): start}
	back := map[string][]string{}
	queue := []node{start}
	var ends []string
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		step := w.rules.next(n.a, n.facts(), w.policy)
		w.judge(n, step)
		if step == login.Complete || step == login.NeedsEnrollment {
			ends = append(ends, n.key())
		}
		for _, e := range w.edges(n) {
			w.arrow(step, e.event, w.rules.next(e.to.a, e.to.facts(), w.policy))
			back[e.to.key()] = append(back[e.to.key()], n.key())
			if _, ok := seen[e.to.key()]; !ok {
				seen[e.to.key()] = e.to
				queue = append(queue, e.to)
			}
		}
	}
	w.states += len(seen)
	alive := map[string]bool{}
	for len(ends) > 0 {
		k := ends[0]
		ends = ends[1:]
		if !alive[k] {
			alive[k] = true
			ends = append(ends, back[k]...)
		}
	}
	for k, n := range seen {
		if !alive[k] && n.a.AbandonedAt.IsZero() && w.hopeful(n) {
			w.violation(n, "leads nowhere")
		}
	}
}

// silent reports a sign-up for a held address where no mailed code signs in: then the
// owner is told, and no answer is right.
func (w *walk) silent(n node) bool {
	return n.held && n.a.UserID == "" && !w.policy.EmailCode && !w.policy.EmailLink
}

// hopeful reports whether there should be a way on: not for somebody who has nothing that
// the policy lets begin, and who cannot name anybody else.
func (w *walk) hopeful(n node) bool {
	switch n.a.Goal {
	case login.SignUp:
		return !w.silent(n)
	case login.SignIn:
		return slices.ContainsFunc(w.cast, w.canBegin)
	}
	return w.canBegin(n.who)
}

func (w *walk) canBegin(who somebody) bool {
	if !who.facts().Known {
		return false
	}
	return w.policy.EmailCode || w.policy.EmailLink || w.policy.Password && slices.Contains(who.factors, identity.Password) ||
		slices.Contains(who.factors, identity.Passkey) || slices.Contains(who.factors, identity.PhoneCode)
}

// judge is the oracle: what must hold at a step, whatever led there.
func (w *walk) judge(n node, step login.Step) {
	covered := 0
	for _, p := range n.a.Proofs {
		if covered&oracle[p.Method] == oracle[p.Method] {
			w.violation(n, "a proof brought nothing new")
		}
		covered |= oracle[p.Method]
	}
	reset := slices.ContainsFunc(n.a.Proofs, func(p identity.Proof) bool { return p.Method == identity.ResetCode })
	newcomer := n.a.Goal == login.SignUp && n.a.UserID == ""
	inside := step == login.Ready || step == login.Complete
	if step == login.Complete {
		w.completions++
	}
	if inside || step == login.NeedsNewPassword {
		if covered == 0 {
			w.violation(n, "nothing was proven")
		}
		if !newcomer && n.who.twoStep() && covered != knows|has {
			w.violation(n, "two-step verification was passed over")
		}
		if need := int(w.policy.Need.Categories); covered&need != need {
			w.violation(n, "the relying party's demand was passed over")
		}
		if w.policy.Human && !n.a.Human {
			w.violation(n, "the bot check was passed over")
		}
		if !newcomer && n.a.UserID == "" {
			w.violation(n, "a stranger is inside")
		}
	}
	if inside && reset && n.a.Draft.PasswordHash.Empty() {
		w.violation(n, "a reset ended without a new password")
	}
	if inside && n.a.Breached != "" && n.a.Draft.PasswordHash.Empty() {
		w.violation(n, "a breached password was kept")
	}
	if inside && newcomer && (!n.a.Confirmed || n.held || n.a.Identifier.None() || w.policy.Password && n.a.Draft.PasswordHash.Empty()) {
		w.violation(n, "a sign-up ended unfinished")
	}
	if n.a.Proofs != nil && n.a.UserID == "" && !newcomer {
		w.violation(n, "a stranger has proofs")
	}
}

// explore walks every policy with every goal, and returns what it found wrong.
func explore(r rules, arrow func(p login.Policy, from login.Step, event string, to login.Step)) (faults []string, states, completions int) {
	found := map[string]bool{}
	for _, p := range policies() {
		for _, who := range people {
			cast := []somebody{people[0]}
			if who.name != "stranger" {
				cast = append(cast, who)
			}
			w := &walk{
				rules: r, policy: p, cast: cast,
				violation: func(n node, why string) { found[why] = true },
				arrow:     func(from login.Step, e string, to login.Step) { arrow(p, from, e, to) },
			}
			w.run(node{a: login.Attempt{Goal: login.SignIn}})
			w.run(node{a: login.Attempt{Goal: login.SignUp}})
			if f := who.facts(); f.Known {
				w.run(node{a: login.Attempt{Goal: login.StepUp, UserID: f.User.ID, Identifier: who.address()}, who: who})
			}
			states, completions = states+w.states, completions+w.completions
		}
	}
	for why := range found {
		faults = append(faults, why)
	}
	slices.SortFunc(faults, cmp.Compare[string])
	return faults, states, completions
}
