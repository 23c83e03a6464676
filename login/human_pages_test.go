package login_test

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/login"
	"idp/message"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
)

// checkedPages is a site that makes bot checks.
func checkedPages(t *testing.T, when login.BotCheck, f func(s *site)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db)
		h.settings.BotCheck = when
		h.engine.Checker = &login.Checker{Used: storage.NewChecks(db), Work: login.Work{Rounds: 3, Bits: 6}}
		s := newSite(h)
		p := &login.Pages{Engine: h.engine, Sessions: s.keeper, Web: s.web}
		s.server.Mount([]web.Route{{Pattern: "POST /sign-in/{attempt}/human", Do: p.PassHuman}})
		f(s)
	})
}

// due is the check that this browser's script would be told of.
func (b *tab) due(act login.Action, who string) *login.Check {
	b.site.Helper()
	r := &http.Request{Header: http.Header{}}
	for _, c := range b.Cookies() {
		r.AddCookie(c)
	}
	cookie, ok := b.keeper.Cookies.Read(r)
	if !ok {
		b.site.Fatal("the browser has no cookie")
	}
	check, err := b.engine.Due(b.Context(), act, who, login.At{Browser: session.Browser{ID: cookie.ID}, Network: "127.0.0.1"})
	b.must(err)
	return check
}

// solvePage solves what the page "human" asks, like its script, and sends it.
func (b *tab) solvePage() *tab {
	b.site.Helper()
	attr := func(name string) string {
		m := regexp.MustCompile(` data-` + name + `="([^"]+)"`).FindStringSubmatch(b.Page)
		if m == nil {
			b.site.Fatalf("the page has no %s:\n%s", name, b.Page)
		}
		return html.UnescapeString(m[1])
	}
	action := regexp.MustCompile(`action="(/sign-in/\w+/human)"`).FindStringSubmatch(b.Page)
	return b.post(action[1], "human", solve(&login.Puzzle{Challenge: attr("challenge"), Salt: attr("salt"), Rounds: 3, Bits: 6}))
}

func TestASolutionThatComesWithTheFormLetsItThroughUnseen(t *testing.T) {
	checkedPages(t, login.CheckAlways, func(s *site) {
		b := s.browser().get("/sign-up").want(200, `data-human="sign_up"`, `data-human-href="/frontend/v1/bot-check"`)
		answer := solve(b.due(login.ActSignUp, "").Puzzle)
		b.post("/sign-up", "email", "ann@acme.org", "password", rightPassword, "human", answer).follow().want(200, "login-code")
		s.letter("ann@acme.org", message.SignUp)

		again := s.browser().get("/sign-up")
		again.post("/sign-up", "email", "bob@acme.org", "password", rightPassword, "human", answer).follow().want(200, `id="human"`)
		if l := s.letters("bob@acme.org"); len(l) != 0 {
			t.Error("another browser's solution let a form through")
		}
		again.solvePage().follow().want(200, "sign-up-password", `value="bob@acme.org"`)

		r := s.browser().get("/sign-in").want(200, `data-human="sign_in"`)
		r.post("/sign-in", "do", "forgot", "identifier", "ann@acme.org", "human", solve(r.due(login.ActReset, "").Puzzle)).follow().want(200, "login-code")
		if got := len(s.letters("ann@acme.org")); got != 2 {
			t.Errorf("%d letters", got)
		}
	})
}

func TestWithoutScriptACodeDoesInsteadOnEveryPage(t *testing.T) {
	checkedPages(t, login.CheckAlways, func(s *site) {
		b := s.browser().get("/sign-up")
		b.post("/sign-up", "email", "ann@acme.org", "password", rightPassword).follow().
			want(200, "human-instead", "data-unscripted", "a•••@acme.org", `action="/sign-in/`)
		at := regexp.MustCompile(`action="(/sign-in/\w+)/human"`).FindStringSubmatch(b.Page)[1]
		b.post(at+"/human", "human", "x").want(422, `data-error="bot_check_failed"`)
		b.post(at+"/prepare", "method", "email_code").follow().want(200, "login-code")
		b.get(at+"?other=1").want(200, "human-instead").get(at).want(200, "login-code")
		code, _ := s.mail("ann@acme.org")
		b.post(at+"/prove", "method", "email_code", "code", code).follow().want(200, "sign-up-password", "Confirmed:")
		b.post("/sign-up", "attempt", strings.TrimPrefix(at, "/sign-in/"), "email", "eve@acme.org", "password", rightPassword).want(409, `data-error="address_confirmed"`)
		b.post("/sign-up", "attempt", strings.TrimPrefix(at, "/sign-in/"), "email", "ann@acme.org", "password", rightPassword).want(303, "/account")
	})
}

