package login

import (
	"encoding/json"
	"errors"
	"net/url"

	"idp/identity"
	"idp/internal/secret"
)

// This file is what scripts send and are answered beside a View. The published description of the
// Frontend API is made from these types: what is said of a member here is what others read.

// StartRequest begins an attempt.
type StartRequest struct {
	Goal       Goal   `json:"goal"`
	Ask        AskID  `json:"ask,omitempty"`        // of the relying party that waits, from the address of our page
	Connection string `json:"connection,omitempty"` // connect: by which to sign in from now on
	Invitation hidden `json:"invitation,omitzero"`  // sign_up: from the invitation's link
	Public     bool   `json:"public,omitempty"`     // forget the person when the browser closes
	ReturnTo   string `json:"return_to,omitempty"`  // comes back as next; left out if nobody may be sent there
}

// IdentifyRequest names the person.
type IdentifyRequest struct {
	Identifier typed `json:"identifier"` // an email address
}

// PrepareRequest asks for a challenge of a method: a message is sent, or the options for the
// browser's WebAuthn come back.
type PrepareRequest struct {
	Method identity.Method `json:"method"`
}

// ProveRequest answers a challenge.
type ProveRequest struct {
	Method identity.Method `json:"method"`
	Answer hidden          `json:"answer"`          // the password, the code, or the credential as JSON
	Trust  bool            `json:"trust,omitempty"` // this browser may skip the second factor for a while
}

// SubmitRequest fills in a sign-up.
type SubmitRequest struct {
	Email    typed  `json:"email,omitempty"`
	Name     string `json:"name,omitempty"`
	Password hidden `json:"password,omitzero"`
	Locale   string `json:"locale,omitempty"` // language tag (BCP 47)
}

// PasswordRequest chooses a new password.
type PasswordRequest struct {
	Password hidden `json:"password"`
}

// EnrollRequest chooses what to set up.
type EnrollRequest struct {
	Method identity.Method `json:"method"`
	Detail string          `json:"detail,omitempty"` // phone_code: the number; otherwise the person's name for it
}

// ConfirmRequest shows that what was set up works.
type ConfirmRequest struct {
	Answer hidden `json:"answer"` // the code, or the credential as JSON
}

// HumanRequest solves the bot check in the view.
type HumanRequest struct {
	Answer hidden `json:"answer"`
}

// DepartRequest chooses a provider to sign in at.
type DepartRequest struct {
	Connection string `json:"connection"`
}

// BotCheckRequest says what a browser is about to do.
type BotCheckRequest struct {
	Action     Action `json:"action"`
	Identifier string `json:"identifier,omitempty"` // for sign_in
}

// BotCheckAnswer is the check that is due before that.
type BotCheckAnswer struct {
	Check *Check `json:"check"` // null: none is due
}

// StrengthRequest asks how hard a password is to guess. Nothing of it is kept.
type StrengthRequest struct {
	Password hidden `json:"password"`
	Address  string `json:"address,omitempty"` // whose it would be; what is in it is easy to guess
}

// Nothing is a body that says nothing: {}.
type Nothing struct{}

// CompletedAttempt is all that a script may know of an attempt, and in the one answer that made the
// person's first second factor, the backup codes.
type CompletedAttempt struct {
	View
	Codes []string `json:"backup_codes,omitempty"` // each works once; no other answer ever has them
}

// Departure is an attempt whose browser is to go elsewhere.
type Departure struct {
	Attempt  View   `json:"attempt"`
	Redirect WayOut `json:"redirect"`
}

// WayOut is where to: by GET, or, if there is a form, by POST with its fields.
type WayOut struct {
	URL  string     `json:"url"`
	Form url.Values `json:"form,omitempty"`
}

// hidden is a secret on its way in. It reads a JSON string and nothing else.
type hidden struct{ secret.String }

// UnmarshalJSON takes the secret out of the body.
func (h *hidden) UnmarshalJSON(raw []byte) error {
	var t typed
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	h.String = secret.NewString(string(t))
	return nil
}

// typed is what a person typed: a JSON string, and not null.
type typed string

// UnmarshalJSON refuses what encoding/json would pass over in silence.
func (t *typed) UnmarshalJSON(raw []byte) error {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if s == nil {
		return errors.New("null where a string belongs")
	}
	*t = typed(*s)
	return nil
}
