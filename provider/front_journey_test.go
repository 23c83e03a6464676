package provider_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/provider"
)

func TestAnswersThroughTheBrowserCostOneTransaction(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(versatile)
		b := w.browser()
		b.signIn(w.person("Ann"))
		b.code(ask(c)) // the client is in memory from here on
		for _, tc := range []struct {
			typ                 string
			selects, statements int
		}{
			{"code", 2, 4},                // browser, sessions; authorization, event
			{"code token", 2, 5},          // and the access token
			{"id_token", 3, 5},            // or what the ID token tells, read once more
			{"code id_token", 3, 5},       //
			{"id_token token", 3, 6},      //
			{"code id_token token", 3, 6}, //
		} {
			w.count.Reset()
			if got, _ := answered(t, b.authorize(ask(c, "response_type", tc.typ))); got.Has("error") {
				t.Fatalf("%s: %v", tc.typ, got)
			}
			selects, all, txs := w.count.Verbs()["SELECT"], w.count.Statements(), w.count.Transactions()
			if selects != tc.selects || all != tc.statements || txs != 1 {
				t.Errorf("%s: %d selects of %d statements in %d transactions, want %d of %d in 1:\n%s", tc.typ,
					selects, all, txs, tc.selects, tc.statements, strings.Join(w.count.Texts(), "\n"))
			}
		}
	})
}

func TestNoResponseTypeOrModeLeadsToAnAddressThatIsNotRegistered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(versatile)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, typ := range append([]string{"", "token", "none"}, allTypes...) {
			for _, mode := range []string{"", "query", "fragment", "form_post", "web_message"} {
				q := ask(c, "response_type", typ, "response_mode", mode)
				for _, uri := range []string{"", "https://evil.example/cb", callback + "#x", callback + "/", "javascript:alert(1)", "https://user@rp.example.org/cb"} {
					wantPage(t, b.authorize(with(q, "redirect_uri", uri)), "redirect_uri_mismatch")
				}
				wantPage(t, b.authorize(with(q, "client_id", "nobody")), "client_unknown")
			}
		}
	})
}

func TestTokensTravelInNoLogHistoryOrReferrer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(versatile)
		nobody, b := w.browser(), w.browser()
		b.signIn(w.person("Ann"))
		for _, typ := range allTypes {
			for _, mode := range []string{"", "form_post"} {
				rec := b.authorize(ask(c, "response_type", typ, "response_mode", mode))
				h := rec.Header()
				if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
					t.Errorf("%s %s: headers %v", typ, mode, h)
				}
				before, _, _ := strings.Cut(h.Get("Location"), "#")
				if strings.Contains(before, "token=") || typ != "code" && strings.Contains(before, "code=") {
					t.Errorf("%s %s: in the query: %s", typ, mode, before)
				}
			}
			// What waits for a person is named, not repeated, in our own addresses.
			to, err := url.Parse(nobody.authorize(ask(c, "response_type", typ)).Header().Get("Location"))
			must(t, err)
			if q := to.Query(); len(q) != 1 || !strings.HasPrefix(q.Get("ask"), "ask_") {
				t.Errorf("%s: sent to %s", typ, to)
			}
		}
	})
}

func TestTwoTabsEachGetTheirOwnAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(versatile)
		b := w.browser()
		typ := "code id_token token"
		first := b.waiting(b.authorize(ask(c, "response_type", typ, "state", "one", "nonce", "n1")))
		second := b.waiting(b.authorize(ask(c, "response_type", typ, "state", "two", "nonce", "n2", "response_mode", "form_post")))
		w.clock.Add(time.Second)
		s := b.signIn(w.person("Ann"))
		b.answers(second, s)
		b.answers(first, s)
		two, mode := answered(t, b.get(second.Back()))
		if mode != "form_post" || two.Get("state") != "two" || w.claims(two.Get("id_token"))["nonce"] != "n2" {
			t.Fatalf("the second tab got %v in the %s", two, mode)
		}
		one, mode := answered(t, b.get(first.Back()))
		if mode != "fragment" || one.Get("state") != "one" || w.claims(one.Get("id_token"))["nonce"] != "n1" {
			t.Fatalf("the first tab got %v in the %s", one, mode)
		}
		for _, a := range []url.Values{one, two} {
			w.wantAlive(a.Get("access_token"))
			read(t, w.redeem(c, key, a.Get("code")), http.StatusOK)
		}
		wantPage(t, b.get(first.Back()), "request_answered")
		wantPage(t, b.get(second.Back()), "request_answered")
	})
}

func TestTokensFromTheBrowserEndWithWhatTheyRestOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(versatile)
		ann, b := w.person("Ann"), w.browser()
		s := b.signIn(ann)
		access := func(typ string) string {
			t.Helper()
			got, _ := answered(t, b.authorize(ask(c, "response_type", typ, "scope", "openid")))
			w.wantAlive(got.Get("access_token"))
			return got.Get("access_token")
		}
		old := access("id_token token")
		w.clock.Add(10*time.Minute - time.Second)
		w.wantAlive(old)
		w.clock.Add(time.Second)
		w.wantDead(old)
		implicit, hybrid := access("id_token token"), access("code token")
		must(t, w.keeper.End(t.Context(), s, "test"))
		w.wantDead(implicit)
		w.wantDead(hybrid)
		b.signIn(ann)
		implicit = access("id_token token")
		w.ban(ann)
		w.wantDead(implicit)
	})
}

func TestAFormIsPostedToTheWebAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		app, _ := w.client(func(c *provider.Client) {
			c.Type, c.RedirectURIs = provider.Native, []string{"com.example.app:/cb"}
		})
		b := w.browser()
		b.signIn(w.person("Ann"))
		to := b.authorize(ask(app, "redirect_uri", "com.example.app:/cb", "response_mode", "form_post")).Header().Get("Location")
		if !strings.HasPrefix(to, "com.example.app:/cb?error=invalid_request&") {
			t.Errorf("sent to %q", to)
		}
	})
}

func TestAnAppInTheBrowserGetsItsCodeInTheFragment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		b := w.browser()
		b.signIn(w.person("Ann"))
		got, mode := answered(t, b.authorize(ask(c, "response_mode", "fragment")))
		if mode != "fragment" {
			t.Fatalf("answered in the %s", mode)
		}
		if a := read(t, w.redeem(c, "", got.Get("code")), http.StatusOK); a.Access == "" {
			t.Errorf("exchanged for %+v", a)
		}
		got, mode = answered(t, b.authorize(ask(c, "response_mode", "fragment", "prompt", "none login")))
		if mode != "fragment" || got.Get("error") != "invalid_request" {
			t.Errorf("the error came in the %s: %v", mode, got)
		}
	})
}

func TestAPostedRequestOfAnyTypeIsAnsweredAlike(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(versatile)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, typ := range allTypes {
			for _, mode := range []string{"", "form_post"} {
				body := ask(c, "response_type", typ, "response_mode", mode).Encode()
				r := httptest.NewRequest(http.MethodPost, "/oauth2/authorize", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				got, in := answered(t, b.do(r))
				if got.Has("error") || got.Get("iss") != issuer || (mode == "form_post") != (in == "form_post") {
					t.Errorf("%s: %v in the %s", typ, got, in)
				}
			}
		}
	})
}
