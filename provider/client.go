package provider

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"idp/identity"
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
	// "client_secret_jwt", "private_key_jwt", "none", or "" for a client that an operator made, which may use basic or post.
	AuthMethod string
	Secrets    []ClientSecret // the newest first; two live ones while a secret is rotated

	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	GrantTypes             []string
	ResponseTypes          []string
	Scopes                 []string // what it may ask for
	Audience               []string // API resources it may name

	// Keys of the client's own (OIDC Registration §2): by value or by reference, never both.
	JWKS    json.RawMessage
	JWKSURI string

	AuthAlgorithm string   // token_endpoint_auth_signing_alg: the only one its assertions may use, "" for any
	IDToken       Wrapping // id_token_*_response_*
	Userinfo      Wrapping // userinfo_*_response_*; without JWS the answer is plain JSON
	RequestObject Wrapping // request_object_*: what it promised to use, "" for any but none
	RequestURIs   []string // request_uris: the only ones that are fetched

	RequirePAR           bool // require_pushed_authorization_requests (RFC 9126 §6)
	RequireSignedRequest bool // require_signed_request_object (RFC 9101 §10.5)

	Pairwise  bool   // subject_type pairwise: it knows people by names of their own (OIDC Core §8.1)
	SectorURI string // sector_identifier_uri
	Sector    string // host that pairwise names are made for

	DefaultMaxAge   *int     // default_max_age, in seconds
	RequireAuthTime bool     // require_auth_time; we always say it
	DefaultACRs     []string // default_acr_values
	IDTokenClaims   bool     // the operator's choice: what scopes give is in the ID token too

	// Also the operator's: token templates whose claims its tokens have too, "" for none.
	IDTokenTemplate     string
	AccessTokenTemplate string            // only where they are JWTs
	AccessTokenFormat   AccessTokenFormat // "" is Opaque

	AccessTokenAlgorithm string // that signs those that are JWTs, "" is ES256

	InitiateLoginURI      string // initiate_login_uri (OIDC Core §4)
	FrontchannelLogoutURI string
	FrontchannelSession   bool // frontchannel_logout_session_required
	BackchannelLogoutURI  string
	BackchannelSession    bool // backchannel_logout_session_required

	SoftwareID, SoftwareVersion string

	FirstParty    bool // the operator's own: consent is not asked
	MayIntrospect bool // a resource server: may introspect tokens of other clients
	RequirePKCE   bool // beyond public clients, which always must

	Name, URI, LogoURI, PolicyURI, TermsURI string
	Contacts                                []string

	RegistrationToken secret.Digest  // of RFC 7592's registration_access_token, "" if none
	Metadata          map[string]any // translated members, like "client_name#fr"
	CreatedAt         time.Time
	UpdatedAt         time.Time
	Version           int
}

// AccessTokenFormat says what a client's access tokens look like.
type AccessTokenFormat string

// The formats: random text, which APIs ask us about, or a JWT (RFC 9068), which they can
// verify without us.
const (
	Opaque AccessTokenFormat = "opaque"
	JWT    AccessTokenFormat = "jwt"
)

// ClientSecret is one of a client's secrets. Generated ones have 256 random bits, so a
// digest keeps them. Those that must come back, because an HMAC is made with them, are
// kept sealed as well.
type ClientSecret struct {
	Digest    secret.Digest
	Value     secret.String // empty unless Client.UsesHMAC
	CreatedAt time.Time
	ExpiresAt time.Time // zero: until rotated
}

// Wrapping says how a JWT is signed and then encrypted (RFC 7515, RFC 7516). Empty fields
// are the default, or "not at all".
type Wrapping struct {
	JWS string `json:"jws,omitempty"` // signing algorithm
	JWE string `json:"jwe,omitempty"` // key management algorithm
	Enc string `json:"enc,omitempty"` // content encryption algorithm
}

// UsesHMAC reports whether the client's secret is a key: then it must be kept, sealed,
// and not as a digest alone.
func (c Client) UsesHMAC() bool {
	if c.AuthMethod == authSecretJWT {
		return true
	}
	for _, w := range []Wrapping{c.IDToken, c.Userinfo, c.RequestObject} {
		// With a symmetric key management algorithm the secret is the key as well (OIDC Core §10.2).
		if strings.HasPrefix(w.JWS, "HS") || w.JWE == "dir" || strings.HasPrefix(w.JWE, "A") {
			return true
		}
	}
	return false
}

// HasSecret reports whether the client has a secret: to authenticate with, or as a key.
func (c Client) HasSecret() bool {
	return !c.Public() && (c.AuthMethod != authPrivateJWT || c.UsesHMAC())
}

// Public reports whether the client cannot keep a secret.
func (c Client) Public() bool { return c.AuthMethod == "none" }

// Party returns the client as a person sees it, sent back to that redirect URI; in the first
// of the languages that the client knows, if it was registered in several.
func (c Client) Party(redirect string, languages ...string) identity.Party {
	p := identity.Party{
		ID: string(c.ID), Host: hostOf(redirect), FirstParty: c.FirstParty,
		Name:      c.said("client_name", c.Name, languages),
		PolicyURI: c.said("policy_uri", c.PolicyURI, languages),
		TermsURI:  c.said("tos_uri", c.TermsURI, languages),
	}
	if c.LogoURI != "" {
		p.LogoURI = "/oauth2/clients/" + p.ID + "/logo" // ours: no browser fetches it elsewhere
	}
	return p
}

// ClientStore is where clients are remembered.
type ClientStore interface {
	Client(ctx context.Context, id ClientID) (Client, error) // problem.NotFound
	Clients(ctx context.Context, after ClientID, limit int) ([]Client, error)
	SaveClient(ctx context.Context, c Client) error                    // creates at Version 0; problem.Conflict if Version moved
	DeleteClient(ctx context.Context, id ClientID, at time.Time) error // and ends all that was issued to it
	SaveRegistrationToken(ctx context.Context, t RegistrationToken) error
	RegistrationLeave(ctx context.Context, d secret.Digest, now time.Time) error    // problem.NotFound unless live
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
