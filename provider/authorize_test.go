package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/internal/secret"
	"idp/login"
	"idp/provider"
	"idp/session"
	"idp/storage"
)

// wantPage demands an answer that goes nowhere.
func wantPage(t *testing.T, rec *httptest.ResponseRecorder, problem string) {
	t.Helper()
	if rec.Code != http.StatusBadRequest || rec.Header().Get("Location") != "" || !strings.Contains(rec.Body.String(), problem) {
		t.Fatalf("status %d, Location %q, %s: want the page %q and no redirect", rec.Code, rec.Header().Get("Location"), rec.Body, problem)
	}
}

func TestUnknownClientOrRedirectIsNeverRedirectedTo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		off, _ := w.client(nil)
		must(t, w.clients.Disable(t.Context(), off.ID, "operator:cli"))
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, q := range []url.Values{ask(c, "client_id", "nobody"), ask(c, "client_id", "")} {
			wantPage(t, b.authorize(with(q, "redirect_uri", "https://evil.example/cb")), "client_unknown")
		}
		wantPage(t, b.authorize(ask(off)), "client_disabled")
		for _, uri := range []string{
			"", "https://evil.example/cb", "https://rp.example.org.evil.com/cb", "https://rp.example.org/cb/", "https://rp.example.org/cb?x=1",
			"https://rp.example.org/cb#x", "https://user@rp.example.org/cb", "HTTPS://rp.example.org/cb", "https://rp.example.org:443/cb",
			"https://RP.example.org/cb", "https://rp.example.org/cb/..;/x", "https://rp.example.org/%63b", "https://rp.example.org\\@evil/cb",
			"https://rp.example.org/cb\t", "https://rp.example.org/cb\n", "javascript:alert(1)", "//rp.example.org/cb", "https://rp．example.org/cb",
		} {
			wantPage(t, b.authorize(ask(c, "redirect_uri", uri)), "redirect_uri_mismatch")
		}
	})
}

func TestRepeatedParametersAreRefusedWithoutARedirect(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, name := range []string{"redirect_uri", "client_id", "scope", "code_challenge", "state", "nonce", "prompt", "anything"} {
			q := ask(c)
			q.Add(name, q.Get(name))
			if len(q[name]) == 1 {
				q.Add(name, "again")
			}
			wantPage(t, b.authorize(q), "request_malformed")
			form := url.Values{"grant_type": {"authorization_code"}, "code": {"x"}, "client_id": {string(c.ID)}, "client_secret": {key}}
			form[name] = []string{"a", "b"}
			wantError(t, w.form("/oauth2/token", form), http.StatusBadRequest, "invalid_request")
		}
	})
}

