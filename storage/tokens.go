package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/internal/secret"
	"idp/session"
	"idp/token"
)

var _ token.MintStore = (*Standings)(nil)

// Standings answers for whom a token may be made, in one statement.
type Standings struct{ db *DB }

// NewStandings returns the standings of a database.
func NewStandings(db *DB) *Standings { return &Standings{db} }

type standRow struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	Session sessionRow `bun:"embed:s_"`
	User    userRow    `bun:"embed:u_"`
	Digest  string

	EmailValue    *string
	EmailVerified *int64
	PhoneValue    *string
	PhoneVerified *int64
}

const standing = `
	SELECT
		s.id AS s_id, s.browser_id AS s_browser_id, s.user_id AS s_user_id, s.proofs AS s_proofs, s.auth_time AS s_auth_time,
		s.created_at AS s_created_at, s.last_active_at AS s_last_active_at, s.expires_at AS s_expires_at, s.idle AS s_idle,
		s.ended_at AS s_ended_at, s.public AS s_public, s.user_agent AS s_user_agent, s.network AS s_network,
		u.id AS u_id, u.status AS u_status, u.operator AS u_operator, u.profile AS u_profile, u.search_name AS u_search_name,
		u.group_names AS u_group_names, u.role_names AS u_role_names, u.external_id AS u_external_id,
		u.created_at AS u_created_at, u.updated_at AS u_updated_at, u.version AS u_version,
		u.public_metadata AS u_public_metadata, u.private_metadata AS u_private_metadata, u.own_metadata AS u_own_metadata,
		b.digest,
		h.value AS email_value, h.verified_at AS email_verified,
		ph.value AS phone_value, ph.verified_at AS phone_verified
	FROM sessions s
	JOIN browsers b ON b.id = s.browser_id
	JOIN users u ON u.id = s.user_id
	LEFT JOIN holdings h ON h.user_id = s.user_id AND h.kind = 'email' AND h.main
	LEFT JOIN holdings ph ON ph.user_id = s.user_id AND ph.kind = 'phone' AND ph.main
	WHERE s.id = $1
	LIMIT 1`

// Standing returns a session, an ended one too, with its person and browser, or problem.NotFound.
func (s *Standings) Standing(ctx context.Context, id session.ID) (token.Standing, error) {
	var row standRow
	if err := s.db.hot(ctx, &row, standing, string(id)); err != nil {
		return token.Standing{}, explain("load what session "+string(id)+" stands for", err, errNoSession)
	}
	one, err := toSession(row.Session)
	if err != nil {
		return token.Standing{}, err
	}
	user, err := toUser(row.User)
	if err != nil {
		return token.Standing{}, err
	}
	return token.Standing{Browser: secret.Digest(row.Digest), Subject: token.Subject{
		User: user, Session: one,
		Email: mainHolding(user.ID, identity.Email, row.EmailValue, row.EmailVerified),
		Phone: mainHolding(user.ID, identity.Phone, row.PhoneValue, row.PhoneVerified),
	}}, nil
}

// Touch notes that a session was used.
func (s *Standings) Touch(ctx context.Context, id session.ID, network string, at time.Time) error {
	return NewSessions(s.db).Touch(ctx, id, network, at)
}
