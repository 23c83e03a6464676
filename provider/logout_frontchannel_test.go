package provider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/provider"
	"idp/session"
	"idp/storage"
)

const heard = "https://rp.example.org/heard?tenant=7"

// framed is a client that wants to hear in a frame, with a signed-in person and an ID token.
func framed(w *world) (*browser, session.Session, string) {
	c, key := w.client(func(c *provider.Client) {
		c.FrontchannelLogoutURI, c.PostLogoutRedirectURIs = heard, []string{farewell}
	})
	b := w.browser()
	s := b.signIn(w.person("Ann"))
	return b, s, b.tokens(c, key).ID
}

// shown is the page with the frames.
type shown struct {
	Frames []string
	To     string
}

func frames(t testing.TB, rec *httptest.ResponseRecorder) (s shown) {
	t.Helper()
	text, ok := strings.CutPrefix(rec.Body.String(), "page logging_out ")
	if rec.Code != http.StatusOK || !ok {
		t.Fatalf("%d, sent to %q: %s", rec.Code, rec.Header().Get("Location"), rec.Body)
	}
	must(t, json.Unmarshal([]byte(text), &s))
	return s
}

func TestRelyingPartiesHearInFramesThatThePersonLeft(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, s, hint := framed(w)
		w.client(func(c *provider.Client) { c.FrontchannelLogoutURI = "https://rp.example.org/never" })
		rec := b.leave(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}, "state": {"x"}})
		way := rec.Header().Get("Location")
		if rec.Code != http.StatusSeeOther || !strings.HasPrefix(way, "/oauth2/logout/apps?") || b.present() {
			t.Fatalf("%d, sent to %q, still signed in: %v", rec.Code, way, b.present())
		}
		if strings.Contains(way, "rp.example.org") || strings.Contains(way, string(s.ID)) {
			t.Errorf("the address tells what is in it: %s", way)
		}
		page := frames(t, b.get(way))
		want := heard + "&" + url.Values{"iss": {issuer}, "sid": {string(s.ID)}}.Encode()
		if len(page.Frames) != 1 || page.Frames[0] != want || page.To != farewell+"?state=x" {
			t.Errorf("%+v, want the frame %s", page, want)
		}
		frames(t, b.get(way)) // reloading is fine
	})
}

func TestThePageWithTheFramesIsForThatBrowserAndForAWhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, _, hint := framed(w)
		way := b.leave(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {farewell}}).Header().Get("Location")
		frames(t, b.get(way))
		stranger := w.browser()
		stranger.signIn(w.person("Bob"))
		nobody := &browser{w: w}
		changed := way[:len(way)-6] + "AAAAAA"
		for why, try := range map[string]func() *httptest.ResponseRecorder{
			"another browser": func() *httptest.ResponseRecorder { return stranger.get(way) },
			"no browser":      func() *httptest.ResponseRecorder { return nobody.get(way) },
			"changed":         func() *httptest.ResponseRecorder { return b.get(changed) },
			"made up":         func() *httptest.ResponseRecorder { return b.get("/oauth2/logout/apps?parting=v1.AAAA") },
			"nothing":         func() *httptest.ResponseRecorder { return b.get("/oauth2/logout/apps") },
		} {
			if rec := try(); rec.Header().Get("Location") != "/oauth2/logout/done" {
				t.Errorf("%s: %d, sent to %q: %s", why, rec.Code, rec.Header().Get("Location"), rec.Body)
			}
		}
		w.clock.Add(6 * time.Minute)
		if rec := b.get(way); rec.Header().Get("Location") != "/oauth2/logout/done" {
			t.Errorf("too late: %d, sent to %q", rec.Code, rec.Header().Get("Location"))
		}
		if !stranger.present() {
			t.Error("somebody else was signed out")
		}
	})
}

func TestWhoConfirmsSigningOutIsSignedOutOfTheAppsAsWell(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, s, _ := framed(w)
		page := frames(t, b.get(b.confirm("confirm", s.ID, nil).Header().Get("Location")))
		if len(page.Frames) != 1 || page.To != issuer+"/oauth2/logout/done" || b.present() {
			t.Errorf("%+v, still signed in: %v", page, b.present())
		}
	})
}

func TestOnlyAppsOfTheSessionThatEndedHear(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, ann, hint := framed(w)
		other, _ := w.client(func(c *provider.Client) { c.FrontchannelLogoutURI = "https://rp.example.org/other" })
		bob := b.signIn(w.person("Bob")) // on the same browser
		must(t, storage.NewVisits(w.db).SaveVisit(t.Context(), provider.Visit{Session: bob.ID, Client: other.ID, User: bob.User}, w.clock.Now()))
		page := frames(t, b.get(b.leave(url.Values{"id_token_hint": {hint}}).Header().Get("Location")))
		if len(page.Frames) != 1 || !strings.Contains(page.Frames[0], string(ann.ID)) {
			t.Errorf("%+v", page)
		}
		here, err := w.keeper.Sessions(t.Context(), b.kept)
		must(t, err)
		if len(here) != 1 || here[0].ID != bob.ID {
			t.Errorf("left on the browser: %v", here)
		}
	})
}
