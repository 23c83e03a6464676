package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/templates"
)

const (
	issuer = "https://id.example.com"
	friend = "https://app.friend.example"
)

// desk is a small instance: pages, faces and what it logged.
type desk struct {
	*testing.T
	faces *web.Faces
	pages *web.Pages
	log   bytes.Buffer
	seen  []string // what the metrics were told
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	set, err := templates.Load("")
	if err != nil {
		t.Fatal(err)
	}
	box, err := secret.NewBox(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{T: t}
	d.pages = &web.Pages{
		Set: set, Brand: "Northwind", Box: box, Secure: true,
		Browser: func(_ http.ResponseWriter, r *http.Request) string {
			c, err := r.Cookie("browser")
			if err != nil {
				return "fresh"
			}
			return c.Value
		},
	}
	d.faces = &web.Faces{
		Pages: d.pages, Issuer: issuer, Listed: func(o string) bool { return o == friend }, Now: func() time.Time { return time.Unix(0, 0) },
		Log: slog.New(slog.NewJSONHandler(&d.log, nil)),
		Observe: func(route string, status int, _ time.Duration) {
			d.seen = append(d.seen, route+" "+http.StatusText(status))
		},
	}
	return d
}

// answer is what a route said, its body read.
type answer struct {
	StatusCode int
	Header     http.Header
	text       string
}

func (d *desk) serve(rt web.Route, r *http.Request) answer {
	d.Helper()
	w := httptest.NewRecorder()
	d.faces.Handler(rt).ServeHTTP(w, r)
	res := w.Result()
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		d.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

func ok(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func post(body, kind string, headers map[string]string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, issuer+"/x", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	return r
}

const formKind = "application/x-www-form-urlencoded"

var tokenInput = regexp.MustCompile(`name="form_token" value="([0-9a-f]{64})"`)

// token is the form token that a page shows to a browser.
func (d *desk) token(browser string) string {
	d.Helper()
	r := httptest.NewRequest(http.MethodGet, issuer+"/x", nil)
	r.AddCookie(&http.Cookie{Name: "browser", Value: browser})
	show := func(w http.ResponseWriter, r *http.Request) error {
		return d.pages.Show(w, r, http.StatusOK, "logout", templates.Logout{Action: "/x"})
	}
	found := tokenInput.FindStringSubmatch(d.serve(web.Route{Do: show, Face: web.Page}, r).text)
	if found == nil {
		d.Fatal("the page carries no form token")
	}
	return found[1]
}

func TestOnlyOurOwnFormsChangeAnything(t *testing.T) {
	d := newDesk(t)
	right, others := d.token("ann"), d.token("bob")
	if right == others {
		t.Fatal("two browsers carry the same form token")
	}
	for _, c := range []struct {
		why     string
		token   string
		headers map[string]string
		want    int
	}{
		{"our form, a browser of today", right, map[string]string{"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 204},
		{"our form, a browser that says the origin", right, map[string]string{"Origin": issuer}, 204},
		{"our form, a browser that says nothing", right, nil, 204},
		{"our form, hidden origin and nothing else", right, map[string]string{"Origin": "null"}, 204},
		{"typed by the person", right, map[string]string{"Sec-Fetch-Site": "none"}, 204},
		{"no token, a browser that says nothing", "", nil, 403},
		{"no token, same origin", "", map[string]string{"Sec-Fetch-Site": "same-origin"}, 403},
		{"somebody else's token", others, map[string]string{"Origin": issuer}, 403},
		{"another site, though it has the token", right, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
		{"another site, an old browser", right, map[string]string{"Origin": "https://evil.example"}, 403},
		{"a sibling host", right, map[string]string{"Origin": "https://blog.example.com", "Sec-Fetch-Site": "same-site"}, 403},
		{"the plain twin of our origin", right, map[string]string{"Origin": "http://id.example.com"}, 403},
		{"a sandboxed frame", right, map[string]string{"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403},
		{"an origin that may use the API may still not use pages", right, map[string]string{"Origin": friend}, 403},
	} {
		t.Run(c.why, func(t *testing.T) {
			for _, face := range []web.Face{web.Page, web.Passage} {
				r := post(url.Values{web.FormField: {c.token}}.Encode(), formKind, c.headers)
				r.AddCookie(&http.Cookie{Name: "browser", Value: "ann"})
				if got := d.serve(web.Route{Do: ok, Face: face}, r).StatusCode; got != c.want {
					t.Errorf("face %d: status %d, want %d", face, got, c.want)
				}
			}
		})
	}
}

func TestScriptsMustSayWhereTheyComeFrom(t *testing.T) {
	d := newDesk(t)
	right := d.token("ann")
	for _, c := range []struct {
		why     string
		kind    string
		cookie  bool
		headers map[string]string
		want    int
	}{
		{"ours", "application/json", true, map[string]string{"Sec-Fetch-Site": "same-origin"}, 204},
		{"a listed origin", "application/json", true, map[string]string{"Origin": friend, "Sec-Fetch-Site": "cross-site"}, 204},
		{"another origin", "application/json", true, map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
		{"no origin", "application/json", true, map[string]string{"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403},
		{"the plain twin of a listed origin", "application/json", true, map[string]string{"Origin": "http://app.friend.example"}, 403},
		{"a listed origin as prefix", "application/json", true, map[string]string{"Origin": friend + ".evil.example"}, 403},
		{"a cookie and silence", "application/json", true, nil, 403},
		{"a cookie, silence and the form token", "application/json", true, map[string]string{web.FormHeader: right}, 204},
		{"silence without a cookie", "application/json", false, nil, 204},
		{"JSON disguised as text", "text/plain", true, map[string]string{"Sec-Fetch-Site": "same-origin"}, 415},
		{"a form", formKind, true, map[string]string{"Sec-Fetch-Site": "same-origin"}, 415},
	} {
		t.Run(c.why, func(t *testing.T) {
			r := post("{}", c.kind, c.headers)
			if c.cookie {
				r.AddCookie(&http.Cookie{Name: "browser", Value: "ann"})
			}
			if got := d.serve(web.Route{Do: ok, Face: web.Frontend}, r).StatusCode; got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
		})
	}
}

func TestOnlyListedOriginsReadTheFrontend(t *testing.T) {
	d := newDesk(t)
	for origin, want := range map[string]string{friend: friend, "null": "", "https://evil.example": "", friend + ".evil.example": "", issuer: ""} {
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			r := httptest.NewRequest(method, issuer+"/x", nil)
			r.Header.Set("Origin", origin)
			h := d.serve(web.Route{Do: ok, Face: web.Frontend}, r).Header
			if got := h.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s from %s: allowed origin %q, want %q", method, origin, got, want)
			}
			if want == "" && h.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %s: credentials are allowed", method, origin)
			}
		}
	}
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	d := newDesk(t)
	broken := func(http.ResponseWriter, *http.Request) error { return errors.New("database on fire") }
	panics := func(http.ResponseWriter, *http.Request) error { panic("unexpected") }
	refuses := func(http.ResponseWriter, *http.Request) error {
		return problem.New(problem.NotFound, "gone_fishing", "Not here.")
	}
	for _, face := range []web.Face{web.Page, web.Passage, web.Frontend, web.Protocol, web.Document, web.Plain} {
		for _, do := range []web.Handler{ok, broken, panics, refuses} {
			h := d.serve(web.Route{Do: do, Face: face}, httptest.NewRequest(http.MethodGet, issuer+"/x", nil)).Header
			for key, part := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
				"Content-Security-Policy": "frame-ancestors 'none'", "Strict-Transport-Security": "max-age=31536000",
			} {
				if !strings.Contains(h.Get(key), part) {
					t.Errorf("face %d: %s is %q", face, key, h.Get(key))
				}
			}
			if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "form-action") {
				t.Errorf("face %d: policy %q", face, csp)
			}
			if face != web.Document && face != web.Plain && h.Get("Cache-Control") != "no-store" {
				t.Errorf("face %d may be cached", face)
			}
			if len(h.Get("X-Request-Id")) != 16 {
				t.Errorf("face %d has no id to quote", face)
			}
			if severed := h.Get("Cross-Origin-Opener-Policy") != ""; severed != (face == web.Page) {
				t.Errorf("face %d: cut off from its opener: %v", face, severed)
			}
		}
	}
}

func TestAPageFramesWhatItNamesAndOtherPagesNothing(t *testing.T) {
	d := newDesk(t)
	show := func(name string, data any) string {
		return d.serve(web.Route{Pattern: "GET /page", Face: web.Page, Do: func(w http.ResponseWriter, r *http.Request) error {
			return d.pages.Show(w, r, http.StatusOK, name, data)
		}}, httptest.NewRequest(http.MethodGet, "/page", nil)).Header.Get("Content-Security-Policy")
	}
	if got := show("logging_out", templates.LoggingOut{Frames: []string{"https://a.example/out?x=1", "https://b.example:8443/"}, To: "/"}); !strings.HasSuffix(got, "; frame-src https://a.example https://b.example:8443") {
		t.Errorf("policy %q", got)
	}
	if got := show("logged_out", templates.LoggedOut{}); strings.Contains(got, "frame-src") || !strings.Contains(got, "default-src 'none'") {
		t.Errorf("policy %q", got)
	}
}

func TestOnlyPublicHTTPSIsMadeToLast(t *testing.T) {
	for _, c := range []struct {
		issuer      string
		development bool
		want        bool
	}{
		{issuer, false, true}, {issuer + "/auth", false, true}, {issuer, true, false}, {"http://localhost:8080", false, false},
		{"https://localhost:8443", false, false}, {"https://idp.localhost", false, false}, {"https://127.0.0.1:8443", false, false}, {"https://[::1]:8443", false, false},
	} {
		d := newDesk(t)
		d.faces.Issuer, d.pages.Development = c.issuer, c.development
		h := d.serve(web.Route{Do: ok, Face: web.Plain}, httptest.NewRequest(http.MethodGet, "/x", nil)).Header
		if got := h.Get("Strict-Transport-Security") != ""; got != c.want {
			t.Errorf("%s, development %t: %q", c.issuer, c.development, h.Get("Strict-Transport-Security"))
		}
	}
}

func TestOurFaultSaysNothingAndIsLoggedWithItsTrace(t *testing.T) {
	for _, do := range []web.Handler{
		func(http.ResponseWriter, *http.Request) error { return errors.New("pq: password of admin is hunter2") },
		func(http.ResponseWriter, *http.Request) error { panic("pq: password of admin is hunter2") },
	} {
		for _, face := range []web.Face{web.Page, web.Protocol} {
			d := newDesk(t)
			got := d.serve(web.Route{Pattern: "GET /x", Do: do, Face: face}, httptest.NewRequest(http.MethodGet, issuer+"/x?code=zebra", nil))
			body, trace := got.text, got.Header.Get("X-Request-Id")
			if got.StatusCode != http.StatusInternalServerError || strings.Contains(body, "hunter2") {
				t.Errorf("status %d, body %s", got.StatusCode, body)
			}
			if !strings.Contains(body, trace) || !strings.Contains(d.log.String(), trace) || !strings.Contains(d.log.String(), "hunter2") {
				t.Error("the trace does not lead from the answer to the log")
			}
			if strings.Contains(d.log.String(), "zebra") {
				t.Error("the log holds the query")
			}
			if len(d.seen) != 1 || d.seen[0] != "GET /x Internal Server Error" {
				t.Errorf("metrics were told %v", d.seen)
			}
		}
	}
}

func TestProblemsAreDocumentsOrPages(t *testing.T) {
	d := newDesk(t)
	do := func(http.ResponseWriter, *http.Request) error {
		return problem.New(problem.TooMany, "slow_down", `Slow <b>down</b>.`).On("answer").After(1500 * time.Millisecond).Because(errors.New("inner"))
	}
	got := d.serve(web.Route{Do: do, Face: web.Frontend}, httptest.NewRequest(http.MethodGet, issuer+"/x", nil))
	body := got.text
	if got.StatusCode != 429 || got.Header.Get("Retry-After") != "2" || got.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("answered %d %v", got.StatusCode, got.Header)
	}
	for _, part := range []string{`"code":"slow_down"`, `"field":"answer"`, `"status":429`, `"title":"Too Many Requests"`} {
		if !strings.Contains(body, part) {
			t.Errorf("%s is missing in %s", part, body)
		}
	}
	if strings.Contains(body, "inner") {
		t.Error("the cause left the process")
	}
	page := d.serve(web.Route{Do: do, Face: web.Page}, httptest.NewRequest(http.MethodGet, issuer+"/x?error=<script>alert(1)</script>", nil))
	body = page.text
	if page.StatusCode != 429 || !strings.Contains(body, `id="error-page" data-error="slow_down"`) || !strings.Contains(body, page.Header.Get("X-Request-Id")) {
		t.Errorf("answered %d %s", page.StatusCode, body)
	}
	if strings.Contains(body, "<b>down") || strings.Contains(body, "alert(1)") {
		t.Error("text became markup, or the query was reflected")
	}
}

func TestBodiesAreLimited(t *testing.T) {
	d := newDesk(t)
	read := func(_ http.ResponseWriter, r *http.Request) error {
		var v map[string]string
		return web.DecodeJSON(r, &v)
	}
	form := url.Values{web.FormField: {strings.Repeat("a", 64<<10)}}.Encode()
	if got := d.serve(web.Route{Do: ok, Face: web.Page}, post(form, formKind, nil)).StatusCode; got != http.StatusRequestEntityTooLarge {
		t.Errorf("a form over 64 KiB: %d", got)
	}
	body := `{"a":"` + strings.Repeat("a", 256<<10) + `"}`
	if got := d.serve(web.Route{Do: read, Face: web.Frontend}, post(body, "application/json", nil)).StatusCode; got != http.StatusRequestEntityTooLarge {
		t.Errorf("JSON over 256 KiB: %d", got)
	}
	if got := d.serve(web.Route{Do: ok, Face: web.Page}, post("x", "multipart/form-data; boundary=x", nil)).StatusCode; got != http.StatusUnsupportedMediaType {
		t.Errorf("a multipart form: %d", got)
	}
}

func TestJSONIsReadStrictly(t *testing.T) {
	d := newDesk(t)
	read := func(w http.ResponseWriter, r *http.Request) error {
		var v struct {
			Name string `json:"name"`
		}
		if err := web.DecodeJSON(r, &v); err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, v)
	}
	for body, want := range map[string]int{
		`{"name":"ann"}`: 200, `{"name":"ann","admin":true}`: 400, `{"name":"ann"} {}`: 400, `{"name":`: 400, ``: 400, `[]`: 400,
	} {
		if got := d.serve(web.Route{Do: read, Face: web.Frontend}, post(body, "application/json", nil)).StatusCode; got != want {
			t.Errorf("%s: %d, want %d", body, got, want)
		}
	}
}

func TestTheCallerIsTheFirstAddressThatIsNoProxyOfOurs(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		why, peer, forwarded, connection, want string
	}{
		{"nobody in between", "203.0.113.9:1", "", "", "203.0.113.9"},
		{"a stranger invents a header", "203.0.113.9:1", "198.51.100.1", "", "203.0.113.9"},
		{"one proxy", "10.0.0.2:1", "198.51.100.1", "", "198.51.100.1"},
		{"the caller invented the left part", "10.0.0.2:1", "1.2.3.4, 198.51.100.1", "", "198.51.100.1"},
		{"two proxies", "10.0.0.2:1", "198.51.100.1, 10.0.0.3", "", "198.51.100.1"},
		{"only proxies", "10.0.0.2:1", "10.0.0.4, 10.0.0.3", "", "10.0.0.4"},
		{"rubbish ends the list", "10.0.0.2:1", "198.51.100.1, unknown", "", "10.0.0.2"},
		{"an IPv4 address in IPv6 dress", "[::ffff:203.0.113.9]:1", "", "", "203.0.113.9"},
		{"a header that asks to be dropped", "10.0.0.2:1", "198.51.100.1", "close, X-Forwarded-For", "10.0.0.2"},
		{"no address at all", "@", "198.51.100.1", "", ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			d := newDesk(t)
			d.faces.Proxies = proxies
			r := httptest.NewRequest(http.MethodGet, issuer+"/x", nil)
			r.RemoteAddr = c.peer
			r.Header["X_Forwarded_For"] = []string{"6.6.6.6"}
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if c.connection != "" {
				r.Header.Set("Connection", c.connection)
			}
			var got string
			d.serve(web.Route{Face: web.Plain, Do: func(_ http.ResponseWriter, r *http.Request) error {
				got = web.Network(r)
				return nil
			}}, r)
			if got != c.want {
				t.Errorf("the caller is %q, want %q", got, c.want)
			}
		})
	}
}

func TestOnlyPathsOfOursAreReturnedTo(t *testing.T) {
	for _, path := range []string{"/account", "/operator/claim?token=a-b_c", "/sign-in/attempt_1?method=email_code", "/oauth2/resume?ask=ask_1&x=%2F%2Fe"} {
		if got := web.Local(path, "/fallback"); got != path {
			t.Errorf("%q became %q", path, got)
		}
	}
	for _, path := range []string{
		"", "account", "//evil.example", `/\evil.example`, "/\t/evil.example", "/%09/evil.example", "https:evil.example", "https://evil.example",
		"/x/..//evil.example", "/../x", "@evil.example", "/@evil.example", "javascript:alert(1)", "/x\r\nSet-Cookie: a=b", "///evil.example", "/a b",
		"/%2F/evil.example", "/x//evil.example", "/" + strings.Repeat("a", 3000),
	} {
		if got := web.Local(path, "/fallback"); got != "/fallback" {
			t.Errorf("%q leads to %q", path, got)
		}
	}
}

func TestAReturnIsTakenOnceAndOnlyToAPathOfOurs(t *testing.T) {
	d := newDesk(t)
	for kept, want := range map[string]string{"/operator/claim?token=abc": "/operator/claim?token=abc", "//evil.example": "/account"} {
		w := httptest.NewRecorder()
		d.pages.KeepReturn(w, kept)
		cookies := w.Result().Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].SameSite != http.SameSiteLaxMode || !strings.HasPrefix(cookies[0].Name, "__Host-") {
			t.Fatalf("the cookie is %v", cookies)
		}
		r := httptest.NewRequest(http.MethodGet, issuer+"/x", nil)
		r.AddCookie(cookies[0])
		w = httptest.NewRecorder()
		if got := d.pages.TakeReturn(w, r, "/account"); got != want {
			t.Errorf("%q leads to %q, want %q", kept, got, want)
		}
		if gone := w.Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
			t.Errorf("the cookie stays: %v", gone)
		}
		r.AddCookie(&http.Cookie{Name: cookies[0].Name, Value: "/elsewhere"})
		if got := d.pages.TakeReturn(httptest.NewRecorder(), r, "/account"); got != "/account" {
			t.Errorf("two cookies lead to %q", got)
		}
	}
}

