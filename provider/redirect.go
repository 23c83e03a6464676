package provider

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// unsafeRedirect says why a URI may not be registered by that type of client, or "".
func unsafeRedirect(uri string, t ClientType) string {
	if len(uri) > maxURI {
		return "is too long"
	}
	if strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) {
		return "has characters that no plain URI has"
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "":
		return "is not an absolute URI"
	case u.Scheme+":" != uri[:len(u.Scheme)+1]:
		return "must spell its scheme in lower case"
	case strings.Contains(uri, "#"):
		return "must not have a fragment"
	case u.User != nil:
		return "must not contain a user name"
	case strings.Contains(uri, "*"):
		return "must not contain a wildcard"
	case u.Scheme == "https":
		if u.Hostname() == "" {
			return "has no host"
		}
		return ""
	case u.Scheme == "http":
		if !loopback(u.Hostname()) {
			return "must use https; http is for 127.0.0.1, [::1] and localhost"
		}
		return ""
	case t != Native:
		return "must use https"
	case !strings.Contains(u.Scheme, "."):
		return "must use https, or a scheme of your own with a dot in it, like com.example.app (RFC 8252 §7.1)"
	case u.Host != "":
		return "must have a single slash after its scheme, like com.example.app:/callback (RFC 8252 §7.1)"
	}
	return ""
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// matchRedirect reports whether a client registered uri. Comparison is byte for byte, with
// the one exception that RFC 8252 §7.3 makes: on http and a loopback address literal
// (127.0.0.1 or [::1], as registered), the port is the app's to choose.
func matchRedirect(c Client, uri string) bool {
	if uri == "" || len(uri) > maxURI || unsafeRedirect(uri, c.Type) != "" {
		return false
	}
	return slices.Contains(c.RedirectURIs, uri) || slices.ContainsFunc(c.RedirectURIs, func(registered string) bool {
		a, ok := withoutLoopbackPort(registered)
		b, also := withoutLoopbackPort(uri)
		return ok && also && a == b
	})
}

// withoutLoopbackPort cuts the port out of an http URI on 127.0.0.1 or [::1]; others are not ok.
func withoutLoopbackPort(uri string) (string, bool) {
	for _, origin := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, ok := strings.CutPrefix(uri, origin)
		if !ok {
			continue
		}
		port, isPort := strings.CutPrefix(rest, ":")
		if !isPort {
			return uri, rest == "" || strings.ContainsRune("/?", rune(rest[0]))
		}
		digits := len(port) - len(strings.TrimLeft(port, "0123456789"))
		after := port[digits:]
		if digits == 0 || digits > 5 || after != "" && !strings.ContainsRune("/?", rune(after[0])) {
			return "", false
		}
		return origin + after, true
	}
	return "", false
}

// impersonable reports whether another program could stand at that redirect URI and claim
// to be the public client: then nothing but asking the person protects them (RFC 8252 §8.6).
func impersonable(c Client, redirect string) bool {
	return c.Public() && !strings.HasPrefix(redirect, "https://")
}

// originOf returns scheme://host[:port] of an http(s) URI, or "".
func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
