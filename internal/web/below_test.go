package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"idp/internal/problem"
	"idp/internal/web"
	"idp/templates"
)

// below is an instance at a path, with a page, a redirect and what stands beside it.
func below(t *testing.T) (*desk, http.Handler) {
	t.Helper()
	d := newDesk(t)
	d.pages.Base, d.pages.Origin = "/auth", issuer
	d.faces.Issuer = issuer + "/auth"
	to := func(where string) web.Handler {
		return func(w http.ResponseWriter, r *http.Request) error { return web.Redirect(w, r, where) }
	}
	mux, beside := http.NewServeMux(), http.NewServeMux()
	d.faces.Mount(mux, []web.Route{
		{Pattern: "GET /{$}", Do: to("/account"), Face: web.Page},
		{Pattern: "GET /away", Do: to("https://rp.example/cb?x=/y"), Face: web.Page},
		{Pattern: "GET /sideways", Do: to("//rp.example/cb"), Face: web.Page},
		{Pattern: "GET /asked/{name}", Face: web.Page, Do: func(w http.ResponseWriter, r *http.Request) error {
			_, err := w.Write([]byte(r.URL.RequestURI() + " " + r.PathValue("name")))
			return err
		}},
		{Pattern: "GET /page", Face: web.Page, Do: func(w http.ResponseWriter, r *http.Request) error {
			return d.pages.Show(w, r, http.StatusOK, "logout", templates.Logout{
				Party: `<a href="/evil">`, Account: `" href="/evil`, Action: "/oauth2/logout/confirm", Fields: map[string]string{"state": `" action="/evil`, "next": "/inside"},
			})
		}},
		{Pattern: "GET /lost", Face: web.Page, Do: func(w http.ResponseWriter, r *http.Request) error {
			d.pages.Failed(w, r, problem.New(problem.Gone, "gone", "Gone."), "/sign-in")
			return nil
		}},
	})
	d.faces.Mount(beside, []web.Route{{Pattern: "GET /healthz", Do: ok, Face: web.Plain}})
	return d, d.faces.Below("/auth", d.faces.Root(mux), beside)
}

func TestBelowAPathNothingLeadsOutOfIt(t *testing.T) {
	_, h := below(t)
	for _, c := range []struct {
		path   string
		status int
		to     string
		parts  []string
	}{
		{"/auth", 303, "/auth/account", nil},
		{"/auth/", 303, "/auth/account", nil},
		{"/auth/away", 303, "https://rp.example/cb?x=/y", nil},
		{"/auth/sideways", 303, "//rp.example/cb", nil}, // not ours to mend
		{"/auth/asked//x", 307, "/auth/asked/x", nil},   // the mux's own tidying
		{"/auth/asked/a%2Fb?q=/c", 200, "", []string{"/asked/a%2Fb?q=/c a/b"}},
		{"/auth/page", 200, "", []string{`action="/auth/oauth2/logout/confirm"`, `href="/auth/assets/style.`, `src="/auth/assets/idp.`, `value="/inside"`}},
		{"/auth/lost", 410, "", []string{`href="/auth/sign-in"`}},
		{"/auth/nowhere", 404, "", []string{`href="/auth/"`}},
		{"/healthz", 204, "", nil},
		{"/", 404, "", []string{"idp is at /auth\n"}},
		{"/page", 404, "", []string{"idp is at /auth\n"}},
		{"/authority/page", 404, "", []string{"idp is at /auth\n"}},
		{"/%61uth/page", 404, "", []string{"idp is at /auth\n"}},
		{"/healthz/", 404, "", []string{"idp is at /auth\n"}},
	} {
		r := httptest.NewRequest(http.MethodGet, issuer+c.path, nil)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Location") != c.to {
			t.Errorf("%s: %d to %q, want %d to %q", c.path, w.Code, w.Header().Get("Location"), c.status, c.to)
		}
		for _, part := range c.parts {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s lacks %s: %s", c.path, part, w.Body)
			}
		}
		if strings.HasPrefix(c.to, "/") && !strings.HasPrefix(c.to, "//") && w.Body.Len() > 0 {
			t.Errorf("%s: a redirect's body says %s", c.path, w.Body)
		}
		if strings.Contains(w.Body.String(), "/auth/evil") {
			t.Errorf("%s: what somebody wrote became a link: %s", c.path, w.Body)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" && w.Code != http.StatusTemporaryRedirect {
			t.Errorf("%s lacks the common headers", c.path)
		}
	}
}

func TestPagesBelowAPathRunNoNeighboursScript(t *testing.T) {
	_, h := below(t)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, issuer+"/auth/page", nil))
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src "+issuer+"/auth/assets/;") || !strings.Contains(policy, "style-src "+issuer+"/auth/assets/;") {
		t.Errorf("policy %q", policy)
	}
}

func TestNoTwoInstancesOfAHostShareACookieName(t *testing.T) {
	seen := map[string]string{}
	for _, issuer := range []string{
		"https://a.example", "https://a.example/auth", "https://a.example/auth/x", "https://a.example/auth_x", "https://a.example/auth-x", "https://a.example/auth.x",
		"http://localhost:8080", "http://localhost:8081", "http://localhost:8080/auth", "http://localhost",
	} {
		u, err := url.Parse(issuer)
		if err != nil {
			t.Fatal(err)
		}
		name := web.CookieName("idp_browser", u.Scheme == "https", u.Port(), web.Base(u))
		if other, taken := seen[name]; taken {
			t.Errorf("%s and %s both use %s", issuer, other, name)
		}
		seen[name] = issuer
		if err := (&http.Cookie{Name: name, Value: "x"}).Valid(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasPrefix(name, "__Host-") != (u.Scheme == "https") {
			t.Errorf("%s uses %s", issuer, name)
		}
	}
}

// Backends and pages know it too: it can never change.
func TestThePagesCookieForATokenIsNamedAfterTheIssuer(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://id.example.com": "idp_token_3d38e146", "http://localhost:8080": "idp_token_a76d8c3e", "http://localhost:8081": "idp_token_b213ecea",
	} {
		if got := web.TokenCookie(issuer); got != want {
			t.Errorf("%s: %s", issuer, got)
		}
	}
}
