package login_test

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/web"
	"idp/login"
	"idp/session"
)

// listed sends people back to one app.
var listed = &web.Pages{Origin: origin, Listed: func(o string) bool { return o == "https://app.example.com" }}

const app = "https://app.example.com/cart?item=1&size=2"

func (s *site) lists() *site {
	s.web.Origin, s.web.Listed = s.server.URL, listed.Listed
	return s
}

var hiddenReturn = regexp.MustCompile(`name="return_to" value="([^"]*)"`)

// returns is what the form on the page sends along.
func (b *tab) returns() string {
	found := hiddenReturn.FindStringSubmatch(b.Page)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

func to(address string) string { return "?return_to=" + url.QueryEscape(address) }

func TestWhoSignsInForAnAppEndsThere(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@acme.org")
		s := newSite(h).lists()
		b := s.browser()
		b.get("/sign-in"+to(app)).want(200, `href="/sign-up?return_to=https%3a%2f%2fapp.example.com%2fcart%3fitem%3d1%26size%3d2"`)
		if b.returns() != app {
			t.Fatalf("the form returns to %q", b.returns())
		}
		b.post("/sign-in", "identifier", "", "do", "forgot", "return_to", b.returns()).want(200)
		if b.returns() != app {
			t.Errorf("asking for the address first forgets it: %q", b.returns())
		}
		b.post("/sign-in", "identifier", "ann@acme.org", "password", wrongPassword, "return_to", app).want(422)
		if b.returns() != app {
			t.Errorf("a wrong password forgets it: %q", b.returns())
		}
		b.post("/sign-in", "identifier", "ann@acme.org", "password", rightPassword, "return_to", app).want(303).follow()
		b.post(path(b.Page)+"/prove", "method", "totp", "code", h.code(seed, 0)).want(303)
		if b.To != app {
			t.Fatalf("a second factor leads to %q", b.To)
		}
		b.get("/sign-in" + to(app)).want(303)
		if b.To != app {
			t.Errorf("who is signed in is sent to %q", b.To)
		}
		b.get("/sign-in" + to("https://evil.example/")).want(303)
		if b.To != "/account" {
			t.Errorf("who is signed in is sent to %q", b.To)
		}
		b.get("/sign-in/choose" + to(app)).want(200)
		if b.returns() != app || !strings.Contains(b.Page, `/sign-in?add=1&amp;return_to=https%3a`) {
			t.Errorf("the chooser returns to %q", b.returns())
		}
		id := regexp.MustCompile(`name="session" value="([^"]+)"`).FindStringSubmatch(b.Page)[1]
		if b.post("/sign-in/choose", "session", id, "return_to", app).want(303); b.To != app {
			t.Errorf("the chooser leads to %q", b.To)
		}
	})
}

func TestWhoSignsUpForAnAppEndsThere(t *testing.T) {
	each(t, func(h *house) {
		b := newSite(h).lists().browser()
		b.get("/sign-up" + to(app)).want(200)
		if b.returns() != app || !strings.Contains(b.Page, `href="/sign-in?return_to=https%3a`) {
			t.Fatalf("the form returns to %q", b.returns())
		}
		b.post("/sign-up", "email", "new@acme.org", "password", "x", "return_to", app).want(422)
		if b.returns() != app {
			t.Errorf("too short a password forgets it: %q", b.returns())
		}
		b.post("/sign-up", "email", "new@acme.org", "name", "New", "password", rightPassword, "return_to", app).want(303).follow()
		code, _ := b.mail("new@acme.org")
		if b.post(path(b.Page)+"/prove", "method", "email_code", "code", code).want(303); b.To != app {
			t.Errorf("it leads to %q", b.To)
		}
	})
}

func TestNobodyIsSentToWhereAStrangerWantsThem(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@acme.org", identity.Password)
		s := newSite(h).lists()
		for _, evil := range []string{
			"//e", `/\e`, "/%09/e", "https:e", "/x/..//e", "@e", "javascript:alert(1)", "https://app.example.com@e/", "https://app.example.com:443/", "https://APP.example.com/", "https://app.example.com.e/",
		} {
			b := s.browser()
			b.get("/sign-in" + to(evil)).want(200)
			if b.returns() != "" {
				t.Errorf("%q is in the form: %q", evil, b.returns())
			}
			b.post("/sign-in", "identifier", "ann@acme.org", "password", rightPassword, "return_to", evil).want(303)
			if b.To != "/account" {
				t.Errorf("%q leads to %q", evil, b.To)
			}
		}
	})
}

