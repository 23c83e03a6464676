package identity_test

import (
	"strings"
	"testing"

	"idp/identity"
	"idp/internal/problem"
)

func TestAPhoneNumberHasOneCanonicalSpelling(t *testing.T) {
	for typed, want := range map[string]string{
		"+442079460018":             "+442079460018",
		" +44 (0)20 7946 0018 ":     "+442079460018", // the trunk zero is not dialled from abroad
		"+49 30 123456":             "+4930123456",
		"+1 (212) 555-0123":         "+12125550123",
		"+442079460018\n":           "+442079460018",
		"+39 06 6982":               "+39066982", // Italy keeps its zero
		"+64.21.123.4567":           "+64211234567",
		"+1\u00a0425\u00a0555-1212": "+14255551212",
	} {
		got, err := identity.ParsePhone(typed)
		if err != nil || got.Value != want || got.Kind != identity.Phone {
			t.Errorf("%q became %q (%v), want %q", typed, got.Value, err, want)
		}
	}
}

func TestWhatIsNoPhoneNumberIsRefused(t *testing.T) {
	for _, typed := range []string{
		"", "+", "12125550123", "020 7946 0018", "+1 212 555 0123 ext. 4", "+1 212 555 0123;ext=4", "+1-800-FLOWERS", "+0 123456789",
		"+999 123456789", "+44 1", "+44 20 7946 0018 0018 0018", "tel:+442079460018", "++442079460018", "+\u0664\u0664 20 7946 0018",
		"+" + strings.Repeat("4", 70), "ann@acme.org",
	} {
		got, err := identity.ParsePhone(typed)
		if !problem.Is(err, problem.Invalid) {
			t.Errorf("%q was taken for %q (%v)", typed, got.Value, err)
		}
	}
}

func TestAMaskedPhoneNumberKeepsItsLastTwoDigits(t *testing.T) {
	if got := (identity.Identifier{Kind: identity.Phone, Value: "+442079460018"}).Mask(); got != "•••18" {
		t.Errorf("masked as %q", got)
	}
}