func TestErrorsGoBackWithStateAndIssuer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		public, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		strict, _ := w.client(func(c *provider.Client) { c.RequirePKCE = true })
		machine, _ := w.client(func(c *provider.Client) {
			c.GrantTypes, c.ResponseTypes = []string{"client_credentials"}, nil
		})
		b := w.browser()
		b.signIn(w.person("Ann"))
		for why, tc := range map[string]struct {
			q    url.Values
			code string
		}{
			"request object":          {ask(c, "request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"},
			"request by reference":    {ask(c, "request_uri", "https://rp.example.org/r"), "invalid_request_uri"},
			"registration":            {ask(c, "registration", "{}"), "registration_not_supported"},
			"implicit":                {ask(c, "response_type", "token"), "unsupported_response_type"},
			"hybrid":                  {ask(c, "response_type", "code id_token"), "unauthorized_client"},
			"no response type":        {ask(c, "response_type", ""), "invalid_request"},
			"fragment":                {ask(c, "response_mode", "fragment"), "invalid_request"},
			"web message":             {ask(c, "response_mode", "web_message"), "invalid_request"},
			"scope of others":         {ask(c, "scope", "openid admin"), "invalid_scope"},
			"scope by prefix":         {ask(c, "scope", "openid.x"), "invalid_scope"},
			"public without PKCE":     {ask(public, "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
			"required PKCE missing":   {ask(strict, "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
			"plain":                   {ask(c, "code_challenge_method", "plain"), "invalid_request"},
			"plain by default":        {ask(c, "code_challenge_method", ""), "invalid_request"},
			"lower case":              {ask(c, "code_challenge_method", "s256"), "invalid_request"},
			"other hash":              {ask(c, "code_challenge_method", "S512"), "invalid_request"},
			"method alone":            {ask(c, "code_challenge", ""), "invalid_request"},
			"short challenge":         {ask(c, "code_challenge", "abc"), "invalid_request"},
			"none and login":          {ask(c, "prompt", "none login"), "invalid_request"},
			"unknown prompt":          {ask(c, "prompt", "whatever"), "invalid_request"},
			"max_age is no number":    {ask(c, "max_age", "soon"), "invalid_request"},
			"max_age is negative":     {ask(c, "max_age", "-1"), "invalid_request"},
			"forged hint":             {ask(c, "id_token_hint", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."), "invalid_request"},
			"long nonce":              {ask(c, "nonce", strings.Repeat("n", 513)), "invalid_request"},
			"not registered for code": {ask(machine), "unauthorized_client"},
		} {
			rec := b.authorize(tc.q)
			if tc.code == "unauthorized_client" && rec.Code == http.StatusBadRequest {
				continue // it has no redirect URI to be matched
			}
			got, _ := answered(t, rec)
			if got.Get("error") != tc.code || got.Get("state") != "st-8f2k" || got.Get("iss") != issuer || got.Has("code") {
				t.Errorf("%s: got %v, want %s with state and iss", why, got, tc.code)
			}
		}
		got, _ := answered(t, b.authorize(ask(c, "state", "", "response_type", "token")))
		if got.Has("state") || got.Get("iss") != issuer {
			t.Errorf("an absent state came back: %v", got)
		}
	})
}

func TestStateMayBeAbsentShortOrLong(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, state := range []string{"", "x", strings.Repeat("s", 2048)} {
			got := back(t, b.authorize(ask(c, "state", state, "nonce", "")))
			if got.Get("code") == "" || got.Get("state") != state || got.Has("state") != (state != "") {
				t.Errorf("state of %d characters: %v", len(state), got)
			}
		}
	})
}

func TestPromptAndMaxAge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		third, _ := w.client(func(c *provider.Client) { c.FirstParty = false })
		nobody, b := w.browser(), w.browser()
		b.signIn(w.person("Ann"))
		w.clock.Add(time.Minute)
		for why, tc := range map[string]struct {
			b    *browser
			q    url.Values
			path string // where the browser is sent
			code string // or the error
		}{
			"nobody":              {nobody, ask(c), "/sign-in?ask=", ""},
			"nobody, quietly":     {nobody, ask(c, "prompt", "none"), "", "login_required"},
			"new account":         {nobody, ask(c, "prompt", "create"), "/sign-up?ask=", ""},
			"new account, though": {b, ask(c, "prompt", "create"), "/sign-up?ask=", ""},
			"again":               {b, ask(c, "prompt", "login"), "/sign-in?ask=", ""},
			"which one":           {b, ask(c, "prompt", "select_account"), "/sign-in/choose?ask=", ""},
			"ask me":              {b, ask(c, "prompt", "consent"), "/consent?ask=", ""},
			"max_age passed":      {b, ask(c, "max_age", "59"), "/sign-in?ask=", ""},
			"max_age holds":       {b, ask(c, "max_age", "60"), "", ""},
			"max_age of zero":     {b, ask(c, "max_age", "0"), "/sign-in?ask=", ""},
			"max_age, quietly":    {b, ask(c, "max_age", "1", "prompt", "none"), "", "login_required"},
			"consent is due":      {b, ask(third), "/consent?ask=", ""},
			"consent, quietly":    {b, ask(third, "prompt", "none"), "", "consent_required"},
			"quietly":             {b, ask(c, "prompt", "none"), "", ""},
		} {
			rec := tc.b.authorize(tc.q)
			if tc.path != "" {
				if to := rec.Header().Get("Location"); rec.Code != http.StatusSeeOther || !strings.HasPrefix(to, tc.path) {
					t.Errorf("%s: %d %q, want %s", why, rec.Code, to, tc.path)
				}
				continue
			}
			if got := back(t, rec); got.Get("error") != tc.code || got.Has("code") != (tc.code == "") || got.Get("iss") != issuer {
				t.Errorf("%s: %v, want error %q", why, got, tc.code)
			}
		}
	})
}

// waiting returns the request that a redirect to one of our pages names.
func (b *browser) waiting(rec *httptest.ResponseRecorder) login.Ask {
	b.w.t.Helper()
	u, err := url.Parse(rec.Header().Get("Location"))
	must(b.w.t, err)
	a, err := storage.NewLogin(b.w.db).Ask(b.w.t.Context(), login.AskID(u.Query().Get("ask")))
	must(b.w.t, err)
	return a
}

