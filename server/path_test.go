package server_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"idp/internal/config"
	"idp/internal/web/webtest"
	"idp/server"
	"idp/storage/storagetest"
)

// site is a whole idp on a port, whose issuer may have a path.
type site struct {
	*testing.T
	host   string // http://localhost:port
	issuer string
	said   lockedBuffer
	read   map[string]bool // codes that were taken from the inbox
}

type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

func startAt(t *testing.T, database, path string, more ...string) *site {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil || l.Close() != nil {
		t.Fatal(err)
	}
	s := &site{T: t, host: "http://localhost:" + port}
	if slices.ContainsFunc(more, func(s string) bool { return strings.HasPrefix(s, "IDP_TLS_") }) {
		s.host = "https://localhost:" + port
	}
	s.issuer = s.host + path
	cfg, _, err := config.Load(config.Source{Environ: append([]string{
		"IDP_LISTEN=127.0.0.1:" + port, "IDP_ISSUER=" + s.issuer, "IDP_DATABASE_URL=" + database, "IDP_DATA_DIR=" + filepath.Join(t.TempDir(), "data"),
	}, more...)})
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	over := make(chan error, 1)
	go func() { over <- server.Run(ctx, cfg, slog.New(slog.DiscardHandler), &s.said) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		stop()
		if err := <-over; err != nil {
			t.Errorf("idp ended: %v", err)
		}
	})
	s.await("idp to be up", func() bool { return strings.Contains(s.said.String(), "data lives in") })
	return s
}

// await waits for what happens beside requests: the start, and mail that leaves as a job.
func (s *site) await(what string, happened func() bool) {
	s.Helper()
	for end := time.Now().Add(2 * time.Minute); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("waited in vain for %s: %s", what, s.said.String())
		}
	}
}

// surfer is a browser that finds forms on the page it is on.
type surfer struct {
	*webtest.Browser
	site *site
}

func (s *site) surfer() *surfer {
	b := webtest.New(s.T, s.host)
	s.Cleanup(b.Client.CloseIdleConnections)
	b.Client.Transport = webtest.Hold(s.T, http.DefaultTransport, strings.TrimPrefix(s.issuer, s.host))
	return &surfer{b, s}
}

// open goes where a Location or link says, and on until there is a page.
func (b *surfer) open(to string) *surfer {
	b.Helper()
	b.Get(strings.TrimPrefix(to, b.site.host))
	for range 10 {
		if b.Status != http.StatusSeeOther || !strings.HasPrefix(b.To, "/") {
			return b
		}
		b.Get(b.To)
	}
	b.Fatalf("goes round in circles at %s", b.To)
	return b
}

// submit sends the form whose action ends so, filled in, and follows.
func (b *surfer) submit(action string, fill ...string) *surfer {
	b.Helper()
	for _, f := range nodes(b.Page, "form") {
		if to := attr(f, "action"); strings.HasSuffix(to, action) {
			pairs := slices.Clone(fill)
			for n := range f.Descendants() {
				if n.Data == "input" && attr(n, "type") == "hidden" && attr(n, "name") != "form_token" {
					pairs = append(pairs, attr(n, "name"), attr(n, "value"))
				}
			}
			b.Post(to, pairs...)
			if b.Status == http.StatusSeeOther && strings.HasPrefix(b.To, "/") {
				return b.open(b.To)
			}
			return b
		}
	}
	b.Fatalf("no form leads to %s: %s", action, b.Page)
	return b
}

func nodes(page, name string) (found []*html.Node) {
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// code returns the digits of the newest letter.
func (b *surfer) code(base string) string {
	b.Helper()
	var letters []struct{ Code string }
	b.site.await("a letter", func() bool {
		answer := b.raw(http.MethodGet, base+"/dev/inbox.json", "")
		return json.Unmarshal([]byte(answer), &letters) == nil && len(letters) > 0
	})
	return letters[0].Code
}

// raw sends a request as it is and returns the body.
func (b *surfer) raw(method, path, body string, header ...string) string {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.site.host+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.Client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b.Header = res.Header
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.Status, b.To = res.StatusCode, res.Header.Get("Location")
	return string(text)
}

const strong = "correct horse battery staple 7"

// signUp makes Ann on the sign-up page the browser is on.
func (b *surfer) signUp(base string) {
	b.Helper()
	b.submit("/sign-up", "email", "ann@example.com", "name", "Ann", "password", strong)
	b.submit("/prove", "code", b.code(base))
}

func sqlite(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "idp.db") }

