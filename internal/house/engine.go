package house

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

var engineRules = []Rule{
	{"a Step is made in login/next.go and only compared elsewhere", stepsComeFromNext},
	{"inside InTx nothing is slow, and the closure shadows ctx", nothingSlowInTx},
	{"an address comes on file only where its rules were thought of", addressesAreJudged},
	{"a verdict on an address is made in federation/verdict.go and only read elsewhere", verdictsAreJudged},
	{"interfaces are small, and storage says which it keeps", storesAreKept},
}

// stepNames returns the constants of type Step that package login declares.
func stepNames(h *House) []string {
	var names []string
	h.code(func(f *File) {
		if f.Dir() != "login" {
			return
		}
		for n := range ast.Preorder(f.AST) {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				continue
			}
			if t, ok := spec.Type.(*ast.Ident); ok && t.Name == "Step" {
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
		}
	})
	return names
}

func stepsComeFromNext(h *House) (found []string) {
	names := stepNames(h)
	h.code(func(f *File) {
		if f.Path == "login/next.go" {
			return
		}
		isStep := func(x ast.Expr) bool { return namesStep(f, names, x) }
		say := func(n ast.Node, what string) {
			found = append(found, fmt.Sprintf("%s %s a Step: only login/next.go does", f.At(n), what))
		}
		for n := range ast.Preorder(f.AST) {
			switch n := n.(type) {
			case *ast.ReturnStmt:
				if slices.ContainsFunc(n.Results, isStep) {
					say(n, "returns")
				}
			case *ast.AssignStmt:
				if slices.ContainsFunc(n.Rhs, isStep) {
					say(n, "stores")
				}
			case *ast.KeyValueExpr:
				if isStep(n.Value) {
					say(n, "stores")
				}
			case *ast.ValueSpec:
				if slices.ContainsFunc(n.Values, isStep) {
					say(n, "stores")
				}
			case *ast.CallExpr:
				if len(n.Args) == 1 && stepType(f, n.Fun) {
					say(n, "builds")
				}
			}
		}
	})
	return found
}

// namesStep reports whether x is one of the constants, spelled as that file would.
func namesStep(f *File, names []string, x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return f.Dir() == "login" && slices.Contains(names, x.Name)
	case *ast.SelectorExpr:
		path, name := qualified(imported(f), x)
		return path == module+"/login" && slices.Contains(names, name)
	}
	return false
}

func stepType(f *File, fun ast.Expr) bool {
	switch fun := fun.(type) {
	case *ast.Ident:
		return f.Dir() == "login" && fun.Name == "Step"
	case *ast.SelectorExpr:
		path, name := qualified(imported(f), fun)
		return path == module+"/login" && name == "Step"
	}
	return false
}

// slowPackages and slowMethods take longer than a transaction should last: the network,
// other programs, drawing, hashing of passwords.
var (
	slowPackages = []string{"net/http", "net/smtp", "os/exec", "html/template", "text/template", "idp/internal/outbound"}
	slowMethods  = []string{"Waste", "Deliver", "Render", "Dial", "DialContext", "Sleep", "Hash", "Breached"}
)

func nothingSlowInTx(h *House) (found []string) {
	h.code(func(f *File) {
		names := imported(f)
		for n := range ast.Preorder(f.AST) {
			call, ok := n.(*ast.CallExpr)
			if !ok || calledName(call) != "InTx" || len(call.Args) == 0 {
				continue
			}
			closure, ok := call.Args[len(call.Args)-1].(*ast.FuncLit)
			if !ok {
				continue
			}
			if !shadows(closure, call.Args[0]) {
				found = append(found, f.At(call)+" leaves the outer ctx in reach inside InTx: give the closure's context the same name")
			}
			found = append(found, slowCalls(f, names, closure.Body)...)
		}
	})
	return found
}

func calledName(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		return fun.Sel.Name
	case *ast.Ident:
		return fun.Name
	}
	return ""
}

// shadows reports whether the closure's one parameter hides the context that was passed.
func shadows(closure *ast.FuncLit, outer ast.Expr) bool {
	params := closure.Type.Params.List
	if len(params) != 1 || len(params[0].Names) != 1 {
		return false
	}
	inner := params[0].Names[0].Name
	if id, ok := outer.(*ast.Ident); ok {
		return inner == id.Name
	}
	return inner == "ctx" // r.Context() and the like: there is no outer name to hide
}

