package provider

import (
	"net/url"
	"slices"
	"strings"
)

func validRedirects(c Client) error {
	if c.forPerson() && len(c.RedirectURIs) == 0 {
		return invalid("redirect_uris", "redirect_uri_missing", "Name at least one redirect URI.")
	}
	for field, uris := range map[string][]string{
		"redirect_uris": c.RedirectURIs, "post_logout_redirect_uris": c.PostLogoutRedirectURIs,
	} {
		if len(uris) > maxURIs {
			return invalid(field, "redirect_uri_too_many", "At most %d redirect URIs.", maxURIs)
		}
		for _, uri := range uris {
			if why := unsafeRedirect(uri, c.Type); why != "" {
				return invalid(field, "redirect_uri_invalid", "The redirect URI %q %s.", uri, why)
			}
		}
	}
	return nil
}

// noLoopback keeps a client on the web off addresses that mean something else on every
// machine. Over https that is harmless as long as no tokens are sent to them in front
// (OIDC Registration §2, application_type).
func noLoopback(c Client) error {
	for field, uris := range map[string][]string{
		"redirect_uris": c.RedirectURIs, "post_logout_redirect_uris": c.PostLogoutRedirectURIs,
	} {
		for _, uri := range uris {
			if strings.HasPrefix(uri, "http:") || c.inFront() && loopback(hostnameOf(uri)) {
				return invalid(field, "redirect_uri_invalid", "The URI %q must use https and no loopback address in production; those are for native apps.", uri)
			}
		}
	}
	return nil
}

// validAddresses checks what we fetch, call or send people to beside redirect URIs.
func (c *Clients) validAddresses(client Client) error {
	for field, uri := range map[string]string{
		"jwks_uri": client.JWKSURI, "sector_identifier_uri": client.SectorURI, "backchannel_logout_uri": client.BackchannelLogoutURI,
	} {
		if uri != "" && !c.callable(uri) || strings.Contains(uri, "#") {
			return invalid(field, "address_invalid", "Give an https address without a fragment.")
		}
	}
	if len(client.RequestURIs) > maxURIs {
		return invalid("request_uris", "address_invalid", "At most %d request URIs.", maxURIs)
	}
	for _, uri := range client.RequestURIs {
		if !c.callable(uri) {
			return invalid("request_uris", "address_invalid", "The request URI %q must be an https address.", uri)
		}
	}
	if uri := client.InitiateLoginURI; uri != "" && (!webLink(uri) || !strings.HasPrefix(uri, "https://")) {
		return invalid("initiate_login_uri", "address_invalid", "Give an https address.")
	}
	if err := validBack(client); err != nil {
		return err
	}
	return validFront(client)
}

// validBack keeps the sign-outs of a pairwise client at home: they carry names of its
// sector, and only those who are sent back to the sector's addresses may learn them.
func validBack(c Client) error {
	host := hostnameOf(c.BackchannelLogoutURI)
	if !c.Pairwise || host == "" || slices.ContainsFunc(c.RedirectURIs, func(r string) bool { return hostnameOf(r) == host }) {
		return nil
	}
	return invalid("backchannel_logout_uri", "address_foreign", "The host must be that of a redirect URI where subjects are pairwise.")
}

// callable reports whether we would call an address: https, or in development the
// machine itself.
func (c *Clients) callable(uri string) bool {
	return webLink(uri) && (strings.HasPrefix(uri, "https://") || !c.Production)
}

// validFront checks the address that a logout page opens in a frame: it must be at home
// where the client is (OIDC Front-Channel Logout §2).
func validFront(c Client) error {
	uri := c.FrontchannelLogoutURI
	if uri == "" {
		return nil
	}
	if !webLink(uri) || strings.Contains(uri, "#") {
		return invalid("frontchannel_logout_uri", "address_invalid", "Give an https address without a fragment.")
	}
	at := originOf(uri)
	if !slices.ContainsFunc(c.RedirectURIs, func(r string) bool { return originOf(r) == at }) {
		return invalid("frontchannel_logout_uri", "address_foreign", "Scheme, host and port must be those of a redirect URI.")
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
	return nil
}

// webLink reports whether an address is https, or http on the machine itself.
func webLink(uri string) bool {
	u, err := url.Parse(uri)
	plain := !strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' })
	if err != nil || !plain || len(uri) > maxURI || u.Hostname() == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

func hostnameOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}