func eachEngine(t *testing.T, f func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, sqlite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, storagetest.EmptyPostgres(t)) }) // under a key of the instance's own
}

func TestBelowAPathAPersonSignsUpConsentsAndTheirAppGetsTokens(t *testing.T) {
	eachEngine(t, func(t *testing.T, database string) {
		s := startAt(t, database, "/auth/v1")
		b := s.surfer()
		var app struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		said := b.raw(http.MethodPost, "/auth/v1/oauth2/register", `{"redirect_uris":["https://rp.example/cb"],"client_name":"Acme"}`, "Content-Type", "application/json")
		if err := json.Unmarshal([]byte(said), &app); err != nil || app.ID == "" {
			t.Fatalf("registered %s", said)
		}
		var meta map[string]any
		if err := json.Unmarshal([]byte(b.raw(http.MethodGet, "/auth/v1/.well-known/openid-configuration", "")), &meta); err != nil {
			t.Fatal(err)
		}
		for name, v := range meta {
			if u, ok := v.(string); ok && !strings.HasPrefix(u, s.issuer) {
				t.Errorf("%s is %s", name, u)
			}
		}
		q := url.Values{
			"client_id": {app.ID}, "redirect_uri": {"https://rp.example/cb"}, "response_type": {"code"}, "scope": {"openid email"}, "state": {"st-1"}, "nonce": {"n-1"},
		}
		b.open(fmt.Sprint(meta["authorization_endpoint"]) + "?" + q.Encode())
		for _, a := range nodes(b.Page, "a") {
			if strings.Contains(attr(a, "href"), "/sign-up") {
				b.open(attr(a, "href"))
				break
			}
		}
		b.signUp("/auth/v1")
		b.submit("/consent", "answer", "allow")
		back, err := url.Parse(b.To)
		if err != nil || back.Host != "rp.example" || back.Query().Get("iss") != s.issuer || back.Query().Get("code") == "" {
			t.Fatalf("sent back to %s: %s", b.To, b.Page)
		}
		form := url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {"https://rp.example/cb"}}
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(app.ID)+":"+url.QueryEscape(app.Secret)))
		said = b.raw(http.MethodPost, strings.TrimPrefix(fmt.Sprint(meta["token_endpoint"]), s.host), form.Encode(),
			"Content-Type", "application/x-www-form-urlencoded", "Authorization", basic)
		if !strings.Contains(said, `"id_token"`) {
			t.Fatalf("no tokens: %s", said)
		}
		for _, c := range b.Cookies() {
			if !strings.HasSuffix(c.Name, "+auth+v1") {
				t.Errorf("the cookie %s would be taken by a neighbour", c.Name)
			}
		}
		b.raw(http.MethodGet, "/healthz", "")
		if b.Status != http.StatusOK {
			t.Errorf("the probe at the root answers %d", b.Status)
		}
		if b.raw(http.MethodGet, "/.well-known/oauth-authorization-server/auth/v1", ""); b.Status != http.StatusOK {
			t.Errorf("RFC 8414 metadata answers %d", b.Status)
		}
		if b.raw(http.MethodGet, "/.well-known/webfinger?resource=acct:ann@localhost", ""); b.Status != http.StatusOK {
			t.Errorf("WebFinger answers %d", b.Status)
		}
		if text := b.raw(http.MethodGet, "/sign-in", ""); b.Status != http.StatusNotFound || !strings.Contains(text, "/auth/v1") {
			t.Errorf("outside of the path: %d %s", b.Status, text)
		}
	})
}

