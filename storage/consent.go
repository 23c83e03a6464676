package storage

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"idp/consent"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/provider"
	"idp/session"
)

var _ consent.Store = (*Consent)(nil)

// Consent remembers what people let relying parties know.
type Consent struct{ db *DB }

// NewConsent returns the consent store of a database.
func NewConsent(db *DB) *Consent { return &Consent{db} }

var (
	errNoGrant     = problem.New(problem.NotFound, "grant_unknown", "That app has no access.")
	errAskAnswered = problem.New(problem.Conflict, "request_answered", "This request was answered already. Please go back to the app and start again.")
)

type grantRow struct {
	bun.BaseModel `bun:"table:grants,alias:g"`

	UserID    string `bun:",pk"`
	ClientID  string `bun:",pk"`
	Scopes    string
	CreatedAt int64
	UpdatedAt int64
}

func toGrant(r grantRow) (consent.Grant, error) {
	g := consent.Grant{
		User: identity.UserID(r.UserID), Client: r.ClientID,
		CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt),
	}
	return g, decode("grants.scopes", r.Scopes, &g.Scopes)
}

// Pending returns what the consent screen may know of a waiting request, or problem.NotFound.
func (c *Consent) Pending(ctx context.Context, ask string) (consent.Pending, error) {
	a, err := c.db.ask(ctx, ask)
	if err != nil {
		return consent.Pending{}, err
	}
	return consent.Pending{
		Ask: ask, Browser: a.Browser, Party: a.Party, Scopes: a.Scopes, Chosen: a.Chosen, Resume: a.Resume, ExpiresAt: a.ExpiresAt,
		Done: a.Answer != login.Unanswered || !a.UsedAt.IsZero(),
	}, nil
}

// Answer notes a person's word on a waiting request, once: the second is problem.Conflict.
func (c *Consent) Answer(ctx context.Context, ask string, by session.ID, allow bool) error {
	word := login.Denied
	if allow {
		word = login.Allowed
	}
	res, err := c.db.write(ctx).NewUpdate().Model((*askRow)(nil)).
		Set("answer = ?", string(word)).
		Set("answered = ?", string(by)).
		Where("id = ?", ask).
		Where("answer = ?", string(login.Unanswered)).
		Where("used_at IS NULL").
		Exec(ctx)
	return oneRow("answer a waiting request", res, err, errAskAnswered)
}

// Grant returns what a person let a client know, or problem.NotFound. Its Party is empty.
func (c *Consent) Grant(ctx context.Context, u identity.UserID, client string) (consent.Grant, error) {
	var r grantRow
	err := c.db.read(ctx).NewSelect().Model(&r).
		Where("user_id = ?", string(u)).
		Where("client_id = ?", client).
		Limit(1).
		Scan(ctx)
	if err != nil {
		return consent.Grant{}, explain("load a grant", err, errNoGrant)
	}
	return toGrant(r)
}

// SaveGrant creates a grant or adds its scopes to those granted before.
func (c *Consent) SaveGrant(ctx context.Context, g consent.Grant) error {
	return c.db.InTx(ctx, func(ctx context.Context) error {
		before, err := c.Grant(ctx, g.User, g.Client)
		if err != nil && !problem.Is(err, problem.NotFound) {
			return err
		}
		scopes := append(slices.Clone(before.Scopes), g.Scopes...)
		slices.Sort(scopes)
		r := grantRow{
			UserID: string(g.User), ClientID: g.Client, Scopes: encode(slices.Compact(scopes)),
			CreatedAt: stamp(g.CreatedAt), UpdatedAt: stamp(g.UpdatedAt),
		}
		_, err = c.db.write(ctx).NewInsert().Model(&r).
			On("CONFLICT (user_id, client_id) DO UPDATE").
			Set("scopes = EXCLUDED.scopes").
			Set("updated_at = EXCLUDED.updated_at").
			Exec(ctx)
		return explain("save a grant", err)
	})
}

const maxGrants = 200

// Grants returns what a person granted, newest first, at most 200, each with the party as it looks now.
func (c *Consent) Grants(ctx context.Context, u identity.UserID) ([]consent.Grant, error) {
	var rows []grantRow
	err := c.db.read(ctx).NewSelect().Model(&rows).
		Where("user_id = ?", string(u)).
		OrderExpr("updated_at DESC, client_id").
		Limit(maxGrants).
		Scan(ctx)
	if err != nil || len(rows) == 0 {
		return nil, explain("list grants", err)
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ClientID
	}
	parties, err := c.parties(ctx, ids)
	if err != nil {
		return nil, err
	}
	grants := make([]consent.Grant, 0, len(rows))
	for _, r := range rows {
		g, err := toGrant(r)
		if err != nil {
			return nil, err
		}
		g.Party = identity.Party{ID: r.ClientID, Name: r.ClientID} // a client that is gone
		if p, ok := parties[r.ClientID]; ok {
			g.Party = p
		}
		grants = append(grants, g)
	}
	return grants, nil
}

func (c *Consent) parties(ctx context.Context, ids []string) (map[string]identity.Party, error) {
	var rows []clientRow
	err := c.db.read(ctx).NewRaw("SELECT "+clientColumns+" FROM clients WHERE id IN (?) LIMIT ?", bun.List(ids), len(ids)).Scan(ctx, &rows)
	if err != nil {
		return nil, explain("look up apps", err)
	}
	parties := make(map[string]identity.Party, len(rows))
	for _, r := range rows {
		client, err := fromClient(c.db.box, r)
		if err != nil {
			return nil, err
		}
		parties[r.ID] = client.Party("")
	}
	return parties, nil
}

// DropGrant forgets a grant, ends every authorization that rests on it, and reports whether
// there was one or the other.
func (c *Consent) DropGrant(ctx context.Context, u identity.UserID, client string, at time.Time) (bool, error) {
	var dropped bool
	err := c.db.InTx(ctx, func(ctx context.Context) error {
		gone, err := c.db.write(ctx).NewDelete().Model((*grantRow)(nil)).
			Where("user_id = ?", string(u)).
			Where("client_id = ?", client).
			Exec(ctx)
		if err != nil {
			return explain("drop a grant", err)
		}
		ended, err := c.db.write(ctx).NewRaw(`
			UPDATE authorizations
			SET ended_at = ?, ended_why = ?
			WHERE user_id = ?
				AND client_id = ?
				AND ended_at IS NULL`, stamp(at), string(provider.PersonSaidSo), string(u), client).Exec(ctx)
		if err != nil {
			return explain("end authorizations", err)
		}
		grants, err := gone.RowsAffected()
		if err != nil {
			return explain("drop a grant", err)
		}
		authorizations, err := ended.RowsAffected()
		dropped = grants+authorizations > 0
		return explain("end authorizations", err)
	})
	return dropped, err
}
