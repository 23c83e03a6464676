package token

import "strings"

const (
	weSay      = "it is ours to say"
	ofGrants   = "it belongs to what an application was granted"
	ofOrgs     = "claims of organizations are not a template's to tell"
	withOwnKey = "only a template with a signing key of its own may say it"
)

// reserved are the claims that a template cannot set, and why: who reads them believes that
// we checked them.
var reserved = map[string]string{
	"iss": withOwnKey, "sub": withOwnKey,
	"aud": "it comes from the template's audience",
	"exp": "it comes from the template's lifetime", "nbf": "it comes from the template's clock skew", "iat": weSay, "jti": weSay,
	"sid": weSay, "azp": weSay, "auth_time": weSay, "amr": weSay, "acr": weSay, "nonce": weSay,
	"at_hash": weSay, "c_hash": weSay, "s_hash": weSay, "sub_jwk": weSay, "sub_id": weSay,
	"act": "it says who acts for the person", "may_act": "it says who may act for the person",
	"cnf": "it binds the token to a key", "events": "it makes the token say that something happened (RFC 8417)", "toe": weSay, "txn": weSay,
	"scope": ofGrants, "client_id": ofGrants, "authorization_details": ofGrants,
	"_claim_names": "it sends verifiers elsewhere", "_claim_sources": "it sends verifiers elsewhere",
	"org": ofOrgs,
}

// Reserved says why a template cannot set the claim, in whatever case; "" if it can. iss and
// sub can be set by one that signs with its own key.
func Reserved(claim string) string {
	name := folded(claim)
	if strings.HasPrefix(name, "org_") {
		return ofOrgs
	}
	return reserved[name]
}
