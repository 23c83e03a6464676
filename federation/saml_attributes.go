package federation

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/crewjam/saml"

	"idp/internal/secret"
)

// amrClaims are the attributes in which providers say how somebody proved themselves.
var amrClaims = []string{"http://schemas.microsoft.com/claims/authnmethodsreferences", "amr"}

// assertSAML makes of what a provider said an assertion, judged. The subject is the name that the
// provider gave the person, which must be one for ever: where it gives another each time, the
// operator has to map an attribute that stays.
func (f *Federation) assertSAML(c Connection, entityID, audience string, s said) (Assertion, error) {
	claims := s.claims()
	for _, ours := range []string{"sub", "acr", "amr"} {
		if c.Claims["subject"] != ours {
			delete(claims, ours)
		}
	}
	for _, name := range amrClaims {
		if methods := s.values(name); len(methods) > 0 {
			claims["amr"] = list(methods)
		}
	}
	if s.name.Format != transientFormat {
		claims["sub"] = s.name.subject(entityID, audience)
	} else if c.Claims["subject"] == "" {
		return Assertion{}, errors.New("the provider names people anew each time: map an attribute as subject")
	}
	if s.name.Format == emailFormat && c.said(claims, "email") == nil {
		claims["email"] = s.name.Value
	}
	contexts := []string{}
	if s.context != "" {
		contexts = append(contexts, s.context)
	}
	for _, method := range texts(claims["amr"]) { // Microsoft names the second step among them, as a context
		if strings.Contains(method, "://") {
			contexts = append(contexts, method)
		}
	}
	if len(contexts) > 0 {
		claims["acr"] = list(contexts)
	}
	a, err := f.assert(c, entityID, claims)
	if err != nil {
		return Assertion{}, err
	}
	a.AuthTime, a.Session, a.NameID = s.authTime, s.sessionIndex, s.name.element()
	a.NameKey = f.nameKey(c, s.name, entityID, audience)
	return a, nil
}

// claims are the attributes by each of their names.
func (s said) claims() map[string]any {
	claims := map[string]any{}
	for _, a := range s.attributes {
		for _, name := range a.names {
			if all := s.values(name); len(all) == 1 {
				claims[name] = all[0]
			} else if len(all) > 1 {
				claims[name] = list(all)
			}
		}
	}
	return claims
}

// values are all that was said under a name.
func (s said) values(name string) (all []string) {
	for _, a := range s.attributes {
		if slices.Contains(a.names, name) {
			all = append(all, a.values...)
		}
	}
	return all
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
