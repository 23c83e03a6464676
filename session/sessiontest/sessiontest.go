// Package sessiontest signs people in without the engine, for tests of what comes after.
package sessiontest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/session"
)

// SignIn makes a session of that person on the browser with these cookies, or on a new one,
// and returns it with the cookie to send. It is the session in use.
func SignIn(t testing.TB, k *session.Keeper, user identity.UserID, cookies ...*http.Cookie) (session.Session, *http.Cookie) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b, err := k.Ensure(w, r)
	if err != nil {
		t.Fatal(err)
	}
	now := k.Now()
	s := session.Session{
		ID: session.ID(secret.NewID("session")), Browser: b.ID, User: user, AuthTime: now, CreatedAt: now, LastActiveAt: now,
		ExpiresAt: now.Add(24 * time.Hour), Idle: time.Hour, UserAgent: r.UserAgent(), Network: "203.0.113.7",
		Proofs: []identity.Proof{{Method: identity.Password, Category: identity.Knowledge, Credential: "factor_" + string(user), At: now}},
	}
	if err := k.Store.SaveSession(r.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := k.Switch(r.Context(), b, s.ID); err != nil {
		t.Fatal(err)
	}
	if made := w.Result().Cookies(); len(made) == 1 {
		return s, made[0]
	}
	return s, cookies[0]
}
