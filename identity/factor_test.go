package identity_test

import (
	"slices"
	"testing"

	"idp/identity"
)

func proofs(methods ...identity.Method) []identity.Proof {
	var ps []identity.Proof
	for _, m := range methods {
		ps = append(ps, identity.Proof{Method: m, Category: m.Category()})
	}
	return ps
}

func TestAuthenticationContextTellsWhatWasProven(t *testing.T) {
	for _, c := range []struct {
		shown []identity.Method
		acr   string
		amr   []string
	}{
		{[]identity.Method{identity.Password}, "aal1", []string{"pwd"}},
		{[]identity.Method{identity.Password, identity.EmailCode}, "aal1", []string{"otp", "pwd"}},
		{[]identity.Method{identity.PhoneCode, identity.TOTP}, "aal1", []string{"otp", "sms"}},
		{[]identity.Method{identity.Password, identity.TOTP}, "aal2", []string{"mfa", "otp", "pwd"}},
		{[]identity.Method{identity.Passkey}, "phr", []string{"hwk", "mfa", "user"}},
	} {
		if got := identity.ACR(proofs(c.shown...)); got != c.acr {
			t.Errorf("%v: acr %s, want %s", c.shown, got, c.acr)
		}
		if got := identity.AMR(proofs(c.shown...)); !slices.Equal(got, c.amr) {
			t.Errorf("%v: amr %v, want %v", c.shown, got, c.amr)
		}
	}
}
