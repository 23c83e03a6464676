package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long tests wait for what is sure to come, on a machine that is busy with other things.
const patience = 2 * time.Minute

// binary is built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "idp-e2e-")
	if err == nil {
		binary = filepath.Join(dir, "idp")
		build := exec.Command("go", "build", "-o", binary, "../cmd/idp")
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build idp:", err)
		os.Exit(1)
	}
	code := m.Run()
	sendHome()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// instance is one instance of idp: its database, its issuer, and perhaps several
// processes that serve it.
type instance struct {
	t        testing.TB
	Database string // URL, as IDP_DATABASE_URL
	Issuer   string
	Dir      string // data directory, with the master key
	env      []string
	http     *http.Client // trusts the issuer's certificate

	authority *authority // that Secure made, or nil
}

// eachEngine runs f on an instance of every engine there is.
func eachEngine(t *testing.T, f func(t *testing.T, i *instance)) {
	t.Run("sqlite", func(t *testing.T) { f(t, newInstance(t, sqliteDatabase(t))) })
	if admin := os.Getenv("IDP_TEST_POSTGRES"); admin != "" {
		t.Run("postgres", func(t *testing.T) { f(t, newInstance(t, postgresDatabase(t, admin))) })
	}
}

func newInstance(t testing.TB, database string, env ...string) *instance {
	dir := t.TempDir()
	port := freePort(t)
	return &instance{t: t, Database: database, Issuer: fmt.Sprintf("http://localhost:%d", port), Dir: dir,
		env: env, http: http.DefaultClient}
}

// given are the ports that tests of this package got: nobody gets one twice, although many are listened on only later.
var given sync.Map

// freePort is below the range that connections take theirs from, which would else have it before anybody listens, and
// not one of those that browsers refuse.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 12000 + rand.IntN(4000)
		if _, twice := given.LoadOrStore(port, true); twice {
			continue
		}
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free between 12000 and 16000")
	return 0
}

// environment is what a process of the instance sees; nothing of ours leaks into it.
func (i *instance) environment(listen string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + i.Dir,
		"IDP_ENVIRONMENT=development", "IDP_LISTEN=" + listen, "IDP_ISSUER=" + i.Issuer,
		"IDP_DATA_DIR=" + i.Dir, "IDP_DATABASE_URL=" + i.Database,
		// Everybody comes from one address here; the tests of the bot check ask for less.
		"IDP_BOT_CHECK_WRONG_PASSWORDS=100000", "IDP_BOT_CHECK_NETWORK_FAILURES=100000", "IDP_BOT_CHECK_NETWORK_MESSAGES=100000", "IDP_LIMITS_NETWORK_ATTEMPTS=100000",
	}, i.env...)
}

// CLI runs an operator's command and returns what it prints.
func (i *instance) CLI(stdin string, args ...string) string {
	i.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Stdin = i.environment(i.Issuer[strings.Index(i.Issuer, "://")+3:]), strings.NewReader(stdin)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		i.t.Fatalf("idp %s: %v\n%s", strings.Join(args, " "), err, complaints.String())
	}
	return string(out)
}

