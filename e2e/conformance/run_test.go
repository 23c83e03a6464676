package conformance

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"idp/internal/secret"
)

// variant is how a plan runs a module.
type variant struct {
	response string // response_type
	mode     string // "default" or "form_post"
	auth     string // token_endpoint_auth_method
	static   bool   // the client was made by an operator, not by dynamic registration
}

func (v variant) code() bool    { return v.includes("code") }
func (v variant) idToken() bool { return v.includes("id_token") }
func (v variant) token() bool   { return v.includes("token") }

func (v variant) includes(part string) bool {
	return slices.Contains(strings.Fields(v.response), part)
}

// String names the variant in tests.
func (v variant) String() string {
	parts := []string{strings.ReplaceAll(v.response, " ", "+")}
	if v.mode != "default" {
		parts = append(parts, v.mode)
	}
	if v.auth != "" && v.auth != "client_secret_basic" {
		parts = append(parts, v.auth)
	}
	if v.static {
		parts = append(parts, "static")
	}
	return strings.Join(parts, ",")
}

// run is a module being run: one relying party, one browser.
type run struct {
	testing.TB
	t *testing.T
	w *world
	v variant

	folder  *folder
	browser *browser
	client  *client

	state, nonce string // of the last request
}

func newRun(t *testing.T, w *world, v variant) *run {
	m := &run{TB: t, t: t, w: w, v: v, folder: w.site.newFolder()}
	m.browser = w.browserOfJane(t)
	return m
}

// freshBrowser leaves the shared session: nobody is signed in on this browser.
func (m *run) freshBrowser() { m.browser = m.w.newBrowser(m.t) }

func (m *run) callback() string { return m.folder.url + "/callback" }

// request is the plain authorization request that modules vary.
func (m *run) request() url.Values {
	m.Helper()
	if m.client == nil {
		m.register(nil)
	}
	m.state, m.nonce = secret.NewID("st"), secret.NewID("no")
	q := url.Values{
		"client_id": {m.client.id}, "redirect_uri": {m.client.redirect}, "scope": {"openid"},
		"response_type": {m.v.response}, "state": {m.state}, "nonce": {m.nonce},
	}
	if m.v.mode == "form_post" {
		q.Set("response_mode", "form_post")
	}
	return q
}

// with is request with more parameters, given as name, value, name, value.
func (m *run) with(more ...string) url.Values {
	m.Helper()
	q := m.request()
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q
}

// send opens the authorization endpoint and does what a person who agrees does, until the
// browser is back at the relying party or idp shows an error.
func (m *run) send(q url.Values) {
	m.Helper()
	m.browser.open(m.w.endpoint(m.t, "authorization_endpoint") + "?" + q.Encode())
	m.goOn()
}

// goOn signs in and consents where asked.
func (m *run) goOn() {
	m.Helper()
	b := m.browser
	for range 6 {
		switch {
		case b.at.id("login-password") != nil && b.at.id("login-identifier") != nil:
			b.signIn()
		case b.at.id("consent-allow") != nil:
			b.click("consent-allow", nil)
		default:
			return
		}
	}
	m.Fatalf("the browser goes in circles: %s", b.visited)
}

// back reports whether the browser is at the module's redirect URI.
func (m *run) back() bool {
	at := *m.browser.at.url
	at.RawQuery, at.Fragment, at.RawFragment = "", "", ""
	bare, _, _ := strings.Cut(m.callback(), "?")
	return at.String() == bare
}

// answer returns the parameters of the authorization response, and demands that they came
// the way the response mode says.
func (m *run) answer() url.Values {
	m.Helper()
	if !m.back() {
		m.Fatalf("the browser is not back at the relying party but at %s: %.600s", m.browser.at.url, m.browser.at.text())
	}
	hits := m.folder.of("callback")
	last := hits[len(hits)-1]
	query, fragment := last.query, parse(m.t, "?"+m.browser.at.url.EscapedFragment()).Query()
	own := parse(m.t, m.client.redirect).Query() // what was registered with the redirect URI stays
	for name, values := range own {
		if !slices.Equal(query[name], values) {
			m.Errorf("the redirect URI's own query %v came back as %v", own, query)
		}
		query.Del(name)
	}
	var found url.Values
	switch {
	case m.v.mode == "form_post":
		if last.method != http.MethodPost || !strings.HasPrefix(last.kind, "application/x-www-form-urlencoded") {
			m.Fatalf("form_post came as %s with the media type %q", last.method, last.kind)
		}
		found = last.form
		none(m, "query", query)
		none(m, "fragment", fragment)
	case m.v.response == "code":
		found = query
		none(m, "fragment", fragment)
	default:
		found = fragment
		none(m, "query", query)
	}
	for name, values := range found {
		if len(values) != 1 {
			m.Errorf("%s came %d times", name, len(values))
		}
	}
	return found
}

