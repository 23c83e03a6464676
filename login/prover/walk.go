package prover

import (
	"slices"

	"idp/identity"
	"idp/internal/secret"
	"idp/login"
)

// node is a state of a walk, with how it came about.
type node struct {
	a     login.Attempt
	is    int  // whose facts hold, of the world's cast
	held  bool // somebody has the address of a sign-up
	later bool // an app came on file meanwhile
	from  *node
	event string
	back  []*node // every state that leads here
	alive bool    // the end can be reached
	wrong bool    // a fault was found here; nothing that follows is worth a look
	step  login.Step
}

func (n *node) reset() bool {
	return slices.ContainsFunc(n.a.Proofs, func(p identity.Proof) bool { return p.Method == identity.ResetCode })
}

func (n *node) path() []string {
	var events []string
	for x := n; x.from != nil; x = x.from {
		events = append(events, x.event)
	}
	slices.Reverse(events)
	return events
}

// walk visits every state that one person, one policy and one beginning allow.
type walk struct {
	rules  Rules
	policy login.Policy
	start  start
	world  world
	found  map[string]*Fault
	arrow  func(from login.Step, event string, to login.Step)

	nodes map[key]*node
	ends  []*node
	queue []*node
}

func (w *walk) who(n *node) person {
	if n.is == 0 {
		return w.world.cast[0]
	}
	if n.later {
		return w.world.cast[2]
	}
	return w.world.cast[1]
}

func (w *walk) facts(n *node) login.Facts {
	switch {
	case n.a.UserID == "":
		return login.Facts{Held: n.held}
	case n.later:
		return w.world.facts[2]
	}
	return w.world.facts[1]
}

func (w *walk) fault(n *node, why string) {
	f := w.found[why]
	if f == nil {
		goal := string(w.start.goal)
		if w.start.trusted {
			goal += " on a trusted browser"
		}
		f = &Fault{Why: why, Person: w.world.cast[1].String(), Policy: Describe(w.policy), Goal: goal, Path: n.path()}
		w.found[why] = f
	}
	f.Times++
	n.wrong = true
}

func (w *walk) run() {
	w.nodes = map[key]*node{}
	first := w.start.begin(w.rules, w.world)
	w.visit(nil, first)
	for len(w.queue) > 0 {
		n := w.queue[0]
		w.queue = w.queue[1:]
		w.judge(n, n.step)
		if n.step == login.Complete {
			w.ends = append(w.ends, n)
		} else if !n.wrong {
			w.expand(n)
		}
	}
	w.live()
	for _, n := range w.nodes {
		if !n.alive && w.hopeful(n) {
			w.fault(n, "leads nowhere")
		}
	}
}

// visit notes that a state was reached.
func (w *walk) visit(from, n *node) {
	k := keyOf(n)
	old, known := w.nodes[k]
	if !known {
		n.step = w.rules.Next(n.a, w.facts(n), w.policy)
		n.from = from
		w.nodes[k], old = n, n
		w.queue = append(w.queue, n)
	}
	if from == nil {
		return
	}
	old.back = append(old.back, from)
	if w.arrow != nil {
		w.arrow(from.step, n.event, old.step)
	}
}

// live marks the states from which the end can be reached.
func (w *walk) live() {
	open := slices.Clone(w.ends)
	for _, n := range w.nodes {
		if n.wrong {
			open = append(open, n)
		}
	}
	for len(open) > 0 {
		n := open[0]
		open = open[1:]
		if !n.alive {
			n.alive = true
			open = append(open, n.back...)
		}
	}
}

// silent reports a sign-up for a held address where no mailed code signs in: then the owner is
// told, and no answer is right.
func (w *walk) silent(n *node) bool {
	return n.held && n.a.UserID == "" && n.a.Upstream == nil && !mails(w.policy)
}

// hopeful reports whether there should be a way on: not for somebody who has nothing that lets them begin.
func (w *walk) hopeful(n *node) bool {
	if n.a.Goal == login.SignUp {
		return !w.silent(n)
	}
	who, p := w.world.cast[1], w.policy
	switch {
	case who.name == "":
		return false
	case w.start.goal == login.Connect && w.detained(n, who):
		return false // it was enforced since they signed in; they sign in by it first
	case len(n.a.Proofs) > 0, mails(p), who.has(identity.Password) && p.Password, who.has(identity.Passkey) && p.Passkeys:
		return true
	}
	return w.start.goal == login.SignIn && p.Password // "forgot password" mails a code
}

