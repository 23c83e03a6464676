package conformance

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser is as simple as a browser can be and still sign somebody in: cookies, redirects,
// forms, frames. It runs no script, except that a form which script would send by itself
// is sent by itself.
type browser struct {
	t   testing.TB
	w   *world
	jar *cookiejar.Jar

	at      page
	visited []string // every address that answered, in order
	frames  []string // addresses loaded into frames
}

// page is what the browser shows.
type page struct {
	url    *url.URL
	status int
	header http.Header
	body   string
	doc    *html.Node // nil unless it is HTML
}

func (w *world) newBrowser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &browser{t: t, w: w, jar: jar}
}

// browserOfJane is a browser on which the person is signed in already. The session is
// shared: a module that ends or renews it signs in on a browser of its own.
func (w *world) browserOfJane(t testing.TB) *browser {
	b := w.newBrowser(t)
	issuer, err := url.Parse(w.issuer)
	must(t, err)
	for _, c := range w.signedIn {
		b.jar.SetCookies(issuer, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/", Secure: true}})
	}
	return b
}

func (b *browser) open(to string) {
	b.t.Helper()
	b.load(http.MethodGet, to, nil)
}

const maxRedirects = 20

// load follows redirects until there is a page, then loads its frames and sends what its
// script would send.
func (b *browser) load(method, to string, form url.Values) {
	b.t.Helper()
	for range maxRedirects {
		res := b.fetch(method, to, form)
		b.visited = append(b.visited, to)
		if res.url = parse(b.t, to); res.status < 300 || res.status > 399 || res.header.Get("Location") == "" {
			b.at = res
			b.settle()
			return
		}
		next := parse(b.t, to).ResolveReference(parse(b.t, res.header.Get("Location")))
		if next.Fragment == "" { // inherited, as Fetch has it
			next.Fragment, next.RawFragment = res.url.Fragment, res.url.RawFragment
		}
		if res.status == http.StatusSeeOther || res.status <= http.StatusFound && method == http.MethodPost {
			method, form = http.MethodGet, nil
		}
		to = next.String()
	}
	b.t.Fatalf("more than %d redirects: %s", maxRedirects, b.visited)
}

func parse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	must(t, err)
	return u
}

func (b *browser) fetch(method, to string, form url.Values) page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, to, body)
	must(b.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if b.at.url != nil {
			req.Header.Set("Origin", b.at.url.Scheme+"://"+b.at.url.Host)
		}
	}
	req.Header.Set("Accept", "text/html")
	for _, c := range b.jar.Cookies(req.URL) {
		req.AddCookie(c)
	}
	res, err := b.w.http.Do(req)
	must(b.t, err)
	defer func() { _ = res.Body.Close() }()
	b.jar.SetCookies(req.URL, res.Cookies())
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	must(b.t, err)
	p := page{status: res.StatusCode, header: res.Header, body: string(text)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		p.doc, err = html.ParseWithOptions(bytes.NewReader(text), html.ParseOptionEnableScripting(false))
		must(b.t, err)
	}
	return p
}

// settle does what happens without a person: frames load, forms that send themselves go.
func (b *browser) settle() {
	b.t.Helper()
	for _, frame := range b.at.all("iframe") {
		if src := attr(frame, "src"); src != "" {
			to := b.at.url.ResolveReference(parse(b.t, src)).String()
			b.frames = append(b.frames, to)
			b.fetch(http.MethodGet, to, nil)
		}
	}
	for _, form := range b.at.all("form") {
		if has(form, "data-submit") {
			b.submit(form, nil, nil)
			return
		}
	}
	if next := b.at.onward(); next != "" {
		b.open(b.at.url.ResolveReference(parse(b.t, next)).String())
	}
}

// onward is where a page goes by itself after a while (meta refresh), "" for nowhere.
func (p page) onward() string {
	for _, m := range p.all("meta") {
		if strings.EqualFold(attr(m, "http-equiv"), "refresh") {
			if _, to, ok := strings.Cut(attr(m, "content"), "url="); ok {
				return strings.Trim(to, `'"`)
			}
		}
	}
	return ""
}

// all returns the elements of that name, in order.
func (p page) all(name string) []*html.Node {
	var found []*html.Node
	if p.doc == nil {
		return nil
	}
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

// id returns the element with that id, or nil.
func (p page) id(id string) *html.Node {
	if p.doc == nil {
		return nil
	}
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && attr(n, "id") == id {
			return n
		}
	}
	return nil
}

func (p page) text() string {
	var b strings.Builder
	if p.doc == nil {
		return p.body
	}
	for n := range p.doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// click presses the button with that id after typing into inputs, named by id.
func (b *browser) click(id string, typed map[string]string) {
	b.t.Helper()
	button := b.at.id(id)
	if button == nil {
		b.t.Fatalf("%s has no #%s: %.600s", b.at.url, id, b.at.text())
	}
	if button.Data == "a" {
		b.open(b.at.url.ResolveReference(parse(b.t, attr(button, "href"))).String())
		return
	}
	for input := range typed {
		if b.at.id(input) == nil {
			b.t.Fatalf("%s has no #%s: %.600s", b.at.url, input, b.at.text())
		}
	}
	form := button
	if of := attr(button, "form"); of != "" {
		form = b.at.id(of)
	}
	for form != nil && form.Data != "form" {
		form = form.Parent
	}
	if form == nil {
		b.t.Fatalf("%s: #%s is in no form", b.at.url, id)
	}
	b.submit(form, button, typed)
}

func (b *browser) submit(form, button *html.Node, typed map[string]string) {
	b.t.Helper()
	values := url.Values{}
	for n := range form.Descendants() {
		name := attr(n, "name")
		if n.Type != html.ElementNode || n.Data != "input" || name == "" || has(n, "disabled") {
			continue
		}
		kind := attr(n, "type")
		if (kind == "checkbox" || kind == "radio") && !has(n, "checked") {
			continue
		}
		value := attr(n, "value")
		if text, ok := typed[attr(n, "id")]; ok {
			value = text
		}
		values.Add(name, value)
	}
	if button != nil && attr(button, "name") != "" {
		values.Add(attr(button, "name"), attr(button, "value"))
	}
	to := b.at.url.ResolveReference(parse(b.t, attr(form, "action")))
	if strings.EqualFold(attr(form, "method"), "post") {
		b.load(http.MethodPost, to.String(), values)
		return
	}
	to.RawQuery = values.Encode()
	b.open(to.String())
}

// signIn gives Jane's address and password to the sign-in page.
func (b *browser) signIn() {
	b.t.Helper()
	if b.at.id("login-identifier") == nil || b.at.id("login-password") == nil {
		b.t.Fatalf("%s is no page to sign in on: %.600s", b.at.url, b.at.text())
	}
	b.click("login-submit", map[string]string{"login-identifier": address, "login-password": password})
}

// saw reports whether a path of idp's was visited since the mark.
func (b *browser) saw(since int, path string) bool {
	return slices.ContainsFunc(b.visited[since:], func(at string) bool {
		rest, ok := strings.CutPrefix(at, b.w.issuer+path)
		return ok && (rest == "" || rest[0] == '?' || rest[0] == '/')
	})
}
