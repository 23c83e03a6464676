package prover

import (
	"fmt"
	"strings"

	"idp/identity"
	"idp/login"
	"idp/session"
)

// demands are what an app may ask for beside an ordinary sign-in.
var demands = []session.Need{
	{},
	{Categories: identity.Knowledge},
	{Categories: identity.Possession},
	{Categories: identity.Both},
	{Categories: identity.Both, Resistant: true},
}

// Policies are those that can come up under an operator's settings: with whatever an app may ask for
// that these settings let somebody reach, with and without a bot check.
func Policies(s login.Settings) []login.Policy {
	var all []login.Policy
	for _, need := range demands {
		for _, human := range []bool{false, true} {
			if p := (login.Policy{Settings: s, Need: need, Human: human}); posed(p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// posed reports whether the policy can come up: settings that let nobody in are refused when they are
// saved, and demands that nobody can meet are refused to the app.
func posed(p login.Policy) bool {
	possession := p.TOTP || p.SecurityKeys || p.Passkeys || p.SMS
	switch {
	case !p.Password && !mails(p):
		return false
	case p.TwoStep == login.Required && !possession:
		return false
	case p.Need.Categories&identity.Possession != 0 && !possession:
		return false
	}
	return !p.Need.Resistant || p.Passkeys
}

// All are all policies that differ in anything that Next looks at. Of the second factors: none on, each
// one alone, all, and all without backup codes.
func All() []login.Policy {
	var all []login.Policy
	for i := range 1 << 3 {
		for _, twoStep := range []login.TwoStep{login.Optional, login.Required} {
			for j := range 7 {
				for _, days := range []int{0, 30} {
					s := login.Settings{
						SignUp: login.Open, Password: i&1 != 0, EmailCode: i&2 != 0, EmailLink: i&4 != 0, TwoStep: twoStep, TrustDays: days,
						TOTP: j == 1 || j >= 5, SecurityKeys: j == 2 || j >= 5, Passkeys: j == 3 || j >= 5, SMS: j == 4 || j >= 5, BackupCodes: j != 6,
					}
					all = append(all, Policies(s)...)
				}
			}
		}
	}
	return all
}

// Describe is a policy in words of the settings.
func Describe(p login.Policy) string {
	words := []string{"two_step=" + string(p.TwoStep)}
	for _, x := range []struct {
		name string
		on   bool
	}{
		{"password", p.Password}, {"email_code", p.EmailCode}, {"email_link", p.EmailLink}, {"totp", p.TOTP}, {"security_keys", p.SecurityKeys},
		{"passkeys", p.Passkeys}, {"sms", p.SMS}, {"backup_codes", p.BackupCodes}, {"bot_check", p.Human},
	} {
		if x.on {
			words = append(words, x.name)
		}
	}
	if p.TrustDays > 0 {
		words = append(words, fmt.Sprintf("trust_days=%d", p.TrustDays))
	}
	if len(p.Connections) > 0 {
		words = append(words, "connections")
	}
	if trusts(p, acme) {
		words = append(words, "trusted")
	}
	return strings.Join(words, " ") + "; an app asks for " + Demand(p.Need)
}

// Demand is what an app asks for, in the words of acr.
func Demand(n session.Need) string {
	switch {
	case n.Resistant:
		return "phr"
	case n.Categories == identity.Both:
		return "aal2"
	case n.Categories == identity.Possession:
		return "possession"
	case n.Categories == identity.Knowledge:
		return "aal1"
	}
	return "nothing"
}
