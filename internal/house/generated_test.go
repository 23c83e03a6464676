package house

import (
	"flag"
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"idp/federation"
	"idp/internal/config"
)

var write = flag.Bool("write", false, "write generated documents instead of comparing them")

// generated are documents that follow from the code: configuration from its keys, events
// from their constants. Run `go test ./internal/house -write` after changing either.
var generated = map[string]func(h *House) string{
	"docs/operate/configuration.md": configuration,
	"docs/operate/events.md":        events,

	"docs/operate/connections-presets.md": presets,
}

func TestGeneratedDocumentsSayWhatTheCodeSays(t *testing.T) {
	h, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range generated {
		want := text(h)
		if *write {
			if err := os.WriteFile(filepath.Join("../..", name), []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if h.Texts[name] != want {
			t.Errorf("%s is not what the code says: run go test ./internal/house -write", name)
		}
	}
}

func configuration(*House) string {
	var out strings.Builder
	out.WriteString(`# Configuration

How a process runs is read in three layers, each stronger than the one before: defaults, one YAML file
(` + "`idp serve --config idp.yaml`" + ` or ` + "`IDP_CONFIG`" + `), and the environment. A secret may be given by the name of a
file that holds it: ` + "`IDP_MASTER_KEY_FILE=/run/secrets/master-key`" + `. Lists in the environment are separated by
commas.

` + "`idp config explain`" + ` prints every value and where it came from; ` + "`idp config validate`" + ` says what production would
refuse. What an operator changes while running (who may sign up, how long sessions last) is on the operator
pages, not here.

| key | environment | default | |
|---|---|---|---|
`)
	for _, k := range config.Keys() {
		value := k.Depends
		if k.Default != "" {
			value = "`" + k.Default + "`"
		}
		doc := k.Doc
		if len(k.Allowed) > 0 {
			doc += " One of `" + strings.Join(k.Allowed, "`, `") + "`."
		}
		env := "`" + k.Env() + "`"
		if k.Secret {
			env += ", `" + k.Env() + "_FILE`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", k.Name, env, value, doc)
	}
	return out.String()
}

func events(h *House) string {
	var out strings.Builder
	out.WriteString(`# Events

What happened, kept as the audit trail in the transaction that made it true. ` + "`idp events list`" + ` shows them.
Events carry ids, never addresses, codes or tokens.

| event | when |
|---|---|
`)
	for _, f := range h.Files {
		if f.Path != "event/event.go" || f.AST == nil {
			continue
		}
		for n := range ast.Preorder(f.AST) {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				continue
			}
			if t, ok := spec.Type.(*ast.Ident); !ok || t.Name != "Kind" {
				continue
			}
			lit, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				continue
			}
			name, _ := strconv.Unquote(lit.Value)
			fmt.Fprintf(&out, "| `%s` | %s |\n", name, strings.TrimSpace(spec.Comment.Text()))
		}
	}
	return out.String()
}

func presets(*House) string {
	var out strings.Builder
	out.WriteString(`# Providers that are known

A preset saves you the endpoints of a provider: name it, and give what you got when you registered there. What
the provider says of an email address counts as proof only where the table says so, by the document that is
named. Everywhere else the person proves the address by a code of ours, once, before anything is linked to it.

` + "```json" + `
{"name": "google", "preset": "google", "client_id": "…", "client_secret": "…"}
` + "```" + `

At the provider, register the callback ` + "`https://YOUR-ISSUER/federation/NAME/callback`" + `, where NAME is the name of the
connection; ` + "`idp connection test NAME`" + ` prints it. Where a preset needs options, they go into ` + "`options`" + `:
` + "`{\"options\": {\"tenant\": \"organizations\"}}`" + `.

Three rules stand above every row. ` + "`trust.email`" + ` of a connection is yours: ` + "`never`" + ` proves every address by a code,
` + "`claim`" + ` believes the claim that the row names even where the row does not, ` + "`domains`" + ` believes addresses of the connection's
` + "`domains`" + ` and no others. An address in a domain of another connection is never believed. And whatever is absent, of
another type or spelled differently than the row says is not believed.

A claim speaks of the address it comes with: if you map ` + "`email`" + ` to another claim, the row does not count any more.

| provider | preset | its email address counts as proven if |
|---|---|---|
`)
	for _, p := range federation.Presets() {
		fmt.Fprintf(&out, "| [%s](#%s) | `%s` | %s |\n", p.Title, p.Name, p.Name, believed(p))
	}
	for _, p := range federation.Presets() {
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n", p.Name, p.Help)
		fmt.Fprintf(&out, "- Where to register: <%s>\n", p.Console)
		if len(p.Needs) > 0 {
			fmt.Fprintf(&out, "- Options that it needs: `%s`\n", strings.Join(p.Needs, "`, `"))
		}
		for _, name := range slices.Sorted(maps.Keys(p.Options)) {
			if value := p.Options[name]; value != "" {
				fmt.Fprintf(&out, "- Option `%s`: `%s` if you give none\n", name, value)
			} else {
				fmt.Fprintf(&out, "- Option `%s` may be left out\n", name)
			}
		}
		if len(p.Scopes) > 0 {
			fmt.Fprintf(&out, "- Scopes that are asked for: `%s`\n", strings.Join(p.Scopes, "`, `"))
		}
		fmt.Fprintf(&out, "- Its address counts as proven if: %s\n- By [its documentation](%s): %s\n", believed(p), p.Doc.URL, p.Doc.Says)
	}
	return out.String()
}

// believed says when a provider's word about an address counts.
func believed(p federation.Preset) string {
	say := func(r federation.Rule) string {
		var all []string
		for _, flag := range r {
			all = append(all, fmt.Sprintf("`%s` is `%s`", flag.Claim, flag.Yes))
		}
		if p.Emails.In != "" {
			return fmt.Sprintf("of the one address with `%s`, %s", p.Emails.Primary, strings.Join(all, " and "))
		}
		return strings.Join(all, " and ")
	}
	switch {
	case len(p.Rule) > 0 && p.Hosted != "":
		return fmt.Sprintf("%s, and its domain is `%s` or `%s` is there", say(p.Rule), strings.Join(p.Own, "`, `"), p.Hosted)
	case len(p.Rule) > 0:
		return say(p.Rule)
	case len(p.Claim) > 0:
		return "never, unless `trust.email` is `claim` and " + say(p.Claim)
	}
	return "never"
}
