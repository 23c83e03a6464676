package federation

import (
	"time"

	"idp/identity"
)

// Assertion is what an upstream said of a person, checked and judged.
type Assertion struct {
	Account identity.ExternalAccount `json:"account"`
	Email   identity.Identifier      `json:"email,omitzero"` // none if the provider gave none, or no address that we could write to
	Verdict Verdict                  `json:"verdict"`
	Profile identity.Profile         `json:"profile,omitzero"` // what it says beside; Picture is where its picture is, not what is shown

	// Vouched are the authentication methods (RFC 8176) by which the provider says that it proved
	// the person, if the operator trusts it about that; Both says that they make two steps.
	Vouched []string `json:"vouched,omitempty"`
	Both    bool     `json:"both,omitempty"`

	AuthTime time.Time `json:"auth_time,omitzero"` // when the person proved themselves there; zero: not told
	// Session names the session there, for signing out: sid of OpenID Connect, SessionIndex of SAML.
	Session string `json:"session,omitempty"`
	NameID  string `json:"name_id,omitempty"`  // SAML: as it came, in XML, for signing out
	NameKey string `json:"name_key,omitempty"` // SAML: by which that name is found again

	habit Habit // what the provider sent about the address, for the watch
}

// Presence is a person's session at a provider, by which a session here began: what signing out at
// one of them needs to know of the other.
type Presence struct {
	Connection string `json:"connection"`
	Credential string `json:"credential"` // of the account there
	Key        string `json:"key"`        // by which NameID is found again: a MAC
	NameID     string `json:"name_id"`    // in XML
	Session    string `json:"session,omitempty"`
}

// Presence returns nil where the provider named no session that could be ended.
func (a *Assertion) Presence() *Presence {
	if a.NameKey == "" {
		return nil
	}
	return &Presence{a.Connection(), a.Account.Credential(), a.NameKey, a.NameID, a.Session}
}

// Verdict is our judgement of an e-mail address that a provider gave. The zero value is
// unverified. Only verdict.go makes one that is not.
type Verdict struct {
	Verified bool   `json:"verified"`
	Why      string `json:"why,omitempty"` // the name of the rule, for events and for operators
}

// Connection is the name of the connection that it came by.
func (a *Assertion) Connection() string { return a.Account.Method.Connection() }

// Proof is what the assertion proves at that time, of the person whose account it is.
func (a *Assertion) Proof(at time.Time) identity.Proof {
	p := identity.Proof{
		Method: a.Account.Method, Category: a.Account.Method.Category(), Credential: a.Account.Credential(), At: at, AMR: a.Vouched,
	}
	if a.Both {
		p.Category = identity.Both
	}
	return p
}

// Factor is the account as it comes on a person's file, but for ids and times.
func (a *Assertion) Factor() (identity.Factor, error) {
	sealed, err := a.Account.Seal()
	return identity.Factor{
		Method: a.Account.Method, Name: a.Account.Label(), Secret: sealed, Credential: a.Account.Credential(),
	}, err
}
