package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"idp/internal/web/webtest"
)

// robot sends JSON, each time from where it says it is.
type robot struct {
	*site
	*http.Client
}

func (s *site) robot() *robot { return &robot{s, webtest.New(s.T, s.host).Client} }

func (r *robot) post(path, body, from string) (status int, retry string, id string) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.host+"/frontend/v1/attempts"+path, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if from != "" {
		req.Header.Set("X-Forwarded-For", from)
	}
	res, err := r.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(text, &v); err != nil {
		r.Fatalf("%s was answered %d %s", path, res.StatusCode, text)
	}
	return res.StatusCode, res.Header.Get("Retry-After"), v.ID
}

func TestWhatANetworkMayDoIsNotMoreForWhoPretendsToBeElsewhere(t *testing.T) {
	same := func(int) string { return "203.0.113.7" }
	for _, tt := range []struct {
		why     string
		proxies string
		from    func(n int) string
		limited bool
	}{
		{"no proxy is trusted", "", func(n int) string { return fmt.Sprintf("203.0.113.%d", n) }, true},
		{"no proxy is trusted, and many are named", "", func(n int) string { return fmt.Sprintf("203.0.113.%d, 127.0.0.1", n) }, true},
		{"another proxy is trusted", "192.0.2.1", func(n int) string { return fmt.Sprintf("203.0.113.%d", n) }, true},
		{"what came to the proxy already", "127.0.0.1", func(n int) string { return fmt.Sprintf("198.51.100.%d, %s", n, same(n)) }, true},
		{"the addresses of one IPv6 customer", "127.0.0.1", func(n int) string { return fmt.Sprintf("2001:db8:1:2::%x", n+1) }, true},
		{"IPv6 customers", "127.0.0.1", func(n int) string { return fmt.Sprintf("2001:db8:1:%x::1", n+1) }, false},
		{"callers behind a trusted proxy", "127.0.0.1", func(n int) string { return fmt.Sprintf("203.0.113.%d", n) }, false},
	} {
		t.Run(tt.why, func(t *testing.T) {
			more := []string{"IDP_LIMITS_NETWORK_ATTEMPTS=3"}
			if tt.proxies != "" {
				more = append(more, "IDP_TRUSTED_PROXIES="+tt.proxies)
			}
			s := startAt(t, "sqlite:"+filepath.Join(t.TempDir(), "idp.db"), "", more...)
			for n := range 6 {
				status, retry, _ := s.robot().post("", `{"goal":"sign_in"}`, tt.from(n))
				want := http.StatusCreated
				if tt.limited && n >= 3 {
					want = http.StatusTooManyRequests
				}
				if status != want || want == http.StatusTooManyRequests && !waits(retry) {
					t.Errorf("number %d was answered %d, Retry-After %q", n, status, retry)
				}
			}
		})
	}
}

func waits(retry string) bool {
	n, err := strconv.Atoi(retry)
	return err == nil && n > 0
}

func TestWhoIsToldToWaitIsToldHowLong(t *testing.T) {
	start := func(t *testing.T, more ...string) *site {
		t.Helper()
		return startAt(t, "sqlite:"+filepath.Join(t.TempDir(), "idp.db"), "", append([]string{
			"IDP_ENVIRONMENT=development", "IDP_BOT_CHECK_WRONG_PASSWORDS=1000", "IDP_BOT_CHECK_NETWORK_FAILURES=1000", "IDP_BOT_CHECK_NETWORK_MESSAGES=1000",
		}, more...)...)
	}
	for _, tt := range []struct {
		why, limit, move, press string
		method, answer          string
	}{
		{"wrong passwords", "IDP_LIMITS_NETWORK_FAILURES=1", "prove", "", "password", "a wrong password"},
		{"mailed codes of a network", "IDP_LIMITS_NETWORK_MESSAGES=1", "prepare", "code", "email_code", ""},
	} {
		t.Run(tt.why, func(t *testing.T) {
			s := start(t, tt.limit)
			last := 0
			for n := range 3 { // by JSON
				r := s.robot()
				_, _, id := r.post("", `{"goal":"sign_in"}`, "")
				r.post("/"+id+"/identify", fmt.Sprintf(`{"identifier":"ann%d@example.com"}`, n), "")
				body, _ := json.Marshal(map[string]string{"method": tt.method, "answer": tt.answer})
				if tt.answer == "" {
					body = []byte(`{"method":"` + tt.method + `"}`)
				}
				status, retry, _ := r.post("/"+id+"/"+tt.move, string(body), "")
				if last = status; status == http.StatusTooManyRequests && !waits(retry) {
					t.Errorf("JSON: Retry-After %q", retry)
				}
			}
			if last != http.StatusTooManyRequests {
				t.Errorf("JSON: the last one was answered %d", last)
			}
			b := webtest.New(t, s.host)
			b.Get("/sign-in").Post("/sign-in", "identifier", "bob@example.com", "password", tt.answer, "do", tt.press)
			if b.Status != http.StatusTooManyRequests || !waits(b.Header.Get("Retry-After")) {
				t.Errorf("page: %d, Retry-After %q", b.Status, b.Header.Get("Retry-After"))
			}
		})
	}
	t.Run("unfinished sign-ins", func(t *testing.T) {
		s := start(t, "IDP_LIMITS_NETWORK_ATTEMPTS=1")
		s.robot().post("", `{"goal":"sign_in"}`, "")
		b := webtest.New(t, s.host)
		b.Get("/sign-in")
		if b.Status == http.StatusOK {
			b.Post("/sign-in", "identifier", "bob@example.com")
		}
		if b.Status != http.StatusTooManyRequests || !waits(b.Header.Get("Retry-After")) {
			t.Errorf("page: %d, Retry-After %q", b.Status, b.Header.Get("Retry-After"))
		}
	})
}
