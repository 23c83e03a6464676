package identity_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"idp/identity"
	"idp/internal/problem"
)

func TestRulesJudgeTheCanonicalAddress(t *testing.T) {
	open := identity.AddressRules{Disposable: identity.Refuse, Subaddresses: identity.Refuse, Blocked: []string{
		"evil.example", "*.sub.example", "xn--bcher-kva.example", "eve@acme.org", "friend.example",
	}}
	only := identity.AddressRules{Disposable: identity.Refuse, Subaddresses: identity.Refuse,
		Allowed: []string{"corp.com", "*.corp.com", "ann@yopmail.com", "mailinator.com", "bob+x@else.org", "eve@blocked.example"},
		Blocked: []string{"bad.corp.com", "eve@corp.com", "blocked.example"}}
	for _, tt := range []struct {
		rules identity.AddressRules
		typed string
		want  error
	}{
		{open, "ann@acme.org", nil},
		{open, "ann@evil.example", identity.ErrAddressRefused},
		{open, " Ann@EVIL.Example ", identity.ErrAddressRefused},
		{open, "ann+x@evil.example", identity.ErrAddressRefused},
		{open, "ann@ｅｖｉｌ．example", identity.ErrAddressRefused}, // full width, mapped by IDNA
		{open, "ann@www.evil.example", nil},                    // a domain is not what lies below it
		{open, "ann@notevil.example", nil},
		{open, "ann@sub.example", nil},
		{open, "ann@a.sub.example", identity.ErrAddressRefused},
		{open, "ann@b.a.sub.example", identity.ErrAddressRefused},
		{open, "ann@asub.example", nil},
		{open, "ann@BÜCHER.example", identity.ErrAddressRefused},
		{open, "ann@XN--BCHER-KVA.example", identity.ErrAddressRefused},
		{open, "EVE@acme.org", identity.ErrAddressRefused},
		{open, "eve+2@acme.org", identity.ErrAddressRefused},
		{open, "steve@acme.org", nil},
		{open, "ann+news@acme.org", identity.ErrAddressTagged},
		{open, "+@acme.org", identity.ErrAddressTagged},
		{open, "ann@yopmail.com", identity.ErrAddressDisposable},
		{open, "ann@Mail.YopMail.com", identity.ErrAddressDisposable},
		{open, "ann@notyopmail.com", nil},
		{open, "a@yopmail.com.acme.org", nil},
		{open, "ann@duck.com", nil}, // a relay that people keep

		{only, "ann@corp.com", nil},
		{only, "ann@eu.corp.com", nil},
		{only, "ann@acme.org", identity.ErrAddressRefused},
		{only, "ann@corp.com.evil.org", identity.ErrAddressRefused},
		{only, "ann@evilcorp.com", identity.ErrAddressRefused},
		{only, "ann@bad.corp.com", identity.ErrAddressRefused},
		{only, "eve@corp.com", identity.ErrAddressRefused},
		{only, "ann+x@corp.com", identity.ErrAddressTagged},
		{only, "ann@yopmail.com", nil}, // an address that was named is welcome
		{only, "bob@yopmail.com", identity.ErrAddressRefused},
		{only, "ann@mailinator.com", nil}, // so is a domain
		{only, "bob+x@else.org", nil},
		{only, "eve@blocked.example", nil}, // the narrower entry wins

		{identity.AddressRules{Disposable: identity.Allow}, "ann+x@yopmail.com", nil},
		{identity.AddressRules{}, "ann@yopmail.com", identity.ErrAddressDisposable}, // what is not said is not allowed
		{identity.DefaultAddressRules(), "ann+x@acme.org", nil},
		{identity.DefaultAddressRules(), "ann@yopmail.com", identity.ErrAddressDisposable},
	} {
		address, err := identity.ParseEmail(tt.typed)
		if err != nil {
			t.Errorf("%q: %v", tt.typed, err)
		}
		if got := tt.rules.Check(address); !errors.Is(got, tt.want) {
			t.Errorf("%q: %v, want %v", tt.typed, got, tt.want)
		}
	}
	if err := only.Check(identity.Identifier{Kind: identity.Phone, Value: "+15550100"}); err != nil {
		t.Errorf("rules about e-mail judge a phone number: %v", err)
	}
}

