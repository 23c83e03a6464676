package provider

import (
	"slices"
	"strings"

	"idp/provider/partykeys"
	"idp/token"
)

const unsigned = "none" // of a request object (OIDC Core §6.1)

func symmetric(algorithm string) bool {
	return strings.HasPrefix(algorithm, "HS") || strings.HasPrefix(algorithm, "A") || algorithm == "dir"
}

// hasKeys reports whether the client has keys of its own.
func (c Client) hasKeys() bool { return len(c.JWKS) > 0 || c.JWKSURI != "" }

func validKeys(c Client) error {
	if len(c.JWKS) > 0 && c.JWKSURI != "" {
		return invalid("jwks", "keys_twice", "Give jwks or jwks_uri, not both.")
	}
	if c.AuthMethod == authPrivateJWT && !c.hasKeys() {
		return invalid("jwks", "keys_missing", "private_key_jwt needs jwks or jwks_uri.")
	}
	if len(c.JWKS) == 0 {
		return nil
	}
	return partykeys.Check(c.JWKS)
}

// validAlgorithms checks what the client wants signed and encrypted, and with what it will
// sign: each must exist, and the client must have the key it takes.
func validAlgorithms(c Client) error {
	theirs := slices.Concat(partykeys.SigningAlgorithms, partykeys.HMACAlgorithms, []string{unsigned})
	ours := slices.Concat(token.SigningAlgorithms, partykeys.HMACAlgorithms)
	for _, one := range []struct {
		field, algorithm string
		known            []string
	}{
		{"token_endpoint_auth_signing_alg", c.AuthAlgorithm, authAlgorithms(c.AuthMethod)},
		{"id_token_signed_response_alg", c.IDToken.JWS, ours},
		{"id_token_encrypted_response_alg", c.IDToken.JWE, partykeys.KeyAlgorithms},
		{"id_token_encrypted_response_enc", c.IDToken.Enc, partykeys.ContentAlgorithms},
		{"userinfo_signed_response_alg", c.Userinfo.JWS, ours},
		{"userinfo_encrypted_response_alg", c.Userinfo.JWE, partykeys.KeyAlgorithms},
		{"userinfo_encrypted_response_enc", c.Userinfo.Enc, partykeys.ContentAlgorithms},
		{"request_object_signing_alg", c.RequestObject.JWS, theirs},
		{"request_object_encryption_alg", c.RequestObject.JWE, token.KeyAlgorithms},
		{"request_object_encryption_enc", c.RequestObject.Enc, token.ContentAlgorithms},
	} {
		if one.algorithm != "" && !slices.Contains(one.known, one.algorithm) {
			return invalid(one.field, "alg_unsupported", "Supported are %s.", strings.Join(one.known, ", "))
		}
	}
	for field, w := range map[string]Wrapping{
		"id_token_encrypted_response_enc": c.IDToken, "userinfo_encrypted_response_enc": c.Userinfo, "request_object_encryption_enc": c.RequestObject,
	} {
		if w.Enc != "" && w.JWE == "" {
			return invalid(field, "alg_missing", "It needs the algorithm for the key beside it.")
		}
	}
	return keysFor(c)
}

func authAlgorithms(method string) []string {
	switch method {
	case authPrivateJWT:
		return partykeys.SigningAlgorithms
	case authSecretJWT:
		return partykeys.HMACAlgorithms
	}
	return slices.Concat(partykeys.SigningAlgorithms, partykeys.HMACAlgorithms)
}

// keysFor checks that there is a key for all that needs one of the client's: its secret
// for symmetric algorithms, its own keys for the others.
func keysFor(c Client) error {
	for field, algorithm := range map[string]string{
		"id_token_signed_response_alg": c.IDToken.JWS, "userinfo_signed_response_alg": c.Userinfo.JWS,
		"id_token_encrypted_response_alg": c.IDToken.JWE, "userinfo_encrypted_response_alg": c.Userinfo.JWE,
		"request_object_signing_alg": c.RequestObject.JWS,
	} {
		if symmetric(algorithm) && c.Public() {
			return invalid(field, "alg_needs_secret", "%s takes a client secret, which this app does not have.", algorithm)
		}
	}
	for field, algorithm := range map[string]string{
		"id_token_encrypted_response_alg": c.IDToken.JWE, "userinfo_encrypted_response_alg": c.Userinfo.JWE,
		"request_object_signing_alg": c.RequestObject.JWS,
	} {
		if algorithm != "" && algorithm != unsigned && !symmetric(algorithm) && !c.hasKeys() {
			return invalid(field, "alg_needs_keys", "%s needs jwks or jwks_uri.", algorithm)
		}
	}
	if !c.RequireSignedRequest {
		return nil
	}
	if c.RequestObject.JWS == unsigned || !c.hasKeys() && !strings.HasPrefix(c.RequestObject.JWS, "HS") {
		return invalid("require_signed_request_object", "alg_needs_keys", "Signed requests need jwks or jwks_uri, or a request_object_signing_alg with the client secret.")
	}
	return nil
}