// registered is what `idp client create --json` answers.
type registered struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// Client registers a relying party.
func (i *instance) Client(args ...string) registered {
	i.t.Helper()
	var c registered
	out := i.CLI("", append([]string{"client", "create", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &c); err != nil || c.ID == "" {
		i.t.Fatalf("client create answered %q: %v", out, err)
	}
	return c
}

// Person puts somebody on file, their address verified.
func (i *instance) Person(email, password string) {
	i.t.Helper()
	i.CLI(password+"\n", "user", "create", "--email", email, "--password-stdin", "--verified")
}

// process is one running idp.
type process struct {
	t    testing.TB
	URL  string // where it answers, which is the issuer for the first process
	http *http.Client
	cmd  *exec.Cmd
	logs *logs
	done chan struct{}
	err  error
}

// Start runs a process that answers at the issuer's address.
func (i *instance) Start() *process {
	i.t.Helper()
	return i.startAt("127.0.0.1" + i.Issuer[strings.LastIndexByte(i.Issuer, ':'):])
}

// StartAnother runs one more process of the same instance, elsewhere.
func (i *instance) StartAnother() *process {
	i.t.Helper()
	return i.startAt(fmt.Sprintf("127.0.0.1:%d", freePort(i.t)))
}

func (i *instance) startAt(listen string) *process {
	i.t.Helper()
	p := &process{t: i.t, http: i.http, logs: &logs{}, done: make(chan struct{})}
	scheme, _, _ := strings.Cut(i.Issuer, "://")
	p.URL = scheme + "://localhost" + listen[strings.LastIndexByte(listen, ':'):]
	p.cmd = exec.Command(binary, "serve")
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = i.environment(listen), p.logs, p.logs
	if err := p.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	i.t.Cleanup(func() {
		p.Kill()
		if said := p.logs.Tail(3000); i.t.Failed() && strings.Contains(said, "level=") {
			i.t.Logf("idp at %s said:\n%s", p.URL, said)
		}
	})
	p.awaitReady()
	return p
}

// awaitReady returns when the process answers, and fails if it ends or takes too long.
func (p *process) awaitReady() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/readyz", nil)
		if res, err := p.http.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				tick.Stop()
				return
			}
		}
		select {
		case <-p.done:
			p.t.Fatalf("idp ended at start: %v\n%s", p.err, p.logs.Tail(4000))
		case <-ctx.Done():
			p.t.Fatalf("idp is not ready after %s\n%s", patience, p.logs.Tail(4000))
		default:
		}
	}
}

// Kill ends the process at once, as a power cut would, and waits until it is gone.
func (p *process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
	p.http.CloseIdleConnections()
}

// Stop asks the process to end and returns its exit code.
func (p *process) Stop() int {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("idp did not stop within %s", patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// logs keeps what a process says.
type logs struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer.
func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

// String returns all that was said.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// fine matches requests that went well: nobody looks for those.
var fine = regexp.MustCompile(`(?m)^.*msg=request .*status=[23]\d\d .*\n`)

// Tail returns the last n bytes of what is not about requests that went well.
func (l *logs) Tail(n int) string {
	s := fine.ReplaceAllString(l.String(), "")
	return s[max(0, len(s)-n):]
}

// letter is one mail in the development inbox.
type letter struct {
	To, Subject, Text, Code, Link string
}

// LastLetter waits until more than `seen` letters came to that address and returns the newest: mail leaves as a job.
// Where a notice may come as well, ask for a letter by what it is: CodeLetter, told.
func (p *process) LastLetter(to string, seen int) letter {
	p.t.Helper()
	all := p.await(to, func(all []letter) bool { return len(all) > seen })
	return all[0]
}

// CodeLetter waits until more than `seen` letters with a code came to that address, and returns the newest of them:
// notices that carry none may come before, between and after.
func (p *process) CodeLetter(to string, seen int) letter {
	p.t.Helper()
	coded := func(all []letter) []letter {
		return slices.DeleteFunc(slices.Clone(all), func(l letter) bool { return l.Code == "" })
	}
	return coded(p.await(to, func(all []letter) bool { return len(coded(all)) > seen }))[0]
}

// code is the newest code that was mailed to an address.
func (p *process) code(to string) string {
	p.t.Helper()
	return p.CodeLetter(to, 0).Code
}

// await returns the mail to that address, the newest first, as soon as it is enough.
func (p *process) await(to string, enough func(all []letter) bool) []letter {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		all := p.Letters(to)
		if enough(all) {
			return all
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("within %s only these came to %s: %+v", patience, to, all)
		}
	}
}

// Letters returns the mail to that address, the newest first.
func (p *process) Letters(to string) []letter {
	p.t.Helper()
	res, err := p.http.Get(p.URL + "/dev/inbox.json?to=" + url.QueryEscape(to))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	var all []letter
	if err := json.Unmarshal(body, &all); err != nil {
		var wrapped struct{ Letters []letter }
		if err := json.Unmarshal(body, &wrapped); err != nil {
			p.t.Fatalf("dev inbox answered %s: %.300s", res.Status, body)
		}
		all = wrapped.Letters
	}
	return all
}
