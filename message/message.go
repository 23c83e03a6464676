// Package message reaches a person: a code, a link, a notice, by e-mail or, if it is to
// a phone number, by SMS.
//
// A room posts a Message in the transaction that causes it; it becomes a job whose
// arguments are sealed, because a waiting message may carry a live code. The job
// renders it in the person's language and hands it to a Sender: a mail server, an SMS
// gateway, or in development the inbox at /dev/inbox.
package message

import (
	"context"
	"time"

	"idp/identity"
	"idp/internal/secret"
)

// Kind says what a message is about; each has a template of that name.
type Kind string

// The kinds of messages.
const (
	SignUp          Kind = "sign_up"          // code and link that confirm an address at sign-up
	SignIn          Kind = "sign_in"          // code and link that sign in
	AddressHeld     Kind = "address_held"     // somebody tried to sign up with an address that has an account
	VerifyAddress   Kind = "verify_address"   // code and link that put another address on somebody's file
	AddressBelongs  Kind = "address_belongs"  // somebody tried that with an address that is on another file
	Reset           Kind = "reset"            // code and link that start a new password
	NoAccount       Kind = "no_account"       // a reset or sign-in was tried for an address without account
	PasswordChanged Kind = "password_changed" // notice, with a Notice
	Changed         Kind = "changed"          // notice of any other change, with a Notice
	AccountDeleted  Kind = "account_deleted"  // notice: the account is gone
	Locked          Kind = "locked"           // notice after too many wrong passwords
	Invitation      Kind = "invitation"       // a link that lets one address sign up
	Test            Kind = "test"             // idp mail test, idp sms test
	PhoneCode       Kind = "phone_code"       // SMS: a code that is the second step
	PhoneProof      Kind = "phone_proof"      // SMS: a code that shows whose number it is
	PhoneHeld       Kind = "phone_held"       // SMS: somebody tried to add a number that is on another account
)

// Message is something to tell a person.
type Message struct {
	Kind      Kind
	To        identity.Identifier
	Locale    string            // best language known, "" for the default
	Code      secret.String     // six digits, if it carries a code
	Link      secret.String     // absolute URL, if it carries a link
	Words     map[string]string // what the template may say besides: "party", "browser", "place"
	Notice    *Notice           // what PasswordChanged and Changed are about
	ExpiresAt time.Time         // not sent after this; zero: whenever
}

// Letter is a rendered message.
type Letter struct {
	ID      string    `json:"id"`
	To      string    `json:"to"`
	Kind    Kind      `json:"kind"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html,omitempty"`
	Code    string    `json:"code,omitempty"` // for the development inbox only
	Link    string    `json:"link,omitempty"`
	SMS     bool      `json:"sms,omitempty"` // it goes to a phone, and is its text alone
	SentAt  time.Time `json:"sent_at"`
}

// Sender delivers a letter or says why not. It may be asked twice for the same one.
type Sender interface {
	Send(ctx context.Context, l Letter) error
}

// Inbox keeps letters in development instead of sending them. Letters lists the newest
// first, at most 100, to one address or ("") to all.
type Inbox interface {
	Keep(ctx context.Context, l Letter) error
	Letters(ctx context.Context, to string) ([]Letter, error)
	Empty(ctx context.Context) error
}
