package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider"
	"idp/session"
)

// Provider keeps authorizations and tokens. It is a provider.Store.
type Provider struct{ db *DB }

var _ provider.Store = (*Provider)(nil)

// NewProvider returns the authorizations of db.
func NewProvider(db *DB) *Provider { return &Provider{db} }

var (
	errNoAuthorization = problem.New(problem.NotFound, "authorization_unknown", "There is no such authorization.")
	errNoToken         = problem.New(problem.NotFound, "token_unknown", "There is no such token.")
	errSpent           = problem.New(problem.Conflict, "authorization_moved", "Somebody was faster.")
)

// standingRow is an authorization joined with the person, their address and the session
// it rests on, any of which may be gone.
type standingRow struct {
	ID            *string
	ClientID      *string
	UserID        *string
	SessionID     *string
	Scopes        *string
	Offline       *bool
	Facts         *string
	CodeExpiresAt *int64
	RedeemedAt    *int64
	Generation    *int
	RotatedAt     *int64
	IdleAt        *int64
	CreatedAt     *int64
	ExpiresAt     *int64
	EndedAt       *int64
	EndedWhy      *string

	PersonStatus  *string
	PersonProfile *string
	PersonUpdated *int64
	PersonCreated *int64
	PersonForeign *string
	PersonPublic  *string
	PersonPrivate *string
	PersonOwn     *string
	PersonGroups  *string
	PersonRoles   *string
	EmailValue    *string
	EmailVerified *int64
	PhoneValue    *string
	PhoneVerified *int64

	HolderExpires *int64
	HolderActive  *int64
	HolderIdle    *int64
	HolderEnded   *int64
	HolderUser    *string
}

// What an authorization rests on, first with no more of the person than whether they may enter.
const (
	groundColumns = `
		a.id, a.client_id, a.user_id, a.session_id, a.scopes, a.offline, a.facts, a.code_expires_at, a.redeemed_at,
		a.generation, a.rotated_at, a.idle_at, a.created_at, a.expires_at, a.ended_at, a.ended_why,
		u.status AS person_status,
		s.expires_at AS holder_expires, s.last_active_at AS holder_active, s.idle AS holder_idle,
		s.ended_at AS holder_ended, s.user_id AS holder_user`
	groundJoins = `
		LEFT JOIN users u ON u.id = a.user_id
		LEFT JOIN sessions s ON s.id = a.session_id`
	standingColumns = groundColumns + `,
		u.profile AS person_profile, u.updated_at AS person_updated,
		u.created_at AS person_created, u.external_id AS person_foreign,
		u.public_metadata AS person_public, u.private_metadata AS person_private, u.own_metadata AS person_own,
		u.group_names AS person_groups, u.role_names AS person_roles,
		h.value AS email_value, h.verified_at AS email_verified,
		ph.value AS phone_value, ph.verified_at AS phone_verified`
	standingJoins = groundJoins + `
		LEFT JOIN holdings h ON h.user_id = a.user_id AND h.kind = 'email' AND h.main
		LEFT JOIN holdings ph ON ph.user_id = a.user_id AND ph.kind = 'phone' AND ph.main`

	tokenColumns = `
		SELECT t.authorization_id AS token_authorization, t.client_id AS token_client, t.scopes AS token_scopes,
			t.created_at AS token_created, t.expires_at AS token_expires, t.ended_at AS token_ended,`
	tokenJoin = `
		FROM tokens t
		LEFT JOIN authorizations a ON a.id = t.authorization_id`
	byDigest = `
		WHERE t.digest = $1
		LIMIT 1`
)

// ByCode finds an authorization by the digest of its code, spent or not.
func (p *Provider) ByCode(ctx context.Context, code secret.Digest) (provider.Standing, error) {
	// The index leaves out authorizations without a code, and serves who says so too.
	return p.standing(ctx, "a.code <> '' AND a.code", string(code))
}

// Authorization finds an authorization, ended or not.
func (p *Provider) Authorization(ctx context.Context, id provider.AuthorizationID) (provider.Standing, error) {
	return p.standing(ctx, "a.id", string(id))
}

func (p *Provider) standing(ctx context.Context, column, value string) (provider.Standing, error) {
	var row standingRow
	err := p.db.hot(ctx, &row, "SELECT "+standingColumns+" FROM authorizations a "+standingJoins+" WHERE "+column+" = $1 LIMIT 1", value)
	if err != nil {
		return provider.Standing{}, explain("find authorization", err, errNoAuthorization)
	}
	return fromStanding(row)
}

