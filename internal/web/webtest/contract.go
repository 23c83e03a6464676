package webtest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/docs/openapi"
)

// Contract stands between a client of the Frontend API and its server, and holds what passes
// against the published description: requests that succeed, statuses, media types, bodies and the
// codes of problems. What it does not describe is an error of the test.
type Contract struct {
	testing.TB
	next http.RoundTripper
	base string
	doc  description
	mux  *http.ServeMux

	mu   sync.Mutex
	seen map[string]map[bool]bool // by operation: whether it was seen to succeed, and to refuse
}

type description struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	OperationID string
	RequestBody *content
	Responses   map[string]content
}

type content struct {
	Content map[string]struct{ Schema schema }
	Codes   string `json:"x-codes"`
}

// Hold returns a transport that holds the answers of an issuer with that path against the contract.
func Hold(t testing.TB, next http.RoundTripper, base string) *Contract {
	t.Helper()
	c := &Contract{TB: t, next: next, base: base, mux: http.NewServeMux(), seen: map[string]map[bool]bool{}}
	if err := json.Unmarshal(openapi.Frontend(), &c.doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range c.doc.Paths {
		for method := range methods {
			c.mux.Handle(strings.ToUpper(method)+" "+path, http.NotFoundHandler())
			c.seen[strings.ToUpper(method)+" "+path] = map[bool]bool{}
		}
	}
	return c
}

// Unproven returns the operations that were not seen to succeed, or not to refuse.
func (c *Contract) Unproven() (succeeding, refusing []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for pattern, seen := range c.seen {
		if !seen[true] {
			succeeding = append(succeeding, pattern)
		}
		if !seen[false] {
			refusing = append(refusing, pattern)
		}
	}
	sort.Strings(succeeding)
	sort.Strings(refusing)
	return succeeding, refusing
}

// RoundTrip passes a request on and judges the answer.
func (c *Contract) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if r.Body = http.NoBody; len(sent) > 0 {
			r.Body = io.NopCloser(bytes.NewReader(sent))
		}
	}
	res, err := c.next.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.Path, c.base+"/frontend/v1/") || r.Method == http.MethodOptions || r.Method == http.MethodHead {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err == nil {
		c.judge(r, sent, res, body)
	}
	return res, err
}

func (c *Contract) judge(r *http.Request, sent []byte, res *http.Response, body []byte) {
	c.Helper()
	at := r.Clone(r.Context())
	at.URL.Path = strings.TrimPrefix(at.URL.Path, c.base)
	_, pattern := c.mux.Handler(at)
	method, path, _ := strings.Cut(pattern, " ")
	o, described := c.doc.Paths[path][strings.ToLower(method)]
	said := func(format string, args ...any) {
		c.Helper()
		c.Errorf("contract: %s %s: "+format, append([]any{r.Method, r.URL.Path}, args...)...)
	}
	if !described {
		if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusMethodNotAllowed && !strings.HasSuffix(path, "/openapi.json") && !strings.HasSuffix(r.URL.Path, "/openapi.json") {
			said("answers %d, and nothing describes it", res.StatusCode)
		}
		return
	}
	success := res.StatusCode < 300
	c.mu.Lock()
	c.seen[pattern][success] = true
	c.mu.Unlock()
	if res.StatusCode == http.StatusNotModified {
		return
	}
	answer, known := o.Responses[strconv.Itoa(res.StatusCode)]
	if !known {
		said("status %d is not described: %s", res.StatusCode, body)
		return
	}
	if success {
		c.judgeRequest(said, o, sent)
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	form, known := answer.Content[kind]
	switch {
	case len(answer.Content) == 0 && len(body) == 0:
		return
	case !known:
		said("answers %d with %q: %.200s", res.StatusCode, kind, body)
		return
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		said("answers what is no JSON: %v", err)
		return
	}
	for _, wrong := range c.check(form.Schema, v, "") {
		said("answers %d with %s", res.StatusCode, wrong)
	}
	if success {
		return
	}
	m, _ := v.(map[string]any)
	if code, _ := m["code"].(string); !slices.Contains(strings.Fields(answer.Codes), code) {
		said("%d with the code %q is not described: there are %s", res.StatusCode, code, answer.Codes)
	}
	if m["status"] != float64(res.StatusCode) {
		said("answers %d and says %v", res.StatusCode, m["status"])
	}
	if (res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable) && res.Header.Get("Retry-After") == "" {
		said("answers %d %v and does not say when to try again", res.StatusCode, m["code"])
	}
}

// judgeRequest holds a request that was accepted against what is said of requests.
func (c *Contract) judgeRequest(said func(string, ...any), o operation, sent []byte) {
	if len(sent) == 0 {
		return
	}
	var v any
	if o.RequestBody == nil || json.Unmarshal(sent, &v) != nil {
		if o.RequestBody == nil && strings.TrimSpace(string(sent)) == "{}" {
			return // of clients that always say something
		}
		said("takes a body that nothing describes: %.200s", sent)
		return
	}
	for _, wrong := range c.check(o.RequestBody.Content["application/json"].Schema, v, "") {
		said("takes %s", wrong)
	}
}

// schema is the part of JSON Schema that the description uses.
type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Enum                 []any
	Format               string
	AnyOf                []schema
	Items                *schema
	Properties           map[string]schema
	Required             []string
	AdditionalProperties json.RawMessage
}

// check returns what is wrong with a value: also members that are not described, which a client
// could not know.
func (c *Contract) check(s schema, v any, at string) (wrong []string) {
	if s.Ref != "" {
		name := s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
		described, ok := c.doc.Components.Schemas[name]
		if !ok {
			return []string{s.Ref + ", which is not there"}
		}
		return c.check(described, v, at+"<"+name+">")
	}
	if len(s.AnyOf) > 0 {
		for _, one := range s.AnyOf {
			if wrong = c.check(one, v, at); len(wrong) == 0 {
				return nil
			}
		}
		return wrong
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		wrong = append(wrong, at+": a word that is not one of those described")
	}
	if kind, ok := s.Type.(string); ok && !is(kind, v) {
		return append(wrong, at+": no "+kind)
	}
	switch v := v.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339Nano, v); s.Format == "date-time" && err != nil {
			wrong = append(wrong, at+": no time")
		}
	case []any:
		if s.Items != nil {
			for i, one := range v {
				wrong = append(wrong, c.check(*s.Items, one, at+"["+strconv.Itoa(i)+"]")...)
			}
		}
	case map[string]any:
		if s.Type == "object" {
			wrong = append(wrong, c.members(s, v, at)...)
		}
	}
	return wrong
}

func (c *Contract) members(s schema, v map[string]any, at string) (wrong []string) {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			wrong = append(wrong, at+"."+name+": missing")
		}
	}
	var others schema
	open := len(s.AdditionalProperties) > 0 && s.AdditionalProperties[0] == '{' && json.Unmarshal(s.AdditionalProperties, &others) == nil
	for name, one := range v {
		described, ok := s.Properties[name]
		switch {
		case ok:
			wrong = append(wrong, c.check(described, one, at+"."+name)...)
		case open:
			wrong = append(wrong, c.check(others, one, at+"."+name)...)
		default:
			wrong = append(wrong, at+"."+name+": not described")
		}
	}
	return wrong
}

func is(kind string, v any) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == float64(int64(v))
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	}
	return false
}
