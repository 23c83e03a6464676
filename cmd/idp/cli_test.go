package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shell runs commands on a data directory of the test's own.
type shell struct {
	t   *testing.T
	env []string
}

func newShell(t *testing.T, env ...string) *shell {
	t.Helper()
	return &shell{t, append([]string{"IDP_DATA_DIR=" + filepath.Join(t.TempDir(), "data")}, env...)}
}

type result struct {
	code     int
	out, err string
}

func (s *shell) with(in string, args ...string) result {
	s.t.Helper()
	var out, stderr bytes.Buffer
	code := run(s.t.Context(), terminal{in: strings.NewReader(in), out: &out, err: &stderr, environ: s.env}, args)
	return result{code, out.String(), stderr.String()}
}

func (s *shell) do(args ...string) result {
	s.t.Helper()
	return s.with("", args...)
}

// must runs a command that has to succeed and reads its JSON into v, if v is given.
func (s *shell) must(v any, args ...string) {
	s.t.Helper()
	r := s.do(args...)
	if r.code != 0 {
		s.t.Fatalf("idp %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(r.out), v); err != nil {
			s.t.Fatalf("idp %s: %v\n%s", strings.Join(args, " "), err, r.out)
		}
	}
}

func TestPeopleAreMadeFoundBannedAndImported(t *testing.T) {
	s := newShell(t)
	r := s.with("correct horse battery\n", "user", "create", "--email", "ann@example.com", "--password-stdin", "--verified", "--json")
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(r.out), &made); err != nil || r.code != 0 || r.err != "" {
		t.Fatalf("%+v", r)
	}
	if r := s.with("correct horse battery", "user", "create", "--email", "ann@example.com", "--password-stdin"); r.code != 1 || !strings.Contains(r.err, "Somebody has that email address already") {
		t.Errorf("a second time: %+v", r)
	}
	if r := s.with("short", "user", "create", "--email", "bob@example.com", "--password-stdin"); r.code != 1 || !strings.Contains(r.err, "Use at least 8 characters") {
		t.Errorf("a short password: %+v", r)
	}
	if r := s.do("user", "create", "--email", "bob@example.com"); r.code != 0 || !strings.Contains(r.err, "not verified") {
		t.Errorf("unverified: %+v", r)
	}
	file := filepath.Join(t.TempDir(), "people.jsonl")
	text := `{"email":"eve@example.com","email_verified":true,"password_hash":"$2b$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi"}` + "\n{\"email\":\"nobody\"}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r = s.do("user", "import", file, "--json")
	if r.code != 1 || !strings.Contains(r.out, `"imported": 1`) || !strings.Contains(r.err, "line 2: ") || strings.Contains(r.err, "panic") {
		t.Errorf("import: %+v", r)
	}
	s.must(nil, "user", "ban", "ann@example.com")
	var people []struct {
		ID, Status string
		Emails     []struct {
			Address  string
			Verified bool
		}
	}
	s.must(&people, "user", "list", "--search", "ann@", "--json")
	if len(people) != 1 || people[0].ID != made.ID || people[0].Status != "banned" || !people[0].Emails[0].Verified {
		t.Fatalf("%+v", people)
	}
	s.must(nil, "user", "unban", made.ID)
	s.must(&people, "user", "list", "--json")
	if len(people) != 3 || people[2].Status != "active" {
		t.Fatalf("%+v", people)
	}
	for args, want := range map[string]int{"--active-since 30d": 0, "--inactive-since 0s": 3, "--inactive-since 2020-01-31": 0, "--sort active --limit 2": 2} {
		if s.must(&people, append([]string{"user", "list", "--json"}, strings.Fields(args)...)...); len(people) != want {
			t.Errorf("%s found %d, want %d", args, len(people), want)
		}
	}
	for _, args := range []string{"--active-since yesterday", "--inactive-since -1h", "--sort name"} {
		if r := s.do(append([]string{"user", "list"}, strings.Fields(args)...)...); r.code == 0 {
			t.Errorf("%s went through", args)
		}
	}
	if r := s.do("user", "show", made.ID); !strings.Contains(r.out, "last active") || !strings.Contains(r.out, "never") {
		t.Errorf("%+v", r)
	}
	if r := s.do("user", "ban", "stranger@example.com"); r.code != 1 || !strings.Contains(r.err, "There is nobody with that") {
		t.Errorf("%+v", r)
	}
}

