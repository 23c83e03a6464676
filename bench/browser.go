package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// browser is a user agent with its own cookies. It follows redirects itself, so
// that the redirect back to the client is read and never requested.
type browser struct {
	http           *http.Client
	user, password string
}

func newBrowser(s *session, worker int) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{
		http: &http.Client{
			Transport:     s.rt,
			Jar:           plainJar{jar},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		user: s.userOf(worker), password: s.password,
	}
}

// plainJar sends Secure cookies over plain HTTP, as browsers do on loopback.
type plainJar struct{ http.CookieJar }

func (j plainJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		c.Secure = false
	}
	j.CookieJar.SetCookies(u, cookies)
}

// visit opens an authorization URL, fills in whatever forms come up, and returns
// the query of the redirect to the client.
func (b *browser) visit(start, redirect string) (url.Values, error) {
	req, err := http.NewRequest("GET", start, nil)
	for range 20 {
		if err != nil {
			return nil, err
		}
		res, err2 := b.http.Do(req)
		if err2 != nil {
			return nil, err2
		}
		body, err2 := io.ReadAll(res.Body)
		res.Body.Close()
		if err2 != nil {
			return nil, err2
		}
		location, err2 := res.Location()
		switch {
		case err2 == nil && strings.HasPrefix(location.String(), redirect):
			q := location.Query()
			if e := q.Get("error"); e != "" {
				return nil, fmt.Errorf("authorization: %s: %s", e, q.Get("error_description"))
			}
			return q, nil
		case err2 == nil:
			req, err = http.NewRequest("GET", location.String(), nil)
		case res.StatusCode == http.StatusOK:
			req, err = b.fill(req.URL, string(body))
		default:
			return nil, fmt.Errorf("%s %s: %s: %.200s", req.Method, req.URL, res.Status, body)
		}
	}
	return nil, fmt.Errorf("no redirect to the client after 20 steps; last was %s", req.URL)
}

// fill answers the page's form: the one that asks for a password if there is
// one, else the first that posts. Fields are filled by type, not by name.
func (b *browser) fill(page *url.URL, body string) (*http.Request, error) {
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	var chosen *html.Node
	for n := range doc.Descendants() {
		if n.Data != "form" || n.Type != html.ElementNode {
			continue
		}
		password := false
		for i := range n.Descendants() {
			password = password || i.Data == "input" && attr(i, "type") == "password"
		}
		if password {
			chosen = n
			break
		}
		if chosen == nil && strings.EqualFold(attr(n, "method"), "post") {
			chosen = n
		}
	}
	if chosen == nil {
		return nil, fmt.Errorf("%s: no form to fill: %.200s", page, body)
	}
	values, submitted := url.Values{}, false
	for n := range chosen.Descendants() {
		name, kind := attr(n, "name"), attr(n, "type")
		if n.Data == "button" && kind == "" {
			kind = "submit"
		}
		if n.Data != "input" && n.Data != "button" || name == "" && kind != "submit" {
			continue
		}
		switch kind {
		case "password":
			values.Set(name, b.password)
		case "email", "text", "":
			values.Set(name, b.user)
		case "submit": // a browser sends only the button that was pressed: the first
			if !submitted && name != "" {
				values.Set(name, attr(n, "value"))
			}
			submitted = true
		case "checkbox", "radio":
			if hasAttr(n, "checked") {
				values.Add(name, attr(n, "value"))
			}
		case "button", "reset", "file", "image":
		default:
			values.Add(name, attr(n, "value"))
		}
	}
	target, err := page.Parse(attr(chosen, "action"))
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest("POST", target.String(), strings.NewReader(values.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", target.Scheme+"://"+target.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return req, err
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