var hash = secret.NewString("hashed")

// drafted is the credential of what is being set up; nothing on file has it.
const drafted = "being set up"

// mostProofs ends walks under broken rules, where a proof may bring nothing for ever.
const mostProofs = 6

// key is what tells one state from another within a walk.
type key struct {
	is, draft                                                                      uint8
	none, user, human, held, later, confirmed, reset, breached, hash, set, session bool
	proofs                                                                         [mostProofs]uint8

	goal      login.Goal
	said      identity.Method // what a provider said
	from      identity.Identifier
	believed  bool
	named     identity.Identifier
	connected uint8 // proofs by an account that is not linked yet
}

var methods = []identity.Method{
	"", identity.Password, identity.EmailCode, identity.EmailLink, identity.ResetCode, identity.TOTP,
	identity.SecurityKey, identity.PhoneCode, identity.BackupCode, identity.Passkey, acme, corp,
}

func indexOf(m identity.Method) uint8 { return uint8(slices.Index(methods, m)) } //nolint:gosec // there are twelve

func keyOf(n *node) key {
	k := key{
		is: uint8(n.is), none: n.a.Identifier.None(), user: n.a.UserID != "", human: n.a.Human, held: n.held, later: n.later, //nolint:gosec // 0 or 1
		confirmed: n.a.Confirmed, reset: n.a.Reset, breached: n.a.Breached != "", hash: !n.a.Draft.PasswordHash.Empty(), session: n.a.SessionID != "",
	}
	if d := n.a.Draft.Factor; d != nil {
		k.draft, k.set = indexOf(d.Method), d.Confirmed
	}
	if x := n.a.Upstream; x != nil {
		k.said, k.from, k.believed = x.Account.Method, x.Email, x.Verdict.Verified
	}
	if n.a.Goal != "" {
		k.goal, k.named = n.a.Goal, n.a.Identifier
	}
	for i, p := range n.a.Proofs {
		k.proofs[i] = indexOf(p.Method) | uint8(p.Category)<<4
		if p.Credential == drafted {
			k.proofs[i] |= 1 << 6
		}
		if x := n.a.Upstream; x != nil && p.Credential == x.Account.Credential() {
			k.connected |= 1 << i
		}
	}
	return k
}

// expand visits what every open move leads to.
func (w *walk) expand(n *node) {
	at := n.step
	open := func(m string) bool { return login.MayMove(m, at, n.a, w.policy) }
	add := func(event string, change func(*node)) {
		to := &node{a: n.a, is: n.is, held: n.held, later: n.later, event: event}
		to.a.Proofs = slices.Clone(n.a.Proofs)
		change(to)
		w.visit(n, to)
	}
	if n.step == login.NeedsHuman {
		add("pass_human", func(n *node) { n.a.Human = true })
	}
	if open("identify") {
		for i := range 2 {
			add("identify "+w.world.cast[i].address().Value, func(n *node) {
				if !n.a.Identifier.None() && n.a.Identifier != w.world.cast[i].address() {
					n.a.Human = false // one check is for one name
				}
				n.a.Identifier, n.a.UserID, n.is, n.a.Reset = w.world.cast[i].address(), w.world.cast[i].id(), i, false
				n.a.Proofs, n.a.Breached, n.a.Upstream, n.a.Confirmed = nil, "", nil, false
			})
		}
	}
	if open("forgot") {
		add("forgot", func(n *node) { n.a.Reset = true })
	}
	if open("submit") {
		for i := range 2 {
			if n.a.Confirmed && n.a.Identifier != w.world.cast[i].address() {
				continue // what answered cannot be exchanged for what did not
			}
			add("submit "+w.world.cast[i].address().Value, func(n *node) {
				n.a.Identifier, n.is, n.held = w.world.cast[i].address(), i, w.world.cast[i].name != ""
				if w.policy.Password && at != login.NeedsHuman && n.a.Upstream == nil {
					n.a.Draft.PasswordHash = hash
				}
			})
		}
	}
	if open("set_password") {
		add("set_password", func(n *node) { n.a.Draft.PasswordHash = hash })
	}
	if open("prove") {
		w.proofs(n, add)
	}
	if open("depart") {
		w.returns(n, add)
	}
	w.enrolments(n, open, add)
	if n.step == login.Ready {
		add("settle", func(n *node) { n.a.SessionID = "session" })
	}
}

