package token

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// inside follows the names of members and numbers of elements through a JSON text, and reads
// what is there and nothing else: metadata may be long, and a token wants little of it. What is
// not there, and a text that is no JSON, is nil.
func inside(text []byte, path []string) any {
	at := blank(text, 0)
	for _, step := range path {
		if at = member(text, at, step); at < 0 {
			return nil
		}
	}
	end := endOf(text, at)
	if end < 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text[at:end]))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// member returns where the value of a member begins, or of an element, or -1. Of members that
// are there twice the last counts, as everywhere in JSON.
func member(text []byte, at int, step string) int {
	if at >= len(text) || text[at] != '{' && text[at] != '[' {
		return -1
	}
	named, wanted, found := text[at] == '{', -1, -1
	if !named {
		n, err := strconv.Atoi(step)
		if err != nil || n < 0 {
			return -1
		}
		wanted = n
	}
	at = blank(text, at+1)
	for i := 0; at < len(text) && text[at] != '}' && text[at] != ']'; i++ {
		same := i == wanted
		if named {
			end := endOf(text, at)
			if end < 0 {
				return -1
			}
			same = spells(text[at:end], step)
			if at = blank(text, end); at >= len(text) || text[at] != ':' {
				return -1
			}
			at = blank(text, at+1)
		}
		if same {
			found = at
		}
		if at = endOf(text, at); at < 0 {
			return -1
		}
		if at = blank(text, at); at < len(text) && text[at] == ',' {
			at = blank(text, at+1)
		}
	}
	return found
}

// spells reports whether a string of JSON is that name.
func spells(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name
	}
	var s string
	return json.Unmarshal(quoted, &s) == nil && s == name
}

func blank(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}

// endOf returns where the value ends that begins there, or -1.
func endOf(text []byte, at int) int {
	if at < 0 || at >= len(text) {
		return -1
	}
	if c := text[at]; c != '"' && c != '{' && c != '[' {
		end := at
		for end < len(text) && bytes.IndexByte([]byte(",]} \t\r\n:"), text[end]) < 0 {
			end++
		}
		if end == at {
			return -1
		}
		return end
	}
	for depth := 0; at < len(text); at++ {
		switch text[at] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			if at = closing(text, at+1); at < 0 {
				return -1
			}
		}
		if depth == 0 {
			return at + 1
		}
	}
	return -1
}

// closing returns where the quote is that closes a string.
func closing(text []byte, at int) int {
	for ; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return at
		}
	}
	return -1
}
