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

// standardScopes are the scopes that speak about people (OIDC Core §5.4, §11), and two of
// ours: what somebody belongs to, and what they may do.
var standardScopes = []string{"openid", "profile", "email", "address", "phone", "groups", "roles", "offline_access"}

// aboutToken are the claims that an ID token has of itself.
var aboutToken = []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "c_hash"}

// claim is one thing that can be known about a person, and the scope that gives it.
type claim struct {
	name, scope string
	value       func(Standing) any // nil if there is nothing to tell
}

// claims are all of them (OIDC Core §5.1, §5.4).
var claims = slices.Concat(profileScope(), []claim{
	{"updated_at", "profile", func(s Standing) any { return s.Person.UpdatedAt.Unix() }},
	{"email", "email", func(s Standing) any { return orNothing(s.Email.Identifier.Value) }},
	{"email_verified", "email", func(s Standing) any {
		if s.Email.Identifier.Value == "" {
			return nil
		}
		return s.Email.Verified()
	}},
	{"address", "address", address},
	{"phone_number", "phone", func(s Standing) any { return orNothing(s.Phone.Identifier.Value) }},
	{"phone_number_verified", "phone", func(s Standing) any {
		if s.Phone.Identifier.Value == "" {
			return nil
		}
		return s.Phone.Verified()
	}},
	{"groups", "groups", func(s Standing) any { return orEmpty(s.Person.Groups) }},
	{"roles", "roles", func(s Standing) any { return orEmpty(s.Person.Roles) }},
})

func profileScope() []claim {
	list := make([]claim, 0, len(profileClaims))
	for _, c := range profileClaims {
		list = append(list, claim{c.name, "profile", func(s Standing) any { return orNothing(c.value(s.Person.Profile)) }})
	}
	return list
}

func orNothing(v string) any {
	if v == "" {
		return nil
	}
	return v
}

// orEmpty makes a list of none: who asks for groups learns that there are none.
func orEmpty(list []string) any {
	if list == nil {
		return []string{}
	}
	return list
}

func address(s Standing) any {
	parts := map[string]string{}
	for _, c := range addressClaims {
		if v := c.value(s.Person.Profile.Address); v != "" {
			parts[c.name] = v
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return parts
}

// claimNames lists every claim there is, for the metadata.
func claimNames() []string {
	names := slices.Clone(aboutToken)
	for _, c := range claims {
		names = append(names, c.name)
	}
	slices.Sort(names)
	return names
}

// scopeOf returns the scope that a claim belongs to, "" if it is not one about a person.
func scopeOf(name string) string {
	for _, c := range claims {
		if c.name == name {
			return c.scope
		}
	}
	return ""
}

// tell returns what the scopes, and single claims asked for by name, let a client know
// about the person. A claim by name needs a scope that the client may ask for. What the
// person left empty is absent.
func tell(c Client, s Standing, scopes, names []string) map[string]any {
	told := map[string]any{}
	for _, one := range claims {
		named := slices.Contains(names, one.name) && slices.Contains(c.Scopes, one.scope)
		if !named && !slices.Contains(scopes, one.scope) {
			continue
		}
		if v := one.value(s); v != nil {
			told[one.name] = v
		}
	}
	return told
}

// always are the scopes whose claims are in every ID token: applications decide by them
// before they ask for anything else.
var always = []string{"groups", "roles"}

// idTokenClaims returns what an ID token tells about the person. The rest is read at
// userinfo, as the standard has it where there is an access token (OIDC Core §5.4).
func idTokenClaims(c Client, s Standing, all bool) map[string]any {
	scopes := s.Scopes
	if !all && !c.IDTokenClaims {
		scopes = slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return !slices.Contains(always, scope) })
	}
	if len(scopes) == 0 && len(s.Facts.Requested.IDToken) == 0 {
		return nil
	}
	return tell(c, s, scopes, s.Facts.Requested.IDToken)
}

// userinfoClaims returns what userinfo tells about the person to the holder of a token with
// those scopes.
func (p *Provider) userinfoClaims(c Client, s Standing, scopes []string) map[string]any {
	told := tell(c, s, scopes, s.Facts.Requested.Userinfo)
	told["sub"] = p.subject(c, s.User)
	return told
}