// enrolments are the moves of setting up a factor, and an app that comes on file in between.
func (w *walk) enrolments(n *node, open func(string) bool, add func(string, func(*node))) {
	d := n.a.Draft.Factor
	if open("enroll") {
		for _, m := range w.rules.Methods(n.a, w.facts(n), w.policy) {
			add("enroll "+string(m), func(n *node) { n.a.Draft.Factor = &login.DraftFactor{Method: m, Credential: drafted} })
		}
	}
	if open("confirm") && d != nil && !d.Confirmed && len(n.a.Proofs) < mostProofs {
		add("confirm "+string(d.Method), func(n *node) {
			n.a.Draft.Factor = &login.DraftFactor{Method: d.Method, Credential: drafted, Confirmed: true}
			own := identity.Proof{Method: d.Method, Category: w.rules.Category(d.Method), Credential: drafted, At: now}
			n.a.Proofs = append([]identity.Proof{own}, n.a.Proofs...)
		})
	}
	if d != nil && !n.later && n.is == 1 && n.a.UserID != "" && n.step != login.Ready && w.policy.TOTP && !w.world.cast[1].has(identity.TOTP) && d.Method != identity.TOTP {
		add("meanwhile an app comes on file", func(n *node) { n.later = true })
	}
}

// proofs are what somebody could answer rightly here. Only who is on file can: to a stranger nothing was sent.
func (w *walk) proofs(n *node, add func(string, func(*node))) {
	if len(n.a.Proofs) >= mostProofs || w.silent(n) {
		return
	}
	methods := w.rules.Methods(n.a, w.facts(n), w.policy)
	who := w.who(n)
	switch {
	case n.step == login.NeedsIdentifier: // a discoverable passkey names its person
		if one := w.world.cast[1]; slices.Contains(methods, identity.Passkey) && one.has(identity.Passkey) {
			add("prove passkey", func(to *node) {
				to.a.Identifier, to.a.UserID, to.is = one.address(), one.id(), 1
				w.prove(to, n.step, identity.Passkey)
			})
		}
		return
	case n.a.UserID == "" && (n.a.Goal != login.SignUp || n.step != login.NeedsEmailVerification && n.step != login.NeedsHuman):
		return
	}
	for _, m := range methods {
		if elsewhere(m) || m == identity.Password && w.detained(n, who) && n.step == login.NeedsFirstFactor {
			continue // these are proven elsewhere; and of these no password is right
		}
		mailed := m == identity.EmailCode || m == identity.EmailLink || m == identity.ResetCode
		if !mailed && !who.has(m) && n.step != login.NeedsPhoneVerification {
			continue // offered, because nobody is told who has what
		}
		add("prove "+string(m), func(to *node) { w.prove(to, n.step, m) })
		if m == identity.Password && n.step == login.NeedsFirstFactor {
			add("prove password, a breached one", func(to *node) {
				w.prove(to, n.step, m)
				to.a.Breached = "digest"
			})
		}
	}
}

func (w *walk) prove(n *node, at login.Step, m identity.Method) {
	if n.a.Goal == login.Extend && (at == login.NeedsEmailVerification || at == login.NeedsPhoneVerification) {
		n.a.Confirmed = true // it says whose the address is, not who sits here
		return
	}
	if at == login.NeedsHuman {
		n.a.Human = true
		if n.a.Goal == login.SignIn && m != identity.ResetCode && !mails(w.policy) {
			return // the code stood in for the check and is no factor here
		}
	}
	if n.a.Goal == login.SignUp && n.a.UserID == "" {
		before := n.a.Confirmed
		n.a.Confirmed = true
		w.meets(n)
		if x := n.a.Upstream; x != nil && !before {
			n.a.Proofs = append(n.a.Proofs, w.proofBy(*x, x.Account.Credential()))
		}
	}
	credential := "factor_" + string(m)
	if m == identity.EmailCode || m == identity.EmailLink || m == identity.ResetCode {
		credential = n.a.Identifier.Value
	}
	n.a.Proofs = append(n.a.Proofs, identity.Proof{Method: m, Category: w.rules.Category(m), Credential: credential, At: now})
}
