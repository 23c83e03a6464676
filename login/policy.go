package login

import (
	"idp/federation"
	"idp/identity"
	"idp/session"
)

// Mode says who may sign up.
type Mode string

// The sign-up modes.
const (
	Open    Mode = "open"
	Invited Mode = "invited" // only with an invitation bound to the address
	Closed  Mode = "closed"
)

// Settings are the operator's choices about signing in; one row in the database.
type Settings struct {
	SignUp    Mode          `json:"sign_up"`
	TwoPages  bool          `json:"two_pages"`  // ask for the identifier first, the password on the next page
	Password  bool          `json:"password"`   // passwords may be used
	EmailCode bool          `json:"email_code"` // a mailed code signs in
	EmailLink bool          `json:"email_link"` // a mailed link signs in
	Rules     PasswordRules `json:"rules"`

	Addresses identity.AddressRules `json:"addresses"` // whoever signs up without an invitation

	TwoStep      TwoStep `json:"two_step"`      // who needs two-step verification
	TOTP         bool    `json:"totp"`          // codes of an authenticator app may be set up and used
	BackupCodes  bool    `json:"backup_codes"`  // one-time codes come with the first second factor
	SecurityKeys bool    `json:"security_keys"` // WebAuthn without user verification: possession only
	Passkeys     bool    `json:"passkeys"`      // WebAuthn with user verification: both categories at once
	SMS          bool    `json:"sms"`           // codes by SMS, for those who turned that on for a number of theirs
	TrustDays    int     `json:"trust_days"`    // for so long a browser may skip the second factor; 0: never

	BotCheck BotCheck `json:"bot_check"` // when visitors show that they are no robots

	Buttons Buttons `json:"connections"` // how the ways to other providers look
}

// Buttons are how the ways to other providers look on the sign-in and sign-up pages. Zero fields
// are as in DefaultSettings.
type Buttons struct {
	Layout ButtonLayout `json:"layout"`
	Place  ButtonPlace  `json:"place"`
}

// ButtonLayout says how much a button says.
type ButtonLayout string

// The layouts.
const (
	Blocks ButtonLayout = "block" // a line each, with words; two a line where there are many
	Icons  ButtonLayout = "icon"  // a small drawing each, in one row
)

// ButtonPlace says where the buttons are.
type ButtonPlace string

// The places.
const (
	Top    ButtonPlace = "top"    // before the form
	Bottom ButtonPlace = "bottom" // after it
)

// TwoStep says who needs two-step verification.
type TwoStep string

// The rules about two-step verification.
const (
	Optional TwoStep = "optional" // whoever turned it on
	Required TwoStep = "required" // everybody; who has no second factor sets one up while signing in
)

// PasswordRules decide what password may be chosen (NIST SP 800-63B-4: length first).
type PasswordRules struct {
	MinLength int  `json:"min_length"` // characters; 8 at least
	MinScore  int  `json:"min_score"`  // zxcvbn score, 0–4
	Special   bool `json:"special"`    // demand a special character
	Digit     bool `json:"digit"`
	MixedCase bool `json:"mixed_case"`
}

// DefaultSettings let anybody sign up with a password and a mailed code.
func DefaultSettings() Settings {
	return Settings{
		SignUp: Open, Password: true, EmailCode: true, EmailLink: true,
		Rules: PasswordRules{MinLength: 8, MinScore: 2}, Addresses: identity.DefaultAddressRules(),
		TwoStep: Optional, TOTP: true, BackupCodes: true, SecurityKeys: true, Passkeys: true,
		BotCheck: CheckSuspicious, Buttons: Buttons{Layout: Blocks, Place: Top},
	}
}

// Policy is what is demanded of one attempt: settings ∨ organization ∨ the waiting Ask.
type Policy struct {
	Settings
	Need        session.Need
	Human       bool                    // a bot check is due first
	Connections []federation.Connection // in force
}

// connection returns the connection in force of a federated method.
func (p Policy) connection(m identity.Method) (federation.Connection, bool) {
	for _, c := range p.Connections {
		if c.Method() == m {
			return c, true
		}
	}
	return federation.Connection{}, false
}

// federated are the methods of the connections in force, with those that have no button if all are asked for.
func (p Policy) federated(hidden bool) []identity.Method {
	var methods []identity.Method
	for _, c := range p.Connections {
		if hidden || !c.Hidden {
			methods = append(methods, c.Method())
		}
	}
	return methods
}

// Facts are what is on file about the person an attempt is about.
type Facts struct {
	Known    bool
	User     identity.User
	Holdings []identity.Holding
	Factors  []identity.Factor
	Held     bool // somebody holds the attempt's address, verified
	Trusted  bool // the person let this browser skip the second factor, and that still holds
}
