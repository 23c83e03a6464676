package token

import (
	"encoding/json"
	"strconv"
	"strings"
)

// node is a value of the claims, ready to be filled. What it yields is a JSON value.
type node interface {
	fill(f *facts) (any, error)
}

// fixed is what is the same for everybody.
type fixed struct{ v any }

func (n fixed) fill(*facts) (any, error) { return n.v, nil }

// object keeps its members in the order they were written.
type object struct {
	names  []string
	values []node
}

func (o *object) fill(f *facts) (any, error) { return o.members(f, 0) }

// members fills all, with room for so many more.
func (o *object) members(f *facts, room int) (map[string]any, error) {
	m := make(map[string]any, len(o.names)+room)
	for i, name := range o.names {
		v, err := o.values[i].fill(f)
		if err != nil {
			return nil, err
		}
		m[name] = v
	}
	return m, nil
}

// list keeps its order.
type list []node

func (l list) fill(f *facts) (any, error) {
	values := make([]any, len(l))
	for i, n := range l {
		v, err := n.fill(f)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

// whole is a string that is one shortcode and nothing else: it becomes what that names.
type whole struct{ choice }

func (w whole) fill(f *facts) (any, error) {
	v := w.pick(f)
	return v, f.spend(v)
}

// mixed is text around shortcodes. A part without a choice is text as it was written.
type mixed []part

type part struct {
	text string
	choice
}

func (m mixed) fill(f *facts) (any, error) {
	var b strings.Builder
	for _, p := range m {
		if p.choice == nil {
			b.WriteString(p.text)
			continue
		}
		v := p.pick(f)
		if err := f.spend(v); err != nil {
			return nil, err
		}
		b.WriteString(spelled(v))
	}
	return b.String(), nil
}

// spelled is a value inside text. Nothing is the empty text; objects and lists, which can only
// come from metadata, are JSON.
func spelled(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case json.Number:
		return v.String()
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}

// choice are the operands of a shortcode: the first that holds something is told, otherwise
// the last whatever it is.
type choice []operand

// operand is a fact, or a literal.
type operand struct {
	fact    *fact
	rest    []string // path inside metadata
	literal any
}

func (c choice) pick(f *facts) any {
	for i, o := range c {
		if v := o.value(f); i == len(c)-1 || !hollow(v) {
			return v
		}
	}
	return nil
}

func (o operand) value(f *facts) any {
	if o.fact == nil {
		return o.literal
	}
	return o.fact.value(f, o.rest)
}

// hollow reports whether v holds nothing: null, "", an empty list or object. false and 0 do.
func hollow(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}
