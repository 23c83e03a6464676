package server_test

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"idp/internal/config"
	"idp/server"
)

// withoutPasswords is a database whose instance signs people in by mail only.
func withoutPasswords(t *testing.T) (database, data string) {
	t.Helper()
	database, data = sqlite(t), filepath.Join(t.TempDir(), "data")
	cfg, _, err := config.Load(config.Source{Environ: []string{"IDP_ISSUER=http://localhost:1", "IDP_DATABASE_URL=" + database, "IDP_DATA_DIR=" + data}})
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := server.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	settings, version, err := rooms.Settings.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settings.SignIn.Password = false
	if err := rooms.Settings.Save(t.Context(), settings, version, "test"); err != nil {
		t.Fatal(err)
	}
	if err := rooms.Close(); err != nil {
		t.Fatal(err)
	}
	return database, data
}

func TestPasswordManagersFindThePageAtTheRootOfTheHost(t *testing.T) {
	for _, path := range []string{"", "/auth"} {
		s := startAt(t, sqlite(t), path)
		b := s.surfer()
		b.Get("/.well-known/change-password")
		if b.Status != http.StatusSeeOther || b.To != s.issuer+"/account/password" {
			t.Errorf("with the path %q: status %d to %q", path, b.Status, b.To)
		}
		// By this they tell whether the answer means anything.
		b.Get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200")
		if b.Status != http.StatusNotFound {
			t.Errorf("with the path %q: status %d for nothing", path, b.Status)
		}
		b.open(path + "/account/password")
		if b.Status != http.StatusOK || len(nodes(b.Page, "form")) == 0 {
			t.Errorf("with the path %q: the page answers %d", path, b.Status)
		}
	}
}

func TestWithoutPasswordsThereIsNoPlaceToChangeThem(t *testing.T) {
	database, data := withoutPasswords(t)
	for _, path := range []string{"", "/auth"} {
		b := startAt(t, database, path, "IDP_DATA_DIR="+data).surfer()
		if b.Get("/.well-known/change-password"); b.Status != http.StatusNotFound || b.To != "" {
			t.Errorf("with the path %q: status %d to %q", path, b.Status, b.To)
		}
	}
}
