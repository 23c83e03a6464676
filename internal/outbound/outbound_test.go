package outbound_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/internal/outbound"
)

// canary is a server on this machine that counts who got in.
type canary struct {
	*httptest.Server
	conns atomic.Int32
}

func newCanary(t *testing.T, tls bool, answer http.HandlerFunc) *canary {
	t.Helper()
	c := &canary{Server: httptest.NewUnstartedServer(answer)}
	c.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	c.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			c.conns.Add(1)
		}
	}
	if tls {
		c.StartTLS()
	} else {
		c.Start()
	}
	t.Cleanup(c.Close)
	return c
}

func (c *canary) port(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

func (c *canary) roots() *x509.CertPool {
	if c.Certificate() == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(c.Certificate())
	return pool
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// names is a name server: each lookup of a name gives the next of its answers.
func names(answers ...string) func(context.Context, string) ([]netip.Addr, error) {
	var n atomic.Int32
	return func(context.Context, string) ([]netip.Addr, error) {
		i := int(n.Add(1)) - 1
		return []netip.Addr{netip.MustParseAddr(answers[min(i, len(answers)-1)])}, nil
	}
}

const refusal = "the address cannot be used"

func wantRefusal(t *testing.T, what string, err error) {
	t.Helper()
	var refused *outbound.Error
	if !errors.As(err, &refused) || err.Error() != refusal {
		t.Errorf("%s: %v, want the one sentence", what, err)
	} else if errors.Unwrap(err) == nil {
		t.Errorf("%s: the log has no cause", what)
	}
}

func TestNoSpellingOfAnInsideAddressIsReached(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		c := newCanary(t, scheme == "https", hello)
		out := outbound.New(outbound.Options{Roots: c.roots()})
		for _, host := range []string{
			"127.0.0.1", "127.1.2.3", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]",
			"[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[fe80::1]", "[fe80::1%25lo]", "[::]", "localhost", "localhost.", "LOCALHOST", "0.0.0.0", "0",
			"[::127.0.0.1]", "[2002:7f00:1::]", "127.0.0.1.", "x@127.0.0.1", "example.com@127.0.0.1",
		} {
			uri := scheme + "://" + host + ":" + c.port(t) + "/"
			_, err := out.Get(t.Context(), uri, 100)
			wantRefusal(t, uri, err)
			_, err = out.PostForm(t.Context(), uri, nil)
			wantRefusal(t, uri, err)
			_, _, err = out.Post(t.Context(), uri, nil, []byte("x"), 100)
			wantRefusal(t, uri, err)
		}
		if n := c.conns.Load(); n != 0 {
			t.Errorf("%d connections over %s reached the inside", n, scheme)
		}
	}
}

func TestPrivateAndSpecialNetworksAreNotConnectedTo(t *testing.T) {
	for _, ip := range []string{
		"10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
		"224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "0.0.0.0", "0.1.2.3", "::", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1",
	} {
		if outbound.Public(netip.MustParseAddr(ip).Unmap()) {
			t.Errorf("%s passes for public", ip)
		}
	}
	for _, ip := range []string{"8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "1.1.1.1", "198.20.0.1", "2606:4700::1", "2a00:1450::1"} {
		if !outbound.Public(netip.MustParseAddr(ip)) {
			t.Errorf("%s passes for private", ip)
		}
	}
}

func TestANameThatPointsElsewhereTheSecondTimeDoesNotLeadInside(t *testing.T) {
	c := newCanary(t, true, hello)
	out := outbound.New(outbound.Options{Roots: c.roots(), Resolve: names("100.64.0.1", "127.0.0.1")})
	for range 3 { // whichever answer is looked at is the one that would be dialled
		_, err := out.Get(t.Context(), "https://example.com:"+c.port(t)+"/", 100)
		wantRefusal(t, "rebinding", err)
	}
	// The first answer is let through, the second is inside: only one lookup is made for a call.
	var asked atomic.Int32
	answers := names("127.0.0.1", "10.0.0.1")
	counted := func(ctx context.Context, host string) ([]netip.Addr, error) {
		asked.Add(1)
		return answers(ctx, host)
	}
	out = outbound.New(outbound.Options{Roots: c.roots(), Resolve: counted, Allow: []string{"127.0.0.1"}})
	if text, err := out.Get(t.Context(), "https://example.com:"+c.port(t)+"/", 100); err != nil || string(text) != "hello" || asked.Load() != 1 {
		t.Fatalf("%q, %v after %d lookups, want what was judged to be what is dialled", text, err, asked.Load())
	}
	if c.conns.Load() != 1 {
		t.Fatalf("%d connections", c.conns.Load())
	}
}

