// Package house keeps the rules of this house as tests, so that `go test ./...`
// is the gate even where no linter is installed.
//
// A Rule looks at the whole tree once: the packages as `go list` sees them, every
// Go file parsed, every page of documentation. What it returns are findings, one
// line each, saying where and what to do. Every rule is also run on planted
// faults; a rule that finds nothing there is no rule, and the tests say so.
package house

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// Rule is one promise about the tree. Check returns a line for each breach, none if it is kept.
type Rule struct {
	Name  string // the promise, as a sentence
	Check func(*House) []string
}

// Rules returns all rules.
func Rules() []Rule {
	var all []Rule
	for _, some := range [][]Rule{importRules, codeRules, engineRules, shapeRules, wordRules} {
		all = append(all, some...)
	}
	return all
}

// House is the tree as the rules see it.
type House struct {
	Packages []Package
	Files    []*File
	Texts    map[string]string // documentation and build files, by path
	Exists   func(path string) bool
}

// Package is what `go list -deps -json` says of one package.
type Package struct {
	ImportPath string
	Name       string
	Standard   bool
	Imports    []string
	Deps       []string
	Module     *struct {
		Path, Version string
		Main          bool
	}
}

// File is one parsed Go file.
type File struct {
	Path  string // from the root, with slashes
	Lines int
	Test  bool
	AST   *ast.File
	Fset  *token.FileSet
	Err   error // it does not parse
}

// At says where a node is.
func (f *File) At(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.Path, f.Fset.Position(n.Pos()).Line)
}

// Dir is the folder the file is in: its room.
func (f *File) Dir() string { return path.Dir(f.Path) }

// In reports whether the file is in that folder or below it.
func (f *File) In(dir string) bool { return within(f.Path, dir) }

// module is the name of ours.
const module = "idp"

// within reports whether p is dir, or below it.
func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// skipped folders hold nothing of ours to judge.
var skipped = map[string]bool{
	".git": true, "node_modules": true, "third_party": true, "testdata": true,
	"artifacts": true, "bin": true, "data": true, "idp-data": true, "simplesamlphp": true,
}

// Load reads the tree at root: one `go list`, one parse.
func Load(ctx context.Context, root string) (*House, error) {
	h := &House{Texts: map[string]string{}, Exists: func(p string) bool {
		_, err := os.Stat(filepath.Join(root, filepath.FromSlash(p)))
		return err == nil
	}}
	if err := h.list(ctx, root); err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipped[d.Name()] {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		return h.take(fset, root, filepath.ToSlash(rel))
	})
	return h, err
}

// take reads one file, if it is of a kind that a rule looks at.
func (h *House) take(fset *token.FileSet, root, rel string) error {
	goFile := strings.HasSuffix(rel, ".go")
	if !goFile && !isText(rel) {
		return nil
	}
	body, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(rel))) //nolint:gosec // a file of this repository
	if err != nil {
		return err
	}
	if goFile {
		h.Files = append(h.Files, parse(fset, rel, body))
		return nil
	}
	h.Texts[rel] = string(body)
	return nil
}

func isText(rel string) bool {
	switch path.Ext(rel) {
	case ".md", ".yaml", ".yml", ".mjs", ".html", ".css", ".sql", ".txt":
		return true
	}
	switch path.Base(rel) {
	case "Dockerfile", "Makefile", "LICENSE", "go.mod", "package-lock.json", "package.json", "run":
		return true
	}
	return false
}

func parse(fset *token.FileSet, rel string, body []byte) *File {
	tree, err := parser.ParseFile(fset, rel, body, parser.ParseComments|parser.SkipObjectResolution)
	return &File{
		Path: rel, Lines: bytes.Count(body, []byte("\n")), Test: strings.HasSuffix(rel, "_test.go"),
		AST: tree, Fset: fset, Err: err,
	}
}

// list asks the go command for every package of ours and all they link.
func (h *House) list(ctx context.Context, root string) error {
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-deps", "-json=ImportPath,Name,Standard,Imports,Deps,Module", "./...")
	cmd.Dir = root
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go list: %w: %s", err, complaints.String())
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p Package
		if err := d.Decode(&p); err != nil {
			return fmt.Errorf("read go list: %w", err)
		}
		h.Packages = append(h.Packages, p)
	}
	return nil
}

// own returns the packages of our module with their path inside it ("" is the root).
func (h *House) own(see func(p Package, room string)) {
	for _, p := range h.Packages {
		if p.Module == nil || !p.Module.Main {
			continue
		}
		see(p, strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/"))
	}
}

// code calls see for every Go file that is part of the product: no tests, no tools, no
// examples, no packages that help tests (storagetest and the like).
func (h *House) code(see func(f *File)) {
	for _, f := range h.Files {
		if f.AST != nil && !f.Test && !f.In("e2e") && !f.In("bench") && !f.In("examples") && !f.In("internal/house") && !strings.HasSuffix(f.Dir(), "test") {
			see(f)
		}
	}
}
