package provider

import (
	"net/url"

	"idp/login"
)

// upstreamOf reads by which provider a relying party wants somebody to sign in. No standard has
// a parameter for that: connection, idp_hint and kc_idp_hint name one of ours, domain_hint an
// e-mail domain, as other services spell it. They are hints: whatever names nothing changes nothing.
func upstreamOf(form url.Values) login.Upstream {
	var u login.Upstream
	for _, name := range []string{"connection", "idp_hint", "kc_idp_hint"} {
		if hint := form.Get(name); u.Connection == "" && len(hint) <= maxUpstream {
			u.Connection = hint
		}
	}
	if hint := form.Get("domain_hint"); len(hint) <= maxUpstream {
		u.Domain = hint
	}
	return u
}

const maxUpstream = 253 // characters of a domain (RFC 1035 §2.3.4)