func TestOnlyWhatIsAllowedByNameOrNetworkIsReachedInside(t *testing.T) {
	c := newCanary(t, true, hello)
	for why, o := range map[string]outbound.Options{
		"the network":               {Allow: []string{"127.0.0.0/8"}},
		"the address":               {Allow: []string{"127.0.0.1"}},
		"the address mapped to v6":  {Allow: []string{"::ffff:127.0.0.1"}},
		"the name":                  {Allow: []string{"Example.com"}},
		"the name with a final dot": {Allow: []string{"example.com."}},
		"development":               {Loopback: true},
	} {
		o.Roots, o.Resolve = c.roots(), names("127.0.0.1")
		if text, err := outbound.New(o).Get(t.Context(), "https://example.com:"+c.port(t), 5); err != nil || string(text) != "hello" {
			t.Errorf("%s: %q %v", why, text, errors.Unwrap(err))
		}
	}
	for why, o := range map[string]outbound.Options{
		"another network": {Allow: []string{"10.0.0.0/8"}}, "a name that ends alike": {Allow: []string{"ple.com", "com", "www.example.com"}},
	} {
		o.Roots, o.Resolve = c.roots(), names("127.0.0.1")
		_, err := outbound.New(o).Get(t.Context(), "https://example.com:"+c.port(t), 5)
		wantRefusal(t, why, err)
	}
}

func TestPlainHTTPReachesLoopbackInDevelopmentAndNothingElse(t *testing.T) {
	c := newCanary(t, false, hello)
	dev := outbound.New(outbound.Options{Loopback: true})
	if text, err := dev.Get(t.Context(), c.URL, 5); err != nil || string(text) != "hello" {
		t.Fatalf("%q %v", text, err)
	}
	allowed := outbound.New(outbound.Options{Allow: []string{"127.0.0.1"}})
	_, err := allowed.Get(t.Context(), c.URL, 5)
	wantRefusal(t, "http in production, although the address is allowed", err)
	elsewhere := outbound.New(outbound.Options{Loopback: true, Resolve: names("93.184.216.34"), Allow: []string{"example.com"}})
	_, err = elsewhere.Get(t.Context(), "http://example.com/", 5)
	wantRefusal(t, "http to the Internet", err)
	for _, uri := range []string{"ftp://127.0.0.1/", "file:///etc/passwd", "gopher://x", "//x", "", "x", "https:", "https://", "http:127.0.0.1", "https://\x00", c.URL + "/" + strings.Repeat("a", 2048)} {
		_, err = dev.Get(t.Context(), uri, 5)
		wantRefusal(t, uri, err)
	}
	if c.conns.Load() != 1 {
		t.Errorf("%d connections", c.conns.Load())
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	inside := newCanary(t, false, hello)
	c := newCanary(t, true, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) })
	out := outbound.New(outbound.Options{Loopback: true, Roots: c.roots()})
	_, err := out.Get(t.Context(), c.URL, 100)
	wantRefusal(t, "redirect", err)
	if status, err := out.PostForm(t.Context(), c.URL, nil); status != http.StatusFound || err != nil {
		t.Errorf("%d %v", status, err)
	}
	if status, _, err := out.Post(t.Context(), c.URL, nil, []byte("x"), 100); status != http.StatusFound || err != nil {
		t.Errorf("%d %v", status, err)
	}
	if inside.conns.Load() != 0 {
		t.Fatal("the redirect was followed")
	}
}

