package breach_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/internal/breach"
	"idp/internal/outbound"
	"idp/internal/secret"
)

// service is a range API on this machine that knows some passwords.
type service struct {
	*httptest.Server
	known  []string
	sick   atomic.Pointer[http.HandlerFunc] // answers instead
	asked  atomic.Int64
	paths  sync.Map
	now    atomic.Int64
	logged strings.Builder
}

const padding = "00000000000000000000000000000000000:0\r\n"

func serve(t *testing.T, known ...string) *service {
	s := &service{known: known}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.paths.Store(r.URL.Path, true)
		if sick := s.sick.Load(); sick != nil {
			(*sick)(w, r)
			return
		}
		if r.Header.Get("Add-Padding") != "true" || r.UserAgent() != "idp" {
			http.Error(w, "say what you want and who you are", http.StatusBadRequest)
			return
		}
		prefix := strings.TrimPrefix(r.URL.Path, "/range/")
		_, _ = io.WriteString(w, padding)
		for _, p := range s.known {
			if rest, ok := strings.CutPrefix(sha(p), prefix); ok {
				_, _ = fmt.Fprintf(w, "%s:42\r\n", rest)
			}
		}
		_, _ = fmt.Fprintf(w, "%s:0\r\n", sha("only padding")[5:])
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) list(wait time.Duration) *breach.List {
	return breach.Online(breach.Service{
		URL: s.URL + "/range", Outbound: outbound.New(outbound.Options{Loopback: true}),
		Log: slog.New(slog.NewTextHandler(&s.logged, nil)), Now: func() time.Time { return time.Unix(s.now.Load(), 0) }, Timeout: wait,
	})
}

func (s *service) fall(sick http.HandlerFunc) { s.sick.Store(&sick) }

func wantUnknown(t *testing.T, l *breach.List, password string) {
	t.Helper()
	if known, err := l.Breached(t.Context(), secret.NewString(password)); err == nil || known {
		t.Errorf("%q: %v, %v, want nobody to know", password, known, err)
	}
}

func TestTheServiceIsToldFiveDigitsAndPaddingIsNoBreach(t *testing.T) {
	s := serve(t, "password123")
	l := s.list(time.Minute)
	wantKnown(t, l, "password123", true)
	wantKnown(t, l, "only padding", false) // its rest is in the answer, seen zero times
	wantKnown(t, l, "quiet harbour lantern", false)
	s.paths.Range(func(path, _ any) bool {
		if len(path.(string)) != len("/range/12345") { //nolint:forcetypeassert // stored above
			t.Errorf("the service was asked for %s", path)
		}
		return true
	})
}

func TestAnAnswerIsRememberedForAShortWhile(t *testing.T) {
	s := serve(t, "password123")
	l := s.list(time.Minute)
	for range 3 {
		wantKnown(t, l, "password123", true)
	}
	if n := s.asked.Load(); n != 1 {
		t.Fatalf("asked %d times", n)
	}
	s.known = nil
	s.now.Add(int64((10 * time.Minute).Seconds()))
	wantKnown(t, l, "password123", false)
	for i := range 300 { // more than are kept
		wantKnown(t, l, fmt.Sprint("filler ", i), false)
	}
	asked := s.asked.Load()
	wantKnown(t, l, "filler 299", false)
	if s.asked.Load() != asked {
		t.Error("the newest answer was forgotten")
	}
}

func TestWhateverIsNoRangeIsNoAnswer(t *testing.T) {
	for why, sick := range map[string]http.HandlerFunc{
		"an error":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"a redirect":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"a login page": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Welcome to our Wi-Fi") },
		"nothing":      func(http.ResponseWriter, *http.Request) {},
		"whole hashes": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, sha("password123")+":3\r\n") },
		"without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(padding, 10_000))
		},
		"silence, long": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		s := serve(t, "password123")
		s.fall(sick)
		l := s.list(100 * time.Millisecond)
		wantUnknown(t, l, "password123")
		if _, _, unknown := l.Counts(); unknown != 1 {
			t.Errorf("%s: %d unknown", why, unknown)
		}
	}
}

func TestAServiceThatIsAwayIsLeftAloneForAWhile(t *testing.T) {
	s := serve(t, "password123")
	s.fall(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	l := s.list(time.Minute)
	for range 20 {
		wantUnknown(t, l, "password123")
	}
	if n := s.asked.Load(); n != 3 {
		t.Errorf("asked %d times, want three", n)
	}
	if n := strings.Count(s.logged.String(), "cannot be looked up"); n != 1 {
		t.Errorf("the log says so %d times", n)
	}
	s.sick.Store(nil)
	wantUnknown(t, l, "password123")
	s.now.Add(30)
	wantKnown(t, l, "password123", true)
}

func TestWhoeverLeavesWhileWaitingDoesNotCountAgainstTheService(t *testing.T) {
	s := serve(t, "password123")
	l := s.list(time.Minute)
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 10 {
		if _, err := l.Breached(gone, secret.NewString("password123")); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	wantKnown(t, l, "password123", true)
}
