package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

var _ login.Undos = (*Undos)(nil)

// Undos remembers what mailed links can take back.
type Undos struct{ db *DB }

// NewUndos returns the undos of a database.
func NewUndos(db *DB) *Undos { return &Undos{db} }

var (
	errNoUndo   = problem.New(problem.NotFound, "undo_unknown", "This link is not valid, or it is too old.")
	errUndoUsed = problem.New(problem.Conflict, "undo_used", "This link was used already.")
	errNoEntry  = problem.New(problem.NotFound, "identifier_unknown", "That is not on your account.").On("identifier")
)

type undoRow struct {
	bun.BaseModel `bun:"table:undos,alias:un"`

	ID        string `bun:",pk"`
	Digest    string
	UserID    string
	Kind      string
	Body      string // sealed, "" once it is used
	CreatedAt int64
	ExpiresAt int64
	UsedAt    int64 `bun:",nullzero"`
}

// undoBody is what is sealed: factors with what recognises their answers.
type undoBody struct {
	Method   identity.Method     `json:"method,omitempty"`
	Name     string              `json:"name,omitempty"`
	Address  identity.Identifier `json:"address,omitzero"`
	Browser  string              `json:"browser,omitempty"`
	Network  string              `json:"network,omitempty"`
	Holdings []identity.Holding  `json:"holdings,omitempty"`
	Factors  []undoFactor        `json:"factors,omitempty"`
}

type undoFactor struct {
	ID         identity.FactorID `json:"id"`
	Method     identity.Method   `json:"method"`
	Name       string            `json:"name,omitempty"`
	Answer     string            `json:"answer"` // the factor's Secret
	Credential string            `json:"credential,omitempty"`
	Counter    int64             `json:"counter,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
	LastUsedAt time.Time         `json:"last_used_at,omitzero"`
}

func undoPlace(id string) string { return "undos.body:" + id }

// SaveUndo remembers what a change can be taken back to.
func (s *Undos) SaveUndo(ctx context.Context, u login.Undo) error {
	b := undoBody{Method: u.Method, Name: u.Name, Address: u.Address, Browser: u.Browser, Network: u.Network, Holdings: u.Holdings}
	for _, f := range u.Factors {
		b.Factors = append(b.Factors, undoFactor{f.ID, f.Method, f.Name, f.Secret.Reveal(), f.Credential, f.Counter, f.CreatedAt, f.LastUsedAt})
	}
	r := undoRow{
		ID: string(u.ID), Digest: string(u.Digest), UserID: string(u.User), Kind: string(u.Kind),
		Body: s.db.box.Seal(undoPlace(string(u.ID)), []byte(encode(b))), CreatedAt: stamp(u.CreatedAt), ExpiresAt: stamp(u.ExpiresAt), UsedAt: stamp(u.UsedAt),
	}
	_, err := s.db.write(ctx).NewInsert().Model(&r).Exec(ctx)
	return explain("save an undo", err)
}

// Undo returns what a link can take back, or problem.NotFound.
func (s *Undos) Undo(ctx context.Context, id login.UndoID) (login.Undo, error) {
	var r undoRow
	err := s.db.read(ctx).NewSelect().Model(&r).Where("id = ?", string(id)).Limit(1).Scan(ctx)
	if err != nil {
		return login.Undo{}, explain("load an undo", err, errNoUndo)
	}
	return s.toUndo(r)
}

func (s *Undos) toUndo(r undoRow) (login.Undo, error) {
	u := login.Undo{
		ID: login.UndoID(r.ID), Digest: secret.Digest(r.Digest), User: identity.UserID(r.UserID), Kind: login.ChangeKind(r.Kind),
		CreatedAt: instant(r.CreatedAt), ExpiresAt: instant(r.ExpiresAt), UsedAt: instant(r.UsedAt),
	}
	if r.Body == "" {
		return u, nil
	}
	plain, err := s.db.box.Open(undoPlace(r.ID), r.Body)
	if err != nil {
		return u, err
	}
	var b undoBody
	if err := decode("undos.body", string(plain), &b); err != nil {
		return u, err
	}
	u.Method, u.Name, u.Address, u.Browser, u.Network, u.Holdings = b.Method, b.Name, b.Address, b.Browser, b.Network, b.Holdings
	for _, f := range b.Factors {
		u.Factors = append(u.Factors, identity.Factor{
			ID: f.ID, UserID: u.User, Method: f.Method, Name: f.Name, Secret: secret.NewString(f.Answer), Credential: f.Credential,
			Counter: f.Counter, CreatedAt: f.CreatedAt, LastUsedAt: f.LastUsedAt,
		})
	}
	return u, nil
}

// UseUndo spends a link that is still good at that time, once: the second is problem.Conflict.
// What it held is forgotten.
func (s *Undos) UseUndo(ctx context.Context, id login.UndoID, at time.Time) error {
	res, err := s.db.write(ctx).NewUpdate().Model((*undoRow)(nil)).
		Set("used_at = ?", stamp(at)).
		Set("body = ''").
		Where("id = ?", string(id)).
		Where("used_at IS NULL").
		Where("expires_at > ?", stamp(at)).
		Exec(ctx)
	return oneRow("use an undo", res, err, errUndoUsed)
}

const maxUndos = 1000 // of one person in seven days

// VoidUndos spends the links of a person that were made at that time or later, and returns them.
func (s *Undos) VoidUndos(ctx context.Context, u identity.UserID, since, at time.Time) ([]login.Undo, error) {
	var rows []undoRow
	err := s.db.read(ctx).NewSelect().Model(&rows).
		Where("user_id = ?", string(u)).
		Where("created_at >= ?", stamp(since)).
		Where("used_at IS NULL").
		OrderExpr("created_at, id").
		Limit(maxUndos).
		Scan(ctx)
	if err != nil {
		return nil, explain("list undos", err)
	}
	var voided []login.Undo
	for _, r := range rows {
		one, err := s.toUndo(r)
		if err != nil {
			return nil, err
		}
		voided = append(voided, one)
	}
	_, err = s.db.write(ctx).NewUpdate().Model((*undoRow)(nil)).
		Set("used_at = ?", stamp(at)).
		Set("body = ''").
		Where("user_id = ?", string(u)).
		Where("created_at >= ?", stamp(since)).
		Where("used_at IS NULL").
		Exec(ctx)
	return voided, explain("void undos", err)
}

// EndAttempts ends what the person, or somebody in their name, has begun and not finished.
func (s *Undos) EndAttempts(ctx context.Context, u identity.UserID, at time.Time) error {
	_, err := s.db.write(ctx).NewUpdate().Model((*attemptRow)(nil)).
		Set("expires_at = ?", stamp(at)).
		Set("version = version + 1").
		Where("user_id = ?", string(u)).
		Where("expires_at > ?", stamp(at)).
		Exec(ctx)
	return explain("end the attempts of "+string(u), err)
}

// DropHolding takes an address or phone number off that person's file, or is problem.NotFound.
func (s *Undos) DropHolding(ctx context.Context, u identity.UserID, i identity.Identifier) error {
	res, err := s.db.write(ctx).NewDelete().Model((*holdingRow)(nil)).
		Where("user_id = ?", string(u)).
		Where("kind = ?", string(i.Kind)).
		Where("value = ?", i.Value).
		Exec(ctx)
	return oneRow("drop an address", res, err, errNoEntry)
}
