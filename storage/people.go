package storage

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/internal/problem"
	"idp/login"
)

var _ login.People = (*People)(nil)

// People remembers persons, their addresses and what they prove themselves with.
type People struct{ db *DB }

// NewPeople returns the people of a database.
func NewPeople(db *DB) *People { return &People{db} }

var (
	errNoHolding    = problem.New(problem.NotFound, "identifier_unknown", "That is not on your account.")
	errNoPerson     = problem.New(problem.NotFound, "user_unknown", "There is no such person.")
	errPersonMoved  = problem.New(problem.Conflict, "user_changed", "Somebody else changed this person just now. Please look again.")
	errAddressTaken = problem.New(problem.Conflict, "identifier_taken", "That address is already in use.").On("identifier")
)

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID         string `bun:",pk"`
	Status     string
	Operator   bool
	Profile    string
	SearchName string // the name in lower case, which SQLite would fold for ASCII only
	GroupNames string
	RoleNames  string
	ExternalID string `bun:",nullzero"`
	CreatedAt  int64
	UpdatedAt  int64
	Version    int

	PublicMetadata  string
	PrivateMetadata string
	OwnMetadata     string

	LastActiveAt int64 // of sessions that were swept; Activity writes it
}

func fromUser(u identity.User) userRow {
	return userRow{
		ID: string(u.ID), Status: string(u.Status), Operator: u.Operator, Profile: encode(u.Profile),
		SearchName: strings.ToLower(u.Profile.Name), GroupNames: encode(u.Groups), RoleNames: encode(u.Roles), ExternalID: u.ExternalID,
		CreatedAt: stamp(u.CreatedAt), UpdatedAt: stamp(u.UpdatedAt), Version: u.Version,
		PublicMetadata: string(u.Metadata.Public), PrivateMetadata: string(u.Metadata.Private), OwnMetadata: string(u.Metadata.Own),
	}
}

func toUser(r userRow) (identity.User, error) {
	u := identity.User{
		ID: identity.UserID(r.ID), Status: identity.Status(r.Status), Operator: r.Operator, ExternalID: r.ExternalID,
		CreatedAt: instant(r.CreatedAt), UpdatedAt: instant(r.UpdatedAt), Version: r.Version,
		Metadata: toMetadata(r.PublicMetadata, r.PrivateMetadata, r.OwnMetadata),
	}
	if err := decode("users.profile", r.Profile, &u.Profile); err != nil {
		return u, err
	}
	if err := decode("users.group_names", r.GroupNames, &u.Groups); err != nil {
		return u, err
	}
	return u, decode("users.role_names", r.RoleNames, &u.Roles)
}

// toMetadata reads the three columns of users; ” is none.
func toMetadata(public, private, own string) identity.Metadata {
	raw := func(text string) json.RawMessage {
		if text == "" {
			return nil
		}
		return json.RawMessage(text)
	}
	return identity.Metadata{Public: raw(public), Private: raw(private), Own: raw(own)}
}

type holdingRow struct {
	bun.BaseModel `bun:"table:holdings,alias:h"`

	ID         string `bun:",pk"`
	UserID     string
	Kind       string
	Value      string
	Main       bool
	VerifiedAt int64 `bun:",nullzero"`
	VerifiedBy string
	Source     string
	CreatedAt  int64
}

func toHolding(r holdingRow) identity.Holding {
	return identity.Holding{
		ID: identity.HoldingID(r.ID), UserID: identity.UserID(r.UserID),
		Identifier: identity.Identifier{Kind: identity.Kind(r.Kind), Value: r.Value}, Primary: r.Main,
		VerifiedAt: instant(r.VerifiedAt), VerifiedBy: identity.Method(r.VerifiedBy), Source: r.Source, CreatedAt: instant(r.CreatedAt),
	}
}

// Find returns the person whom the identifier belongs to: who proved it, or else who was
// assigned it by an operator. Any other claim signs nobody in, so it finds nobody:
// problem.NotFound.
func (p *People) Find(ctx context.Context, i identity.Identifier) (login.Person, error) {
	var r userRow
	err := p.db.read(ctx).NewSelect().Model(&r).
		Join("JOIN holdings AS h ON h.user_id = u.id").
		Where("h.kind = ?", string(i.Kind)).
		Where("h.value = ?", i.Value).
		Where("h.verified_at IS NOT NULL OR h.source = ?", identity.SourceOperator).
		OrderExpr("h.verified_at IS NULL, h.created_at"). // who proved it goes before who was assigned it
		Limit(1).
		Scan(ctx)
	return p.orNobody(ctx, r, explain("find the holder of an address", err, errNoPerson))
}

// orNobody completes the person that was looked for. Where there is none it looks for their
// addresses and factors all the same: how long it takes must not tell who exists.
func (p *People) orNobody(ctx context.Context, r userRow, err error) (login.Person, error) {
	if err != nil && !problem.Is(err, problem.NotFound) {
		return login.Person{}, err
	}
	if err != nil {
		r = fromUser(identity.User{})
	}
	found, failed := p.complete(ctx, r)
	if failed != nil || err != nil {
		return login.Person{}, cmp.Or(failed, err)
	}
	return found, nil
}

