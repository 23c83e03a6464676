package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"idp/internal/problem"
	"idp/internal/secret"
)

// registration is client metadata on the wire (RFC 7591 §2, OIDC Dynamic Client
// Registration §2). Members that we do not know are ignored, as the RFC has it.
type registration struct {
	RedirectURIs   []string `json:"redirect_uris,omitempty"`
	AuthMethod     string   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes     []string `json:"grant_types,omitempty"`
	ResponseTypes  []string `json:"response_types,omitempty"`
	Application    string   `json:"application_type,omitempty"`
	Name           string   `json:"client_name,omitempty"`
	URI            string   `json:"client_uri,omitempty"`
	LogoURI        string   `json:"logo_uri,omitempty"`
	PolicyURI      string   `json:"policy_uri,omitempty"`
	TermsURI       string   `json:"tos_uri,omitempty"`
	Contacts       []string `json:"contacts,omitempty"`
	Scope          string   `json:"scope,omitempty"`
	PostLogoutURIs []string `json:"post_logout_redirect_uris,omitempty"`
	RequirePKCE    bool     `json:"require_pkce,omitempty"`
	SubjectType    string   `json:"subject_type,omitempty"`
	IDTokenAlg     string   `json:"id_token_signed_response_alg,omitempty"`

	// Members that an update must repeat, or must not send.
	ID     string `json:"client_id,omitempty"`
	Secret string `json:"client_secret,omitempty"` // read only to be compared; never kept
}

// registered is the answer to a registration (RFC 7591 §3.2.1, RFC 7592 §3).
type registered struct {
	ID              string `json:"client_id"`
	Secret          string `json:"client_secret,omitempty"`
	IssuedAt        int64  `json:"client_id_issued_at"`
	SecretExpiresAt *int64 `json:"client_secret_expires_at,omitempty"`
	AccessToken     string `json:"registration_access_token,omitempty"`
	URI             string `json:"registration_client_uri"`
	registration
}

const maxMetadata = 64 << 10

// Register creates a client at its own wish (RFC 7591 §3.1). Where registration is not
// open, an initial access token gives leave, one use of it per client; where it is closed,
// nothing does.
func (p *Provider) Register(w http.ResponseWriter, r *http.Request) error {
	if p.ClosedRegistration {
		return errNotOffered
	}
	if r.Method != http.MethodPost {
		return wrongMethod(w, "POST")
	}
	wish, err := readRegistration(w, r)
	if err != nil {
		return refuseRegistration(w, err)
	}
	draft, err := wish.client(Client{})
	if err != nil {
		return refuseRegistration(w, err)
	}
	leave := bearerOf(r)
	if leave == "" && !p.OpenRegistration {
		return challengeBearer(w, http.StatusUnauthorized, "invalid_token", "Registering needs an initial access token.")
	}
	key := secret.Token("idp_rat_")
	draft.RegistrationToken = secret.DigestOf(key.Reveal())
	var made Client
	var clientSecret secret.String
	err = p.InTx(r.Context(), func(ctx context.Context) error {
		if leave != "" {
			if err := p.Clients.Store.UseRegistrationToken(ctx, secret.DigestOf(leave), p.Now()); err != nil {
				return err
			}
		}
		made, clientSecret, err = p.Clients.Create(ctx, draft, "registration")
		return err
	})
	if problem.Is(err, problem.NotFound) {
		return challengeBearer(w, http.StatusUnauthorized, "invalid_token", "The initial access token is not valid.")
	}
	if err != nil {
		return refuseRegistration(w, err)
	}
	answer := p.registered(made)
	answer.AccessToken = key.Reveal()
	answer.Secret = clientSecret.Reveal()
	return reply(w, http.StatusCreated, answer)
}

