package identity

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"idp/internal/problem"
)

// Profile holds the standard claims a person may fill in (OIDC Core §5.1),
// without e-mail and phone, which are addresses of their own. Empty means unsaid.
type Profile struct {
	Name              string  `json:"name,omitempty"`
	GivenName         string  `json:"given_name,omitempty"`
	FamilyName        string  `json:"family_name,omitempty"`
	MiddleName        string  `json:"middle_name,omitempty"`
	Nickname          string  `json:"nickname,omitempty"`
	PreferredUsername string  `json:"preferred_username,omitempty"`
	Page              string  `json:"profile,omitempty"`
	Picture           string  `json:"picture,omitempty"`
	Website           string  `json:"website,omitempty"`
	Gender            string  `json:"gender,omitempty"`
	Birthdate         string  `json:"birthdate,omitempty"`
	Zoneinfo          string  `json:"zoneinfo,omitempty"`
	Locale            string  `json:"locale,omitempty"`
	Address           Address `json:"address,omitzero"`
}

// Address is a postal address (OIDC Core §5.1.1).
type Address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}

const (
	maxClaim = 1000 // bytes of one claim
	maxName  = 200  // bytes of a group's or role's name
	maxNames = 200  // groups or roles of one person
)

// birthdate is a day, a year alone, or a day without its year (OIDC Core §5.1).
var birthdate = regexp.MustCompile(`^\d{4}(-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?$`)

// Check says which claim relying parties could not read: a text that is too long or holds
// control characters, an address that is no web address, a birthdate in another spelling.
func (p Profile) Check() error {
	for name, v := range map[string]string{
		"name": p.Name, "given_name": p.GivenName, "family_name": p.FamilyName, "middle_name": p.MiddleName, "nickname": p.Nickname,
		"preferred_username": p.PreferredUsername, "gender": p.Gender, "birthdate": p.Birthdate, "zoneinfo": p.Zoneinfo, "locale": p.Locale,
		"profile": p.Page, "picture": p.Picture, "website": p.Website, "address.locality": p.Address.Locality,
		"address.region": p.Address.Region, "address.postal_code": p.Address.PostalCode, "address.country": p.Address.Country,
	} {
		if len(v) > maxClaim || strings.ContainsFunc(v, unicode.IsControl) {
			return claimInvalid(name, "is too long or holds control characters")
		}
	}
	for name, v := range map[string]string{"address.formatted": p.Address.Formatted, "address.street_address": p.Address.StreetAddress} {
		if len(v) > maxClaim || strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' }) {
			return claimInvalid(name, "is too long or holds control characters")
		}
	}
	for name, v := range map[string]string{"profile": p.Page, "picture": p.Picture, "website": p.Website} {
		u, err := url.Parse(v)
		if v != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			return claimInvalid(name, "is no web address")
		}
	}
	if p.Birthdate != "" && !birthdate.MatchString(p.Birthdate) {
		return claimInvalid("birthdate", "is spelled like 1990-01-31, 1990, or 0000-01-31")
	}
	return nil
}

func claimInvalid(name, why string) error {
	return problem.New(problem.Invalid, "claim_invalid", name+" "+why+".").On(name)
}

// Names returns the names of groups or roles, each once, in their order. Empty ones, ones
// of more than 200 bytes or with control characters, and more than 200 are problem.Invalid
// on the field: all of them travel in every ID token.
func Names(field string, names []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for _, n := range names {
		n = strings.TrimSpace(n)
		if n == "" || len(n) > maxName || strings.ContainsFunc(n, unicode.IsControl) {
			return nil, problem.New(problem.Invalid, "name_invalid", "Each of the "+field+" has a name of at most 200 bytes, without control characters.").On(field)
		}
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	if len(out) > maxNames {
		return nil, problem.New(problem.Invalid, "names_too_many", "A person has at most 200 "+field+".").On(field)
	}
	return out, nil
}
