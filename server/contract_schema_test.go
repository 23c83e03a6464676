package server_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"idp/account"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	tokens "idp/token"
)

// schemas turns types into JSON Schemas: huma reads the types, and what is written above them and
// their members becomes the descriptions.
type schemas struct {
	*testing.T
	registry huma.Registry
	said     map[string]*source // by directory
	asked    map[string]bool    // by name: it is sent to us, so that unknown members are refused
}

// called are the types that others know by another name.
var called = map[reflect.Type]string{
	reflect.TypeFor[login.CompletedAttempt](): "Attempt",
	reflect.TypeFor[login.Check]():            "BotCheck",
	reflect.TypeFor[tokens.Answer]():          "Token",
	reflect.TypeFor[tokens.Wish]():            "TokenRequest",
	reflect.TypeFor[account.Presents]():       "SessionList",
	reflect.TypeFor[account.Present]():        "Session",
	reflect.TypeFor[account.Shown]():          "SessionUser",
	reflect.TypeFor[account.ProfileChange]():  "ProfileRequest",
	reflect.TypeFor[account.Standing]():       "CurrentSession",
	reflect.TypeFor[account.Connectable]():    "AvailableConnection",
	reflect.TypeFor[account.Connected]():      "ConnectedAccount",
	reflect.TypeFor[identity.Party]():         "App",
	reflect.TypeFor[account.App]():            "Grant",
}

// closed are the words that have no others beside them. Methods are open: each provider has one.
var closed = []reflect.Type{
	reflect.TypeFor[login.Goal](), reflect.TypeFor[login.Step](), reflect.TypeFor[login.Mode](), reflect.TypeFor[login.Action](),
	reflect.TypeFor[login.ButtonLayout](), reflect.TypeFor[login.ButtonPlace](), reflect.TypeFor[identity.Kind](),
}

func newSchemas(t *testing.T) *schemas {
	huma.DefaultArrayNullable = false
	s := &schemas{T: t, said: map[string]*source{}, asked: map[string]bool{}}
	s.registry = huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, _ string) string {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if name := called[t]; name != "" {
			return name
		}
		return t.Name()
	})
	s.registry.RegisterTypeAlias(reflect.TypeFor[login.View](), reflect.TypeFor[login.CompletedAttempt]())
	return s
}

// of returns what refers to the schema of a value's type.
func (s *schemas) of(v any, asked bool) any {
	t := reflect.TypeOf(v)
	s.hide(t, map[reflect.Type]bool{})
	ref := s.registry.Schema(t, true, "").Ref
	if ref == "" {
		s.Fatalf("%s has no schema", t)
	}
	if asked {
		s.asked[strings.TrimPrefix(ref, "#/components/schemas/")] = true
	}
	return object{"$ref": ref}
}

// hide makes strings of what secrets travel in.
func (s *schemas) hide(t reflect.Type, seen map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] || !strings.HasPrefix(t.PkgPath(), "idp/") {
		return
	}
	seen[t] = true
	if t == reflect.TypeFor[secret.String]() || t.NumField() == 1 && t.Field(0).Anonymous && t.Field(0).Type == reflect.TypeFor[secret.String]() {
		s.registry.RegisterTypeAlias(t, reflect.TypeFor[string]())
		return
	}
	for f := range t.Fields() {
		s.hide(f.Type, seen)
	}
}

// all are the schemas that were asked for, with words.
func (s *schemas) all() map[string]any {
	out := map[string]any{}
	for name, schema := range s.registry.Map() {
		raw, err := json.Marshal(schema)
		if err != nil {
			s.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			s.Fatal(err)
		}
		if !s.asked[name] {
			delete(m, "additionalProperties") // more may come
		}
		t := s.registry.TypeFromRef("#/components/schemas/" + name)
		if text := s.source(t).types[t.Name()]; text != "" {
			m["description"] = text
		}
		s.describe(t, m)
		out[name] = m
	}
	return out
}

// describe puts the words of a type's members into its schema.
func (s *schemas) describe(t reflect.Type, m map[string]any) {
	properties, _ := m["properties"].(map[string]any)
	for f := range t.Fields() {
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			s.describe(f.Type, m)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		property, ok := properties[name].(map[string]any)
		if !ok {
			continue
		}
		if f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct && options == "" {
			property = map[string]any{"anyOf": []any{property, object{"type": "null"}}}
			properties[name] = property
		}
		if text := s.source(t).members[t.Name()+"."+f.Name]; text != "" {
			property["description"] = text
		}
		at, of := property, f.Type
		if of.Kind() == reflect.Slice {
			of = of.Elem()
			at, _ = property["items"].(map[string]any)
		}
		if at != nil && slices.Contains(closed, of) {
			at["enum"] = s.source(of).words[of.Name()]
		}
	}
}

// source is what a package says above its types and their members, and the words of its kinds.
type source struct {
	types, members map[string]string
	words          map[string][]string
}

func (s *schemas) source(t reflect.Type) *source {
	dir := filepath.Join("..", strings.TrimPrefix(t.PkgPath(), "idp/"))
	if known := s.said[dir]; known != nil {
		return known
	}
	out := &source{types: map[string]string{}, members: map[string]string{}, words: map[string][]string{}}
	s.said[dir] = out
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil || len(files) == 0 {
		s.Fatal(dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			s.Fatal(err)
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				out.read(g)
			}
		}
	}
	return out
}

func (out *source) read(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			out.types[spec.Name.Name] = sentence(spec.Name.Name, g.Doc, spec.Doc)
			body, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range body.Fields.List {
				for _, n := range f.Names {
					out.members[spec.Name.Name+"."+n.Name] = sentence(n.Name, f.Doc, f.Comment)
				}
			}
		case *ast.ValueSpec:
			kind, ok := spec.Type.(*ast.Ident)
			if !ok || g.Tok != token.CONST || len(spec.Values) != 1 {
				continue
			}
			if word, ok := spec.Values[0].(*ast.BasicLit); ok && word.Value != `""` && spec.Names[0].Name != "Ready" { // no screen ever shows Ready
				text, err := strconv.Unquote(word.Value)
				if err == nil {
					out.words[kind.Name] = append(out.words[kind.Name], text)
				}
			}
		}
	}
}

// sentence is a comment without the name that Go has it begin with.
func sentence(name string, from ...*ast.CommentGroup) string {
	for _, c := range from {
		text := strings.Join(strings.Fields(c.Text()), " ")
		text = strings.TrimPrefix(text, name+" ")
		for _, verb := range []string{"is ", "are ", "say "} {
			text = strings.TrimPrefix(text, verb)
		}
		if text != "" {
			return strings.ToUpper(text[:1]) + text[1:]
		}
	}
	return ""
}
