package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

var codeRules = []Rule{
	{"clock, chance, environment and printing come from the edges", edgesOnly},
	{"whoever calls out goes through internal/outbound", oneWayOut},
	{"patterns are registered in server/routes.go alone", oneRouteTable},
	{"each route has a pattern of its own, a handler and a face", routesAreWhole},
	{"secrets have types that do not print", secretsDoNotPrint},
	{"logs and errors are not mixed: whoever returns an error does not log it", noLogAndReturn},
}

// edges may read clock, environment and terminal; the rooms are handed what they need.
var edges = []string{"cmd", "server", "tools", "sdk/go", "internal/config", "internal/secret", "session"}

// notInRooms are calls, by import path, that belong to the edges.
var notInRooms = map[string][]string{
	"time":     {"Now", "Since", "Until", "Sleep", "Tick"},
	"net/http": {"DefaultClient", "DefaultServeMux", "DefaultTransport", "Get", "Post", "PostForm", "Head", "ListenAndServe"},
	"fmt":      {"Print", "Println", "Printf"},
	"os":       {"Getenv", "LookupEnv", "Environ", "Setenv", "Exit", "Stdout", "Stderr", "Args"},
	"log":      {"Print", "Printf", "Println", "Fatal", "Fatalf", "Panic", "Default"},
}

func edgesOnly(h *House) (found []string) {
	h.code(func(f *File) {
		if slices.ContainsFunc(edges, f.In) {
			return
		}
		names := imported(f)
		for _, path := range names {
			if path == "math/rand" || path == "math/rand/v2" {
				found = append(found, f.Path+" imports "+path+": chance comes from internal/secret")
			}
		}
		for n := range ast.Preorder(f.AST) {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if path, name := qualified(names, n); slices.Contains(notInRooms[path], name) {
					found = append(found, fmt.Sprintf("%s uses %s.%s: only %s may", f.At(n), path, name, strings.Join(edges, ", ")))
				}
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					found = append(found, f.At(n)+" has an init: say it where it is needed")
				}
			}
		}
	})
	return found
}

// waysOut are what a call to elsewhere is made of, by import path.
var waysOut = map[string][]string{
	"net/http":   {"Client", "Transport"},
	"net":        {"Dial", "DialTimeout", "Dialer", "DialTCP", "Resolver", "DefaultResolver", "LookupHost", "LookupIP"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
}

// allowedOut may call out by themselves, each with its reason.
var allowedOut = map[string]string{
	"message/smtp.go":           "the operator names the mail server",
	"sdk/go/verifier.go":        "it runs in other people's servers, which name the issuer",
	"provider/fosite_config.go": "a client for fosite that goes nowhere",
}

func oneWayOut(h *House) (found []string) {
	h.code(func(f *File) {
		if f.In("internal/outbound") || allowedOut[f.Path] != "" {
			return
		}
		names, handed := imported(f), map[ast.Node]bool{}
		for n := range ast.Preorder(f.AST) {
			if star, ok := n.(*ast.StarExpr); ok {
				handed[star.X] = true // a pointer to one that somebody else made
			}
			s, ok := n.(*ast.SelectorExpr)
			if !ok || handed[n] {
				continue
			}
			if path, name := qualified(names, s); slices.Contains(waysOut[path], name) {
				found = append(found, fmt.Sprintf("%s uses %s.%s: calls to elsewhere go through internal/outbound, which guards them", f.At(n), path, name))
			}
		}
	})
	return found
}

// imported maps the names a file uses for its imports to their paths.
func imported(f *File) map[string]string {
	names := map[string]string{}
	for _, spec := range f.AST.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = path
	}
	return names
}

// qualified returns import path and name of package.Name, or "".
func qualified(names map[string]string, s *ast.SelectorExpr) (path, name string) {
	if id, ok := s.X.(*ast.Ident); ok {
		return names[id.Name], s.Sel.Name
	}
	return "", ""
}

// routeTables may spell patterns: the one table of the product, the contract, which a test holds
// against it, and the one route of the listener for metrics, which is no part of the issuer.
var routeTables = []string{"server/routes.go", "server/metrics.go", "server/contract_attempts.go", "server/contract_me.go", "server/contract_sessions.go"}

