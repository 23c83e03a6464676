package prover_test

import (
	"slices"
	"testing"

	"idp/federation"
	"idp/identity"
	"idp/login"
	"idp/login/prover"
)

func TestNoPathThroughAProviderLeadsPastWhatIsOwedAndNoneEndsDead(t *testing.T) {
	r := prover.Job{Rules: prover.Product(), Policies: prover.AllAbroad()}.Run()
	for _, f := range r.Faults {
		t.Errorf("%s (%d times), first for %s under %s, to %s: %q", f.Why, f.Times, f.Person, f.Policy, f.Goal, f.Path)
	}
	if r.Policies < 50 || r.States < 50_000 || r.Sessions < 10_000 {
		t.Errorf("walked only %d policies, %d states and %d sessions: the model has shrunk", r.Policies, r.States, r.Sessions)
	}
	t.Logf("%d policies, %d walks, %d states, %d sessions", r.Policies, r.Walks, r.States, r.Sessions)
}

// trusting is the product that takes an unproven word of a provider for a proven one.
func trusting(a *login.Attempt, _ *login.Facts, _ *login.Policy) {
	if a.Upstream != nil && a.Goal == login.SignUp {
		a.Confirmed = true
		if len(a.Proofs) == 0 {
			a.Proofs = []identity.Proof{byPassword}
		}
	}
}

func TestPlantedFaultsAboutProvidersAreFound(t *testing.T) {
	unbound := func(_ *login.Attempt, _ *login.Facts, p *login.Policy) {
		p.Connections = slices.Clone(p.Connections)
		for i := range p.Connections {
			p.Connections[i].Enforce = false
		}
	}
	const round = "somebody came in round the provider of their domain"
	for fault, tt := range map[string]struct {
		rules prover.Rules
		want  []string
	}{
		"an unproven address counts":                      {bent(trusting), []string{"a sign-up ended unfinished", "nothing was proven"}},
		"nobody looks at domains":                         {bent(unbound), []string{round}},
		"a domain binds only who is named by its address": {bent(func(_ *login.Attempt, f *login.Facts, _ *login.Policy) { f.Holdings = nil }), []string{round}},
		"operators need no second factor to go round their provider": {func() prover.Rules {
			r := prover.Product()
			r.Next = change(func(a *login.Attempt, f *login.Facts, p *login.Policy) {
				if f.User.Operator {
					unbound(a, f, p)
				}
			}).next
			return r
		}(), []string{round}},
		"an account elsewhere counts as both": {func() prover.Rules {
			r := counted("oauth_acme", identity.Both)
			r.ACR = identity.ACR
			return r
		}(), []string{passed, less, "a provider's word about a second step was taken that nobody trusts"}},
		"second factors are not asked for after a provider": {bent(func(a *login.Attempt, f *login.Facts, _ *login.Policy) {
			if slices.ContainsFunc(a.Proofs, func(p identity.Proof) bool { return p.Method.Federated() }) {
				f.Factors = nil
			}
		}), []string{passed}},
		"a trusted browser lets an account be linked": {bent(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) {
			if a.Upstream != nil && a.Goal == login.SignIn {
				a.Upstream = nil
			}
		}), []string{passed}},
		"nothing needs to be connected": {bent(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) {
			if a.Goal == login.Connect {
				a.Goal = login.StepUp
			}
		}), []string{"nothing was connected"}},
		"nobody can leave": {func() prover.Rules {
			r := prover.Product()
			r.Departures = func(login.Attempt, login.Facts, login.Policy) []identity.Method { return nil }
			return r
		}(), []string{nowhere}},
		"a connection that is switched off still opens": {func() prover.Rules {
			r := prover.Product()
			r.Departures = func(a login.Attempt, f login.Facts, p login.Policy) []identity.Method {
				p.Connections = append(slices.Clone(p.Connections), federation.Connection{Name: "corp", Domains: []string{"corp.test"}})
				return login.Departures(a, f, p)
			}
			return r
		}(), []string{off}},
	} {
		t.Run(fault, func(t *testing.T) {
			var found []string
			for i, p := range prover.AllAbroad() {
				if i%3 != 0 {
					continue
				}
				if tt.want[0] == off {
					p.Connections = p.Connections[:1]
				}
				for _, f := range (prover.Job{Rules: tt.rules, Policies: []login.Policy{p}}).Run().Faults {
					if slices.Contains(tt.want, f.Why) {
						return
					}
					found = append(found, f.Why)
				}
			}
			slices.Sort(found)
			t.Errorf("found %q, want one of %q", slices.Compact(found), tt.want)
		})
	}
}
