// Package event says what happened: the audit trail. A room records an Event in
// the transaction that makes it true, so that a thing and its trace are one.
//
// Events carry ids, never addresses, codes or tokens.
package event

import (
	"context"
	"time"
)

// Kind is what happened. The names are public: webhooks and `idp events` spell them so.
type Kind string

// The catalogue of events.
const (
	UserCreated          Kind = "user.created"                 // a person came to be, by sign-up or by an operator
	UserImported         Kind = "user.imported"                // a person came from another system
	UserUpdated          Kind = "user.updated"                 // a person's profile, phone number, groups or roles changed
	UserBanned           Kind = "user.banned"                  // a person may not sign in any more; their sessions and tokens ended
	UserUnbanned         Kind = "user.unbanned"                // a person may sign in again
	UserJoined           Kind = "user.joined"                  // another account of a person became part of this one; that one is deleted
	UserExported         Kind = "user.exported"                // a person took away all that is on file about them
	UserDeleted          Kind = "user.deleted"                 // a person is off file for ever, with all that was theirs
	UserInvited          Kind = "user.invited"                 // an invitation to sign up went out
	OperatorAppointed    Kind = "operator.appointed"           // a person became operator
	OperatorLinkMade     Kind = "operator.link_made"           // a one-time link that makes its opener operator was printed
	AddressVerified      Kind = "address.verified"             // a person proved that they receive mail at an address
	ClaimLost            Kind = "address.claim_lost"           // an account claimed an address that somebody else proved, and had nothing else: nobody gets in by it
	AddressPrimary       Kind = "address.primary"              // another address or phone number is a person's main one
	AddressRemoved       Kind = "address.removed"              // an address or phone number left a person's file
	FactorAdded          Kind = "factor.added"                 // a person can prove themselves with something more
	FactorRemoved        Kind = "factor.removed"               // a person cannot prove themselves with something any more
	AccountLinked        Kind = "external_account.linked"      // a person can sign in by an account they have elsewhere
	AccountUnlinked      Kind = "external_account.unlinked"    // a person cannot sign in by an account elsewhere any more
	AccountTokenTaken    Kind = "external_account.token_taken" // an operator's program was given the access token that a provider gave for a person
	ConnectionRefused    Kind = "connection.refused"           // what came back from a provider was refused, or the connection is set up wrongly; told once a minute at most
	MetadataFailed       Kind = "connection.metadata_failed"   // what a SAML provider says of itself could not be read anew; what was known goes on for now
	PasskeyCloned        Kind = "passkey.cloned"               // a passkey or security key was refused: there seems to be a copy of it
	FactorsReset         Kind = "factor.reset"                 // an operator took all second factors off a person's file
	BackupCodesMade      Kind = "factor.backup_codes_made"     // a person has fresh backup codes; older ones are void
	BackupCodeUsed       Kind = "factor.backup_code_used"      // a backup code stood in for a second factor
	PasswordChanged      Kind = "password.changed"             // a person has another password
	PasswordUpgraded     Kind = "password.upgraded"            // a password was hashed anew at sign-in, with today's parameters
	PasswordUnchecked    Kind = "password.unchecked"           // a password was chosen while the list of breached ones could not be asked
	ChangeUndone         Kind = "change.undone"                // a change was taken back by the link in a mail; all sessions and tokens of the person ended
	SignInSucceeded      Kind = "sign_in.succeeded"            // a person proved who they are; a session began
	SignInFailed         Kind = "sign_in.failed"               // an answer was wrong
	BotCheckUnreachable  Kind = "bot_check.unreachable"        // the provider of the bot check could not be asked; the visitor was offered a mailed code
	SignInLocked         Kind = "sign_in.locked"               // too many wrong answers: the identifier is locked for a while
	SignInUnlocked       Kind = "sign_in.unlocked"             // an operator let a person who was locked try again
	BrowserTrusted       Kind = "browser.trusted"              // a person need not show a second factor on a browser for a while
	BrowserDistrusted    Kind = "browser.distrusted"           // a person must show a second factor on that browser again
	SessionEnded         Kind = "session.ended"                // a session is over
	ConsentGranted       Kind = "consent.granted"              // a person let a relying party know something
	ConsentRevoked       Kind = "consent.revoked"              // a person took that back
	AuthorizationCreated Kind = "authorization.created"        // a relying party got a code
	AuthorizationRevoked Kind = "authorization.revoked"        // what was issued under an authorization ended
	CodeReused           Kind = "authorization.code_reused"    // a code came a second time; its authorization ended
	RefreshReused        Kind = "authorization.refresh_reused" // a replaced refresh token came again; its authorization ended
	TokenRefused         Kind = "token.refused"                // a token request was refused
	ClientCreated        Kind = "client.created"               // a relying party was registered
	ClientUpdated        Kind = "client.updated"               // a relying party was changed
	ClientSecretRotated  Kind = "client.secret_rotated"        // a relying party got a new secret
	ClientDisabled       Kind = "client.disabled"              // a relying party may not be used
	ClientEnabled        Kind = "client.enabled"               // a relying party may be used again
	ClientDeleted        Kind = "client.deleted"               // a relying party is gone, and what was issued to it
	ConnectionCreated    Kind = "connection.created"           // an operator made a way to sign in by an account elsewhere
	ConnectionUpdated    Kind = "connection.updated"           // such a way was changed
	ConnectionDisabled   Kind = "connection.disabled"          // nobody signs in by it; what is linked stays
	ConnectionEnabled    Kind = "connection.enabled"           // people sign in by it again
	ConnectionDeleted    Kind = "connection.deleted"           // it is gone, and all accounts that were linked by it are unlinked
	TemplateCreated      Kind = "template.created"             // an operator made a JWT template
	TemplateUpdated      Kind = "template.updated"             // a JWT template was changed
	TemplateDeleted      Kind = "template.deleted"             // a JWT template is gone, and its key
	TemplateTokenTaken   Kind = "template.token_taken"         // an operator took a token that a template makes for a person
	TemplatePreviewed    Kind = "template.previewed"           // an operator looked at what a template says of a person, or had the doctor try it; the token was shown to nobody
	RegistrationTokenNew Kind = "registration_token.created"   // leave to register relying parties was given
	KeyRotated           Kind = "key.rotated"                  // a new signing key took over
	KeyRetired           Kind = "key.retired"                  // a signing key is no longer published
	SettingsChanged      Kind = "settings.changed"             // an operator changed settings
	LogoutFailed         Kind = "logout.failed"                // a relying party could not be told that a session is over
	MessageFailed        Kind = "message.failed"               // a message was given up

	EmailClaimChanged Kind = "connection.email_claim_changed" // a provider started or stopped sending addresses, or saying whether it checked them
)

// Event is one thing that happened. Empty fields are unknown or do not apply.
type Event struct {
	ID      string
	At      time.Time
	Kind    Kind
	Actor   string // who did it: a user id, "client:ID", "operator:cli" or "system"
	User    string // the person it happened to
	Client  string // the relying party involved
	Session string
	Network string // address the request came from
	Detail  map[string]string
}

// Recorder keeps events. Called with the context of a transaction, the event lives or dies with it.
type Recorder interface {
	Record(ctx context.Context, e Event) error
}
