package provider

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// What clients may register for (RFC 7518 §3.1, §4.1, §5.1; RFC 8037).
var (
	pairAlgorithms    = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	hmacAlgorithms    = []string{"HS256", "HS384", "HS512"}
	keyAlgorithms     = []string{"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", "A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW", "dir"}
	contentAlgorithms = []string{"A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"}

	// toUs are those that request objects may be encrypted to us with.
	toUs = []string{"RSA-OAEP-256", "ECDH-ES"}
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
	if len(c.JWKS) > 0 && !keySet(c.JWKS) {
		return invalid("jwks", "keys_invalid", "jwks is a JSON Web Key Set of public keys.")
	}
	return nil
}

func keySet(text json.RawMessage) bool {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	return len(text) <= maxMetadata && bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Unmarshal(text, &set) == nil && len(set.Keys) > 0
}

// validAlgorithms checks what the client wants signed and encrypted, and with what it will
// sign: each must exist, and the client must have the key it takes.
func validAlgorithms(c Client) error {
	either := slices.Concat(pairAlgorithms, hmacAlgorithms)
	for _, one := range []struct {
		field, algorithm string
		known            []string
	}{
		{"token_endpoint_auth_signing_alg", c.AuthAlgorithm, authAlgorithms(c.AuthMethod)},
		{"id_token_signed_response_alg", c.IDToken.JWS, either},
		{"id_token_encrypted_response_alg", c.IDToken.JWE, keyAlgorithms},
		{"id_token_encrypted_response_enc", c.IDToken.Enc, contentAlgorithms},
		{"userinfo_signed_response_alg", c.Userinfo.JWS, either},
		{"userinfo_encrypted_response_alg", c.Userinfo.JWE, keyAlgorithms},
		{"userinfo_encrypted_response_enc", c.Userinfo.Enc, contentAlgorithms},
		{"request_object_signing_alg", c.RequestObject.JWS, append(either, unsigned)},
		{"request_object_encryption_alg", c.RequestObject.JWE, toUs},
		{"request_object_encryption_enc", c.RequestObject.Enc, contentAlgorithms},
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
		return pairAlgorithms
	case authSecretJWT:
		return hmacAlgorithms
	}
	return slices.Concat(pairAlgorithms, hmacAlgorithms)
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
