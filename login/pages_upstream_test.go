package login_test

import (
	"net/url"
	"strings"
	"testing"

	"idp/event"
	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/web"
	"idp/login"
	"idp/message"
	"idp/storage"
	"idp/storage/storagetest"
)

// port is a site with providers that people can sign in by.
type port struct {
	*site
	op *federationtest.OP
}

func eachPort(t *testing.T, f func(s *port)) {
	each(t, func(h *house) { f(newPort(h)) })
}

func newPort(h *house) *port {
	h.Helper()
	s := &port{site: newSite(h), op: federationtest.New(h, h.clock.Now)}
	h.engine.Federation = &federation.Federation{
		Store: storage.NewConnections(h.db), Outbound: federationtest.Outbound(s.op), Box: h.engine.Box, Issuer: s.server.URL, Now: h.clock.Now,
	}
	p := &login.Pages{Engine: h.engine, Sessions: s.keeper, Web: s.web}
	s.server.Mount([]web.Route{
		{Pattern: "POST /sign-in/{attempt}/depart/{connection}", Do: p.Depart},
		{Pattern: "GET /federation/{connection}/callback", Do: p.Arrive},
		{Pattern: "POST /federation/{connection}/callback", Do: p.PostedForm, Face: web.Protocol},
	})
	return s
}

// connect puts connections on file.
func (s *port) connect(all ...federation.Connection) {
	s.Helper()
	f := s.engine.Federation
	for _, c := range all {
		s.must(f.Store.SaveConnection(s.Context(), c))
	}
	s.must(f.Reload(s.Context()))
}

func (s *port) google() federation.Connection {
	c := s.op.Connection("google")
	c.Title = "Google"
	return c
}

// there follows the way to the provider, where the person says yes, and returns the path that it sends the browser to.
func (s *port) there(b *tab) string {
	s.Helper()
	b.want(303, s.op.URL)
	landing := s.op.Visit(federation.Way{URL: b.To})
	return strings.TrimPrefix(landing.URL.String(), s.server.URL)
}

func TestSomebodySignsUpByAProviderAndInAgain(t *testing.T) {
	eachPort(t, func(s *port) {
		s.connect(s.google())
		b := s.browser()
		b.get("/sign-up").want(200, "Continue with Google").post("/sign-up", "do", "connection:google")
		b.get(s.there(b)).want(303, "/account")
		if n := len(s.recorded(event.UserCreated)); n != 1 {
			t.Fatalf("%d people were made", n)
		}
		again := s.browser()
		again.get("/sign-in").want(200, "Continue with Google").post("/sign-in", "do", "connection:google", "public", "yes")
		again.get(s.there(again)).want(303, "/account")
		if n := len(s.recorded(event.UserCreated)); n != 1 {
			t.Fatalf("signing in again made somebody: %d", n)
		}
		if got := s.op.Visits()[1]; got.Get("state") == s.op.Visits()[0].Get("state") {
			t.Error("two departures have one state")
		}
	})
}

func TestWhatComesBackGoesIntoNoAddress(t *testing.T) {
	eachPort(t, func(s *port) {
		s.connect(s.google())
		s.op.Answer = func(a url.Values) { a.Del("code"); a.Set("error", "access_denied") }
		b := s.browser()
		b.get("/sign-in").post("/sign-in", "do", "connection:google")
		b.get(s.there(b)).want(303, "/sign-in/attempt_", "trouble=upstream_cancelled").wantNot("access_denied")
		if strings.Contains(b.To, "state") {
			t.Errorf("the state went on to %s", b.To)
		}
		b.follow().want(409, "You did not finish at Google. Please try again, or choose another way.", `id="login-identifier"`, "Continue with Google").wantNot("access_denied")
	})
}

func TestWhoTurnsBackAtAProviderKeepsTheAppThatWaits(t *testing.T) {
	eachPort(t, func(s *port) {
		s.connect(s.google())
		s.op.Answer = func(a url.Values) { a.Del("code"); a.Set("error", "access_denied") }
		b := s.browser()
		ask := b.wait()
		b.get("/sign-in?ask="+string(ask.ID)).post("/sign-in", "ask", string(ask.ID), "do", "connection:google")
		b.get(s.there(b)).follow().want(409, "You did not finish at Google", "Acme", `name="ask" value="`+string(ask.ID)+`"`)
		s.op.Answer = nil
		attempt := strings.TrimPrefix(strings.Split(b.Page, `name="attempt" value="`)[1], "")
		attempt = attempt[:strings.Index(attempt, `"`)]
		b.post("/sign-in", "ask", string(ask.ID), "attempt", attempt, "do", "connection:google")
		b.get(s.there(b)).want(303, "/oauth2/resume?ask="+string(ask.ID))
	})
}

