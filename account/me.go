package account

import (
	"encoding/json"
	"time"

	"idp/identity"
	"idp/login"
	"idp/session"
)

// Identifier is an address or phone number on file, as its owner sees it.
type Identifier struct {
	ID         identity.HoldingID `json:"id"`
	Kind       identity.Kind      `json:"kind"` // email or phone
	Value      string             `json:"value"`
	Primary    bool               `json:"primary"`
	Verified   bool               `json:"verified"`
	Codes      bool               `json:"sign_in_codes,omitempty"` // a number that codes of the second step go to
	Stays      bool               `json:"-"`                       // it cannot be removed as things are
	CreatedAt  time.Time          `json:"created_at"`
	VerifiedAt time.Time          `json:"verified_at,omitzero"`
}

// identifiers lists what is on a person's file, the main ones first.
func identifiers(p login.Person) []Identifier {
	all := []Identifier{}
	for _, h := range p.Holdings {
		all = append(all, Identifier{
			ID: h.ID, Kind: h.Identifier.Kind, Value: h.Identifier.Value, Primary: h.Primary, Verified: h.Verified(),
			Codes: receives(p, h), Stays: removable(p, h) != nil, CreatedAt: h.CreatedAt, VerifiedAt: h.VerifiedAt,
		})
	}
	return all
}

// Me is what somebody who is signed in sees of themselves at a glance.
type Me struct {
	ID        identity.UserID  `json:"id"`
	Name      string           `json:"name"` // as they are shown to themselves: the name, or the address
	Profile   identity.Profile `json:"profile"`
	Addresses []Identifier     `json:"identifiers"`
	Operator  bool             `json:"operator,omitempty"`
	Password  bool             `json:"password"` // they have one
	TwoStep   bool             `json:"two_step"` // they need two steps to sign in
	CreatedAt time.Time        `json:"created_at"`
	Session   Standing         `json:"session"`

	PublicMetadata json.RawMessage `json:"public_metadata"` // what operators let the person know; {} if nothing
	OwnMetadata    json.RawMessage `json:"own_metadata"`    // what the person keeps; {} if nothing
}

// Standing is the session in use.
type Standing struct {
	ID        session.ID        `json:"id"`
	Methods   []identity.Method `json:"methods"`
	AuthTime  time.Time         `json:"auth_time"`
	Recent    bool              `json:"recent"` // what was proven suffices now for a sensitive act
	ExpiresAt time.Time         `json:"expires_at"`
}

// orEmpty is metadata as scripts like it best: always an object.
func orEmpty(m json.RawMessage) json.RawMessage {
	if len(m) == 0 {
		return json.RawMessage("{}")
	}
	return m
}

// Me returns what is on file about the person, and the session in use.
func (a *Self) Me(by By) Me {
	name, _ := by.Who.Shown()
	_, has := passwordOf(by.Who)
	need := a.Engine.Recent(by.Who)
	return Me{
		ID: by.Who.User.ID, Name: name, Profile: by.Who.User.Profile, Addresses: identifiers(by.Who), Operator: by.Who.User.Operator,
		Password: has, TwoStep: need.Categories == identity.Both, CreatedAt: by.Who.User.CreatedAt,
		PublicMetadata: orEmpty(by.Who.User.Metadata.Public), OwnMetadata: orEmpty(by.Who.User.Metadata.Own),
		Session: Standing{
			ID: by.Session.ID, Methods: a.device(by.Session).Methods, AuthTime: by.Session.AuthTime,
			Recent: by.Session.Satisfies(need, a.Now()), ExpiresAt: by.Session.ExpiresAt,
		},
	}
}
