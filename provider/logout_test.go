package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/internal/secret"
	"idp/provider"
	"idp/session"
	"idp/token"
)

const farewell = "https://rp.example.org/bye"

// leaving is a client with a signed-in person and an ID token of that session.
func leaving(w *world) (*browser, session.Session, provider.Client, string) {
	c, key := w.client(func(c *provider.Client) { c.PostLogoutRedirectURIs = []string{farewell} })
	b := w.browser()
	s := b.signIn(w.person(secret.NewID("Ann")))
	return b, s, c, b.tokens(c, key).ID
}

func (b *browser) leave(q url.Values) *httptest.ResponseRecorder {
	return b.get("/oauth2/logout?" + q.Encode())
}

func (b *browser) present() bool {
	b.w.t.Helper()
	here, err := b.w.keeper.Sessions(b.w.t.Context(), b.kept)
	must(b.w.t, err)
	return len(here) > 0
}

func TestLogoutWithAnIDTokenOfTheSessionGoesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, _, c, hint := leaving(w)
		w.clock.Add(24 * time.Hour) // the ID token has expired long ago, which is fine
		state := strings.Repeat("s", 128)
		rec := b.leave(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}, "state": {state}, "client_id": {string(c.ID)}})
		if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != farewell+"?state="+state || b.present() {
			t.Fatalf("%d %q, still signed in: %v", rec.Code, rec.Header().Get("Location"), b.present())
		}
		if got := back(t, b.authorize(ask(c, "prompt", "none"))); got.Get("error") != "login_required" {
			t.Fatalf("afterwards %v", got)
		}
		again := b.leave(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}})
		if again.Header().Get("Location") != farewell {
			t.Errorf("signing out twice leads to %q", again.Header().Get("Location"))
		}
	})
}

func TestALinkAloneSignsNobodyOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, s, c, hint := leaving(w)
		other := w.browser()
		other.signIn(w.person("Bob"))
		none := "eyJhbGciOiJub25lIn0." + strings.Split(hint, ".")[1] + "."
		forged, err := w.keys.Sign(t.Context(), token.Session, token.ES256, "JWT", map[string]any{
			"iss": issuer, "sub": string(s.User), "aud": string(c.ID), "sid": string(s.ID),
		})
		must(t, err)
		for why, tc := range map[string]struct {
			b *browser
			q url.Values
		}{
			"nothing":            {b, url.Values{}},
			"only state":         {b, url.Values{"state": {"x"}}},
			"only an address":    {b, url.Values{"post_logout_redirect_uri": {farewell}, "client_id": {string(c.ID)}}},
			"alg none":           {b, url.Values{"id_token_hint": {none}}},
			"changed":            {b, url.Values{"id_token_hint": {hint[:len(hint)-5] + "AAAAA"}}},
			"a session's key":    {b, url.Values{"id_token_hint": {forged}}},
			"somebody else's":    {other, url.Values{"id_token_hint": {hint}}},
			"of another client":  {b, url.Values{"id_token_hint": {hint}, "client_id": {"client_x"}}},
			"a bomb":             {b, url.Values{"id_token_hint": {strings.Repeat(".", 8000)}}},
			"compressed, signed": {b, url.Values{"id_token_hint": {"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00iLCJ6aXAiOiJERUYifQ.a.b.c.d"}}},
		} {
			rec := tc.b.leave(tc.q)
			if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Body.String(), "page logout ") || !tc.b.present() {
				t.Errorf("%s: %d %.60s, still signed in: %v", why, rec.Code, rec.Body, tc.b.present())
			}
		}
	})
}

func TestNobodyIsSentWhereTheClientDidNotRegister(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, uri := range []string{"https://evil.example/", farewell + "?x=1", farewell + "/", "javascript:alert(1)", callback} {
			b, s, _, hint := leaving(w)
			q := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {uri}, "state": {"x"}}
			rec := b.leave(q)
			if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Body.String(), "page logout ") || !strings.Contains(rec.Body.String(), `"Why":"address"`) || !b.present() {
				t.Errorf("%s: %d %s, still signed in: %v", uri, rec.Code, rec.Body, b.present())
			}
			if rec = b.confirm("confirm", s.ID, q); rec.Header().Get("Location") != "/oauth2/logout/done?why=address" || b.present() {
				t.Errorf("%s, confirmed: sent to %q", uri, rec.Header().Get("Location"))
			}
			if rec = b.leave(q); rec.Header().Get("Location") != "/oauth2/logout/done?why=address" {
				t.Errorf("%s, nobody there: sent to %q", uri, rec.Header().Get("Location"))
			}
		}
		for query, why := range map[string]string{"": "", "?why=address": "address", "?why=hint": "hint", "?why=evil": ""} {
			rec := w.browser().get("/oauth2/logout/done" + query)
			if !strings.HasPrefix(rec.Body.String(), "page logged_out") || !strings.Contains(rec.Body.String(), `"Why":"`+why+`"`) {
				t.Errorf("done%s: %s", query, rec.Body)
			}
		}
		b, _, _, hint := leaving(w)
		wantPage(t, b.get("/oauth2/logout?state=a&state=b&id_token_hint="+hint), "request_malformed")
	})
}

