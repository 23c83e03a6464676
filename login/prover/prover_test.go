package prover_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/login/prover"
	"idp/session"
)

func TestNoPathLeadsPastWhatIsOwedAndNoneEndsDead(t *testing.T) {
	r := prover.Job{Rules: prover.Product(), Policies: prover.All()}.Run()
	for _, f := range r.Faults {
		t.Errorf("%s (%d times), first for %s under %s, to %s: %q", f.Why, f.Times, f.Person, f.Policy, f.Goal, f.Path)
	}
	if r.Policies < 1000 || r.States < 1_000_000 || r.Sessions < 200_000 {
		t.Errorf("walked only %d policies, %d states and %d sessions: the model has shrunk", r.Policies, r.States, r.Sessions)
	}
	t.Logf("%d policies, %d walks, %d states, %d sessions", r.Policies, r.Walks, r.States, r.Sessions)
}

// change is a fault: what the product looks at is bent before it looks.
type change func(*login.Attempt, *login.Facts, *login.Policy)

func (c change) next(a login.Attempt, f login.Facts, p login.Policy) login.Step {
	a.Proofs, f.Factors = slices.Clone(a.Proofs), slices.Clone(f.Factors)
	c(&a, &f, &p)
	return login.Next(a, f, p)
}

func (c change) methods(a login.Attempt, f login.Facts, p login.Policy) []identity.Method {
	a.Proofs, f.Factors = slices.Clone(a.Proofs), slices.Clone(f.Factors)
	c(&a, &f, &p)
	return login.Offered(a, f, p)
}

// bent is the product with such a fault.
func bent(c change) prover.Rules {
	r := prover.Product()
	r.Next, r.Methods = c.next, c.methods
	return r
}

// instead is the product that goes elsewhere from a step.
func instead(when func(login.Attempt, login.Facts, login.Policy, login.Step) bool, as login.Attempt) prover.Rules {
	r := prover.Product()
	r.Next = func(a login.Attempt, f login.Facts, p login.Policy) login.Step {
		s := login.Next(a, f, p)
		if when(a, f, p, s) {
			return login.Next(as, login.Facts{Known: true}, login.Policy{Settings: login.Settings{Password: true, TwoStep: login.Required, TOTP: true}})
		}
		return s
	}
	return r
}

func counted(m identity.Method, c identity.Category) prover.Rules {
	r := prover.Product()
	r.Category = func(x identity.Method) identity.Category {
		if x == m {
			return c
		}
		return x.Category()
	}
	return r
}

var (
	byPassword = identity.Proof{Method: identity.Password, Category: identity.Knowledge}
	byReset    = identity.Proof{Method: identity.ResetCode, Category: identity.Knowledge}
	byPasskey  = identity.Proof{Method: identity.Passkey, Category: identity.Both}
	enrolls    = login.Attempt{Goal: login.SignIn, UserID: "user", Proofs: []identity.Proof{byPassword}}
	resets     = login.Attempt{Goal: login.SignIn, UserID: "user", Proofs: []identity.Proof{byReset, byPasskey}}
	ends       = login.Attempt{Goal: login.SignIn, UserID: "user", Proofs: []identity.Proof{byPasskey}}
)

func has(f login.Facts, m identity.Method) bool {
	return slices.ContainsFunc(f.Factors, func(x identity.Factor) bool { return x.Method == m })
}

func lost(a login.Attempt) bool {
	return slices.ContainsFunc(a.Proofs, func(p identity.Proof) bool { return p.Method == identity.ResetCode })
}

const (
	passed  = "two-step verification was passed over"
	less    = "less than the policy demands was proven"
	early   = "a factor can be set up before the one on file was shown"
	nowhere = "leads nowhere"
	off     = "a method that is switched off proved something"
)

