package identity

import (
	"fmt"
	"slices"
	"strings"

	"idp/internal/problem"
)

// Ruling is what is done with a sort of addresses.
type Ruling string

// The rulings.
const (
	Allow  Ruling = "allow"
	Refuse Ruling = "refuse"
)

// AddressRules say which e-mail addresses people may bring along by themselves. They hold
// for new addresses only: whoever has one on file keeps it and signs in with it.
//
// Allowed and Blocked hold addresses ("ann@example.com"), domains ("example.com": that
// domain and none below it) and what lies below a domain ("*.example.com": not the domain
// itself), as ParseAddressList spells them.
type AddressRules struct {
	Disposable   Ruling   `json:"disposable"`        // mailboxes that are thrown away after use
	Subaddresses Ruling   `json:"subaddresses"`      // "ann+news@example.com" (RFC 5233)
	Allowed      []string `json:"allowed,omitempty"` // nobody else, unless it is empty
	Blocked      []string `json:"blocked,omitempty"`
}

// DefaultAddressRules refuse only mailboxes that are thrown away after use.
func DefaultAddressRules() AddressRules {
	return AddressRules{Disposable: Refuse, Subaddresses: Allow}
}

// What a person reads whose address is not taken. None says whether anybody has it.
var (
	ErrAddressRefused    = problem.New(problem.Invalid, "email_refused", "You cannot sign up with this email address here. Use another address.").On("email")
	ErrAddressDisposable = problem.New(problem.Invalid, "email_disposable", "This looks like a throwaway mailbox. Use another address, one that you will keep.").On("email")
	ErrAddressTagged     = problem.New(problem.Invalid, "email_subaddress", "Addresses with a + are not accepted here. Use the address without the + and what follows it.").On("email")
)

// Check says whether somebody may bring the address along: nil, ErrAddressRefused,
// ErrAddressDisposable or ErrAddressTagged. The narrower entry wins: an address before its
// domain, and at equal width blocked before allowed. A blocked address is blocked with
// every tag; an allowed address or domain may be one that is known as disposable.
func (r AddressRules) Check(i Identifier) error {
	if i.Kind != Email {
		return nil
	}
	local, domain, _ := strings.Cut(i.Value, "@")
	plain, _, tagged := strings.Cut(local, "+")
	if slices.Contains(r.Blocked, i.Value) || tagged && slices.Contains(r.Blocked, plain+"@"+domain) {
		return ErrAddressRefused
	}
	if slices.Contains(r.Allowed, i.Value) {
		return nil
	}
	if names(r.Blocked, domain) {
		return ErrAddressRefused
	}
	switch {
	case names(r.Allowed, domain):
	case len(r.Allowed) > 0:
		return ErrAddressRefused
	case r.Disposable != Allow && Disposable(domain):
		return ErrAddressDisposable
	}
	if tagged && r.Subaddresses == Refuse {
		return ErrAddressTagged
	}
	return nil
}

// names reports whether a list has the domain, or all that lies below one of its parents.
func names(list []string, domain string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		parent, below := strings.CutPrefix(entry, "*")
		return entry == domain || below && strings.HasSuffix(domain, parent)
	})
}

// longestList bounds a list: it is read at every sign-up.
const longestList = 1000

// ParseAddressList reads a list as an operator types it, one entry a line. Empty lines are
// passed over, "@example.com" is taken for the domain, and entries become canonical:
// domains in ASCII (IDNA) and lower case. What is no entry is problem.Invalid, with its line.
func ParseAddressList(text string) ([]string, error) {
	var list []string
	n := 0
	for line := range strings.Lines(text) {
		n++
		typed := strings.TrimSpace(line)
		if typed == "" {
			continue
		}
		entry, ok := listEntry(typed)
		if !ok {
			return nil, problem.New(problem.Invalid, "address_list_invalid",
				fmt.Sprintf("Line %d is none of these: name@example.com, example.com, *.example.com.", n))
		}
		if !slices.Contains(list, entry) {
			list = append(list, entry)
		}
	}
	if len(list) > longestList {
		return nil, problem.New(problem.Invalid, "address_list_long", fmt.Sprintf("Enter at most %d lines.", longestList))
	}
	return list, nil
}

// listEntry is the canonical form of one line. A domain is what may stand behind an @; one
// label is enough where all below it is meant.
func listEntry(typed string) (string, bool) {
	name := strings.TrimPrefix(typed, "@")
	if name == typed && strings.Contains(typed, "@") {
		i, err := ParseEmail(typed)
		return i.Value, err == nil && !strings.Contains(typed, "*") // nobody means a mailbox called *
	}
	parent, below := strings.CutPrefix(name, "*.")
	if below {
		name = "x." + parent
	}
	i, err := ParseEmail("x@" + name)
	domain := strings.TrimPrefix(i.Value, "x@")
	if below {
		domain = "*" + strings.TrimPrefix(domain, "x")
	}
	return domain, err == nil
}

// Validate returns problem.Invalid, on the field at fault, for an unknown ruling and for a
// list that ParseAddressList would not make.
func (r AddressRules) Validate() error {
	switch {
	case r.Disposable != Allow && r.Disposable != Refuse:
		return errRuling.On("disposable")
	case r.Subaddresses != Allow && r.Subaddresses != Refuse:
		return errRuling.On("subaddresses")
	case !canonical(r.Allowed):
		return errList.On("allowed")
	case !canonical(r.Blocked):
		return errList.On("blocked")
	}
	return nil
}

var (
	errRuling = problem.New(problem.Invalid, "ruling_unknown", "Such addresses are allowed or refused.")
	errList   = problem.New(problem.Invalid, "address_list_invalid", "Spell each entry once, in lower case, with the domain in ASCII.")
)

func canonical(list []string) bool {
	again, err := ParseAddressList(strings.Join(list, "\n"))
	return err == nil && slices.Equal(again, list)
}
