package prover

import (
	"slices"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
)

// now is when everything happens that happens in a walk.
var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

const number = "+442079460018"

// person is somebody by what is on file. The stranger has nothing, everybody else an address.
type person struct {
	name       string // "" for the stranger
	factors    []identity.Method
	assigned   bool // an operator put the address on file, and it has not answered yet
	operator   bool
	alias      string // another verified address
	numberGone bool   // the number that codes go to is somebody else's now
}

func (w person) has(m identity.Method) bool { return slices.Contains(w.factors, m) }

// String is the person by what they have.
func (w person) String() string {
	if w.name == "" {
		return "nobody"
	}
	var words []string
	if w.operator {
		words = append(words, "operator")
	}
	if _, domain, ok := strings.Cut(w.name, "@"); ok {
		words = append(words, domain)
	}
	if w.alias != "" {
		words = append(words, "also "+w.alias)
	}
	if w.assigned {
		words = append(words, "assigned address")
	}
	for _, m := range w.factors {
		words = append(words, string(m))
	}
	if w.numberGone {
		words = append(words, "number gone")
	}
	if len(words) == 0 {
		return "only an address"
	}
	return strings.Join(words, " + ")
}

func (w person) address() identity.Identifier {
	if w.name == "" {
		return identity.Identifier{Kind: identity.Email, Value: "nobody@example.com"}
	}
	if strings.Contains(w.name, "@") {
		return identity.Identifier{Kind: identity.Email, Value: w.name}
	}
	return identity.Identifier{Kind: identity.Email, Value: w.name + "@example.com"}
}

func (w person) id() identity.UserID {
	if w.name == "" {
		return ""
	}
	return identity.UserID("user_" + w.name)
}

// facts are what the product is told of the person.
func (w person) facts() login.Facts {
	if w.name == "" {
		return login.Facts{}
	}
	mail := identity.Holding{ID: "mail", UserID: w.id(), Identifier: w.address(), Primary: true, VerifiedAt: now, Source: identity.SourceSelf}
	if w.assigned {
		mail.VerifiedAt, mail.Source = time.Time{}, identity.SourceOperator
	}
	f := login.Facts{Known: true, User: identity.User{ID: w.id(), Status: identity.Active, Operator: w.operator}, Holdings: []identity.Holding{mail}}
	if !w.numberGone {
		f.Holdings = append(f.Holdings, identity.Holding{
			ID: "number", UserID: w.id(), Identifier: identity.Identifier{Kind: identity.Phone, Value: number}, VerifiedAt: now, Source: identity.SourceSelf,
		})
	}
	if w.alias != "" {
		f.Holdings = append(f.Holdings, identity.Holding{
			ID: "alias", UserID: w.id(), Identifier: identity.Identifier{Kind: identity.Email, Value: w.alias}, VerifiedAt: now, Source: identity.SourceSelf,
		})
	}
	for _, m := range w.factors {
		f.Factors = append(f.Factors, identity.Factor{ID: identity.FactorID("factor_" + m), UserID: w.id(), Method: m, Secret: secret.NewString(number)})
	}
	return f
}

// cast is who walks.
func cast() []person {
	const (
		password, totp, phone, key = identity.Password, identity.TOTP, identity.PhoneCode, identity.SecurityKey
		backup, passkey            = identity.BackupCode, identity.Passkey
	)
	of := func(name string, factors ...identity.Method) person { return person{name: name, factors: factors} }
	gone := of("gone", password, phone)
	gone.numberGone = true
	assigned := of("assigned", password)
	assigned.assigned = true
	return []person{
		{}, of("mailonly"), of("single", password), assigned, of("app", password, totp), of("mailapp", totp), of("phone", password, phone), gone,
		of("keys", password, key, backup), of("lonebackup", password, backup), of("passkey", passkey), of("both", password, passkey),
		of("spare", password, totp, backup), of("full", password, passkey, totp, key, phone, backup),
	}
}

// start is where a walk begins.
type start struct {
	goal    login.Goal
	trusted bool             // the person asked this browser to be trusted
	session []identity.Proof // of whoever is signed in already
	age     time.Duration    // of these
	phone   bool             // Extend: a number instead of an address
}