var pattern = regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /`)

func oneRouteTable(h *House) (found []string) {
	h.code(func(f *File) {
		if slices.Contains(routeTables, f.Path) {
			return
		}
		for n := range ast.Preorder(f.AST) {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && pattern.MatchString(s) {
					found = append(found, fmt.Sprintf("%s spells the pattern %q: the table is server/routes.go", f.At(n), s))
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "Handle" || s.Sel.Name == "HandleFunc") && len(n.Args) == 2 {
					if lit, ok := n.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
						found = append(found, f.At(n)+" registers a pattern: the table is server/routes.go")
					}
				}
			}
		}
	})
	return found
}

func routesAreWhole(h *House) (found []string) {
	seen := map[string]bool{}
	h.code(func(f *File) {
		if f.Path != "server/routes.go" {
			return
		}
		for n := range ast.Preorder(f.AST) {
			route, ok := n.(*ast.CompositeLit)
			if !ok {
				continue
			}
			keys := keysOf(route)
			if keys["Pattern"] == nil {
				continue
			}
			if keys["Do"] == nil || keys["Face"] == nil {
				found = append(found, f.At(route)+" is a route without handler or face")
			}
			if lit, ok := keys["Pattern"].(*ast.BasicLit); ok {
				if seen[lit.Value] {
					found = append(found, f.At(route)+" repeats the pattern "+lit.Value)
				}
				seen[lit.Value] = true
			}
		}
	})
	return found
}

// keysOf returns the values of a struct literal by field name.
func keysOf(lit *ast.CompositeLit) map[string]ast.Expr {
	keys := map[string]ast.Expr{}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				keys[id.Name] = kv.Value
			}
		}
	}
	return keys
}

// secretWords end the names of things that must not be printed.
var secretWords = []string{"password", "secret", "token", "code", "seed"}

// printable are fields that end in such a word and may be printed, each with its reason.
var printable = map[string]string{ //nolint:gosec // names of fields, no credentials
	"internal/problem/problem.go: Error.Code":           "the stable name of a problem, part of the public API",
	"internal/web/json.go: Document.Code":               "the same, as it is sent",
	"admin/import.go: LineError.Code":                   "the same, for a line of an import",
	"provider/failure.go: failure.Code":                 "the name of an OAuth error (RFC 6749 §5.2)",
	"provider/decide.go: verdict.code":                  "the same",
	"provider/client_auth.go: presented.secret":         "lives for one request, is compared and forgotten",
	"provider/request_claims.go: ClaimsRequest.IDToken": "names of claims, no token",
	"provider/id_token.go: idParts.code":                "lives for one answer, of which it becomes a hash",
	"message/message.go: Letter.Code":                   "the development inbox shows it; everywhere else a letter's words hold it anyway",
	"identity/profile.go: Address.PostalCode":           "a claim of OIDC Core §5.1.1, nothing secret",

	"provider/client_metadata.go: registration.Secret": "what RFC 7591 has a client send",
	"storage/clients.go: clientRow.RegistrationToken":  "a column: a digest",
	"session/carried.go: Introduction.BrowserToken":    "development: the answer is there to say it",
	"storage/login.go: attemptRow.Password":            "a column: a hash, sealed",
	"storage/login.go: invitationRow.Token":            "a column: a digest",
	"storage/factors.go: factorRow.Secret":             "a column: sealed",
	"storage/connections.go: connectionRow.Secret":     "a column: sealed",
}

func secretsDoNotPrint(h *House) (found []string) {
	h.code(func(f *File) {
		for n := range ast.Preorder(f.AST) {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok {
					found = append(found, plainSecrets(f, n.Name.Name, s)...)
				}
			case *ast.CallExpr:
				found = append(found, loggedSecrets(f, n)...)
			}
		}
	})
	return found
}

func plainSecrets(f *File, owner string, s *ast.StructType) (found []string) {
	for _, field := range s.Fields.List {
		if !plain(field.Type) {
			continue
		}
		for _, name := range field.Names {
			key := fmt.Sprintf("%s: %s.%s", f.Path, owner, name.Name)
			if !slices.Contains(secretWords, lastWord(name.Name)) || printable[key] != "" {
				continue
			}
			found = append(found, fmt.Sprintf("%s %s.%s is a plain string: use secret.String or secret.Digest, or give a reason in internal/house", f.At(field), owner, name.Name))
		}
	}
	return found
}

// plain reports string, []string and []byte.
func plain(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name == "string"
	case *ast.StarExpr:
		return plain(t.X)
	case *ast.ArrayType:
		id, ok := t.Elt.(*ast.Ident)
		return ok && (id.Name == "string" || id.Name == "byte")
	}
	return false
}

// lastWord returns the last word of a camel-case name, in lower case.
func lastWord(name string) string {
	start := strings.LastIndexFunc(name, unicode.IsUpper)
	return strings.ToLower(name[max(start, 0):])
}

var logCalls = []string{"Debug", "Info", "Warn", "Error", "DebugContext", "InfoContext", "WarnContext", "ErrorContext", "LogAttrs", "With", "String", "Any"}

// loggedSecrets finds slog keys that promise a secret. "code" is allowed: it is the
// stable name of a problem in our logs.
func loggedSecrets(f *File, call *ast.CallExpr) (found []string) {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains(logCalls, s.Sel.Name) || !aboutLogs(s.X) {
		return nil
	}
	for _, arg := range call.Args {
		lit, ok := arg.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		key, err := strconv.Unquote(lit.Value)
		if err == nil && key != "code" && slices.Contains(secretWords, key) {
			found = append(found, fmt.Sprintf("%s logs %q", f.At(lit), key))
		}
	}
	return found
}

func aboutLogs(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return strings.Contains(strings.ToLower(x.Name), "log")
	case *ast.SelectorExpr:
		return strings.Contains(strings.ToLower(x.Sel.Name), "log")
	}
	return false
}

func noLogAndReturn(h *House) (found []string) {
	h.code(func(f *File) {
		for n := range ast.Preorder(f.AST) {
			block, ok := n.(*ast.BlockStmt)
			if !ok {
				continue
			}
			for i := 0; i+1 < len(block.List); i++ {
				if logsAnError(block.List[i]) && returnsThat(block.List[i+1], "err") {
					found = append(found, f.At(block.List[i])+" logs an error and returns it: only the edge logs")
				}
			}
		}
	})
	return found
}

func logsAnError(s ast.Stmt) bool {
	expr, ok := s.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := expr.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains(logCalls, sel.Sel.Name) && aboutLogs(sel.X) && mentions(call, "err")
}

func returnsThat(s ast.Stmt, name string) bool {
	r, ok := s.(*ast.ReturnStmt)
	return ok && mentions(r, name)
}

func mentions(n ast.Node, name string) bool {
	for m := range ast.Preorder(n) {
		if id, ok := m.(*ast.Ident); ok && id.Name == name {
			return true
		}
	}
	return false
}
