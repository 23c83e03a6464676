package house

import (
	"go/token"
	"path"
	"strings"
	"testing"
)

// fault is a small tree with one breach, and words its finding must contain. The rule
// must keep quiet about `fine`, which looks alike and is allowed.
type fault struct {
	rule  string
	why   string
	tree  map[string]string
	want  string
	fine  map[string]string
	edges []edge // packages, where imports are looked at
	okay  []edge
}

const verdictRule = "a verdict on an address is made in federation/verdict.go and only read elsewhere"

type edge struct{ from, to string }

var faults = []fault{
	{rule: "every package has a level, and its imports point down", why: "upwards",
		edges: []edge{{"idp/login", "idp/provider"}}, want: "login (level 4) → provider (level 5)",
		okay: []edge{{"idp/provider", "idp/login"}, {"idp/storage/storagetest", "idp/storage"}}},
	{rule: "every package has a level, and its imports point down", why: "neighbours never meet",
		edges: []edge{{"idp/account", "idp/provider"}}, want: "account (level 5) → provider (level 5)"},
	{rule: "every package has a level, and its imports point down", why: "storage never draws",
		edges: []edge{{"idp/storage", "idp/templates"}}, want: "never draws"},
	{rule: "every package has a level, and its imports point down", why: "a room nobody placed",
		edges: []edge{{"idp/attic", "fmt"}}, want: "attic has no level"},
	{rule: "a library is imported only in its home", why: "fosite outside provider",
		edges: []edge{{"idp/login", "github.com/ory/fosite"}}, want: "lives in provider",
		okay: []edge{{"idp/provider", "github.com/ory/fosite"}}},
	{rule: "a library is imported only in its home", why: "SQL outside storage",
		edges: []edge{{"idp/account", "database/sql"}}, want: "lives in storage",
		okay: []edge{{"idp/token", "github.com/uptrace/bunny"}}},
	{rule: "rooms that hold facts link no net/http", why: "identity speaks HTTP",
		edges: []edge{{"idp/identity", "net/http"}}, want: "identity links net/http", okay: []edge{{"idp/session", "net/http"}}},
	{rule: "idp links nothing heavy that it does not use", why: "grpc slipped in",
		edges: []edge{{"idp/cmd/idp", "google.golang.org/grpc/codes"}}, want: "links google.golang.org/grpc/codes",
		okay: []edge{{"idp/cmd/idp", "github.com/ory/x/errorsx"}}},
	{rule: "dependencies with a known hole are new enough", why: "an old JOSE",
		edges: []edge{{"idp/token", "github.com/go-jose/go-jose/v4@v4.1.3"}}, want: "at least v4.1.4 is needed",
		okay: []edge{{"idp/token", "github.com/go-jose/go-jose/v4@v4.1.8"}, {"idp/storage", "github.com/uptrace/bun@v1.10.0"}}},

	{rule: "clock, chance, environment and printing come from the edges", why: "clock",
		tree: src("login/a.go", `import "time"; var x = time.Now()`), want: "uses time.Now",
		fine: src("server/a.go", `import "time"; var x = time.Now`)},
	{rule: "clock, chance, environment and printing come from the edges", why: "clock under another name",
		tree: src("login/a.go", `import clock "time"; var x = clock.Now`), want: "uses time.Now"},
	{rule: "clock, chance, environment and printing come from the edges", why: "chance",
		tree: src("login/a.go", `import _ "math/rand/v2"`), want: "chance comes from internal/secret"},
	{rule: "clock, chance, environment and printing come from the edges", why: "an unguarded client",
		tree: src("message/a.go", `import "net/http"; var c = http.DefaultClient`), want: "http.DefaultClient"},
	{rule: "clock, chance, environment and printing come from the edges", why: "printing",
		tree: src("login/a.go", `import "fmt"; func f() { fmt.Println() }`), want: "fmt.Println",
		fine: src("login/a.go", `import "fmt"; var s = fmt.Sprintf("")`)},
	{rule: "clock, chance, environment and printing come from the edges", why: "environment",
		tree: src("token/a.go", `import "os"; var s = os.Getenv("HOME")`), want: "os.Getenv",
		fine: src("token/a_test.go", `import "os"; var s = os.Getenv("HOME")`)},
	{rule: "clock, chance, environment and printing come from the edges", why: "init",
		tree: src("token/a.go", `func init() {}`), want: "has an init", fine: src("token/a.go", `type t int; func (t) init() {}`)},
	{rule: "whoever calls out goes through internal/outbound", why: "a client of its own",
		tree: src("provider/a.go", `import "net/http"; var c = &http.Client{}`), want: "uses net/http.Client",
		fine: src("internal/outbound/a.go", `import "net/http"; var c = &http.Client{}`)},
	{rule: "whoever calls out goes through internal/outbound", why: "a connection of its own, even at the edge",
		tree: src("server/a.go", `import "net"; var d = net.Dialer{}`), want: "uses net.Dialer",
		fine: src("server/a.go", `import ("net"; "net/http"); type t struct { l net.Listener; c *http.Client }`)},
	{rule: "patterns are registered in server/routes.go alone", why: "spelled elsewhere",
		tree: src("account/a.go", `var p = "GET /account"`), want: "spells the pattern",
		fine: src("server/routes.go", `var p = "GET /account"`)},
	{rule: "patterns are registered in server/routes.go alone", why: "registered elsewhere",
		tree: src("account/a.go", `func f(m mux) { m.Handle("/x", nil) }`), want: "registers a pattern",
		fine: src("account/a.go", `func f(m mux) { m.Handle(nil, nil) }`)},
	{rule: "each route has a pattern of its own, a handler and a face", why: "no face",
		tree: src("server/routes.go", `var r = []web.Route{{Pattern: "GET /a", Do: f}}`), want: "without handler or face",
		fine: src("server/routes.go", `var r = []web.Route{{Pattern: "GET /a", Do: f, Face: web.Page}, {Pattern: "POST /a", Do: f, Face: web.Page}}`)},
	{rule: "each route has a pattern of its own, a handler and a face", why: "twice",
		tree: src("server/routes.go", `var r = []web.Route{{Pattern: "GET /a", Do: f, Face: web.Page}, {Pattern: "GET /a", Do: g, Face: web.Page}}`), want: "repeats the pattern"},
	{rule: "secrets have types that do not print", why: "a plain field",
		tree: src("login/a.go", `type Draft struct { NewPassword string }`), want: "Draft.NewPassword is a plain string",
		fine: src("login/a.go", `type Draft struct { NewPassword secret.String; TokenType string; Decode string }`)},
	{rule: "secrets have types that do not print", why: "a log attribute",
		tree: src("login/a.go", `func f() { slog.Info("hi", "token", t) }`), want: `logs "token"`,
		fine: src("login/a.go", `func f() { slog.Info("hi", "code", c); r.Get("token") }`)},
	{rule: "logs and errors are not mixed: whoever returns an error does not log it", why: "both",
		tree: src("login/a.go", `func f() error { if err != nil { slog.Error("x", "err", err); return err }; return nil }`), want: "logs an error and returns it",
		fine: src("login/a.go", `func f() error { if err != nil { slog.Error("x", "err", err) }; return nil }`)},

	{rule: "a Step is made in login/next.go and only compared elsewhere", why: "returned",
		tree: steps("login/settle.go", `func f() Step { return Complete }`), want: "returns a Step",
		fine: steps("login/next.go", `func f() Step { return Complete }`)},
	{rule: "a Step is made in login/next.go and only compared elsewhere", why: "stored",
		tree: steps("login/settle.go", `func f() { v.Step = Complete }`), want: "stores a Step",
		fine: steps("login/settle.go", `func f() { if v.Step == Complete { v.Step = Next(a) }; switch s { case Abandoned: } }`)},
	{rule: "a Step is made in login/next.go and only compared elsewhere", why: "in a literal, from another room",
		tree: steps("server/x.go", `import "idp/login"; var v = login.View{Step: login.Complete}`), want: "stores a Step",
		fine: steps("server/x.go", `import "idp/login"; var done = v.Step == login.Complete`)},
	{rule: "a Step is made in login/next.go and only compared elsewhere", why: "converted",
		tree: steps("login/api.go", `var s = Step("complete")`), want: "builds a Step"},
	{rule: "inside InTx nothing is slow, and the closure shadows ctx", why: "outer ctx in reach",
		tree: src("login/a.go", `func f() { db.InTx(ctx, func(tx context.Context) error { return nil }) }`), want: "leaves the outer ctx",
		fine: src("login/a.go", `func f() { db.InTx(ctx, func(ctx context.Context) error { return nil }); db.InTx(r.Context(), func(ctx context.Context) error { return nil }) }`)},
	{rule: "inside InTx nothing is slow, and the closure shadows ctx", why: "hashing",
		tree: src("login/a.go", `func f() { db.InTx(ctx, func(ctx context.Context) error { return e.Hasher.Verify(ctx) }) }`), want: "calls Verify inside InTx",
		fine: src("login/a.go", `func f() { e.Hasher.Verify(ctx); db.InTx(ctx, func(ctx context.Context) error { return e.Store.Save(ctx) }) }`)},
	{rule: "inside InTx nothing is slow, and the closure shadows ctx", why: "the network",
		tree: src("login/a.go", `import "net/http"; func f() { db.InTx(ctx, func(ctx context.Context) error { _, err := http.Get(""); return err }) }`), want: "calls Get inside InTx"},
	{rule: "an address comes on file only where its rules were thought of", why: "a new way in",
		tree: src("account/a.go", `func f() { p.People.SaveHolding(ctx, h) }`), want: "puts an address on file",
		fine: src("login/settle.go", `func f() { e.People.SaveHolding(ctx, h) }`)},
	{rule: verdictRule, why: "a literal",
		tree: src("federation/claims.go", `var v = Verdict{Verified: true}`), want: "builds a Verdict",
		fine: src("federation/verdict.go", `var v = Verdict{Verified: true}`)},
	{rule: verdictRule, why: "a literal by position, from another room",
		tree: src("login/a.go", `import "idp/federation"; var v = &federation.Verdict{true, ""}`), want: "builds a Verdict",
		fine: src("login/a.go", `import "idp/federation"; func f() bool { var v federation.Verdict; return v == federation.Verdict{} || v.Verified }`)},
	{rule: verdictRule, why: "in a list, under another name",
		tree: src("login/a.go", `import fed "idp/federation"; var v = []fed.Verdict{{true, ""}}`), want: "builds a Verdict"},
	{rule: verdictRule, why: "assigned",
		tree: src("login/a.go", `import "idp/federation"; func f(a *federation.Assertion) { a.Verdict.Verified = true }`), want: "writes a Verdict",
		fine: src("federation/claims.go", `func f(a *Assertion) { a.Verdict = judge(c) }`)},
	{rule: verdictRule, why: "exchanged",
		tree: src("federation/saml.go", `func f(a *Assertion) { a.Verdict = other }`), want: "writes a Verdict",
		fine: src("account/a.go", `func f(h *holding) { h.Verified = true }`)},
	{rule: verdictRule, why: "another type of the same shape",
		tree: src("federation/saml.go", `var v = Verdict(other{Verified: true})`), want: "converts to a Verdict"},
	{rule: verdictRule, why: "a pointer to it",
		tree: src("federation/saml.go", `func f(a *Assertion) { set(&a.Verdict) }`), want: "hands out a Verdict"},
	{rule: "interfaces are small, and storage says which it keeps", why: "ten methods",
		tree: src("login/a.go", `type S interface { a(); b(); c(); d(); e(); f(); g(); h(); i(); j() }`), want: "has 10 methods",
		fine: src("login/a.go", `type S interface { a(); b(); c(); d(); e(); f(); g(); h(); i() }`)},
	{rule: "interfaces are small, and storage says which it keeps", why: "nobody promises",
		tree: both(src("login/a.go", `type Store interface { a() }`), src("storage/a.go", `type Login struct{}`)), want: "storage does not say",
		fine: both(src("login/a.go", `type Store interface { a() }`), src("storage/a.go", `import "idp/login"; var _ login.Store = (*Login)(nil); type Login struct{}`))},
	{rule: "interfaces are small, and storage says which it keeps", why: "promised far away",
		tree: both(src("login/a.go", `type Store interface { a() }`), src("storage/a.go", `import "idp/login"; var _ login.Store = (*Login)(nil)`)), want: "in another file"},

	{rule: "every file parses", why: "half a file", tree: src("login/a.go", `func`), want: "login/a.go", fine: src("login/a.go", `func f() {}`)},
	{rule: "a file holds one idea: at most 400 lines, a test at most 600", why: "too long",
		tree: src("login/a.go", strings.Repeat("\n", 401)), want: "it holds two ideas", fine: src("login/a_test.go", strings.Repeat("\n", 590))},
	{rule: "every package tells its story, every exported name has a comment", why: "no story",
		tree: src("login/a.go", ``), want: "has no package comment", fine: map[string]string{"login/a.go": "// Package login signs in.\npackage login\n"}},
	{rule: "every package tells its story, every exported name has a comment", why: "a silent function",
		tree: src("login/a.go", `func Open() {}`), want: "Open is exported and says nothing",
		fine: map[string]string{"login/a.go": "// Package login signs in.\npackage login\n\n// Open opens.\nfunc Open() {}\n\nfunc (quiet) Method() {}\n"}},
	{rule: "every package tells its story, every exported name has a comment", why: "a silent constant",
		tree: src("login/a.go", `const Life = 3`), want: "Life is exported"},
	{rule: "no room is called util, common, helper, manager or base", why: "a room of odds and ends",
		tree: src("internal/utils/a.go", ``), want: "named after nothing", fine: src("internal/web/limit.go", ``)},
	{rule: "a linter is silenced only with a reason", why: "no reason",
		tree: src("login/a.go", "var x = 1 //nolint:gosec"), want: "without saying", fine: src("login/a.go", "var x = 1 //nolint:gosec // a constant")},

	{rule: "links in the documentation lead somewhere", why: "no such page",
		tree: text("docs/README.md", "[see](gone.md)"), want: "links to gone.md",
		fine: both(text("docs/README.md", "# Here\n[see](there.md#the-end) [up](../README.md)"), both(text("docs/there.md", "## The end"), text("README.md", "x")))},
	{rule: "links in the documentation lead somewhere", why: "no such heading",
		tree: both(text("README.md", "[see](a.md#nowhere)"), text("a.md", "# Somewhere")), want: "no such heading"},
	{rule: "files and packages that the documentation names exist", why: "a file that moved",
		tree: text("README.md", "see `login/gone.go`"), want: "names `login/gone.go`",
		fine: both(text("README.md", "see `login/a.go` and `oauth2/token`"), src("login/a.go", ``))},
	{rule: "nothing names this machine, its registries or notes outside the repository", why: "a lockfile with a host",
		tree: text("e2e/package-lock.json", `"resolved": "https://registry.example/x.tgz"`), want: "means nothing elsewhere",
		fine: text("e2e/package-lock.json", `"integrity": "sha512"`)},
	{rule: "each direct dependency has a line saying what it spares us", why: "unexplained",
		tree: text("go.mod", "require (\n\tgithub.com/x/y v1.0.0\n)"), want: "github.com/x/y has no line",
		fine: both(text("go.mod", "require (\n\tgithub.com/x/y v1.0.0\n\tgithub.com/i/j v1.0.0 // indirect\n)"), text(dependencyPage, "| `github.com/x/y` | spares |"))},
	{rule: "the image is small and runs as nobody", why: "a shell and root",
		tree: text("Dockerfile", "FROM debian\nENTRYPOINT [\"/idp\"]\n"), want: "no distroless static base",
		fine: text("Dockerfile", "FROM golang AS build\nRUN go build\nFROM gcr.io/distroless/static\nCOPY --from=build /idp /idp\nUSER nonroot\nENTRYPOINT [\"/idp\"]\n")},
	{rule: "the image is small and runs as nobody", why: "no such stage",
		tree: text("Dockerfile", "FROM gcr.io/distroless/static\nCOPY --from=build /idp /idp\nUSER nonroot\nENTRYPOINT [\"/idp\"]\n"), want: "which is no stage"},
	{rule: "compose starts idp beside its database and its mail catcher", why: "open to the network",
		tree: text("compose.yaml", "services:\n  idp: {ports: [\"8080:8080\"]}\n  postgres: {}\n  mail: {}\n"), want: "to the whole network",
		fine: text("compose.yaml", "services:\n  idp: {ports: [\"127.0.0.1:8080:8080\"], depends_on: {postgres: {}}}\n  postgres: {}\n  mail: {}\n")},
}

