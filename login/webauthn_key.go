package login

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"idp/identity"
	"idp/internal/secret"
)

// encoding is how credential ids are written in Factor.Credential.
var encoding = base64.RawURLEncoding

// key is what Factor.Secret holds, as JSON, of a passkey or security key. None of it is
// secret but the handle, which the person's devices tell only us.
type key struct {
	Handle     []byte   `json:"handle"`               // random, the same for all of a person's
	PublicKey  []byte   `json:"public_key,omitempty"` // COSE; none while it is a draft
	AAGUID     []byte   `json:"aaguid,omitempty"`     // which make it is
	Transports []string `json:"transports,omitempty"` // how to reach it
	Syncable   bool     `json:"syncable,omitempty"`   // may be copied to the person's other devices
	Synced     bool     `json:"synced,omitempty"`
}

func (k key) seal() (secret.String, error) {
	raw, err := json.Marshal(k)
	return secret.NewString(string(raw)), err
}

// keyOf reads the key of a factor.
func keyOf(f identity.Factor) (key, error) {
	var k key
	if err := json.Unmarshal([]byte(f.Secret.Reveal()), &k); err != nil {
		return k, fmt.Errorf("read the key of factor %s: %w", f.ID, err)
	}
	return k, nil
}

// isKey reports whether the factor is a WebAuthn credential.
func isKey(f identity.Factor) bool {
	return (f.Method == identity.Passkey || f.Method == identity.SecurityKey) && f.Credential != ""
}

// holder is a person as the library knows one: a handle, words for the device's list, keys.
type holder struct {
	handle     []byte
	name, call string
	keys       []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return h.handle }
func (h holder) WebAuthnName() string                       { return h.name }
func (h holder) WebAuthnDisplayName() string                { return h.call }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// holderOf returns the person with those of their keys that fit. The handle is empty if they
// have no key at all.
func holderOf(p Person, fits func(identity.Factor) bool) (holder, error) {
	var h holder
	h.call, h.name = p.Shown()
	for _, f := range p.Factors {
		if !isKey(f) {
			continue
		}
		k, err := keyOf(f)
		if err != nil {
			return h, err
		}
		h.handle = k.Handle
		if !fits(f) {
			continue
		}
		id, err := encoding.DecodeString(f.Credential)
		if err != nil {
			return h, fmt.Errorf("read the id of factor %s: %w", f.ID, err)
		}
		h.keys = append(h.keys, k.credential(id, f.Counter))
	}
	return h, nil
}

func (k key) credential(id []byte, counter int64) webauthn.Credential {
	c := webauthn.Credential{
		ID: id, PublicKey: k.PublicKey,
		Flags:         webauthn.CredentialFlags{BackupEligible: k.Syncable, BackupState: k.Synced},
		Authenticator: webauthn.Authenticator{AAGUID: k.AAGUID, SignCount: uint32(counter)}, //nolint:gosec // it came from 32 bits
	}
	for _, t := range k.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
	}
	return c
}

// keep notes what is worth keeping of a credential that was made.
func (k key) keep(c *webauthn.Credential) key {
	k.PublicKey, k.AAGUID = c.PublicKey, c.Authenticator.AAGUID
	k.Syncable, k.Synced = c.Flags.BackupEligible, c.Flags.BackupState
	for _, t := range c.Transport {
		if len(k.Transports) < 8 && len(t) <= 32 { // the browser's word, unsigned
			k.Transports = append(k.Transports, string(t))
		}
	}
	return k
}

// KeySignal is what a person's devices should know of their passkeys, so that they neither
// offer one that was removed nor show an old name (WebAuthn Level 3 §5.1.10).
type KeySignal struct {
	RPID   string
	Handle string   // base64url
	IDs    []string // base64url, of all that are on file
	Name   string   // the address
	Call   string   // the person's name
}

// KeySignal returns what the page of somebody's own account tells their devices, nil if there is nothing to tell.
func (e *Engine) KeySignal(p Person) (*KeySignal, error) {
	h, err := holderOf(p, isKey)
	if err != nil || e.WebAuthn == nil || len(h.keys) == 0 {
		return nil, err
	}
	s := &KeySignal{RPID: e.WebAuthn.id, Handle: encoding.EncodeToString(h.handle), Name: h.name, Call: h.call}
	for _, k := range h.keys {
		s.IDs = append(s.IDs, encoding.EncodeToString(k.ID))
	}
	return s, nil
}
