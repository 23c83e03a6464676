package federation

import (
	"cmp"
	"time"

	"idp/identity"
	"idp/internal/secret"
)

// Type is the protocol that an upstream speaks.
type Type string

// The protocols.
const (
	OIDC   Type = "oidc"   // OpenID Connect, by discovery
	OAuth2 Type = "oauth2" // OAuth 2.0 with an interface of the provider's own that says who it is
	SAML   Type = "saml"   // SAML 2.0, with us as service provider
)

// Connection is one upstream that people may sign in by. Its JSON is what operators write and
// what `idp connection list` prints; what is secret is written by them and printed by nobody.
type Connection struct {
	Name     string `json:"name"`               // in addresses and methods: lower-case letters, digits and dashes; for ever
	Type     Type   `json:"type"`               // of the preset, if there is one
	Preset   string `json:"preset,omitempty"`   // one of presets.go, which fills in what is empty
	Title    string `json:"title,omitempty"`    // on buttons; "": of the preset, or the name
	Disabled bool   `json:"disabled,omitempty"` // nobody signs in by it; what is linked stays
	Hidden   bool   `json:"hidden,omitempty"`   // without a button: reached by an address of its domains, or by a hint

	// OpenID Connect and OAuth 2.0.
	Issuer                string            `json:"issuer,omitempty"`
	ClientID              string            `json:"client_id,omitempty"`
	ClientSecret          secret.String     `json:"-"` // sealed at rest; Apple: the private key in PEM
	Scopes                []string          `json:"scopes,omitempty"`
	AuthorizationEndpoint string            `json:"authorization_endpoint,omitempty"` // oauth2 without preset
	TokenEndpoint         string            `json:"token_endpoint,omitempty"`
	UserinfoEndpoint      string            `json:"userinfo_endpoint,omitempty"`
	Options               map[string]string `json:"options,omitempty"`     // what a preset asks for beyond these: tenant, team_id, key_id, domain
	KeepTokens            bool              `json:"keep_tokens,omitempty"` // keep the provider's tokens, sealed

	// SAML.
	MetadataURL  string `json:"metadata_url,omitempty"` // read at once and again every few hours
	Metadata     string `json:"metadata,omitempty"`     // the document itself, instead
	EntityID     string `json:"entity_id,omitempty"`    // of the identity provider; with entry_point and certificate, instead of metadata
	EntryPoint   string `json:"entry_point,omitempty"`  // its single sign-on address
	Certificate  string `json:"certificate,omitempty"`  // PEM, one or more: what it signs with
	IDPInitiated bool   `json:"idp_initiated,omitempty"`

	// Claims says where in what the provider sends a value is found: email, name, given_name,
	// family_name, username, picture, locale, subject. Unnamed ones are where they usually are.
	Claims  map[string]string `json:"claims,omitempty"`
	Domains []string          `json:"domains,omitempty"`     // e-mail domains it is the provider of
	Enforce bool              `json:"enforce_sso,omitempty"` // people of these domains sign in by it and in no other way
	Trust   Trust             `json:"trust,omitzero"`

	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	Version   int       `json:"-"` // 0: not saved yet
}

// Trust is what an operator believes a connection about.
type Trust struct {
	// Email says when an e-mail address counts as proven. "": as the preset's row says, or, without
	// preset, only the claim email_verified with the value true; for SAML, only addresses of Domains.
	Email EmailTrust `json:"email,omitempty"`
	// MFA lets the provider's own word (amr, acr or AuthnContext) stand for the second step.
	MFA bool `json:"mfa,omitempty"`
}

// EmailTrust is an operator's own rule about e-mail addresses, which goes before the preset's.
type EmailTrust string

// The rules.
const (
	TrustNever   EmailTrust = "never"   // we prove every address ourselves
	TrustClaim   EmailTrust = "claim"   // what the preset's row names, for others email_verified, if it is the JSON value true
	TrustDomains EmailTrust = "domains" // every address of Domains: the provider hands them out
)

// Method is how somebody signs in by the connection.
func (c Connection) Method() identity.Method {
	if c.Type == SAML {
		return identity.SAMLMethod(c.Name)
	}
	return identity.OAuthMethod(c.Name)
}

// Shown is what people call the connection.
func (c Connection) Shown() string { return cmp.Or(c.Title, c.preset().Title, c.Name) }
