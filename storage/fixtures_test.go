package storage_test

import (
	"context"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
	"idp/storage"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 123456000, time.UTC)

// within bounds what could hang: a deadlock shows as a failed test, not as a stuck run.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind problem.Kind) {
	t.Helper()
	if !problem.Is(err, kind) {
		t.Fatalf("got %v, want a problem of kind %d", err, kind)
	}
}

// person saves somebody and returns them as stored.
func person(t *testing.T, db *storage.DB, name string) identity.User {
	t.Helper()
	u := identity.User{
		ID: identity.UserID(secret.NewID("user")), Status: identity.Active, CreatedAt: noon, UpdatedAt: noon,
		Profile: identity.Profile{Name: name},
	}
	must(t, storage.NewPeople(db).SaveUser(t.Context(), u))
	u.Version = 1
	return u
}

func holding(u identity.User, address string, verified bool) identity.Holding {
	h := identity.Holding{
		ID: identity.HoldingID(secret.NewID("addr")), UserID: u.ID, Source: "self", CreatedAt: noon,
		Identifier: identity.Identifier{Kind: identity.Email, Value: address},
	}
	if verified {
		h.VerifiedAt, h.VerifiedBy = noon, identity.EmailCode
	}
	return h
}

// present saves a session of the person and returns it.
func present(t *testing.T, db *storage.DB, u identity.User, b session.BrowserID) session.Session {
	t.Helper()
	s := session.Session{
		ID: session.ID(secret.NewID("sess")), Browser: b, User: u.ID,
		Proofs:   []identity.Proof{{Method: identity.Password, Category: identity.Knowledge, Credential: "factor_1", At: noon}},
		AuthTime: noon, CreatedAt: noon, LastActiveAt: noon, ExpiresAt: noon.Add(24 * time.Hour), Idle: time.Hour,
		UserAgent: "agent", Network: "192.0.2.1",
	}
	must(t, storage.NewSessions(db).SaveSession(t.Context(), s))
	return s
}
