package federation

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"idp/identity"
)

// This file reads what a provider said. Only what is named here is read: a claim about roles,
// groups or anything else that decides what somebody may do has no place to go to.

const maxSubject = 255 // bytes (OIDC Core §2)

// usual is where values are if neither operator nor preset says otherwise.
var usual = map[string]string{
	"subject": "sub", "email": "email", "name": "name", "given_name": "given_name", "family_name": "family_name",
	"username": "preferred_username", "picture": "picture", "locale": "locale",
}

// usualSAML is where they are in assertions: by plain names, by those of X.500 and by Microsoft's.
var usualSAML = map[string][]string{
	"email":       {"email", "mail", "emailAddress", "user.email", "urn:oid:0.9.2342.19200300.100.1.3", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"},
	"name":        {"name", "displayName", "cn", "urn:oid:2.16.840.1.113730.3.1.241", "http://schemas.microsoft.com/identity/claims/displayname"},
	"given_name":  {"given_name", "givenName", "firstName", "first_name", "urn:oid:2.5.4.42", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"},
	"family_name": {"family_name", "sn", "surname", "lastName", "last_name", "urn:oid:2.5.4.4", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"},
	"username":    {"preferred_username", "uid", "urn:oid:0.9.2342.19200300.100.1.1"},
	"locale":      {"locale", "preferredLanguage", "urn:oid:2.16.840.1.113730.3.1.39"},
}

// assert makes an Assertion of checked claims. The protocols call it when signature, audience,
// times and all that is theirs are in order; claims are an ID token's merged with userinfo (merge),
// what an OAuth 2.0 provider answered, or the attributes of a SAML assertion with sub as its NameID
// and acr as its AuthnContextClassRef. issuer names whose subject it is: for OpenID Connect iss, for
// OAuth 2.0 the connection's issuer, for SAML the entity id. Without a subject it is ErrRefused;
// whatever else is odd is left out.
func (f *Federation) assert(c Connection, issuer string, claims map[string]any) (Assertion, error) {
	c = c.filled()
	if issuer == "" {
		return Assertion{}, fmt.Errorf("connection %s: nobody issued what it says", c.Name)
	}
	if c.Preset != "" && issuer != c.issuedBy(claims) {
		return Assertion{}, refuseFor(fmt.Errorf("%.200q", issuer), "it is of another issuer than the preset's")
	}
	if only := c.option("domain"); only != "" && c.dialect().Domain == "hd" && claims["hd"] != only {
		return Assertion{}, refuse("the account is not of the domain %s", only)
	}
	subject, err := c.subject(claims)
	if err != nil {
		return Assertion{}, refuseFor(err, "the claim for the subject is no name for anybody")
	}
	a := Assertion{Email: address(c.mail(claims)), Profile: c.profile(claims)}
	a.Account = identity.ExternalAccount{
		Method: c.Method(), Issuer: issuer, Subject: subject, Email: a.Email.Value, Username: a.Profile.PreferredUsername,
	}
	if a.Account.Username == "" {
		a.Account.Username = a.Profile.Name
	}
	a.habit = c.habit(claims)
	a.Verdict = judge(c, a.Email, claims, f.foreign(c, a.Email))
	if c.Trust.MFA {
		a.Vouched, a.Both = vouched(claims)
	}
	return a, nil
}

// where returns the places at which a value may be, the first that has one counts.
func (c Connection) where(name string) []string {
	if at := c.Claims[name]; at != "" {
		return []string{at}
	}
	switch at, ok := c.preset().Claims[name]; {
	case ok && at == "":
		return nil
	case ok:
		return []string{at}
	}
	if all := usualSAML[name]; c.Type == SAML && all != nil {
		return all
	}
	return []string{usual[name]}
}

// said returns what is said of something, nil if nothing is. An attribute of SAML is a list, and
// means something if it has one entry.
func (c Connection) said(claims map[string]any, name string) any {
	for _, at := range c.where(name) {
		v := lookup(claims, at)
		if c.Type == SAML {
			switch list := v.(type) {
			case []string:
				if v = nil; len(list) == 1 {
					v = list[0]
				}
			case []any:
				if v = nil; len(list) == 1 {
					v = list[0]
				}
			}
		}
		if v != nil && v != "" {
			return v
		}
	}
	return nil
}

// lookup finds a value by its name or, if there is none of that name, by the way to it: "a.b.0".
func lookup(claims map[string]any, path string) any {
	if v, ok := claims[path]; ok {
		return v
	}
	var at any = claims
	for step := range strings.SplitSeq(path, ".") {
		switch in := at.(type) {
		case map[string]any:
			at = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			at = in[i]
		default:
			return nil
		}
	}
	return at
}

// subject returns who it is: a text as it is, or a whole number.
func (c Connection) subject(claims map[string]any) (string, error) {
	v := c.said(claims, "subject")
	s, ok := v.(string)
	if !ok {
		s = number(v)
	}
	if s == "" || s == "0" && !ok || len(s) > maxSubject || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fmt.Errorf("its subject, a %T, is no name for anybody", v)
	}
	return s, nil
}

const maxExact = 1 << 53 // above it, float64 is not exact

// number returns a whole number that is not negative and exactly what was sent, "" if it is none.
func number(v any) string {
	switch n := v.(type) {
	case float64:
		if n >= 0 && n < maxExact && n == math.Trunc(n) && !math.Signbit(n) {
			return strconv.FormatInt(int64(n), 10)
		}
	case json.Number:
		if u, err := strconv.ParseUint(string(n), 10, 64); err == nil {
			return strconv.FormatUint(u, 10)
		}
	case int:
		if n >= 0 {
			return strconv.Itoa(n)
		}
	case int64:
		if n >= 0 {
			return strconv.FormatInt(n, 10)
		}
	}
	return ""
}

// mail returns what the provider says that the person's address is.
func (c Connection) mail(claims map[string]any) any {
	if list := c.preset().Emails; list.In != "" && c.Claims["email"] == "" {
		entry, _ := list.meant(claims)
		return entry[list.Address]
	}
	return c.said(claims, "email")
}

// address returns an address that we could write to, none if v is none. It must be spelled so
// that it can only be that one: a letter that is another one when it is folded ("K" the unit, "ı")
// would make a stranger's address of it.
func address(v any) identity.Identifier {
	raw, ok := v.(string)
	if !ok || strings.TrimSpace(raw) != raw {
		return identity.Identifier{}
	}
	id, err := identity.ParseEmail(raw)
	if err != nil {
		return identity.Identifier{}
	}
	rawLocal, rawDomain, _ := strings.Cut(raw, "@")
	local, domain, _ := strings.Cut(id.Value, "@")
	if lower(rawLocal) != local || strings.HasSuffix(domain, ".") {
		return identity.Identifier{}
	}
	if lower(rawDomain) != domain {
		if shown, err := idna.Lookup.ToUnicode(domain); err != nil || shown != lower(rawDomain) {
			return identity.Identifier{}
		}
	}
	for _, end := range unwritable {
		if strings.HasSuffix(domain, end) {
			return identity.Identifier{}
		}
	}
	return id
}

// unwritable are domains that providers put in place of an address and where nothing arrives.
var unwritable = []string{"noreply.github.com", ".invalid"}

// lower folds the letters of ASCII and no others.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// profile returns what the provider says beside. Whatever relying parties could not read is left out.
func (c Connection) profile(claims map[string]any) identity.Profile {
	var p identity.Profile
	for name, into := range map[string]*string{
		"name": &p.Name, "given_name": &p.GivenName, "family_name": &p.FamilyName, "username": &p.PreferredUsername, "locale": &p.Locale,
	} {
		said := identity.Profile{Name: strings.TrimSpace(text(c.said(claims, name)))}
		if utf8.ValidString(said.Name) && said.Check() == nil {
			*into = said.Name
		}
	}
	if p.Name == "" {
		joined := identity.Profile{Name: strings.TrimSpace(p.GivenName + " " + p.FamilyName)}
		if joined.Check() == nil {
			p.Name = joined.Name
		}
	}
	p.Picture = c.picture(claims)
	return p
}

// picture returns where the person's picture is.
func (c Connection) picture(claims map[string]any) string {
	at := text(c.said(claims, "picture"))
	if template := c.preset().Picture; at == "" && template != "" && c.Claims["picture"] == "" {
		at = fillPicture(template, claims)
	}
	u, err := url.Parse(at)
	if said := (identity.Profile{Picture: at}); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || said.Check() != nil {
		return ""
	}
	return at
}

// fillPicture puts claims into a template; what is no plain name makes no picture.
func fillPicture(template string, claims map[string]any) string {
	whole := true
	at := blank.ReplaceAllStringFunc(template, func(s string) string {
		v := text(claims[strings.Trim(s, "{}")])
		whole = whole && plainName(v)
		return v
	})
	if !whole {
		return ""
	}
	return at
}

func plainName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
