package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxObjectDepth   = 16
	maxObjectMembers = 200
	maxObjectLife    = 60 * time.Minute // between nbf and exp, and of nbf's age
)

// objectTypes are the headers typ a request object may have: none, the general one, or its own.
var objectTypes = []string{"", "jwt", objectOnly}

// notParameters are members of a request object that speak about it, or have no business
// in it: what is kept of a request must not hold a credential.
var notParameters = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_secret", "client_assertion", "client_assertion_type",
}

// readObject checks what an opened request object says of itself (RFC 9101 §6.3, RFC 7519 §4.1),
// and returns the parameters in it.
func (p *Provider) readObject(c Client, o opened) (url.Values, error) {
	members, err := readMembers(o.claims)
	if err != nil {
		return nil, errObject("The request object is no JSON object of bearable size whose members occur once.")
	}
	if flaw := p.objectFlaw(c, o, members); flaw != "" {
		return nil, errObject("%s", flaw)
	}
	inside := url.Values{}
	for name, value := range members {
		if slices.Contains(notParameters, name) || value == nil {
			continue
		}
		values, ok := parameter(name, value)
		if !ok {
			return nil, errObject("A member of the request object has the wrong kind of value.")
		}
		inside[name] = values
	}
	return inside, nil
}

// objectFlaw says what is wrong with a request object, "" if nothing.
func (p *Provider) objectFlaw(c Client, o opened, members map[string]any) string {
	now := p.Now()
	expires, ok1 := instantOf(members["exp"])
	begins, ok2 := instantOf(members["nbf"])
	made, ok3 := instantOf(members["iat"])
	from := begins
	if begins.IsZero() {
		from = now.Add(skew)
	}
	switch {
	case !slices.Contains(objectTypes, o.typ):
		return "The typ says that this JWT is something else than a request object."
	case members["request"] != nil || members["request_uri"] != nil:
		return "A request object does not hold another."
	case members["iss"] != nil && members["iss"] != string(c.ID):
		return "The iss of a request object is the client_id."
	case members["client_id"] != nil && members["client_id"] != string(c.ID):
		return "The client_id in the request object is another than beside it."
	case members["aud"] != nil && !meant(members["aud"], p.Issuer):
		return "The aud of a request object is the issuer."
	case !ok1 || !ok2 || !ok3:
		return "The exp, nbf and iat of a request object are numbers."
	case members["exp"] != nil && !now.Before(expires.Add(skew)):
		return "The request object has expired."
	case members["exp"] != nil && expires.Sub(from) > maxObjectLife:
		return "The exp of a request object is at most 60 minutes after its nbf."
	case begins.After(now.Add(skew)) || made.After(now.Add(skew)):
		return "The request object is not valid yet."
	case members["nbf"] != nil && now.Sub(begins) > maxObjectLife:
		return "The nbf of a request object is at most 60 minutes ago."
	}
	return ""
}

// meant reports whether an aud, a text or a list of them, names the issuer.
func meant(aud any, issuer string) bool {
	if list, ok := aud.([]any); ok {
		return slices.Contains(list, any(issuer))
	}
	return aud == issuer
}

// instantOf reads a NumericDate (RFC 7519 §2), zero if absent.
func instantOf(v any) (at time.Time, ok bool) {
	if v == nil {
		return time.Time{}, true
	}
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := n.Float64()
	if err != nil || math.Abs(seconds) > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// parameter spells a member of a request object as the parameter it stands for: numbers
// and objects keep their meaning, lists are of texts and only where a parameter may repeat.
func parameter(name string, v any) (values []string, ok bool) {
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case json.Number:
		return []string{v.String()}, true
	case bool:
		if v {
			return []string{"true"}, true
		}
		return []string{"false"}, true
	case map[string]any:
		text, err := json.Marshal(v)
		return []string{string(text)}, err == nil
	case []any:
		for _, one := range v {
			text, is := one.(string)
			if !is || !repeatable[name] {
				return nil, false
			}
			values = append(values, text)
		}
		return values, len(values) > 0
	}
	return nil, false
}

var errMembers = errors.New("not one JSON object whose members occur once")

// readMembers reads one JSON object strictly: no member twice at any level, at the top none
// that differs from another in case alone, and no more depth or members than a request needs.
// Numbers stay as they are written.
func readMembers(text []byte) (map[string]any, error) {
	if len(text) > maxObject {
		return nil, errMembers
	}
	r := memberReader{Decoder: json.NewDecoder(bytes.NewReader(text)), left: maxObjectMembers}
	r.UseNumber()
	if t, err := r.Token(); err != nil || t != json.Delim('{') {
		return nil, errMembers
	}
	members, err := r.object(1)
	if err != nil {
		return nil, err
	}
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return nil, errMembers
	}
	return members, nil
}

type memberReader struct {
	*json.Decoder
	left int // members and list entries that may still come
}

// object reads the rest of an object whose brace was read.
func (r *memberReader) object(depth int) (map[string]any, error) {
	members, seen := map[string]any{}, map[string]bool{}
	for r.More() {
		t, err := r.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errMembers
		}
		key := name
		if depth == 1 {
			key = strings.ToLower(name)
		}
		if seen[key] {
			return nil, errMembers
		}
		seen[key] = true
		if members[name], err = r.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := r.Token()
	return members, err
}

func (r *memberReader) value(depth int) (any, error) {
	t, err := r.Token()
	if r.left--; err != nil || r.left < 0 {
		return nil, errMembers
	}
	switch t {
	case json.Delim('{'):
		if depth == maxObjectDepth {
			return nil, errMembers
		}
		return r.object(depth + 1)
	case json.Delim('['):
		if depth == maxObjectDepth {
			return nil, errMembers
		}
		list := []any{}
		for r.More() {
			one, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		_, err := r.Token()
		return list, err
	}
	return t, nil
}