func TestPlantedFaultsAreFound(t *testing.T) {
	switched := func(p *login.Policy) {
		p.TOTP, p.SecurityKeys, p.Passkeys, p.SMS, p.BackupCodes = true, true, true, true, true
	}
	for fault, tt := range map[string]struct {
		rules prover.Rules
		want  string
	}{
		"second factors on file are not looked at": {bent(func(_ *login.Attempt, f *login.Facts, _ *login.Policy) { f.Factors = nil }), passed},
		"an app's demand is forgotten":             {bent(func(_ *login.Attempt, _ *login.Facts, p *login.Policy) { p.Need = session.Need{} }), less},
		"an app that asks for a passkey gets any two": {
			bent(func(_ *login.Attempt, _ *login.Facts, p *login.Policy) { p.Need.Resistant = false }), "a passkey was demanded and none was shown"},
		"two steps for everybody are two steps for some": {bent(func(_ *login.Attempt, _ *login.Facts, p *login.Policy) { p.TwoStep = login.Optional }), less},
		"a trusted browser counts for a sensitive act": {bent(func(a *login.Attempt, f *login.Facts, _ *login.Policy) {
			if f.Trusted && a.Goal == login.StepUp {
				a.Goal = login.SignIn
			}
		}), passed},
		"a trusted browser counts after a reset": {bent(func(a *login.Attempt, f *login.Facts, _ *login.Policy) {
			if f.Trusted && len(a.Proofs) > 0 {
				a.Reset = false
			}
		}), passed},
		"a trusted browser counts with a breached password": {bent(func(a *login.Attempt, f *login.Facts, _ *login.Policy) {
			if f.Trusted {
				a.Breached = ""
			}
		}), passed},
		"a trusted browser counts where an app asks for two steps": {bent(func(_ *login.Attempt, f *login.Facts, p *login.Policy) {
			if f.Trusted {
				p.Need = session.Need{}
			}
		}), less},
		"a passkey is set up before the second factor was shown": {instead(func(a login.Attempt, f login.Facts, p login.Policy, s login.Step) bool {
			return s == login.NeedsSecondFactor && p.Need.Resistant && !has(f, identity.Passkey)
		}, enrolls), early},
		"whoever should show a factor may set one up instead": {
			instead(func(_ login.Attempt, _ login.Facts, _ login.Policy, s login.Step) bool {
				return s == login.NeedsSecondFactor
			}, enrolls), early},
		"what is set up counts for what is on file since": {bent(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) {
			if d := a.Draft.Factor; d != nil && d.Confirmed {
				c := *d
				c.Credential = "another"
				a.Draft.Factor = &c
			}
		}), passed},
		"a method that is switched off still counts": {func() prover.Rules {
			r := bent(func(_ *login.Attempt, _ *login.Facts, p *login.Policy) { switched(p) })
			r.Methods = login.Offered
			return r
		}(), nowhere},
		"a method that is switched off still opens": {bent(func(_ *login.Attempt, _ *login.Facts, p *login.Policy) { switched(p) }), off},
		"a method that is switched off can be set up": {
			bent(func(_ *login.Attempt, _ *login.Facts, p *login.Policy) { switched(p) }), "a method that is switched off was set up"},
		"a number that is gone still counts": {bent(func(_ *login.Attempt, f *login.Facts, _ *login.Policy) {
			for i, x := range f.Factors {
				if x.Method == identity.PhoneCode && len(f.Holdings) == 1 {
					f.Factors[i].Method, f.Factors[i].Secret = identity.TOTP, secret.String{}
				}
			}
		}), nowhere},
		"backup codes are a second factor of their own": {bent(func(_ *login.Attempt, f *login.Facts, _ *login.Policy) {
			if has(*f, identity.BackupCode) {
				f.Factors = append(f.Factors, identity.Factor{Method: identity.SecurityKey})
			}
		}), "a backup code stood for a factor that is not there"},
		"a factor is set up on an old proof": {func() prover.Rules {
			r := prover.Product()
			r.Carried = func(_ login.Goal, s session.Session, _ login.Facts, _ login.Policy, _ time.Time) []identity.Proof {
				return s.Proofs
			}
			return r
		}(), "an old proof was good enough for a sensitive act"},
		"half of a proof is enough for a sensitive act": {func() prover.Rules {
			r := prover.Product()
			r.Carried = func(g login.Goal, s session.Session, f login.Facts, p login.Policy, now time.Time) []identity.Proof {
				f.Factors = nil
				return login.Carried(g, s, f, p, now)
			}
			r.Next = change(func(a *login.Attempt, f *login.Facts, _ *login.Policy) {
				if a.Goal == login.Enroll {
					f.Factors = nil
				}
			}).next
			return r
		}(), "an old proof was good enough for a sensitive act"},
		"nothing needs to be set up": {bent(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) {
			if a.Goal == login.Enroll {
				a.Goal = login.StepUp
			}
		}), "nothing was set up"},
		"another address comes on file without its code": {bent(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) {
			if a.Goal == login.Extend {
				a.Confirmed = true
			}
		}), "an address came on file that did not answer"},
		"the new password is asked before the second factor": {instead(func(a login.Attempt, _ login.Facts, _ login.Policy, s login.Step) bool {
			return s == login.NeedsSecondFactor && lost(a) && a.Draft.PasswordHash.Empty()
		}, resets), passed},
		"a breached password is changed before the second factor": {instead(func(a login.Attempt, _ login.Facts, _ login.Policy, s login.Step) bool {
			return s == login.NeedsSecondFactor && a.Breached != "" && a.Draft.PasswordHash.Empty()
		}, resets), passed},
		"a reset needs no new password": {bent(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) {
			a.Draft.PasswordHash = secret.NewString("hash")
		}), "a reset ended without a new password"},
		"a breached password is good enough": {bent(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) { a.Breached = "" }), "a breached password was kept"},
		"after a reset nobody can choose the new password": {
			instead(func(_ login.Attempt, _ login.Facts, _ login.Policy, s login.Step) bool {
				return s == login.NeedsNewPassword
			}, login.Attempt{}), nowhere},
		"an address is taken unproven at sign-up": {bent(func(a *login.Attempt, _ *login.Facts, _ *login.Policy) { a.Confirmed = true }), "a sign-up ended unfinished"},
		"an address that an operator typed need not answer": {bent(func(_ *login.Attempt, f *login.Facts, _ *login.Policy) {
			f.Holdings = nil
		}), "an address that never answered signed somebody in"},
		"the bot check is optional": {bent(func(_ *login.Attempt, _ *login.Facts, p *login.Policy) { p.Human = false }), "the bot check was passed over"},
		"somebody unknown counts as known": {
			instead(func(a login.Attempt, _ login.Facts, _ login.Policy, s login.Step) bool {
				return s == login.NeedsFirstFactor && a.UserID == ""
			}, ends), "a stranger is inside"},
		"a mailed code counts as both":    {counted(identity.EmailCode, identity.Both), passed},
		"a mailed reset counts as both":   {counted(identity.ResetCode, identity.Both), passed},
		"a password counts as both":       {counted(identity.Password, identity.Both), passed},
		"a password counts as possession": {counted(identity.Password, identity.Possession), "a proof brought nothing new"},
		"an SMS counts as knowledge":      {counted(identity.PhoneCode, identity.Knowledge), "a proof brought nothing new"},
		"an app's code counts as nothing": {counted(identity.TOTP, identity.None), nowhere},
		"every session is called resistant": {func() prover.Rules {
			r := prover.Product()
			r.ACR = func([]identity.Proof) string { return "phr" }
			return r
		}(), "apps are told phr of a session that is aal1"},
	} {
		t.Run(fault, func(t *testing.T) {
			var others []string
			for _, p := range sample() {
				r := prover.Job{Rules: tt.rules, Policies: []login.Policy{p}}.Run()
				for _, f := range r.Faults {
					others = append(others, f.Why)
					if f.Why != tt.want {
						continue
					}
					if r.Proven() || f.Times == 0 || f.Person == "" || f.Policy != prover.Describe(p) {
						t.Errorf("it is not told how: %+v", f)
					}
					return
				}
			}
			slices.Sort(others)
			t.Errorf("found %q, want %q among them", slices.Compact(others), tt.want)
		})
	}
}

