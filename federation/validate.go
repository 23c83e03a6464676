package federation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"idp/internal/problem"
)

// The sizes of what an operator writes.
const (
	maxName     = 30
	maxTitle    = 60
	maxClientID = 512
	maxSecret   = 8 << 10 // octets; a private key in PEM fits
	maxScopes   = 50
	maxValue    = 300 // characters of a scope, a claim's name, an option
	maxURL      = 2000
	maxDomains  = 100
)

var (
	goodName  = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)
	goodScope = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`) // RFC 6749 §3.3
)

// claimKeys are what Connection.Claims may name.
var claimKeys = []string{"email", "family_name", "given_name", "locale", "name", "picture", "subject", "username"}

// wrong is a problem with what an operator wrote in one member.
func wrong(field, format string, args ...any) error {
	return problem.New(problem.Invalid, "connection_invalid", fmt.Sprintf(format, args...)).On(field)
}

// Check returns problem.Invalid, on the member at fault, unless people could be sent to the
// connection as it is written. It asks nobody: whether the provider is there is for Test to say.
// In production every address is https; in development http on this machine may be.
func (c Connection) Check(production bool) error {
	if c.Type == "" {
		c.Type = c.preset().Type
	}
	for _, err := range []error{c.checkName(), c.checkPreset(), c.checkType(), c.checkProtocol(production), c.checkClaims(), c.checkDomains(), c.checkTrust()} {
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckName is what Check says of the name alone.
func CheckName(name string) error {
	switch {
	case name == "":
		return wrong("name", "Give it a name, like google or acme; it stands in addresses and cannot be changed.")
	case len(name) > maxName || !goodName.MatchString(name):
		return wrong("name", "A name has at most %d lower-case letters and digits, with single dashes between them.", maxName)
	case name == "new":
		return wrong("name", "That word is taken for the page where connections are made. Take another.")
	}
	return nil
}

func (c Connection) checkName() error {
	if err := CheckName(c.Name); err != nil {
		return err
	}
	if utf8.RuneCountInString(c.Title) > maxTitle || !printable(c.Title) || c.Title != strings.TrimSpace(c.Title) {
		return wrong("title", "A title has at most %d characters, in one line, without space around it.", maxTitle)
	}
	return nil
}

func (c Connection) checkType() error {
	switch c.Type {
	case OIDC, OAuth2, SAML:
		return c.checkStrangers()
	case "":
		return wrong("type", "Say the type: oidc, oauth2 or saml.")
	}
	return wrong("type", "There is no type %q: it is oidc, oauth2 or saml.", c.Type)
}

// checkStrangers refuses members that a connection of this type has no use for: whoever wrote
// them expects something of them.
func (c Connection) checkStrangers() error {
	of := func(t Type) map[string]bool { // what is there that belongs to a type
		switch t {
		case SAML:
			return map[string]bool{
				"metadata_url": c.MetadataURL != "", "metadata": c.Metadata != "", "entity_id": c.EntityID != "",
				"entry_point": c.EntryPoint != "", "certificate": c.Certificate != "", "idp_initiated": c.IDPInitiated,
			}
		case OAuth2:
			return map[string]bool{
				"authorization_endpoint": c.AuthorizationEndpoint != "", "token_endpoint": c.TokenEndpoint != "", "userinfo_endpoint": c.UserinfoEndpoint != "",
			}
		default:
		}
		return map[string]bool{
			"preset": c.Preset != "", "issuer": c.Issuer != "", "client_id": c.ClientID != "", "client_secret": !c.ClientSecret.Empty(),
			"scopes": len(c.Scopes) > 0, "options": len(c.Options) > 0, "keep_tokens": c.KeepTokens,
		}
	}
	strange := map[string]bool{}
	switch c.Type {
	case SAML:
		maps.Copy(strange, of(OIDC))
		maps.Copy(strange, of(OAuth2))
	case OIDC:
		maps.Copy(strange, of(SAML))
		maps.Copy(strange, of(OAuth2))
	case OAuth2:
		maps.Copy(strange, of(SAML))
	}
	for _, field := range slices.Sorted(maps.Keys(strange)) {
		if strange[field] {
			return wrong(field, "A connection of type %s has no use for %s. Leave it out.", c.Type, field)
		}
	}
	return nil
}

func (c Connection) checkProtocol(production bool) error {
	if c.Type == SAML {
		return c.checkSAML(production)
	}
	for _, err := range []error{c.checkClient(), c.checkOptions()} {
		if err != nil {
			return err
		}
	}
	return c.checkEndpoints(production)
}

// checkClient looks at what we are there.
func (c Connection) checkClient() error {
	switch {
	case c.ClientID == "":
		return wrong("client_id", "Give the client id that the provider shows for the app you registered there.")
	case len(c.ClientID) > maxClientID || !printable(c.ClientID): // a space is allowed (RFC 6749 §A.1)
		return wrong("client_id", "A client id has at most %d characters, all of them printable. Copy it again.", maxClientID)
	case c.ClientSecret.Empty() && c.dialect().Auth != AuthNone:
		return wrong("client_secret", "Give the client secret that the provider shows for the app you registered there.")
	case len(c.ClientSecret.Reveal()) > maxSecret:
		return wrong("client_secret", "A client secret has at most %d characters.", maxSecret)
	case len(c.Scopes) > maxScopes:
		return wrong("scopes", "Ask for at most %d scopes.", maxScopes)
	case c.Type == OIDC && c.Preset == "" && len(c.Scopes) > 0 && !slices.Contains(c.Scopes, "openid"):
		return wrong("scopes", "Add the scope openid: without it the provider says nobody's identity. Or leave scopes out for the usual ones.")
	}
	for i, s := range c.Scopes {
		switch {
		case len(s) > maxValue || !goodScope.MatchString(s):
			return wrong("scopes", "%q is no scope: a scope is one word. Give a list of them.", s)
		case slices.Contains(c.Scopes[:i], s):
			return wrong("scopes", "The scope %q is there twice.", s)
		}
	}
	return nil
}

// plainOptions are what may be said of a provider that is no preset, and how.
var plainOptions = map[string][]string{
	"pkce": {"no"}, "max_age": {"no"}, "token_auth": {string(AuthBasic), string(AuthPost), string(AuthNone)},
}

// checkOptions looks at options without a preset; checkPreset looks at the others.
func (c Connection) checkOptions() error {
	for _, key := range slices.Sorted(maps.Keys(c.Options)) {
		switch allowed, known := plainOptions[key]; {
		case c.Preset != "":
		case !known:
			return wrong("options."+key, "There is no option %q. Without a preset those there are: %s.", key, strings.Join(slices.Sorted(maps.Keys(plainOptions)), ", "))
		case !slices.Contains(allowed, c.Options[key]):
			return wrong("options."+key, "The option %s is one of: %s.", key, strings.Join(allowed, ", "))
		}
	}
	return nil
}

// checkEndpoints looks at where the provider is.
func (c Connection) checkEndpoints(production bool) error {
	needed := c.Preset == "" // a preset knows
	ends := []struct {
		field, value, what string
		needed             bool
	}{
		{"issuer", c.Issuer, "the issuer, like https://login.example.com: what stands before /.well-known/openid-configuration", needed && c.Type == OIDC},
		{"authorization_endpoint", c.AuthorizationEndpoint, "the address where people of the provider are asked for their consent", needed && c.Type == OAuth2},
		{"token_endpoint", c.TokenEndpoint, "the address where a code becomes a token", needed && c.Type == OAuth2},
		{"userinfo_endpoint", c.UserinfoEndpoint, "the address that says who the person is", needed && c.Type == OAuth2},
	}
	for _, e := range ends {
		if e.value == "" && e.needed {
			return wrong(e.field, "Give %s.", e.what)
		}
		if e.value != "" {
			if err := checkAddress(e.field, e.value, e.field != "issuer", production); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c Connection) checkClaims() error {
	for _, key := range slices.Sorted(maps.Keys(c.Claims)) {
		switch v := c.Claims[key]; {
		case !slices.Contains(claimKeys, key):
			return wrong("claims."+key, "There is no claim %q to map. Those there are: %s.", key, strings.Join(claimKeys, ", "))
		case v == "" || len(v) > maxValue || !printable(v):
			return wrong("claims."+key, "Give the name under which the provider sends it, at most %d characters.", maxValue)
		}
	}
	return nil
}

func (c Connection) checkTrust() error {
	switch c.Trust.Email {
	case "", TrustNever:
	case TrustClaim:
		if c.Type == SAML {
			return wrong("trust.email", "A SAML provider is believed about addresses of its domains alone. Leave this out, or choose never.")
		}
	case TrustDomains:
		if len(c.Domains) == 0 {
			return wrong("trust.email", "Name the domains whose addresses the provider hands out, or choose never or claim.")
		}
	default:
		return wrong("trust.email", "There is no rule %q about email addresses: it is never, claim or domains, or left out.", c.Trust.Email)
	}
	return nil
}

// printable reports whether a text is one line that shows as it is.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
