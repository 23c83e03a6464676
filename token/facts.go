package token

import (
	"encoding/json"
	"time"

	"idp/identity"
	"idp/internal/problem"
)

// facts is what is known of one Subject while its claims are filled.
type facts struct {
	*Subject
	spent int
}

// ErrTokenTooLarge says that a token would be longer than may be.
var ErrTokenTooLarge = problem.New(problem.Invalid, "token_too_large", "This person's token would be longer than 8 KB. Let the template tell less of their metadata.")

// spend keeps a template that repeats a person's metadata from growing without bound.
func (f *facts) spend(v any) error {
	if f.spent += weight(v); f.spent > MaxSize {
		return ErrTokenTooLarge
	}
	return nil
}

// weight is at most the bytes of v in JSON.
func weight(v any) (n int) {
	switch v := v.(type) {
	case string:
		return len(v)
	case json.Number:
		return len(v)
	case []string:
		for _, s := range v {
			n += len(s) + 3
		}
	case []any:
		for _, one := range v {
			n += weight(one) + 1
		}
	case map[string]any:
		for name, one := range v {
			n += len(name) + weight(one) + 4
		}
	}
	return n
}

// kind is what a fact is in JSON.
type kind string

const (
	text    kind = "text"
	flag    kind = "true or false"
	seconds kind = "number" // Unix seconds
	texts   kind = "list"
	members kind = "object"
	any_    kind = "any" // a value inside metadata
)

// fact is one thing that a shortcode can name.
type fact struct {
	name string
	kind kind
	by   author
	says string
	// value returns nil where there is nothing to tell.
	value func(f *facts, rest []string) any
}

// author is who decides what a fact says.
type author int

const (
	system   author = iota // we, or operators
	person                 // the person themselves: nobody checked it
	anything               // a namespace whose members are looked up
)

func textOf(get func(*facts) string) func(*facts, []string) any {
	return func(f *facts, _ []string) any {
		if v := get(f); v != "" {
			return v
		}
		return nil
	}
}

func profile(get func(identity.Profile) string) func(*facts, []string) any {
	return textOf(func(f *facts) string { return get(f.User.Profile) })
}

func instant(get func(*facts) time.Time) func(*facts, []string) any {
	return func(f *facts, _ []string) any {
		if t := get(f); !t.IsZero() {
			return t.Unix()
		}
		return nil
	}
}

func names(get func(*facts) []string) func(*facts, []string) any {
	return func(f *facts, _ []string) any {
		if l := get(f); l != nil {
			return l
		}
		return []string{}
	}
}

func yes(get func(*facts) bool) func(*facts, []string) any {
	return func(f *facts, _ []string) any { return get(f) }
}

// metadata looks into one of a person's three objects.
func metadata(get func(identity.Metadata) json.RawMessage) func(*facts, []string) any {
	return func(f *facts, rest []string) any {
		v := inside(get(f.User.Metadata), rest)
		if v == nil && len(rest) == 0 {
			return map[string]any{}
		}
		return v
	}
}

func postal(f *facts, _ []string) any {
	a := f.User.Profile.Address
	parts := map[string]any{}
	for name, v := range map[string]string{
		"formatted": a.Formatted, "street_address": a.StreetAddress, "locality": a.Locality,
		"region": a.Region, "postal_code": a.PostalCode, "country": a.Country,
	} {
		if v != "" {
			parts[name] = v
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return parts
}

func signedIn(get func(*facts) any) func(*facts, []string) any {
	return func(f *facts, _ []string) any {
		if f.Session.ID == "" {
			return nil
		}
		return get(f)
	}
}
