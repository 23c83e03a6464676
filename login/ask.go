package login

import (
	"time"

	"idp/identity"
	"idp/session"
)

// AskID names a relying party's waiting request.
type AskID string

// Ask is a relying party's request, parked while a person signs in. The protocol's
// own room validated it and will decide again from it at Resume; login only knows
// what it demands.
type Ask struct {
	ID        AskID
	Browser   session.BrowserID // no other browser may answer it
	Party     identity.Party
	Need      session.Need
	Scopes    []string   // to be shown on the consent screen
	Hint      string     // login_hint, prefills the identifier
	Upstream  Upstream   // by which provider the person had better sign in
	Locales   []string   // ui_locales, best first
	SignUp    bool       // prompt=create
	Choose    bool       // prompt=select_account: the person must pick
	Chosen    session.ID // the session picked for this ask, "" for none yet
	Answer    Answer     // what the person said on the consent screen
	Answered  session.ID // by which session
	Request   []byte     // the protocol room's validated request, opaque here
	Resume    string     // path that takes the browser back, e.g. "/oauth2/resume"
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero until the protocol answered
}

// Upstream is a relying party's wish about the provider that somebody signs in by. What names
// none of ours is passed over.
type Upstream struct {
	Connection string `json:"connection,omitempty"` // by name
	Domain     string `json:"domain,omitempty"`     // by an e-mail domain that it is the provider of
}

// Answer is a person's word on the consent screen.
type Answer string

// The answers; "" means not asked yet.
const (
	Unanswered Answer = ""
	Allowed    Answer = "allowed"
	Denied     Answer = "denied"
)

// Back is the path that hands the browser back to the protocol.
func (a Ask) Back() string { return a.Resume + "?ask=" + string(a.ID) }
