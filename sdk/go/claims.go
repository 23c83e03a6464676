package idp

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Claims are what a token says about somebody.
type Claims struct {
	Issuer    string
	Subject   string   // who: the person's id, which never changes
	SessionID string   // sid: the session they are signed in with
	Origin    string   // azp: the origin of the app that asked for the token
	Audience  []string // aud, if a template set it
	ID        string   // jti: of this token alone

	IssuedAt  time.Time
	NotBefore time.Time // zero if the token does not say
	ExpiresAt time.Time

	AuthTime time.Time // when they last proved who they are
	Methods  []string  // amr: by what (RFC 8176)
	Level    string    // acr: how strong that was

	all map[string]json.RawMessage
}

// Get decodes the claim of that name into what into points at, as json.Unmarshal does: a claim of
// a template, for example. ErrClaim if there is none.
func (c Claims) Get(name string, into any) error {
	raw, ok := c.all[name]
	if !ok {
		return fmt.Errorf("%w: %s", ErrClaim, name)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("idp: claim %s: %w", name, err)
	}
	return nil
}

// Has reports whether there is a claim of exactly that name.
func (c Claims) Has(name string) bool {
	_, ok := c.all[name]
	return ok
}

// Names are those of all claims, sorted.
func (c Claims) Names() []string { return slices.Sorted(maps.Keys(c.all)) }

// HasRole reports whether a template's claim role is that role, or its claim roles has it.
func (c Claims) HasRole(role string) bool {
	var one string
	if c.Get("role", &one) == nil && one == role && role != "" {
		return true
	}
	var many []string
	return c.Get("roles", &many) == nil && slices.Contains(many, role)
}

// readClaims reads the payload of a token whose signature was checked. A claim of the wrong type
// is an error.
func readClaims(payload []byte) (Claims, error) {
	all, err := object(payload)
	if err != nil {
		return Claims{}, err
	}
	c := Claims{all: all}
	texts := map[string]*string{
		"iss": &c.Issuer, "sub": &c.Subject, "sid": &c.SessionID, "azp": &c.Origin, "jti": &c.ID, "acr": &c.Level,
	}
	for name, into := range texts {
		if raw, there := all[name]; there && (json.Unmarshal(raw, into) != nil || string(raw) == "null") {
			return Claims{}, refused("%s is not text", name)
		}
	}
	times := map[string]*time.Time{"iat": &c.IssuedAt, "nbf": &c.NotBefore, "exp": &c.ExpiresAt, "auth_time": &c.AuthTime}
	for name, into := range times {
		if raw, there := all[name]; there {
			if *into, err = instant(raw); err != nil {
				return Claims{}, refused("%s is not a time", name)
			}
		}
	}
	if raw, there := all["amr"]; there && json.Unmarshal(raw, &c.Methods) != nil {
		return Claims{}, refused("amr is not a list of text")
	}
	if raw, there := all["aud"]; there {
		if c.Audience, err = audience(raw); err != nil {
			return Claims{}, err
		}
	}
	return c, nil
}

// instant reads a NumericDate (RFC 7519 §2): seconds, perhaps with a fraction.
func instant(raw json.RawMessage) (time.Time, error) {
	var seconds *float64
	if err := json.Unmarshal(raw, &seconds); err != nil {
		return time.Time{}, err
	}
	if seconds == nil || *seconds <= 0 || *seconds > 1<<40 {
		return time.Time{}, fmt.Errorf("out of range")
	}
	return time.Unix(int64(*seconds), 0), nil
}

// audience reads aud: one text or a list of them (RFC 7519 §4.1.3).
func audience(raw json.RawMessage) ([]string, error) {
	var one *string
	if json.Unmarshal(raw, &one) == nil && one != nil {
		return []string{*one}, nil
	}
	var many []string
	if json.Unmarshal(raw, &many) != nil || len(many) == 0 {
		return nil, refused("aud is neither text nor a list of it")
	}
	return many, nil
}
