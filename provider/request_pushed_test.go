package provider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/provider"
)

// push pushes a request as the client; its id and secret are added.
func (w *world) push(c provider.Client, key string, form url.Values) *httptest.ResponseRecorder {
	w.t.Helper()
	all := url.Values{}
	for name, values := range form {
		all[name] = values
	}
	all.Set("client_id", string(c.ID))
	if key != "" {
		all.Set("client_secret", key)
	}
	return w.form("/oauth2/par", all)
}

// pushed pushes a request that must be taken, and returns what leads to it.
func (w *world) pushed(c provider.Client, key string, form url.Values) url.Values {
	w.t.Helper()
	rec := w.push(c, key, form)
	var a struct {
		URI     string `json:"request_uri"`
		Expires int    `json:"expires_in"`
	}
	must(w.t, json.Unmarshal(rec.Body.Bytes(), &a))
	if rec.Code != http.StatusCreated || a.Expires != 60 || !strings.HasPrefix(a.URI, "urn:ietf:params:oauth:request_uri:") || len(a.URI) < 77 || rec.Header().Get("Cache-Control") != "no-store" {
		w.t.Fatalf("%d %s %v", rec.Code, rec.Body, rec.Header())
	}
	return url.Values{"client_id": {string(c.ID)}, "request_uri": {a.URI}}
}

func wantNowhere(t testing.TB, why string, rec *httptest.ResponseRecorder, code string) {
	t.Helper()
	if rec.Header().Get("Location") != "" || !strings.Contains(rec.Body.String(), code) {
		t.Errorf("%s: %d to %q: %s, want a page %s", why, rec.Code, rec.Header().Get("Location"), rec.Body, code)
	}
}

func TestAPushedRequestIsAnsweredOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		q := w.pushed(c, key, ask(c))
		got := back(t, b.authorize(q))
		if got.Get("state") != "st-8f2k" || got.Get("iss") != issuer {
			t.Fatalf("%v", got)
		}
		a := read(t, w.redeem(c, key, got.Get("code")), http.StatusOK)
		if w.claims(a.ID)["nonce"] != "n-0S6" {
			t.Fatalf("%v", w.claims(a.ID))
		}
		wantNowhere(t, "a second time", b.authorize(q), "request_expired")
		w.wantAlive(a.Access)
	})
}

func TestAPushedRequestMayBeReloadedUntilItIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		q := w.pushed(c, key, ask(c))
		first, second := b.authorize(q), b.authorize(q)
		for _, rec := range []*httptest.ResponseRecorder{first, second} {
			if to := rec.Header().Get("Location"); !strings.HasPrefix(to, "/sign-in?") {
				t.Fatalf("sent to %q", to)
			}
		}
		w.clock.Add(5 * time.Minute) // the sixty seconds are for coming here, not for signing in
		if to := b.authorize(q).Header().Get("Location"); !strings.HasPrefix(to, "/sign-in?") {
			t.Fatalf("sent to %q", to)
		}
		b.signIn(w.person("Ann"))
		resume := func(rec *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			return b.get("/oauth2/resume?" + strings.SplitN(rec.Header().Get("Location"), "?", 2)[1])
		}
		if got := back(t, resume(first)); got.Get("code") == "" {
			t.Fatalf("%v", got)
		}
		wantNowhere(t, "in another tab", resume(second), "request_answered")
		wantNowhere(t, "from the start", b.authorize(q), "request_expired")
	})
}

func TestARequestURIThatIsStolenGuessedOrLateLeadsNowhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		other, _ := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		q := w.pushed(c, key, ask(c))
		wantNowhere(t, "of another client", b.authorize(with(url.Values{}, "client_id", string(other.ID), "request_uri", q.Get("request_uri"), "redirect_uri", callback)), "request_expired")
		wantNowhere(t, "of nobody", b.authorize(url.Values{"request_uri": q["request_uri"]}), "request_expired")
		wantNowhere(t, "guessed", b.authorize(with(url.Values{}, "client_id", string(c.ID), "request_uri", "urn:ietf:params:oauth:request_uri:AAAA", "redirect_uri", callback)), "request_expired")
		w.clock.Add(61 * time.Second)
		wantNowhere(t, "late", b.authorize(q), "request_expired")
		fresh := w.pushed(c, key, ask(c))
		w.clock.Add(59 * time.Second)
		if got := back(t, b.authorize(fresh)); got.Get("code") == "" {
			t.Fatalf("in time: %v", got)
		}
	})
}

