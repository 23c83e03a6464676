package login

import (
	"encoding/json"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/session"
)

// Step is what a browser has to do next. Next alone makes one.
type Step string

// The steps, spelled in pages, SDK and API as here.
const (
	NeedsHuman             Step = "needs_human"
	NeedsIdentifier        Step = "needs_identifier"
	NeedsFirstFactor       Step = "needs_first_factor"
	NeedsSecondFactor      Step = "needs_second_factor"
	NeedsEnrollment        Step = "needs_enrollment"
	NeedsEmailVerification Step = "needs_email_verification"
	NeedsPhoneVerification Step = "needs_phone_verification"
	NeedsConnection        Step = "needs_connection" // to go to a provider and come back
	MissingRequirements    Step = "missing_requirements"
	NeedsNewPassword       Step = "needs_new_password"
	Ready                  Step = "ready" // nothing is owed; settle follows at once, so that no screen ever shows it
	Complete               Step = "complete"
	Abandoned              Step = "abandoned"
)

// View is all that a screen may know. The Frontend API encodes it, pages hand it to a
// template; neither reads an Attempt.
type View struct {
	ID         AttemptID       `json:"id"`
	Goal       Goal            `json:"goal"`
	Step       Step            `json:"step"`
	Identifier string          `json:"identifier,omitempty"` // as the person typed it on this attempt
	Masked     string          `json:"masked,omitempty"`     // the same, for a screen others may see
	Party      *identity.Party `json:"party,omitempty"`
	Methods    []Option        `json:"methods,omitempty"`   // what may be tried now, last used first
	Reset      bool            `json:"reset,omitempty"`     // the person said the password is lost
	Breached   bool            `json:"breached,omitempty"`  // the password that was proven is known from a breach: hence a new one
	Hint       string          `json:"hint,omitempty"`      // whom the relying party expects, to prefill the identifier
	Confirmed  bool            `json:"confirmed,omitempty"` // the address to sign up with answered already: it stays
	Missing    []string        `json:"missing,omitempty"`   // sign-up fields still owed
	Rules      *PasswordRules  `json:"password_rules,omitempty"`
	Upstream   string          `json:"upstream,omitempty"` // the provider that somebody comes from who is not known here yet, as people call it
	SessionID  session.ID      `json:"session_id,omitempty"`
	Next       string          `json:"next,omitempty"`       // where to go when complete
	TrustDays  int             `json:"trust_days,omitempty"` // at needs_second_factor: this browser may skip it for so long from now on
	ExpiresAt  time.Time       `json:"expires_at"`

	// Enrollment is what it takes to set up the factor that was chosen, at needs_enrollment.
	Enrollment *Enrollment `json:"enrollment,omitempty"`
	// Human is the bot check that is due, at needs_human.
	Human *Check `json:"human,omitempty"`
	// Options are what the browser's WebAuthn needs to ask for a passkey or security key: the
	// argument of navigator.credentials.get, after a Prepare of that method.
	Options json.RawMessage `json:"options,omitempty"`
	// BackupCodes are shown once, when the first second factor was set up.
	BackupCodes []secret.String `json:"-"`

	// Cookie is the browser's renewed secret when the attempt just completed. The adapters
	// write it; it is never encoded.
	Cookie *session.Token `json:"-"`
	// Public says that the cookie must be forgotten with the window.
	Public bool `json:"-"`

	ask  AskID  // of the relying party that waits
	back string // where to go when complete, whatever the step is
}

// Enrollment is a factor on its way.
type Enrollment struct {
	Method  identity.Method `json:"method"`
	Key     string          `json:"key,omitempty"`     // totp: the seed in base32, for typing
	URI     string          `json:"uri,omitempty"`     // totp: the same as otpauth URI, for the QR code
	QR      *Square         `json:"qr,omitempty"`      // totp: that code; the Frontend API alone draws it
	Options json.RawMessage `json:"options,omitempty"` // WebAuthn: the argument of navigator.credentials.create
	Target  string          `json:"target,omitempty"`  // phone_code: the number, masked
}

// Option is one method a person may use now.
type Option struct {
	Method   identity.Method `json:"method"`
	Target   string          `json:"target,omitempty"`   // masked: where a message goes
	Sent     bool            `json:"sent,omitempty"`     // a challenge is out and alive
	ResendAt time.Time       `json:"resend_at,omitzero"` // earliest time for another message

	// Connection is by which to sign in elsewhere, for federated methods: to be used by Depart.
	Connection string `json:"connection,omitempty"`
	Title      string `json:"title,omitempty"`  // what people call it
	Preset     string `json:"preset,omitempty"` // of which kind it is, "" for none of the known ones
}
