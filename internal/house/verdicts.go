package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// judge is the file that turns a provider's word about an address into a verdict.
const judge = "federation/verdict.go"

// verdictsAreJudged finds a federation.Verdict that is built outside the judge, or one that is
// changed after it was made.
func verdictsAreJudged(h *House) (found []string) {
	h.code(func(f *File) {
		names := imported(f)
		if f.Path == judge || f.Dir() != "federation" && !slices.Contains(values(names), module+"/federation") {
			return
		}
		say := func(n ast.Node, what string) {
			found = append(found, fmt.Sprintf("%s %s: only %s judges", f.At(n), what, judge))
		}
		isVerdict := func(x ast.Expr) bool { return namesVerdict(f, names, x) }
		for n := range ast.Preorder(f.AST) {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if len(n.Elts) > 0 && (isVerdict(n.Type) || slices.ContainsFunc(elements(n.Type), isVerdict)) {
					say(n, "builds a Verdict")
				}
			case *ast.CallExpr:
				if isVerdict(n.Fun) {
					say(n, "converts to a Verdict")
				}
			case *ast.AssignStmt:
				for i, to := range n.Lhs {
					if s, ok := to.(*ast.SelectorExpr); ok && (s.Sel.Name == "Verified" || s.Sel.Name == "Verdict" && !judged(f, n, i)) {
						say(n, "writes a Verdict")
					}
				}
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && id.Name == "Verified" {
					say(n, "sets Verified")
				}
			case *ast.UnaryExpr:
				if s, ok := n.X.(*ast.SelectorExpr); ok && n.Op == token.AND && s.Sel.Name == "Verdict" {
					say(n, "hands out a Verdict to be written")
				}
			}
		}
	})
	return found
}

// judged reports whether what is assigned is the judge's own answer.
func judged(f *File, n *ast.AssignStmt, i int) bool {
	if f.Dir() != "federation" || len(n.Lhs) != len(n.Rhs) {
		return false
	}
	call, ok := n.Rhs[i].(*ast.CallExpr)
	return ok && calledName(call) == "judge"
}

// elements returns the types of which a list or map is made.
func elements(t ast.Expr) []ast.Expr {
	switch t := t.(type) {
	case *ast.ArrayType:
		return []ast.Expr{t.Elt}
	case *ast.MapType:
		return []ast.Expr{t.Key, t.Value}
	}
	return nil
}

func namesVerdict(f *File, names map[string]string, x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.StarExpr:
		return namesVerdict(f, names, x.X)
	case *ast.ParenExpr:
		return namesVerdict(f, names, x.X)
	case *ast.Ident:
		return f.Dir() == "federation" && x.Name == "Verdict"
	case *ast.SelectorExpr:
		path, name := qualified(names, x)
		return path == module+"/federation" && name == "Verdict"
	}
	return false
}

func values(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
