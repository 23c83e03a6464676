package session_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/session"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func proven(at time.Time) session.Session {
	return session.Session{
		Proofs:   []identity.Proof{{Method: identity.Password, Category: identity.Knowledge, At: at}},
		AuthTime: at, CreatedAt: at, LastActiveAt: at,
		ExpiresAt: at.Add(30 * 24 * time.Hour), Idle: 7 * 24 * time.Hour,
	}
}

func age(d time.Duration) *time.Duration { return &d }

func TestASessionSatisfiesOnlyWhatItProvedFreshlyEnough(t *testing.T) {
	hourOld := proven(noon.Add(-time.Hour))
	ended := hourOld
	ended.EndedAt = noon
	for _, c := range []struct {
		why  string
		s    session.Session
		need session.Need
		want bool
	}{
		{"nothing special is asked", hourOld, session.Need{RequestedAt: noon}, true},
		{"a second category is asked, one was proven", hourOld, session.Need{Categories: identity.Both, RequestedAt: noon}, false},
		{"younger than max_age", hourOld, session.Need{MaxAge: age(2 * time.Hour), RequestedAt: noon}, true},
		{"older than max_age", hourOld, session.Need{MaxAge: age(time.Minute), RequestedAt: noon}, false},
		{"older than max_age, of a demand that has no time of its own", hourOld, session.Need{MaxAge: age(time.Minute)}, false},
		{"max_age=0 before the person proved again", hourOld, session.Need{MaxAge: age(0), RequestedAt: noon}, false},
		{"max_age=0 after the person proved again for this request", proven(noon), session.Need{MaxAge: age(0), RequestedAt: noon}, true},
		{"prompt=login with an older proof", hourOld, session.Need{Anew: true, RequestedAt: noon}, false},
		{"prompt=login after proving for this request", proven(noon), session.Need{Anew: true, RequestedAt: noon}, true},
		{"an ended session satisfies nothing", ended, session.Need{}, false},
	} {
		if got := c.s.Satisfies(c.need, noon); got != c.want {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
}

func TestASessionDiesOfAgeAndOfIdleness(t *testing.T) {
	s := proven(noon)
	if !s.Alive(noon.Add(6 * 24 * time.Hour)) {
		t.Error("dead within its idle time")
	}
	if s.Alive(noon.Add(8 * 24 * time.Hour)) {
		t.Error("alive after a week without use")
	}
	s.LastActiveAt = noon.Add(29 * 24 * time.Hour)
	if s.Alive(noon.Add(31 * 24 * time.Hour)) {
		t.Error("alive after its maximum, however active")
	}
}

func TestTheBrowserCookieIsOutOfReachOfScriptsAndOtherSites(t *testing.T) {
	w := httptest.NewRecorder()
	session.NewCookies(true, "443", "").Write(w, session.NewToken(), true)
	c := w.Result().Cookies()[0]
	if !strings.HasPrefix(c.Name, "__Host-") || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie is %+v", c)
	}
	if c.MaxAge <= 0 || c.MaxAge > 400*24*3600 {
		t.Errorf("remembered for %d s", c.MaxAge)
	}
	w = httptest.NewRecorder()
	session.NewCookies(true, "443", "").Write(w, session.NewToken(), false)
	if c := w.Result().Cookies()[0]; c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("a public computer's cookie outlives the window: %+v", c)
	}
}

func TestTwoCookiesOfTheNameMeanNoneIsTrusted(t *testing.T) {
	cookies := session.NewCookies(false, "8080", "")
	w := httptest.NewRecorder()
	cookies.Write(w, session.NewToken(), true)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(w.Result().Cookies()[0])
	if _, ok := cookies.Read(r); !ok {
		t.Fatal("one cookie is not read")
	}
	other := session.NewToken()
	r.AddCookie(&http.Cookie{Name: w.Result().Cookies()[0].Name, Value: string(other.ID) + "." + other.Secret.Reveal()})
	if _, ok := cookies.Read(r); ok {
		t.Error("a tossed cookie is trusted")
	}
}

func TestAMalformedCookieIsNoBrowser(t *testing.T) {
	cookies := session.NewCookies(false, "8080", "")
	for _, v := range []string{"", ".", "browser_x.y", strings.Repeat("a", 30) + "." + strings.Repeat("b", 43)} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", "idp_browser_8080="+v)
		if _, ok := cookies.Read(r); ok {
			t.Errorf("%q is read as a browser", v)
		}
	}
}

func TestAFormPostedByAnotherSiteDoesNotReplaceTheCookie(t *testing.T) {
	k := &session.Keeper{Cookies: session.NewCookies(true, "", "")}
	for site, want := range map[string]bool{"cross-site": false, "same-origin": true, "": true} {
		r := httptest.NewRequest(http.MethodPost, "/sign-in", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		rec := httptest.NewRecorder()
		if id := k.Offer(rec, r); id == "" || (rec.Header().Get("Set-Cookie") != "") != want {
			t.Errorf("posted from %q: cookie %q", site, rec.Header().Get("Set-Cookie"))
		}
	}
	rec := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/sign-in", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if k.Offer(rec, r); rec.Header().Get("Set-Cookie") == "" {
		t.Error("a link from elsewhere brings somebody new, who needs a cookie")
	}
}