func TestWhatMatchesNoRouteIsAnsweredInOurManner(t *testing.T) {
	d := newDesk(t)
	mux := http.NewServeMux()
	d.faces.Mount(mux, []web.Route{{Pattern: "POST /oauth2/token", Do: ok, Face: web.Protocol}, {Pattern: "GET /sign-in", Do: ok, Face: web.Page}})
	root := d.faces.Root(mux)
	for _, c := range []struct {
		method, path, accept string
		want                 int
		kind                 string
	}{
		{"GET", "/nowhere", "text/html,*/*", 404, "text/html"},
		{"POST", "/nowhere", "text/html,*/*", 404, "text/html"},
		{"GET", "/nowhere", "", 404, "application/problem+json"},
		{"GET", "/oauth2/token", "", 405, "application/problem+json"},
		{"GET", "/sign-in/x.css", "text/css", 404, "application/problem+json"},
	} {
		r := httptest.NewRequest(c.method, issuer+c.path, nil)
		r.Header.Set("Accept", c.accept)
		w := httptest.NewRecorder()
		root.ServeHTTP(w, r)
		if w.Code != c.want || !strings.HasPrefix(w.Header().Get("Content-Type"), c.kind) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Header().Get("Content-Type"))
		}
		if w.Header().Get("X-Frame-Options") != "DENY" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: headers %v", c.method, c.path, w.Header())
		}
		if c.want == 405 && w.Header().Get("Allow") != "POST" {
			t.Errorf("allowed methods are %q", w.Header().Get("Allow"))
		}
	}
}