func TestOneOfManyWhoAnswerAPushedRequestAtOnceWins(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		q := w.pushed(c, key, ask(c))
		var codes, pages int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				rec := b.authorize(q)
				mu.Lock()
				defer mu.Unlock()
				if strings.Contains(rec.Header().Get("Location"), "code=") {
					codes++
				} else if rec.Header().Get("Location") == "" && strings.Contains(rec.Body.String(), "page error request_") {
					pages++
				}
			})
		}
		all.Wait()
		if codes != 1 || pages != 19 {
			t.Fatalf("%d codes and %d pages", codes, pages)
		}
	})
}

func TestNothingBesideAPushedRequestCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		q := w.pushed(c, key, ask(c, "scope", "openid"))
		more := with(q, "redirect_uri", "https://evil.example/", "scope", "openid email admin", "state", "evil", "response_mode", "form_post",
			"nonce", "evil", "code_challenge", "", "prompt", "create", "response_type", "token", "max_age", "0")
		got := back(t, b.authorize(more))
		if got.Get("state") != "st-8f2k" || got.Get("code") == "" {
			t.Fatalf("%v", got)
		}
		if a := read(t, w.redeem(c, key, got.Get("code")), http.StatusOK); a.Scope != "openid" || w.claims(a.ID)["nonce"] != "n-0S6" {
			t.Fatalf("scope %q, %v", a.Scope, w.claims(a.ID))
		}
		// Taking prompt out of the address does not take it out of the request.
		w.clock.Add(time.Minute)
		q = w.pushed(c, key, ask(c, "prompt", "login"))
		if to := b.authorize(q).Header().Get("Location"); !strings.HasPrefix(to, "/sign-in?") {
			t.Fatalf("sent to %q", to)
		}
	})
}

func TestOnlyTheClientItselfPushes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		other, otherKey := w.client(nil)
		page, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		w.count.Reset()
		for why, rec := range map[string]*httptest.ResponseRecorder{
			"no secret":        w.push(c, "", ask(c)),
			"a wrong one":      w.push(c, "wrong", ask(c)),
			"another's secret": w.push(c, otherKey, ask(c)),
			"another's header": w.send("/oauth2/par", ask(c), "Authorization", basicOf(string(other.ID), otherKey)),
			"nobody":           w.form("/oauth2/par", with(ask(c), "client_id", "")),
		} {
			if rec.Code != http.StatusUnauthorized || !strings.Contains(rec.Body.String(), "invalid_client") || rec.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %d %s", why, rec.Code, rec.Body)
			}
		}
		if wrote := strings.Join(w.count.Texts(), "\n"); strings.Contains(wrote, "pushed_requests") {
			t.Fatal("something was kept")
		}
		if rec := w.browser().get("/oauth2/par"); rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != "POST" {
			t.Errorf("GET: %d", rec.Code)
		}
		b := w.browser()
		b.signIn(w.person("Ann"))
		for why, rec := range map[string]*httptest.ResponseRecorder{
			"by header":       w.send("/oauth2/par", with(ask(c), "client_id", ""), "Authorization", basicOf(string(c.ID), key)),
			"a public client": w.push(page, "", ask(page)),
		} {
			var a struct {
				URI string `json:"request_uri"`
			}
			if must(t, json.Unmarshal(rec.Body.Bytes(), &a)); rec.Code != http.StatusCreated || a.URI == "" {
				t.Errorf("%s: %d %s", why, rec.Code, rec.Body)
			}
		}
	})
}

func TestAPushedRequestIsJudgedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		page, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		for why, tc := range map[string]struct {
			rec  *httptest.ResponseRecorder
			code string
		}{
			"a foreign redirect_uri": {w.push(c, key, ask(c, "redirect_uri", "https://evil.example/")), "invalid_request"},
			"no redirect_uri":        {w.push(c, key, ask(c, "redirect_uri", "")), "invalid_request"},
			"a scope too many":       {w.push(c, key, ask(c, "scope", "openid admin")), "invalid_scope"},
			"no response_type":       {w.push(c, key, ask(c, "response_type", "")), "invalid_request"},
			"none and login":         {w.push(c, key, ask(c, "prompt", "none login")), "invalid_request"},
			"plain PKCE":             {w.push(c, key, ask(c, "code_challenge_method", "plain")), "invalid_request"},
			"a page without PKCE":    {w.push(page, "", ask(page, "code_challenge", "", "code_challenge_method", "")), "invalid_request"},
			"a request by reference": {w.push(c, key, ask(c, "request_uri", "https://rp.example.org/r")), "invalid_request"},
			"another pushed request": {w.push(c, key, ask(c, "request_uri", w.pushed(c, key, ask(c)).Get("request_uri"))), "invalid_request"},
			"an unsigned object":     {w.push(c, key, url.Values{"request": {bare(t, `{"alg":"none"}`, w.inside(c))}}), "request_not_supported"},
			"a broken object":        {w.push(c, key, url.Values{"request": {"x.y.z"}}), "invalid_request_object"},
			"far too long": {w.push(c, key, ask(c, "ui_locales", strings.Repeat("a", 8000), "acr_values", strings.Repeat("a", 8000), "prompt", strings.Repeat("login ", 1300),
				"scope", "openid"+strings.Repeat(" ", 7500), "claims", `{"note":"`+strings.Repeat("a", 8000)+`"}`)), "invalid_request"},
		} {
			if a := read(t, tc.rec, http.StatusBadRequest); a.Error != tc.code || tc.rec.Header().Get("Location") != "" {
				t.Errorf("%s: %+v, want %s", why, a, tc.code)
			}
		}
		twice := ask(c)
		twice.Add("scope", "openid")
		wantError(t, w.push(c, key, twice), http.StatusBadRequest, "invalid_request")
	})
}

func TestWhoMustPushCannotAskOtherwise(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.asker(func(c *provider.Client) { c.RequirePAR = true })
		b := w.browser()
		b.signIn(w.person("Ann"))
		wantBack(t, "plain", back(t, b.authorize(ask(c))), "invalid_request")
		got := back(t, b.authorize(ask(c, "request", w.object(c))))
		if got.Get("error") != "invalid_request" || got.Has("code") {
			t.Errorf("in an object: %v", got)
		}
		if got := back(t, b.authorize(w.pushed(c, key, ask(c)))); got.Get("code") == "" {
			t.Errorf("pushed: %v", got)
		}
	})
}

func TestAnErrorAnswersAPushedRequestToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		q := w.pushed(c, key, ask(c, "prompt", "none"))
		wantBack(t, "nobody is signed in", back(t, b.authorize(q)), "login_required")
		wantNowhere(t, "again", b.authorize(q), "request_expired")
	})
}

func TestASignedRequestObjectMayBePushedAndNothingBesideItCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.asker(func(c *provider.Client) { c.RequirePAR, c.RequireSignedRequest = true, true })
		b := w.browser()
		b.signIn(w.person("Ann"))
		raw := w.object(c, "response_type", "code", "redirect_uri", callback, "scope", "openid", "state", nil)
		q := w.pushed(c, key, ask(c, "request", raw, "state", "outside"))
		if got := back(t, b.authorize(q)); got.Get("code") == "" || got.Has("state") {
			t.Fatalf("%v", got)
		}
	})
}

func TestAPushedRequestIsKeptWithoutWhatItsClientProvedItselfWith(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	c, key := w.client(nil)
	w.count.Reset()
	q := w.pushed(c, key, ask(c))
	free, freeKey := w.asker(func(c *provider.Client) { c.RequestObject.JWS = "none" })
	w.pushed(free, freeKey, url.Values{"request": {bare(t, `{"alg":"none"}`, w.inside(free, "response_type", "code", "redirect_uri", callback,
		"scope", "openid", "client_secret", freeKey, "client_assertion", "an-assertion"))}})
	dump := strings.Join(w.count.Texts(), "\n")
	if !strings.Contains(dump, "st-8f2k") {
		t.Fatal("this test looks at the wrong text")
	}
	for _, leak := range []string{key, freeKey, "client_secret", "an-assertion", q.Get("request_uri"), strings.TrimPrefix(q.Get("request_uri"), "urn:ietf:params:oauth:request_uri:")} {
		if strings.Contains(dump, leak) {
			t.Errorf("kept: %.12s…", leak)
		}
	}
}