func TestOnlyTheBrowserThatDepartedComesBack(t *testing.T) {
	eachPort(t, func(s *port) {
		s.connect(s.google())
		b, other := s.browser(), s.browser()
		b.get("/sign-in").post("/sign-in", "do", "connection:google")
		back := s.there(b)
		other.get("/sign-in").get(back).want(410, "Please start again", `href="/sign-in"`)
		s.browser().get(back).want(410, "Please start again")
		for _, path := range []string{
			"/federation/google/callback", "/federation/google/callback?state=x&code=y", "/federation/google/callback?state=attempt_1.x&code=y",
			"/federation/nobody/callback?code=y", "/federation/%2e%2e/callback?state=%00", "/federation/google/callback?error=access_denied",
		} {
			b.get(path).want(410, "Please start again").wantNot("access_denied")
		}
		b.get(back).want(303, "/account") // none of that cost the person anything
		b.get(back).want(303, "/account") // and going back leads on
		fresh := s.browser()
		fresh.get("/sign-in").post("/sign-in", "do", "connection:google")
		used := s.there(fresh)
		fresh.get(strings.Replace(used, "code=", "code=x", 1)).want(303, "trouble=upstream_refused")
		fresh.get(used).want(303, "trouble=upstream_state").follow().want(409, "used already")
		if n := len(s.recorded(event.SignInSucceeded)); n != 1 {
			t.Errorf("%d sessions were begun", n)
		}
	})
}

func TestWhatAProviderPostsWaitsForItsBrowser(t *testing.T) {
	eachPort(t, func(s *port) {
		c := s.google()
		s.op.Document = func(d map[string]any) { d["response_modes_supported"] = []string{"form_post"} }
		s.connect(c)
		b := s.browser()
		b.get("/sign-in").post("/sign-in", "do", "connection:google").want(303, "response_mode=form_post")
		landing := s.op.Visit(federation.Way{URL: b.To})
		elsewhere := s.browser() // a post from another site brings no cookie
		post := func(pairs ...string) *tab { return elsewhere.post("/federation/google/callback", pairs...) }
		post("state", "attempt_1.stranger", "code", "x").want(303, "/federation/google/callback?")
		if strings.Contains(elsewhere.To, "arrival") {
			t.Fatal("something is kept for nobody")
		}
		post("code", "x").follow().want(410, "Please start again")
		var pairs []string
		for name := range landing.Form {
			pairs = append(pairs, name, landing.Form.Get(name))
		}
		post(pairs...).want(303, "arrival=")
		if strings.Contains(elsewhere.To, landing.Form.Get("code")) {
			t.Error("the code came into an address")
		}
		if len(elsewhere.Header.Values("Set-Cookie")) != 0 {
			t.Error("a form from another site got a cookie")
		}
		to := elsewhere.To
		elsewhere.get(to).want(410)
		b.get(to).want(303, "/account")
	})
}

func TestStrangersWhoPostFormsTakeNoRoomAndStandInNobodysWay(t *testing.T) {
	eachPort(t, func(s *port) {
		c := s.google()
		s.op.Document = func(d map[string]any) { d["response_modes_supported"] = []string{"form_post"} }
		s.connect(c)
		b := s.browser()
		b.get("/sign-in").post("/sign-in", "do", "connection:google")
		landing := s.op.Visit(federation.Way{URL: b.To})
		stranger := s.browser()
		flood := func() {
			for range 40 {
				stranger.post("/federation/google/callback", "state", landing.Form.Get("state"), "code", strings.Repeat("x", 4<<10)).want(303, "arrival=")
			}
		}
		flood()
		var pairs []string
		for name := range landing.Form {
			pairs = append(pairs, name, landing.Form.Get(name))
		}
		b.post("/federation/google/callback", pairs...).want(303, "arrival=")
		flood()
		if n := storagetest.Rows(s, s.db, "arrivals"); n != 0 {
			t.Errorf("%d rows were written", n)
		}
		to := b.To
		stranger.get(stranger.To).want(410)
		b.get(to).want(303, "/account")
		stranger.post("/federation/google/callback", "state", landing.Form.Get("state"), "code", "x").want(303, "")
		if strings.Contains(stranger.To, "arrival") {
			t.Error("something is sealed for a sign-in that is over")
		}
	})
}

