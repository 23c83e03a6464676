package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzAuthorize throws parameters at the authorization endpoint. Whatever comes, it never
// fails by its own fault, never sends anybody to an address that is not registered, and
// never leaves out who it is.
func FuzzAuthorize(f *testing.F) {
	w := newWorld(f, sqlite(f), clockOf())
	c, _ := w.client(versatile)
	b := w.browser()
	b.signIn(w.person("Ann"))
	bare := func(changes ...string) string {
		return ask(c, append(changes, "client_id", "", "redirect_uri", "")...).Encode()
	}
	f.Add(ask(c).Encode(), false)
	f.Add(bare(), true)
	f.Add(bare("prompt", "none", "max_age", "0", "response_mode", "form_post"), true)
	f.Add(bare("prompt", "login consent", "ui_locales", "de fr", "login_hint", "x@y"), true)
	f.Add(bare("response_type", "id_token token code", "claims", `{"id_token":{"sub":{"value":"x"}},"userinfo":{"name":null}}`), true)
	f.Add(bare("response_type", "token", "response_mode", "fragment", "claims", "[[[["), true)
	f.Add("request=eyJhbGciOiJub25lIn0.e30.", true)
	f.Add("scope=%ff&state=%00&prompt=none+login&id_token_hint=....", false)
	f.Add("client_id=%s&client_id=;&redirect_uri=//", false)
	f.Fuzz(func(t *testing.T, query string, addressed bool) {
		if addressed { // get past the door
			query = with(url.Values{"client_id": {string(c.ID)}, "redirect_uri": {callback}}).Encode() + "&" + query
		}
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/oauth2/authorize", RawQuery: query}, Header: http.Header{}}
		r = r.WithContext(t.Context())
		rec := b.do(r)
		to := rec.Header().Get("Location")
		switch {
		case rec.Code >= 500:
			t.Fatalf("%d %s", rec.Code, rec.Body)
		case to == "" || strings.HasPrefix(to, "/sign-") || strings.HasPrefix(to, "/consent?"):
		case !strings.HasPrefix(to, callback+"?") && !strings.HasPrefix(to, callback+"#"):
			t.Fatalf("sent to %q", to)
		case strings.Contains(strings.SplitN(to, "#", 2)[0], "token="):
			t.Fatalf("a token in the query: %q", to)
		case !strings.Contains(to, "iss="+url.QueryEscape(issuer)):
			t.Fatalf("no issuer in %q", to)
		}
	})
}

// FuzzToken throws bodies and headers at the token endpoint: no token without a code, and
// no failure of its own.
func FuzzToken(f *testing.F) {
	w := newWorld(f, sqlite(f), clockOf())
	c, key := w.client(nil)
	b := w.browser()
	b.signIn(w.person("Ann"))
	a := b.tokens(c, key)
	f.Add("grant_type=authorization_code&code=x", basicOf(string(c.ID), key))
	f.Add("grant_type=refresh_token&scope=admin&refresh_token="+a.Refresh, basicOf(string(c.ID), key))
	f.Add("grant_type=client_credentials&client_id="+string(c.ID)+"&client_secret="+key, "")
	f.Add("grant_type=%ff&code=%00&client_id=a&client_id=b", "Basic ====")
	f.Fuzz(func(t *testing.T, body, authorization string) {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(body)).WithContext(t.Context())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		rec := httptest.NewRecorder()
		w.mux.ServeHTTP(rec, r)
		if rec.Code >= 500 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		if rec.Code == http.StatusOK && !strings.Contains(body, "refresh_token") {
			t.Fatalf("tokens for %q", body)
		}
	})
}
