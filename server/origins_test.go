package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"idp/admin"
	"idp/login"
	"idp/server"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
)

const (
	liveIssuer = "https://id.example.com"
	offList    = "https://app.example.com"
	onList     = "https://shop.example.com"
)

// live is a process in production, which some origins may use.
func live(t *testing.T, database string, clock *storagetest.Clock, origins string) *process {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory
		t.Fatal(err)
	}
	p := newProcess(t, database, clock, "IDP_ENVIRONMENT=production", "IDP_ISSUER="+liveIssuer, "IDP_TRUSTED_PROXIES=127.0.0.1/32", "IDP_SMTP_URL=smtp://127.0.0.1:1",
		"IDP_MAIL_FROM=a@example.com", "IDP_BREACHED_PASSWORDS_CHECK=off", "IDP_DATA_DIR="+dir, "IDP_ORIGINS="+origins)
	p.keeper.Cookies = session.NewCookies(true, "", "")
	return p
}

// from sends what a script on a page of that origin asks for, with the cookie of its browser.
func (p *process) from(ctx context.Context, origin, method, path, body string, cookie *http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, liveIssuer+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "same-site")
	if method == http.MethodOptions {
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
	} else {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	p.site.Config.Handler.ServeHTTP(w, r)
	return w
}

func TestAnOriginThatIsTakenOffTheListGetsNoAnswerFromThatMomentOn(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, database string) {
		resealed(t, database)
		clock := storagetest.NewClock()
		if file, ok := strings.CutPrefix(database, "sqlite:"); ok {
			if err := os.Chmod(filepath.Dir(file), 0o700); err != nil { //nolint:gosec // a directory
				t.Fatal(err)
			}
		}
		before, after := live(t, database, clock, offList+","+onList), live(t, database, clock, onList)
		ctx := t.Context()
		u, err := before.Users.Create(ctx, admin.NewUser{Email: "ann@example.com", Verified: true}, admin.CLI)
		if err != nil {
			t.Fatal(err)
		}
		s, cookie := sessiontest.SignIn(t, before.keeper, u.ID)
		began := before.from(ctx, offList, "POST", "/frontend/v1/attempts", `{"goal":"sign_in","return_to":"`+offList+`/cart"}`, cookie)
		var attempt struct{ ID login.AttemptID }
		if err := json.Unmarshal(began.Body.Bytes(), &attempt); err != nil || began.Code != http.StatusCreated {
			t.Fatalf("%d %s %v", began.Code, began.Body, err)
		}
		place := regexp.MustCompile(`\{[a-z]+\}`)
		names := map[string]string{"{attempt}": string(attempt.ID), "{session}": string(s.ID), "{template}": "session"}
		for _, o := range server.Contract() {
			method, path, _ := strings.Cut(o.Pattern, " ")
			if strings.HasSuffix(path, "/browsers") {
				continue // of development
			}
			path = place.ReplaceAllStringFunc(path, func(name string) string {
				if known, ok := names[name]; ok {
					return known
				}
				return "x"
			})
			if w := before.from(ctx, offList, "OPTIONS", path, "", cookie); w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != offList {
				t.Errorf("while it is on the list: OPTIONS %s: %d %v", path, w.Code, w.Header())
			}
			for _, how := range []string{method, "OPTIONS"} { // a browser may still remember the preflight, and do without
				w := after.from(ctx, offList, how, path, "{}", cookie)
				var p struct{ Code string }
				_ = json.Unmarshal(w.Body.Bytes(), &p)
				if w.Code != http.StatusForbidden || p.Code != "cross_site" || w.Header().Get("Set-Cookie") != "" || w.Header().Get("Vary") != "Origin" || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s %s: %d %s %v", how, path, w.Code, w.Body, w.Header())
				}
				for name := range w.Header() {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("%s %s: %s is %q", how, path, name, w.Header().Get(name))
					}
				}
			}
		}

		kept, err := after.Sessions.Session(ctx, s.ID)
		if err != nil || !kept.Alive(clock.Now()) {
			t.Errorf("its requests ended the session: %v %v", kept, err)
		}
		if p, err := after.Users.Find(ctx, string(u.ID)); err != nil || !p.User.MayEnter() {
			t.Errorf("its requests changed the person: %v %v", p, err)
		}
		if a, err := storage.NewLogin(after.DB).Attempt(ctx, attempt.ID); err != nil || a.Identifier.Value != "" || !a.AbandonedAt.IsZero() {
			t.Errorf("its requests moved the attempt: %v %v", a, err)
		}
		for p, want := range map[*process]bool{before: true, after: false} {
			if page := p.from(ctx, liveIssuer, "GET", "/sign-in/"+string(attempt.ID), "", cookie); page.Code != http.StatusOK || strings.Contains(page.Body.String(), "app.example.com") != want {
				t.Errorf("the attempt leads back to it: %v, want %v\n%d %s", !want, want, page.Code, page.Body)
			}
		}
		if w := after.from(ctx, onList, "POST", "/frontend/v1/sessions/"+string(s.ID)+"/tokens", "{}", cookie); w.Code != http.StatusOK || w.Header().Get("Access-Control-Allow-Origin") != onList {
			t.Errorf("one that stays on the list: %d %s", w.Code, w.Body)
		}
	})
}
