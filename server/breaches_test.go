package server_test

import (
	"crypto/sha1"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idp/internal/config"
	"idp/internal/web/webtest"
	"idp/server"
)

func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func TestAnOperatorsListOfBreachedPasswordsIsAskedAndCounted(t *testing.T) {
	list := filepath.Join(t.TempDir(), "pwned.txt")
	line := fmt.Sprintf("%X:12\n", sha1.Sum([]byte("leaked meadow trombone")))
	if err := os.WriteFile(list, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	metrics := freePort(t)
	s := startAt(t, "sqlite:"+filepath.Join(t.TempDir(), "idp.db"), "", "IDP_BREACHED_PASSWORDS_CHECK=file", "IDP_BREACHED_PASSWORDS_FILE="+list, "IDP_METRICS_LISTEN="+metrics)
	b := webtest.New(t, s.host)
	b.Get("/sign-up")
	b.Post("/sign-up", "email", "ann@example.com", "name", "Ann", "password", "leaked meadow trombone")
	b.Want(422, `data-error="password_breached"`)
	b.Post("/sign-up", "email", "ann@example.com", "name", "Ann", "password", "quiet harbour lantern")
	b.Want(303)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+metrics+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil || res.Body.Close() != nil {
		t.Fatal(err)
	}
	for answer, n := range map[string]int{"breached": 1, "fine": 1, "unknown": 0} {
		if want := fmt.Sprintf("idp_breached_password_checks_total{answer=%q} %d\n", answer, n); !strings.Contains(string(text), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestAListThatCannotBeSearchedStopsTheStartWithTheReason(t *testing.T) {
	list := filepath.Join(t.TempDir(), "pwned.txt")
	if err := os.WriteFile(list, []byte("password123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, _, err := config.Load(config.Source{Environ: []string{
		"IDP_DATA_DIR=" + filepath.Join(t.TempDir(), "data"), "IDP_BREACHED_PASSWORDS_CHECK=file", "IDP_BREACHED_PASSWORDS_FILE=" + list,
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "breached_passwords.file") || !strings.Contains(err.Error(), "HASH:COUNT") {
		t.Fatalf("%v", err)
	}
}
