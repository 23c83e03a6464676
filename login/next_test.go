package login_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"idp/identity"
	"idp/login"
)

var update = flag.Bool("update", false, "write docs/flows.md anew")

func noArrow(login.Policy, login.Step, string, login.Step) {}

func TestNoPathLeadsPastWhatIsOwedAndNoneEndsDead(t *testing.T) {
	faults, states, completions := explore(product(), noArrow)
	if len(faults) > 0 {
		t.Errorf("found %q", faults)
	}
	if states < 10_000 || completions < 1_000 {
		t.Errorf("walked only %d states and %d completions: the model has shrunk", states, completions)
	}
	t.Logf("%d states, %d completions", states, completions)
}

func TestTheOracleNoticesPlantedFaults(t *testing.T) {
	type next = func(login.Attempt, login.Facts, login.Policy) login.Step
	before := func(change func(*login.Attempt, *login.Facts, *login.Policy)) next {
		return func(a login.Attempt, f login.Facts, p login.Policy) login.Step {
			change(&a, &f, &p)
			return login.Next(a, f, p)
		}
	}
	as := func(m identity.Method, c identity.Category) func(identity.Method) identity.Category {
		return func(x identity.Method) identity.Category {
			if x == m {
				return c
			}
			return x.Category()
		}
	}
	for _, tt := range []struct {
		fault string
		rules rules
		want  string
	}{
		{"second factors on file are not looked at",
			rules{before(func(_ *login.Attempt, f *login.Facts, _ *login.Policy) { f.Factors = nil }), identity.Method.Category},
			"two-step verification was passed over"},
		{"the relying party's demand is forgotten",
			rules{before(func(_ *login.Attempt, _ *login.Facts, p *login.Policy) { p.Need.Categories = identity.None }), identity.Method.Category},
			"the relying party's demand was passed over"},
		{"the new password is asked before the second factor",
			rules{func(a login.Attempt, f login.Facts, p login.Policy) login.Step {
				s := login.Next(a, f, p)
				if s == login.NeedsSecondFactor && a.Proofs[0].Method == identity.ResetCode && a.Draft.PasswordHash.Empty() {
					return login.NeedsNewPassword
				}
				return s
			}, identity.Method.Category},
			"two-step verification was passed over"},
		{"a reset needs no new password",
			rules{before(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) { a.Draft.PasswordHash = hash }), identity.Method.Category},
			"a reset ended without a new password"},
		{"a breached password is good enough",
			rules{before(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) { a.Breached = "" }), identity.Method.Category},
			"a breached password was kept"},
		{"a breached password is changed before the second factor",
			rules{func(a login.Attempt, f login.Facts, p login.Policy) login.Step {
				s := login.Next(a, f, p)
				if s == login.NeedsSecondFactor && a.Breached != "" && a.Draft.PasswordHash.Empty() {
					return login.NeedsNewPassword
				}
				return s
			}, identity.Method.Category},
			"two-step verification was passed over"},
		{"an address is taken unproven at sign-up",
			rules{before(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) { a.Confirmed = true }), identity.Method.Category},
			"a sign-up ended unfinished"},
		{"the bot check is optional",
			rules{before(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) { a.Human = true }), identity.Method.Category},
			"the bot check was passed over"},
		{"somebody unknown counts as known",
			rules{before(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) {
				if a.UserID == "" && !a.Identifier.None() {
					a.UserID, a.Proofs = "user", []identity.Proof{{Method: identity.Password, Category: identity.Knowledge}}
				}
			}), identity.Method.Category},
			"a stranger is inside"},
		{"after a reset nobody can choose the new password",
			rules{func(a login.Attempt, f login.Facts, p login.Policy) login.Step {
				s := login.Next(a, f, p)
				if s == login.NeedsNewPassword {
					return login.NeedsHuman
				}
				return s
			}, identity.Method.Category},
			"leads nowhere"},
		{"a mailed code counts as possession", rules{login.Next, as(identity.EmailCode, identity.Possession)}, "leads nowhere"},
		{"an SMS counts as knowledge", rules{login.Next, as(identity.PhoneCode, identity.Knowledge)}, "leads nowhere"},
		{"a password counts as both", rules{login.Next, as(identity.Password, identity.Both)}, "two-step verification was passed over"},
		{"a mailed reset counts as both", rules{login.Next, as(identity.ResetCode, identity.Both)}, "two-step verification was passed over"},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			faults, _, _ := explore(tt.rules, noArrow)
			if !slices.Contains(faults, tt.want) {
				t.Errorf("got %q, want %q among them", faults, tt.want)
			}
		})
	}
}

