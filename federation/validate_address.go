package federation

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// checkAddress demands an absolute https address that can be called as it is written.
func checkAddress(field, address string, query, production bool) error {
	u, err := url.Parse(address)
	switch {
	case len(address) > maxURL || !printable(address) || strings.Contains(address, " "):
		return wrong(field, "An address has at most %d characters and no space in it.", maxURL)
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return wrong(field, "%q is no address like https://login.example.com.", address)
	case u.User != nil:
		return wrong(field, "Leave name and password out of the address.")
	case u.Fragment != "" || strings.Contains(address, "#"):
		return wrong(field, "Leave out what stands after #.")
	case !query && (u.RawQuery != "" || strings.Contains(address, "?")):
		return wrong(field, "Leave out what stands after the question mark.")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return wrong(field, "The address must begin with https://.")
	case production || !loopback(u.Hostname()):
		return wrong(field, "The address must use https; http is for this very machine, in development.")
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// consumerDomains hand out addresses to everybody: no organization has them, and whoever
// enforced a connection for one would shut strangers out.
var consumerDomains = []string{
	"126.com", "163.com", "aol.com", "att.net", "btinternet.com", "comcast.net", "daum.net", "email.com", "fastmail.com", "fastmail.fm",
	"free.fr", "gmail.com", "googlemail.com", "hanmail.net", "hey.com", "hushmail.com", "icloud.com", "inbox.ru", "laposte.net",
	"libero.it", "live.com", "mac.com", "mail.com", "mail.ru", "mailbox.org", "me.com", "msn.com", "naver.com", "orange.fr", "passport.com",
	"pm.me", "posteo.de", "proton.me", "protonmail.ch", "protonmail.com", "qq.com", "rediffmail.com", "rocketmail.com", "sbcglobal.net",
	"seznam.cz", "sina.com", "sky.com", "t-online.de", "tuta.com", "tutanota.com", "verizon.net", "virgilio.it", "web.de", "wp.pl", "ya.ru",
	"yandex.com", "yandex.ru", "yeah.net", "ymail.com", "zoho.com", "zohomail.com",
}

// consumerFamilies are those that have a domain in every country: hotmail.fr, yahoo.co.jp.
var consumerFamilies = regexp.MustCompile(`^(gmx|hotmail|live|outlook|windowslive|yahoo)\.[a-z]{2,3}(\.[a-z]{2})?$`)

func consumer(domain string) bool {
	return slices.Contains(consumerDomains, domain) || consumerFamilies.MatchString(domain)
}

func (c Connection) checkDomains() error {
	if c.Enforce && len(c.Domains) == 0 {
		return wrong("enforce_sso", "Name the domains whose people have to sign in this way.")
	}
	if len(c.Domains) > maxDomains {
		return wrong("domains", "A connection has at most %d domains.", maxDomains)
	}
	for i, d := range c.Domains {
		switch suffix, _ := publicsuffix.PublicSuffix(d); {
		case d != canonicalDomain(d) || !domainLike.MatchString(d) || len(d) > 253:
			return wrong("domains", "%q is no domain of email addresses. Write it like acme.com.", d)
		case suffix == d:
			return wrong("domains", "Under %q many people have domains of their own. Name the domain of one organization, like acme.com.", d)
		case consumer(d):
			return wrong("domains", "Anybody can have an address at %q, so no connection is the provider of all of them.", d)
		case slices.Contains(c.Domains[:i], d):
			return wrong("domains", "The domain %q is there twice.", d)
		}
	}
	return nil
}

var domainLike = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])$`)

// canonicalDomain returns the spelling that addresses are compared in, or what was given where
// it has none.
func canonicalDomain(d string) string {
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(d), "@"), "."))
	if err != nil {
		return d
	}
	return strings.ToLower(ascii)
}
