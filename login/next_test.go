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
	"idp/login/prover"
)

var update = flag.Bool("update", false, "write docs/flows.md anew")

func TestCategoriesAreAsDecided(t *testing.T) {
	for _, m := range []identity.Method{
		identity.Password, identity.EmailCode, identity.EmailLink, identity.ResetCode, identity.TOTP, identity.SecurityKey,
		identity.PhoneCode, identity.BackupCode, identity.Passkey,
	} {
		if got, want := int(m.Category()), prover.Proves(m); got != want || want == 0 {
			t.Errorf("%s covers %d, want %d", m, got, want)
		}
	}
	for _, m := range []identity.Method{identity.OAuthMethod("google"), identity.SAMLMethod("acme")} {
		if m.Category() != identity.Knowledge {
			t.Errorf("%s covers %d, and a password guards it", m, m.Category())
		}
	}
	for _, m := range []identity.Method{"", "oauth_", "smile", "oauth"} {
		if m.Category() != identity.None {
			t.Errorf("%q: a method nobody decided about must prove nothing", m)
		}
	}
}

func TestFlowsDocumentIsWhatTheCodeDoes(t *testing.T) {
	arrows := map[login.Step]map[string]map[login.Step]bool{}
	var policies []login.Policy
	for _, p := range prover.All() {
		if p.EmailCode == p.EmailLink && p.TrustDays > 0 { // what that leaves out adds no arrow
			policies = append(policies, p)
		}
	}
	policies = append(policies, prover.AllAbroad()...)
	prover.Job{Rules: prover.Product(), Policies: policies, Arrow: func(from login.Step, event string, to login.Step) {
		if arrows[from] == nil {
			arrows[from] = map[string]map[login.Step]bool{}
		}
		event, _, _ = strings.Cut(event, " ")
		if arrows[from][event] == nil {
			arrows[from][event] = map[login.Step]bool{}
		}
		arrows[from][event][to] = true
	}}.Run()
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
from the policy in force what is still owed. Nothing ever stores a step. The arrows below are
those that the prover ([idp prove](operate/prove.md)) finds on its walks through persons,
policies and goals. "return" is to come back from another provider, with whatever it says. "meanwhile" is no move: a factor came on file elsewhere while this went on.

A wrong answer changes no step, and neither does sending a message (prepare). At ` + "`ready`" + ` the engine settles in the same commit, so that
no screen ever shows it: the person, the session and everything that follows become true
together.

` + "```mermaid\nstateDiagram-v2\n")
	b.WriteString("    [*] --> needs_identifier: start to sign in\n    [*] --> missing_requirements: start to sign up\n    [*] --> needs_first_factor: start to prove anew\n")
	b.WriteString("    [*] --> needs_enrollment: start to set up a factor, freshly proven\n    [*] --> needs_email_verification: start to add an address, freshly proven\n")
	b.WriteString("    [*] --> needs_connection: start to connect an account elsewhere, freshly proven\n")
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
- What another provider says of an address that it is not believed about leads to one page and
  one mail, whoever has the address; our own code decides. Where a domain has a provider of its
  own, what is offered follows from the domain and not from who is here.
- Somebody banned is told so after proving who they are, not before.
- A network that fails too often waits, whoever it asks for.
`)
	return b.String()
}