// Token finds an access token and the authorization under it, in one statement.
func (p *Provider) Token(ctx context.Context, digest secret.Digest, how provider.Telling) (provider.AccessToken, provider.Standing, error) {
	var row struct {
		TokenAuthorization *string
		TokenClient        string
		TokenScopes        string
		TokenCreated       int64
		TokenExpires       int64
		TokenEnded         *int64
		standingRow
	}
	query := tokenColumns + groundColumns + tokenJoin + groundJoins + byDigest
	if how == provider.WholePerson {
		query = tokenColumns + standingColumns + tokenJoin + standingJoins + byDigest
	}
	err := p.db.hot(ctx, &row, query, string(digest))
	if err != nil {
		return provider.AccessToken{}, provider.Standing{}, explain("find token", err, errNoToken)
	}
	t := provider.AccessToken{
		Digest: digest, Authorization: provider.AuthorizationID(orEmpty(row.TokenAuthorization)),
		Client: provider.ClientID(row.TokenClient), Scopes: strings.Fields(row.TokenScopes),
		CreatedAt: instant(row.TokenCreated), ExpiresAt: instant(row.TokenExpires), EndedAt: maybeInstant(row.TokenEnded),
	}
	standing, err := fromStanding(row.standingRow)
	return t, standing, err
}

func fromStanding(r standingRow) (provider.Standing, error) {
	if r.ID == nil {
		return provider.Standing{Missing: true}, nil
	}
	s := provider.Standing{Authorization: provider.Authorization{
		ID: provider.AuthorizationID(*r.ID), Client: provider.ClientID(*r.ClientID),
		User: identity.UserID(*r.UserID), Session: session.ID(*r.SessionID),
		Scopes: strings.Fields(*r.Scopes), Offline: *r.Offline,
		CodeExpiresAt: instant(*r.CodeExpiresAt), RedeemedAt: maybeInstant(r.RedeemedAt),
		Generation: *r.Generation, RotatedAt: maybeInstant(r.RotatedAt), IdleAt: maybeInstant(r.IdleAt),
		CreatedAt: instant(*r.CreatedAt), ExpiresAt: instant(*r.ExpiresAt),
		EndedAt: maybeInstant(r.EndedAt), EndedWhy: provider.Why(*r.EndedWhy),
	}}
	if err := json.Unmarshal([]byte(*r.Facts), &s.Facts); err != nil {
		return provider.Standing{}, fmt.Errorf("read authorization %s: %w", s.ID, err)
	}
	if r.PersonStatus != nil {
		s.Person = identity.User{ID: s.User, Status: identity.Status(*r.PersonStatus)}
	}
	if r.PersonProfile != nil {
		if err := r.describe(&s.Person); err != nil {
			return provider.Standing{}, err
		}
	}
	s.Email = mainHolding(s.User, identity.Email, r.EmailValue, r.EmailVerified)
	s.Phone = mainHolding(s.User, identity.Phone, r.PhoneValue, r.PhoneVerified)
	// A session of somebody else is no session of this authorization.
	if r.HolderUser != nil && *r.HolderUser == *r.UserID {
		s.Holder = session.Session{
			ID: s.Session, User: s.User, ExpiresAt: instant(*r.HolderExpires),
			LastActiveAt: instant(*r.HolderActive), Idle: time.Duration(*r.HolderIdle) * time.Microsecond, EndedAt: maybeInstant(r.HolderEnded),
		}
	}
	return s, nil
}

// describe adds what was read of the person beside their status.
func (r standingRow) describe(u *identity.User) error {
	u.CreatedAt, u.UpdatedAt = instant(*r.PersonCreated), instant(*r.PersonUpdated)
	u.ExternalID, u.Metadata = orEmpty(r.PersonForeign), toMetadata(*r.PersonPublic, *r.PersonPrivate, *r.PersonOwn)
	if err := json.Unmarshal([]byte(*r.PersonProfile), &u.Profile); err != nil {
		return fmt.Errorf("read profile of %s: %w", u.ID, err)
	}
	if err := decode("users.group_names", *r.PersonGroups, &u.Groups); err != nil {
		return err
	}
	return decode("users.role_names", *r.PersonRoles, &u.Roles)
}

func mainHolding(u identity.UserID, kind identity.Kind, value *string, verified *int64) identity.Holding {
	if value == nil {
		return identity.Holding{}
	}
	return identity.Holding{
		UserID: u, Identifier: identity.Identifier{Kind: kind, Value: *value}, Primary: true, VerifiedAt: maybeInstant(verified),
	}
}