// Person returns a person with addresses and factors, or problem.NotFound. Inside a
// transaction nobody else changes them until it ends: whoever bans somebody waits for
// their sign-in to finish, and finds its session.
func (p *People) Person(ctx context.Context, id identity.UserID) (login.Person, error) {
	var r userRow
	q := p.db.read(ctx).NewSelect().Model(&r).Where("id = ?", string(id)).Limit(1)
	if p.db.postgres && p.db.current(ctx) != nil {
		q = q.For("NO KEY UPDATE") // SQLite's writers wait for each other anyway
	}
	err := q.Scan(ctx)
	return p.orNobody(ctx, r, explain("load person "+string(id), err, errNoPerson))
}

func (p *People) complete(ctx context.Context, r userRow) (login.Person, error) {
	all, err := p.completeAll(ctx, []userRow{r})
	if err != nil {
		return login.Person{}, err
	}
	return all[0], nil
}

const maxPerPerson = 200 // addresses, factors

// completeAll adds addresses and factors to persons, in two statements for all of them.
func (p *People) completeAll(ctx context.Context, rows []userRow) ([]login.Person, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	people := make([]login.Person, len(rows))
	index := make(map[string]*login.Person, len(rows))
	ids := make([]string, len(rows))
	for i, r := range rows {
		u, err := toUser(r)
		if err != nil {
			return nil, err
		}
		people[i].User, ids[i] = u, r.ID
		index[r.ID] = &people[i]
	}
	limit := int64(maxPerPerson * len(ids))
	var holdings []holdingRow
	err := p.db.read(ctx).NewSelect().Model(&holdings).
		Where("user_id IN (?)", bun.List(ids)).
		OrderExpr("main DESC, created_at, id").
		Limit(limit).
		Scan(ctx)
	if err != nil {
		return nil, explain("load addresses", err)
	}
	for _, h := range holdings {
		who := index[h.UserID]
		who.Holdings = append(who.Holdings, toHolding(h))
	}
	var factors []factorRow
	err = p.db.read(ctx).NewSelect().Model(&factors).
		Where("user_id IN (?)", bun.List(ids)).
		OrderExpr("created_at, id").
		Limit(limit).
		Scan(ctx)
	if err != nil {
		return nil, explain("load factors", err)
	}
	for _, f := range factors {
		factor, err := p.toFactor(f)
		if err != nil {
			return nil, err
		}
		who := index[f.UserID]
		who.Factors = append(who.Factors, factor)
	}
	return people, nil
}

// SaveUser creates a person at Version 0 and changes one otherwise; what is stored is one
// version further. If the version moved meanwhile it is problem.Conflict.
func (p *People) SaveUser(ctx context.Context, u identity.User) error {
	r := fromUser(u)
	r.Version++
	if u.Version == 0 {
		_, err := p.db.write(ctx).NewInsert().Model(&r).Exec(ctx)
		return explain("create person "+r.ID, err, errPersonMoved)
	}
	res, err := p.db.write(ctx).NewUpdate().Model(&r).
		ExcludeColumn("id", "created_at", "last_active_at").
		Where("id = ?", r.ID).
		Where("version = ?", u.Version).
		Exec(ctx)
	return oneRow("save person "+r.ID, res, err, errPersonMoved)
}

// SaveHolding adds or changes an address of a person. It is problem.Conflict if somebody
// else holds it verified. A primary address takes that rank from the others of its kind.
func (p *People) SaveHolding(ctx context.Context, h identity.Holding) error {
	r := holdingRow{
		ID: string(h.ID), UserID: string(h.UserID), Kind: string(h.Identifier.Kind), Value: h.Identifier.Value, Main: h.Primary,
		VerifiedAt: stamp(h.VerifiedAt), VerifiedBy: string(h.VerifiedBy), Source: h.Source, CreatedAt: stamp(h.CreatedAt),
	}
	return p.db.InTx(ctx, func(ctx context.Context) error {
		taken, err := p.db.read(ctx).NewSelect().Model((*holdingRow)(nil)).
			Where("kind = ?", r.Kind).
			Where("value = ?", r.Value).
			Where("verified_at IS NOT NULL").
			Where("user_id <> ?", r.UserID).
			Exists(ctx)
		if err != nil {
			return explain("look for the holder of an address", err)
		}
		if taken {
			return errAddressTaken
		}
		if r.Main {
			_, err := p.db.write(ctx).NewUpdate().Model((*holdingRow)(nil)).
				Set("main = ?", false).
				Where("user_id = ?", r.UserID).
				Where("kind = ?", r.Kind).
				Where("value <> ?", r.Value).
				Exec(ctx)
			if err != nil {
				return explain("make room for a primary address", err)
			}
		}
		_, err = p.db.write(ctx).NewInsert().Model(&r).
			On("CONFLICT (user_id, kind, value) DO UPDATE").
			Set("main = EXCLUDED.main").
			Set("verified_at = EXCLUDED.verified_at").
			Set("verified_by = EXCLUDED.verified_by").
			Set("source = EXCLUDED.source").
			Exec(ctx)
		return explain("save an address", err, errAddressTaken)
	})
}

// DropUnverified removes what others than keep claimed of the identifier and never proved, and
// returns who these were.
func (p *People) DropUnverified(ctx context.Context, i identity.Identifier, keep identity.UserID) ([]identity.UserID, error) {
	var claimants []identity.UserID
	_, err := p.db.write(ctx).NewDelete().Model((*holdingRow)(nil)).
		Where("kind = ?", string(i.Kind)).
		Where("value = ?", i.Value).
		Where("verified_at IS NULL").
		Where("user_id <> ?", string(keep)).
		Returning("user_id").
		Exec(ctx, &claimants)
	return claimants, explain("drop unproven claims", err)
}
