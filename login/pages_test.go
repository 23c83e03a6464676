package login_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/internal/web/webtest"
	"idp/login"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage/storagetest"
)

// site is a house with its pages on a loopback server.
type site struct {
	*house
	server *sessiontest.Site
	keeper *session.Keeper
	web    *web.Pages
}

func newSite(h *house) *site {
	h.Helper()
	s := &site{house: h}
	s.keeper = &session.Keeper{Store: h.sessions, Events: h.events, InTx: h.db.InTx, Now: h.clock.Now}
	s.server = sessiontest.Serve(h, s.keeper, storagetest.Box())
	s.web, h.engine.Origin = s.server.Pages, s.server.URL
	p := &login.Pages{Engine: h.engine, Sessions: s.keeper, Web: s.web}
	s.server.Mount([]web.Route{
		{Pattern: "GET /sign-in", Do: p.SignIn}, {Pattern: "POST /sign-in", Do: p.Enter},
		{Pattern: "GET /sign-in/choose", Do: p.Choose}, {Pattern: "POST /sign-in/choose", Do: p.Chosen},
		{Pattern: "GET /sign-in/{attempt}", Do: p.Show}, {Pattern: "POST /sign-in/{attempt}/prepare", Do: p.Prepare},
		{Pattern: "POST /sign-in/{attempt}/prove", Do: p.Prove}, {Pattern: "POST /sign-in/{attempt}/forgot", Do: p.Forgot},
		{Pattern: "GET /sign-in/{attempt}/identify", Do: p.Rename}, {Pattern: "POST /sign-in/{attempt}/identify", Do: p.Identify},
		{Pattern: "POST /sign-in/{attempt}/password", Do: p.SetPassword}, {Pattern: "POST /sign-in/{attempt}/cancel", Do: p.Cancel},
		{Pattern: "GET /sign-in/{attempt}/link", Do: p.Link}, {Pattern: "POST /sign-in/{attempt}/link", Do: p.FollowLink},
		{Pattern: "POST /sign-in/{attempt}/enroll", Do: p.Enroll}, {Pattern: "POST /sign-in/{attempt}/confirm", Do: p.Confirm},
		{Pattern: "POST /sign-in/backup-codes", Do: p.BackupFile},
		{Pattern: "GET /undo/{undo}", Do: p.AskUndo}, {Pattern: "POST /undo/{undo}", Do: p.Undo},
		{Pattern: "GET /sign-up", Do: p.SignUp}, {Pattern: "POST /sign-up", Do: p.Register},
	})
	return s
}

// tab is a browser on the site.
type tab struct {
	*site
	*webtest.Browser
}

func (s *site) browser() *tab { return &tab{s, webtest.New(s.T, s.server.URL)} }

func (b *tab) get(path string) *tab {
	b.site.Helper()
	b.Get(path)
	return b
}

func (b *tab) post(path string, pairs ...string) *tab {
	b.site.Helper()
	b.Post(path, pairs...)
	return b
}

func (b *tab) follow() *tab {
	b.site.Helper()
	b.Follow()
	return b
}

func (b *tab) want(status int, parts ...string) *tab {
	b.site.Helper()
	b.Want(status, parts...)
	return b
}

func (b *tab) wantNot(parts ...string) *tab {
	b.site.Helper()
	b.WantNot(parts...)
	return b
}

// mail returns the newest letter's code and the path of its link.
func (s *site) mail(to string) (code, link string) {
	s.Helper()
	all, err := s.inbox.Letters(s.Context(), to)
	s.must(err)
	if len(all) == 0 {
		s.Fatalf("nothing was mailed to %s", to)
	}
	return all[0].Code, strings.TrimPrefix(all[0].Link, s.server.URL)
}

// wait parks a relying party's request on the browser's cookie.
func (b *tab) wait() login.Ask {
	b.site.Helper()
	b.get("/sign-in")
	r := &http.Request{Header: http.Header{}}
	for _, c := range b.Cookies() {
		r.AddCookie(c)
	}
	browser, err := b.keeper.Ensure(httptest.NewRecorder(), r)
	b.must(err)
	a := login.Ask{
		ID: login.AskID(secret.NewID("ask")), Browser: browser.ID, Resume: "/oauth2/resume", Hint: "ann@acme.org",
		Party:     identity.Party{ID: "client_1", Name: "Acme", Host: "app.acme.org"},
		CreatedAt: b.clock.Now(), ExpiresAt: b.clock.Now().Add(time.Hour),
	}
	b.must(b.store.SaveAsk(b.site.Context(), a))
	return a
}