// answers does to a waiting request what signing in or choosing does.
func (b *browser) answers(a login.Ask, s session.Session) {
	b.w.t.Helper()
	a.Chosen = s.ID
	must(b.w.t, storage.NewLogin(b.w.db).SaveAsk(b.w.t.Context(), a))
}

func TestARequestWaitsWhileThePersonSignsInAndAgrees(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) { c.FirstParty = false })
		ann, b := w.person("Ann"), w.browser()
		a := b.waiting(b.authorize(ask(c, "max_age", "0", "login_hint", "ann@example.com")))
		if a.Hint != "ann@example.com" || a.Party.Name != "Acme" || a.Party.Host != "rp.example.org" || len(a.Scopes) != 4 {
			t.Fatalf("parked %+v", a)
		}
		w.clock.Add(time.Second)
		s := b.signIn(ann)
		b.answers(a, s)
		rec := b.get(a.Back())
		if to := rec.Header().Get("Location"); to != "/consent?ask="+string(a.ID) {
			t.Fatalf("sent to %q, want consent", to)
		}
		w.allow(a, s)
		got := back(t, b.get(a.Back()))
		if got.Get("code") == "" || got.Get("state") != "st-8f2k" {
			t.Fatalf("answer %v", got)
		}
		read(t, w.redeem(c, key, got.Get("code")), http.StatusOK)
		wantPage(t, b.get(a.Back()), "request_answered")
	})
}

func TestAResumedRequestBelongsToItsBrowserAndEndsInTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		b, other := w.browser(), w.browser()
		ann := w.person("Ann")
		a := b.waiting(b.authorize(ask(c)))
		other.signIn(ann)
		wantPage(t, other.get(a.Back()), "request_unknown")
		wantPage(t, (&browser{w: w}).get(a.Back()), "request_unknown")
		wantPage(t, b.get("/oauth2/resume?ask="+secret.NewID("ask")), "request_unknown")
		wantPage(t, b.get("/oauth2/resume"), "request_unknown")
		w.clock.Add(time.Hour)
		b.signIn(ann)
		wantPage(t, b.get(a.Back()), "request_expired")
	})
}

func TestWhoeverDoesNotAgreeIsSentBackWithAccessDenied(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(func(c *provider.Client) { c.FirstParty = false })
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		a := b.waiting(b.authorize(ask(c)))
		must(t, w.deny(a, s))
		if got := back(t, b.get(a.Back())); got.Get("error") != "access_denied" || got.Get("iss") != issuer || got.Get("state") != "st-8f2k" {
			t.Fatalf("answer %v", got)
		}
		wantPage(t, b.get(a.Back()), "request_answered")
	})
}

func TestSomebodyElsesAnswerDoesNotCount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(func(c *provider.Client) { c.FirstParty = false })
		b := w.browser()
		ann := b.signIn(w.person("Ann"))
		a := b.waiting(b.authorize(ask(c)))
		w.allow(a, ann)
		bob := b.signIn(w.person("Bob"))
		b.answers(b.w.ask(a.ID), bob)
		if to := b.get(a.Back()).Header().Get("Location"); to != "/consent?ask="+string(a.ID) {
			t.Fatalf("Ann said yes and Bob was sent to %q", to)
		}
		w.allow(a, bob)
		if got := back(t, b.get(a.Back())); got.Get("code") == "" {
			t.Fatalf("Bob said yes too: %v", got)
		}
	})
}

func TestConsentTakenBackBeforeTheBrowserReturnsIsAskedForAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(func(c *provider.Client) { c.FirstParty = false })
		b := w.browser()
		ann := b.signIn(w.person("Ann"))
		a := b.waiting(b.authorize(ask(c)))
		w.allow(a, ann)
		_, err := storage.NewConsent(w.db).DropGrant(t.Context(), ann.User, string(c.ID), w.clock.Now())
		must(t, err)
		if to := b.get(a.Back()).Header().Get("Location"); to != "/consent?ask="+string(a.ID) {
			t.Fatalf("Ann took it back and the browser was sent to %q", to)
		}
		w.allow(w.ask(a.ID), ann)
		if got := back(t, b.get(a.Back())); got.Get("code") == "" {
			t.Fatalf("Ann agreed again: %v", got)
		}
	})
}

// allow is what the consent page does when its person says yes.
func (w *world) allow(a login.Ask, s session.Session) {
	w.t.Helper()
	w.agree(s.User, provider.Client{ID: provider.ClientID(a.Party.ID)}, a.Scopes...)
	must(w.t, storage.NewConsent(w.db).Answer(w.t.Context(), string(a.ID), s.ID, true))
}

