package config

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// passkeyHost is the domain that passkeys are bound to if the operator names none: the
// issuer's host, or "" where that is a bare address, which passkeys cannot be bound to
// (WebAuthn §5.1.2: a valid domain string).
func (c Config) passkeyHost() string {
	host := c.IssuerURL().Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

// PasskeyOrigins are the origins that may use our passkeys and need to be said so to browsers:
// the issuer's own first.
func (c Config) PasskeyOrigins() []string {
	return append([]string{c.origin()}, c.Passkeys.Origins...)
}

// PasskeysAt reports whether pages of that origin may use our passkeys: one of PasskeyOrigins,
// or one that is listed and within the domain that they are bound to, where browsers allow it
// unasked.
func (c Config) PasskeysAt(origin string) bool {
	if slices.Contains(c.PasskeyOrigins(), origin) {
		return true
	}
	host := hostOf(origin)
	return c.Listed(origin) && (host == c.Passkeys.RPID || strings.HasSuffix(host, "."+c.Passkeys.RPID))
}

func (c Config) judgePasskeys(r *reasons) {
	id, host := c.Passkeys.RPID, c.passkeyHost()
	suffix, _ := publicsuffix.PublicSuffix(id)
	if id != host && (host == "" || suffix == id || !strings.HasSuffix(host, "."+id)) {
		r.add("passkeys.rp_id %q is no domain of this instance: leave it out for the issuer's host, or name a parent of it that is yours", id)
	}
	for _, o := range c.Passkeys.Origins {
		switch {
		case !canonical(o):
			r.add("passkeys.origins: %q is no origin: spell it like https://app.example.com, in lower case, without a path or the default port", o)
		case !c.safe(o):
			r.add("passkeys.origins: %q is not https: browsers have passkeys only there", o)
		case o == c.PasskeyOrigins()[0]:
			r.add("passkeys.origins: %q is the issuer's own origin, which may use them anyway: leave it out", o)
		}
	}
}
