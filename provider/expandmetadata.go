package provider

import (
	"slices"

	"idp/provider/partykeys"
	"idp/token"
)

// requestMetadata says how requests may come, beside plain parameters (OIDC Discovery §3,
// RFC 9101 §10.5, RFC 9126 §5). Unsigned objects are not on offer: a client that registers
// for them may send them, but one that only reads this list would be refused, and the
// conformance suite's clients are such.
type requestMetadata struct {
	PushEndpoint      string   `json:"pushed_authorization_request_endpoint"`
	RequirePush       bool     `json:"require_pushed_authorization_requests"`
	RequireSigned     bool     `json:"require_signed_request_object"`
	RequireRegistered bool     `json:"require_request_uri_registration"`
	ObjectAlgorithms  []string `json:"request_object_signing_alg_values_supported"`
	ObjectKeys        []string `json:"request_object_encryption_alg_values_supported"`
	ObjectContents    []string `json:"request_object_encryption_enc_values_supported"`
}

func (p *Provider) requestMetadata() requestMetadata {
	return requestMetadata{
		PushEndpoint: p.url("/oauth2/par"), RequireRegistered: true,
		ObjectAlgorithms: slices.Concat(partykeys.SigningAlgorithms, partykeys.HMACAlgorithms),
		ObjectKeys:       token.KeyAlgorithms, ObjectContents: token.ContentAlgorithms,
	}
}
