package conformance

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/internal/config"
)

// automaton does on idp's pages what the suite's browser would do by its configuration.
type automaton struct {
	*run
	by      settings
	filled  int // placeholders for screenshots
	clicked []string
}

// drive sends the browser to an address, as the module would.
func (a *automaton) drive(module, to string) {
	a.Helper()
	visits := a.by.Browser
	if own, ok := a.by.Override[module]; ok {
		visits = own.Browser
	}
	for _, v := range visits {
		if !matches(v.Match, to) {
			continue
		}
		a.browser.open(to)
		for _, task := range v.Tasks {
			a.do(task)
		}
		return
	}
	a.Fatalf("%s: nothing is said about %s", module, to)
}

func (a *automaton) do(t task) {
	a.Helper()
	if at := a.browser.at.url.String(); !matches(t.Match, at) {
		if !t.Optional {
			a.Fatalf("the task %q is for %s, but the browser is at %s: %.300s", t.Task, t.Match, at, a.browser.at.text())
		}
		return
	}
	typed := map[string]string{}
	for _, c := range t.Commands {
		verb, kind, target := c[0].(string), c[1].(string), c[2].(string)
		here := kind != "id" || a.browser.at.id(target) != nil
		switch {
		case !here && c[len(c)-1] == "optional":
		case !here:
			a.Fatalf("the task %q wants #%s, which is not at %s: %.300s", t.Task, target, a.browser.at.url, a.browser.at.text())
		case verb == "text":
			typed[target] = c[3].(string)
		case verb == "click":
			a.clicked = append(a.clicked, target)
			a.browser.click(target, typed)
			typed = map[string]string{}
		case verb == "wait":
			a.wait(t, kind, target, c)
		default:
			a.Fatalf("the task %q has the unknown command %s", t.Task, verb)
		}
	}
}

// wait demands what the suite would wait for: an address, an element or words.
func (a *automaton) wait(t task, kind, target string, c []any) {
	a.Helper()
	if kind == "contains" && !strings.Contains(a.browser.at.url.String(), target) {
		a.Fatalf("the task %q waits for %s at %s", t.Task, target, a.browser.at.url)
	}
	if len(c) < 5 {
		return
	}
	if !regexp.MustCompile(c[4].(string)).MatchString(a.browser.at.text()) {
		a.Fatalf("the task %q waits for %q, but %s says: %.600s", t.Task, c[4], a.browser.at.url, a.browser.at.text())
	}
	a.filled++
}

