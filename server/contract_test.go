package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"idp/docs/openapi"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/server"
)

var write = flag.Bool("write", false, "write docs/openapi/frontend.json")

const documentFile = "../docs/openapi/frontend.json"

func TestThePublishedDescriptionSaysWhatTheTypesSay(t *testing.T) {
	made := describe(t)
	if *write {
		if err := os.WriteFile(documentFile, made, 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(made, openapi.Frontend()) {
		t.Error("docs/openapi/frontend.json is not what the code says: run go test ./server -run Published -write")
	}
}

func TestTheContractHasAnEntryForEveryFrontendRouteAndNoOther(t *testing.T) {
	var described, names []string
	for _, o := range server.Contract() {
		described, names = append(described, o.Pattern), append(names, o.Name)
		if o.Summary == "" || !strings.HasSuffix(o.Summary, ".") || o.Group == "" || o.Status < 200 || o.Status > 299 || (o.Out == nil) != (o.Status == http.StatusNoContent) {
			t.Errorf("%s is described badly: %+v", o.Pattern, o)
		}
	}
	var routed []string
	text, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`Pattern: "([A-Z]+ [^"]+)",[^\n]*Face: web\.Frontend\}`).FindAllSubmatch(text, -1) {
		routed = append(routed, string(m[1]))
	}
	slices.Sort(described)
	slices.Sort(routed)
	if !slices.Equal(described, routed) {
		t.Errorf("\ndescribed %q\nrouted    %q", described, routed)
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(described) {
		t.Error("two addresses have one name")
	}
}

func TestTheDescriptionIsServedToAnyOrigin(t *testing.T) {
	b := startAt(t, sqlite(t), "/auth").surfer()
	said := b.raw(http.MethodGet, "/auth/frontend/v1/openapi.json", "", "Origin", "https://any.example")
	if b.Status != http.StatusOK || said != string(openapi.Frontend()) || b.Header.Get("Access-Control-Allow-Origin") != "*" || b.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", b.Status, b.Header)
	}
	var doc struct{ OpenAPI string }
	if json.Unmarshal([]byte(said), &doc) != nil || doc.OpenAPI != "3.1.0" {
		t.Errorf("it is OpenAPI %q", doc.OpenAPI)
	}
}

// made finds where problems are made, with kind and code.
var made = regexp.MustCompile(`problem\.New\(problem\.([A-Za-z]+), "([a-z0-9_]+)"`)

// statuses says with which status a code comes, from where it is made: one for most, more for those
// that are made in several places.
func statuses(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	kinds := map[string]problem.Kind{
		"Unknown": problem.Unknown, "Invalid": problem.Invalid, "Unauthenticated": problem.Unauthenticated, "Forbidden": problem.Forbidden, "NotFound": problem.NotFound,
		"Conflict": problem.Conflict, "Gone": problem.Gone, "TooMany": problem.TooMany, "Unavailable": problem.Unavailable, "Malformed": problem.Malformed,
		"TooLarge": problem.TooLarge, "Unsupported": problem.Unsupported,
	}
	for _, room := range []string{"internal/web", "internal/secret", "identity", "session", "token", "federation", "message", "login", "account", "admin", "storage"} {
		files, err := filepath.Glob("../" + room + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(room, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range made.FindAllSubmatch(text, -1) {
				kind, known := kinds[string(m[1])]
				if !known {
					t.Fatalf("%s makes a problem of the kind %s", name, m[1])
				}
				code := string(m[2])
				all[code] = append(all[code], strconv.Itoa(web.Status(problem.New(kind, code, ""))))
				slices.Sort(all[code])
				all[code] = slices.Compact(all[code])
			}
		}
	}
	// What strings are written in, so that the expression above misses them.
	for code, status := range map[string]string{
		"json_unreadable": "400", "password_too_short": "422", "password_too_weak": "422", "password_unreadable": "422",
		"password_needs_special": "422", "password_needs_digit": "422", "password_needs_mixed_case": "422",
	} {
		all[code] = append(all[code], status)
	}
	return all
}

// byStatus are the codes of an operation, by the status they come with.
func byStatus(t *testing.T, o server.Operation, known map[string][]string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, code := range o.Codes {
		if len(known[code]) == 0 {
			t.Errorf("%s: nothing answers with %s", o.Pattern, code)
		}
		for _, status := range known[code] {
			out[status] = append(out[status], code)
		}
	}
	return out
}

func (m object) set(key string, value any) object {
	m[key] = value
	return m
}

// object is a JSON object that is being made.
type object map[string]any

// describe makes the document.
func describe(t *testing.T) []byte {
	t.Helper()
	s := newSchemas(t)
	paths, known := object{}, statuses(t)
	problems := s.of(web.Problem{}, false)
	for _, o := range server.Contract() {
		method, path, _ := strings.Cut(o.Pattern, " ")
		op := object{"operationId": o.Name, "summary": o.Summary, "tags": []string{o.Group}}
		var parameters []object
		for _, m := range regexp.MustCompile(`\{([a-z]+)\}`).FindAllStringSubmatch(path, -1) {
			parameters = append(parameters, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
		}
		for name, what := range o.Query {
			parameters = append(parameters, object{"name": name, "in": "query", "description": what, "schema": object{"type": "string"}})
		}
		if parameters != nil {
			op["parameters"] = parameters
		}
		if o.In != nil {
			op["requestBody"] = object{"required": !o.Lax, "content": object{"application/json": object{"schema": s.of(o.In, true)}}}
		}
		success := object{"description": http.StatusText(o.Status)}
		if o.Out != nil {
			success["content"] = object{"application/json": object{"schema": s.of(o.Out, false)}}
		}
		responses := object{strconv.Itoa(o.Status): success}
		for status, codes := range byStatus(t, o, known) {
			n, _ := strconv.Atoi(status)
			refusal := object{
				"description": http.StatusText(n),
				"content":     object{"application/problem+json": object{"schema": problems}},
				"x-codes":     strings.Join(codes, " "),
			}
			if status == "429" || status == "503" {
				refusal["headers"] = object{"Retry-After": object{"description": "Seconds to wait.", "schema": object{"type": "integer"}}}
			}
			responses[status] = refusal
		}
		op["responses"] = responses
		at, ok := paths[path].(object)
		if !ok {
			at = object{}
		}
		paths[path] = at.set(strings.ToLower(method), op)
	}
	doc := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "idp Frontend API", "version": "1",
			"description": "What a browser app needs to sign people up and in, and to get tokens for its backends. docs/integrate/frontend-api.md is the guide. Members may be added to answers at any time; none goes away.",
		},
		"servers":  []object{{"url": "../..", "description": "The issuer."}},
		"security": []object{{"cookie": []string{}}, {"browserToken": []string{}}},
		"paths":    paths,
		"components": object{
			"schemas": s.all(),
			"securitySchemes": object{
				"cookie":       object{"type": "apiKey", "in": "cookie", "name": "__Host-idp_browser", "description": "What recognises the browser. Its name has the issuer's path behind it, if there is one."},
				"browserToken": object{"type": "apiKey", "in": "header", "name": web.TokenHeader, "description": "Development only: the same in a header."},
			},
		},
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(doc); err != nil {
		t.Fatal(fmt.Errorf("encode the description: %w", err))
	}
	return regexp.MustCompile(`(?m)^ +`).ReplaceAll(out.Bytes(), nil) // a line each, for those who compare
}
