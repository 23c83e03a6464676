package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider"
)

// Clients keeps relying parties. It is a provider.ClientStore.
type Clients struct{ db *DB }

var _ provider.ClientStore = (*Clients)(nil)

// NewClients returns the relying parties of db.
func NewClients(db *DB) *Clients { return &Clients{db} }

var (
	errClientMoved = problem.New(problem.Conflict, "client_changed", "Somebody else changed this app just now. Look again.")
	errLeave       = problem.New(problem.NotFound, "registration_token_unknown", "That registration token is used up, expired or unknown.")
)

type clientRow struct {
	ID                string
	Name              string
	Disabled          bool
	Body              string
	RegistrationToken string
	CreatedAt         int64
	UpdatedAt         int64
	Version           int
}

// clientBody is what is kept of a client as JSON: what is never searched for.
type clientBody struct {
	Type                   provider.ClientType `json:"type"`
	AuthMethod             string              `json:"auth_method,omitempty"`
	Secrets                []secretBody        `json:"secrets,omitempty"`
	RedirectURIs           []string            `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string            `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes             []string            `json:"grant_types,omitempty"`
	ResponseTypes          []string            `json:"response_types,omitempty"`
	Scopes                 []string            `json:"scopes,omitempty"`
	Audience               []string            `json:"audience,omitempty"`
	JWKS                   json.RawMessage     `json:"jwks,omitempty"`
	JWKSURI                string              `json:"jwks_uri,omitempty"`
	AuthAlgorithm          string              `json:"auth_alg,omitempty"`
	IDToken                provider.Wrapping   `json:"id_token,omitzero"`
	Userinfo               provider.Wrapping   `json:"userinfo,omitzero"`
	RequestObject          provider.Wrapping   `json:"request_object,omitzero"`
	RequestURIs            []string            `json:"request_uris,omitempty"`
	RequirePAR             bool                `json:"require_par,omitempty"`
	RequireSignedRequest   bool                `json:"require_signed_request,omitempty"`
	Pairwise               bool                `json:"pairwise,omitempty"`
	SectorURI              string              `json:"sector_uri,omitempty"`
	Sector                 string              `json:"sector,omitempty"`
	DefaultMaxAge          *int                `json:"default_max_age,omitempty"`
	RequireAuthTime        bool                `json:"require_auth_time,omitempty"`
	DefaultACRs            []string            `json:"default_acrs,omitempty"`
	IDTokenClaims          bool                `json:"id_token_claims,omitempty"`
	IDTokenTemplate        string              `json:"id_token_template,omitempty"`
	AccessTokenTemplate    string              `json:"access_token_template,omitempty"`
	AccessTokenFormat      string              `json:"access_token_format,omitempty"`
	AccessTokenAlgorithm   string              `json:"access_token_alg,omitempty"`
	InitiateLoginURI       string              `json:"initiate_login_uri,omitempty"`
	FrontchannelLogoutURI  string              `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelSession    bool                `json:"frontchannel_session,omitempty"`
	BackchannelLogoutURI   string              `json:"backchannel_logout_uri,omitempty"`
	BackchannelSession     bool                `json:"backchannel_session,omitempty"`
	SoftwareID             string              `json:"software_id,omitempty"`
	SoftwareVersion        string              `json:"software_version,omitempty"`
	FirstParty             bool                `json:"first_party,omitempty"`
	MayIntrospect          bool                `json:"may_introspect,omitempty"`
	RequirePKCE            bool                `json:"require_pkce,omitempty"`
	URI                    string              `json:"client_uri,omitempty"`
	LogoURI                string              `json:"logo_uri,omitempty"`
	PolicyURI              string              `json:"policy_uri,omitempty"`
	TermsURI               string              `json:"tos_uri,omitempty"`
	Contacts               []string            `json:"contacts,omitempty"`
	Metadata               map[string]any      `json:"metadata,omitempty"`
}

// secretBody is one of a client's secrets: its digest, and where it is a key the value, sealed.
type secretBody struct {
	Digest    secret.Digest `json:"digest"`
	Sealed    string        `json:"sealed,omitempty"`
	CreatedAt time.Time     `json:"created_at"`
	ExpiresAt time.Time     `json:"expires_at"`
}

func placeOfSecrets(id string) string { return "clients.body:" + id }

func sealSecrets(box *secret.Box, id provider.ClientID, secrets []provider.ClientSecret) []secretBody {
	kept := make([]secretBody, 0, len(secrets))
	for _, s := range secrets {
		b := secretBody{Digest: s.Digest, CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt}
		if !s.Value.Empty() {
			b.Sealed = box.Seal(placeOfSecrets(string(id)), []byte(s.Value.Reveal()))
		}
		kept = append(kept, b)
	}
	return kept
}

func openSecrets(box *secret.Box, id string, kept []secretBody) ([]provider.ClientSecret, error) {
	secrets := make([]provider.ClientSecret, 0, len(kept))
	for _, b := range kept {
		s := provider.ClientSecret{Digest: b.Digest, CreatedAt: b.CreatedAt, ExpiresAt: b.ExpiresAt}
		if b.Sealed != "" {
			plain, err := box.Open(placeOfSecrets(id), b.Sealed)
			if err != nil {
				return nil, fmt.Errorf("open a secret of client %s: %w", id, err)
			}
			s.Value = secret.NewString(string(plain))
		}
		secrets = append(secrets, s)
	}
	return secrets, nil
}

const clientColumns = "id, name, disabled, body, registration_token, created_at, updated_at, version"

// Client returns a client, or problem.NotFound.
func (c *Clients) Client(ctx context.Context, id provider.ClientID) (provider.Client, error) {
	var row clientRow
	err := c.db.read(ctx).NewRaw("SELECT "+clientColumns+" FROM clients WHERE id = ?", string(id)).Scan(ctx, &row)
	if err != nil {
		return provider.Client{}, explain("find client", err, provider.ErrClientUnknown)
	}
	return fromClient(c.db.box, row)
}

// Clients lists clients in the order of their ids, after the given one.
func (c *Clients) Clients(ctx context.Context, after provider.ClientID, limit int) ([]provider.Client, error) {
	var rows []clientRow
	err := c.db.read(ctx).NewRaw(`
		SELECT `+clientColumns+`
		FROM clients
		WHERE id > ?
		ORDER BY id
		LIMIT ?`, string(after), limit).Scan(ctx, &rows)
	if err != nil {
		return nil, explain("list clients", err)
	}
	list := make([]provider.Client, 0, len(rows))
	for _, r := range rows {
		client, err := fromClient(c.db.box, r)
		if err != nil {
			return nil, err
		}
		list = append(list, client)
	}
	return list, nil
}

func fromClient(box *secret.Box, r clientRow) (provider.Client, error) {
	var b clientBody
	if err := json.Unmarshal([]byte(r.Body), &b); err != nil {
		return provider.Client{}, fmt.Errorf("read client %s: %w", r.ID, err)
	}
	secrets, err := openSecrets(box, r.ID, b.Secrets)
	if err != nil {
		return provider.Client{}, err
	}
	return provider.Client{
		ID: provider.ClientID(r.ID), Name: r.Name, Disabled: r.Disabled, Version: r.Version,
		Type: b.Type, AuthMethod: b.AuthMethod, Secrets: secrets,
		RedirectURIs: b.RedirectURIs, PostLogoutRedirectURIs: b.PostLogoutRedirectURIs,
		GrantTypes: b.GrantTypes, ResponseTypes: b.ResponseTypes, Scopes: b.Scopes, Audience: b.Audience,
		JWKS: b.JWKS, JWKSURI: b.JWKSURI, AuthAlgorithm: b.AuthAlgorithm, IDToken: b.IDToken, Userinfo: b.Userinfo,
		RequestObject: b.RequestObject, RequestURIs: b.RequestURIs, RequirePAR: b.RequirePAR,
		RequireSignedRequest: b.RequireSignedRequest, Pairwise: b.Pairwise, SectorURI: b.SectorURI, Sector: b.Sector,
		DefaultMaxAge: b.DefaultMaxAge, RequireAuthTime: b.RequireAuthTime, DefaultACRs: b.DefaultACRs,
		IDTokenClaims: b.IDTokenClaims, InitiateLoginURI: b.InitiateLoginURI,
		IDTokenTemplate: b.IDTokenTemplate, AccessTokenTemplate: b.AccessTokenTemplate, AccessTokenFormat: provider.AccessTokenFormat(b.AccessTokenFormat), AccessTokenAlgorithm: b.AccessTokenAlgorithm,
		FrontchannelLogoutURI: b.FrontchannelLogoutURI, FrontchannelSession: b.FrontchannelSession,
		BackchannelLogoutURI: b.BackchannelLogoutURI, BackchannelSession: b.BackchannelSession, SoftwareID: b.SoftwareID,
		SoftwareVersion: b.SoftwareVersion,
		FirstParty:      b.FirstParty, MayIntrospect: b.MayIntrospect, RequirePKCE: b.RequirePKCE,
		URI: b.URI, LogoURI: b.LogoURI, PolicyURI: b.PolicyURI, TermsURI: b.TermsURI, Contacts: b.Contacts,
		Metadata: b.Metadata, RegistrationToken: secret.Digest(r.RegistrationToken),
		CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt),
	}, nil
}

func toClient(box *secret.Box, c provider.Client) (clientRow, error) {
	body, err := json.Marshal(clientBody{
		Type: c.Type, AuthMethod: c.AuthMethod, Secrets: sealSecrets(box, c.ID, c.Secrets),
		RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
		GrantTypes: c.GrantTypes, ResponseTypes: c.ResponseTypes, Scopes: c.Scopes, Audience: c.Audience,
		JWKS: c.JWKS, JWKSURI: c.JWKSURI, AuthAlgorithm: c.AuthAlgorithm, IDToken: c.IDToken, Userinfo: c.Userinfo,
		RequestObject: c.RequestObject, RequestURIs: c.RequestURIs, RequirePAR: c.RequirePAR,
		RequireSignedRequest: c.RequireSignedRequest, Pairwise: c.Pairwise, SectorURI: c.SectorURI, Sector: c.Sector,
		DefaultMaxAge: c.DefaultMaxAge, RequireAuthTime: c.RequireAuthTime, DefaultACRs: c.DefaultACRs,
		IDTokenClaims: c.IDTokenClaims, InitiateLoginURI: c.InitiateLoginURI,
		IDTokenTemplate: c.IDTokenTemplate, AccessTokenTemplate: c.AccessTokenTemplate, AccessTokenFormat: string(c.AccessTokenFormat), AccessTokenAlgorithm: c.AccessTokenAlgorithm,
		FrontchannelLogoutURI: c.FrontchannelLogoutURI, FrontchannelSession: c.FrontchannelSession,
		BackchannelLogoutURI: c.BackchannelLogoutURI, BackchannelSession: c.BackchannelSession, SoftwareID: c.SoftwareID,
		SoftwareVersion: c.SoftwareVersion,
		FirstParty:      c.FirstParty, MayIntrospect: c.MayIntrospect, RequirePKCE: c.RequirePKCE,
		URI: c.URI, LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TermsURI: c.TermsURI, Contacts: c.Contacts,
		Metadata: c.Metadata,
	})
	if err != nil {
		return clientRow{}, fmt.Errorf("write client %s: %w", c.ID, err)
	}
	return clientRow{
		ID: string(c.ID), Name: c.Name, Disabled: c.Disabled, Body: string(body), Version: c.Version,
		RegistrationToken: string(c.RegistrationToken), CreatedAt: stamp(c.CreatedAt), UpdatedAt: stamp(c.UpdatedAt),
	}, nil
}

// SaveClient creates a client at Version 0 and else replaces it; problem.Conflict if its
// version moved.
func (c *Clients) SaveClient(ctx context.Context, client provider.Client) error {
	r, err := toClient(c.db.box, client)
	if err != nil {
		return err
	}
	return c.db.InTx(ctx, func(ctx context.Context) error {
		if err := c.put(ctx, r); err != nil {
			return err
		}
		return c.db.bump(ctx, versionClients)
	})
}

func (c *Clients) put(ctx context.Context, r clientRow) error {
	if r.Version == 0 {
		_, err := c.db.write(ctx).NewRaw(`
			INSERT INTO clients (`+clientColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, 1)`,
			r.ID, r.Name, r.Disabled, r.Body, r.RegistrationToken, r.CreatedAt, r.UpdatedAt).Exec(ctx)
		return explain("create client", err, errClientMoved)
	}
	res, err := c.db.write(ctx).NewRaw(`
		UPDATE clients
		SET name = ?, disabled = ?, body = ?, registration_token = ?, updated_at = ?, version = version + 1
		WHERE id = ? AND version = ?`,
		r.Name, r.Disabled, r.Body, r.RegistrationToken, r.UpdatedAt, r.ID, r.Version).Exec(ctx)
	return oneRow("save client", res, err, errClientMoved)
}

