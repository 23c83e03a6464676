package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

var _ federation.Factors = (*People)(nil)

var (
	errFactorTaken = problem.New(problem.Conflict, "factor_changed", "Somebody else changed this just now. Please look again.")
	errFactorUsed  = problem.New(problem.Conflict, "factor_used", "That was used already. Please try again.")
	errNoFactor    = problem.New(problem.NotFound, "factor_unknown", "There is no such way of signing in on your account.")
)

type factorRow struct {
	bun.BaseModel `bun:"table:factors,alias:f"`

	ID         string `bun:",pk"`
	UserID     string
	Method     string
	Name       string
	Secret     string
	Credential string `bun:",nullzero"`
	Counter    int64
	CreatedAt  int64
	LastUsedAt int64 `bun:",nullzero"`
}

func factorPlace(id string) string { return "factors.secret:" + id }

func (p *People) toFactor(r factorRow) (identity.Factor, error) {
	plain, err := p.db.box.Open(factorPlace(r.ID), r.Secret)
	if err != nil {
		return identity.Factor{}, err
	}
	return identity.Factor{
		ID: identity.FactorID(r.ID), UserID: identity.UserID(r.UserID), Method: identity.Method(r.Method), Name: r.Name,
		Secret: secret.NewString(string(plain)), Credential: r.Credential, Counter: r.Counter, CreatedAt: instant(r.CreatedAt), LastUsedAt: instant(r.LastUsedAt),
	}, nil
}

// Factor returns one by its id, or problem.NotFound.
func (p *People) Factor(ctx context.Context, id identity.FactorID) (identity.Factor, error) {
	var r factorRow
	if err := p.db.read(ctx).NewSelect().Model(&r).Where("id = ?", string(id)).Scan(ctx); err != nil {
		return identity.Factor{}, explain("find a factor", err, errNoFactor)
	}
	return p.toFactor(r)
}

// SaveFactor adds or replaces a factor; a password replaces the one there was. The counter
// of one that is there stays: only UseFactor moves it. A credential that is on another file
// is problem.Conflict, and an account of a connection that is not there any more problem.NotFound.
func (p *People) SaveFactor(ctx context.Context, f identity.Factor) error {
	r := factorRow{
		ID: string(f.ID), UserID: string(f.UserID), Method: string(f.Method), Name: f.Name,
		Secret:     p.db.box.Seal(factorPlace(string(f.ID)), []byte(f.Secret.Reveal())),
		Credential: f.Credential, Counter: f.Counter, CreatedAt: stamp(f.CreatedAt), LastUsedAt: stamp(f.LastUsedAt),
	}
	return p.db.InTx(ctx, func(ctx context.Context) error {
		if f.Method.Federated() {
			if err := p.connected(ctx, f.Method.Connection()); err != nil {
				return err
			}
		}
		if f.Method == identity.Password {
			_, err := p.db.write(ctx).NewDelete().Model((*factorRow)(nil)).
				Where("user_id = ?", r.UserID).
				Where("method = ?", r.Method).
				Where("id <> ?", r.ID).
				Exec(ctx)
			if err != nil {
				return explain("replace a password", err)
			}
		}
		res, err := p.db.write(ctx).NewInsert().Model(&r).
			On("CONFLICT (id) DO UPDATE").
			Set("name = EXCLUDED.name").
			Set("secret = EXCLUDED.secret").
			Set("created_at = EXCLUDED.created_at"). // of a password: since when it is this one
			Set("last_used_at = EXCLUDED.last_used_at").
			Where("f.user_id = EXCLUDED.user_id").
			Exec(ctx)
		return oneRow("save a factor", res, err, errFactorTaken)
	})
}

// connected makes sure that a connection is on file until the transaction ends: whoever deletes
// it waits, and then finds the account that came by it.
func (p *People) connected(ctx context.Context, name string) error {
	q := p.db.write(ctx).NewSelect().Model((*connectionRow)(nil)).Column("name").Where("name = ?", name)
	if p.db.postgres {
		q = q.For("KEY SHARE") // SQLite's writers wait for each other anyway
	}
	return explain("find the connection of an account", q.Scan(ctx, new(string)), errNoConnection)
}

// DropFactor takes a factor off that person's file, or is problem.NotFound.
func (p *People) DropFactor(ctx context.Context, u identity.UserID, id identity.FactorID) error {
	res, err := p.db.write(ctx).NewDelete().Model((*factorRow)(nil)).
		Where("id = ?", string(id)).
		Where("user_id = ?", string(u)).
		Exec(ctx)
	return oneRow("drop a factor", res, err, errNoFactor)
}

// UseFactor moves the counter on and notes when, if the counter is still what it was; else
// it is problem.Conflict.
func (p *People) UseFactor(ctx context.Context, id identity.FactorID, was, counter int64, at time.Time) error {
	res, err := p.db.write(ctx).NewUpdate().Model((*factorRow)(nil)).
		Set("counter = ?", counter).
		Set("last_used_at = ?", stamp(at)).
		Where("id = ?", string(id)).
		Where("counter = ?", was).
		Exec(ctx)
	return oneRow("use a factor", res, err, errFactorUsed)
}

// ByCredential returns who has that WebAuthn credential or account elsewhere, or problem.NotFound.
func (p *People) ByCredential(ctx context.Context, credential string) (login.Person, error) {
	var r userRow
	err := p.db.read(ctx).NewSelect().Model(&r).
		Join("JOIN factors AS f ON f.user_id = u.id").
		Where("f.credential = ?", credential).
		Limit(1).
		Scan(ctx)
	if err != nil {
		return login.Person{}, explain("find who has a credential", err, errNoPerson)
	}
	return p.complete(ctx, r)
}
