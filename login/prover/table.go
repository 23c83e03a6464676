package prover

import (
	"slices"
	"strings"

	"idp/identity"
	"idp/login"
)

// Row is what comes of one method under one demand.
type Row struct {
	Person string   `json:"person"`         // by what is on file
	Goal   string   `json:"goal"`           // "sign_in", "sign_in, trusted browser", "sign_up", "step_up"
	Demand string   `json:"demand"`         // of the app that waits: "nothing", "aal2", "phr"
	First  string   `json:"first"`          // the method that begins; "" if nothing lets the person in
	Then   []string `json:"then,omitempty"` // ways to go on; "nothing": one step is enough
	ACR    []string `json:"acr,omitempty"`  // of the sessions at the end; none: there is no way
}

type table struct{ rows []Row }

// add tells what a walk found. What a bot check and a breached password add is the same for everybody.
func (t *table) add(w *walk) {
	demand := Demand(w.policy.Need)
	if w.policy.Human || within(w.start.goal) || demand == "aal1" || demand == "possession" || trusts(w.policy, acme) {
		return
	}
	who := w.world.cast[1]
	goal := string(w.start.goal)
	if w.start.trusted {
		goal += ", trusted browser"
	}
	if w.start.goal == login.SignUp && who.name != "" || w.start.goal == login.SignIn && who.name == "" {
		return // whoever is here already signs in, whoever is not signs up
	}
	rows := map[string]*Row{}
	for _, n := range w.ends {
		if n.a.Breached != "" || n.later {
			continue
		}
		first, then := told(n)
		if len(w.policy.Connections) > 0 && !elsewhere(identity.Method(first)) {
			continue // as without
		}
		r := rows[first]
		if r == nil {
			r = &Row{Person: who.String(), Goal: goal, Demand: demand, First: first}
			rows[first] = r
		}
		if !slices.Contains(r.Then, then) {
			r.Then = append(r.Then, then)
		}
		if acr := w.rules.ACR(n.a.Proofs); !slices.Contains(r.ACR, acr) {
			r.ACR = append(r.ACR, acr)
		}
	}
	for _, m := range methods {
		if r := rows[string(m)]; r != nil {
			slices.Sort(r.Then)
			slices.Sort(r.ACR)
			t.rows = append(t.rows, *r)
		}
	}
	if len(rows) == 0 && len(w.policy.Connections) == 0 {
		t.rows = append(t.rows, Row{Person: who.String(), Goal: goal, Demand: demand})
	}
}

// told is how a session came about: the method that began, and what followed.
func told(n *node) (first, then string) {
	var steps []string
	for _, p := range n.a.Proofs {
		switch {
		case p.Credential == drafted:
		case first == "":
			first = string(p.Method)
		default:
			steps = append(steps, string(p.Method))
		}
	}
	if d := n.a.Draft.Factor; d != nil && d.Confirmed {
		steps = append(steps, "set up "+string(d.Method))
	}
	if first == string(identity.ResetCode) {
		steps = append(steps, "new password")
	}
	if len(steps) == 0 {
		return first, "nothing"
	}
	return first, strings.Join(steps, ", ")
}