// SaveAuthorization creates an authorization.
func (p *Provider) SaveAuthorization(ctx context.Context, a provider.Authorization) error {
	facts, err := json.Marshal(a.Facts)
	if err != nil {
		return fmt.Errorf("write authorization %s: %w", a.ID, err)
	}
	_, err = p.db.write(ctx).NewRaw(`
		INSERT INTO authorizations (id, client_id, user_id, session_id, scopes, offline, facts, code, code_expires_at,
			generation, created_at, expires_at, ended_why)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')`,
		string(a.ID), string(a.Client), string(a.User), string(a.Session), strings.Join(a.Scopes, " "), a.Offline,
		string(facts), string(a.Code), stamp(a.CodeExpiresAt), a.Generation, stamp(a.CreatedAt), stamp(a.ExpiresAt)).Exec(ctx)
	return explain("save authorization", err)
}

// Redeem spends the code, once.
func (p *Provider) Redeem(ctx context.Context, id provider.AuthorizationID, at, idle time.Time) error {
	res, err := p.db.write(ctx).NewRaw(`
		UPDATE authorizations
		SET redeemed_at = ?, idle_at = ?
		WHERE id = ? AND redeemed_at IS NULL AND ended_at IS NULL`,
		stamp(at), stamp(idle), string(id)).Exec(ctx)
	return oneRow("redeem code", res, err, errSpent)
}

// Rotate replaces the refresh token of that generation by the next.
func (p *Provider) Rotate(ctx context.Context, id provider.AuthorizationID, generation int, at, idle time.Time) error {
	res, err := p.db.write(ctx).NewRaw(`
		UPDATE authorizations
		SET generation = generation + 1, rotated_at = ?, idle_at = ?
		WHERE id = ? AND generation = ? AND ended_at IS NULL`,
		stamp(at), stamp(idle), string(id), generation).Exec(ctx)
	return oneRow("rotate refresh token", res, err, errSpent)
}

// SaveToken creates an access token.
func (p *Provider) SaveToken(ctx context.Context, t provider.AccessToken) error {
	_, err := p.db.write(ctx).NewRaw(`
		INSERT INTO tokens (digest, kind, authorization_id, client_id, scopes, created_at, expires_at)
		VALUES (?, 'access', ?, ?, ?, ?, ?)`,
		string(t.Digest), orNull(string(t.Authorization)), string(t.Client), strings.Join(t.Scopes, " "),
		stamp(t.CreatedAt), stamp(t.ExpiresAt)).Exec(ctx)
	return explain("save token", err)
}

// EndAuthorization ends an authorization, once.
func (p *Provider) EndAuthorization(ctx context.Context, id provider.AuthorizationID, why provider.Why, at time.Time) (bool, error) {
	res, err := p.db.write(ctx).NewRaw(`
		UPDATE authorizations
		SET ended_at = ?, ended_why = ?
		WHERE id = ? AND ended_at IS NULL`,
		stamp(at), string(why), string(id)).Exec(ctx)
	return changed("end authorization", res, err)
}

// EndToken ends one access token, once.
func (p *Provider) EndToken(ctx context.Context, digest secret.Digest, at time.Time) (bool, error) {
	res, err := p.db.write(ctx).NewRaw(
		"UPDATE tokens SET ended_at = ? WHERE digest = ? AND ended_at IS NULL", stamp(at), string(digest)).Exec(ctx)
	return changed("end token", res, err)
}

// Sweep deletes what ended or expired before the given time, at most limit rows of each
// kind, and returns how many went. A used code is kept as long as its authorization.
func (p *Provider) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	var gone int64
	for _, statement := range []string{
		"DELETE FROM tokens WHERE digest IN (SELECT digest FROM tokens WHERE expires_at < ? LIMIT ?)",
		"DELETE FROM authorizations WHERE id IN (SELECT id FROM authorizations WHERE expires_at < ? LIMIT ?)",
		"DELETE FROM registration_tokens WHERE id IN (SELECT id FROM registration_tokens WHERE expires_at < ? LIMIT ?)",
	} {
		res, err := p.db.write(ctx).NewRaw(statement, stamp(before), limit).Exec(ctx)
		if err != nil {
			return int(gone), explain("sweep tokens", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return int(gone), explain("sweep tokens", err)
		}
		gone += n
	}
	return int(gone), nil
}