func TestBelowAPathTheFrontendAPISaysWhereToGoNext(t *testing.T) {
	s := startAt(t, sqlite(t), "/auth")
	s.surfer().open("/auth/sign-up").signUp("/auth")
	b := s.surfer()
	call := func(path, body string) (v struct{ ID, Step, Next string }) {
		t.Helper()
		text := b.raw(http.MethodPost, "/auth/frontend/v1/attempts"+path, body, "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin")
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(text)
		}
		return v
	}
	at := "/" + call("", `{"goal":"sign_in"}`).ID
	call(at+"/identify", `{"identifier":"ann@example.com"}`)
	if v := call(at+"/prove", `{"method":"password","answer":"`+strong+`"}`); v.Step != "complete" || v.Next != "/auth/account" {
		t.Errorf("done: %+v", v)
	}
}

var claimLink = regexp.MustCompile(`http://\S+/operator/claim\?token=\S+`)

// TestBelowAPathEveryAddressOnEveryPageStaysThere looks at every page that links lead to,
// first as a stranger, then as an operator.
func TestBelowAPathEveryAddressOnEveryPageStaysThere(t *testing.T) {
	s := startAt(t, sqlite(t), "/auth")
	stranger := s.surfer()
	stranger.crawl("/auth", "/auth/sign-in", "/auth/sign-up", "/auth/operator", "/auth/consent", "/auth/nowhere", "/auth/oauth2/authorize", "/auth/oauth2/logout")

	b := s.surfer()
	s.await("the link", func() bool { return claimLink.MatchString(s.said.String()) })
	link := claimLink.FindString(s.said.String())
	b.open(link)
	b.open("/auth/sign-up").signUp("/auth")
	b.submit("/operator/claim").Want(http.StatusOK, "/auth/operator")
	b.open("/auth/operator/apps/new")
	b.submit("/operator/apps", "name", "Acme", "redirect_uris", "https://rp.example/cb", "type", "web")
	if seen := b.crawl("/auth", "/auth/operator", "/auth/dev/inbox", "/auth/oauth2/logout", "/auth/sign-in/choose"); seen < 12 {
		t.Errorf("only %d pages were seen", seen)
	}
}

// crawl opens pages and what they link to, and checks every address on them: it is below
// the path, absolute and elsewhere, or within the page. It returns how many pages it saw.
func (b *surfer) crawl(from ...string) int {
	b.Helper()
	linked, sent, pages := map[string]string{}, map[string]bool{}, 0
	for _, at := range from {
		linked[at] = ""
	}
	for len(from) > 0 {
		at := from[0]
		from = from[1:]
		b.Get(at)
		if b.Status == http.StatusNotFound && linked[at] != "" {
			b.Errorf("%s leads to %s, where nothing is", linked[at], at)
		}
		page := b.Page
		if strings.Contains(page, "<html") {
			pages++
		}
		for _, to := range append(addresses(page), b.To) {
			if next, ours := b.below(at, to); ours && linked[next] == "" && !slices.Contains(from, next) {
				linked[next] = at
				from = append(from, next)
			}
		}
		for _, form := range nodes(page, "form") {
			to := attr(form, "action")
			if _, ours := b.below(at, to); !ours || attr(form, "method") != "post" || sent[to] {
				continue
			}
			sent[to] = true
			b.raw(http.MethodPost, to, "", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
			if b.Status != http.StatusForbidden { // a form without its token, at a route that exists
				b.Errorf("%s: the form to %s leads to %d", at, to, b.Status)
			}
		}
	}
	return pages
}

// addresses returns what a page links to and loads.
func addresses(page string) (found []string) {
	for name, key := range map[string]string{"a": "href", "link": "href", "script": "src", "img": "src", "iframe": "src"} {
		for _, n := range nodes(page, name) {
			found = append(found, attr(n, key))
		}
	}
	return found
}

// below returns an address as one to open next; it is not ours if it leads elsewhere.
func (b *surfer) below(at, to string) (next string, ours bool) {
	b.Helper()
	u, err := url.Parse(strings.TrimPrefix(to, b.site.host))
	switch {
	case err != nil:
		b.Errorf("%s: %q is no address", at, to)
	case to == "" || u.Host != "" || u.Scheme != "" || strings.HasPrefix(to, "#"):
	case u.Path != "/auth" && !strings.HasPrefix(u.Path, "/auth/") || strings.HasPrefix(u.Path, "/auth/auth"):
		b.Errorf("%s: %q leaves the path", at, to)
	default:
		u.Fragment = ""
		return u.RequestURI(), true
	}
	return "", false
}
