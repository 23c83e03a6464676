package provider

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"idp/internal/problem"
)

// The client authentication methods that exist (RFC 7591 §2).
const (
	authBasic      = "client_secret_basic"
	authPost       = "client_secret_post"
	authSecretJWT  = "client_secret_jwt"
	authPrivateJWT = "private_key_jwt"
	authNone       = "none"
)

const (
	maxURIs   = 50
	maxURI    = 2048
	maxScopes = 50
	maxText   = 256
	maxACRs   = 10
)

// complete fills in what a draft leaves out, by type: a web server keeps a secret; a page
// and an app are public and prove each request with PKCE; a machine signs in as itself.
func complete(c *Client) {
	if c.Type == "" {
		c.Type = Web
	}
	if (c.Type == SPA || c.Type == Native) && c.AuthMethod == "" && len(c.Secrets) == 0 {
		c.AuthMethod = authNone
	}
	completeGrants(c)
	if c.Public() {
		c.RequirePKCE = true
	}
	if len(c.Scopes) == 0 && c.forPerson() {
		c.Scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	for _, w := range []*Wrapping{&c.IDToken, &c.Userinfo, &c.RequestObject} {
		if w.JWE != "" && w.Enc == "" {
			w.Enc = "A128CBC-HS256" // OIDC Registration §2
		}
	}
	if c.AccessTokenFormat == "" {
		c.AccessTokenFormat = Opaque
	}
	c.Name = strings.TrimSpace(c.Name)
}

// validate refuses a client that is not safe for its type. It looks at the whole, so that
// every way of writing one meets the same rules.
func (c *Clients) validate(client Client) error {
	checks := []func(Client) error{
		validName, validMethod, validGrants, validScopes, validRedirects, c.validAddresses, validLinks, validTexts,
		validKeys, validAlgorithms, validTokens,
	}
	for _, check := range checks {
		if err := check(client); err != nil {
			return err
		}
	}
	if c.Production && client.Type != Native {
		return noLoopback(client)
	}
	return nil
}

func invalid(field, code, format string, args ...any) error {
	return problem.New(problem.Invalid, code, fmt.Sprintf(format, args...)).On(field)
}

func validName(c Client) error {
	if !slices.Contains([]ClientType{Web, SPA, Native, Machine}, c.Type) {
		return invalid("type", "client_type_unknown", "The type is one of web, spa, native or machine.")
	}
	if c.Name == "" || !plainText(c.Name) {
		return invalid("client_name", "client_name_invalid", "Give the app a name of at most %d characters.", maxText)
	}
	return nil
}

func validMethod(c Client) error {
	if !slices.Contains([]string{"", authBasic, authPost, authSecretJWT, authPrivateJWT, authNone}, c.AuthMethod) {
		return invalid("token_endpoint_auth_method", "auth_method_unsupported",
			"Supported are client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt and none.")
	}
	if c.Public() && (c.Type == Machine || slices.Contains(c.GrantTypes, grantMachine)) {
		return invalid("token_endpoint_auth_method", "auth_method_unsafe", "An app that signs in as itself needs a secret.")
	}
	if c.Public() && c.MayIntrospect {
		return invalid("may_introspect", "auth_method_unsafe", "An app that may introspect tokens needs a secret.")
	}
	if c.Public() && !c.RequirePKCE {
		return invalid("require_pkce", "pkce_required", "An app without a secret must use PKCE.")
	}
	return nil
}

func validScopes(c Client) error {
	if len(c.Scopes) > maxScopes {
		return invalid("scope", "scope_too_many", "At most %d scopes.", maxScopes)
	}
	for _, s := range c.Scopes {
		if !scopeToken(s) {
			return invalid("scope", "scope_invalid", "A scope is 1 to 128 visible characters without spaces, quotes or backslashes.")
		}
	}
	if len(c.Audience) > maxScopes || slices.ContainsFunc(c.Audience, func(a string) bool { return a == "" || !plainText(a) }) {
		return invalid("audience", "audience_invalid", "At most %d APIs, each named in at most %d characters.", maxScopes, maxText)
	}
	return nil
}

// scopeToken reports whether s is a scope-token (RFC 6749 §3.3) of a bearable length.
func scopeToken(s string) bool {
	bad := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, bad)
}

// validTexts checks what is only repeated, or compared with what a request says.
func validTexts(c Client) error {
	if len(c.Contacts) > maxURIs || slices.ContainsFunc(c.Contacts, func(s string) bool { return !plainText(s) }) {
		return invalid("contacts", "contact_invalid", "At most %d contacts, each of at most %d plain characters.", maxURIs, maxText)
	}
	for field, text := range map[string]string{"software_id": c.SoftwareID, "software_version": c.SoftwareVersion} {
		if !plainText(text) {
			return invalid(field, "text_invalid", "At most %d plain characters.", maxText)
		}
	}
	if len(c.DefaultACRs) > maxACRs || slices.ContainsFunc(c.DefaultACRs, func(s string) bool { return !scopeToken(s) }) {
		return invalid("default_acr_values", "acr_invalid", "At most %d values, each without spaces.", maxACRs)
	}
	if c.DefaultMaxAge != nil && (*c.DefaultMaxAge < 0 || *c.DefaultMaxAge > 1<<30) {
		return invalid("default_max_age", "max_age_invalid", "Give a number of seconds, 0 or more.")
	}
	return validTranslations(c.Metadata)
}

// plainText reports whether a text is short and has no characters that cannot be seen.
func plainText(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, control)
}

// control reports characters that cannot be seen, and could turn a name into another's on
// the consent page. The two joiners are spelling in some scripts.
func control(r rune) bool {
	joiner := r == '\u200c' || r == '\u200d'
	return unicode.IsControl(r) || !joiner && unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}
