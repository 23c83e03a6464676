package outbound

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
)

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// guard decides what may be connected to.
type guard struct {
	loopback bool
	nets     []netip.Prefix
	hosts    []string
	resolve  func(ctx context.Context, host string) ([]netip.Addr, error)
}

func newGuard(o Options) *guard {
	g := &guard{loopback: o.Loopback, resolve: o.Resolve}
	if g.resolve == nil {
		g.resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	for _, one := range o.Allow {
		if p, err := netip.ParsePrefix(one); err == nil {
			g.nets = append(g.nets, p.Masked())
		} else if ip, err := netip.ParseAddr(one); err == nil {
			ip = ip.Unmap()
			g.nets = append(g.nets, netip.PrefixFrom(ip, ip.BitLen()))
		} else {
			g.hosts = append(g.hosts, plainHost(one))
		}
	}
	return g
}

func plainHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// dial connects to a host that may be reached. The name is resolved once, and what is
// connected to is the very address that was judged.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	named := slices.Contains(g.hosts, plainHost(host))
	return g.connect(ctx, network, address, func(ip netip.Addr) bool { return named || g.reachable(ip) })
}

// dialLoopback connects to this machine alone: what is not encrypted goes no further.
func (g *guard) dialLoopback(ctx context.Context, network, address string) (net.Conn, error) {
	return g.connect(ctx, network, address, netip.Addr.IsLoopback)
}

func (g *guard) connect(ctx context.Context, network, address string, may func(netip.Addr) bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ips, err := g.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	failed := errInside
	for _, ip := range ips {
		ip = ip.Unmap()
		if ip.Zone() != "" || !may(ip) {
			continue
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		failed = err
	}
	return nil, failed
}

func (g *guard) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return g.resolve(ctx, host)
}

func (g *guard) reachable(ip netip.Addr) bool {
	if slices.ContainsFunc(g.nets, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return true
	}
	return public(ip) || g.loopback && ip.IsLoopback()
}

// public reports whether ip is an address of the open Internet. It knows the registries of
// special addresses (RFC 6890 and what followed); of IPv6 only the global unicast block is
// let through, so that what embeds an IPv4 address (NAT64, 6to4, Teredo) is not.
func public(ip netip.Addr) bool {
	if ip.Is4() {
		return !within(special4, ip)
	}
	return unicast6.Contains(ip) && !within(special6, ip)
}

func within(nets []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func prefixes(list ...string) []netip.Prefix {
	nets := make([]netip.Prefix, len(list))
	for i, s := range list {
		nets[i] = netip.MustParsePrefix(s)
	}
	return nets
}

var (
	special4 = prefixes(
		"0.0.0.0/8",       // "this network"; Linux takes 0.0.0.0 for the machine itself
		"10.0.0.0/8",      // private
		"100.64.0.0/10",   // shared by carriers
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link-local, with the metadata services of clouds
		"172.16.0.0/12",   // private
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relays
		"192.168.0.0/16",  // private
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/4",     // multicast
		"240.0.0.0/4",     // reserved, broadcast
	)
	unicast6 = netip.MustParsePrefix("2000::/3")
	special6 = prefixes(
		"2001::/23",     // protocol assignments, Teredo
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4
		"3fff::/20",     // documentation
	)
)
