package identity

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"idp/internal/problem"
)

// ErrPhone is what a person reads who typed something that is no phone number.
var ErrPhone = problem.New(problem.Invalid, "phone_invalid", "Enter a phone number with its country code, like +44 20 7946 0018.").On("phone")

const maxPhone = 64 // bytes as typed

// ParsePhone returns the canonical form of a phone number: E.164, like +442079460018. The
// country code must be there, since we do not know where somebody is; extensions, letters
// and lengths that the country does not have are refused with ErrPhone.
func ParsePhone(typed string) (Identifier, error) {
	s := strings.TrimSpace(typed)
	if len(s) > maxPhone || !strings.HasPrefix(s, "+") || strings.ContainsFunc(s[1:], notDialled) {
		return Identifier{}, ErrPhone
	}
	n, err := phonenumbers.Parse(s, phonenumbers.UNKNOWN_REGION)
	if err != nil || n.GetExtension() != "" || !phonenumbers.IsPossibleNumber(n) {
		return Identifier{}, ErrPhone
	}
	return Identifier{Kind: Phone, Value: phonenumbers.Format(n, phonenumbers.E164)}, nil
}

// notDialled reports what is neither a digit nor how people space them.
func notDialled(r rune) bool { return !strings.ContainsRune("0123456789 ()-./\u00a0", r) }