func TestEveryRuleFindsThePlantedFault(t *testing.T) {
	shown := map[string]bool{}
	for _, f := range faults {
		t.Run(f.rule+"/"+f.why, func(t *testing.T) {
			shown[f.rule] = true
			check := checkOf(t, f.rule)
			found := strings.Join(check(plant(f.tree, f.edges)), "\n")
			if !strings.Contains(found, f.want) {
				t.Errorf("found %q, want a finding with %q", found, f.want)
			}
			if f.fine == nil && f.okay == nil {
				return
			}
			if found := check(plant(f.fine, f.okay)); len(found) > 0 {
				t.Errorf("complains about what is allowed: %q", found)
			}
		})
	}
	for _, r := range Rules() {
		if !shown[r.Name] {
			t.Errorf("rule %q was never seen to fail: plant a fault", r.Name)
		}
	}
}

func checkOf(t *testing.T, name string) func(*House) []string {
	t.Helper()
	for _, r := range Rules() {
		if r.Name == name {
			return r.Check
		}
	}
	t.Fatalf("no rule is called %q", name)
	return nil
}

// src makes a tree of one Go file whose package is named after its folder.
func src(at, body string) map[string]string {
	return map[string]string{at: "package " + path.Base(path.Dir(at)) + "\n" + body + "\n"}
}