func TestAnAddressThatIsNotBelievedIsProvenFirst(t *testing.T) {
	eachPort(t, func(s *port) {
		s.connect(s.google())
		s.op.Claims["email_verified"] = false
		b := s.browser()
		b.get("/sign-in").post("/sign-in", "do", "connection:google")
		b.get(s.there(b)).want(303, "/sign-in/attempt_").follow().want(200, "Check your email", "Google")
		code := s.letter("ann@example.com", message.VerifyAddress).Code
		b.post(b.attempt()+"/prove", "method", "email_code", "code", code).want(303, "/account")
	})
}

// attempt is the path of the attempt that the page is about.
func (b *tab) attempt() string {
	_, after, _ := strings.Cut(b.Page, `action="/sign-in/`)
	id, _, _ := strings.Cut(after, "/")
	return "/sign-in/" + id
}

func TestAProviderThatCannotBeReachedIsSaidSo(t *testing.T) {
	eachPort(t, func(s *port) {
		c := s.google()
		c.Issuer = "http://127.0.0.1:1"
		s.connect(c)
		s.browser().get("/sign-in").post("/sign-in", "do", "connection:google").want(303, "trouble=upstream_unavailable").follow().
			want(409, "Google cannot be reached at the moment", `id="login-identifier"`)
		s.browser().get("/sign-in").post("/sign-in", "do", "connection:nobody").want(303, "trouble=connection_unknown").follow().want(409, "There is no such way")
	})
}

func TestWhatThePageDoesByItselfInThatMomentKeepsNobodyFromLeaving(t *testing.T) {
	eachPort(t, func(s *port) {
		s.connect(s.google())
		b := s.browser()
		b.get("/sign-in").post("/sign-in", "identifier", "ann@acme.org", "do", "code").want(303, "/sign-in/attempt_")
		_, after, _ := strings.Cut(b.To, "/sign-in/")
		id, _, _ := strings.Cut(after, "?")
		moved := 0
		s.op.Document = func(map[string]any) { // asked for on the way there, while a passkey is prepared
			a, err := s.store.Attempt(s.Context(), login.AttemptID(id))
			if err == nil {
				err = s.store.SaveAttempt(s.Context(), a)
			}
			if err != nil {
				t.Error(err)
			}
			moved++
		}
		b.post("/sign-in/"+id+"/depart/google").want(303, s.op.URL)
		if moved != 1 {
			t.Errorf("the attempt was moved %d times", moved)
		}
	})
}

func TestWhoseDomainHasAProviderIsSentThere(t *testing.T) {
	eachPort(t, func(s *port) {
		c := s.google()
		c.Domains, c.Enforce, c.Hidden = []string{"corp.example"}, true, true
		s.connect(c)
		b := s.browser()
		b.get("/sign-in").want(200, `id="login-identifier"`).wantNot(`id="login-password"`, "Continue with Google")
		b.post("/sign-in", "identifier", "ann@corp.example", "do", "sign_in").want(303, s.op.URL, "login_hint=ann%40corp.example")
		typed := s.browser()
		typed.get("/sign-in").post("/sign-in", "identifier", "ann@corp.example", "password", "whatever it is", "do", "sign_in").want(303, "/sign-in/attempt_").
			follow().want(200, "You need no password here", `id="connection-go"`).wantNot(`id="login-other"`)
		if n := len(s.recorded(event.SignInFailed)); n != 0 {
			t.Errorf("a password was looked at: %d failures", n)
		}
		at := typed.attempt()
		typed.post(at+"/depart/google").want(303, s.op.URL)
		typed.get(at+"?method=password").want(200, `id="login-password"`) // an operator may, with a second factor
		someone := s.browser()
		someone.get("/sign-in").post("/sign-in", "identifier", "ann@other.example", "do", "sign_in").want(303, "/sign-in/attempt_").follow().want(200, `id="login-password"`)
	})
}