func pages(t *testing.T, f func(s *site)) {
	each(t, func(h *house) { f(newSite(h)) })
}

func TestAPersonSignsInOnOnePage(t *testing.T) {
	pages(t, func(s *site) {
		s.person("ann@acme.org", identity.Password)
		b := s.browser().get("/sign-in").want(200, "login-identifier", "login-password")
		b.post("/sign-in", "do", "sign_in", "identifier", "ann@acme.org", "password", wrongPassword).
			want(422, `data-error="password_wrong"`, `value="ann@acme.org"`).wantNot(wrongPassword)
		attempt := regexp.MustCompile(`name="attempt" value="(attempt_\w+)"`).FindStringSubmatch(b.Page)
		if attempt == nil {
			t.Fatal("the form does not go on with its attempt")
		}
		b.post("/sign-in", "do", "sign_in", "identifier", " ANN@acme.org ", "password", rightPassword, "attempt", attempt[1]).want(303, "/account")
		b.get("/sign-in").want(303, "/account")
		b.get("/sign-in?add=1").want(200, "login-identifier")
	})
}

func TestUnknownAndKnownLookAlikeOnThePage(t *testing.T) {
	pages(t, func(s *site) {
		s.person("ann@acme.org", identity.Password)
		strip := regexp.MustCompile(`attempt_\w+|[0-9a-f]{64}|ann|eve|data-wait="\d+"`)
		for _, do := range []string{"sign_in", "forgot", "code"} {
			var shown []string
			for _, who := range []string{"ann@acme.org", "eve@acme.org"} {
				b := s.browser().get("/sign-in").post("/sign-in", "do", do, "identifier", who, "password", wrongPassword)
				if b.Status == http.StatusSeeOther {
					b.follow()
				}
				shown = append(shown, http.StatusText(b.Status)+strip.ReplaceAllString(b.Page, "*"))
			}
			if shown[0] != strings.ReplaceAll(shown[1], "e•••", "a•••") {
				t.Errorf("%s tells who has an account:\n%s\n%s", do, shown[0], shown[1])
			}
		}
	})
}

func TestAPersonSignsUpWithACodeAndMayBeOnAPublicComputer(t *testing.T) {
	pages(t, func(s *site) {
		b := s.browser().get("/sign-up").want(200, "password-rules")
		b.post("/sign-up", "email", "ann@acme.org", "password", "short").want(422, `data-error="password_too_short"`, `value="ann@acme.org"`)
		b.post("/sign-up", "email", "ann@acme.org", "name", "Ann", "password", rightPassword, "public", "yes").follow().
			want(200, "a•••@acme.org", "login-code")
		code, _ := s.mail("ann@acme.org")
		path := regexp.MustCompile(`action="(/sign-in/\w+)/prove"`).FindStringSubmatch(b.Page)[1]
		b.post(path+"/prove", "method", "email_code", "code", code[:3]+" "+code[3:]).want(303, "/account")
		p, err := s.people.Find(s.Context(), address("ann@acme.org"))
		s.must(err)
		all, err := s.sessions.OfUser(s.Context(), p.User.ID)
		s.must(err)
		if len(all) != 1 || !all[0].Public || p.User.Profile.Name != "Ann" {
			t.Errorf("sessions %+v of %+v", all, p.User)
		}
	})
}

func TestALostPasswordIsReplacedByCode(t *testing.T) {
	pages(t, func(s *site) {
		s.person("ann@acme.org", identity.Password)
		b := s.browser().get("/sign-in").post("/sign-in", "do", "forgot").want(200, "Reset your password")
		b.post("/sign-in", "do", "forgot", "identifier", "ann@acme.org").follow().want(200, "login-code", "Reset your password")
		path := regexp.MustCompile(`action="(/sign-in/\w+)/prove"`).FindStringSubmatch(b.Page)[1]
		code, _ := s.mail("ann@acme.org")
		b.post(path+"/prove", "method", "reset_password_email_code", "code", code).follow().want(200, "new-password")
		b.post(path+"/password", "password", "password").want(422, `aria-invalid`)
		b.post(path+"/password", "password", "violet tractor in the fog").want(303, "/account")
		s.browser().get("/sign-in").post("/sign-in", "do", "sign_in", "identifier", "ann@acme.org", "password", "violet tractor in the fog").want(303, "/account")
	})
}

