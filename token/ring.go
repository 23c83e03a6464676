package token

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// slot is a place where exactly one key signs.
type slot struct {
	purpose   Purpose
	algorithm string
}

// slots are the keys every instance has. RS256 is what every relying party can check
// (OIDC Core §15.1); ES256 is thirty times cheaper to make.
var slots = []slot{{OIDC, RS256}, {OIDC, ES256}, {Session, ES256}}

// The algorithms keys are made for.
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

// ring is an immutable snapshot of all keys that are not retired.
type ring struct {
	keys    []Key
	public  map[Purpose]map[string]jose.JSONWebKey // by kid: what may be verified
	current map[slot]*signer
	jwks    []byte
	etag    string
}

// signer keeps a go-jose signer per header type: making one costs more than an ECDSA signature.
type signer struct {
	key   Key
	typed map[string]jose.Signer
}

// types are the headers that are signed with a prepared signer.
var types = []string{"JWT", "at+jwt", "logout+jwt"}

func newRing(keys []Key) (*ring, error) {
	r := &ring{keys: keys, public: map[Purpose]map[string]jose.JSONWebKey{}, current: map[slot]*signer{}}
	var set jose.JSONWebKeySet
	for _, k := range keys {
		public := jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
		if !public.Valid() || !public.IsPublic() {
			return nil, fmt.Errorf("signing key %s is not usable", k.ID)
		}
		if r.public[k.Purpose] == nil {
			r.public[k.Purpose] = map[string]jose.JSONWebKey{}
		}
		r.public[k.Purpose][k.ID] = public
		set.Keys = append(set.Keys, public)
		if k.State != Current {
			continue
		}
		s, err := newSigner(k)
		if err != nil {
			return nil, err
		}
		r.current[slot{k.Purpose, k.Algorithm}] = s
	}
	slices.SortFunc(set.Keys, func(a, b jose.JSONWebKey) int { return strings.Compare(a.KeyID, b.KeyID) })
	doc, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encode the key set: %w", err)
	}
	sum := sha256.Sum256(doc)
	r.jwks, r.etag = doc, `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`
	return r, nil
}

func newSigner(k Key) (*signer, error) {
	s := &signer{key: k, typed: map[string]jose.Signer{}}
	for _, typ := range types {
		made, err := joseSigner(k, typ)
		if err != nil {
			return nil, err
		}
		s.typed[typ] = made
	}
	return s, nil
}

func joseSigner(k Key, typ string) (jose.Signer, error) {
	options := (&jose.SignerOptions{}).WithHeader(jose.HeaderKey("kid"), k.ID).WithType(jose.ContentType(typ))
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: k.Private}, options)
	if err != nil {
		return nil, fmt.Errorf("prepare signing key %s: %w", k.ID, err)
	}
	return s, nil
}

func (s *signer) sign(typ string, payload []byte) (string, error) {
	by, ok := s.typed[typ]
	if !ok {
		made, err := joseSigner(s.key, typ)
		if err != nil {
			return "", err
		}
		by = made
	}
	signed, err := by.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", s.key.ID, err)
	}
	return signed.CompactSerialize()
}