func TestAnAppSaysByWhichProviderToSignIn(t *testing.T) {
	eachPort(t, func(s *port) {
		c, hidden := s.google(), s.op.Connection("corp")
		hidden.Hidden, hidden.Domains, hidden.Enforce = true, []string{"corp.example"}, true
		s.connect(c, hidden)
		for _, tt := range []struct {
			wish    login.Upstream
			hint    string
			through string
		}{
			{login.Upstream{}, "ann@acme.org", ""},
			{login.Upstream{Connection: "google"}, "ann@acme.org", "/federation/google/callback"},
			{login.Upstream{Connection: "nobody"}, "ann@acme.org", ""},
			{login.Upstream{Domain: "Corp.Example"}, "", "/federation/corp/callback"},
			{login.Upstream{Domain: "corp"}, "", "/federation/corp/callback"},
			{login.Upstream{Domain: "acme.org"}, "", ""},
			{login.Upstream{}, "ann@corp.example", "/federation/corp/callback"},
		} {
			b := s.browser()
			ask := b.wait()
			ask.Upstream, ask.Hint = tt.wish, tt.hint
			s.must(s.store.SaveAsk(s.Context(), ask))
			b.get("/sign-in?ask=" + string(ask.ID))
			if tt.through == "" {
				b.want(200, `id="login-identifier"`)
				continue
			}
			b.want(303, s.op.URL, url.QueryEscape(tt.through), url.QueryEscape(tt.hint))
			b.get("/sign-in?other=1&ask="+string(ask.ID)).want(200, `id="login-identifier"`)
			b.get("/sign-in?ask=" + string(ask.ID))
			b.get(s.there(b)).want(303, "/oauth2/resume?ask="+string(ask.ID))
		}
	})
}

func TestAButtonToAProviderNeedsNoBotCheckAndALetterAfterItDoes(t *testing.T) {
	eachPort(t, func(s *port) {
		s.connect(s.google())
		s.engine.Checker = &login.Checker{Used: storage.NewChecks(s.db), Work: login.Work{Rounds: 3, Bits: 6}}
		s.settings.BotCheck = login.CheckAlways
		s.op.Claims = map[string]any{"sub": "s1", "email": "ann@example.com", "email_verified": false}
		for _, page := range []string{"/sign-in", "/sign-up"} {
			b := s.browser()
			b.get(page).want(200, "Continue with Google").post(page, "do", "connection:google")
			b.get(s.there(b)).want(303, "/sign-in/attempt_").follow().want(200)
			if n := len(s.letters("ann@example.com")); n != 0 {
				t.Errorf("%s: %d letters before the check", page, n)
			}
		}
		s.op.Claims["email_verified"] = true
		b := s.browser()
		b.get("/sign-up").post("/sign-up", "do", "connection:google")
		b.get(s.there(b)).want(303, "/account") // nothing was mailed, and Google has seen who it is
	})
}

func TestAnAppThatWantsAProofAnewGetsItFromTheProviderItNames(t *testing.T) {
	eachPort(t, func(s *port) {
		s.connect(s.google())
		b := s.browser()
		ask := b.wait()
		ask.Upstream, ask.Hint, ask.Need.Anew = login.Upstream{Connection: "google"}, "ann@acme.org", true
		s.must(s.store.SaveAsk(s.Context(), ask))
		b.get("/sign-in?ask="+string(ask.ID)).want(303, s.op.URL, "prompt=login", "max_age=0", "login_hint=ann%40acme.org")
	})
}

func TestTheOrderAndLookOfButtonsFollowTheSettings(t *testing.T) {
	h := newHouse(t, openSQLite(t))
	s := newPort(h)
	s.connect(s.google())
	before := func(first, second string) {
		t.Helper()
		page := s.browser().get("/sign-in").want(200, first, second).Page
		if strings.Index(page, first) > strings.Index(page, second) {
			t.Errorf("%s comes after %s", first, second)
		}
	}
	button, field := `id="connection-google"`, `id="login-identifier"`
	before(button, field)
	h.settings.Buttons.Place = login.Bottom
	before(field, button)
	h.settings.Buttons.Layout = login.Icons
	s.browser().get("/sign-in").want(200, `aria-label="Continue with Google"`).wantNot(">Continue with Google<")
	h.settings.Password, h.settings.EmailCode, h.settings.EmailLink, h.settings.Passkeys = false, false, false, false
	s.browser().get("/sign-in").want(200, button).wantNot(field, `id="login-submit"`, "idp-or")
	s.browser().get("/sign-up").want(200, button).wantNot(`name="email"`, `id="login-submit"`)
}
