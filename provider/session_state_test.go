package provider_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/provider"
)

// watched is a world with session management.
func watched(t *testing.T, f func(t *testing.T, w *world)) {
	each(t, func(t *testing.T, w *world) {
		w.wire(provider.Deps{SessionManagement: true})
		f(t, w)
	})
}

// stateOf returns the cookie with the browser's state that an answer sets, nil if none.
func stateOf(rec *httptest.ResponseRecorder) *http.Cookie {
	for _, c := range rec.Result().Cookies() {
		if c.Name == "__Host-idp_browser_state" {
			return c
		}
	}
	return nil
}

// matches does what the frame does.
func matches(got url.Values, client provider.ClientID, origin, state string) bool {
	hash, salt, ok := strings.Cut(got.Get("session_state"), ".")
	sum := sha256.Sum256([]byte(string(client) + " " + origin + " " + state + " " + salt))
	return ok && len(salt) > 20 && hash == hex.EncodeToString(sum[:])
}

func TestTheSessionStateIsOfThatClientItsOriginAndWhoIsSignedIn(t *testing.T) {
	watched(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		b := w.browser()
		ann := b.signIn(w.person("Ann"))
		first := b.authorize(ask(c))
		cookie := stateOf(first)
		if cookie == nil || cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteNoneMode || cookie.Path != "/" || cookie.Domain != "" {
			t.Fatalf("cookie %+v", cookie)
		}
		got := back(t, first)
		if !matches(got, c.ID, "https://rp.example.org", cookie.Value) {
			t.Errorf("session_state %q is not the hash of %q", got.Get("session_state"), cookie.Value)
		}
		if matches(got, c.ID, "https://evil.example", cookie.Value) || matches(got, "client_x", "https://rp.example.org", cookie.Value) {
			t.Error("it holds for others too")
		}
		w.clock.Add(time.Hour)
		again := b.authorize(ask(c))
		if stateOf(again).Value != cookie.Value || back(t, again).Get("session_state") == got.Get("session_state") {
			t.Error("the state moved with nobody coming or going, or the salt did not")
		}
		must(t, w.keeper.End(t.Context(), ann, "system"))
		b.signIn(w.person("Bob"))
		if bobs := stateOf(b.authorize(ask(c))); bobs == nil || bobs.Value == cookie.Value {
			t.Error("somebody else is signed in, and the state is the same")
		}
	})
}

func TestSigningOutChangesTheBrowsersState(t *testing.T) {
	watched(t, func(t *testing.T, w *world) {
		b, _, c, hint := leaving(w)
		if stateOf(b.authorize(ask(c))) == nil {
			t.Fatal("no state")
		}
		if gone := stateOf(b.leave(url.Values{"id_token_hint": {hint}})); gone == nil || gone.Value != "nobody" {
			t.Errorf("after signing out: %+v", gone)
		}
		rec := b.authorize(ask(c, "prompt", "none"))
		if got := back(t, rec); got.Get("error") != "login_required" || got.Has("session_state") {
			t.Errorf("%v", got)
		}
	})
}

func TestPlainOAuthAndAppsWithoutAnOriginGetNoSessionState(t *testing.T) {
	watched(t, func(t *testing.T, w *world) {
		const app = "com.example.app:/cb"
		c, _ := w.client(nil)
		native, _ := w.client(func(c *provider.Client) { c.Type, c.RedirectURIs = provider.Native, []string{app} })
		b := w.browser()
		user := b.signIn(w.person("Ann")).User
		w.agree(user, native, "openid", "profile", "email", "offline_access")
		if got := back(t, b.authorize(ask(c, "scope", "profile"))); got.Get("code") == "" || got.Has("session_state") {
			t.Errorf("plain OAuth: %v", got)
		}
		if to := b.authorize(ask(native, "redirect_uri", app)).Header().Get("Location"); strings.Contains(to, "session_state") {
			t.Errorf("an app: %s", to)
		}
	})
}