func TestOpeningALinkChangesNothingUntilTheButtonIsPressed(t *testing.T) {
	pages(t, func(s *site) {
		u := s.person("ann@acme.org", identity.Password)
		b := s.browser().get("/sign-in").post("/sign-in", "do", "code", "identifier", "ann@acme.org").follow()
		code, link := s.mail("ann@acme.org")
		for range 3 { // mail scanners, from a browser we never saw
			s.browser().get(link).want(200, "login-code-shown", code[:3]+"\u2009"+code[3:]).wantNot("<form")
		}
		b.get(link).want(200, `action="/sign-in/`).wantNot(code)
		if all, err := s.sessions.OfUser(s.Context(), u); err != nil || len(all) != 0 {
			t.Fatalf("opening the link signed in: %v %v", all, err)
		}
		at, err := url.Parse(link)
		s.must(err)
		b.post(at.Path, "token", at.Query().Get("token")).want(303, "/account")
		s.browser().get(link).want(200, "This link no longer works").wantNot("login-code-shown")
		b.get(link).want(200, "This link no longer works")
	})
}

func TestALinkPostedFromAnotherBrowserSignsNobodyIn(t *testing.T) {
	pages(t, func(s *site) {
		u := s.person("ann@acme.org", identity.Password)
		s.browser().get("/sign-in").post("/sign-in", "do", "code", "identifier", "ann@acme.org").follow()
		_, link := s.mail("ann@acme.org")
		at, err := url.Parse(link)
		s.must(err)
		s.browser().get("/sign-in").post(at.Path, "token", at.Query().Get("token")).want(200, "login-code-shown")
		if all, err := s.sessions.OfUser(s.Context(), u); err != nil || len(all) != 0 {
			t.Fatalf("another browser signed in: %v %v", all, err)
		}
	})
}

func TestAnotherBrowserCannotGoOnWithAnAttempt(t *testing.T) {
	pages(t, func(s *site) {
		s.person("ann@acme.org", identity.Password)
		b := s.browser().get("/sign-in").post("/sign-in", "do", "code", "identifier", "ann@acme.org").follow()
		path := regexp.MustCompile(`action="(/sign-in/\w+)/prove"`).FindStringSubmatch(b.Page)[1]
		code, _ := s.mail("ann@acme.org")
		thief := s.browser()
		thief.get(path).want(404, `data-error="attempt_unknown"`).wantNot("acme.org")
		thief.get("/sign-in").post(path+"/prove", "method", "email_code", "code", code).want(404)
		thief.get("/sign-in").post(path + "/cancel").want(404)
		b.get(path).post(path+"/prove", "method", "email_code", "code", code).want(303, "/account")
	})
}

func TestSigningInForAnAppLeadsBackToIt(t *testing.T) {
	pages(t, func(s *site) {
		s.person("ann@acme.org", identity.Password)
		b := s.browser()
		ask := b.wait()
		b.get("/sign-in?ask="+string(ask.ID)).want(200, "to continue to Acme", `value="ann@acme.org"`)
		b.post("/sign-in", "ask", string(ask.ID), "do", "sign_in", "identifier", "ann@acme.org", "password", rightPassword).
			want(303, "/oauth2/resume?ask="+string(ask.ID))
		s.browser().get("/sign-in?ask="+string(ask.ID)).want(404, `data-error="ask_unknown"`).wantNot("Acme")
		s.clock.Add(2 * time.Hour)
		b.get("/sign-in?ask="+string(ask.ID)).want(404, `data-error="ask_unknown"`)
	})
}

func TestTurningBackTellsTheApp(t *testing.T) {
	pages(t, func(s *site) {
		s.person("ann@acme.org", identity.Password)
		b := s.browser()
		ask := b.wait()
		b.get("/sign-in?ask="+string(ask.ID)).post("/sign-in", "ask", string(ask.ID), "do", "cancel")
		b.want(303, "/oauth2/resume?ask="+string(ask.ID))
		if kept, err := s.store.Ask(s.Context(), ask.ID); err != nil || kept.Answer != login.Denied {
			t.Errorf("the request says %q %v", kept.Answer, err)
		}
		stranger := s.browser()
		other := b.wait()
		stranger.get("/sign-in").post("/sign-in", "ask", string(other.ID), "do", "cancel").want(404)
		if kept, err := s.store.Ask(s.Context(), other.ID); err != nil || kept.Answer != login.Unanswered {
			t.Errorf("a stranger answered: %v %v", kept.Answer, err)
		}
	})
}

