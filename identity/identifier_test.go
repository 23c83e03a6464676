package identity_test

import (
	"strings"
	"testing"

	"idp/identity"
	"idp/internal/problem"
)

func TestAnAddressHasOneCanonicalSpelling(t *testing.T) {
	for typed, want := range map[string]string{
		"ann@acme.org":          "ann@acme.org",
		"  Ann.Smith@ACME.org ": "ann.smith@acme.org",
		"ann+news@acme.org":     "ann+news@acme.org",
		"ann@bücher.example":    "ann@xn--bcher-kva.example",
		"ann@localhost":         "ann@localhost",
		"jose\u0301@acme.org":   "josé@acme.org",
		"o'neil_%-x@acme.co.uk": "o'neil_%-x@acme.co.uk",
	} {
		got, err := identity.ParseEmail(typed)
		if err != nil || got.Value != want || got.Kind != identity.Email {
			t.Errorf("%q became %q (%v), want %q", typed, got.Value, err, want)
		}
	}
}

func TestWhatParsersDisagreeAboutIsNoAddress(t *testing.T) {
	for _, typed := range []string{
		"", "ann", "@acme.org", "ann@", "ann@acme", "a@b@acme.org", "ann@acme.org,bob@acme.org",
		`"ann@evil.org"@acme.org`, `"ann"@acme.org`, "ann (hi)@acme.org", "Ann <ann@acme.org>",
		"ann@acme.org\r\nBcc: eve@evil.org", "ann\x00@acme.org", "ann@acme.org\u200b", "ann@[127.0.0.1]",
		"ann\u202e@acme.org", "ann＠acme.org", ".ann@acme.org", "ann..b@acme.org", "ann@-acme.org",
		strings.Repeat("a", 250) + "@acme.org",
	} {
		if got, err := identity.ParseEmail(typed); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q was taken for %q (%v)", typed, got.Value, err)
		}
	}
}

func FuzzParsingAnAddressIsStable(f *testing.F) {
	f.Add("Ann@Acme.org")
	f.Add("a@b@c")
	f.Fuzz(func(t *testing.T, typed string) {
		once, err := identity.ParseEmail(typed)
		if err != nil {
			return
		}
		again, err := identity.ParseEmail(once.Value)
		if err != nil || again != once {
			t.Errorf("%q → %q → %q (%v)", typed, once.Value, again.Value, err)
		}
		if strings.ContainsAny(once.Value, "\r\n\x00 ") {
			t.Errorf("%q carries control characters", once.Value)
		}
	})
}

func TestMaskingShowsOneLetterAndTheDomain(t *testing.T) {
	i, _ := identity.ParseEmail("ann@acme.org")
	if got := i.Mask(); got != "a•••@acme.org" {
		t.Error(got)
	}
}