func TestAClientThatOnlyNamesItselfGetsThePersonBackByTheirOwnHand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, s, c, _ := leaving(w)
		named := url.Values{"client_id": {string(c.ID)}, "post_logout_redirect_uri": {farewell}, "state": {"x y"}}
		if rec := b.leave(named); !strings.HasPrefix(rec.Body.String(), "page logout ") || !b.present() {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		if rec := b.confirm("confirm", s.ID, named); rec.Header().Get("Location") != farewell+"?state=x+y" || b.present() {
			t.Errorf("confirmed: sent to %q", rec.Header().Get("Location"))
		}
		rec := b.leave(named)
		if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Body.String(), "page logged_out") || !strings.Contains(rec.Body.String(), farewell+"?state=x+y") {
			t.Errorf("nobody there: %d %s", rec.Code, rec.Body)
		}
		for why, q := range map[string]url.Values{
			"another's address": {"client_id": {string(c.ID)}, "post_logout_redirect_uri": {"https://evil.example/"}},
			"an unknown client": {"client_id": {"client_x"}, "post_logout_redirect_uri": {farewell}},
			"nobody named":      {"post_logout_redirect_uri": {farewell}},
		} {
			if rec := b.leave(q); rec.Header().Get("Location") != "/oauth2/logout/done?why=address" {
				t.Errorf("%s: %d, sent to %q", why, rec.Code, rec.Header().Get("Location"))
			}
		}
	})
}

func TestAHintOfAnotherBrowsersSessionLeavesThatSessionAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there, _, _, hint := leaving(w)
		for why, b := range map[string]*browser{"a browser without anybody": w.browser(), "no browser": {w: w}} {
			rec := b.leave(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}})
			if rec.Header().Get("Location") != farewell || !there.present() {
				t.Errorf("%s: sent to %q, the session elsewhere stands: %v", why, rec.Header().Get("Location"), there.present())
			}
		}
	})
}

func TestALogoutByFormIsAsGoodAsALink(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, _, _, hint := leaving(w)
		q := url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}, "state": {"s"}, "logout_hint": {"ann@example.com"}, "ui_locales": {"fr-CA en"}}
		foreign := w.form("/oauth2/logout", q) // posted by the relying party's page, so without the cookie
		if to := foreign.Header().Get("Location"); foreign.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/oauth2/logout?") || !b.present() {
			t.Fatalf("%d %q", foreign.Code, to)
		}
		if rec := b.get(foreign.Header().Get("Location")); rec.Header().Get("Location") != farewell+"?state=s" || b.present() {
			t.Errorf("sent to %q", rec.Header().Get("Location"))
		}
	})
}

func TestRefreshTokensOfASessionDieWithItAndOfflineOnesDoNot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) { c.PostLogoutRedirectURIs = []string{farewell} })
		b := w.browser()
		b.signIn(w.person("Ann"))
		bound, offline := b.tokens(c, key, "scope", "openid"), b.tokens(c, key)
		b.leave(url.Values{"id_token_hint": {bound.ID}})
		wantError(t, w.refresh(c, key, bound.Refresh), http.StatusBadRequest, "invalid_grant")
		w.wantDead(bound.Access)
		read(t, w.refresh(c, key, offline.Refresh), http.StatusOK)
	})
}

// confirm answers the page that asks, as its form does.
func (b *browser) confirm(answer string, id session.ID, q url.Values) *httptest.ResponseRecorder {
	form := url.Values{"answer": {answer}, "session": {string(id)}}
	for name := range q {
		form.Set(name, q.Get(name))
	}
	r := httptest.NewRequest(http.MethodPost, "/oauth2/logout/confirm", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func TestAPersonConfirmsSigningOut(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, s, _, _ := leaving(w)
		if rec := b.confirm("stay", s.ID, nil); rec.Header().Get("Location") != "/account" || !b.present() {
			t.Errorf("stay: %q", rec.Header().Get("Location"))
		}
		other := w.browser()
		other.signIn(w.person("Bob"))
		other.confirm("confirm", s.ID, nil)
		if !b.present() || !other.present() {
			t.Error("one browser signed another out")
		}
		if rec := b.confirm("confirm", s.ID, nil); rec.Header().Get("Location") != "/oauth2/logout/done" || b.present() {
			t.Errorf("confirm: %q", rec.Header().Get("Location"))
		}
	})
}

func TestHintsSurviveARotationAndDieWithTheirKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, _, c, hint := leaving(w)
		old, err := w.keys.Verify(t.Context(), token.OIDC, hint)
		must(t, err)
		must(t, w.keys.Rotate(t.Context(), token.OIDC, true, "operator:cli"))
		b.code(ask(c, "id_token_hint", hint, "prompt", "none"))
		must(t, w.keys.Retire(t.Context(), old.KeyID, "operator:cli"))
		if got := back(t, b.authorize(ask(c, "id_token_hint", hint, "prompt", "none"))); got.Get("error") != "invalid_request" {
			t.Fatalf("a hint of a retired key: %v", got)
		}
		if rec := b.leave(url.Values{"id_token_hint": {hint}}); !strings.HasPrefix(rec.Body.String(), "page logout ") {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}