func TestWithoutSessionManagementThereIsNothingOfIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		rec := b.authorize(ask(c))
		if stateOf(rec) != nil || back(t, rec).Has("session_state") {
			t.Error("a state nobody may ask for")
		}
		var m map[string]any
		must(t, json.Unmarshal(b.get("/.well-known/openid-configuration").Body.Bytes(), &m))
		if _, has := m["check_session_iframe"]; has {
			t.Error("the metadata offers it")
		}
		for _, name := range []string{"frontchannel_logout_supported", "frontchannel_logout_session_supported", "backchannel_logout_supported", "backchannel_logout_session_supported"} {
			if m[name] != true {
				t.Errorf("the metadata does not say %s", name)
			}
		}
	})
}

func TestTheFrameRunsItsOwnScriptAndNothingElse(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	w.wire(provider.Deps{SessionManagement: true})
	var m map[string]any
	must(t, json.Unmarshal(w.browser().get("/.well-known/openid-configuration").Body.Bytes(), &m))
	rec := (&browser{w: w}).get(strings.TrimPrefix(m["check_session_iframe"].(string), issuer))
	policy := rec.Header().Get("Content-Security-Policy")
	script := regexp.MustCompile(`(?s)<script[^>]*>(.*)</script>`).FindStringSubmatch(rec.Body.String())
	if rec.Code != http.StatusOK || script == nil {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	sum := sha256.Sum256([]byte(script[1]))
	want := "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; frame-ancestors *"
	if policy != want || rec.Header().Get("X-Frame-Options") != "" || len(rec.Result().Cookies()) != 0 {
		t.Errorf("policy %q, want %q; headers %v", policy, want, rec.Header())
	}
	if !strings.Contains(rec.Body.String(), `data-cookie="__Host-idp_browser_state"`) {
		t.Error("the frame does not know its cookie")
	}
}

// asked runs the frame's script with that cookie and returns what it tells a page of that
// origin that sends it a message.
func asked(t *testing.T, cookies, message, origin string) string {
	t.Helper()
	const page = `
		const [script, cookies, message, origin] = process.argv.slice(1);
		let hear;
		const window = { addEventListener: (_, f) => { hear = f } };
		const document = { cookie: cookies, currentScript: { getAttribute: () => 'state' } };
		new Function('window', 'document', script)(window, document);
		hear({ data: message, origin, source: { postMessage: (said, to) => process.stdout.write(said + ' to ' + to) } });`
	script, err := os.ReadFile("session_state.js")
	must(t, err)
	said, err := exec.CommandContext(t.Context(), "node", "-e", page, string(script), cookies, message, origin).Output()
	must(t, err)
	return string(said)
}

func TestTheFrameTellsNobodyWhetherSomebodyIsSignedIn(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not here to run the script")
	}
	const rp, evil = "https://rp.example.org", "https://evil.example"
	guess := func(origin, state string) string {
		return fmt.Sprintf("client_1 %x.salt", sha256.Sum256([]byte("client_1 "+origin+" "+state+" salt")))
	}
	for _, tc := range []struct{ cookies, message, origin, want string }{
		{"x=1; state=abc", guess(rp, "abc"), rp, "unchanged"},
		{"x=1; state=abd", guess(rp, "abc"), rp, "changed"},
		{"x=1; state=abc", guess(rp, "abc"), evil, "changed"}, // somebody else's answer is worth nothing there
		{"state=nobody", guess(rp, "abc"), rp, "changed"},
		{"state=nobody", guess(evil, "nobody"), evil, "changed"}, // or any page could ask whether anybody is here
		{"x=1", guess(rp, "abc"), rp, "error"},
		{"state=abc", "client_1", rp, "error"},
	} {
		if got := asked(t, tc.cookies, tc.message, tc.origin); got != tc.want+" to "+tc.origin {
			t.Errorf("%s with %q is told %q, want %s", tc.origin, tc.cookies, got, tc.want)
		}
	}
}
