package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"idp/internal/web"
)

// call is a request by script as a browser sends it: with its cookie, wherever the page is from.
func call(method, origin string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, issuer+"/x", nil)
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: "browser", Value: "ann"})
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// who answers with the browser that sent the request, if it says so, and with a renewed cookie.
func who(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, &http.Cookie{Name: "browser", Value: "renewed"})
	http.SetCookie(w, &http.Cookie{Name: "state", Value: "of the browser"})
	said := ""
	for _, c := range r.Cookies() {
		said += c.Name + "=" + c.Value + ";"
	}
	return web.WriteJSON(w, http.StatusOK, map[string]string{"cookies": said, "origin": web.Origin(r)})
}

func TestInProductionTheBrowserTokenMeansNothing(t *testing.T) {
	d := newDesk(t)
	for _, origin := range []string{"https://evil.example", "null", friend + ".evil.example", "http://app.friend.example", friend + ":8443", "https://APP.friend.example"} {
		for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions} {
			got := d.serve(web.Route{Do: who, Face: web.Frontend}, call(method, origin, web.TokenHeader, "eve"))
			if got.StatusCode != http.StatusForbidden {
				t.Errorf("%s from %s: %d %v", method, origin, got.StatusCode, got.Header)
			}
			for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Expose-Headers", web.TokenHeader} {
				if got.Header.Get(name) != "" {
					t.Errorf("%s from %s: %s is %q", method, origin, name, got.Header.Get(name))
				}
			}
		}
	}
	got := d.serve(web.Route{Do: who, Face: web.Frontend}, call(http.MethodPost, friend, web.TokenHeader, "eve"))
	if got.text != `{"cookies":"browser=ann;","origin":"`+friend+`"}`+"\n" || got.Header.Get(web.TokenHeader) != "" || len(got.Header["Set-Cookie"]) != 2 {
		t.Errorf("a listed origin with a token: %s %v", got.text, got.Header)
	}
}

func TestInDevelopmentATokenStandsForTheCookieAndNothingOfACookieIsReadOrWritten(t *testing.T) {
	d := newDesk(t)
	d.faces.BrowserCookie = "browser"
	for _, c := range []struct {
		why, origin, token, site string
		cookies, from            string
		shared                   string
	}{
		{"any other origin, and its token", "https://any.example", "eve", "cross-site", "browser=eve;", "https://any.example", "*"},
		{"any other origin without one", "https://any.example", "", "cross-site", "", "https://any.example", "*"},
		{"a file or sandbox", "null", "eve", "cross-site", "browser=eve;", issuer, "*"},
		{"a listed origin that prefers a token", friend, "eve", "cross-site", "browser=eve;", friend, friend},
		{"ours, with a token", issuer, "eve", "same-origin", "browser=eve;", issuer, "*"},
		{"no browser", "", "eve", "", "browser=eve;", issuer, "*"},
	} {
		r := call(http.MethodPost, c.origin, "Sec-Fetch-Site", c.site, web.TokenHeader, c.token)
		if c.origin == "" {
			r.Header.Del("Origin")
			r.Header.Del("Sec-Fetch-Site")
		}
		if c.token == "" {
			r.Header.Del(web.TokenHeader)
		}
		got := d.serve(web.Route{Do: who, Face: web.Frontend}, r)
		if got.text != `{"cookies":"`+c.cookies+`","origin":"`+c.from+`"}`+"\n" {
			t.Errorf("%s: %d %s", c.why, got.StatusCode, got.text)
		}
		if got.Header.Get(web.TokenHeader) != "renewed" || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: the answer carries %v", c.why, got.Header)
		}
		if got.Header.Get("Access-Control-Allow-Origin") != c.shared || (got.Header.Get("Access-Control-Allow-Credentials") != "") != (c.shared == friend) {
			t.Errorf("%s: shared with %v", c.why, got.Header)
		}
	}
}

