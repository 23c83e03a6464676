package conformance

import (
	"net/http"
	"strings"
)

// discovery judges the metadata (OIDC Discovery §3 and §4) and the keys that it names.
func discovery(m *run) {
	res := m.w.send(m.t, http.MethodGet, m.w.issuer+"/.well-known/openid-configuration", nil, nil)
	if res.status != http.StatusOK {
		m.Fatalf("discovery answers %d", res.status)
	}
	meta := res.object(m.t)
	if meta["issuer"] != m.w.issuer {
		m.Errorf("issuer is %v", meta["issuer"])
	}
	m.endpoints(meta)
	lists := map[string][]string{
		"scopes_supported": {"openid"}, "subject_types_supported": {"public"}, "id_token_signing_alg_values_supported": {"RS256"},
		"claims_supported": {"sub", "iss", "name", "email"}, "token_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported": {"S256"}, "response_types_supported": {"code"}, "grant_types_supported": {"authorization_code"},
	}
	if !m.v.static { // OIDC Core §15.2: what a dynamic provider must have
		lists["response_types_supported"] = []string{"code", "id_token", "id_token token"}
		lists["grant_types_supported"] = []string{"authorization_code", "implicit"}
		if meta["registration_endpoint"] == nil {
			m.Error("there is no registration_endpoint")
		}
	}
	for name, wanted := range lists {
		for _, v := range wanted {
			if !m.w.lists(name, v) {
				m.Errorf("%s lacks %s: %v", name, v, meta[name])
			}
		}
	}
	for _, name := range []string{"id_token_signing_alg_values_supported", "request_object_signing_alg_values_supported"} {
		if meta[name] != nil && !m.w.lists(name, "RS256") {
			m.Errorf("%s lacks RS256", name)
		}
	}
	for _, name := range []string{"claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"} {
		if _, ok := meta[name].(bool); !ok {
			m.Errorf("%s is %v, but silence would mean something else", name, meta[name])
		}
	}
	m.publicKeys()
}

// endpoints demands that every address in the metadata is one of https.
func (m *run) endpoints(meta map[string]any) {
	m.Helper()
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} {
		if at, _ := meta[name].(string); at == "" {
			m.Errorf("there is no %s", name)
		}
	}
	for name, v := range meta {
		if at, ok := v.(string); ok && (strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri")) && !strings.HasPrefix(at, "https://") {
			m.Errorf("%s is not https: %s", name, at)
		}
	}
}

// publicKeys demands distinct kids and nothing private.
func (m *run) publicKeys() {
	m.Helper()
	res := m.w.send(m.t, http.MethodGet, m.w.endpoint(m.t, "jwks_uri"), nil, nil)
	keys, _ := res.object(m.t)["keys"].([]any)
	seen := map[any]bool{}
	for _, k := range keys {
		key, _ := k.(map[string]any)
		for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if key[secret] != nil {
				m.Errorf("the key %v shows its %s", key["kid"], secret)
			}
		}
		if key["kid"] == nil || seen[key["kid"]] {
			m.Errorf("the kid %v is absent or there twice", key["kid"])
		}
		seen[key["kid"]] = true
	}
	rsa := m.w.jwks(m.t)
	for _, k := range rsa.Keys {
		if !k.Valid() || !k.IsPublic() {
			m.Errorf("the key %s is not a good public key", k.KeyID)
		}
	}
	if len(keys) == 0 {
		m.Error("there are no keys")
	}
}
