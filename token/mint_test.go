package token_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idp/identity"
	"idp/internal/secret"
	"idp/session/sessiontest"
	"idp/storage/storagetest"
	"idp/token"
)

func TestASessionTokenSaysWhoIsThereForAMinute(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.clock.Add(30*time.Second + 700*time.Millisecond)
		g := m.ask(string(s.ID)+"/tokens", "{}", cookie, "App", "https://app.example.com")
		header, claims := g.token()
		now := m.clock.Now().Truncate(time.Second)
		if g.header.Get("Cache-Control") != "no-store" || len(g.header.Values("Set-Cookie")) != 0 || !g.from.Equal(now) || !g.to.Equal(now.Add(time.Minute)) {
			t.Errorf("from %s to %s, %v", g.from, g.to, g.header)
		}
		jti, _ := claims["jti"].(string)
		if len(jti) != 22 || header["alg"] != "ES256" || header["typ"] != "JWT" || header["kid"] == nil {
			t.Errorf("jti %q, header %v", jti, header)
		}
		unix := func(at time.Time) float64 { return float64(at.Unix()) }
		if diff := cmp.Diff(map[string]any{
			"iss": "https://id.example.com/base", "sub": "user_ann", "sid": string(s.ID), "azp": "https://app.example.com", "jti": jti,
			"iat": unix(now), "nbf": unix(now.Add(-10 * time.Second)), "exp": unix(now.Add(time.Minute)), "auth_time": unix(s.AuthTime),
			"amr": []any{"pwd"}, "acr": "aal1",
		}, claims); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		other, claims := m.ask(string(s.ID)+"/tokens", "", cookie).token()
		if claims["azp"] != "https://id.example.com" || claims["jti"] == jti || other["kid"] != header["kid"] {
			t.Errorf("the next one says %v", claims)
		}
		for _, body := range []string{`{"cookie":1}`, `{"lifetime":99999}`, `{"claims":{}}`, `[]`} {
			m.ask(string(s.ID)+"/tokens", body, cookie).refused(400, "json_unreadable")
		}
	})
}

func TestOnlyTheBrowserOfASessionGetsTokensForIt(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann, eve := m.person("ann"), m.person("eve")
		anns, annsCookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		eves, evesCookie := sessiontest.SignIn(t, m.keeper, eve.ID)
		id, _, _ := strings.Cut(annsCookie.Value, ".")
		guessed := &http.Cookie{Name: annsCookie.Name, Value: id + "." + secret.Token("").Reveal()}
		for name, c := range map[string]*http.Cookie{"eve's": evesCookie, "a guessed": guessed} {
			m.ask(string(anns.ID)+"/tokens", "{}", c).refused(404, "session_unknown")
			m.ask("session_nobodys/tokens", "{}", c).refused(404, "session_unknown")
			if got, err := m.keeper.Store.Session(t.Context(), anns.ID); err != nil || !got.Alive(m.clock.Now()) {
				t.Errorf("%s cookie ended ann's session", name)
			}
		}
		m.ask(string(anns.ID)+"/tokens", "{}", nil).refused(401, "not_signed_in")
		m.ask("session_nobodys/tokens", "{}", nil).refused(401, "not_signed_in")
		for _, x := range []string{string(eves.ID) + "%00", "%00", strings.Repeat("x", 5000), "session_'--"} {
			m.ask(x+"/tokens", "{}", evesCookie).refused(404, "session_unknown")
		}
		m.clock.Add(2 * time.Minute)
		must(t, m.keeper.End(t.Context(), anns, "test"))
		m.ask(string(anns.ID)+"/tokens", "{}", evesCookie).refused(404, "session_unknown") // not even whether it ended
		m.ask(string(anns.ID)+"/tokens", "{}", annsCookie).refused(401, "session_ended")
		m.ask(string(eves.ID)+"/tokens", "{}", evesCookie, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example").refused(403, "cross_site")
		m.ask(string(eves.ID)+"/tokens", "{}", evesCookie).token()
	})
}

func TestMintingCostsOneSelect(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		counter := &storagetest.Counter{}
		m := newMint(t, url, counter)
		ann := m.person("ann")
		m.template(token.Template{Name: "backend", Claims: []byte(`{"role":"member"}`)})
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		cost := func(path, why string, verbs map[string]int) {
			t.Helper()
			counter.Reset()
			m.ask(string(s.ID)+path, "{}", cookie).token()
			if diff := cmp.Diff(verbs, counter.Verbs()); diff != "" {
				t.Errorf("%s (-want +got):\n%s\n%s", why, diff, strings.Join(counter.Texts(), "\n"))
			}
		}
		for range 2 {
			cost("/tokens", "within the minute", map[string]int{"SELECT": 1})
			cost("/tokens/backend", "by a template", map[string]int{"SELECT": 1})
		}
		m.clock.Add(time.Minute)
		cost("/tokens", "after a minute", map[string]int{"SELECT": 1, "UPDATE": 1})
		cost("/tokens", "right after that", map[string]int{"SELECT": 1})
	})
}

func TestUsingASessionKeepsItAndNothingElseDoes(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID) // an hour without use, a day at most
		for range 47 {
			m.clock.Add(30 * time.Minute)
			m.ask(string(s.ID)+"/tokens", "{}", cookie).token()
		}
		kept, err := m.keeper.Store.Session(t.Context(), s.ID)
		must(t, err)
		if !kept.LastActiveAt.Equal(m.clock.Now()) || !kept.ExpiresAt.Equal(s.ExpiresAt) {
			t.Errorf("used %s, until %s", kept.LastActiveAt, kept.ExpiresAt)
		}
		m.clock.Add(30*time.Minute - time.Microsecond)
		m.ask(string(s.ID)+"/tokens", "{}", cookie).token()
		m.clock.Add(time.Microsecond) // a day
		m.ask(string(s.ID)+"/tokens", "{}", cookie).refused(401, "session_ended")

		idle, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.clock.Add(time.Hour)
		for range 2 { // asking does not wake it
			m.ask(string(idle.ID)+"/tokens", "{}", cookie).refused(401, "session_ended")
		}
		kept, err = m.keeper.Store.Session(t.Context(), idle.ID)
		must(t, err)
		if !kept.LastActiveAt.Equal(idle.LastActiveAt) {
			t.Errorf("a refused token moved the clock to %s", kept.LastActiveAt)
		}
	})
}

func TestABannedPersonGetsNoToken(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.ask(string(s.ID)+"/tokens", "{}", cookie).token()
		ann.Status = identity.Banned // and the session not ended, as where two things race
		must(t, m.people.SaveUser(t.Context(), ann))
		m.ask(string(s.ID)+"/tokens", "{}", cookie).refused(401, "session_ended")
	})
}
