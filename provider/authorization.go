package provider

import (
	"context"
	"slices"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/session"
)

// AuthorizationID names an Authorization; refresh tokens carry it.
type AuthorizationID string

// Authorization is what one person, through one session, let one client do: from the code
// over the first tokens to the last refresh. Ending it ends all of them at once.
type Authorization struct {
	ID      AuthorizationID
	Client  ClientID
	User    identity.UserID
	Session session.ID
	Scopes  []string // granted
	Offline bool     // offline_access: refresh tokens outlive the session
	Facts   Facts

	Code          secret.Digest
	CodeExpiresAt time.Time
	RedeemedAt    time.Time // zero until the code was exchanged

	Generation int       // of the one refresh token that is good
	RotatedAt  time.Time // when it replaced its predecessor
	IdleAt     time.Time // unless used by then, the refresh token dies

	CreatedAt time.Time
	ExpiresAt time.Time // of the whole, however much it is used
	EndedAt   time.Time
	EndedWhy  Why
}

// Facts are what was true when the person said yes; ID tokens repeat them for ever.
type Facts struct {
	RedirectURI string    `json:"redirect_uri"`
	Challenge   string    `json:"challenge,omitempty"` // PKCE, S256; "" if none was sent
	Nonce       string    `json:"nonce,omitempty"`
	AuthTime    time.Time `json:"auth_time"`
	ACR         string    `json:"acr,omitempty"`
	AMR         []string  `json:"amr,omitempty"`

	Requested ClaimsRequest `json:"requested,omitzero"`
	Resources []string      `json:"resources,omitempty"` // APIs that the request named (RFC 8707)
	Sector    string        `json:"sector,omitempty"`    // for whose names the person said yes, "" for a public client
}

// Why says what ended an authorization.
type Why string

// The reasons.
const (
	CodeReused    Why = "code_reused"    // its code came a second time
	CodeBurned    Why = "code_burned"    // a wrong verifier or redirect URI came with its code
	RefreshReused Why = "refresh_reused" // a refresh token came that had been replaced
	Revoked       Why = "revoked"        // by the client, at the revocation endpoint
	ClientGone    Why = "client_deleted"
	PersonSaidSo  Why = "person" // by the person, or on their behalf
)

// Standing is an authorization together with what it rests on now.
type Standing struct {
	Authorization
	Person  identity.User    // as on file now; no id if deleted
	Email   identity.Holding // their main address, if any
	Phone   identity.Holding // their main phone number, if any
	Holder  session.Session  // the session it came from; no id if that is forgotten
	Missing bool             // there is no authorization: a machine's token
}

// Telling is how much of the person comes with what rests on them.
type Telling int

// The tellings. APIs ask whether a token is good all the time, and who it is for hardly ever.
const (
	StatusAlone Telling = iota // whether they may enter: Person has an id and a status, Email and Phone are empty
	WholePerson                // all of Person, Email and Phone
)

// stands reports whether everything issued under the authorization may still be used:
// the person may enter, and the session lasts or was granted to be outlived.
func (s Standing) stands(now time.Time) bool {
	switch {
	case !s.EndedAt.IsZero(), !now.Before(s.ExpiresAt):
		return false
	case !s.Person.MayEnter():
		return false
	}
	return s.Offline || s.present(now)
}

// present reports whether the session that said yes still lasts.
func (s Standing) present(now time.Time) bool {
	return s.Holder.ID != "" && s.Holder.Alive(now)
}

// has reports whether scope was granted.
func (a Authorization) has(scope string) bool { return slices.Contains(a.Scopes, scope) }

// AccessToken is an access token on file.
type AccessToken struct {
	Digest        secret.Digest
	Authorization AuthorizationID // "" for a machine's
	Client        ClientID
	Scopes        []string
	CreatedAt     time.Time
	ExpiresAt     time.Time
	EndedAt       time.Time
}

func (t AccessToken) alive(now time.Time) bool { return t.EndedAt.IsZero() && now.Before(t.ExpiresAt) }

// Store is what provider needs remembered. Each lookup is one statement.
type Store interface {
	ByCode(ctx context.Context, code secret.Digest) (Standing, error)        // problem.NotFound
	Authorization(ctx context.Context, id AuthorizationID) (Standing, error) // problem.NotFound
	// Token finds an access token and what it rests on; a machine's has a Missing standing. problem.NotFound
	Token(ctx context.Context, token secret.Digest, how Telling) (AccessToken, Standing, error)

	SaveAuthorization(ctx context.Context, a Authorization) error // creates
	// Redeem notes that the code was exchanged; problem.Conflict if it was, or if the authorization ended.
	Redeem(ctx context.Context, id AuthorizationID, at, idle time.Time) error
	// Rotate replaces the refresh token of that generation; problem.Conflict unless it is the good one.
	Rotate(ctx context.Context, id AuthorizationID, generation int, at, idle time.Time) error
	SaveToken(ctx context.Context, t AccessToken) error // creates
	// EndAuthorization ends it and everything under it; false if it had ended already.
	EndAuthorization(ctx context.Context, id AuthorizationID, why Why, at time.Time) (bool, error)
	EndToken(ctx context.Context, token secret.Digest, at time.Time) (bool, error) // false if it had ended already
}
