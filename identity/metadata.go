package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"idp/internal/problem"
)

// Metadata is what applications keep about a person: three JSON objects, by who may write and
// who may read. An empty one is nil.
type Metadata struct {
	Public  json.RawMessage // operators write it; the person and applications read it
	Private json.RawMessage // operators write and read it; the person sees it only where a template tells
	Own     json.RawMessage // the person writes it: never decide by it what they may do
}

// The names of the three, as the APIs, commands and events spell them.
const (
	PublicMetadata  = "public_metadata"
	PrivateMetadata = "private_metadata"
	OwnMetadata     = "own_metadata"
)

const (
	maxMetadata      = 8 << 10 // bytes of one of the three, without space between its parts
	maxMetadataDepth = 16      // objects and lists in each other
)

// CheckMetadata returns a JSON object without the space between its parts, nil for an empty one
// or null. Text that readers of it could take in two ways is problem.Invalid on the name: no
// object, a name twice, a number that is none to most programs, half of a character.
func CheckMetadata(name string, text []byte) (json.RawMessage, error) {
	bad := func(why string) error {
		return problem.New(problem.Invalid, "metadata_invalid", "Metadata is a JSON object like {\"team\": \"blue\"}: "+why+".").On(name)
	}
	if len(text) > 8*maxMetadata {
		return nil, bad("it has at most 8 KB")
	}
	if !utf8.Valid(text) {
		return nil, bad("it is text in UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	walk := metadataWalk{dec: dec}
	isObject, err := walk.value(0)
	if err != nil {
		return nil, bad(err.Error())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, bad("something follows it")
	}
	var tight bytes.Buffer
	if err := json.Compact(&tight, text); err != nil {
		return nil, bad("it does not parse")
	}
	switch short := tight.String(); {
	case short == "{}" || short == "null":
		return nil, nil
	case !isObject:
		return nil, bad("it starts with { and ends with }")
	case len(short) > maxMetadata:
		return nil, bad("it has at most 8 KB")
	case splitCharacter(short):
		return nil, bad("it has no zero byte and no half of a character")
	}
	return tight.Bytes(), nil
}

// metadataWalk reads a JSON text part by part.
type metadataWalk struct{ dec *json.Decoder }

var errJSON = errors.New("it does not parse")

// value reads the next value, and reports whether it is an object.
func (w metadataWalk) value(depth int) (isObject bool, err error) {
	part, err := w.dec.Token()
	if err != nil {
		return false, errJSON
	}
	switch x := part.(type) {
	case json.Number:
		if _, err := strconv.ParseFloat(x.String(), 64); err != nil {
			return false, errors.New("it has a number that is too large")
		}
	case json.Delim:
		if depth == maxMetadataDepth {
			return false, fmt.Errorf("it is at most %d levels deep", maxMetadataDepth)
		}
		isObject = x == '{'
		seen := map[string]bool{}
		for w.dec.More() {
			if isObject {
				name, err := w.dec.Token()
				if err != nil {
					return false, errJSON
				}
				if seen[name.(string)] {
					return false, errors.New("it has a name twice")
				}
				seen[name.(string)] = true
			}
			if _, err := w.value(depth + 1); err != nil {
				return false, err
			}
		}
		if _, err := w.dec.Token(); err != nil {
			return false, errJSON
		}
	}
	return isObject, nil
}

// splitCharacter reports whether a JSON text escapes what no text can hold: U+0000, which some
// databases refuse, or one half of a surrogate pair.
func splitCharacter(text string) bool {
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			return false
		}
		text = text[i+1:]
		unit, ok := escaped(text)
		if !ok {
			text = text[1:]
			continue
		}
		text = text[5:]
		switch {
		case unit == 0 || unit >= 0xDC00 && unit <= 0xDFFF:
			return true
		case unit >= 0xD800 && unit <= 0xDBFF:
			low, ok := uint64(0), strings.HasPrefix(text, `\`)
			if ok {
				low, ok = escaped(text[1:])
			}
			if !ok || low < 0xDC00 || low > 0xDFFF {
				return true
			}
			text = text[6:]
		}
	}
}

// escaped reads the uXXXX after a backslash.
func escaped(text string) (uint64, bool) {
	if len(text) < 5 || text[0] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(text[1:5], 16, 16)
	return unit, err == nil
}

// MergeMetadata returns metadata as a patch leaves it (RFC 7396): what the patch names gets its
// value, null takes away, objects are merged and lists replaced; a patch that is null takes all away. Both it and what comes out have
// to pass CheckMetadata, whose problem it returns.
func MergeMetadata(name string, on json.RawMessage, patch []byte) (json.RawMessage, error) {
	if string(bytes.TrimSpace(patch)) == "null" {
		return nil, nil
	}
	patch, err := CheckMetadata(name, patch)
	if err != nil || patch == nil {
		return on, err
	}
	merged, err := merge(on, patch)
	if err != nil {
		return nil, err
	}
	return CheckMetadata(name, merged)
}

func merge(on, patch json.RawMessage) (json.RawMessage, error) {
	if patch[0] != '{' {
		return patch, nil
	}
	was, to := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if len(on) > 0 && on[0] == '{' {
		if err := json.Unmarshal(on, &was); err != nil {
			return nil, fmt.Errorf("read metadata: %w", err)
		}
	}
	if err := json.Unmarshal(patch, &to); err != nil {
		return nil, fmt.Errorf("read a patch of metadata: %w", err)
	}
	for name, v := range to {
		if string(v) == "null" {
			delete(was, name)
			continue
		}
		merged, err := merge(was[name], v)
		if err != nil {
			return nil, err
		}
		was[name] = merged
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(was); err != nil {
		return nil, fmt.Errorf("write metadata: %w", err)
	}
	return out.Bytes(), nil
}