func TestTheChooserPicksAmongTheSessionsOfThisBrowserOnly(t *testing.T) {
	pages(t, func(s *site) {
		b := s.browser()
		for _, who := range []string{"ann@acme.org", "bob@acme.org"} {
			s.person(who, identity.Password)
			b.get("/sign-in?add=1").post("/sign-in", "do", "sign_in", "identifier", who, "password", rightPassword).want(303, "/account")
		}
		s.person("eve@acme.org", identity.Password)
		eve := s.browser().get("/sign-in").post("/sign-in", "do", "sign_in", "identifier", "eve@acme.org", "password", rightPassword).want(303)
		ask := b.wait()
		b.get("/sign-in/choose?ask="+string(ask.ID)).want(200, "ann@acme.org", "bob@acme.org").wantNot("eve@acme.org")
		ids := regexp.MustCompile(`name="session" value="(\w+)"`).FindAllStringSubmatch(b.Page, -1)
		if len(ids) != 2 {
			t.Fatalf("%d accounts are offered", len(ids))
		}
		eve.get("/sign-in/choose").post("/sign-in/choose", "session", ids[1][1]).want(303, "/sign-in?add=1")
		b.post("/sign-in/choose", "ask", string(ask.ID), "session", ids[1][1]).want(303, "/oauth2/resume?ask="+string(ask.ID))
		kept, err := s.store.Ask(s.Context(), ask.ID)
		s.must(err)
		if string(kept.Chosen) != ids[1][1] {
			t.Errorf("chosen is %q", kept.Chosen)
		}
		s.browser().get("/sign-in/choose").want(303, "/sign-in")
	})
}

func TestSignUpIsClosedToTheUninvited(t *testing.T) {
	pages(t, func(s *site) {
		for mode, problem := range map[login.Mode]string{login.Closed: "sign_up_closed", login.Invited: "invitation_needed"} {
			s.settings.SignUp = mode
			s.browser().get("/sign-up").want(403, `data-error="`+problem+`"`)
			s.browser().get("/sign-in").wantNot("/sign-up").post("/sign-up", "email", "ann@acme.org", "password", rightPassword).want(403)
		}
	})
}

func TestAnInvitationFillsInItsAddressAndSaysWhenItIsTooOld(t *testing.T) {
	pages(t, func(s *site) {
		s.settings.SignUp = login.Invited
		path := "/sign-up?invitation=" + s.invite("ann@acme.org").Reveal()
		s.browser().get(path).want(200, `value="ann@acme.org"`)
		s.browser().get("/sign-up?invitation=guessed").want(410, `data-error="invitation_spent"`).wantNot("sign-up-password")
		s.clock.Add(8 * 24 * time.Hour)
		s.browser().get(path).want(410, `data-error="invitation_spent"`).wantNot("ann@acme.org")
	})
}

func TestTwoPagesAskForThePasswordOnTheSecond(t *testing.T) {
	pages(t, func(s *site) {
		s.settings.TwoPages = true
		s.person("ann@acme.org", identity.Password)
		b := s.browser().get("/sign-in").wantNot("login-password")
		b.post("/sign-in", "do", "sign_in", "identifier", "ann@acme.org").follow().want(200, "login-password", "ann@acme.org")
		path := regexp.MustCompile(`action="(/sign-in/\w+)/prove"`).FindStringSubmatch(b.Page)[1]
		b.get(path+"?other=1").want(200, "Code by email", "Password")
		b.get(path+"/identify").want(200, "login-identifier")
		b.get(path).post(path+"/prove", "method", "password", "password", wrongPassword).want(422, `data-error="password_wrong"`)
		b.post(path+"/prove", "method", "password", "password", rightPassword).want(303, "/account")
	})
}

func TestAReturnSurvivesSigningInAndLeadsNowhereElse(t *testing.T) {
	pages(t, func(s *site) {
		s.person("ann@acme.org", identity.Password)
		for kept, want := range map[string]string{"/operator/claim?token=x": "/operator/claim?token=x", "//evil.example/": "/account", "https://evil.example": "/account"} {
			b := s.browser().get("/sign-in")
			b.Plant(&http.Cookie{Name: "idp_return", Value: kept, Path: "/"})
			b.post("/sign-in", "do", "sign_in", "identifier", "ann@acme.org", "password", rightPassword)
			if b.To != want {
				t.Errorf("%q leads to %q", kept, b.To)
			}
		}
	})
}
