package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Listed reports whether the scripts of an origin may use the Frontend API with the browser's
// cookie, and people be sent back there: it is in origins; or none are named, this is
// development, and it is http on this machine. An origin is compared as browsers spell it. The
// issuer's own needs no list.
func (c Config) Listed(origin string) bool {
	if len(c.Origins) > 0 || !c.Development() {
		return slices.Contains(c.Origins, origin)
	}
	return strings.HasPrefix(origin, "http://") && canonical(origin) && loopback(hostOf(origin))
}

// SameSite reports whether browsers send the cookie along when a page of that origin calls the
// issuer: scheme and registrable domain are the same (HTML, "same site").
func (c Config) SameSite(origin string) bool {
	scheme, _, _ := strings.Cut(origin, "://")
	return scheme == c.IssuerURL().Scheme && site(hostOf(origin)) == site(c.IssuerURL().Hostname())
}

// site is the part of a host that all hosts of one owner share: the registrable domain, or the
// host itself where there is none.
func site(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}

// origin is the issuer's own.
func (c Config) origin() string {
	u := c.IssuerURL()
	return u.Scheme + "://" + u.Host
}

// canonical reports whether an origin is spelled as browsers do it (RFC 6454 §6.2).
func canonical(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Hostname() != "" && origin == u.Scheme+"://"+u.Host && origin == strings.ToLower(origin) &&
		!strings.HasSuffix(u.Host, ":") && !strings.Contains(origin, "*") && (u.Port() == "" || u.Port() != defaultPort[u.Scheme])
}

// safe reports whether nobody on the way can speak for an origin: it is https, or in development
// on this machine.
func (c Config) safe(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" && c.Development() && loopback(u.Hostname()))
}

func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (c Config) judgeOrigins(r *reasons) {
	for _, o := range c.Origins {
		switch {
		case !canonical(o):
			r.add("origins: %q is no origin: spell it like https://app.example.com, in lower case, without a path, the default port or a pattern", o)
		case !c.safe(o):
			r.add("origins: %q is not https: whoever is on the way could sign in as anybody there", o)
		case o == c.origin():
			r.add("origins: %q is the issuer's own origin, which needs no list: leave it out", o)
		}
	}
}