func TestWhatCouldSlipPastADomainRuleIsNoAddress(t *testing.T) {
	for _, typed := range []string{"a@evil@corp.com", "a@corp.com@evil", "a@corp.com.", "a@.corp.com", "a@corp..com", "a@evil.com,corp.com", "a@corp.com\x00.evil.com", "a%evil.com@", `"a@evil.com"@corp.com`} {
		if got, err := identity.ParseEmail(typed); err == nil {
			t.Errorf("%q is taken for %q", typed, got.Value)
		}
	}
}

func TestAListIsReadByLine(t *testing.T) {
	got, err := identity.ParseAddressList(" Corp.COM \r\n\n@b.example\n*.Bücher.example\n*.gov\nAnn+X@corp.com\ncorp.com\nlocalhost")
	want := []string{"corp.com", "b.example", "*.xn--bcher-kva.example", "*.gov", "ann+x@corp.com", "localhost"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q %v", got, err)
	}
	if err := (identity.AddressRules{Disposable: "allow", Subaddresses: "allow", Allowed: got, Blocked: got}).Validate(); err != nil {
		t.Errorf("what was read is refused: %v", err)
	}
	for _, bad := range []string{"corp", "*", "*.", "*corp.com", "a.*.com", "**.corp.com", "*.*.com", "corp.com.", "@", "@@corp.com", "a@b@corp.com", "ann@*.corp.com",
		"*@corp.com", "corp.com, b.com", "https://corp.com", "corp.com/x", "# corp.com", ".corp.com", "*..com", "x y.com", "<corp.com>"} {
		list, err := identity.ParseAddressList("ok.example\n\n" + bad + "\nalso.example")
		if !problem.HasCode(err, "address_list_invalid") || !strings.Contains(detail(err), "Line 3 ") {
			t.Errorf("%q: %q %v", bad, list, err)
		}
	}
	var long strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&long, "d%d.example\n", i)
	}
	if _, err := identity.ParseAddressList(long.String()); !problem.HasCode(err, "address_list_long") {
		t.Errorf("a list without end: %v", err)
	}
}

func detail(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Detail
	}
	return ""
}

func TestRulesThatNobodyCouldTypeAreInvalid(t *testing.T) {
	for field, r := range map[string]identity.AddressRules{
		"disposable":   {Disposable: "never", Subaddresses: "allow"},
		"subaddresses": {Disposable: "allow"},
		"allowed":      {Disposable: "allow", Subaddresses: "allow", Allowed: []string{"corp.com", "corp.com"}},
		"blocked":      {Disposable: "allow", Subaddresses: "allow", Blocked: []string{"bücher.example"}},
	} {
		var p *problem.Error
		if err := r.Validate(); !errors.As(err, &p) || p.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestTheListOfThrowawayMailboxesIsSortedCanonicalAndNamesItsLicence(t *testing.T) {
	raw, err := os.ReadFile("disposable.txt")
	if err != nil {
		t.Fatal(err)
	}
	var domains []string
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, "#") {
			domains = append(domains, strings.TrimSuffix(line, "\n"))
		}
	}
	if len(domains) != 8883 || !slices.IsSorted(domains) || !strings.Contains(string(raw), "CC0 1.0") {
		t.Errorf("%d domains, sorted: %v", len(domains), slices.IsSorted(domains))
	}
	for i, d := range domains {
		address, err := identity.ParseEmail("x@" + d)
		if err != nil || address.Value != "x@"+d || i > 0 && d == domains[i-1] || !identity.Disposable(d) || !identity.Disposable("mail."+d) {
			t.Fatalf("%q cannot be met by an address, or is not found (%v)", d, err)
		}
	}
	for _, kept := range []string{"", "com", "gmail.com", "outlook.com", "icloud.com", "privaterelay.appleid.com", "duck.com", "mozmail.com", "simplelogin.com", "proton.me", "example.com", "acme.org"} {
		if identity.Disposable(kept) {
			t.Errorf("%q is taken for a throwaway", kept)
		}
	}
}
