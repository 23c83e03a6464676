package idp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxToken is how many characters of a token are looked at: a longer one is refused.
const MaxToken = 8 << 10

// parsed is a token in its parts. Nothing of it is believed yet.
type parsed struct {
	kid, alg, typ      string
	payload, signature []byte
	signed             string // what the signature is over
}

// parse takes a token apart (RFC 7515 §7.1), without looking at its claims.
func parse(token string) (parsed, error) {
	if len(token) > MaxToken {
		return parsed{}, refused("longer than %d characters", MaxToken)
	}
	if strings.Count(token, ".") != 2 {
		return parsed{}, refused("not a signed JWT")
	}
	head, rest, _ := strings.Cut(token, ".")
	body, tail, _ := strings.Cut(rest, ".")
	header, err := decode(head)
	if err != nil {
		return parsed{}, err
	}
	p := parsed{signed: token[:len(head)+1+len(body)]}
	if p.payload, err = decode(body); err != nil {
		return parsed{}, err
	}
	if p.signature, err = decode(tail); err != nil {
		return parsed{}, err
	}
	members, err := object(header)
	if err != nil {
		return parsed{}, err
	}
	// What must be understood and is not makes the token invalid (RFC 7515 §4.1.11); b64 is nothing
	// without crit, and changes what is signed.
	for _, name := range []string{"crit", "b64", "zip", "enc"} {
		if _, there := members[name]; there {
			return parsed{}, refused("the header has %s", name)
		}
	}
	for name, into := range map[string]*string{"kid": &p.kid, "alg": &p.alg, "typ": &p.typ} {
		if raw, there := members[name]; !there || json.Unmarshal(raw, into) != nil || *into == "" {
			return parsed{}, refused("the header has no %s", name)
		}
	}
	return p, nil
}

// decode reads base64url without padding, in its one spelling (RFC 7515 §2).
func decode(part string) ([]byte, error) {
	// The decoder would pass over line ends.
	if part == "" || strings.ContainsAny(part, "\r\n") {
		return nil, refused("not a signed JWT")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, refused("not a signed JWT")
	}
	return raw, nil
}

const maxDepth = 16 // of JSON inside JSON

// object reads a JSON object whose members, at every depth, have names of their own: of two with
// one name, each reader could believe another (RFC 8725 §2.6).
func object(raw []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(raw) {
		return nil, refused("not UTF-8")
	}
	reader := json.NewDecoder(bytes.NewReader(raw))
	reader.UseNumber()
	if err := walk(reader, 0); err != nil {
		return nil, refused("%w", err)
	}
	if _, err := reader.Token(); !errors.Is(err, io.EOF) {
		return nil, refused("something follows the JSON")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, refused("not a JSON object")
	}
	return members, nil
}

var (
	errJSON      = errors.New("not JSON")
	errDuplicate = errors.New("two members of one name")
	errDeep      = errors.New("too deep")
)

// walk reads one JSON value and looks for names that come twice.
func walk(reader *json.Decoder, depth int) error {
	t, err := reader.Token()
	if err != nil {
		return errJSON
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return errDeep
	}
	seen := map[string]bool{}
	for reader.More() {
		if open == '{' {
			name, err := reader.Token()
			if err != nil {
				return errJSON
			}
			if s, _ := name.(string); seen[s] {
				return errDuplicate
			} else {
				seen[s] = true
			}
		}
		if err := walk(reader, depth+1); err != nil {
			return err
		}
	}
	if _, err := reader.Token(); err != nil {
		return errJSON
	}
	return nil
}
