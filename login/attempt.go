package login

import (
	"cmp"
	"encoding/json"
	"time"

	"idp/federation"
	"idp/identity"
	"idp/internal/secret"
	"idp/session"
)

// AttemptID names one try at signing in.
type AttemptID string

// Goal is what an attempt is for.
type Goal string

// The goals.
const (
	SignIn  Goal = "sign_in"
	SignUp  Goal = "sign_up"
	StepUp  Goal = "step_up" // prove again within a session
	Enroll  Goal = "enroll"  // within a session, set up another factor
	Extend  Goal = "extend"  // within a session, prove another address or phone number and have it on file
	Connect Goal = "connect" // within a session, prove an account elsewhere and sign in by it from now on
)

// within reports whether the goal is one of somebody who is signed in already.
func (g Goal) within() bool { return g == StepUp || g == Enroll || g == Extend || g == Connect }

// Attempt is one browser's try at becoming a session: what was shown and proven.
// What is still owed is Next's to say.
type Attempt struct {
	ID         AttemptID
	Browser    session.BrowserID // no other browser may advance it
	Goal       Goal
	Ask        AskID               // relying party waiting; "" for our own portal
	Identifier identity.Identifier // as typed, canonical; unknown ones look exactly like known ones
	UserID     identity.UserID     // "" until resolved, and for ever if unknown
	Human      bool                // bot check passed
	Doubted    bool                // too many failures came from there, or for that address: a bot check is due
	Proofs     []identity.Proof
	Challenges map[identity.Method]Challenge // one live per method
	Confirmed  bool                          // our own code to the address in question came back
	Upstream   *federation.Assertion         // what a provider said of a person whom it is not linked to yet
	Presence   *federation.Presence          // the session at a provider by which somebody came
	Reset      bool                          // the person said the password is lost
	Wrong      int                           // wrong answers by second factors
	Breached   secret.Digest                 // of the stored hash of the password that was proven, if it is known from a breach elsewhere
	Draft      Draft                         // waits here until settle
	Trust      bool                          // this browser need not show a second factor for a while
	Public     bool                          // "this is a public computer"
	Return     string                        // where to go when complete, if no relying party waits; "" for the account pages
	Within     session.ID                    // of somebody who is signed in: the session it began in
	SessionID  session.ID                    // set once, by settle
	Network    string                        // a MAC of the network it began in
	Version    int                           // 0: not saved yet

	CreatedAt, ExpiresAt, AbandonedAt time.Time
}

// Challenge is a question that was sent somewhere. Only digests of the answers are
// kept; one mail may carry a code and a link, which are one challenge.
type Challenge struct {
	Code      secret.Digest       `json:"code,omitempty"` // MAC of the six digits
	Link      secret.Digest       `json:"link,omitempty"` // digest of the link's token, or of the state that a browser departed with
	Target    identity.Identifier `json:"target"`         // where it went, or would have gone
	Tries     int                 `json:"tries"`          // wrong answers left
	SentAt    time.Time           `json:"sent_at"`
	ExpiresAt time.Time           `json:"expires_at"`
	UsedAt    time.Time           `json:"used_at,omitzero"`   // answered; kept so that a used link can say so
	Ceremony  json.RawMessage     `json:"ceremony,omitempty"` // WebAuthn: what the browser's answer is checked against
}

// Draft is what sign-up and reset gather before anything is written.
type Draft struct {
	Name         string        `json:"name,omitempty"`
	PasswordHash secret.String `json:"-"` // of the chosen password; kept sealed by storage
	Locale       string        `json:"locale,omitempty"`
	Invitation   string        `json:"invitation,omitempty"` // id of the invitation that was shown
	Factor       *DraftFactor  `json:"factor,omitempty"`     // being set up

	Address identity.Identifier `json:"address,omitzero"` // Extend: what is to come on file

	Connection string `json:"connection,omitempty"` // Connect: by which to sign in from now on
}

// DraftFactor is a factor that is being set up. Nothing is asked of its person before it is
// on file, and it comes there only after one right answer.
type DraftFactor struct {
	ID         identity.FactorID   `json:"id,omitempty"` // what it will have on file; "" lets install choose
	Method     identity.Method     `json:"method"`
	Name       string              `json:"name,omitempty"`
	Secret     secret.String       `json:"-"` // kept sealed by storage
	Credential string              `json:"credential,omitempty"`
	Counter    int64               `json:"counter,omitempty"`
	Target     identity.Identifier `json:"target,omitzero"`     // phone_code: the number
	Confirmed  bool                `json:"confirmed,omitempty"` // one answer was right
}

// shown is what a proof by the draft names: as one by the factor that it becomes.
func (d DraftFactor) shown() string { return cmp.Or(d.Credential, string(d.ID)) }

const (
	attemptLife   = 15 * time.Minute
	challengeLife = 10 * time.Minute
	codeTries     = 5
	resendAfter   = 30 * time.Second
)
