package login_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/storage"
)

// provider is a captcha's siteverify on this machine. It gives back what it is told to.
type provider struct {
	*house
	says   map[string]any
	status int
	asked  []map[string]string
}

func captcha(t *testing.T, who login.Provider, f func(p *provider)) {
	guarded(t, login.CheckAlways, func(h *house) {
		p := &provider{house: h, status: http.StatusOK}
		p.says = map[string]any{"success": true, "hostname": "id.example.com", "action": "sign_up", "challenge_ts": h.clock.Now().Format(time.RFC3339)}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.asked = append(p.asked, map[string]string{
				"secret": r.PostFormValue("secret"), "response": r.PostFormValue("response"), "remoteip": r.PostFormValue("remoteip"),
			})
			w.WriteHeader(p.status)
			_ = json.NewEncoder(w).Encode(p.says)
		}))
		defer server.Close()
		h.engine.Checker = &login.Checker{Used: storage.NewChecks(h.db), Captcha: &login.Captcha{
			Provider: who, SiteKey: "site", Secret: secret.NewString("key"), Host: "id.example.com", URL: server.URL,
			Outbound: outbound.New(outbound.Options{Loopback: true}),
		}}
		f(p)
	})
}

func (p *provider) start() *browser {
	p.Helper()
	b := p.browser().begin(login.Beginning{Goal: login.SignUp}).want(login.NeedsHuman)
	if c := b.view.Human; c.SiteKey != "site" || c.Puzzle != nil || c.Action != login.ActSignUp {
		p.Fatalf("the view has the check %+v", c)
	}
	return b
}

func TestAWidgetsAnswerPassesWhenItsProviderSaysSoOfUs(t *testing.T) {
	for _, who := range []login.Provider{login.Turnstile, login.HCaptcha} {
		captcha(t, who, func(p *provider) {
			if who == login.HCaptcha {
				delete(p.says, "action")
			}
			b := p.start().passHuman("answer").want(login.MissingRequirements)
			if len(p.asked) != 1 || p.asked[0]["secret"] != "key" || p.asked[0]["response"] != "answer" || p.asked[0]["remoteip"] != "" {
				t.Errorf("the provider was asked %v", p.asked)
			}
			b.submit("ann@acme.org", rightPassword).want(login.NeedsEmailVerification)
			p.start().passHuman("answer").refused("bot_check_failed", login.NeedsHuman) // whatever the provider says the second time
		})
	}
}

func TestAWidgetsAnswerFromElsewhereForElsewhatOrFromLongAgoIsRefused(t *testing.T) {
	captcha(t, login.Turnstile, func(p *provider) {
		now := p.clock.Now()
		for why, wrong := range map[string]map[string]any{
			"not solved":    {"success": false, "error-codes": []string{"invalid-input-response"}},
			"used":          {"success": false, "error-codes": []string{"timeout-or-duplicate"}},
			"another host":  {"hostname": "evil.example"},
			"a longer host": {"hostname": "id.example.com.evil.example"},
			"no host":       {"hostname": nil},
			"sign-in":       {"action": "sign_in"},
			"no action":     {"action": nil},
			"old":           {"challenge_ts": now.Add(-6 * time.Minute).Format(time.RFC3339)},
			"to come":       {"challenge_ts": now.Add(time.Minute).Format(time.RFC3339)},
			"no time":       {"challenge_ts": nil},
		} {
			kept := p.says
			p.says = map[string]any{}
			for k, v := range kept {
				p.says[k] = v
			}
			for k, v := range wrong {
				p.says[k] = v
			}
			b := p.start().passHuman("answer of "+why).refused("bot_check_failed", login.NeedsHuman)
			if a, err := p.store.Attempt(t.Context(), b.view.ID); err != nil || a.Human {
				t.Errorf("%s: passed", why)
			}
			p.says = kept
		}
		asked := len(p.asked)
		p.start().passHuman("").refused("bot_check_failed", login.NeedsHuman)
		if len(p.asked) != asked {
			t.Error("the provider is asked about nothing")
		}
	})
}

func TestACaptchaThatCannotBeAskedBlocksNobody(t *testing.T) {
	captcha(t, login.Turnstile, func(p *provider) {
		trouble := map[string]func() func(){
			"an error": func() func() { p.status = http.StatusBadGateway; return func() { p.status = http.StatusOK } },
			"our key is wrong": func() func() {
				kept := p.says
				p.says = map[string]any{"success": false, "error-codes": []string{"invalid-input-secret"}}
				return func() { p.says = kept }
			},
			"nobody there": func() func() {
				kept := p.engine.Checker.Captcha.URL
				p.engine.Checker.Captcha.URL = "http://127.0.0.1:1/"
				return func() { p.engine.Checker.Captcha.URL = kept }
			},
		}
		n := 0
		for why, begin := range trouble {
			end := begin()
			who := string(rune('a'+n)) + "@acme.org"
			n++
			b := p.start().submit(who, rightPassword).passHuman("x").refused("bot_check_unreachable", login.NeedsHuman)
			b.prepare(identity.EmailCode).prove(identity.EmailCode, p.letter(who, message.SignUp).Code).want(login.MissingRequirements)
			b.submit(who, rightPassword).want(login.Complete)
			if got := p.recorded(event.BotCheckUnreachable); len(got) != n || got[0].Detail["provider"] != "turnstile" {
				t.Errorf("%s: the events are %+v", why, got)
			}
			end()
		}
		if _, _, unreachable := p.engine.Checker.Counts(); int(unreachable) != n {
			t.Errorf("counted %d", unreachable)
		}
	})
}

func TestASlowCaptchaIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("waits five seconds")
	}
	h := newHouse(t, openSQLite(t))
	h.settings.BotCheck = login.CheckAlways
	slow := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-slow }))
	defer server.Close()
	defer close(slow)
	h.engine.Checker = &login.Checker{Used: storage.NewChecks(h.db), Captcha: &login.Captcha{
		Provider: login.HCaptcha, SiteKey: "site", Secret: secret.NewString("key"), Host: "id.example.com", URL: server.URL,
		Outbound: outbound.New(outbound.Options{Loopback: true}),
	}}
	h.browser().begin(login.Beginning{Goal: login.SignUp}).passHuman("x").refused("bot_check_unreachable", login.NeedsHuman)
}