func TestClientsAreRegisteredChangedAndRemoved(t *testing.T) {
	s := newShell(t)
	var web struct {
		ID     string   `json:"client_id"`
		Secret string   `json:"client_secret"`
		URIs   []string `json:"redirect_uris"`
		Name   string   `json:"client_name"`
		Method string   `json:"token_endpoint_auth_method"`
		First  bool     `json:"first_party"`
		Off    bool     `json:"disabled"`
	}
	s.must(&web, "client", "create", "--name", "Shop", "--redirect-uri", "https://shop.example/a", "--redirect-uri", "https://shop.example/b,c", "--first-party", "--json")
	if web.Secret == "" || len(web.URIs) != 2 || web.URIs[1] != "https://shop.example/b,c" || !web.First {
		t.Fatalf("%+v", web)
	}
	kept, first := web.ID, web.Secret
	if r := s.do("client", "show", kept, "--json"); strings.Contains(r.out, first) || r.code != 0 {
		t.Errorf("the secret is shown again: %+v", r)
	}
	web.First = true
	s.must(&web, "client", "update", kept, "--name", "Store", "--first-party=false", "--json")
	if web.Name != "Store" || web.First || len(web.URIs) != 2 {
		t.Errorf("update changed other than said: %+v", web)
	}
	s.must(&web, "client", "rotate-secret", kept, "--json")
	if web.Secret == first || web.Secret == "" {
		t.Errorf("the secret did not change")
	}
	s.must(nil, "client", "disable", kept)
	s.must(&web, "client", "show", kept, "--json")
	if !web.Off {
		t.Error("the client is not disabled")
	}
	s.must(nil, "client", "enable", kept)
	var public struct {
		Secret string `json:"client_secret"`
		Method string `json:"token_endpoint_auth_method"`
	}
	s.must(&public, "client", "create", "--name", "Page", "--type", "spa", "--redirect-uri", "https://page.example/", "--json")
	if public.Secret != "" || public.Method != "none" {
		t.Errorf("%+v", public)
	}
	s.must(nil, "client", "delete", kept)
	var all []any
	if s.must(&all, "client", "list", "--json"); len(all) != 1 {
		t.Errorf("%d clients are left", len(all))
	}
	for _, c := range [][]string{
		{"client", "create", "--name", "X", "--redirect-uri", "javascript:alert(1)"},
		{"client", "create", "--name", "X"},
		{"client", "show", kept},
	} {
		if r := s.do(c...); r.code != 1 || r.err == "" || r.out != "" {
			t.Errorf("%v: %+v", c, r)
		}
	}
}

func TestOperatorsSeeKeysJobsEventsAndMail(t *testing.T) {
	s := newShell(t)
	var keys []struct{ Kid, State, Purpose string }
	s.must(&keys, "keys", "list", "--json")
	before := len(keys)
	s.must(nil, "keys", "rotate")
	s.must(&keys, "keys", "list", "--json")
	if len(keys) <= before {
		t.Errorf("rotation published nothing: %+v", keys)
	}
	s.must(nil, "keys", "retire", keys[0].Kid)
	if r := s.do("keys", "retire", keys[0].Kid); r.code != 1 {
		t.Errorf("retired twice: %+v", r)
	}
	var link struct{ URL string }
	s.must(&link, "operator", "link", "--json")
	if !strings.HasPrefix(link.URL, "http://localhost:8080/") || !strings.Contains(link.URL, "?token=op_") {
		t.Errorf("link %q", link.URL)
	}
	var leave struct{ Token string }
	s.must(&leave, "registration-token", "create", "--uses", "2", "--json")
	if !strings.HasPrefix(leave.Token, "idp_reg_") {
		t.Errorf("token %q", leave.Token)
	}
	s.must(nil, "user", "invite", "bob@example.com")
	var jobs []struct {
		ID   int64
		Kind string
	}
	s.must(&jobs, "jobs", "list", "--json")
	if len(jobs) != 1 || jobs[0].Kind != "message.send" {
		t.Errorf("jobs %+v", jobs)
	}
	if r := s.do("jobs", "retry", "999"); r.code != 1 {
		t.Errorf("a job that is not there: %+v", r)
	}
	if r := s.do("mail", "test", "--to", "ann@example.com"); r.code != 0 || !strings.Contains(r.out, "/dev/inbox") {
		t.Errorf("mail test: %+v", r)
	}
	if r := s.do("sms", "test", "+44 7400 123456"); r.code != 0 || !strings.Contains(r.out, "/dev/inbox") {
		t.Errorf("sms test: %+v", r)
	}
	if r := s.do("sms", "test", "+44 90 1234 5678"); r.code != 1 || !strings.Contains(r.err, "sms.countries") {
		t.Errorf("sms test to a number that earns with it: %+v", r)
	}
	var events []struct{ Kind, Actor string }
	s.must(&events, "events", "list", "--kind", "operator.link_made", "--json")
	if len(events) != 1 || events[0].Actor != "operator:cli" {
		t.Errorf("events %+v", events)
	}
	var steps []struct{ Applied bool }
	s.must(&steps, "migrate", "status", "--json")
	if len(steps) == 0 || !steps[len(steps)-1].Applied {
		t.Errorf("migrations %+v", steps)
	}
}

func TestManualMigrationWaitsForTheOperator(t *testing.T) {
	s := newShell(t, "IDP_MIGRATE=manual")
	if r := s.do("user", "list"); r.code != 1 || !strings.Contains(r.err, "idp migrate up") {
		t.Fatalf("%+v", r)
	}
	var steps []struct{ Applied bool }
	s.must(&steps, "migrate", "status", "--json")
	if len(steps) == 0 || steps[0].Applied {
		t.Fatalf("%+v", steps)
	}
	s.must(nil, "migrate", "up")
	s.must(nil, "migrate", "unlock")
	s.must(nil, "user", "list")
}