// deny is what it does when they say no.
func (w *world) deny(a login.Ask, s session.Session) error {
	return storage.NewConsent(w.db).Answer(w.t.Context(), string(a.ID), s.ID, false)
}

func (w *world) ask(id login.AskID) login.Ask {
	w.t.Helper()
	a, err := storage.NewLogin(w.db).Ask(w.t.Context(), id)
	must(w.t, err)
	return a
}

func TestSeveralSessionsAreNeverMixedUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		ann, bob, b := w.person("Ann"), w.person("Bob"), w.browser()
		b.signIn(ann)
		hint := b.tokens(c, key).ID
		b.signIn(bob) // in use now
		if to := b.authorize(ask(c)).Header().Get("Location"); !strings.HasPrefix(to, "/sign-in/choose?") {
			t.Fatalf("two sessions: sent to %q", to)
		}
		for _, prompt := range []string{"", "none"} {
			code := b.code(ask(c, "id_token_hint", hint, "prompt", prompt))
			if sub := w.claims(read(t, w.redeem(c, key, code), http.StatusOK).ID)["sub"]; sub != string(ann) {
				t.Fatalf("hint of Ann, code of %v", sub)
			}
		}
		code := b.code(ask(c, "prompt", "none"))
		if sub := w.claims(read(t, w.redeem(c, key, code), http.StatusOK).ID)["sub"]; sub != string(bob) {
			t.Fatalf("the session in use is Bob's, the code %v's", sub)
		}
		w.clock.Add(time.Minute)
		a := b.waiting(b.authorize(ask(c, "id_token_hint", hint, "prompt", "login")))
		b.answers(a, b.signIn(bob))
		if got := back(t, b.get(a.Back())); got.Get("error") != "login_required" {
			t.Fatalf("Ann was hinted at and Bob answered: %v", got)
		}
	})
}

func TestAnAppThatOthersCanImpersonateAlwaysAsks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.client(func(c *provider.Client) {
			c.Type, c.RedirectURIs = provider.Native, []string{"com.example.app:/cb", callback}
		})
		ann, b := w.person("Ann"), w.browser()
		b.signIn(ann)
		w.agree(ann, app, "openid", "profile", "email", "offline_access")
		q := ask(app, "redirect_uri", "com.example.app:/cb")
		if to := b.authorize(q).Header().Get("Location"); !strings.HasPrefix(to, "/consent?") {
			t.Errorf("sent to %q", to)
		}
		if to := b.authorize(with(q, "prompt", "none")).Header().Get("Location"); !strings.Contains(to, "consent_required") {
			t.Errorf("quietly sent to %q", to)
		}
		b.code(ask(app)) // an https address is the app's own
	})
}

func TestFormPostShowsTheAnswerInAPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, q := range []url.Values{ask(c, "response_mode", "form_post"), ask(c, "response_mode", "form_post", "scope", "nope")} {
			rec := b.authorize(q)
			if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Body.String(), "page form_post") || !strings.Contains(rec.Body.String(), issuer) ||
				!strings.Contains(rec.Body.String(), "st-8f2k") || rec.Header().Get("Location") != "" {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
		}
	})
}

func TestAuthorizeAcceptsAPostedForm(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		r := httptest.NewRequest(http.MethodPost, "/oauth2/authorize", strings.NewReader(ask(c).Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := back(t, b.do(r)); got.Get("code") == "" {
			t.Fatalf("answer %v", got)
		}
	})
}

func TestAFormPostedByAnotherSiteComesAgainWithItsCookie(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, _, c, hint := leaving(w)
		for _, at := range []struct {
			path string
			form url.Values
		}{
			{"/oauth2/authorize", ask(c)},
			{"/oauth2/logout", url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}}},
		} {
			path := at.path
			rec := w.form(path, at.form) // as SameSite=Lax has it: without the cookie
			to := rec.Header().Get("Location")
			if rec.Code != http.StatusSeeOther || !strings.HasPrefix(to, path+"?") || rec.Header().Get("Set-Cookie") != "" {
				t.Fatalf("%s: %d %q, cookie %q", path, rec.Code, to, rec.Header().Get("Set-Cookie"))
			}
			after := b.get(to)
			if to := after.Header().Get("Location"); !strings.Contains(to, "code=") && to != farewell {
				t.Errorf("%s: then sent to %q", path, to)
			}
		}
		form := ask(c, "login_hint", strings.Repeat("x", 8000), "ui_locales", strings.Repeat("y", 8000))
		wantPage(t, w.form("/oauth2/authorize", form), "request_malformed")
	})
}
