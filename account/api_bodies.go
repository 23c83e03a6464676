package account

import (
	"encoding/json"
	"errors"

	"idp/identity"
	"idp/internal/secret"
	"idp/session"
)

// This file is what scripts send, and the lists they are answered with. The published description
// of the Frontend API is made from these types.

// LeaveRequest deletes the account.
type LeaveRequest struct {
	Confirm string `json:"confirm"` // the person's main email address
}

// NewPasswordRequest sets a password.
type NewPasswordRequest struct {
	Password hidden `json:"password"`
	Others   *bool  `json:"end_others,omitempty"` // sign out everywhere else; true if it is not said
}

// AddRequest adds an address or number.
type AddRequest struct {
	Address string `json:"address"` // email address, or phone number with its country code
}

// RankRequest makes an address or number the main one of its kind.
type RankRequest struct {
	Primary bool `json:"primary"` // true; nothing else can be changed
}

// RenameRequest gives a factor another name.
type RenameRequest struct {
	Name string `json:"name"`
}

// MergeRequest brings two accounts together that are both signed in here.
type MergeRequest struct {
	Into   session.ID        `json:"into"`                    // session of the account that stays
	From   session.ID        `json:"from"`                    // session of the other
	Factor identity.FactorID `json:"connection_id,omitempty"` // what moves, if not all does
	Join   bool              `json:"join,omitempty"`          // all moves, and the account of from is deleted
}

// Devices are the person's sessions everywhere.
type Devices struct {
	Sessions []Device `json:"sessions"`
}

// Grants are the apps that the person let in.
type Grants struct {
	Grants []App `json:"grants"`
}

// TrustedBrowsers are those that need not show a second factor for a while.
type TrustedBrowsers struct {
	Browsers []Trusted `json:"trusted_browsers"`
}

// BackupCodes are fresh ones; those from before are void.
type BackupCodes struct {
	Codes []string `json:"backup_codes"` // each works once; no other answer ever has them
}

// hidden is a secret on its way in. It reads a JSON string and nothing else.
type hidden struct{ secret.String }

// UnmarshalJSON takes the secret out of the body.
func (h *hidden) UnmarshalJSON(raw []byte) error {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if s == nil {
		return errors.New("null where a string belongs")
	}
	h.String = secret.NewString(*s)
	return nil
}
