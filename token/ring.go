package token

import (
	"cmp"
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

// ring is an immutable snapshot of all keys that are not retired.
type ring struct {
	keys    []Key
	public  map[Purpose]map[string]jose.JSONWebKey // by kid: what may be verified
	current map[slot]*signer                       // keys of the purpose Encryption have none that signs
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
	var published []Key
	for _, k := range keys {
		public := k.public()
		if !public.Valid() || !public.IsPublic() {
			return nil, fmt.Errorf("key %s is not usable", k.ID)
		}
		if r.public[k.Purpose] == nil {
			r.public[k.Purpose] = map[string]jose.JSONWebKey{}
		}
		r.public[k.Purpose][k.ID] = public
		// Nobody shall encrypt to a key that is about to go; what is on its way can still be read.
		if k.Purpose != Encryption || k.State != Past {
			published = append(published, k)
		}
		if k.State != Current {
			continue
		}
		s, err := newSigner(k)
		if err != nil {
			return nil, err
		}
		r.current[slot{k.Purpose, k.Algorithm}] = s
	}
	return r, r.publish(published)
}

// publish makes the key set. What signs ID tokens by default stands first, for those who
// take the first key they see; keys to encrypt to stand last.
func (r *ring) publish(keys []Key) error {
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	var set jose.JSONWebKeySet
	for _, k := range keys {
		set.Keys = append(set.Keys, k.public())
	}
	doc, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("encode the key set: %w", err)
	}
	sum := sha256.Sum256(doc)
	r.jwks, r.etag = doc, `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`
	return nil
}

// rank is the key's place in the key set: by purpose, then algorithm, then state.
func (key Key) rank() int {
	purpose := slices.Index([]Purpose{OIDC, Session, Encryption}, key.Purpose)
	algorithm := slices.Index(slices.Concat(SigningAlgorithms, []string{RSAOAEP256, ECDHES}), key.Algorithm)
	state := slices.Index([]State{Current, Next, Past}, key.State)
	return purpose*1000 + algorithm*10 + state
}

// public is what others may know of the key. One to encrypt to leaves it to them with which
// algorithm of its kind.
func (key Key) public() jose.JSONWebKey {
	if key.Purpose == Encryption {
		return jose.JSONWebKey{Key: key.Private.Public(), KeyID: key.ID, Use: "enc"}
	}
	return jose.JSONWebKey{Key: key.Private.Public(), KeyID: key.ID, Algorithm: key.Algorithm, Use: "sig"}
}

func newSigner(k Key) (*signer, error) {
	s := &signer{key: k, typed: map[string]jose.Signer{}}
	if k.Purpose == Encryption {
		return s, nil
	}
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
