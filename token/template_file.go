package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
)

const maxTemplate = 64 << 10 // bytes of a template as JSON

// templateMembers are what a template has as JSON; signing_key is only taken, and key only shown.
var templateMembers = []string{"name", "claims", "lifetime", "skew", "audience", "algorithm", "signing_key", "key", "preset", "version", "created_at", "updated_at"}

// ReadTemplate reads a template as JSON, with the defaults where it says nothing. Its own key is in
// the member signing_key, an object with kid and one of secret, secret_base64, pem and jwk; where
// only key is there, as templates are shown, the key is to stay: see KeepKey. Members that are
// unknown, twice there, or of another type are problem.Invalid on their name. Compile judges the
// rest.
func ReadTemplate(text []byte) (Template, error) {
	t := Template{Lifetime: DefaultLifetime, Skew: DefaultSkew}
	said, err := membersOf(text, "", templateMembers...)
	if err != nil {
		return t, err
	}
	t.Claims = said["claims"]
	for _, m := range []struct {
		name string
		into any
		is   string
	}{
		{"name", &t.Name, "a text"}, {"lifetime", &t.Lifetime, "a whole number of seconds"}, {"skew", &t.Skew, "a whole number of seconds"},
		{"audience", (*audiences)(&t.Audience), "a text or a list of texts"}, {"algorithm", &t.Algorithm, "a text"}, {"preset", &t.Preset, "a text"},
		{"version", &t.Version, "a whole number"}, {"created_at", &t.CreatedAt, "a time"}, {"updated_at", &t.UpdatedAt, "a time"},
	} {
		if raw, ok := said[m.name]; ok && json.Unmarshal(raw, m.into) != nil {
			return t, wrong(m.name, "template_member", m.name+" is "+m.is+".")
		}
	}
	if raw, ok := said["key"]; ok {
		if t.Key, err = shownKey(raw); err != nil {
			return t, err
		}
	}
	if raw, ok := said["signing_key"]; ok && string(raw) != "null" {
		given, err := ReadSigningKey(raw)
		if err != nil {
			return t, err
		}
		if t.Key, t.Algorithm, err = given.For(t.Algorithm); err != nil {
			return t, err
		}
	}
	return t, nil
}

func shownKey(raw json.RawMessage) (k CustomKey, err error) {
	said, err := membersOf(raw, "key", "kid", "set_at")
	if err != nil {
		return k, err
	}
	var at time.Time
	for name, into := range map[string]any{"kid": &k.ID, "set_at": &at} {
		if text, ok := said[name]; ok && json.Unmarshal(text, into) != nil {
			return k, wrong("key", "template_member", "key is what a template shows of its key. A new one goes into signing_key.")
		}
	}
	k.SetAt = at
	return k, nil
}

// KeepKey gives a template that names a key without bringing one the key of the template it
// replaces. If that has none, problem.Invalid.
func (t Template) KeepKey(old Template) (Template, error) {
	if !t.Key.None() || t.Key.ID == "" && t.Key.SetAt.IsZero() {
		return t, nil
	}
	if old.Key.None() || old.Key.ID != t.Key.ID {
		return t, wrong("signing_key", "signing_key_missing", "There is no such key to keep. Bring it in signing_key, or leave key out to sign with the issuer's.")
	}
	t.Key = old.Key
	if t.Algorithm == "" {
		t.Algorithm = old.Algorithm
	}
	return t, nil
}

// ReadSigningKey reads the member signing_key of a template.
func ReadSigningKey(raw []byte) (SigningKey, error) {
	said, err := membersOf(raw, "signing_key", "kid", "secret", "secret_base64", "pem", "jwk")
	if err != nil {
		return SigningKey{}, err
	}
	plain := map[string]string{}
	for name, text := range said {
		var s string
		if name == "jwk" && len(text) > 0 && text[0] == '{' {
			s = string(text)
		} else if json.Unmarshal(text, &s) != nil {
			return SigningKey{}, unusable("signing_key." + name + " is a text.")
		}
		plain[name] = s
	}
	return SigningKey{
		ID: plain["kid"], Secret: secret.NewString(plain["secret"]), SecretBase64: secret.NewString(plain["secret_base64"]),
		PEM: secret.NewString(plain["pem"]), JWK: secret.NewString(plain["jwk"]),
	}, nil
}

// audiences reads one text as a list of it.
type audiences []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audiences) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil && len(raw) > 0 && raw[0] == '"' {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a))
}

// membersOf returns what an object says, by name.
func membersOf(raw []byte, field string, known ...string) (map[string]json.RawMessage, error) {
	invalid := func(says string) error {
		return problem.New(problem.Invalid, "template_member", says).On(field)
	}
	if len(raw) > maxTemplate {
		return nil, invalid(fmt.Sprintf("A template has at most %d KB.", maxTemplate>>10))
	}
	if !json.Valid(raw) {
		return nil, invalid("This is not JSON.")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, invalid("Write a JSON object, in braces.")
	}
	said := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, invalid("This is not JSON.")
		}
		name, _ := t.(string)
		within := strings.TrimPrefix(field+"."+name, ".")
		switch _, twice := said[name]; {
		case !slices.Contains(known, name):
			return nil, problem.New(problem.Invalid, "template_member", within+" is not known. There are "+strings.Join(known, ", ")+".").On(within)
		case twice:
			return nil, problem.New(problem.Invalid, "template_member", within+" is there twice.").On(within)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, invalid("This is not JSON.")
		}
		said[name] = value
	}
	return said, nil
}
