package provider

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idp/internal/problem"
	"idp/provider/partykeys"
	"idp/token"
)

// document is a public JSON document made ready.
type document struct {
	text []byte
	etag string
}

// metadata is what relying parties read about us (OIDC Discovery §3, RFC 8414 §2). It
// lists only what works.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	RegistrationEndpoint  string   `json:"registration_endpoint,omitempty"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	Scopes                []string `json:"scopes_supported"`
	Claims                []string `json:"claims_supported"`
	ClaimTypes            []string `json:"claim_types_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	Prompts               []string `json:"prompt_values_supported"`
	Displays              []string `json:"display_values_supported"`
	ACRs                  []string `json:"acr_values_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	IDTokenAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	IDTokenKeys           []string `json:"id_token_encryption_alg_values_supported"`
	IDTokenContents       []string `json:"id_token_encryption_enc_values_supported"`
	UserinfoAlgorithms    []string `json:"userinfo_signing_alg_values_supported"`
	UserinfoKeys          []string `json:"userinfo_encryption_alg_values_supported"`
	UserinfoContents      []string `json:"userinfo_encryption_enc_values_supported"`
	TokenAuth             []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgorithms   []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuth     []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAlgs     []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationAuth        []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgs        []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	Challenges            []string `json:"code_challenge_methods_supported"`
	ClaimsParameter       bool     `json:"claims_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
	FrontchannelLogout    bool     `json:"frontchannel_logout_supported"`
	FrontchannelSession   bool     `json:"frontchannel_logout_session_supported"`
	BackchannelLogout     bool     `json:"backchannel_logout_supported"`
	BackchannelSession    bool     `json:"backchannel_logout_session_supported"`
	CheckSessionIframe    string   `json:"check_session_iframe,omitempty"`
	ResponseIssuer        bool     `json:"authorization_response_iss_parameter_supported"`
	requestMetadata
}

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

func (p *Provider) describe(acrs []string) (document, error) {
	var registration string
	if !p.ClosedRegistration {
		registration = p.url("/oauth2/register")
	}
	secretly := []string{authBasic, authPost, authSecretJWT, authPrivateJWT}
	publicly := slices.Concat(secretly, []string{authNone})
	signatures := slices.Concat(token.SigningAlgorithms, partykeys.HMACAlgorithms)
	assertions := slices.Concat(partykeys.SigningAlgorithms, partykeys.HMACAlgorithms)
	var check string
	if p.SessionManagement {
		check = p.url(checkPath)
	}
	return ready(metadata{
		Issuer: p.Issuer, AuthorizationEndpoint: p.url("/oauth2/authorize"), TokenEndpoint: p.url("/oauth2/token"),
		UserinfoEndpoint: p.url("/oauth2/userinfo"), JWKSURI: p.url("/.well-known/jwks.json"),
		RegistrationEndpoint: registration, IntrospectionEndpoint: p.url("/oauth2/introspect"),
		RevocationEndpoint: p.url("/oauth2/revoke"), EndSessionEndpoint: p.url("/oauth2/logout"),
		Scopes: standardScopes, Claims: claimNames(),
		ClaimTypes: []string{"normal"}, ResponseTypes: answerTypes, ResponseModes: []string{modeQuery, modeFragment, modeFormPost},
		GrantTypes: []string{grantCode, grantImplicit, grantRefresh, grantMachine}, Prompts: prompts, Displays: displays, ClaimsParameter: true,
		ACRs: acrs, SubjectTypes: []string{"public", "pairwise"},
		IDTokenAlgorithms: signatures, IDTokenKeys: partykeys.KeyAlgorithms, IDTokenContents: partykeys.ContentAlgorithms,
		UserinfoAlgorithms: signatures, UserinfoKeys: partykeys.KeyAlgorithms, UserinfoContents: partykeys.ContentAlgorithms,
		TokenAuth: publicly, TokenAuthAlgorithms: assertions, IntrospectionAuth: secretly, IntrospectionAlgs: assertions,
		RevocationAuth: publicly, RevocationAlgs: assertions, Challenges: []string{"S256"}, ResponseIssuer: true,
		FrontchannelLogout: true, FrontchannelSession: true, BackchannelLogout: true, BackchannelSession: true, CheckSessionIframe: check,
		RequestParameter: true, RequestURIParameter: true, requestMetadata: p.requestMetadata(),
	})
}

func (p *Provider) requestMetadata() requestMetadata {
	return requestMetadata{
		PushEndpoint: p.url("/oauth2/par"), RequireRegistered: true,
		ObjectAlgorithms: slices.Concat(partykeys.SigningAlgorithms, partykeys.HMACAlgorithms),
		ObjectKeys:       token.KeyAlgorithms, ObjectContents: token.ContentAlgorithms,
	}
}

func ready(v any) (document, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return document{}, fmt.Errorf("encode metadata: %w", err)
	}
	sum := sha256.Sum256(text)
	return document{text: text, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}, nil
}

// Discovery serves the metadata at /.well-known/openid-configuration.
func (p *Provider) Discovery(w http.ResponseWriter, r *http.Request) error {
	return serve(w, r, p.metadata[p.reach()-1], "application/json")
}

// ServerMetadata serves the same at /.well-known/oauth-authorization-server, and for an
// issuer with a path at that followed by the path (RFC 8414 §3.1).
func (p *Provider) ServerMetadata(w http.ResponseWriter, r *http.Request) error {
	_, asked, _ := strings.Cut(r.URL.Path, "/.well-known/oauth-authorization-server")
	if at, err := url.Parse(p.Issuer); err != nil || strings.TrimSuffix(asked, "/") != at.Path {
		return errNoIssuer
	}
	return serve(w, r, p.metadata[p.reach()-1], "application/json")
}

// JWKS serves the public keys at /.well-known/jwks.json.
func (p *Provider) JWKS(w http.ResponseWriter, r *http.Request) error {
	text, etag := p.Keys.JWKS()
	return serve(w, r, document{text, etag}, "application/json")
}

func serve(w http.ResponseWriter, r *http.Request, d document, kind string) error {
	allowAll(w)
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=600")
	h.Set("ETag", d.etag)
	if r.Header.Get("If-None-Match") == d.etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", kind)
	_, _ = w.Write(d.text)
	return nil
}

var errNoIssuer = problem.New(problem.NotFound, "issuer_unknown", "There is no issuer at that path.")
