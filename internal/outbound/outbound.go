// Package outbound is the only way out: every HTTP call to an address that somebody else
// named goes through one guarded Client.
//
// Relying parties and connections name addresses, of keys, request objects, logout
// endpoints. Whoever names one could aim idp at what only idp can reach: the cloud's
// metadata service, a database's console, a neighbour on the private network. So the
// client speaks https, to public addresses, and decides that on the address it is about to
// connect to, after resolving the name, so that no spelling of an address and no name
// server that answers differently the second time leads inside. It follows no redirect,
// reads no proxy from the environment, waits two seconds for a connection and five in all,
// and reads no more of an answer than its caller says.
//
// Whatever goes wrong, what is told is one sentence: from outside, a port that is closed
// looks like one that is forbidden. The cause is there for the log.
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The limits that callers cannot change.
const (
	connectTime = 2 * time.Second // resolving, connecting
	callTime    = 5 * time.Second // all of a call
	maxURI      = 2048
	maxHeader   = 16 << 10
	maxIgnored  = 16 << 10 // bytes of an answer that nobody wants
)

// Options say what a Client may reach beyond public addresses over https. The zero value
// is the strict one.
type Options struct {
	// Loopback lets this machine be reached as well, by https and http: for development.
	Loopback bool
	// Allow names what may be reached although it is private: networks ("10.1.0.0/16"),
	// addresses, or host names ("keys.internal"), the latter wherever they point. By https only.
	Allow []string
	// Roots are the certificate authorities to believe; nil: those of the system.
	Roots *x509.CertPool
	// Resolve looks a name up; nil: as the system does.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Now judges certificates; nil: the machine's clock.
	Now func() time.Time
}

// Client reaches addresses that others name.
type Client struct{ http *http.Client }

// New returns a Client.
func New(o Options) *Client {
	g := newGuard(o)
	secured := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots, Time: o.Now}
	return &Client{&http.Client{
		Transport:     &door{loopback: o.Loopback, https: transport(g.dial, secured), http: transport(g.dialLoopback, secured)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       callTime,
	}}
}

func transport(dial dialer, secured *tls.Config) *http.Transport {
	return &http.Transport{
		DialContext: dial, TLSClientConfig: secured, TLSHandshakeTimeout: connectTime, ResponseHeaderTimeout: callTime,
		MaxResponseHeaderBytes: maxHeader, DisableCompression: true, DisableKeepAlives: true,
	}
}

// Get fetches at most that many bytes. Anything but an answer with status 200 that is no
// longer than that is an *Error.
func (c *Client) Get(ctx context.Context, uri string, most int64) ([]byte, error) {
	return c.GetWith(ctx, uri, nil, most)
}

// GetWith is Get with header fields of the caller's. The user agent stays ours.
func (c *Client) GetWith(ctx context.Context, uri string, header http.Header, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, &Error{err}
	}
	maps.Copy(req.Header, header)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, &Error{err}
	}
	defer res.Body.Close() //nolint:errcheck // nothing was written
	if res.StatusCode != http.StatusOK {
		return nil, &Error{fmt.Errorf("status %d", res.StatusCode)}
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err == nil {
		err = ctx.Err() // what time cut short can look like an end
	}
	if err != nil {
		return nil, &Error{err}
	}
	if int64(len(body)) > most {
		return nil, &Error{fmt.Errorf("more than %d bytes", most)}
	}
	return body, nil
}

// PostForm sends a form and returns the status of the answer, whatever it is, a redirect
// too. An *Error says that there was no answer.
func (c *Client) PostForm(ctx context.Context, uri string, form url.Values) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, &Error{err}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.http.Do(req)
	if err != nil {
		return 0, &Error{err}
	}
	defer res.Body.Close() //nolint:errcheck // nothing was written
	_, _ = io.CopyN(io.Discard, res.Body, maxIgnored)
	return res.StatusCode, nil
}

// Post sends a body with header fields of the caller's and returns the status of the answer,
// whatever it is, a redirect too, and at most so many bytes of it; what is longer is cut.
// An *Error says that there was no answer.
func (c *Client) Post(ctx context.Context, uri string, header http.Header, body []byte, most int64) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, uri, bytes.NewReader(body))
	if err != nil {
		return 0, nil, &Error{err}
	}
	maps.Copy(req.Header, header)
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, &Error{err}
	}
	defer res.Body.Close() //nolint:errcheck // the answer was read, or is not wanted
	answer, err = io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return 0, nil, &Error{err}
	}
	return res.StatusCode, answer, nil
}

// HTTP returns the guarded client itself, for libraries that want one. Its redirects come
// back as answers; whoever uses it limits what it reads and tells nobody its errors.
func (c *Client) HTTP() *http.Client { return c.http }

// Error is what a failed call tells: always the same. Unwrap and the log have the cause.
type Error struct{ cause error }

// Error implements error.
func (*Error) Error() string { return "the address cannot be used" }

// Unwrap returns the cause, which is not for whoever named the address.
func (e *Error) Unwrap() error { return e.cause }

// LogValue lets the log say the cause.
func (e *Error) LogValue() slog.Value {
	return slog.StringValue(e.Error() + ": " + e.cause.Error())
}

var (
	errURI    = errors.New("outbound: not an https URI of a host")
	errInside = errors.New("outbound: that address is not public")
)

// door judges what can be seen in a request, and lets it through to the transport whose
// dialer judges the rest.
type door struct {
	loopback    bool
	https, http *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	u := r.URL
	if u.Hostname() == "" || u.User != nil || u.Opaque != "" || len(u.String()) > maxURI {
		return nil, errURI
	}
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "idp")
	switch {
	case u.Scheme == "https":
		return d.https.RoundTrip(r)
	case u.Scheme == "http" && d.loopback:
		return d.http.RoundTrip(r)
	}
	return nil, errURI
}
