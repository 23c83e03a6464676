package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"idp/internal/problem"
)

// registration is client metadata on the wire (RFC 7591 §2, OIDC Dynamic Client
// Registration §2, OIDC Core §4, the logout specifications §2, RFC 9126 §6, RFC 9101
// §10.5). Members that we do not know are ignored, as the RFC has it.
type registration struct {
	Application   string   `json:"application_type,omitempty"`
	RedirectURIs  []string `json:"redirect_uris,omitempty"`
	GrantTypes    []string `json:"grant_types,omitempty"`
	ResponseTypes []string `json:"response_types,omitempty"`
	Scope         string   `json:"scope,omitempty"`
	RequirePKCE   bool     `json:"require_pkce,omitempty"`

	Name            string   `json:"client_name,omitempty"`
	URI             string   `json:"client_uri,omitempty"`
	LogoURI         string   `json:"logo_uri,omitempty"`
	PolicyURI       string   `json:"policy_uri,omitempty"`
	TermsURI        string   `json:"tos_uri,omitempty"`
	Contacts        []string `json:"contacts,omitempty"`
	SoftwareID      string   `json:"software_id,omitempty"`
	SoftwareVersion string   `json:"software_version,omitempty"`

	AuthMethod    string          `json:"token_endpoint_auth_method,omitempty"`
	AuthAlgorithm string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	JWKS          json.RawMessage `json:"jwks,omitempty"`
	JWKSURI       string          `json:"jwks_uri,omitempty"`

	IDTokenJWS  string `json:"id_token_signed_response_alg,omitempty"`
	IDTokenJWE  string `json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEnc  string `json:"id_token_encrypted_response_enc,omitempty"`
	UserinfoJWS string `json:"userinfo_signed_response_alg,omitempty"`
	UserinfoJWE string `json:"userinfo_encrypted_response_alg,omitempty"`
	UserinfoEnc string `json:"userinfo_encrypted_response_enc,omitempty"`
	RequestJWS  string `json:"request_object_signing_alg,omitempty"`
	RequestJWE  string `json:"request_object_encryption_alg,omitempty"`
	RequestEnc  string `json:"request_object_encryption_enc,omitempty"`

	RequestURIs   []string `json:"request_uris,omitempty"`
	RequirePAR    bool     `json:"require_pushed_authorization_requests,omitempty"`
	RequireSigned bool     `json:"require_signed_request_object,omitempty"`

	SubjectType     string   `json:"subject_type,omitempty"`
	SectorURI       string   `json:"sector_identifier_uri,omitempty"`
	DefaultMaxAge   *int     `json:"default_max_age,omitempty"`
	RequireAuthTime bool     `json:"require_auth_time,omitempty"`
	DefaultACRs     []string `json:"default_acr_values,omitempty"`

	InitiateLoginURI string   `json:"initiate_login_uri,omitempty"`
	PostLogoutURIs   []string `json:"post_logout_redirect_uris,omitempty"`
	FrontURI         string   `json:"frontchannel_logout_uri,omitempty"`
	FrontSession     bool     `json:"frontchannel_logout_session_required,omitempty"`
	BackURI          string   `json:"backchannel_logout_uri,omitempty"`
	BackSession      bool     `json:"backchannel_logout_session_required,omitempty"`

	ofOperators

	// Members that an update must repeat, or must not send.
	ID     string `json:"client_id,omitempty"`
	Secret string `json:"client_secret,omitempty"` // read only to be compared; never kept

	translated map[string]any // "client_name#fr": names, logos and links by language (OIDC Registration §2.1)
}

// ofOperators are members that a client does not say of itself: there they are ignored.
type ofOperators struct {
	Type          ClientType `json:"type,omitempty"`
	FirstParty    bool       `json:"first_party,omitempty"`
	MayIntrospect bool       `json:"may_introspect,omitempty"`
	IDTokenClaims bool       `json:"id_token_claims,omitempty"`
	Audience      []string   `json:"audience,omitempty"`

	IDTokenTemplate     string            `json:"id_token_template,omitempty"`
	AccessTokenTemplate string            `json:"access_token_template,omitempty"`
	AccessTokenFormat   AccessTokenFormat `json:"access_token_format,omitempty"`
	AccessTokenJWS      string            `json:"access_token_signed_response_alg,omitempty"`
}

const maxMetadata = 64 << 10

var (
	errMetadata = problem.New(problem.Invalid, "metadata_unreadable", "Send the metadata as one JSON object of at most 64 KiB.")

	// Whom would we believe? No issuer of software statements is known here (RFC 7591 §3.2.2).
	errStatement    = problem.New(problem.Invalid, "software_statement_unapproved", "Software statements are not accepted here; send the metadata itself.").On("software_statement")
	errStatementBad = problem.New(problem.Invalid, "software_statement_invalid", "A software statement is a signed JWT; none are accepted here.").On("software_statement")
)

// readMetadata parses client metadata. What has the wrong type is problem.Invalid.
func readMetadata(text []byte) (registration, error) {
	var g registration
	if len(text) > maxMetadata || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return g, errMetadata
	}
	if err := json.Unmarshal(text, &g); err != nil {
		var typed *json.UnmarshalTypeError
		if errors.As(err, &typed) && typed.Field != "" {
			return g, invalid(typed.Field, "metadata_type", "It cannot be a %s.", typed.Value)
		}
		return g, errMetadata.Because(err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return g, errMetadata.Because(err)
	}
	if said := all["software_statement"]; said != nil && string(said) != "null" {
		if bytes.Count(said, []byte(".")) == 2 && said[0] == '"' {
			return g, errStatement
		}
		return g, errStatementBad
	}
	if string(g.JWKS) == "null" {
		g.JWKS = nil
	}
	return g, g.readTranslations(all)
}

// translatable are the members that may come in several languages.
var translatable = []string{"client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"}

func (g *registration) readTranslations(all map[string]json.RawMessage) error {
	for member, said := range all {
		base, tag, found := strings.Cut(member, "#")
		if !found || !slices.Contains(translatable, base) || string(said) == "null" {
			continue
		}
		parsed, err := language.Parse(tag)
		var text string
		if err != nil || json.Unmarshal(said, &text) != nil {
			return invalid(base, "metadata_type", "What follows # is a language, like fr, and its value a text.")
		}
		if g.translated == nil {
			g.translated = map[string]any{}
		}
		g.translated[base+"#"+parsed.String()] = text
	}
	return nil
}

// said returns a member in the first of these languages that it was registered in.
func (c Client) said(member, otherwise string, languages []string) string {
	if len(c.Metadata) == 0 {
		return otherwise
	}
	for _, one := range languages {
		tag, err := language.Parse(one)
		for ; err == nil && tag != language.Und; tag = tag.Parent() {
			if text, ok := c.Metadata[member+"#"+tag.String()].(string); ok {
				return text
			}
		}
	}
	return otherwise
}

func validTranslations(members map[string]any) error {
	if len(members) > maxURIs {
		return invalid("client_name", "translations_too_many", "At most %d translated members.", maxURIs)
	}
	for member, said := range members {
		base, _, _ := strings.Cut(member, "#")
		text, _ := said.(string)
		if base == "client_name" && (text == "" || !plainText(text)) || base != "client_name" && !webLink(text) {
			return invalid(base, "translation_invalid", "A translation must be as good as what it translates.")
		}
	}
	return nil
}

// MarshalJSON puts the translated members beside the others.
func (g registration) MarshalJSON() ([]byte, error) {
	type plain registration
	return withMembers(plain(g), g.translated)
}

// withMembers encodes an object, with other members in front of its own.
func withMembers(object any, more map[string]any) ([]byte, error) {
	text, err := json.Marshal(object)
	if err != nil || len(more) == 0 {
		return text, err
	}
	front, err := json.Marshal(more)
	if err != nil || string(text) == "{}" {
		return front, err
	}
	return append(append(front[:len(front)-1], ','), text[1:]...), nil
}
