package federation

import (
	"cmp"
	"encoding/json"
	"errors"

	"idp/identity"
)

// dialect is how the connection's provider talks.
func (c Connection) dialect() Dialect {
	return Dialect{
		NoPKCE: c.Options["pkce"] == "no", NoMaxAge: c.Options["max_age"] == "no", Auth: Auth(c.Options["token_auth"]),
	}
}

// filled returns the connection with what its preset supplies.
func (c Connection) filled() Connection { return c }

// assert makes of what a provider said of a person an assertion, judged.
func (c Connection) assert(issuer string, claims map[string]any) (Assertion, error) {
	a := Assertion{Account: identity.ExternalAccount{
		Method: c.Method(), Issuer: issuer, Subject: c.text(claims, "subject", "sub"), Username: c.text(claims, "username", "preferred_username"),
	}}
	if a.Account.Subject == "" || len(a.Account.Subject) > 255 {
		return Assertion{}, errors.New("no subject, or one that is too long")
	}
	if address, err := identity.ParseEmail(c.text(claims, "email", "email")); err == nil {
		a.Email, a.Account.Email, a.Verdict = address, address.Value, judge(c, claims)
	}
	a.Profile.Name, a.Profile.Picture = c.text(claims, "name", "name"), c.text(claims, "picture", "picture")
	return a, nil
}

// text returns a claim that is a text or a whole number.
func (c Connection) text(claims map[string]any, what, usual string) string {
	switch v := claims[cmp.Or(c.Claims[what], usual)].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