func text(at, body string) map[string]string { return map[string]string{at: body} }

// steps adds the declarations that make a constant a Step.
func steps(at, body string) map[string]string {
	return both(src(at, body), src("login/view.go", "type Step string\nconst (\n\tComplete Step = \"complete\"\n\tAbandoned Step = \"abandoned\"\n)"))
}

func both(a, b map[string]string) map[string]string {
	out := map[string]string{}
	for _, tree := range []map[string]string{a, b} {
		for name, body := range tree {
			out[name] = body
		}
	}
	return out
}

// plant builds a house in memory. An edge makes two packages of which one imports the
// other; a version after "@" is that of the imported module.
func plant(tree map[string]string, edges []edge) *House {
	h := &House{Texts: map[string]string{}}
	h.Exists = func(p string) bool {
		for name := range tree {
			if name == p || path.Dir(name) == p {
				return true
			}
		}
		return false
	}
	fset := token.NewFileSet()
	for name, body := range tree {
		if strings.HasSuffix(name, ".go") {
			h.Files = append(h.Files, parse(fset, name, []byte(body)))
		} else {
			h.Texts[name] = body
		}
	}
	for _, e := range edges {
		to, version, _ := strings.Cut(e.to, "@")
		h.Packages = append(h.Packages, packageOf(e.from, "", true, to), packageOf(to, version, strings.HasPrefix(to, module+"/")))
	}
	return h
}

func packageOf(at, version string, main bool, imports ...string) Package {
	p := Package{ImportPath: at, Imports: imports, Deps: imports}
	p.Module = &struct {
		Path, Version string
		Main          bool
	}{at, version, main}
	return p
}
