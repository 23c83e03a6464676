package token

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/event"
	"idp/internal/problem"
)

// KeySet signs, verifies and decrypts with the instance's keys. Fill the exported fields,
// then call Ensure once before use.
type KeySet struct {
	Store  Store
	Events event.Recorder
	InTx   func(ctx context.Context, do func(ctx context.Context) error) error
	Now    func() time.Time
	Make   func(algorithm string) (crypto.Signer, error) // makes a private key; nil: NewPrivate

	ring atomic.Pointer[ring]
}

const maxJWT = 8 << 10 // characters of a JWT we are willing to look at

// Ensure loads the keys and makes those that are missing: on the first start all of
// them. Two processes starting at once agree on the keys of whichever was first.
func (k *KeySet) Ensure(ctx context.Context) error {
	if err := k.Reload(ctx); err != nil {
		return err
	}
	var missing []slot
	for _, s := range standing {
		if k.ring.Load().current[s] == nil {
			missing = append(missing, s)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return k.begin(ctx, missing)
}

// Offer sees to it that there is a key to sign ID tokens and the like with that algorithm;
// call it before a relying party is registered for one, and not inside a transaction: an
// RSA key takes a while to make. An algorithm that is not one of SigningAlgorithms is
// problem.Invalid.
func (k *KeySet) Offer(ctx context.Context, algorithm string) error {
	return k.OfferFor(ctx, OIDC, algorithm)
}

// OfferFor is Offer for another purpose; call it with Session before a template is saved that
// the issuer's keys are to sign.
func (k *KeySet) OfferFor(ctx context.Context, p Purpose, algorithm string) error {
	if !slices.Contains(SigningAlgorithms, algorithm) || p == Encryption {
		return problem.New(problem.Invalid, "algorithm_unsupported", "That is not an algorithm this service signs with.")
	}
	s := slot{p, algorithm}
	if k.loaded().current[s] != nil {
		return nil
	}
	if err := k.Reload(ctx); err != nil || k.ring.Load().current[s] != nil {
		return err
	}
	return k.begin(ctx, []slot{s})
}

// begin makes the first key of each slot, and takes it into use.
func (k *KeySet) begin(ctx context.Context, missing []slot) error {
	keys, errs := make([]Key, len(missing)), make([]error, len(missing))
	var made sync.WaitGroup
	for i, s := range missing {
		made.Go(func() { keys[i], errs[i] = k.generate(s, Current) })
	}
	made.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, key := range keys {
		if err := k.Store.SaveKey(ctx, key); err != nil && !problem.Is(err, problem.Conflict) {
			return fmt.Errorf("save the first %s key for %s: %w", key.Algorithm, key.Purpose, err)
		}
	}
	return k.Reload(ctx)
}

// Reload takes a fresh snapshot of the keys in storage.
func (k *KeySet) Reload(ctx context.Context) error {
	keys, err := k.Store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("load signing keys: %w", err)
	}
	r, err := newRing(keys)
	if err != nil {
		return err
	}
	k.ring.Store(r)
	return nil
}

// Sign encodes claims and signs them with the current key of that purpose and
// algorithm; typ is the JWS header of that name ("JWT", "at+jwt" …). A key that another
// process made in this moment is looked for in storage.
func (k *KeySet) Sign(ctx context.Context, p Purpose, algorithm, typ string, claims any) (string, error) {
	at := slot{p, algorithm}
	s := k.loaded().current[at]
	if s == nil && slices.Contains(SigningAlgorithms, algorithm) {
		if err := k.Reload(ctx); err != nil {
			return "", err
		}
		s = k.loaded().current[at]
	}
	if s == nil || p == Encryption {
		return "", fmt.Errorf("no current %s key for %s", algorithm, p)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	return s.sign(typ, payload)
}

// Verified is a JWT whose signature is ours.
type Verified struct {
	KeyID     string
	Algorithm string
	Type      string // the header typ, "" if absent
	Claims    json.RawMessage
}

// ErrUnverified says that a JWT is not one that we signed for that purpose.
var ErrUnverified = problem.New(problem.Unauthenticated, "token_unverified", "That token is not one of ours.")

// Verify checks that a key of that purpose, not retired, signed raw. The key is found by
// its kid alone and decides the algorithm; keys that a token brings along are ignored.
// Times and audience are the caller's to check. Anything else is ErrUnverified.
func (k *KeySet) Verify(_ context.Context, p Purpose, raw string) (Verified, error) {
	if len(raw) > maxJWT || p == Encryption {
		return Verified{}, ErrUnverified
	}
	parsed, err := jose.ParseSignedCompact(raw, verifiable)
	if err != nil || len(parsed.Signatures) != 1 {
		return Verified{}, ErrUnverified.Because(err)
	}
	header := parsed.Signatures[0].Protected
	key, ok := k.loaded().public[p][header.KeyID]
	if !ok || key.Algorithm != header.Algorithm {
		return Verified{}, ErrUnverified
	}
	payload, err := parsed.Verify(key.Key)
	if err != nil {
		return Verified{}, ErrUnverified.Because(err)
	}
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return Verified{KeyID: header.KeyID, Algorithm: header.Algorithm, Type: typ, Claims: payload}, nil
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517 §5) and its entity tag.
func (k *KeySet) JWKS() (document []byte, etag string) {
	r := k.loaded()
	return r.jwks, r.etag
}

// Keys returns all keys that are not retired, by purpose, algorithm and age.
func (k *KeySet) Keys() []Key { return slices.Clone(k.loaded().keys) }

func (k *KeySet) loaded() *ring {
	if r := k.ring.Load(); r != nil {
		return r
	}
	return &ring{}
}

func (k *KeySet) generate(s slot, state State) (Key, error) {
	fresh := NewPrivate
	if k.Make != nil {
		fresh = k.Make
	}
	var private crypto.Signer
	var id string
	// One key in 64 would have an id that begins with a dash, which commands take for an option.
	for tries := 0; tries < 5 && (id == "" || strings.HasPrefix(id, "-")); tries++ {
		var err error
		if private, err = fresh(s.algorithm); err != nil {
			return Key{}, fmt.Errorf("make a %s key: %w", s.algorithm, err)
		}
		if id, err = Thumbprint(private.Public()); err != nil {
			return Key{}, err
		}
	}
	now := k.Now()
	key := Key{ID: id, Purpose: s.purpose, Algorithm: s.algorithm, State: state, Private: private, CreatedAt: now}
	if state == Current {
		key.ActivatedAt = now
	}
	return key, nil
}

// Thumbprint returns the key id of a public key: its SHA-256 thumbprint in base64url (RFC 7638).
func Thumbprint(public crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
