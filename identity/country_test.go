package identity_test

import (
	"testing"

	"idp/identity"
)

func TestNumbersAreReachedInTheCountriesThatWereNamed(t *testing.T) {
	for _, c := range []struct {
		why    string
		list   []string
		number string
		want   bool
	}{
		{"nobody named any", nil, "+447400123456", true},
		{"by ISO code", []string{"DE", "GB"}, "+447400123456", true},
		{"by calling code", []string{"+44"}, "+447400123456", true},
		{"another country", []string{"DE", "+43"}, "+447400123456", false},
		{"one of those that share a calling code", []string{"US"}, "+12015550123", true},
		{"another of those", []string{"US"}, "+18765230123", false}, // Jamaica
		{"all of those", []string{"+1"}, "+18765230123", true},
		{"it earns with every message", nil, "+449012345678", false},
		{"the same, in a country that is named", []string{"+44"}, "+449012345678", false},
		{"it is sold per call", nil, "+447012345678", false},
	} {
		countries, err := identity.ParseCountries(c.list)
		if err != nil {
			t.Fatalf("%s: %v", c.why, err)
		}
		if got := countries.Reach(identity.Identifier{Kind: identity.Phone, Value: c.number}); got != c.want {
			t.Errorf("%s: %s in %v: %t", c.why, c.number, c.list, got)
		}
	}
	if (identity.Countries{}).Reach(identity.Identifier{Kind: identity.Email, Value: "ann@example.com"}) {
		t.Error("an email address is no number")
	}
}

func TestCountriesAreSpelledStrictly(t *testing.T) {
	for _, s := range []string{"gb", "UK", "44", "+", "+0", "+999", "XX", "", "+44 ", "+99999999"} {
		if _, err := identity.ParseCountries([]string{s}); err == nil {
			t.Errorf("%q passes", s)
		}
	}
}
