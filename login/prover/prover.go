// Package prover shows that no way of signing in goes round what is demanded.
//
// It walks every path through login.Next that a set of persons, policies and goals allows, breadth
// first: each move the engine knows, each proof the person could give, a factor set up on the way,
// an old and a fresh session, a trusted browser, a second factor that comes on file meanwhile, an account
// elsewhere and whatever its provider says. Every
// state is judged by an oracle that reads nothing of the product's: its own table of what each method
// proves, of which setting switches it on, of what a policy demands. An oracle that reads the product's
// tables cannot notice when they are wrong.
//
// What it finds is a fault: a session with less than was demanded, or a state from which nobody comes
// to an end. Each comes with the shortest path that leads there. Tests plant faults to see them found.
package prover

import (
	"cmp"
	"slices"
	"time"

	"idp/identity"
	"idp/login"
	"idp/session"
)

// Rules is what is judged: the product's, or a broken copy that a test planted.
type Rules struct {
	Next    func(login.Attempt, login.Facts, login.Policy) login.Step
	Methods func(login.Attempt, login.Facts, login.Policy) []identity.Method // that are offered
	// Departures are the connections by which the browser may leave, by their methods.
	Departures func(login.Attempt, login.Facts, login.Policy) []identity.Method
	Category   func(identity.Method) identity.Category
	ACR        func([]identity.Proof) string
	// Carried are the proofs of a session that count for an attempt within it.
	Carried func(login.Goal, session.Session, login.Facts, login.Policy, time.Time) []identity.Proof
}

// Product is what runs.
func Product() Rules {
	return Rules{
		Next: login.Next, Category: identity.Method.Category, ACR: identity.ACR, Carried: login.Carried,
		Methods: login.Accepted, Departures: login.Departures,
	}
}

// Fault is something that must not be, with the shortest way there.
type Fault struct {
	Why    string   `json:"why"`
	Person string   `json:"person"`
	Policy string   `json:"policy"`
	Goal   string   `json:"goal"`
	Path   []string `json:"path"`
	Times  int      `json:"times"` // in how many states it was found
}

// Report is what a proof found.
type Report struct {
	Policies int     `json:"policies"`
	Walks    int     `json:"walks"`
	States   int     `json:"states"`
	Sessions int     `json:"sessions"` // states in which somebody is signed in
	Rows     []Row   `json:"rows,omitempty"`
	Faults   []Fault `json:"faults"`
}

// Proven reports whether nothing was found, and something was looked at.
func (r Report) Proven() bool { return len(r.Faults) == 0 && r.Sessions > 0 }

// Job is what to walk.
type Job struct {
	Rules    Rules
	Policies []login.Policy
	Rows     bool // tell outcomes by person, demand and method
	// Arrow is told each move that was made; nil for nobody.
	Arrow func(from login.Step, event string, to login.Step)
}

// Run walks.
func (j Job) Run() Report {
	r := Report{Policies: len(j.Policies), Faults: []Fault{}}
	found := map[string]*Fault{}
	var t table
	for _, p := range j.Policies {
		people := cast()
		if len(p.Connections) > 0 {
			people = guests()
		}
		for _, who := range people {
			for _, s := range starts(j.Rules, p, who) {
				w := &walk{rules: j.Rules, policy: p, start: s, found: found, arrow: j.Arrow, world: worldOf(p, who, s.trusted)}
				w.run()
				r.Walks++
				r.States += len(w.nodes)
				r.Sessions += len(w.ends)
				if j.Rows {
					t.add(w)
				}
			}
		}
	}
	r.Rows = t.rows
	for _, f := range found {
		r.Faults = append(r.Faults, *f)
	}
	slices.SortFunc(r.Faults, func(x, y Fault) int { return cmp.Compare(x.Why, y.Why) })
	return r
}
