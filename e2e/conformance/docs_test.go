package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const manual = "../../docs/conformance.md"

// TestDocs keeps docs/conformance.md equal to the plans above. To write it anew:
//
//	go test ./e2e/conformance -run Docs -update
func TestDocs(t *testing.T) {
	want := wholePage()
	if *update {
		must(t, os.WriteFile(manual, []byte(want), 0o600))
		return
	}
	got, err := os.ReadFile(manual)
	must(t, err)
	if string(got) != want {
		t.Error("docs/conformance.md is not what the plans say; run: go test ./e2e/conformance -run Docs -update")
	}
}

const opening = `# Conformance

` + "`e2e/conformance`" + ` asks idp what the OpenID Foundation's conformance suite asks an OpenID Provider for certification. Each test has the
name of the suite's module; the code is our own, and it runs with everything else:

    go test ./e2e/conformance                                                     # SQLite
    IDP_TEST_POSTGRES=postgres://... go test ./e2e/conformance                    # and PostgreSQL
    go test ./e2e/conformance -run 'TestConformance/sqlite/oidcc-basic.*/code/oidcc-server$' -v

idp serves https with a certificate of an authority that the test makes. The relying party is plain HTTP and JOSE, the browser runs no
script. Where the suite waits (30 seconds before a code is used again, 60 before new keys are fetched) the server's clock is put forward.
This page is generated from the table of plans.

`

const closing = `
## What this does not show

- **The suite itself was not run.** It needs Java, MongoDB and a reverse proxy, which the place where idp is built does not have. The
  configurations to run it are in [e2e/conformance/suite](../e2e/conformance/suite/README.md); a test checks that every address and element
  they name exists.
- The suite's browser is HtmlUnit with scripts on. The browser here has none; the pages work either way.
- Screenshots that people judge (a sign-in page that is asked for again, error and logout pages) are checked here by elements and codes.
- ` + "`check_session_iframe`" + `: the tests do the arithmetic of the frame's script themselves, on the cookie that it would read.
- The suite skips what the metadata does not offer: unsigned ID tokens and unsigned request objects. idp accepts unsigned request objects of
  clients that registered for them (` + "`request_object_signing_alg: none`" + `), but the suite's clients do not register, so the metadata does not
  offer them; the tests here try both sides.
- TLS versions and cipher suites are Go's defaults, from TLS 1.2 on; they are not scanned.
- FAPI, CIBA and the comprehensive plan are not part of this.
`

// wholePage is the whole page.
func wholePage() string {
	var b strings.Builder
	b.WriteString(opening)
	b.WriteString("## Plans\n\n| | Plan of the suite | Profile | Variants | Modules, client registered dynamically | Modules, client given |\n|---|---|---|---|---|---|\n")
	for i, p := range plans() {
		dynamic, static := p.count()
		fmt.Fprintf(&b, "| %c | `%s` | %s | %s | %s | %s |\n", 'A'+i, p.name, p.profile, p.variants(), number(dynamic), number(static))
	}
	b.WriteString("\nThe test of a module is `TestConformance/<engine>/<plan>/<variant>/<module>`.\n\n## Modules\n\n")
	b.WriteString("| Module | What it wants | Plans | Test |\n|---|---|---|---|\n")
	all := modules()
	var notes []string
	for _, name := range sorted(all) {
		m := all[name]
		mark := ""
		if m.note != "" {
			if !slices.Contains(notes, m.note) {
				notes = append(notes, m.note)
			}
			mark = fmt.Sprintf(" (%d)", slices.Index(notes, m.note)+1)
		}
		fmt.Fprintf(&b, "| `%s` | %s%s | %s | %s |\n", name, m.wants, mark, m.plans(), m.test())
	}
	b.WriteString("\n")
	for i, note := range notes {
		fmt.Fprintf(&b, "%d. %s.\n", i+1, strings.ToUpper(note[:1])+note[1:])
	}
	b.WriteString(closing)
	return b.String()
}

func sorted(all map[string]module) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// count returns how many modules the plan runs, by how the client is registered.
func (p plan) count() (dynamic, static int) {
	for _, part := range p.parts {
		for _, v := range part.variants {
			for _, name := range part.modules {
				switch m := modules()[name]; {
				case m.applies(v) && v.static:
					static++
				case m.applies(v):
					dynamic++
				}
			}
		}
	}
	return dynamic, static
}

// variants says which response types and client authentications the plan runs.
func (p plan) variants() string {
	var responses, auths []string
	for _, part := range p.parts {
		for _, v := range part.variants {
			if v.response != "" && !slices.Contains(responses, "`"+v.response+"`") {
				responses = append(responses, "`"+v.response+"`")
			}
			if v.auth != "" && !slices.Contains(auths, "`"+v.auth+"`") {
				auths = append(auths, "`"+v.auth+"`")
			}
		}
	}
	if len(responses) == 0 {
		return "none"
	}
	return strings.Join(responses, ", ") + "; " + strings.Join(auths, ", ")
}

// plans are the letters of the plans that run the module.
func (m module) plans() string {
	var letters []string
	for i, p := range plans() {
		for _, part := range p.parts {
			if slices.Contains(part.modules, m.name) && slices.ContainsFunc(part.variants, m.applies) && !slices.Contains(letters, string(rune('A'+i))) {
				letters = append(letters, string(rune('A'+i)))
			}
		}
	}
	return strings.Join(letters, " ")
}

// test names the function and its file.
func (m module) test() string {
	f := runtime.FuncForPC(reflect.ValueOf(m.do).Pointer())
	file, _ := f.FileLine(f.Entry())
	name := f.Name()[strings.LastIndex(f.Name(), "/")+1:]
	name = strings.TrimPrefix(name, "conformance.")
	name, _, _ = strings.Cut(name, ".")
	if name == "init" { // made by a function: its file says enough
		return "`" + filepath.Base(file) + "`"
	}
	return fmt.Sprintf("`%s` in `%s`", name, filepath.Base(file))
}
