package conformance

import "strings"

// claimModules are about what a relying party gets to know.
var claimModules = []module{
	{name: "oidcc-scope-profile", do: scopes("profile"), wants: "the claims of profile"},
	{name: "oidcc-scope-email", do: scopes("email"), wants: "the claims of email"},
	{name: "oidcc-scope-address", do: scopes("address"), wants: "the claims of address"},
	{name: "oidcc-scope-phone", do: scopes("phone"), wants: "the claims of phone"},
	{name: "oidcc-scope-all", do: scopes("profile", "email", "address", "phone"), wants: "all of them at once"},
	{name: "oidcc-claims-essential", do: claimsEssential, wants: "name, asked for by the claims parameter alone"},
}

// claimsOf lists the claims of a scope (OIDC Core §5.4). The person has every one.
var claimsOf = map[string][]string{
	"profile": {"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
		"gender", "birthdate", "zoneinfo", "locale", "updated_at"},
	"email": {"email", "email_verified"}, "address": {"address"}, "phone": {"phone_number", "phone_number_verified"},
}

func scopes(names ...string) func(*run) {
	return func(m *run) {
		for _, name := range names {
			if !m.w.lists("scopes_supported", name) {
				m.Errorf("the scope %s is not on offer", name)
			}
		}
		o := m.flow(m.with("scope", "openid "+strings.Join(names, " ")))
		known := o.info
		if known == nil { // no access token: it has to be in the ID token
			known = o.front.claims
		}
		for scope, claims := range claimsOf {
			asked := strings.Contains(" "+strings.Join(names, " ")+" ", " "+scope+" ")
			for _, name := range claims {
				if v := known[name]; asked != (v != nil) {
					m.Errorf("%s is %v, for the scopes %s", name, v, names)
				}
			}
		}
		m.kinds(known)
	}
}

// kinds demands the JSON types of OIDC Core §5.1.
func (m *run) kinds(known map[string]any) {
	m.Helper()
	for name, v := range known {
		ok := true
		switch name {
		case "updated_at", "exp", "iat", "auth_time":
			_, ok = v.(float64)
		case "email_verified", "phone_number_verified":
			_, ok = v.(bool)
		case "address":
			_, ok = v.(map[string]any)
		case "amr", "groups", "roles", "aud":
		default:
			text, is := v.(string)
			ok = is && text != ""
		}
		if !ok {
			m.Errorf("%s is %T %v", name, v, v)
		}
	}
}

func claimsEssential(m *run) {
	where := "userinfo"
	if m.v.response == "id_token" {
		where = "id_token"
	}
	o := m.flow(m.with("claims", `{"`+where+`":{"name":{"essential":true}}}`))
	known := o.info
	if known == nil {
		known = o.front.claims
	}
	if known["name"] == nil {
		m.Errorf("there is no name: %v", known)
	}
	if known["email"] != nil || known["birthdate"] != nil {
		m.Errorf("more was told than asked: %v", known)
	}
}