// matches compares with a pattern whose stars stand for anything.
func matches(pattern, text string) bool {
	var parts []string
	for part := range strings.SplitSeq(pattern, "*") {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(text)
}

// authorizing is the address of an authorization request.
func (a *automaton) authorizing(more ...string) string {
	return a.w.endpoint(a.t, "authorization_endpoint") + "?" + a.with(more...).Encode()
}

// leavingFor signs in by the configuration and then goes to the end_session_endpoint.
func (a *automaton) leavingFor(module string, change func(q url.Values)) {
	a.register(func(wish map[string]any) { wish["post_logout_redirect_uris"] = []string{a.farewell()} })
	a.drive(module, a.authorizing())
	q := a.leaving(a.complete())
	change(q)
	at := a.w.endpoint(a.t, "end_session_endpoint")
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	a.drive(module, at)
}

func (a *automaton) again(module string, more ...string) {
	a.drive(module, a.authorizing())
	one := a.complete()
	a.w.clock.Add(2 * time.Second)
	a.drive(module, a.authorizing(more...))
	a.laterProof(one, a.complete())
}

func (a *automaton) registeredWith(module, field string) {
	a.register(func(wish map[string]any) { wish[field] = a.folder.url + "/" + field })
	a.drive(module, a.authorizing())
}

// scenes are what the modules that have their own automation do with the browser.
func scenes() map[string]func(a *automaton, module string) {
	leave := func(change func(q url.Values)) func(*automaton, string) {
		return func(a *automaton, module string) { a.leavingFor(module, change) }
	}
	redirect := func(change func(q url.Values, at string)) func(*automaton, string) {
		return func(a *automaton, module string) {
			q := a.request()
			change(q, a.callback())
			a.drive(module, a.w.endpoint(a.t, "authorization_endpoint")+"?"+q.Encode())
		}
	}
	field := func(name string) func(*automaton, string) {
		return func(a *automaton, module string) { a.registeredWith(module, name) }
	}
	return map[string]func(*automaton, string){
		"oidcc-prompt-login":                                                func(a *automaton, m string) { a.again(m, "prompt", "login") },
		"oidcc-max-age-1":                                                   func(a *automaton, m string) { a.again(m, "max_age", "1") },
		"oidcc-ensure-registered-redirect-uri":                              redirect(func(q url.Values, at string) { q.Set("redirect_uri", at+"X7") }),
		"oidcc-ensure-redirect-uri-in-authorization-request":                redirect(func(q url.Values, _ string) { q.Del("redirect_uri") }),
		"oidcc-redirect-uri-query-mismatch":                                 redirect(func(q url.Values, at string) { q.Set("redirect_uri", at+"?bar=foo") }),
		"oidcc-redirect-uri-query-added":                                    redirect(func(q url.Values, at string) { q.Set("redirect_uri", at+"?foo=bar") }),
		"oidcc-registration-logo-uri":                                       field("logo_uri"),
		"oidcc-registration-policy-uri":                                     field("policy_uri"),
		"oidcc-registration-tos-uri":                                        field("tos_uri"),
		"oidcc-rp-initiated-logout-bad-post-logout-redirect-uri":            leave(func(q url.Values) { q.Set("post_logout_redirect_uri", "https://other.example/") }),
		"oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": leave(func(q url.Values) { q.Set("post_logout_redirect_uri", q.Get("post_logout_redirect_uri")+"?foo=bar") }),
		"oidcc-rp-initiated-logout-bad-id-token-hint":                       leave(func(q url.Values) { q.Set("id_token_hint", q.Get("id_token_hint")+"x") }),
		"oidcc-rp-initiated-logout-modified-id-token-hint":                  leave(func(q url.Values) { q.Set("id_token_hint", "e30.e30.") }),
		"oidcc-rp-initiated-logout-no-id-token-hint":                        leave(func(q url.Values) { q.Del("id_token_hint") }),
		"oidcc-rp-initiated-logout-no-params":                               leave(func(q url.Values) { clear(q) }),
		"oidcc-rp-initiated-logout-only-state": leave(func(q url.Values) {
			q.Del("id_token_hint")
			q.Del("post_logout_redirect_uri")
		}),
		"oidcc-rp-initiated-logout-no-post-logout-redirect-uri": leave(func(q url.Values) { q.Del("post_logout_redirect_uri") }),
	}
}

// TestSuiteConfigurationsFitThePages runs the committed configurations on a real idp: every
// address, element and phrase that they name has to be there when its turn comes.
func TestSuiteConfigurationsFitThePages(t *testing.T) {
	w := open(t, "sqlite", "sqlite:"+filepath.Join(t.TempDir(), "idp.db"))
	for name := range suiteSettings() {
		text, err := os.ReadFile(filepath.Join("suite", name))
		must(t, err)
		var by settings
		must(t, json.Unmarshal([]byte(strings.ReplaceAll(string(text), suiteIssuer, w.issuer)), &by))
		play := func(module, mode string, scene func(a *automaton)) {
			t.Run(strings.Join([]string{name, module, mode}, "/"), func(t *testing.T) {
				a := &automaton{run: newRun(t, w, variant{response: "code", mode: mode, auth: "client_secret_basic"}), by: by}
				a.freshBrowser()
				scene(a)
			})
		}
		for _, mode := range []string{"default", "form_post"} {
			play("oidcc-server", mode, func(a *automaton) {
				a.drive("oidcc-server", a.authorizing())
				a.complete()
				if strings.Join(a.clicked, " ") != "login-submit consent-allow" {
					a.Errorf("clicked %s", a.clicked)
				}
			})
		}
		for _, logout := range []string{"oidcc-rp-initiated-logout", "oidcc-frontchannel-rp-initiated-logout"} {
			play(logout, "default", func(a *automaton) {
				o := a.signInToLeave(func(wish map[string]any) {
					if strings.Contains(logout, "front") {
						wish["frontchannel_logout_uri"] = a.folder.url + "/frontchannel_logout"
					}
				})
				q := a.leaving(o)
				a.drive(logout, a.w.endpoint(a.t, "end_session_endpoint")+"?"+q.Encode())
				a.backWith(q)
			})
		}
		for module := range by.Override {
			scene, ok := scenes()[module]
			if !ok {
				t.Errorf("%s: no scene for %s", name, module)
				continue
			}
			if _, ok := modules()[module]; !ok {
				t.Errorf("%s: the suite has no module %s", name, module)
			}
			play(module, "default", func(a *automaton) {
				scene(a, module)
				if a.filled == 0 {
					a.Error("no screenshot was taken")
				}
			})
		}
	}
}

// TestPrepareMakesWhatTheSuiteNeeds runs the script that README.md names.
func TestPrepareMakesWhatTheSuiteNeeds(t *testing.T) {
	for _, tool := range []string{"bash", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "idp")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "idp/cmd/idp")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	script, err := filepath.Abs("suite/prepare")
	must(t, err)
	work := filepath.Join(dir, "work")
	prepare := exec.CommandContext(t.Context(), "bash", script, work)
	prepare.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "IDP=" + binary}
	if out, err := prepare.CombinedOutput(); err != nil {
		t.Fatalf("prepare: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(work, "static.json"))
	must(t, err)
	var made settings
	must(t, json.Unmarshal(text, &made))
	for _, c := range []map[string]string{made.Client, made.Client2, made.ClientPost} {
		if !strings.HasPrefix(c["client_id"], "client_") || len(c["client_secret"]) < 20 {
			t.Errorf("a client of static.json is %v", c)
		}
	}
	cfg, _, err := config.Load(config.Source{File: filepath.Join(work, "idp.yaml")})
	must(t, err)
	t.Chdir(work)
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	if !cfg.WatchedSessions() || cfg.Registration != "open" {
		t.Errorf("session management is %v and registration %s", cfg.WatchedSessions(), cfg.Registration)
	}
}
