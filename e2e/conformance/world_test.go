package conformance

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/admin"
	"idp/internal/config"
	"idp/server"
	"idp/storage/storagetest"
)

// world is one idp on one engine, with the relying parties' site beside it.
type world struct {
	engine string
	issuer string
	clock  *storagetest.Clock
	rooms  *server.Rooms
	site   *site
	http   *http.Client // trusts the authority, follows nothing
	meta   map[string]any

	// turn lets a module that moves the clock be alone: others hold it for reading.
	turn sync.RWMutex

	keys     keyCache
	signedIn []*http.Cookie // of a browser on which the person is signed in, for modules that leave the session alone
}

// The person of all modules. Every claim that a scope can give is on file.
const (
	address  = "jane@example.com"
	password = "correct horse battery staple 7"
)

// eachEngine runs f on SQLite, and on PostgreSQL where there is one.
func eachEngine(t *testing.T, f func(t *testing.T, w *world)) {
	t.Run("sqlite", func(t *testing.T) { f(t, open(t, "sqlite", "sqlite:"+filepath.Join(t.TempDir(), "idp.db"))) })
	if os.Getenv(storagetest.Env) != "" {
		t.Run("postgres", func(t *testing.T) { f(t, open(t, "postgres", storagetest.EmptyPostgres(t))) })
	}
}

func open(t *testing.T, engine, database string) *world {
	t.Helper()
	port := freePort(t)
	w := &world{engine: engine, issuer: fmt.Sprintf("https://localhost:%d", port), clock: storagetest.NewClock()}
	w.clock.Set(time.Now().Truncate(time.Second)) // certificates and cookies are judged by the machine's clock
	cfg, warnings, err := config.Load(config.Source{File: "suite/idp.yaml", Environ: []string{
		fmt.Sprintf("IDP_LISTEN=127.0.0.1:%d", port), "IDP_ISSUER=" + w.issuer,
		"IDP_DATA_DIR=" + t.TempDir(), "IDP_DATABASE_URL=" + database, "IDP_LIMITS_NETWORK_ATTEMPTS=100000",
		"IDP_TLS_CERTIFICATE_FILE=" + authority.certFile, "IDP_TLS_KEY_FILE=" + authority.keyFile,
	}})
	must(t, err)
	if len(warnings) > 0 {
		t.Fatalf("configuration: %s", warnings)
	}
	must(t, cfg.Validate())
	said := &said{}
	log := slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.rooms, err = server.OpenAt(t.Context(), cfg, log, w.clock.Now)
	must(t, err)
	s, err := server.New(w.rooms)
	must(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, io.Discard) }()
	t.Cleanup(func() {
		w.http.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		must(t, w.rooms.Close())
		if t.Failed() {
			t.Logf("idp said:\n%s", said.tail(6000))
		}
	})
	w.http = newClient()
	w.awaitReady(t, done)
	w.site = newSite(t)
	w.meta = w.discover(t)
	w.person(t)
	b := w.newBrowser(t)
	b.open(w.issuer + "/sign-in")
	b.signIn()
	issuer, _ := url.Parse(w.issuer)
	w.signedIn = b.jar.Cookies(issuer)
	return w
}

// newClient speaks TLS as a relying party's library would, and follows no redirect.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       60 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.pool, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// freePort is below the range that connections take theirs from, and apart from where the package above looks: both are
// tested at the same time.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 16000 + rand.IntN(4000)
		if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free between 16000 and 20000")
	return 0
}

func (w *world) awaitReady(t *testing.T, done <-chan error) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.issuer+"/readyz", nil)
		must(t, err)
		if res, err := w.http.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				tick.Stop()
				return
			}
		}
		select {
		case err := <-done:
			t.Fatalf("idp ended at start: %v", err)
		case <-deadline:
			t.Fatal("idp is not ready after two minutes")
		default:
		}
	}
}

// discover reads the provider's metadata, as the suite does before every module.
func (w *world) discover(t *testing.T) map[string]any {
	t.Helper()
	res := w.send(t, http.MethodGet, w.issuer+"/.well-known/openid-configuration", nil, nil)
	if res.status != http.StatusOK {
		t.Fatalf("discovery: %d", res.status)
	}
	return res.object(t)
}

// endpoint is an address out of the metadata.
func (w *world) endpoint(t *testing.T, name string) string {
	t.Helper()
	at, _ := w.meta[name].(string)
	if at == "" {
		t.Fatalf("the metadata has no %s", name)
	}
	return at
}

// lists reports whether the metadata's list has a value.
func (w *world) lists(name, value string) bool {
	all, _ := w.meta[name].([]any)
	for _, v := range all {
		if v == value {
			return true
		}
	}
	return false
}

// reply is an HTTP answer to a relying party.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) object(t *testing.T) map[string]any {
	t.Helper()
	if kind := r.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Fatalf("%d with the media type %q, not JSON: %.300s", r.status, kind, r.body)
	}
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("%d with %.300s: %v", r.status, r.body, err)
	}
	return v
}

// send makes a relying party's request: body may be nil, url.Values or anything for JSON.
func (w *world) send(t *testing.T, method, to string, header http.Header, body any) reply {
	t.Helper()
	var payload io.Reader
	kind := ""
	switch b := body.(type) {
	case nil:
	case url.Values:
		payload, kind = strings.NewReader(b.Encode()), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(b)
		must(t, err)
		payload, kind = strings.NewReader(string(text)), "application/json"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, to, payload)
	must(t, err)
	for k, v := range header {
		req.Header[k] = v
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := w.http.Do(req)
	must(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	must(t, err)
	return reply{res.StatusCode, res.Header, text}
}

// person puts Jane on file, from the line that is for the suite as well.
func (w *world) person(t *testing.T) {
	t.Helper()
	line, err := os.Open("suite/person.jsonl")
	must(t, err)
	defer func() { _ = line.Close() }()
	tally, err := w.rooms.Users.Import(t.Context(), line, admin.System, func(e admin.LineError) { t.Fatalf("person: %+v", e) })
	must(t, err)
	if tally.Imported != 1 {
		t.Fatalf("imported %d people", tally.Imported)
	}
}

// said keeps what idp logs.
type said struct {
	mu  sync.Mutex
	all strings.Builder
}

// Write implements io.Writer.
func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(b)
}

func (s *said) tail(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all.String()
	return all[max(0, len(all)-n):]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