// starts are the ways to begin that make a difference for that person under that policy.
func starts(r Rules, p login.Policy, who person) []start {
	all := []start{{goal: login.SignIn}, {goal: login.SignUp}}
	if who.twoStep(p) && p.TrustDays > 0 {
		all = append(all, start{goal: login.SignIn, trusted: true})
		if !p.Human {
			all = append(all, start{goal: login.StepUp, trusted: true})
		}
	}
	if who.name == "" || who.assigned {
		return all
	}
	if p.Human {
		return all // of visitors, not of who is signed in
	}
	all = append(all, start{goal: login.StepUp})
	for _, session := range sessions(r, p, who) {
		for _, age := range []time.Duration{5 * time.Minute, 11 * time.Minute} {
			all = append(all, start{goal: login.StepUp, session: session, age: age})
		}
	}
	if p.Need.Categories != identity.None || p.Need.Resistant {
		return all // no app waits for what a person does on the account page
	}
	for _, session := range sessions(r, p, who) {
		for _, age := range []time.Duration{5 * time.Minute, 11 * time.Minute} {
			if connected(p, acme) && !who.has(acme) {
				all = append(all, start{goal: login.Connect, session: session, age: age})
			}
			if who.canEnroll(p) {
				all = append(all, start{goal: login.Enroll, session: session, age: age})
			}
			all = append(all, start{goal: login.Extend, session: session, age: age})
			if p.SMS {
				all = append(all, start{goal: login.Extend, session: session, age: age, phone: true})
			}
		}
	}
	return all
}

// sessions are what somebody who is signed in may have proven: half, or all they can.
func sessions(r Rules, p login.Policy, who person) [][]identity.Proof {
	proof := func(m identity.Method) identity.Proof {
		return identity.Proof{Method: m, Category: r.Category(m), Credential: "factor_" + string(m)}
	}
	half := []identity.Proof{proof(identity.Password)}
	all := [][]identity.Proof{half}
	for _, m := range turnsOn {
		switch {
		case !who.has(m) || !on(p, m):
		case m == identity.Passkey:
			all = append(all, []identity.Proof{proof(m)})
		default:
			all = append(all, append(slices.Clone(half), proof(m)))
		}
	}
	return all
}

// canEnroll reports whether there is something to set up: one authenticator app is enough.
func (w person) canEnroll(p login.Policy) bool {
	return slices.ContainsFunc(turnsOn, func(m identity.Method) bool { return on(p, m) && (m != identity.TOTP || !w.has(m)) })
}

// begin is the first state: with what is carried over from the session, if that satisfies what
// sensitive acts demand.
func (s start) begin(r Rules, w world) *node {
	n := &node{a: login.Attempt{Goal: s.goal}}
	if !within(s.goal) {
		return n
	}
	n.is = 1
	n.a.UserID, n.a.Identifier, n.a.Within = w.cast[1].id(), w.cast[1].address(), "session"
	if s.goal == login.Connect {
		n.a.Draft.Connection = "acme"
	}
	if s.goal == login.Extend {
		n.a.Draft.Address = identity.Identifier{Kind: identity.Email, Value: "another@example.com"}
		if s.phone {
			n.a.Draft.Address = identity.Identifier{Kind: identity.Phone, Value: "+442079460999"}
		}
	}
	standing := session.Session{
		Proofs: slices.Clone(s.session), AuthTime: now.Add(-s.age), CreatedAt: now.Add(-s.age), LastActiveAt: now, ExpiresAt: now.Add(time.Hour), Idle: time.Hour,
	}
	for i := range standing.Proofs {
		standing.Proofs[i].At = standing.AuthTime
	}
	n.a.Proofs = r.Carried(s.goal, standing, w.facts[1], w.policy, now)
	return n
}

// world is who there is in a walk: nobody, the person, and the person with an app that came on file meanwhile.
type world struct {
	policy login.Policy
	cast   [3]person
	facts  [3]login.Facts
}

func worldOf(p login.Policy, who person, trusted bool) world {
	later := who
	later.factors = append(slices.Clone(who.factors), identity.TOTP)
	w := world{policy: p, cast: [3]person{{}, who, later}}
	for i, x := range w.cast {
		w.facts[i] = x.facts()
		w.facts[i].Trusted = trusted && x.name != ""
	}
	return w
}