func TestInDevelopmentListedOriginsAndOursKeepTheCookie(t *testing.T) {
	d := newDesk(t)
	d.faces.BrowserCookie = "browser"
	for _, c := range []struct{ origin, site string }{{friend, "same-site"}, {issuer, "same-origin"}, {"null", "same-origin"}} {
		got := d.serve(web.Route{Do: who, Face: web.Frontend}, call(http.MethodPost, c.origin, "Sec-Fetch-Site", c.site))
		if got.StatusCode != http.StatusOK || len(got.Header["Set-Cookie"]) != 2 || got.Header.Get(web.TokenHeader) != "" || got.Header.Get("Access-Control-Allow-Origin") == "*" {
			t.Errorf("%s: %d %v", c.origin, got.StatusCode, got.Header)
		}
	}
}

func TestAPreflightSaysWhatScriptsMaySend(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct{ cookie, origin, allow, headers, shows string }{
		{"", friend, friend, "Content-Type, Idp-Form-Token", "Date, Retry-After, X-Request-Id"},
		{"browser", friend, friend, "Content-Type, Idp-Form-Token, Idp-Browser-Token", "Date, Retry-After, X-Request-Id, Idp-Browser-Token"},
		{"browser", "https://any.example", "*", "Content-Type, Idp-Form-Token, Idp-Browser-Token", "Date, Retry-After, X-Request-Id, Idp-Browser-Token"},
	} {
		d.faces.BrowserCookie = c.cookie
		mux := http.NewServeMux()
		d.faces.Mount(mux, []web.Route{{Pattern: "POST /x", Do: who, Face: web.Frontend}})
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, call(http.MethodOptions, c.origin, "Access-Control-Request-Method", "POST"))
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": c.allow, "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE", "Access-Control-Allow-Headers": c.headers,
			"Access-Control-Expose-Headers": c.shows, "Access-Control-Max-Age": "600", "Vary": "Origin", "Set-Cookie": "",
		} {
			if got := w.Header().Get(name); got != want || w.Code != http.StatusNoContent {
				t.Errorf("%q to %s: %d, %s is %q", c.cookie, c.origin, w.Code, name, got)
			}
		}
	}
}

func TestOnlyTheFrontendFaceTakesABrowserToken(t *testing.T) {
	d := newDesk(t)
	d.faces.BrowserCookie = "browser"
	for _, face := range []web.Face{web.Page, web.Passage, web.Protocol, web.Document, web.Plain} {
		got := d.serve(web.Route{Do: who, Face: face}, call(http.MethodGet, "https://any.example", web.TokenHeader, "eve"))
		if got.text != `{"cookies":"browser=ann;","origin":"`+issuer+`"}`+"\n" || got.Header.Get(web.TokenHeader) != "" {
			t.Errorf("face %d: %s %v", face, got.text, got.Header)
		}
	}
}

func TestABodyOfUnknownLengthIsJSONToo(t *testing.T) {
	d := newDesk(t)
	for kind, want := range map[string]int{"text/plain": http.StatusUnsupportedMediaType, "": http.StatusUnsupportedMediaType, "application/json": http.StatusOK} {
		r := call(http.MethodPost, friend, "Content-Type", kind)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), -1
		if got := d.serve(web.Route{Do: who, Face: web.Frontend}, r); got.StatusCode != want {
			t.Errorf("%q in chunks: %d", kind, got.StatusCode)
		}
	}
}

func TestWhoIsNotListedLearnsNothingEvenWhereTheyOnlyRead(t *testing.T) {
	d := newDesk(t)
	for _, origin := range []string{"https://evil.example", "null"} {
		got := d.serve(web.Route{Do: who, Face: web.Frontend}, call(http.MethodGet, origin))
		if got.StatusCode != http.StatusForbidden || strings.Contains(got.text, "ann") || !strings.Contains(got.text, `"cross_site"`) || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s is answered %d %s", origin, got.StatusCode, got.text)
		}
	}
	for _, site := range []string{"same-origin", ""} { // a page of ours that hides where it is, and a browser that says nothing
		r := call(http.MethodGet, "null", "Sec-Fetch-Site", site)
		if got := d.serve(web.Route{Do: who, Face: web.Frontend}, r); got.StatusCode != http.StatusOK || !strings.Contains(got.text, `"origin":"`+issuer+`"`) {
			t.Errorf("our own page is answered %d %s", got.StatusCode, got.text)
		}
	}
}
