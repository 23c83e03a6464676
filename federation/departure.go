package federation

import (
	"net/url"
	"strings"
	"time"

	"idp/internal/secret"
)

// Departure is a browser on its way to an upstream.
type Departure struct {
	State  secret.String // the attempt's id, a dot and 256 random bits; travels as state or RelayState
	At     time.Time
	Hint   string // whom to expect, for the provider's own form; "" for anybody
	Anew   bool   // the provider shall ask for a proof, whoever is signed in there
	MaxAge *time.Duration
	Both   bool // two steps are owed here: a provider whose word about that is taken may ask for them
	Locale string
}

// Way is where a browser is sent: to URL by GET, or, if Form is not nil, with that form by POST.
type Way struct {
	URL  string
	Form url.Values
}

// Answer is what a browser brought back.
type Answer struct {
	State   secret.String
	Values  url.Values    // of the query
	Arrival secret.String // names what was posted here before; empty: nothing was
}

// AttemptOf returns the attempt that a state or RelayState belongs to, "" if it is none of ours.
func AttemptOf(state string) string {
	attempt, random, ok := strings.Cut(state, ".")
	if !ok || attempt == "" || random == "" {
		return ""
	}
	return attempt
}

// NewState returns a fresh state for an attempt: at most 80 characters, as a RelayState may have
// (SAML Bindings §3.4.3).
func NewState(attempt string) secret.String { return secret.Token(attempt + ".") }

// nonce is the OpenID Connect nonce of a state.
func (f *Federation) nonce(state secret.String) string { return f.derive("nonce", state) }

// verifier is the PKCE code verifier of a state (RFC 7636 §4.1).
func (f *Federation) verifier(state secret.String) string { return f.derive("verifier", state) }

// requestID is the ID of the SAML request of a state; an NCName must not begin with a digit.
func (f *Federation) requestID(state secret.String) string { return "_" + f.derive("request", state) }

func (f *Federation) derive(what string, state secret.String) string {
	return string(f.Box.MAC("federation "+what, state.Reveal()))
}
