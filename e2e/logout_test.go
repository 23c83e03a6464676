package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// ears is a relying party's backchannel_logout_uri: it verifies what it hears with a
// foreign library and the issuer's published keys.
type ears struct {
	*httptest.Server
	t     testing.TB
	heard chan string
}

func listen(t testing.TB) *ears {
	e := &ears{t: t, heard: make(chan string, 100)}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		e.heard <- form.Get("logout_token")
	}))
	t.Cleanup(e.Close)
	return e
}

// told waits until the relying party hears of that session.
func (e *ears) told(rp *relyingParty, sid, sub any) {
	e.t.Helper()
	select {
	case raw := <-e.heard:
		token, err := rp.verifier.Verify(e.t.Context(), raw)
		if err != nil {
			e.t.Fatal(err)
		}
		var claims map[string]any
		if err := token.Claims(&claims); err != nil {
			e.t.Fatal(err)
		}
		events, _ := claims["events"].(map[string]any)
		if _, ok := events["http://schemas.openid.net/event/backchannel-logout"]; !ok || claims["sid"] != sid || claims["sub"] != sub || claims["nonce"] != nil {
			e.t.Errorf("the logout token says %v, want sid %v of %v", claims, sid, sub)
		}
		signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil || signed.Signatures[0].Header.ExtraHeaders["typ"] != "logout+jwt" {
			e.t.Errorf("its header is %v, %v", signed, err)
		}
	case <-time.After(patience):
		e.t.Fatalf("nobody told the relying party that %v ended", sid)
	}
}

func TestHoweverASessionEndsTheRelyingPartyHears(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		e := listen(t)
		rp := newRelyingParty(t, i, i.Register(map[string]any{
			"client_name": "Acme", "redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{farewell},
			"backchannel_logout_uri": e.URL, "backchannel_logout_session_required": true,
		}))
		i.Person(ann, good)
		password := good
		arrive := func() (*browser, string, map[string]any) {
			t.Helper()
			b, r := newBrowser(t, i.Issuer), rp.begin()
			signIn(b.Get(r.url), ann, password)
			if b.HasButton("Allow") {
				b.Press("Allow")
			}
			tok, err := rp.exchange(r, rp.code(r, b.Left))
			if err != nil {
				t.Fatal(err)
			}
			return b, tok.Extra("id_token").(string), rp.identity(r, tok)
		}

		b, hint, claims := arrive()
		b.Get(rp.endpoints().EndSession + "?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}}.Encode())
		if b.Left == nil || b.Left.String() != farewell {
			t.Errorf("the relying party's own sign-out leads to %v", b.Left)
		}
		e.told(rp, claims["sid"], claims["sub"])

		b, _, claims = arrive()
		b.Get("/account").Press("Sign out")
		e.told(rp, claims["sid"], claims["sub"])

		near, _, kept := arrive()
		_, _, far := arrive()
		near.Get("/account").Press("Sign out everywhere else")
		e.told(rp, far["sid"], far["sub"])

		_, _, lost := arrive()
		near.Get("/account").pressIn("/account/sessions/end", "Sign out")
		e.told(rp, lost["sid"], lost["sub"])

		stranger := newBrowser(t, i.Issuer)
		stranger.Get("/sign-in").Fill("Email address", ann).Press("Forgot password?")
		stranger.Fill("Code", p.code(ann)).Press("Continue").Fill("New password", good+" renewed").Press("Continue")
		e.told(rp, kept["sid"], kept["sub"])

		password = good + " renewed"
		_, _, banned := arrive()
		i.CLI("", "user", "ban", ann)
		e.told(rp, banned["sid"], banned["sub"])

		i.CLI("", "user", "unban", ann)
		leaver, _, gone := arrive()
		leaver.Get("/account/delete").Fill("To go on, type "+ann, ann).Press("Delete my account for ever")
		e.told(rp, gone["sid"], gone["sub"])
		i.Person(ann, password) // the address is free
		_, _, removed := arrive()
		if removed["sub"] == gone["sub"] {
			t.Error("whoever has the address now is taken for who left")
		}
		i.CLI("", "user", "delete", ann, "--yes")
		e.told(rp, removed["sid"], removed["sub"])
		if n := len(e.heard); n != 0 {
			t.Errorf("the relying party heard %d times more than sessions ended", n)
		}
	})
}

// pressIn presses the button in the first form that leads there.
func (b *browser) pressIn(action, button string) *browser {
	b.t.Helper()
	for n := range b.page.Descendants() {
		if n.Data != "button" || words(n) != button {
			continue
		}
		if form := b.formOf(n); form != nil && attr(form, "action") == action {
			if err := b.do(b.request(form, n)); err != nil {
				b.t.Fatal(err)
			}
			return b
		}
	}
	b.t.Fatalf("%s has no form to %s with a button %q", b.URL, action, button)
	return nil
}

func TestPeopleLeaveByWayOfAPageThatTellsTheirApps(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		rp := newRelyingParty(t, i, i.Register(map[string]any{
			"client_name": "Acme", "redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{farewell},
			"frontchannel_logout_uri": "http://127.0.0.1:9/heard", "frontchannel_logout_session_required": true,
		}))
		i.Person(ann, good)
		for _, leave := range []func(b *browser, end, hint string){
			func(b *browser, end, hint string) {
				b.Get(end + "?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}, "state": {"s"}}.Encode())
			},
			func(b *browser, end, _ string) { b.Get(end).Press("Sign out") },
			func(b *browser, _, _ string) { b.Get("/account").Press("Sign out") },
		} {
			b, r := newBrowser(t, i.Issuer), rp.begin()
			signIn(b.Get(r.url), ann, good)
			if b.HasButton("Allow") {
				b.Press("Allow")
			}
			tok, err := rp.exchange(r, rp.code(r, b.Left))
			if err != nil {
				t.Fatal(err)
			}
			leave(b, rp.endpoints().EndSession, tok.Extra("id_token").(string))
			sid := rp.identity(r, tok)["sid"].(string)
			frame := "http://127.0.0.1:9/heard?" + strings.ReplaceAll(url.Values{"iss": {i.Issuer}, "sid": {sid}}.Encode(), "&", "&amp;")
			if b.Left != nil || !strings.Contains(b.Body, `<iframe src="`+frame+`"`) || !b.Has("logout-continue") {
				t.Fatalf("at %v (left for %v) there is no frame %s:\n%s", b.URL, b.Left, frame, b.Body)
			}
			if policy := b.Header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; frame-src http://127.0.0.1:9") {
				t.Errorf("policy %q", policy)
			}
			if to := b.Link("Continue"); to != farewell+"?state=s" && (!strings.HasPrefix(to, i.Issuer+"/") || b.Get(to).Status != http.StatusOK) {
				t.Errorf("it goes on to %s, status %d", to, b.Status)
			}
			if b.Get("/account"); b.URL.Path != "/sign-in" {
				t.Errorf("still signed in: %v", b.URL)
			}
		}
	})
}