func TestAskedWronglyExitsWithTwoAndSaysHow(t *testing.T) {
	s := newShell(t)
	for _, c := range []struct{ args, want string }{
		{"usr", "did you mean user?"},
		{"user creat", "did you mean create?"},
		{"user create", "--email is missing"},
		{"user create --emial x", "unknown flag: --emial"},
		{"user ban", "USER (id, email address or phone number) is missing"},
		{"user ban a b", `there is no use for "b"`},
		{"sms test", "NUMBER is missing"},
		{"jobs retry seven", "a job's id is a number"},
		{"jobs list --state stuck", "it is one of available, scheduled"},
		{"client create --name X --type toaster --redirect-uri https://x.example/", "it is one of web, spa, native, machine"},
		{"user create --email a@example.com --password-stdin", "standard input is empty"},
	} {
		r := s.do(strings.Fields(c.args)...)
		if r.code != 2 || !strings.Contains(r.err, c.want) || !strings.Contains(r.err, "--help") || r.out != "" {
			t.Errorf("idp %s: %+v", c.args, r)
		}
	}
}

func TestOperatorsLearnWhyTheDatabaseDoesNotAnswer(t *testing.T) {
	s := newShell(t, "IDP_DATABASE_URL=postgres://idp:hunter2@127.0.0.1:1/idp")
	r := s.do("user", "list")
	if r.code != 1 || !strings.Contains(r.err, "127.0.0.1:1") || strings.Contains(r.err, "hunter2") {
		t.Errorf("%+v", r)
	}
}

func TestBrokenTemplatesAreFoundBeforeTheStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "pages"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pages", "sign_in.html"), []byte(`{{define "main"}}{{.Unclosed`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newShell(t, "IDP_TEMPLATES_DIR="+dir).do("config", "validate")
	if r.code != 1 || !strings.Contains(r.err, "sign_in.html") {
		t.Errorf("%+v", r)
	}
}

func TestConfigurationIsExplainedAndJudged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "idp.yaml")
	if err := os.WriteFile(file, []byte("name: Acme\ndatabase_url: postgres://idp:hunter2@db/idp\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newShell(t)
	var lines []struct{ Key, Value, Origin string }
	s.must(&lines, "config", "explain", "--config", file, "--json")
	seen := map[string]string{}
	for _, l := range lines {
		seen[l.Key] = l.Value + " from " + l.Origin
	}
	if seen["name"] != "Acme from idp.yaml:1" || seen["database_url"] != "••• from idp.yaml:2" {
		t.Errorf("%v", seen)
	}
	byEnv := newShell(t, "IDP_CONFIG="+file)
	byEnv.must(&lines, "config", "explain", "--json")
	s.must(nil, "config", "validate", "--config", file)
	production := newShell(t, "IDP_ENVIRONMENT=production")
	for _, args := range [][]string{{"config", "validate"}, {"serve"}, {"user", "list"}} {
		r := production.do(args...)
		if r.code != 1 {
			t.Errorf("%v: %+v", args, r)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(r.err), "\n") {
			if !strings.HasPrefix(line, "idp: ") {
				t.Errorf("%v: a line of its own for each reason: %q", args, line)
			}
		}
	}
}

// TestNothingPrintsWhatOthersWroteIntoTheTerminal: names come from strangers.
func TestNothingPrintsWhatOthersWroteIntoTheTerminal(t *testing.T) {
	s := newShell(t)
	if r := s.with(`{"email":"ann@example.com","email_verified":true,"external_id":"Ann\u001b[2J\u009b31m"}`, "user", "import", "-"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	if r := s.do("user", "show", "ann@example.com"); strings.ContainsAny(r.out, "\x1b\u009b") || !strings.Contains(r.out, "Ann[2J31m") {
		t.Errorf("%q", r.out)
	}
}

func TestServeIsUpAtOnceAndStopsGently(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	ctx, stop := context.WithCancel(t.Context())
	s := newShell(t, "IDP_LISTEN="+address)
	said, tell := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, terminal{in: strings.NewReader(""), out: tell, err: io.Discard, environ: s.env}, []string{"serve"})
		_ = tell.Close()
	}()
	greeting := readUntil(t, said, "?token=op_")
	for _, want := range []string{"http://localhost:", "idp.db", "/dev/inbox"} {
		if !strings.Contains(greeting, want) {
			t.Errorf("the greeting lacks %q:\n%s", want, greeting)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/.well-known/openid-configuration", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("discovery answers %d", res.StatusCode)
	}
	s.must(nil, "user", "list") // beside the running server
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("stopped with exit %d", code)
	}
}

func readUntil(t *testing.T, from io.Reader, mark string) string {
	t.Helper()
	var all strings.Builder
	buf := make([]byte, 1024)
	for !strings.Contains(all.String(), mark) {
		n, err := from.Read(buf)
		all.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v after:\n%s", err, all.String())
		}
	}
	return all.String()
}
