package token

import (
	"context"
	"crypto"
	"time"
)

// Purpose keeps keys apart: a key serves one purpose only.
type Purpose string

// The purposes.
const (
	OIDC    Purpose = "oidc"    // ID tokens, JWT access tokens, logout tokens
	Session Purpose = "session" // 60-second session tokens, and those of templates without a key of their own

	Encryption Purpose = "encryption" // what relying parties encrypt to us: request objects
)

// State is where a key stands in its life: published, then signing, then only verifying, then gone.
type State string

// The states, in order.
const (
	Next    State = "next"    // published, does not sign yet
	Current State = "current" // signs
	Past    State = "past"    // verifies what it signed, decrypts what was on its way
	Retired State = "retired" // neither published nor trusted
)

// Key is one key pair. Storage keeps Private sealed, as PKCS #8.
type Key struct {
	ID          string // kid: RFC 7638 thumbprint
	Purpose     Purpose
	Algorithm   string // one of SigningAlgorithms; for Encryption RSAOAEP256 or ECDHES
	State       State
	Private     crypto.Signer
	CreatedAt   time.Time
	ActivatedAt time.Time
	PastAt      time.Time
	RetiredAt   time.Time
}

// Store is what token needs remembered.
type Store interface {
	Keys(ctx context.Context) ([]Key, error)              // not retired
	SaveKey(ctx context.Context, k Key) error             // creates
	MoveKey(ctx context.Context, k Key, from State) error // problem.Conflict unless it stands at from
}
