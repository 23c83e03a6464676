package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser is a person's browser without script: it keeps cookies, follows redirects,
// and fills forms by the words a person reads.
type browser struct {
	t      testing.TB
	http   *http.Client
	URL    *url.URL // of the page
	Status int
	Header http.Header
	Body   string
	Left   *url.URL // the redirect to somebody else's site that ended the last step, or nil
	page   *html.Node
	typed  map[string]string // by field name
	via    string            // host:port that answers for the issuer, "" for the issuer itself
	issuer string
}

// newBrowser returns a browser that stays on the issuer's site.
func newBrowser(t testing.TB, issuer string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, issuer: issuer, http: &http.Client{
		Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Get opens an address, absolute or on the issuer's site.
func (b *browser) Get(target string) *browser {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.issuer + target
	}
	req, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.do(req); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// do sends a request and follows redirects as long as they stay on the issuer's site.
func (b *browser) do(req *http.Request) error {
	b.Left = nil
	for range 20 {
		req.Header.Set("Accept", "text/html,*/*;q=0.8")
		req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0")
		res, err := b.send(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return err
		}
		b.URL, b.Status, b.Header, b.Body, b.typed = req.URL, res.StatusCode, res.Header, string(body), map[string]string{}
		if b.page, err = html.Parse(strings.NewReader(b.Body)); err != nil {
			return err
		}
		if res.StatusCode < 300 || res.StatusCode > 399 {
			return nil
		}
		next, err := req.URL.Parse(res.Header.Get("Location"))
		if err != nil {
			return err
		}
		if next.Scheme+"://"+next.Host != b.issuer {
			b.Left = next
			return nil
		}
		if req, err = http.NewRequest(http.MethodGet, next.String(), nil); err != nil {
			return err
		}
	}
	return fmt.Errorf("twenty redirects, the last to %s", b.URL)
}

// send hands the request to the process in charge; the Host stays the issuer's, as
// behind a load balancer.
func (b *browser) send(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodPost && req.Header.Get("Sec-Fetch-Site") == "cross-site" { // our cookies are SameSite=Lax
		res, err := (&http.Client{Timeout: b.http.Timeout, CheckRedirect: b.http.CheckRedirect}).Do(req)
		if err == nil {
			b.http.Jar.SetCookies(req.URL, res.Cookies())
		}
		return res, err
	}
	if b.via == "" {
		return b.http.Do(req)
	}
	real := req.Clone(req.Context())
	real.Host = req.URL.Host
	real.URL.Host = b.via
	for _, c := range b.http.Jar.Cookies(req.URL) {
		real.AddCookie(c)
	}
	res, err := (&http.Client{Timeout: b.http.Timeout, CheckRedirect: b.http.CheckRedirect}).Do(real)
	if err == nil {
		b.http.Jar.SetCookies(req.URL, res.Cookies())
	}
	return res, err
}

// Fill types into the field with that label.
func (b *browser) Fill(label, value string) *browser {
	b.t.Helper()
	for n := range b.page.Descendants() {
		if n.Data != "label" || !strings.EqualFold(words(n), label) {
			continue
		}
		field := attr(n, "for")
		for i := range b.page.Descendants() {
			if i.Data == "input" && field != "" && attr(i, "id") == field {
				b.typed[attr(i, "name")] = value
				return b
			}
		}
	}
	b.t.Fatalf("%s has no field %q:\n%s", b.URL, label, b.Text())
	return nil
}

// Press presses the button with those words and follows where it leads.
func (b *browser) Press(button string) *browser {
	b.t.Helper()
	req := b.submission(button)
	if err := b.do(req); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// PressNamed presses the button that screen readers call so, and follows where it leads.
func (b *browser) PressNamed(name string) *browser {
	b.t.Helper()
	for n := range b.page.Descendants() {
		if n.Data == "button" && attr(n, "aria-label") == name {
			if err := b.do(b.request(b.formOf(n), n)); err != nil {
				b.t.Fatal(err)
			}
			return b
		}
	}
	b.t.Fatalf("%s has no button called %q:\n%s", b.URL, name, b.Text())
	return nil
}

// PressID presses the button with that id, where two have the same words.
func (b *browser) PressID(id string) *browser {
	b.t.Helper()
	for n := range b.page.Descendants() {
		if n.Data == "button" && attr(n, "id") == id {
			if err := b.do(b.request(b.formOf(n), n)); err != nil {
				b.t.Fatal(err)
			}
			return b
		}
	}
	b.t.Fatalf("%s has no button %q:\n%s", b.URL, id, b.Text())
	return nil
}

// submission is the request that the button would send.
func (b *browser) submission(button string) *http.Request {
	b.t.Helper()
	for n := range b.page.Descendants() {
		if n.Data == "button" && strings.EqualFold(words(n), button) {
			if form := b.formOf(n); form != nil {
				return b.request(form, n)
			}
		}
	}
	b.t.Fatalf("%s has no button %q:\n%s", b.URL, button, b.Text())
	return nil
}

// formOf is the form a button belongs to: the one it names, or the one it stands in.
func (b *browser) formOf(button *html.Node) *html.Node {
	if id := attr(button, "form"); id != "" {
		for n := range b.page.Descendants() {
			if n.Data == "form" && attr(n, "id") == id {
				return n
			}
		}
	}
	for n := button.Parent; n != nil; n = n.Parent {
		if n.Type == html.ElementNode && n.Data == "form" {
			return n
		}
	}
	return nil
}

func (b *browser) request(form, button *html.Node) *http.Request {
	b.t.Helper()
	values := url.Values{}
	for n := range form.Descendants() {
		name := attr(n, "name")
		if n.Data != "input" || name == "" {
			continue
		}
		typed, ok := b.typed[name]
		kind := attr(n, "type")
		switch {
		case ok:
			values.Set(name, typed)
		case kind == "checkbox" || kind == "radio":
			if hasAttr(n, "checked") {
				values.Add(name, attr(n, "value"))
			}
		case kind != "submit" && kind != "button":
			values.Add(name, attr(n, "value"))
		}
	}
	if name := attr(button, "name"); name != "" {
		values.Set(name, attr(button, "value"))
	}
	action := attr(form, "action")
	if a := attr(button, "formaction"); a != "" {
		action = a
	}
	target, err := b.URL.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	if !strings.EqualFold(attr(form, "method"), "post") {
		target.RawQuery = values.Encode()
		req, _ := http.NewRequest(http.MethodGet, target.String(), nil)
		return req
	}
	req, err := http.NewRequest(http.MethodPost, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.issuer)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return req
}

// Has reports whether the page has an element with that id.
func (b *browser) Has(id string) bool {
	for n := range b.page.Descendants() {
		if n.Type == html.ElementNode && attr(n, "id") == id {
			return true
		}
	}
	return false
}

// HasButton reports whether the page has that button.
func (b *browser) HasButton(button string) bool {
	for n := range b.page.Descendants() {
		if n.Data == "button" && strings.EqualFold(words(n), button) {
			return true
		}
	}
	return false
}

// Link returns the address behind the link with those words, or "".
func (b *browser) Link(text string) string {
	for n := range b.page.Descendants() {
		if n.Data == "a" && strings.EqualFold(words(n), text) {
			if target, err := b.URL.Parse(attr(n, "href")); err == nil {
				return target.String()
			}
		}
	}
	return ""
}

// Text is what a person reads on the page.
func (b *browser) Text() string { return words(b.page) }

// words is the text below a node, blanks folded.
func words(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			out.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}
