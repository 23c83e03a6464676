package house

import (
	"flag"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"idp/internal/config"
)

var write = flag.Bool("write", false, "write generated documents instead of comparing them")

// generated are documents that follow from the code: configuration from its keys, events
// from their constants. Run `go test ./internal/house -write` after changing either.
var generated = map[string]func(h *House) string{
	"docs/operate/configuration.md": configuration,
	"docs/operate/events.md":        events,
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
