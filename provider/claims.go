package provider

import (
	"slices"

	"idp/identity"
)

// profileClaims maps the claims of the scope profile to the person's fields (OIDC Core §5.4).
var profileClaims = []struct {
	name  string
	value func(identity.Profile) string
}{
	{"name", func(p identity.Profile) string { return p.Name }},
	{"given_name", func(p identity.Profile) string { return p.GivenName }},
	{"family_name", func(p identity.Profile) string { return p.FamilyName }},
	{"middle_name", func(p identity.Profile) string { return p.MiddleName }},
	{"nickname", func(p identity.Profile) string { return p.Nickname }},
	{"preferred_username", func(p identity.Profile) string { return p.PreferredUsername }},
	{"profile", func(p identity.Profile) string { return p.Page }},
	{"picture", func(p identity.Profile) string { return p.Picture }},
	{"website", func(p identity.Profile) string { return p.Website }},
	{"gender", func(p identity.Profile) string { return p.Gender }},
	{"birthdate", func(p identity.Profile) string { return p.Birthdate }},
	{"zoneinfo", func(p identity.Profile) string { return p.Zoneinfo }},
	{"locale", func(p identity.Profile) string { return p.Locale }},
}

// addressClaims are the members of the claim address.
var addressClaims = []struct {
	name  string
	value func(identity.Address) string
}{
	{"formatted", func(a identity.Address) string { return a.Formatted }},
	{"street_address", func(a identity.Address) string { return a.StreetAddress }},
	{"locality", func(a identity.Address) string { return a.Locality }},
	{"region", func(a identity.Address) string { return a.Region }},
	{"postal_code", func(a identity.Address) string { return a.PostalCode }},
	{"country", func(a identity.Address) string { return a.Country }},
}

// claimNames lists every claim there is, for the metadata.
func claimNames() []string {
	names := []string{
		"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash",
		"email", "email_verified", "address", "updated_at",
	}
	for _, c := range profileClaims {
		names = append(names, c.name)
	}
	slices.Sort(names)
	return names
}

// claimsOf returns what the scopes let a relying party know about the person. What they
// left empty is absent.
func claimsOf(s Standing, scopes []string) map[string]any {
	claims := map[string]any{"sub": string(s.User)}
	if slices.Contains(scopes, "profile") {
		for _, c := range profileClaims {
			if v := c.value(s.Person.Profile); v != "" {
				claims[c.name] = v
			}
		}
		claims["updated_at"] = s.Person.UpdatedAt.Unix()
	}
	if slices.Contains(scopes, "email") && s.Email.Identifier.Value != "" {
		claims["email"] = s.Email.Identifier.Value
		claims["email_verified"] = s.Email.Verified()
	}
	if slices.Contains(scopes, "address") {
		address := map[string]string{}
		for _, c := range addressClaims {
			if v := c.value(s.Person.Profile.Address); v != "" {
				address[c.name] = v
			}
		}
		if len(address) > 0 {
			claims["address"] = address
		}
	}
	return claims
}
