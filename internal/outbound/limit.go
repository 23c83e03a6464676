package outbound

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

var errTooMuch = errors.New("outbound: the answer is too long")

// Within returns the guarded client for libraries that read whatever comes: an answer of more
// bytes than most ends in an error, so that nothing is taken for whole that is not.
func (c *Client) Within(most int64) *http.Client {
	limited := *c.http
	limited.Transport = limit{c.http.Transport, most}
	return &limited
}

type limit struct {
	next http.RoundTripper
	most int64
}

// RoundTrip implements http.RoundTripper.
func (l limit) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.next.RoundTrip(r)
	if err == nil {
		res.Body = &limitedBody{res.Body, l.most}
	}
	return res, err
}

type limitedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}

// Proper reports whether an address may be given to a browser, or called, as far as can be seen
// in it: https, with a host, without user and fragment; http only for this machine, where that
// is allowed. What a name resolves to is judged when it is called.
func (c *Client) Proper(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Opaque != "" || u.Fragment != "" || len(uri) > maxURI {
		return false
	}
	d, _ := c.http.Transport.(*door)
	return u.Scheme == "https" || u.Scheme == "http" && d != nil && d.loopback && here(u.Hostname())
}

// here reports a name of this machine.
func here(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	host = plainHost(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
