package server_test

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/identity"
	"idp/internal/config"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/server"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
)

// process is one idp of several on a database.
type process struct {
	*server.Rooms
	site   *httptest.Server
	keeper *session.Keeper
}

const masterKey = "8vKq3ZxN0rTjW5mYcB1uHgL9aXeSdO4iPfR7tUwVnQk="

// resealed makes the database of a test one that a configured master key opens.
func resealed(t *testing.T, url string) {
	t.Helper()
	db := storagetest.OpenURL(t, url, nil)
	for name, pool := range db.Pools() {
		if name == "sqlite_reader" {
			continue
		}
		if _, err := pool.ExecContext(t.Context(), "DELETE FROM canary"); err != nil {
			t.Fatal(err)
		}
	}
}

const oneIssuer = "http://localhost:8080"

func newProcess(t *testing.T, url string, clock *storagetest.Clock, more ...string) *process {
	t.Helper()
	cfg, _, err := config.Load(config.Source{Environ: append([]string{
		"IDP_ISSUER=" + oneIssuer, "IDP_DATABASE_URL=" + url, "IDP_DATA_DIR=" + filepath.Join(t.TempDir(), "data"),
		"IDP_MASTER_KEY=" + masterKey,
	}, more...)})
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := server.OpenAt(t.Context(), cfg, slog.New(slog.DiscardHandler), clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(rooms)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Rooms: rooms, site: httptest.NewServer(s.Handler)}
	p.keeper = &session.Keeper{
		Store: rooms.Sessions, Events: rooms.Events, Cookies: session.NewCookies(false, "8080", ""), Settings: session.DefaultSettings,
		InTx: rooms.DB.InTx, Now: clock.Now, Network: web.Network,
	}
	t.Cleanup(func() {
		p.site.Close()
		if err := rooms.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// call sends a script's request and returns the status and what the problem is called.
func (p *process) call(t *testing.T, method, path string, cookie *http.Cookie) (status int, code, jwt string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.site.URL+path, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", oneIssuer)
	r.AddCookie(cookie)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	var out struct{ Code, JWT string }
	if err = errors.Join(err, json.Unmarshal(text, &out)); err != nil {
		t.Fatalf("%d %s: %v", res.StatusCode, text, err)
	}
	return res.StatusCode, out.Code, out.JWT
}

func TestWhoeverEndsASessionTheNextTokenIsRefusedInEveryProcess(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		resealed(t, url)
		clock := storagetest.NewClock()
		one, two := newProcess(t, url, clock), newProcess(t, url, clock)
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		elsewhere := func(u identity.User, method, path, body string) { // the same person at another browser
			t.Helper()
			_, cookie := sessiontest.SignIn(t, one.keeper, u.ID)
			r := httptest.NewRequestWithContext(ctx, method, oneIssuer+path, strings.NewReader(body))
			r.Header.Set("Origin", oneIssuer)
			r.Header.Set("Content-Type", "application/json")
			r.AddCookie(cookie)
			w := httptest.NewRecorder()
			one.site.Config.Handler.ServeHTTP(w, r)
			if w.Code != http.StatusNoContent {
				t.Fatal(w.Code, w.Body)
			}
		}
		for _, end := range []struct {
			why string
			do  func(u identity.User, s session.Session, c *http.Cookie)
			// what the other process says then
			status int
			code   string
		}{
			{"signed out", func(_ identity.User, s session.Session, c *http.Cookie) {
				if status, _, _ := one.call(t, "DELETE", "/frontend/v1/sessions/"+string(s.ID), c); status != 200 {
					t.Fatal(status)
				}
			}, 401, "session_ended"},
			{"signed out from another browser", func(u identity.User, s session.Session, _ *http.Cookie) {
				elsewhere(u, "DELETE", "/frontend/v1/me/sessions/"+string(s.ID), "")
			}, 401, "session_ended"},
			{"the password set on another browser", func(u identity.User, _ session.Session, _ *http.Cookie) {
				elsewhere(u, "POST", "/frontend/v1/me/password", `{"password":"quiet harbour lantern 9"}`)
			}, 401, "session_ended"},
			{"banned", func(u identity.User, _ session.Session, _ *http.Cookie) { must(one.Users.Ban(ctx, u.ID, admin.CLI)) }, 401, "session_ended"},
			{"banned and let in again", func(u identity.User, _ session.Session, _ *http.Cookie) {
				must(one.Users.Ban(ctx, u.ID, admin.CLI))
				must(one.Users.Unban(ctx, u.ID, admin.CLI))
			}, 401, "session_ended"},
			{"deleted", func(u identity.User, _ session.Session, _ *http.Cookie) {
				must(one.Users.Delete(ctx, u.ID, admin.CLI))
			}, 404, "session_unknown"},
			{"the factors reset", func(u identity.User, _ session.Session, _ *http.Cookie) {
				must(storage.NewPeople(one.DB).SaveFactor(ctx, identity.Factor{ID: "factor_1", UserID: u.ID, Method: identity.TOTP, Secret: secret.NewString("x"), CreatedAt: clock.Now()}))
				must(one.Users.ResetFactors(ctx, u.ID, admin.CLI))
			}, 401, "session_ended"},
			{"unused for its idle time", func(_ identity.User, s session.Session, _ *http.Cookie) { clock.Set(s.LastActiveAt.Add(s.Idle)) }, 401, "session_ended"},
			{"as old as it may be", func(_ identity.User, s session.Session, _ *http.Cookie) {
				s.Idle = 48 * time.Hour
				must(one.Sessions.SaveSession(ctx, s))
				clock.Set(s.ExpiresAt)
			}, 401, "session_ended"},
		} {
			u, err := one.Users.Create(ctx, admin.NewUser{Email: strings.ReplaceAll(end.why, " ", "-") + "@example.com", Verified: true}, admin.CLI)
			must(err)
			s, cookie := sessiontest.SignIn(t, one.keeper, u.ID)
			path := "/frontend/v1/sessions/" + string(s.ID) + "/tokens"
			for _, p := range []*process{one, two} {
				if status, code, jwt := p.call(t, "POST", path, cookie); status != 200 || jwt == "" {
					t.Fatalf("%s: before, a token is answered with %d %s", end.why, status, code)
				}
			}
			end.do(u, s, cookie)
			for _, p := range []*process{one, two} {
				for _, to := range []string{path, path + "/session"} {
					if status, code, jwt := p.call(t, "POST", to, cookie); status != end.status || code != end.code || jwt != "" {
						t.Errorf("%s: then a token is answered with %d %q", end.why, status, code)
					}
				}
			}
		}
	})
}
