package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"idp/internal/secret"
)

// How a person signs in by an account they have elsewhere: "oauth_google", "saml_acme". What
// follows the underscore is the connection's name.
const (
	oauthPrefix = "oauth_"
	samlPrefix  = "saml_"
)

// OAuthMethod is the method of an OpenID Connect or OAuth 2.0 connection.
func OAuthMethod(connection string) Method { return Method(oauthPrefix + connection) }

// SAMLMethod is the method of a SAML connection.
func SAMLMethod(connection string) Method { return Method(samlPrefix + connection) }

// Connection returns the name of the connection that a method is of, "" for methods of our own.
func (m Method) Connection() string {
	for _, prefix := range []string{oauthPrefix, samlPrefix} {
		if name, ok := strings.CutPrefix(string(m), prefix); ok {
			return name
		}
	}
	return ""
}

// Federated reports whether the method is to sign in elsewhere.
func (m Method) Federated() bool { return m.Connection() != "" }

// ExternalAccount is an account that a person has elsewhere and signs in with. On file it is
// a Factor: something that can prove them, whose credential is nobody else's. The issuer's
// subject is who they are there, for ever; the address is only what was last heard.
type ExternalAccount struct {
	Method  Method `json:"method"`
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`

	Email    string `json:"email,omitempty"`    // as the provider last gave it, in our canonical spelling; "" if it gave none
	Username string `json:"username,omitempty"` // what the provider shows, for the person to recognise the account
	Tokens   Tokens `json:"tokens,omitzero"`    // if the operator wants them kept

	Heard Profile `json:"heard,omitzero"` // what the provider last said of the person beside
}

// Tokens are what a provider lets us do in the person's name. They are only ever written sealed.
type Tokens struct {
	Access    string    `json:"access,omitempty"`
	Refresh   string    `json:"refresh,omitempty"`
	Scope     string    `json:"scope,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // of the access token; zero: not told
}

// Credential is the one name of the account that no other factor has: a digest over the
// connection, its issuer and the subject. The colon is in no WebAuthn credential id, so that
// nobody registers a passkey under the name of somebody's account.
func (x ExternalAccount) Credential() string {
	h := sha256.New()
	for _, part := range []string{string(x.Method), x.Issuer, x.Subject} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return "external:" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Label is how the person recognises the account: its address or its name there.
func (x ExternalAccount) Label() string {
	if x.Email != "" {
		return x.Email
	}
	return x.Username
}

// Seal returns what a Factor keeps of the account as its secret.
func (x ExternalAccount) Seal() (secret.String, error) {
	b, err := json.Marshal(x)
	return secret.NewString(string(b)), err
}

// External returns the account that a factor of a federated method is.
func (f Factor) External() (ExternalAccount, error) {
	var x ExternalAccount
	if !f.Method.Federated() {
		return x, fmt.Errorf("factor %s is no account elsewhere", f.ID)
	}
	if err := json.Unmarshal([]byte(f.Secret.Reveal()), &x); err != nil {
		return x, fmt.Errorf("read external account %s: %w", f.ID, err)
	}
	return x, nil
}