// DeleteClient removes a client, and with it all that people let it do.
func (c *Clients) DeleteClient(ctx context.Context, id provider.ClientID, at time.Time) error {
	return c.db.InTx(ctx, func(ctx context.Context) error {
		w := c.db.write(ctx)
		res, err := w.NewRaw("DELETE FROM clients WHERE id = ?", string(id)).Exec(ctx)
		if err := oneRow("delete client", res, err, provider.ErrClientUnknown); err != nil {
			return err
		}
		_, err = w.NewRaw(`
			UPDATE authorizations
			SET ended_at = ?, ended_why = ?
			WHERE client_id = ? AND ended_at IS NULL`,
			stamp(at), string(provider.ClientGone), string(id)).Exec(ctx)
		if err != nil {
			return explain("end what the client held", err)
		}
		if _, err := w.NewRaw("DELETE FROM grants WHERE client_id = ?", string(id)).Exec(ctx); err != nil {
			return explain("forget consents to the client", err)
		}
		return c.db.bump(ctx, versionClients)
	})
}

// SaveRegistrationToken creates leave to register clients.
func (c *Clients) SaveRegistrationToken(ctx context.Context, t provider.RegistrationToken) error {
	_, err := c.db.write(ctx).NewRaw(`
		INSERT INTO registration_tokens (id, digest, uses, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?)`,
		t.ID, string(t.Digest), t.Uses, stamp(t.CreatedAt), stamp(t.ExpiresAt)).Exec(ctx)
	return explain("save registration token", err)
}

// RegistrationLeave looks whether a use is left, and takes none; problem.NotFound unless one is.
func (c *Clients) RegistrationLeave(ctx context.Context, d secret.Digest, now time.Time) error {
	var uses int
	err := c.db.read(ctx).NewRaw(`
		SELECT uses
		FROM registration_tokens
		WHERE digest = ? AND uses > 0 AND expires_at > ?`,
		string(d), stamp(now)).Scan(ctx, &uses)
	if err != nil {
		return explain("look for registration token", err, errLeave)
	}
	return nil
}

// UseRegistrationToken takes one use; problem.NotFound unless one is left.
func (c *Clients) UseRegistrationToken(ctx context.Context, d secret.Digest, now time.Time) error {
	res, err := c.db.write(ctx).NewRaw(`
		UPDATE registration_tokens
		SET uses = uses - 1
		WHERE digest = ? AND uses > 0 AND expires_at > ?`,
		string(d), stamp(now)).Exec(ctx)
	return oneRow("use registration token", res, err, errLeave)
}