// Registration reads, replaces and deletes a client that registered itself, for whoever
// holds its registration access token (RFC 7592).
func (p *Provider) Registration(w http.ResponseWriter, r *http.Request) error {
	if !slices.Contains([]string{http.MethodGet, http.MethodPut, http.MethodDelete}, r.Method) {
		return wrongMethod(w, "GET, PUT, DELETE")
	}
	client, err := p.Clients.Get(r.Context(), ClientID(r.PathValue("client")))
	if err != nil && !problem.Is(err, problem.NotFound) {
		return fmt.Errorf("find registration: %w", err)
	}
	given := string(secret.DigestOf(bearerOf(r)))
	if err != nil || client.RegistrationToken == "" || client.Disabled || !secret.Equal(given, string(client.RegistrationToken)) {
		return challengeBearer(w, http.StatusUnauthorized, "invalid_token", "The registration access token is not valid.")
	}
	switch r.Method {
	case http.MethodPut:
		return p.reregister(w, r, client)
	case http.MethodDelete:
		if err := p.Clients.Delete(r.Context(), client.ID, "client:"+string(client.ID)); err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return reply(w, http.StatusOK, p.registered(client))
}

func (p *Provider) reregister(w http.ResponseWriter, r *http.Request, client Client) error {
	wish, err := readRegistration(w, r)
	if err != nil {
		return refuseRegistration(w, err)
	}
	if wish.ID != string(client.ID) || wish.Secret != "" && !client.knows(wish.Secret, p.Now()) {
		return refuseRegistration(w, invalid("client_id", "client_id_mismatch", "Repeat your client_id, and your client_secret if you send one."))
	}
	changed, err := p.Clients.Update(r.Context(), client.ID, "client:"+string(client.ID), func(next *Client) error {
		*next, err = wish.client(*next)
		return err
	})
	if err != nil {
		return refuseRegistration(w, err)
	}
	return reply(w, http.StatusOK, p.registered(changed))
}

// client turns metadata into a client. Of was, it keeps what a client cannot say of itself.
func (g registration) client(was Client) (Client, error) {
	c := Client{
		ID: was.ID, Secrets: was.Secrets, Disabled: was.Disabled, Version: was.Version,
		RegistrationToken: was.RegistrationToken, CreatedAt: was.CreatedAt, UpdatedAt: was.UpdatedAt,
		Audience: was.Audience, Metadata: was.Metadata,

		Type: Web, AuthMethod: g.AuthMethod, RedirectURIs: g.RedirectURIs, PostLogoutRedirectURIs: g.PostLogoutURIs,
		GrantTypes: g.GrantTypes, ResponseTypes: g.ResponseTypes, Scopes: strings.Fields(g.Scope), RequirePKCE: g.RequirePKCE,
		Name: g.Name, URI: g.URI, LogoURI: g.LogoURI, PolicyURI: g.PolicyURI, TermsURI: g.TermsURI, Contacts: g.Contacts,
	}
	if c.AuthMethod == "" {
		c.AuthMethod = authBasic // the RFC's default
	}
	switch g.Application {
	case "", "web":
	case "native":
		c.Type = Native
	default:
		return c, invalid("application_type", "application_type_unknown", "The application_type is web or native.")
	}
	if c.AuthMethod == authNone && c.Type == Web {
		c.Type = SPA
	}
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{grantCode} // the RFC's default, and refresh tokens for those who can keep going
		c.GrantTypes = append(c.GrantTypes, grantRefresh)
	}
	if slices.Equal(c.GrantTypes, []string{grantMachine}) {
		c.Type = Machine
	}
	if c.Name == "" {
		c.Name = "Unnamed app"
		if len(c.RedirectURIs) > 0 {
			c.Name = hostOf(c.RedirectURIs[0])
		}
	}
	if g.SubjectType != "" && g.SubjectType != "public" {
		return c, invalid("subject_type", "subject_type_unsupported", "The subject_type is public.")
	}
	for _, scope := range c.Scopes {
		if !slices.Contains(forPeople, scope) && !slices.Contains(was.Scopes, scope) {
			return c, invalid("scope", "scope_unavailable", "An app that registers itself gets openid and scopes about people; others are the operator's to give.")
		}
	}
	if g.IDTokenAlg != "" && g.IDTokenAlg != "RS256" {
		return c, invalid("id_token_signed_response_alg", "alg_unsupported", "ID tokens are signed with RS256.")
	}
	return c, nil
}

// registered shows a client its registration, without secrets.
func (p *Provider) registered(c Client) registered {
	answer := registered{
		ID: string(c.ID), IssuedAt: c.CreatedAt.Unix(), URI: p.url("/oauth2/register/" + string(c.ID)),
		registration: registration{
			RedirectURIs: c.RedirectURIs, AuthMethod: c.AuthMethod, GrantTypes: c.GrantTypes, ResponseTypes: c.ResponseTypes,
			Application: "web", Name: c.Name, URI: c.URI, LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TermsURI: c.TermsURI,
			Contacts: c.Contacts, Scope: strings.Join(c.Scopes, " "), PostLogoutURIs: c.PostLogoutRedirectURIs,
			RequirePKCE: c.RequirePKCE, SubjectType: "public", IDTokenAlg: "RS256",
		},
	}
	answer.registration.ID = ""
	if c.Type == Native {
		answer.Application = "native"
	}
	if !c.Public() {
		answer.SecretExpiresAt = new(int64) // 0: it does not expire
	}
	return answer
}

// errNotOffered is the answer where nobody may register.
var errNotOffered = problem.New(problem.NotFound, "registration_closed", "Apps cannot register themselves here.")

// errMetadata is what an unreadable registration is told.
var errMetadata = problem.New(problem.Invalid, "metadata_unreadable", "Send the metadata as one JSON object of at most 64 KiB.")

func readRegistration(w http.ResponseWriter, r *http.Request) (registration, error) {
	var g registration
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return g, errMetadata
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMetadata))
	if err != nil {
		return g, errMetadata
	}
	if err := json.Unmarshal(text, &g); err != nil {
		return g, errMetadata.Because(err)
	}
	return g, nil
}

// refuseRegistration tells a client what its metadata lacks (RFC 7591 §3.2.2).
func refuseRegistration(w http.ResponseWriter, err error) error {
	var e *problem.Error
	if !errors.As(err, &e) || e.Kind != problem.Invalid {
		return err
	}
	code := "invalid_client_metadata"
	if e.Field == "redirect_uris" {
		code = "invalid_redirect_uri"
	}
	return reply(w, http.StatusBadRequest, failure{Code: code, Description: clean(e.Detail)})
}

func bearerOf(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
