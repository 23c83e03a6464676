package identity

import (
	"slices"
	"time"

	"idp/internal/secret"
)

// Method is a way of proving who one is. The names are public: the SDK, events
// and the Frontend API spell them so.
type Method string

// The methods. Federated methods are "oauth_" or "saml_" and a connection's name.
const (
	Password    Method = "password"
	EmailCode   Method = "email_code"
	EmailLink   Method = "email_link"
	ResetCode   Method = "reset_password_email_code"
	TOTP        Method = "totp"
	SecurityKey Method = "security_key"
	PhoneCode   Method = "phone_code"
	BackupCode  Method = "backup_code"
	Passkey     Method = "passkey"
)

// Category is a set of authentication factor categories (NIST SP 800-63B).
type Category uint8

// The categories. An e-mail inbox and a social account are knowledge: a password guards them.
const (
	Knowledge Category = 1 << iota
	Possession
	None Category = 0
	Both          = Knowledge | Possession
)

// Category returns what a proof by this method covers; an unknown method covers nothing.
func (m Method) Category() Category {
	switch m {
	case Password, EmailCode, EmailLink, ResetCode:
		return Knowledge
	case TOTP, SecurityKey, PhoneCode, BackupCode:
		return Possession
	case Passkey:
		return Both
	}
	if m.Federated() {
		return Knowledge // what a connection proves beyond that is its operator's word, for each proof
	}
	return None
}

// FactorID names a factor on file.
type FactorID string

// Factor is something a person can prove with, on file. Backup codes are a factor each.
type Factor struct {
	ID         FactorID
	UserID     UserID
	Method     Method
	Name       string        // the person's word for it, "" for none
	Secret     secret.String // what recognises an answer; each method's file says what that is. Sealed at rest.
	Credential string        // WebAuthn: the credential id in base64url; federated: ExternalAccount.Credential; nobody else's. "" for other methods
	Counter    int64         // moved by use: TOTP, the last time step; WebAuthn, the signature counter; backup code, 1 when spent
	CreatedAt  time.Time
	LastUsedAt time.Time
}

// Spent reports whether the factor can never prove anything again.
func (f Factor) Spent() bool { return f.Method == BackupCode && f.Counter != 0 }

// Proof is evidence that a person showed a factor.
type Proof struct {
	Method     Method    `json:"method"`
	Category   Category  `json:"category"`
	Credential string    `json:"credential"` // id of the factor, or the address that answered
	At         time.Time `json:"at"`
	// AMR are references that a trusted connection vouched for (RFC 8176).
	AMR []string `json:"amr,omitempty"`
}

// Covered returns the categories that proofs cover together.
func Covered(proofs []Proof) Category {
	var c Category
	for _, p := range proofs {
		c |= p.Category
	}
	return c
}

// AMR returns the authentication method references of proofs (RFC 8176), sorted, each once.
func AMR(proofs []Proof) []string {
	var refs []string
	for _, p := range proofs {
		refs = append(refs, amr[p.Method]...)
		refs = append(refs, p.AMR...)
	}
	if Covered(proofs) == Both && len(proofs) > 0 {
		refs = append(refs, "mfa")
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// RFC 8176 has no word for a mailed code; "otp" is what it calls a one-time code.
var amr = map[Method][]string{
	Password:    {"pwd"},
	EmailCode:   {"otp"},
	EmailLink:   {"otp"},
	ResetCode:   {"otp"},
	TOTP:        {"otp"},
	BackupCode:  {"otp"},
	PhoneCode:   {"sms"},
	SecurityKey: {"hwk"},
	Passkey:     {"hwk", "user"},
}

// ACR values, lowest first. "phr" is phishing-resistant.
const (
	AAL1 = "aal1"
	AAL2 = "aal2"
	PHR  = "phr"
)

// ACR returns the authentication context class that proofs reach.
func ACR(proofs []Proof) string {
	for _, p := range proofs {
		if p.Method == Passkey {
			return PHR
		}
	}
	if Covered(proofs) == Both {
		return AAL2
	}
	return AAL1
}