func none(m *run, where string, v url.Values) {
	m.Helper()
	if len(v) > 0 {
		m.Errorf("the %s carries %v, which belongs elsewhere", where, v)
	}
}

// grant is what an authorization response brought.
type grant struct {
	code, access, state, session string
	claims                       map[string]any // of the ID token in front, nil if none
	header                       map[string]any
	raw                          string
}

// success demands an authorization response that is all right, and checks all of it.
func (m *run) success() grant {
	m.Helper()
	a := m.answer()
	if a.Get("error") != "" {
		m.Fatalf("refused: %s: %s", a.Get("error"), a.Get("error_description"))
	}
	m.mustState(a)
	m.mustIssuer(a)
	g := grant{code: a.Get("code"), access: a.Get("access_token"), state: a.Get("state"), session: a.Get("session_state"), raw: a.Get("id_token")}
	allowed := []string{"state", "iss", "session_state"}
	if m.v.code() {
		allowed = append(allowed, "code")
		if len(g.code) < 22 { // 128 bits in base64
			m.Errorf("the code %q is too short to be safe", g.code)
		}
	}
	if m.v.token() {
		allowed = append(allowed, "access_token", "token_type", "expires_in", "scope")
		if g.access == "" || !strings.EqualFold(a.Get("token_type"), "Bearer") {
			m.Errorf("the access token %q has the type %q", g.access, a.Get("token_type"))
		}
		if in := a.Get("expires_in"); in == "" || strings.Trim(in, "0123456789") != "" {
			m.Errorf("expires_in is %q", in)
		}
	}
	if m.v.idToken() {
		allowed = append(allowed, "id_token")
		g.header, g.claims = m.idToken(g.raw)
		m.hashes(g.header, g.claims, g.access, g.code, true)
	}
	for name := range a {
		if !slices.Contains(allowed, name) {
			m.Errorf("the response to %s has an unexpected %s", m.v.response, name)
		}
	}
	return g
}

func (m *run) mustState(a url.Values) {
	m.Helper()
	if a.Get("state") != m.state {
		m.Errorf("state came back as %q, not %q", a.Get("state"), m.state)
	}
}

// mustIssuer demands RFC 9207, as the metadata promises it.
func (m *run) mustIssuer(a url.Values) {
	m.Helper()
	if a.Get("iss") != m.w.issuer {
		m.Errorf("iss is %q, not %q", a.Get("iss"), m.w.issuer)
	}
}

// visible are the characters of an error_description (RFC 6749 §4.1.2.1).
var visible = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]*$`)

// refused demands an error response with one of these codes, and nothing that is worth having.
func (m *run) refused(codes ...string) url.Values {
	m.Helper()
	a := m.answer()
	if !slices.Contains(codes, a.Get("error")) {
		m.Fatalf("the answer is %v, not the error %s", a, strings.Join(codes, " or "))
	}
	m.mustState(a)
	m.mustIssuer(a)
	if d := a.Get("error_description"); !visible.MatchString(d) {
		m.Errorf("error_description has characters it must not have: %q", d)
	}
	for name := range a {
		if !slices.Contains([]string{"error", "error_description", "error_uri", "state", "iss", "session_state"}, name) {
			m.Errorf("an error response carries %s", name)
		}
	}
	return a
}

// errorPage demands that idp shows an error of that kind, and sent nobody anywhere.
func (m *run) errorPage(kinds ...string) {
	m.Helper()
	b := m.browser
	at := b.at.id("error-page")
	if at == nil || !strings.HasPrefix(b.at.url.String(), m.w.issuer) {
		m.Fatalf("%s shows no error page: %.600s", b.at.url, b.at.text())
	}
	if b.at.status < 400 || b.at.status > 499 {
		m.Errorf("the error page has the status %d", b.at.status)
	}
	if kind := attr(at, "data-error"); !slices.Contains(kinds, kind) {
		m.Errorf("the error page says %q, not %q: %.300s", kind, kinds, b.at.text())
	}
	if hits := m.folder.of("callback"); len(hits) > 0 {
		m.Errorf("the browser was sent to the relying party: %+v", hits)
	}
}
