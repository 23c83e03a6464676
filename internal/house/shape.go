package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

var shapeRules = []Rule{
	{"every file parses", everyFileParses},
	{"a file holds one idea: at most 400 lines, a test at most 600", sizes},
	{"every package tells its story, every exported name has a comment", documented},
	{"no room is called util, common, helper, manager or base", plainNames},
	{"a linter is silenced only with a reason", reasonsForSilence},
}

const (
	mostLines     = 400
	mostTestLines = 600
)

func everyFileParses(h *House) (found []string) {
	for _, f := range h.Files {
		if f.Err != nil {
			found = append(found, fmt.Sprintf("%s: %v", f.Path, f.Err))
		}
	}
	return found
}

func sizes(h *House) (found []string) {
	for _, f := range h.Files {
		most := mostLines
		if f.Test {
			most = mostTestLines
		}
		if f.Lines > most {
			found = append(found, fmt.Sprintf("%s has %d lines, %d are the most: it holds two ideas", f.Path, f.Lines, most))
		}
	}
	return found
}

func documented(h *House) (found []string) {
	told := map[string]bool{}
	h.eachProductFile(func(f *File) {
		told[f.Dir()] = told[f.Dir()] || f.AST.Doc != nil
		for _, d := range f.AST.Decls {
			found = append(found, undocumented(f, d)...)
		}
	})
	for _, dir := range slices.Sorted(maps.Keys(told)) {
		if !told[dir] {
			found = append(found, dir+" has no package comment: tell what the room is for")
		}
	}
	return found
}

// eachProductFile calls see for every Go file that is not a test, tools included.
func (h *House) eachProductFile(see func(f *File)) {
	for _, f := range h.Files {
		if f.AST != nil && !f.Test {
			see(f)
		}
	}
}

func undocumented(f *File, d ast.Decl) (found []string) {
	say := func(n ast.Node, name string) {
		found = append(found, fmt.Sprintf("%s %s is exported and says nothing", f.At(n), name))
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
			say(d, d.Name.Name)
		}
	case *ast.GenDecl:
		if d.Tok == token.IMPORT || d.Doc != nil {
			return nil
		}
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Doc == nil && s.Name.IsExported() {
					say(s, s.Name.Name)
				}
			case *ast.ValueSpec:
				if s.Doc == nil && s.Comment == nil && slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
					say(s, s.Names[0].Name)
				}
			}
		}
	}
	return found
}

var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "base", "misc", "shared", "lib"}

func plainNames(h *House) (found []string) {
	seen := map[string]bool{}
	for _, f := range h.Files {
		for _, name := range []string{path.Base(f.Dir()), strings.TrimSuffix(path.Base(f.Path), ".go")} {
			at := f.Dir() + "/" + name
			if slices.Contains(emptyNames, strings.TrimSuffix(name, "_test")) && !seen[at] {
				seen[at] = true
				found = append(found, f.Path+" is named after nothing: say what it is")
			}
		}
	}
	return found
}

// silenced is the only form allowed: nolint with its linters and a reason.
var silenced = regexp.MustCompile(`^//nolint:[a-z,]+ // \S+`)

func reasonsForSilence(h *House) (found []string) {
	for _, f := range h.Files {
		if f.AST == nil {
			continue
		}
		for _, group := range f.AST.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//nolint") && !silenced.MatchString(c.Text) {
					found = append(found, f.At(c)+" silences a linter without saying which and why")
				}
			}
		}
	}
	return found
}
