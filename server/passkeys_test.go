package server_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestTheHostSaysAtItsRootWhoElseMayUseItsPasskeys(t *testing.T) {
	s := startAt(t, sqlite(t), "/auth", "IDP_PASSKEYS_ORIGINS=https://app.example.com,https://app.example.org")
	b := s.surfer()
	var said struct{ Origins []string }
	if err := json.Unmarshal([]byte(b.raw(http.MethodGet, "/.well-known/webauthn", "")), &said); err != nil || b.Status != http.StatusOK {
		t.Fatalf("status %d, %v", b.Status, err)
	}
	if !slices.Equal(said.Origins, []string{s.host, "https://app.example.com", "https://app.example.org"}) {
		t.Errorf("origins %q", said.Origins)
	}
	page := b.raw(http.MethodGet, "/auth/sign-in", "")
	if !strings.Contains(page, `data-href="/auth/frontend/v1/attempts"`) || !strings.Contains(page, `src="/auth/assets/passkey.`) {
		t.Errorf("the script does not find its way: %s", page)
	}
}

func TestAHostWhosePasskeysAreItsOwnSaysNothing(t *testing.T) {
	b := startAt(t, sqlite(t), "").surfer()
	if b.raw(http.MethodGet, "/.well-known/webauthn", ""); b.Status != http.StatusNotFound {
		t.Errorf("status %d", b.Status)
	}
}