func TestCategoriesAreAsDecided(t *testing.T) {
	for m, want := range oracle {
		if got := int(m.Category()); got != want {
			t.Errorf("%s covers %d, want %d", m, got, want)
		}
	}
	if identity.Method("oauth_google").Category() != identity.None {
		t.Error("a method nobody decided about must prove nothing")
	}
}

func TestFlowsDocumentIsWhatTheCodeDoes(t *testing.T) {
	arrows := map[login.Step]map[string]map[login.Step]bool{}
	explore(product(), func(_ login.Policy, from login.Step, event string, to login.Step) {
		if arrows[from] == nil {
			arrows[from] = map[string]map[login.Step]bool{}
		}
		event, _, _ = strings.Cut(event, " ")
		if arrows[from][event] == nil {
			arrows[from][event] = map[login.Step]bool{}
		}
		arrows[from][event][to] = true
	})
	const path = "../docs/flows.md"
	want := draw(arrows)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/flows.md is out of date; run `go test ./login -run Flows -update`:\n%s", diff)
	}
}

func draw(arrows map[login.Step]map[string]map[login.Step]bool) string {
	name := func(s login.Step) string { return strings.ReplaceAll(string(s), "_", "&nbsp;") }
	var b strings.Builder
	b.WriteString(`# How signing in flows

Drawn from the code by a test (` + "`go test ./login -run Flows -update`" + `); do not edit by hand.

An attempt is evidence: who was named, what was sent, what came back. After every move
the function ` + "`Next`" + ` says from that evidence, from what is on file about the person and
from the policy in force what is still owed. Nothing ever stores a step. The arrows below
are all that a walk through every person, policy and goal of the test's model found, with
methods that are still to come (apps, phones, keys, passkeys) as evidence too.

A wrong answer changes no step, and neither does sending a message (prepare). At ` + "`ready`" + ` the engine settles in the same commit, so that
no screen ever shows it: the person, the session and everything that follows become true
together.

` + "```mermaid\nstateDiagram-v2\n")
	b.WriteString("    [*] --> needs_identifier: start to sign in\n    [*] --> missing_requirements: start to sign up\n    [*] --> needs_first_factor: start to prove anew\n")
	pairs := map[[2]login.Step][]string{}
	for from, events := range arrows {
		for event, tos := range events {
			for to := range tos {
				if event != "cancel" {
					pairs[[2]login.Step{from, to}] = append(pairs[[2]login.Step{from, to}], event)
				}
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(pairs), func(x, y [2]login.Step) int {
		return strings.Compare(string(x[0]+" "+x[1]), string(y[0]+" "+y[1]))
	})
	for _, k := range keys {
		slices.Sort(pairs[k])
		fmt.Fprintf(&b, "    %s --> %s: %s\n", k[0], k[1], strings.Join(pairs[k], ", "))
	}
	b.WriteString("    complete --> [*]\n```\n\nAny step before ready can be cancelled, and is abandoned a quarter of an hour after the start.\n\n")
	b.WriteString("| at | move | then |\n|---|---|---|\n")
	for _, from := range slices.Sorted(maps.Keys(arrows)) {
		for _, event := range slices.Sorted(maps.Keys(arrows[from])) {
			if event == "cancel" {
				continue
			}
			var tos []string
			for _, to := range slices.Sorted(maps.Keys(arrows[from][event])) {
				tos = append(tos, name(to))
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name(from), strings.ReplaceAll(event, "_", " "), strings.Join(tos, ", "))
		}
	}
	b.WriteString(`
## What strangers learn

Nothing about who is here. Before the first proof the screens, the words and the work
are the same whether an address is known, unknown, banned, locked or without a password.

- A wrong password, an unknown address and a locked one are one answer, at the cost of
  one password hash each. After ten wrong ones in a row the address is locked for an hour,
  held by somebody or not; a browser that has signed in as that person counts apart, and a
  reset opens the lock. The person is told by mail once.
- A code for an address that nobody holds looks sent. The address is told, at most once a
  day, that it has no account.
- Signing up with a held address leads to the same page. Its owner is told, and the code in
  that mail signs the owner in, second factor and all; what was filled in is dropped.
- Whether a password is known from a breach is asked after it was found right, and for
  nobody else. Who typed it then chooses another one, after the second factor.
- Somebody banned is told so after proving who they are, not before.
- A network that fails too often waits, whoever it asks for.
`)
	return b.String()
}
