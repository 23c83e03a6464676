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
	UserCreated          Kind = "user.created"
	UserImported         Kind = "user.imported"
	UserUpdated          Kind = "user.updated"
	UserBanned           Kind = "user.banned"
	UserUnbanned         Kind = "user.unbanned"
	UserInvited          Kind = "user.invited"
	OperatorAppointed    Kind = "operator.appointed"
	OperatorLinkMade     Kind = "operator.link_made"
	AddressVerified      Kind = "address.verified"
	PasswordChanged      Kind = "password.changed"
	PasswordUpgraded     Kind = "password.upgraded"
	SignInSucceeded      Kind = "sign_in.succeeded"
	SignInFailed         Kind = "sign_in.failed"
	SignInLocked         Kind = "sign_in.locked"
	SessionEnded         Kind = "session.ended"
	ConsentGranted       Kind = "consent.granted"
	ConsentRevoked       Kind = "consent.revoked"
	AuthorizationCreated Kind = "authorization.created"
	AuthorizationRevoked Kind = "authorization.revoked"
	CodeReused           Kind = "authorization.code_reused"
	RefreshReused        Kind = "authorization.refresh_reused"
	TokenIssued          Kind = "token.issued"
	TokenRefused         Kind = "token.refused"
	ClientCreated        Kind = "client.created"
	ClientUpdated        Kind = "client.updated"
	ClientSecretRotated  Kind = "client.secret_rotated"
	ClientDisabled       Kind = "client.disabled"
	ClientEnabled        Kind = "client.enabled"
	ClientDeleted        Kind = "client.deleted"
	RegistrationTokenNew Kind = "registration_token.created"
	KeyRotated           Kind = "key.rotated"
	KeyRetired           Kind = "key.retired"
	SettingsChanged      Kind = "settings.changed"
	MessageFailed        Kind = "message.failed"
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
