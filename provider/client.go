package provider

import (
	"context"
	"time"

	"idp/internal/secret"
)

// ClientID names a relying party.
type ClientID string

// ClientType says what runs the client; it decides what is safe by default.
type ClientType string

// The types: a server with a secret, a page in a browser, an app on a device, a
// program without a person.
const (
	Web     ClientType = "web"
	SPA     ClientType = "spa"
	Native  ClientType = "native"
	Machine ClientType = "machine"
)

// Client is a relying party and all that is registered about it (RFC 7591 §2).
type Client struct {
	ID       ClientID
	Type     ClientType
	Disabled bool

	// AuthMethod is token_endpoint_auth_method: "client_secret_basic", "client_secret_post",
	// "none", or "" for a client that an operator made, which may use basic or post.
	AuthMethod string
	Secrets    []ClientSecret // the newest first; two live ones while a secret is rotated

	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	GrantTypes             []string
	ResponseTypes          []string
	Scopes                 []string // what it may ask for
	Audience               []string // API resources it may name

	FirstParty    bool // the operator's own: consent is not asked
	MayIntrospect bool // a resource server: may introspect tokens of other clients
	RequirePKCE   bool // beyond public clients, which always must

	Name, URI, LogoURI, PolicyURI, TermsURI string
	Contacts                                []string

	RegistrationToken secret.Digest  // of RFC 7592's registration_access_token, "" if none
	Metadata          map[string]any // registered members without a field here, echoed back
	CreatedAt         time.Time
	UpdatedAt         time.Time
	Version           int
}

// ClientSecret is one of a client's secrets. Generated ones have 256 random bits, so a
// digest keeps them.
type ClientSecret struct {
	Digest    secret.Digest `json:"digest"`
	CreatedAt time.Time     `json:"created_at"`
	ExpiresAt time.Time     `json:"expires_at"` // zero: until rotated
}

// Public reports whether the client cannot keep a secret.
func (c Client) Public() bool { return c.AuthMethod == "none" }

// ClientStore is where clients are remembered.
type ClientStore interface {
	Client(ctx context.Context, id ClientID) (Client, error) // problem.NotFound
	Clients(ctx context.Context, after ClientID, limit int) ([]Client, error)
	SaveClient(ctx context.Context, c Client) error                    // creates at Version 0; problem.Conflict if Version moved
	DeleteClient(ctx context.Context, id ClientID, at time.Time) error // and ends all that was issued to it
	SaveRegistrationToken(ctx context.Context, t RegistrationToken) error
	UseRegistrationToken(ctx context.Context, d secret.Digest, now time.Time) error // problem.NotFound unless live; counts one use
}

// RegistrationToken is an initial access token (RFC 7591 §3): leave to register clients.
type RegistrationToken struct {
	ID        string
	Digest    secret.Digest
	Uses      int // left; 0 is none
	CreatedAt time.Time
	ExpiresAt time.Time
}
