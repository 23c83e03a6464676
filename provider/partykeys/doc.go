// Package partykeys holds what a relying party's own keys can do for us: check what it
// signed, and encrypt what only it shall read.
//
// Its public keys are registered by value or fetched from its jwks_uri; its client secret
// is a symmetric key (OIDC Core §10.2). A caller always says which algorithms it accepts,
// and what a token says about its own key ("jwk", "jku", "x5u") is never looked at.
package partykeys

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
)

// Owner is whose keys are meant: JWKS or URI or neither, and the secrets that live.
type Owner struct {
	ID      string
	JWKS    json.RawMessage // keys by value (RFC 7517 §5)
	URI     string          // jwks_uri: keys by reference
	Secrets []secret.String // the newest first
}

// Keys works with the keys of relying parties and remembers those it fetched. Fill both
// fields; it is safe for concurrent use.
type Keys struct {
	Fetch func(ctx context.Context, uri string) ([]byte, error) // guarded, with a limit of its own in time and size
	Now   func() time.Time

	mu      sync.Mutex
	fetched map[string]*fetched
}

// The signing algorithms of key pairs, and those of a shared secret (RFC 7518 §3.1, RFC 8037).
var (
	SigningAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	HMACAlgorithms    = []string{"HS256", "HS384", "HS512"}
)

// What is encrypted with: how the content's key is agreed, and how the content is
// encrypted (RFC 7518 §4.1, §5.1). RSA1_5 and PBES2 are left out: the one leaks, the other burns.
var (
	KeyAlgorithms = []string{
		"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW",
		"A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir",
	}
	ContentAlgorithms = []string{"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"}
)

// Limits.
const (
	MaxToken = 32 << 10 // characters of a JWT that are looked at
	MaxSet   = 64 << 10 // bytes of a key set
)

const (
	minRSA   = 2048
	maxRSA   = 8192 // bits; checking a signature must stay cheap for us
	maxTries = 20   // keys that one signature is tried with
)

// ErrUnverified says that a JWT is not one the party signed with an accepted algorithm.
var ErrUnverified = problem.New(problem.Unauthenticated, "signature_unverified", "That is not signed with a key of the client.")

// ErrNoKey says that the party has no key that fits what it asked to be encrypted with.
var ErrNoKey = problem.New(problem.Invalid, "key_missing", "The client has no key that fits its encryption algorithm.")
