package provider

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"idp/internal/problem"
)

// The grant types that exist.
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantMachine = "client_credentials"
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
)

// complete fills in what a draft leaves out, by type: a web server keeps a secret; a page
// and an app are public and prove each request with PKCE; a machine signs in as itself.
func complete(c *Client) {
	if c.Type == "" {
		c.Type = Web
	}
	switch c.Type {
	case SPA, Native:
		if c.AuthMethod == "" && len(c.Secrets) == 0 {
			c.AuthMethod = authNone
		}
	case Machine:
		if len(c.GrantTypes) == 0 {
			c.GrantTypes = []string{grantMachine}
		}
	case Web: // the defaults below are its own
	}
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{grantCode, grantRefresh}
	}
	if c.Public() {
		c.RequirePKCE = true
	}
	people := slices.Contains(c.GrantTypes, grantCode)
	if len(c.ResponseTypes) == 0 && people {
		c.ResponseTypes = []string{"code"}
	}
	if len(c.Scopes) == 0 && people {
		c.Scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	c.Name = strings.TrimSpace(c.Name)
}

// validate refuses a client that is not safe for its type. It looks at the whole, so that
// every way of writing one meets the same rules.
func (c *Clients) validate(client Client) error {
	checks := []func(Client) error{validName, validMethod, validGrants, validScopes, validRedirects, validLinks}
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

// noLoopback keeps a client on the web off addresses that mean something else on every machine.
func noLoopback(c Client) error {
	for _, uri := range slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs) {
		if strings.HasPrefix(uri, "http:") {
			return invalid("redirect_uris", "redirect_uri_invalid", "The URI %q must use https in production; loopback is for native apps.", uri)
		}
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
	if c.Name == "" || len(c.Name) > maxText || !utf8.ValidString(c.Name) || strings.ContainsFunc(c.Name, control) {
		return invalid("client_name", "client_name_invalid", "Give the app a name of at most %d characters.", maxText)
	}
	return nil
}

func validMethod(c Client) error {
	if !slices.Contains([]string{"", authBasic, authPost, authNone}, c.AuthMethod) {
		return invalid("token_endpoint_auth_method", "auth_method_unsupported",
			"Supported are client_secret_basic, client_secret_post and none.")
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

func validGrants(c Client) error {
	for _, g := range c.GrantTypes {
		if !slices.Contains([]string{grantCode, grantRefresh, grantMachine}, g) {
			return invalid("grant_types", "grant_type_unsupported",
				"Supported are authorization_code, refresh_token and client_credentials.")
		}
	}
	code := slices.Contains(c.GrantTypes, grantCode)
	if slices.Contains(c.GrantTypes, grantRefresh) && !code {
		return invalid("grant_types", "grant_type_alone", "refresh_token needs authorization_code beside it.")
	}
	if len(c.GrantTypes) == 0 {
		return invalid("grant_types", "grant_type_missing", "Name at least one grant type.")
	}
	for _, r := range c.ResponseTypes {
		if r != "code" {
			return invalid("response_types", "response_type_unsupported", "The only response type is code.")
		}
	}
	if code != slices.Contains(c.ResponseTypes, "code") {
		return invalid("response_types", "response_type_mismatch", "authorization_code and the response type code belong together.")
	}
	return nil
}

func validScopes(c Client) error {
	if len(c.Scopes) > maxScopes || len(c.Audience) > maxScopes {
		return invalid("scope", "scope_too_many", "At most %d scopes.", maxScopes)
	}
	for _, s := range c.Scopes {
		if !scopeToken(s) {
			return invalid("scope", "scope_invalid", "A scope is 1 to 128 visible characters without spaces, quotes or backslashes.")
		}
	}
	return nil
}

// scopeToken reports whether s is a scope-token (RFC 6749 §3.3) of a bearable length.
func scopeToken(s string) bool {
	bad := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, bad)
}

func validRedirects(c Client) error {
	if slices.Contains(c.GrantTypes, grantCode) && len(c.RedirectURIs) == 0 {
		return invalid("redirect_uris", "redirect_uri_missing", "Name at least one redirect URI.")
	}
	if len(c.RedirectURIs) > maxURIs || len(c.PostLogoutRedirectURIs) > maxURIs {
		return invalid("redirect_uris", "redirect_uri_too_many", "At most %d redirect URIs.", maxURIs)
	}
	for _, uri := range c.RedirectURIs {
		if why := unsafeRedirect(uri, c.Type); why != "" {
			return invalid("redirect_uris", "redirect_uri_invalid", "The redirect URI %q %s.", uri, why)
		}
	}
	for _, uri := range c.PostLogoutRedirectURIs {
		if why := unsafeRedirect(uri, c.Type); why != "" {
			return invalid("post_logout_redirect_uris", "redirect_uri_invalid", "The URI %q %s.", uri, why)
		}
	}
	return nil
}

func validLinks(c Client) error {
	for field, uri := range map[string]string{
		"client_uri": c.URI, "logo_uri": c.LogoURI, "policy_uri": c.PolicyURI, "tos_uri": c.TermsURI,
	} {
		if uri != "" && !webLink(uri) {
			return invalid(field, "link_invalid", "Give an https address.")
		}
	}
	for _, contact := range c.Contacts {
		if len(contact) > maxText || strings.ContainsFunc(contact, control) {
			return invalid("contacts", "contact_invalid", "A contact has at most %d plain characters.", maxText)
		}
	}
	if len(c.Contacts) > maxURIs {
		return invalid("contacts", "contact_invalid", "At most %d contacts.", maxURIs)
	}
	return nil
}

// control reports characters that cannot be seen, and could turn a name into another's on
// the consent page. The two joiners are spelling in some scripts.
func control(r rune) bool {
	joiner := r == '\u200c' || r == '\u200d'
	return unicode.IsControl(r) || !joiner && unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}
