package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const forwardedFor = "X-Forwarded-For"

// caller returns the address a request came from. X-Forwarded-For is believed only from a
// trusted proxy, and read from the right: the first address that is no proxy of ours is the caller.
func caller(r *http.Request, proxies []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	at := peer.Addr().Unmap().WithZone("")
	if !within(at, proxies) || hopByHop(r) {
		return at.String()
	}
	hops := strings.Split(strings.Join(r.Header.Values(forwardedFor), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break // the proxy's own word ends here
		}
		at = next.Unmap().WithZone("")
		if !within(at, proxies) {
			break
		}
	}
	return at.String()
}

// hopByHop reports that the request asks a proxy to drop the header before it reaches us.
func hopByHop(r *http.Request) bool {
	for _, v := range r.Header.Values("Connection") {
		if strings.Contains(strings.ToLower(v), "x-forwarded-for") {
			return true
		}
	}
	return false
}

func within(a netip.Addr, prefixes []netip.Prefix) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}
