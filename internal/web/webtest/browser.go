// Package webtest is a browser for tests of pages: it keeps cookies, carries the form
// token of the page it last saw, and follows nothing by itself.
package webtest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser remembers the last answer.
type Browser struct {
	testing.TB
	URL    string // of the server
	Client *http.Client
	Status int
	Header http.Header // of the last answer
	To     string      // where the last answer sends it
	Page   string
	Token  string // of the last page with a form
}

// New returns a browser without cookies.
func New(t testing.TB, server string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Browser{TB: t, URL: server, Client: &http.Client{Jar: jar, CheckRedirect: stay}}
}

// Cookies returns what it would send to the server.
func (b *Browser) Cookies() []*http.Cookie { return b.Client.Jar.Cookies(b.at()) }

// Plant gives it a cookie for the server.
func (b *Browser) Plant(cookies ...*http.Cookie) { b.Client.Jar.SetCookies(b.at(), cookies) }

func (b *Browser) at() *url.URL {
	b.Helper()
	at, err := url.Parse(b.URL)
	if err != nil {
		b.Fatal(err)
	}
	return at
}

// Get opens a page.
func (b *Browser) Get(path string) *Browser {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.URL+path, nil)
	return b.send(r, err)
}

var formToken = regexp.MustCompile(`name="form_token" value="([0-9a-f]+)"`)

// Post sends a form of alternating names and values, with the token it saw last.
func (b *Browser) Post(path string, pairs ...string) *Browser {
	b.Helper()
	form := url.Values{}
	form.Set("form_token", b.Token)
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, b.URL+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.send(r, err)
}

func (b *Browser) send(r *http.Request, err error) *Browser {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	answer, err := b.Client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.Status, b.Header, b.To, b.Page = answer.StatusCode, answer.Header, answer.Header.Get("Location"), string(body)
	if found := formToken.FindStringSubmatch(b.Page); found != nil {
		b.Token = found[1]
	}
	if b.Status >= http.StatusInternalServerError {
		b.Fatalf("%s %s: %d %s", r.Method, r.URL, b.Status, b.Page)
	}
	return b
}

// Follow goes where the last answer sent it, which must be a 303.
func (b *Browser) Follow() *Browser {
	b.Helper()
	if b.Status != http.StatusSeeOther {
		b.Fatalf("status %d is no 303: %s", b.Status, b.Page)
	}
	return b.Get(b.To)
}

// Want fails unless the last answer had that status, and each part is on the page or in
// where it leads.
func (b *Browser) Want(status int, parts ...string) *Browser {
	b.Helper()
	if b.Status != status {
		b.Fatalf("status %d, want %d (to %q): %s", b.Status, status, b.To, b.Page)
	}
	for _, p := range parts {
		if !strings.Contains(b.Page, p) && !strings.Contains(b.To, p) {
			b.Fatalf("%q is missing (to %q) in %s", p, b.To, b.Page)
		}
	}
	return b
}

// WantNot fails if a part is on the page.
func (b *Browser) WantNot(parts ...string) *Browser {
	b.Helper()
	for _, p := range parts {
		if strings.Contains(b.Page, p) {
			b.Fatalf("%q is on the page: %s", p, b.Page)
		}
	}
	return b
}