func TestAScriptIsToldWhereToGoNext(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@acme.org", identity.Password)
		for wish, next := range map[string]string{
			app: app, "/account/security": origin + "/account/security", "https://evil.example/": "/account", "//evil.example": "/account", "": "/account",
		} {
			s := newScript(h)
			if _, v := s.call("", fmt.Sprintf(`{"goal":"sign_in","return_to":%q}`, wish)); v["next"] != nil {
				t.Errorf("before anything is proven, next is %v", v["next"])
			}
			s.call("identify", `{"identifier":"ann@acme.org"}`)
			if _, v := s.call("prove", fmt.Sprintf(`{"method":"password","answer":%q}`, rightPassword)); v["step"] != string(login.Complete) || v["next"] != next {
				t.Errorf("%q: %v leads to %v", wish, v["step"], v["next"])
			}
		}
	})
}

func TestAWaitingAppGoesBeforeAnAddress(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@acme.org", identity.Password)
		b := newSite(h).lists().browser()
		a := b.wait()
		b.post("/sign-in", "ask", string(a.ID), "identifier", "ann@acme.org", "password", rightPassword, "return_to", app).want(303)
		if b.To != a.Back() {
			t.Errorf("it leads to %q", b.To)
		}
	})
}

func TestWhoTurnsBackMayStartAgainForTheSameApp(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@acme.org")
		b := newSite(h).lists().browser()
		b.get("/sign-in" + to(app))
		b.post("/sign-in", "identifier", "ann@acme.org", "password", rightPassword, "return_to", app).want(303)
		b.post(b.To + "/cancel").want(303).follow()
		if b.returns() != app {
			t.Errorf("it returns to %q", b.returns())
		}
	})
}

func TestBelowAPathTheLogoOfWhoWaitsIsFoundByScripts(t *testing.T) {
	each(t, func(h *house) {
		s := newScript(h)
		s.api.Base = "/auth"
		s.call("", `{"goal":"sign_in"}`)
		at, err := url.Parse(s.server.URL)
		h.must(err)
		id, _, _ := strings.Cut(s.client.Jar.Cookies(at)[0].Value, ".")
		a := login.Ask{
			ID: "ask_1", Browser: session.BrowserID(id), Resume: "/oauth2/resume", CreatedAt: h.clock.Now(), ExpiresAt: h.clock.Now().Add(time.Hour),
			Party: identity.Party{ID: "client_1", Name: "Acme", LogoURI: "/oauth2/clients/client_1/logo"},
		}
		h.must(h.store.SaveAsk(h.Context(), a))
		for _, v := range []func() (int, map[string]any){
			func() (int, map[string]any) { return s.call("", `{"goal":"sign_in","ask":"ask_1"}`) },
			func() (int, map[string]any) { return s.get("/frontend/v1/attempts/" + s.id) },
		} {
			if _, v := v(); v["party"].(map[string]any)["logo_uri"] != "/auth/oauth2/clients/client_1/logo" {
				t.Errorf("it is at %v", v["party"])
			}
		}
	})
}

func TestAnAppThatIsTakenOffTheListGetsNobodyBackFromAnAttemptThatRuns(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@acme.org")
		on := true
		still := func(o string) bool { return on && o == "https://app.example.com" }
		h.engine.Returnable = (&web.Pages{Origin: origin, Listed: still}).Returnable
		site := newSite(h).lists()
		begin := func() *tab {
			b := site.browser()
			b.get("/sign-in" + to(app))
			b.post("/sign-in", "identifier", "ann@acme.org", "password", rightPassword, "return_to", app).want(303)
			return b
		}
		b, other, third := begin(), begin(), begin()
		waits := other.To

		on = false
		b.follow()
		if b.post(path(b.Page)+"/prove", "method", "totp", "code", h.code(seed, 0)).want(303); b.To != "/account" {
			t.Errorf("who finishes is led to %q", b.To)
		}
		if other.post(waits + "/cancel").want(303); other.To != "/sign-in" {
			t.Errorf("who turns back is led to %q", other.To)
		}
		on = true
		if third.post(third.To + "/cancel").want(303); third.To != "/sign-in"+to(app) {
			t.Errorf("with the app on the list again, who turns back is led to %q", third.To)
		}
	})
}
