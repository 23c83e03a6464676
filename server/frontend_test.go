package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idp/internal/web"
)

const shop = "http://localhost:5173"

func TestBelowAPathAScriptAndOurPagesBringPeopleBackToTheirApp(t *testing.T) {
	s := startAt(t, sqlite(t), "/auth", "IDP_ORIGINS="+shop)
	b := s.surfer()
	b.open("/auth/sign-up").signUp("/auth")

	for wish, next := range map[string]string{
		shop + "/cart": shop + "/cart", "/auth/account/security": s.issuer + "/account/security", "/shop": s.host + "/shop",
		"http://localhost:3000/": "/auth/account", "//evil.example": "/auth/account", "": "/auth/account",
	} {
		page := &script{surfer: s.surfer()}
		page.base = "/auth"
		page.call("POST", "/attempts", fmt.Sprintf(`{"goal":"sign_in","return_to":%q}`, wish), 201, "Origin", shop)
		page.then("identify", `{"identifier":"ann@example.com"}`, "needs_first_factor")
		// Our page takes over what a script began.
		page.Get("/auth/sign-in/" + page.attempt + "?method=password")
		if page.Post("/auth/sign-in/"+page.attempt+"/prove", "method", "password", "password", strong); page.To != next {
			t.Errorf("%q: our page leads to %q, want %q", wish, page.To, next)
		}
		if v := page.call("GET", "/attempts/"+page.attempt, "", 200); v["next"] != next {
			t.Errorf("%q: a script is led to %v, want %q", wish, v["next"], next)
		}
	}
	if b.Get("/auth/sign-in?return_to=http%3A%2F%2Flocalhost%3A5173%2Fcart"); b.To != shop+"/cart" {
		t.Errorf("who is signed in is led to %q", b.To)
	}
}

func TestAPageThatNoCookieReachesSignsInWithItsToken(t *testing.T) {
	s := startAt(t, sqlite(t), "")
	s.surfer().open("/sign-up").signUp("")

	x := &script{surfer: s.surfer()}
	from := []string{"Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"}
	token := x.call("POST", "/browsers", "{}", 201, from...)["browser_token"].(string)
	asked := append([]string{web.TokenHeader, token}, from...)
	x.call("POST", "/attempts", `{"goal":"sign_in"}`, 201, asked...)
	at := "/attempts/" + x.attempt
	x.call("POST", at+"/identify", `{"identifier":"ann@example.com"}`, 200, asked...)
	x.call("POST", at+"/prove", fmt.Sprintf(`{"method":"password","answer":%q}`, strong), 200, asked...)
	fresh := x.Header.Get(web.TokenHeader)
	if fresh == "" || fresh == token {
		t.Fatalf("signing in leaves the browser's secret as it was: %v", x.Header)
	}
	if len(x.Cookies()) != 0 {
		t.Errorf("there are cookies: %v", x.Cookies())
	}
	x.call("GET", "/me", "", 401, asked...)
	x.call("GET", "/me", "", 200, append([]string{web.TokenHeader, fresh}, from...)...)
	x.call("GET", "/me", "", 401, from...)

	// Of a browser that has a cookie and a page that has a token, the page's is heard.
	b := &script{surfer: s.surfer()}
	b.begin("sign_in", "needs_identifier")
	b.then("identify", `{"identifier":"ann@example.com"}`, "needs_first_factor")
	b.then("prove", fmt.Sprintf(`{"method":"password","answer":%q}`, strong), "complete")
	b.call("GET", "/me", "", 200)
	b.call("GET", "/me", "", 401, web.TokenHeader, token)
	b.call("GET", "/me", "", 401, from...)
	b.call("GET", "/me", "", 200)
}

// deployed is an idp in production, and who trusts its certificate.
func deployed(t *testing.T, more ...string) *surfer {
	t.Helper()
	certFile, keyFile, pool := selfSigned(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory
		t.Fatal(err)
	}
	s := startAt(t, "sqlite:"+filepath.Join(dir, "idp.db"), "", append([]string{
		"IDP_ENVIRONMENT=production", "IDP_TLS_CERTIFICATE_FILE=" + certFile, "IDP_TLS_KEY_FILE=" + keyFile, "IDP_SMTP_URL=smtp://127.0.0.1:1",
		"IDP_MAIL_FROM=a@example.com", "IDP_MASTER_KEY=7f3c1de9a04b52886fd7310c95be24aa61e8d74f0b39c5127da6428fe1905bc3",
		"IDP_BREACHED_PASSWORDS_CHECK=off",
	}, more...)...)
	b := s.surfer()
	b.Client.Transport = trusting(pool)
	return b
}

func trusting(pool *x509.CertPool) http.RoundTripper {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
}

func TestInProductionNothingKnowsOfBrowserTokensAndOnlyListedOriginsAreHeard(t *testing.T) {
	const listed = "https://app.localhost:3000"
	b := deployed(t, "IDP_ORIGINS="+listed)
	shared := func(h http.Header) string {
		return h.Get("Access-Control-Allow-Origin") + h.Get("Access-Control-Allow-Credentials") + h.Get("Access-Control-Allow-Headers") + h.Get("Access-Control-Expose-Headers")
	}
	if b.raw("POST", "/frontend/v1/browsers", "{}", "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin"); b.Status != http.StatusNotFound {
		t.Errorf("a token is made: %d", b.Status)
	}
	token := "browser_0351sABMCUp8uexoGZq3Y2." + strings.Repeat("a", 43)
	for _, origin := range []string{"https://evil.example", "null", "https://app.localhost", "http://app.localhost:3000", "https://app.localhost:3000.evil.com", "https://APP.localhost:3000", "http://localhost:3000"} {
		for method, path := range map[string]string{"GET": "/frontend/v1/environment", "OPTIONS": "/frontend/v1/attempts", "POST": "/frontend/v1/attempts"} {
			b.raw(method, path, `{"goal":"sign_in"}`, "Origin", origin, "Sec-Fetch-Site", "cross-site", "Content-Type", "application/json", web.TokenHeader, token)
			if shared(b.Header) != "" || b.Header.Get(web.TokenHeader) != "" || b.Status != http.StatusForbidden || method == "POST" && len(b.Cookies()) != 0 {
				t.Errorf("%s of %s: %d %v", method, origin, b.Status, b.Header)
			}
		}
	}
	if e := b.facts("", "Origin", listed); e.BrowserTokens || e.Kind != "production" || b.Header.Get("Access-Control-Allow-Origin") != listed || b.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("a listed origin: %v %v", e.BrowserTokens, b.Header)
	}
	b.raw("POST", "/frontend/v1/attempts", `{"goal":"sign_in"}`, "Origin", listed, "Sec-Fetch-Site", "same-site", "Content-Type", "application/json", web.TokenHeader, token)
	if b.Status != http.StatusCreated || b.Header.Get(web.TokenHeader) != "" || !strings.HasPrefix(b.Header.Get("Set-Cookie"), "__Host-idp_browser=") {
		t.Errorf("a listed origin that carries a token: %d %v", b.Status, b.Header)
	}
}