func slowCalls(f *File, names map[string]string, body ast.Node) (found []string) {
	for n := range ast.Preorder(body) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			continue
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		path, name := qualified(names, sel)
		if slices.Contains(slowPackages, path) || path == "" && slices.Contains(slowMethods, name) || hashes(sel) {
			found = append(found, fmt.Sprintf("%s calls %s inside InTx: do slow work before, or leave a job", f.At(call), sel.Sel.Name))
		}
	}
	return found
}

// hashes reports a call on something called a hasher, whatever the method.
func hashes(s *ast.SelectorExpr) bool {
	switch x := s.X.(type) {
	case *ast.Ident:
		return strings.Contains(strings.ToLower(x.Name), "hasher")
	case *ast.SelectorExpr:
		return strings.Contains(strings.ToLower(x.Sel.Name), "hasher")
	}
	return false
}

const mostMethods = 9

func storesAreKept(h *House) (found []string) {
	kept, beside := keptInterfaces(h)
	storage := slices.ContainsFunc(h.Files, func(f *File) bool { return f.Dir() == "storage" && !f.Test })
	h.code(func(f *File) {
		for n := range ast.Preorder(f.AST) {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				continue
			}
			iface, ok := spec.Type.(*ast.InterfaceType)
			if !ok {
				continue
			}
			if got := methods(iface); got > mostMethods {
				found = append(found, fmt.Sprintf("%s %s has %d methods; more than %d are two interfaces", f.At(spec), spec.Name.Name, got, mostMethods))
			}
			name := f.Dir() + "." + spec.Name.Name
			if storage && !f.In("storage") && strings.HasSuffix(spec.Name.Name, "Store") && !kept[name] {
				found = append(found, fmt.Sprintf("%s: storage does not say `var _ %s.%s = (*…)(nil)`", f.At(spec), f.AST.Name.Name, spec.Name.Name))
			}
		}
	})
	return append(found, beside...)
}

func methods(i *ast.InterfaceType) (n int) {
	for _, m := range i.Methods.List {
		n += len(m.Names) // embedded ones are counted where they are declared
	}
	return n
}

// keptInterfaces reads the `var _ room.Interface = (*T)(nil)` of storage, and reports
// those that stand in another file than T.
func keptInterfaces(h *House) (kept map[string]bool, misplaced []string) {
	kept = map[string]bool{}
	h.code(func(f *File) {
		if !f.In("storage") {
			return
		}
		names := imported(f)
		for n := range ast.Preorder(f.AST) {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != 1 || spec.Names[0].Name != "_" || len(spec.Values) != 1 {
				continue
			}
			sel, ok := spec.Type.(*ast.SelectorExpr)
			if !ok {
				continue
			}
			path, name := qualified(names, sel)
			kept[strings.TrimPrefix(path, module+"/")+"."+name] = true
			if t := pointee(spec.Values[0]); t != "" && !implements(f, t) {
				misplaced = append(misplaced, fmt.Sprintf("%s promises for %s, which is in another file", f.At(spec), t))
			}
		}
	})
	return kept, misplaced
}

// pointee returns T of (*T)(nil), or "".
func pointee(x ast.Expr) string {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return ""
	}
	paren, ok := call.Fun.(*ast.ParenExpr)
	if !ok {
		return ""
	}
	star, ok := paren.X.(*ast.StarExpr)
	if !ok {
		return ""
	}
	if id, ok := star.X.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// implements reports whether the file declares the type or a method of it.
func implements(f *File, name string) bool {
	for _, d := range f.AST.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
					return true
				}
			}
		case *ast.FuncDecl:
			if d.Recv != nil && receiver(d) == name {
				return true
			}
		}
	}
	return false
}

func receiver(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexExpr); ok {
		t = index.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// bringers may put an address on file. login asks identity.AddressRules first; what an
// operator puts on file is the operator's choice, what an undo brings back was on file before,
// account and login/linked.go change the rank, or the proof, of what is there, and login/merge.go
// moves what was proven for an account of the same person.
var bringers = []string{"login/settle.go", "login/undo_return.go", "login/linked.go", "login/merge.go", "account/identifiers.go", "admin/users.go", "admin/change.go"}

func addressesAreJudged(h *House) (found []string) {
	h.code(func(f *File) {
		for n := range ast.Preorder(f.AST) {
			call, ok := n.(*ast.CallExpr)
			if ok && calledName(call) == "SaveHolding" && !slices.Contains(bringers, f.Path) {
				found = append(found, f.At(call)+" puts an address on file: ask identity.AddressRules first, then add the file to bringers")
			}
		}
	})
	return found
}
