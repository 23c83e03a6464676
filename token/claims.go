package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"idp/internal/problem"
)

// The bounds of a template's claims.
const (
	maxClaims     = 16 << 10 // bytes as written
	maxDepth      = 10       // of objects and lists in each other
	maxShortcodes = 200
	maxName       = 200 // bytes of a claim's name
)

// Mistake is what is wrong with the claims of a template, and where it was written.
type Mistake struct {
	Line, Column int // from 1; columns are characters
	Says         string
}

// Error implements error.
func (m *Mistake) Error() string {
	return fmt.Sprintf("Line %d, column %d: %s", m.Line, m.Column, m.Says)
}

// reader makes nodes of the claims' text.
type reader struct {
	text  []byte
	dec   *json.Decoder
	own   bool // the template signs with a key of its own
	codes int
}

// readClaims makes a tree of the claims as they were written. What is wrong with them is
// problem.Invalid on "claims" and wraps a *Mistake.
func readClaims(text []byte, own bool) (*object, error) {
	r := &reader{text: text, dec: json.NewDecoder(bytes.NewReader(text)), own: own}
	r.dec.UseNumber()
	tree, err := r.all()
	if err != nil {
		return nil, problem.New(problem.Invalid, "template_claims", err.Error()).On("claims").Because(err)
	}
	return tree, nil
}

func (r *reader) all() (*object, error) {
	switch {
	case len(r.text) > maxClaims:
		return nil, r.mistake(maxClaims, "The claims are longer than %d KB.", maxClaims>>10)
	case !utf8.Valid(r.text):
		return nil, r.mistake(0, "The claims are not UTF-8.")
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal(r.text, &json.RawMessage{}); errors.As(err, &syntax) {
		return nil, r.mistake(int(syntax.Offset)-1, "This is not JSON: %s.", syntax.Error())
	}
	at := r.next()
	if at == len(r.text) || r.text[at] != '{' {
		return nil, r.mistake(at, "Claims are a JSON object, like {\"role\": \"member\"}.")
	}
	if _, err := r.dec.Token(); err != nil {
		return nil, err
	}
	return r.object(1)
}

// next returns where the next token begins.
func (r *reader) next() int {
	at := int(r.dec.InputOffset())
	for at < len(r.text) && strings.IndexByte(" \t\r\n,:", r.text[at]) >= 0 {
		at++
	}
	return at
}

func (r *reader) value(depth int) (node, error) {
	at := r.next()
	t, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, r.mistake(at, "Objects and lists are nested more than %d deep.", maxDepth)
		}
		if t == '{' {
			return r.object(depth + 1)
		}
		return r.list(depth + 1)
	case string:
		return r.string(at, t)
	case json.Number:
		if !readable64(t.String()) {
			return nil, r.mistake(at, "%s is a number that most readers of JSON cannot hold.", t)
		}
	}
	return fixed{t}, nil
}

// readable64 reports whether a number is one as far as most languages go. It may be cut there: what
// is exact here stays exact.
func readable64(n string) bool {
	_, err := strconv.ParseFloat(n, 64)
	return err == nil
}

// object reads what follows a brace. The first depth holds the claims themselves.
func (r *reader) object(depth int) (*object, error) {
	o, seen := &object{}, map[string]bool{}
	for r.dec.More() {
		at := r.next()
		t, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if err := r.name(at, name, depth, seen); err != nil {
			return nil, err
		}
		at = r.next()
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		if depth == 1 && (name == "iss" || name == "sub") {
			if err := r.speaker(at, name, v); err != nil {
				return nil, err
			}
		}
		o.names, o.values = append(o.names, name), append(o.values, v)
	}
	_, err := r.dec.Token()
	return o, err
}

func (r *reader) list(depth int) (node, error) {
	var l list
	for r.dec.More() {
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	if _, err := r.dec.Token(); err != nil {
		return nil, err
	}
	return l, nil
}

// name judges the name of a member.
func (r *reader) name(at int, name string, depth int, seen map[string]bool) error {
	key := name
	if depth == 1 {
		key = folded(name) // some verifiers read Role where they look for role
	}
	switch {
	case seen[key]:
		return r.mistake(at, "%q is there already.", name)
	case len(name) > maxName:
		return r.mistake(at, "A name has at most %d bytes.", maxName)
	case strings.Contains(name, "{{"):
		return r.mistake(at, "Names are fixed: shortcodes are for values.")
	case depth == 1 && folded(name) == "":
		return r.mistake(at, "A claim needs a name.")
	}
	seen[key] = true
	if depth > 1 {
		return nil
	}
	if (name == "iss" || name == "sub") && r.own {
		return nil
	}
	if why := Reserved(name); why != "" {
		return r.mistake(at, "%q cannot be set: %s.", name, why)
	}
	return nil
}

// mistake says what is wrong at a byte of the text.
func (r *reader) mistake(at int, says string, args ...any) *Mistake {
	before := r.text[:min(max(at, 0), len(r.text))]
	line := bytes.LastIndexByte(before, '\n') + 1
	return &Mistake{
		Line: bytes.Count(before, []byte("\n")) + 1, Column: utf8.RuneCount(before[line:]) + 1,
		Says: fmt.Sprintf(says, args...),
	}
}

// folded is a name as a careless verifier compares it: without case, compatibility forms and
// characters that cannot be seen.
func folded(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			return -1
		}
		return c
	}, strings.ToLower(norm.NFKC.String(name)))
}
