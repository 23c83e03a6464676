package federation

import (
	"cmp"
	"errors"
	"strings"

	"github.com/crewjam/saml"

	"idp/internal/secret"
)

type usualName struct {
	claim string
	names []string
}

// usualNames are the attributes in which providers send what OpenID Connect has a claim for: by
// the name of eduPerson and LDAP, its OID, that of Microsoft, and what people type in by hand.
var usualNames = []usualName{
	{"email", []string{
		"urn:oid:0.9.2342.19200300.100.1.3", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
		"mail", "email", "emailAddress", "Email", "user.email", "http://schemas.xmlsoap.org/claims/EmailAddress",
	}},
	{"given_name", []string{
		"urn:oid:2.5.4.42", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "givenName", "given_name", "firstName", "FirstName", "first_name",
	}},
	{"family_name", []string{
		"urn:oid:2.5.4.4", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "sn", "surname", "family_name", "lastName", "LastName", "last_name",
	}},
	{"name", []string{
		"urn:oid:2.16.840.1.113730.3.1.241", "http://schemas.microsoft.com/identity/claims/displayname", "displayName", "display_name", "name",
		"urn:oid:2.5.4.3", "cn", "http://schemas.xmlsoap.org/claims/CommonName",
	}},
	{"preferred_username", []string{
		"urn:oid:0.9.2342.19200300.100.1.1", "uid", "preferred_username", "username", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
		"urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "eduPersonPrincipalName",
	}},
	{"locale", []string{"urn:oid:2.16.840.1.113730.3.1.39", "preferredLanguage", "locale", "language"}},
	{"picture", []string{"picture", "avatar", "photo_url"}},
	{"amr", []string{"http://schemas.microsoft.com/claims/authnmethodsreferences", "amr"}},
}

// assertSAML makes of what a provider said an assertion, judged. The subject is the name that the
// provider gave the person, which must be one for ever: where it gives another each time, the
// operator has to map an attribute that stays.
func (c Connection) assertSAML(entityID, audience string, s said) (Assertion, error) {
	claims := s.claims()
	delete(claims, "sub")
	delete(claims, "acr")
	if s.name.Format != transientFormat {
		claims["sub"] = s.name.subject(entityID, audience)
	} else if c.Claims["subject"] == "" {
		return Assertion{}, errors.New("the provider names people anew each time: map an attribute as subject")
	}
	if _, told := claims["email"]; !told && s.name.Format == emailFormat {
		claims["email"] = s.name.Value
	}
	if s.context != "" {
		claims["acr"] = s.context
	}
	a, err := c.assert(entityID, claims)
	if err != nil {
		return Assertion{}, err
	}
	a.AuthTime, a.Session, a.NameID = s.authTime, s.sessionIndex, s.name.element()
	return a, nil
}

// claims are the attributes under their own names and, where these are the usual ones, under
// those of OpenID Connect.
func (s said) claims() map[string]any {
	all := map[string][]string{}
	for _, a := range s.attributes {
		for _, name := range a.names {
			if name != "" {
				all[name] = append(all[name], a.values...)
			}
		}
	}
	claims := map[string]any{}
	for name, values := range all {
		if len(values) > 0 {
			claims[name] = single(values)
		}
	}
	for _, usual := range usualNames {
		for _, name := range usual.names {
			if values := all[name]; len(values) > 0 {
				claims[usual.claim] = usual.value(values)
				break
			}
		}
	}
	return claims
}

func (u usualName) value(values []string) any {
	if u.claim == "amr" {
		return list(values)
	}
	return values[0]
}

func single(values []string) any {
	if len(values) == 1 {
		return values[0]
	}
	return list(values)
}

func list(values []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// subject is the name with its qualifiers, unless these are the ones that it has without saying
// so (Core §8.3.7). What joins them is escaped, so that no two names become one.
func (n nameID) subject(entityID, audience string) string {
	escape := strings.NewReplacer("%", "%25", "!", "%21").Replace
	by, to := cmp.Or(n.NameQualifier, entityID), cmp.Or(n.SPNameQualifier, audience)
	if by == entityID && to == audience {
		return escape(n.Value)
	}
	return string(secret.DigestOf(escape(by)+"!"+escape(to))) + "!" + escape(n.Value)
}

// element is the name in XML, as a request to sign out has to repeat it.
func (n nameID) element() string {
	el := (&saml.NameID{Value: n.Value, Format: n.Format, NameQualifier: n.NameQualifier, SPNameQualifier: n.SPNameQualifier}).Element()
	el.CreateAttr("xmlns:saml", nsAssertion)
	b, err := document(el)
	if err != nil {
		return "" // it was read from XML, so it can be written
	}
	return string(b)
}