func TestWhoFailedAtSignInSolvesOnAPageAndGoesOn(t *testing.T) {
	checkedPages(t, login.CheckSuspicious, func(s *site) {
		s.person("ann@acme.org", identity.Password)
		b := s.browser().get("/sign-in")
		enter := func(password string, more ...string) *tab {
			return b.post("/sign-in", append([]string{"do", "sign_in", "identifier", "ann@acme.org", "password", password}, more...)...)
		}
		for range 3 {
			enter(wrongPassword).want(422, `data-error="password_wrong"`)
		}
		enter(rightPassword).follow().want(200, `id="human"`).wantNot(rightPassword)
		b.solvePage().follow().want(200, "login-password", "ann@acme.org")
		enter(rightPassword, "human", solve(b.due(login.ActSignIn, "ann@acme.org").Puzzle)).want(303, "/account")
	})
}

func TestOnlyThePageWithAWidgetMayLoadItFromElsewhere(t *testing.T) {
	checkedPages(t, login.CheckAlways, func(s *site) {
		for provider, host := range map[login.Provider]string{login.Turnstile: "https://challenges.cloudflare.com", login.HCaptcha: "https://*.hcaptcha.com"} {
			s.engine.Checker.Captcha = &login.Captcha{Provider: provider, SiteKey: "site-key", Secret: secret.NewString("key"), Host: "127.0.0.1", Outbound: outbound.New(outbound.Options{})}
			policy := func(b *tab) string { return b.Header.Get("Content-Security-Policy") }
			b := s.browser().get("/sign-in").wantNot("data-widget")
			if strings.Contains(policy(b), "https:") {
				t.Errorf("%s: the policy of sign-in is %s", provider, policy(b))
			}
			b.get("/sign-up").want(200, "data-widget", "site-key")
			for _, part := range []string{"script-src ", "frame-src ", "default-src 'none'", "'self'", "frame-ancestors 'none'", host} {
				if !strings.Contains(policy(b), part) {
					t.Errorf("%s: the policy is %s", provider, policy(b))
				}
			}
			if strings.Contains(policy(b), "unsafe") {
				t.Errorf("%s: the policy is %s", provider, policy(b))
			}
		}
	})
}

// ask posts to any path of the Frontend API, reads the answer into what, and returns its Retry-After.
func (s *script) ask(path, body string, status int, what any) string {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.server.URL+"/frontend/v1/"+path, strings.NewReader(body))
	s.must(err)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	s.must(err)
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != status {
		s.Fatalf("%s answers %d, want %d", path, res.StatusCode, status)
	}
	if what != nil {
		s.must(json.NewDecoder(res.Body).Decode(what))
	}
	return res.Header.Get("Retry-After")
}

func TestScriptsAreToldOfTheCheckAndMaySolveIt(t *testing.T) {
	guarded(t, login.CheckAlways, func(h *house) {
		s := newScript(h)
		var v, then login.View
		s.ask("attempts", `{"goal":"sign_up"}`, http.StatusCreated, &v)
		if v.Step != login.NeedsHuman || v.Human == nil || v.Human.Provider != login.OwnWork {
			t.Fatalf("the view is %+v", v)
		}
		at := "attempts/" + string(v.ID)
		s.ask(at+"/human", `{"answer":"x"}`, http.StatusUnprocessableEntity, nil)
		s.ask(at+"/human", `{"answer":"`+solve(v.Human.Puzzle)+`"}`, http.StatusOK, &then)
		if then.Step != login.MissingRequirements || then.Human != nil {
			t.Errorf("then it is %+v", then)
		}
		var reset, signIn struct {
			Check *login.Check `json:"check"`
		}
		s.ask("bot-check", `{"action":"reset"}`, http.StatusOK, &reset)
		if reset.Check == nil || reset.Check.Action != login.ActReset || reset.Check.Puzzle == nil {
			t.Errorf("due at reset is %+v", reset.Check)
		}
		s.ask("bot-check", `{"action":"sign_in","identifier":"ann@acme.org"}`, http.StatusOK, &signIn)
		if signIn.Check != nil {
			t.Errorf("due at sign-in is %+v", signIn.Check)
		}
		s.ask("bot-check", `{"action":"else"}`, http.StatusUnprocessableEntity, nil)
	})
}

func TestAPasswordIsScoredWhileItIsTypedAndNotWithoutEnd(t *testing.T) {
	each(t, func(h *house) {
		s := newScript(h)
		s.want(201, login.MissingRequirements)(s.call("", `{"goal":"sign_up"}`)) // for the cookie
		var weak, good login.Strength
		s.ask("password-strength", `{"password":"ann@acme.org","address":"ann@acme.org"}`, http.StatusOK, &weak)
		if weak.OK || weak.Problem != "password_too_weak" || weak.Detail == "" {
			t.Errorf("one's own address is %+v", weak)
		}
		for range 9 {
			s.ask("password-strength", `{"password":"quiet harbour lantern","address":"ann@"}`, http.StatusOK, &good)
		}
		if !good.OK || good.Score < 3 {
			t.Errorf("a good one is %+v", good)
		}
		if wait := s.ask("password-strength", `{"password":"quiet harbour lantern"}`, http.StatusTooManyRequests, nil); wait == "" {
			t.Error("nobody says how long to wait")
		}
		if n := h.hasher.hashed.Load() + h.hasher.verified.Load() + h.hasher.wasted.Load(); n != 0 {
			t.Errorf("%d hashes were made", n)
		}
	})
}