func TestASlowAnswerIsGivenUpAfterFiveSeconds(t *testing.T) {
	gone := make(chan struct{})
	c := newCanary(t, true, func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		for r.Context().Err() == nil { // a byte now and then, for ever
			if _, err := io.WriteString(w, "x"); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	out := outbound.New(outbound.Options{Loopback: true, Roots: c.roots()})
	start := time.Now()
	_, err := out.Get(t.Context(), c.URL, 1<<20)
	wantRefusal(t, "drip", err)
	if took := time.Since(start); took > 20*time.Second || took < 4*time.Second {
		t.Errorf("given up after %s", took)
	}
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Error("the connection is still open")
	}
}

func TestNoMoreIsReadThanTheCallerWants(t *testing.T) {
	var sent atomic.Int64
	c := newCanary(t, true, func(w http.ResponseWriter, r *http.Request) {
		piece := bytes.Repeat([]byte("x"), 32<<10)
		for r.Context().Err() == nil && sent.Load() < 1<<30 {
			n, err := w.Write(piece)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	out := outbound.New(outbound.Options{Loopback: true, Roots: c.roots()})
	_, err := out.Get(t.Context(), c.URL, 100)
	wantRefusal(t, "endless", err)
	if status, err := out.PostForm(t.Context(), c.URL, url.Values{"a": {"b"}}); status != http.StatusOK || err != nil {
		t.Errorf("%d %v", status, err)
	}
	if sent.Load() > 64<<20 {
		t.Errorf("%d bytes were taken", sent.Load())
	}
	exact := newCanary(t, true, hello)
	out = outbound.New(outbound.Options{Loopback: true, Roots: exact.roots()})
	if _, err := out.Get(t.Context(), exact.URL, 5); err != nil {
		t.Errorf("exactly as much: %v", err)
	}
	_, err = out.Get(t.Context(), exact.URL, 4)
	wantRefusal(t, "a byte too many", err)
}

func TestAllTroubleSoundsTheSame(t *testing.T) {
	closed := newCanary(t, true, hello)
	closed.Close()
	stranger := newCanary(t, true, hello)
	garbage, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = garbage.Close() })
	go func() {
		for {
			conn, err := garbage.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "SSH-2.0-secret inside text\r\n")
			_ = conn.Close()
		}
	}()
	broken := newCanary(t, true, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "stack trace", http.StatusInternalServerError)
	})
	out := outbound.New(outbound.Options{Loopback: true, Roots: broken.roots(), Resolve: func(context.Context, string) ([]netip.Addr, error) {
		return nil, errors.New("no such host")
	}})
	strangers := outbound.New(outbound.Options{Loopback: true})
	for why, get := range map[string]func() ([]byte, error){
		"closed":                   func() ([]byte, error) { return out.Get(t.Context(), closed.URL, 9) },
		"blocked":                  func() ([]byte, error) { return out.Get(t.Context(), "https://10.0.0.1/", 9) },
		"no such name":             func() ([]byte, error) { return out.Get(t.Context(), "https://nowhere.example/", 9) },
		"not TLS":                  func() ([]byte, error) { return out.Get(t.Context(), "https://"+garbage.Addr().String(), 9) },
		"not HTTP":                 func() ([]byte, error) { return out.Get(t.Context(), "http://"+garbage.Addr().String(), 9) },
		"its error page":           func() ([]byte, error) { return out.Get(t.Context(), broken.URL, 9) },
		"a stranger's certificate": func() ([]byte, error) { return strangers.Get(t.Context(), stranger.URL, 9) },
	} {
		text, err := get()
		wantRefusal(t, why, err)
		if len(text) > 0 {
			t.Errorf("%s: %q came through", why, text)
		}
	}
	_, err = out.Get(t.Context(), broken.URL, 9)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("err", err))
	if !strings.Contains(log.String(), "status 500") || strings.Contains(fmt.Sprintf("%v %+v %s", err, err, err), "500") {
		t.Errorf("the log says %q and the error %v", log.String(), err)
	}
}

func TestItSaysWhoItIsAndUsesNoProxy(t *testing.T) {
	proxy := newCanary(t, false, hello)
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	var agent, kind, body string
	c := newCanary(t, true, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		agent, kind, body = r.UserAgent(), r.Header.Get("Content-Type"), string(text)
		w.WriteHeader(http.StatusNoContent)
	})
	out := outbound.New(outbound.Options{Allow: []string{"example.com"}, Roots: c.roots(), Resolve: names("127.0.0.1")})
	status, err := out.PostForm(t.Context(), "https://example.com:"+c.port(t)+"/logout", url.Values{"logout_token": {"a b"}})
	if err != nil || status != http.StatusNoContent || agent != "idp" || kind != "application/x-www-form-urlencoded" || body != "logout_token=a+b" {
		t.Fatalf("%d %v: %q %q %q", status, err, agent, kind, body)
	}
	if proxy.conns.Load() != 0 {
		t.Fatal("it went through the proxy of the environment")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://127.0.0.1:"+c.port(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := out.HTTP().Do(req); err == nil {
		_ = res.Body.Close()
		t.Fatal("the client for libraries is not guarded")
	}
}