func TestHandlersDoNotRunForEver(t *testing.T) {
	d := newDesk(t)
	var limit bool
	d.serve(web.Route{Face: web.Page, Do: func(_ http.ResponseWriter, r *http.Request) error {
		_, limit = r.Context().Deadline()
		return context.DeadlineExceeded
	}}, httptest.NewRequest(http.MethodGet, issuer+"/x", nil))
	if !limit {
		t.Error("a handler has no deadline")
	}
}

func TestAssetsAreKeptForEverUnderTheirDigest(t *testing.T) {
	d := newDesk(t)
	var page bytes.Buffer
	if err := d.pages.Set.Page(&page, "logged_out", templates.Frame{Locale: "en", Data: templates.LoggedOut{}}); err != nil {
		t.Fatal(err)
	}
	style := regexp.MustCompile(`/assets/(style\.[0-9a-f]{12}\.css)`).FindStringSubmatch(page.String())
	if style == nil {
		t.Fatal("the page names no style by its digest")
	}
	r := httptest.NewRequest(http.MethodGet, issuer+style[0], nil)
	r.SetPathValue("file", style[1])
	got := d.serve(web.Route{Do: d.pages.Asset, Face: web.Plain}, r)
	if got.StatusCode != 200 || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/css") {
		t.Errorf("answered %d %v", got.StatusCode, got.Header)
	}
	r.SetPathValue("file", "style.css")
	if got := d.serve(web.Route{Do: d.pages.Asset, Face: web.Plain}, r); got.StatusCode != 404 {
		t.Errorf("the plain name answers %d", got.StatusCode)
	}
}
