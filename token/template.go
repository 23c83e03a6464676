package token

import (
	"context"
	"encoding/json"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/session"
)

// Template says what a token tells about somebody, to whom, for how long, and by whose key.
type Template struct {
	Name      string          `json:"name"`                // of a–z, 0–9, - and _; SessionTemplate is the session token itself
	Claims    json.RawMessage `json:"claims"`              // a JSON object; strings may hold shortcodes
	Lifetime  Seconds         `json:"lifetime"`            // of a token, 30 s … 24 h; 0 is DefaultLifetime
	Skew      Seconds         `json:"skew"`                // nbf is so long before iat, for verifiers whose clock is late
	Audience  []string        `json:"audience,omitempty"`  // aud; absent from the token if empty
	Algorithm string          `json:"algorithm,omitempty"` // one of SigningAlgorithms, ES256 if empty; with a key of its own, what that key is for
	Key       CustomKey       `json:"key,omitzero"`
	Preset    string          `json:"preset,omitempty"` // which preset it was made from, "" for none
	Version   int             `json:"version,omitempty"`
	CreatedAt time.Time       `json:"created_at,omitzero"`
	UpdatedAt time.Time       `json:"updated_at,omitzero"`
}

// Seconds is a whole number of them, as templates spell lifetimes.
type Seconds int

// Duration returns the same as a duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// SessionTemplate is the template whose claims are added to every session token. Its lifetime,
// audience, algorithm and key are the session token's own.
const SessionTemplate = "session"

// Subject is of whom, and for whom, a token speaks.
type Subject struct {
	User   identity.User
	Email  identity.Holding // the main address, zero if there is none
	Phone  identity.Holding // the main number, zero if there is none
	Origin string           // whose script asked: azp, "" if it is not known

	Session session.Session // zero where a relying party asks
}

// TemplateStore is what templates need remembered.
type TemplateStore interface {
	Templates(ctx context.Context) ([]Template, error)   // all, by name
	SaveTemplate(ctx context.Context, t Template) error  // creates at Version 0; problem.Conflict if the name is taken or Version moved
	DropTemplate(ctx context.Context, name string) error // problem.NotFound

	// HoldTemplate returns a template, or ErrTemplate. Until the caller's transaction is over,
	// nobody changes or drops it.
	HoldTemplate(ctx context.Context, name string) (Template, error)
}

// ErrTemplate says that there is no template of that name.
var ErrTemplate = problem.New(problem.NotFound, "template_unknown", "There is no template of that name.")
