package partykeys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"idp/internal/problem"
)

// keySet is an immutable set of public keys that we can use.
type keySet struct {
	keys []jose.JSONWebKey
}

var errSet = problem.New(problem.Invalid, "jwks_invalid", "")

func wrongSet(why string) error {
	e := *errSet
	e.Detail = "The jwks cannot be used: " + why
	return e.On("jwks")
}

// private are the members that only the owner of a key may know (RFC 7518 §6).
var private = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// Check says whether a JWK set may be registered: at most 64 KiB, public keys alone, RSA of
// 2048 to 8192 bits, curves that we know, at least one key. Kinds of keys that nobody here knows
// are let pass beside others (RFC 7517 §5). What is wrong is problem.Invalid with code jwks_invalid.
func Check(jwks []byte) error {
	raw, err := members(jwks)
	if err != nil {
		return err
	}
	usable := 0
	for i, one := range raw {
		key, known, err := read(one)
		if err != nil {
			return wrongSet(fmt.Sprintf("key %d %s.", i+1, err))
		}
		if known && usableKey(key) {
			usable++
		}
	}
	if usable == 0 {
		return wrongSet("it has no key that we can work with.")
	}
	return nil
}

// readSet keeps the keys of a set that can be used. A set that was fetched may hold others
// as well: they are passed over, unless they are private and should never have been shown.
func readSet(jwks []byte) (*keySet, error) {
	raw, err := members(jwks)
	if err != nil {
		return nil, err
	}
	s := &keySet{}
	for _, one := range raw {
		if key, known, err := read(one); err == nil && known && usableKey(key) {
			s.keys = append(s.keys, key)
		}
	}
	return s, nil
}

func members(jwks []byte) ([]json.RawMessage, error) {
	if len(jwks) > MaxSet {
		return nil, wrongSet("it is longer than 64 KiB.")
	}
	if err := plainObject(jwks); err != nil {
		return nil, wrongSet("it is not a JSON object whose members each occur once.")
	}
	var set map[string]json.RawMessage
	var keys []json.RawMessage
	if err := json.Unmarshal(jwks, &set); err != nil || json.Unmarshal(set["keys"], &keys) != nil {
		return nil, wrongSet(`it has no list "keys".`)
	}
	return keys, nil
}

type unusable string

func (u unusable) Error() string { return string(u) }

// read reads one key; known says whether its kind is one we know.
func read(raw json.RawMessage) (key jose.JSONWebKey, known bool, err error) {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return key, false, unusable("is not a JSON object")
	}
	for _, name := range private {
		if _, has := m[name]; has {
			return key, false, unusable("has the private member " + name + "; register public keys alone, and replace this one")
		}
	}
	var kind, curve string
	_ = json.Unmarshal(m["kty"], &kind)
	_ = json.Unmarshal(m["crv"], &curve)
	switch {
	case kind == "":
		return key, false, unusable("has no kty")
	case kind == "EC" && curve != "P-256" && curve != "P-384" && curve != "P-521":
		return key, false, unusable("is on another curve than P-256, P-384 or P-521")
	case kind == "OKP" && curve != "Ed25519" || kind != "RSA" && kind != "EC" && kind != "OKP":
		return key, false, nil
	}
	// Certificates say nothing that the key does not.
	for _, name := range []string{"x5c", "x5u", "x5t", "x5t#S256"} {
		delete(m, name)
	}
	bare, err := json.Marshal(m)
	if err != nil || json.Unmarshal(bare, &key) != nil || !key.Valid() || !key.IsPublic() {
		return key, false, unusable("is not a valid key")
	}
	if k, ok := key.Key.(*rsa.PublicKey); ok && (k.N.BitLen() < minRSA || k.N.BitLen() > maxRSA) {
		return key, false, unusable("is an RSA key of fewer than 2048 or more than 8192 bits")
	}
	return key, true, nil
}

func usableKey(key jose.JSONWebKey) bool {
	switch key.Key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}