// sample is a tenth of all policies: a fault is not that rare.
func sample() (some []login.Policy) {
	for i, p := range prover.All() {
		if i%11 == 0 {
			some = append(some, p)
		}
	}
	return some
}

func TestSettingsThatLetNobodyInAreNoProof(t *testing.T) {
	if r := (prover.Job{Rules: prover.Product(), Policies: prover.Policies(login.Settings{TwoStep: login.Required, TOTP: true})}).Run(); r.Proven() {
		t.Error("nothing was walked, and that counts as proven")
	}
}

func TestTheTableTellsWhatComesOfEachMethod(t *testing.T) {
	s := login.DefaultSettings()
	s.TrustDays = 30
	r := prover.Job{Rules: prover.Product(), Policies: prover.Policies(s), Rows: true}.Run()
	for _, want := range []prover.Row{
		{Person: "password", Goal: "sign_in", Demand: "nothing", First: "password", Then: []string{"nothing"}, ACR: []string{"aal1"}},
		{Person: "password + totp", Goal: "sign_in", Demand: "nothing", First: "email_code", Then: []string{"totp"}, ACR: []string{"aal2"}},
		{Person: "password + totp", Goal: "sign_in, trusted browser", Demand: "nothing", First: "password", Then: []string{"nothing", "totp"}, ACR: []string{"aal1", "aal2"}},
		{Person: "password + totp", Goal: "sign_in, trusted browser", Demand: "aal2", First: "password", Then: []string{"totp"}, ACR: []string{"aal2"}},
		{Person: "password", Goal: "sign_in", Demand: "phr", First: "password", Then: []string{"set up passkey"}, ACR: []string{"phr"}},
		{Person: "password + totp", Goal: "sign_in", Demand: "phr", First: "reset_password_email_code", Then: []string{"totp, set up passkey, new password"}, ACR: []string{"phr"}},
		{Person: "nobody", Goal: "sign_up", Demand: "nothing", First: "email_code", Then: []string{"nothing"}, ACR: []string{"aal1"}},
	} {
		if !slices.ContainsFunc(r.Rows, func(x prover.Row) bool {
			return x.Person == want.Person && x.Goal == want.Goal && x.Demand == want.Demand && x.First == want.First &&
				slices.Equal(x.Then, want.Then) && slices.Equal(x.ACR, want.ACR)
		}) {
			t.Errorf("no row says %+v", want)
		}
	}
	s.EmailCode, s.EmailLink, s.Password = false, false, true
	r = prover.Job{Rules: prover.Product(), Policies: prover.Policies(s), Rows: true}.Run()
	for _, x := range r.Rows {
		if x.First == "email_code" && x.Goal != "sign_up" && !strings.Contains(x.Person, "assigned") {
			t.Errorf("a mailed code signs in although it is off: %+v", x)
		}
	}
}
