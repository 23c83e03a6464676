package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// foreigner is a provider that others wrote, beside idp. One of a kind serves all tests, each
// of which brings people and addresses of its own.
type foreigner struct {
	Origin string
	cmd    *exec.Cmd
	logs   logs
	done   chan struct{}
	lives  io.Closer // its standard input: it ends with it
	after  func()    // what is left to do then, or nil
}

// strangers are those that run; TestMain ends them.
var strangers struct {
	sync.Mutex
	all []*foreigner
}

// sayHello is what a foreigner prints when it listens.
var sayHello = regexp.MustCompile(`listening (http://127\.0\.0\.1:\d+)`)

// startForeigner runs a command until the tests end. origin says where it listens, from what
// it printed so far, and "" as long as it does not; it is asked until it does.
func startForeigner(cmd *exec.Cmd, origin func(said string) string) (*foreigner, error) {
	f := &foreigner{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &f.logs, &f.logs
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	f.lives = in
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait(); close(f.done) }()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if f.Origin = origin(f.logs.String()); f.Origin != "" {
			strangers.Lock()
			defer strangers.Unlock()
			strangers.all = append(strangers.all, f)
			return f, nil
		}
		select {
		case <-f.done:
			return nil, fmt.Errorf("%s ended at start:\n%s", cmd.Path, f.logs.String())
		default:
		}
	}
	f.end()
	return nil, fmt.Errorf("%s does not answer after %s:\n%s", cmd.Path, patience, f.logs.String())
}

func (f *foreigner) end() {
	_ = f.lives.Close()
	_ = f.cmd.Process.Kill()
	<-f.done
	if f.after != nil {
		f.after()
	}
}

// sendHome ends the foreigners that the tests brought in.
func sendHome() {
	strangers.Lock()
	defer strangers.Unlock()
	for _, f := range strangers.all {
		f.end()
	}
}

// said shows what a foreigner logged, if the test fails.
func (f *foreigner) said(t testing.TB) {
	before := len(f.logs.String())
	t.Cleanup(func() {
		if t.Failed() {
			all := f.logs.String()[before:]
			t.Logf("%s said:\n%s", f.cmd.Path, all[max(0, len(all)-6000):])
		}
	})
}

// openProvider is npm's oidc-provider: see web/upstream.mjs.
type openProvider struct {
	*foreigner
	t testing.TB
}

var theOpenProvider = sync.OnceValues(func() (*foreigner, error) {
	return startForeigner(exec.Command("node", filepath.Join("web", "upstream.mjs")), func(said string) string {
		if m := sayHello.FindStringSubmatch(said); m != nil {
			return m[1]
		}
		return ""
	})
})

// needOpenProvider skips where Node need not be there.
func needOpenProvider(t testing.TB) openProvider {
	t.Helper()
	if os.Getenv("IDP_TEST_E2E") == "" {
		t.Skip("needs Node: make test brings it and sets IDP_TEST_E2E")
	}
	f, err := theOpenProvider()
	if err != nil {
		t.Fatal(err)
	}
	f.said(t)
	return openProvider{f, t}
}

// Says puts down what the provider says of the person of that name, from now on.
func (o openProvider) Says(name string, claims map[string]any) {
	o.t.Helper()
	o.send(http.MethodPut, "/people/"+name, claims, nil)
}

// Asked returns the parameters of the request for which that person signed in last.
func (o openProvider) Asked(name string) (params map[string]any) {
	o.t.Helper()
	o.send(http.MethodGet, "/asked/"+name, nil, &params)
	return params
}

// Register registers idp as a relying party (OpenID Connect Dynamic Client Registration), and
// returns the connection to it by that name, with what else is given.
func (o openProvider) Register(i *instance, name string, more map[string]any) map[string]any {
	o.t.Helper()
	var c struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	o.send(http.MethodPost, "/reg", map[string]any{
		"client_name": "idp", "redirect_uris": []string{i.Issuer + "/federation/" + name + "/callback"},
		"grant_types": []string{"authorization_code", "refresh_token"},
	}, &c)
	connection := map[string]any{"name": name, "type": "oidc", "issuer": o.Origin, "client_id": c.ID, "client_secret": c.Secret, "title": "The other service"}
	for key, value := range more {
		connection[key] = value
	}
	return connection
}

func (o openProvider) send(method, path string, body, into any) {
	o.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	req, err := http.NewRequest(method, o.Origin+path, bytes.NewReader(raw))
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode >= 300 {
		o.t.Fatalf("%s %s answered %s: %s", method, path, res.Status, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			o.t.Fatalf("%s %s answered %s", method, path, answer)
		}
	}
}

// Enter lets the person of that name sign in at the provider that b was sent to, in the same
// browser; how is the button, "Enter" or "Enter in two steps" or "Refuse". b ends where idp
// leads it then.
func (o openProvider) Enter(b *browser, name, how string) *browser {
	o.t.Helper()
	there := o.at(b)
	if there.Left == nil { // unless the provider knows them
		there.Fill("Name there", name).Press(how)
	}
	if there.Left == nil || !strings.HasPrefix(there.Left.String(), b.issuer+"/federation/") {
		o.t.Fatalf("the provider did not send the browser back, but is at %s:\n%s", there.URL, there.Text())
	}
	return b.Get(there.Left.String())
}

// at is the page of the provider that b was sent to. Both share their cookies, as in life.
func (o openProvider) at(b *browser) *browser {
	o.t.Helper()
	if b.Left == nil || !strings.HasPrefix(b.Left.String(), o.Origin+"/") {
		o.t.Fatalf("the browser was not sent to the provider: it is at %s (left for %v)\n%s", b.URL, b.Left, b.Text())
	}
	there := newBrowser(o.t, o.Origin)
	there.http.Jar = b.http.Jar
	return there.Get(b.Left.String())
}
