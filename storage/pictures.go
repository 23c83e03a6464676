package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/account"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

var _ account.PictureStore = (*Pictures)(nil)

// Pictures remembers the pictures of people, as we drew them.
type Pictures struct{ db *DB }

// NewPictures returns the pictures of a database.
func NewPictures(db *DB) *Pictures { return &Pictures{db} }

var errNoPicture = problem.New(problem.NotFound, "picture_unknown", "There is no such picture.")

type pictureRow struct {
	bun.BaseModel `bun:"table:pictures,alias:pi"`

	UserID    string `bun:",pk"`
	ID        string
	Bytes     []byte
	Type      string
	Source    string
	CreatedAt int64
	RemovedAt int64 `bun:",nullzero"`
}

func toPicture(r pictureRow) account.Picture {
	return account.Picture{
		ID: r.ID, User: identity.UserID(r.UserID), Bytes: r.Bytes, Type: r.Type, Source: r.Source,
		CreatedAt: instant(r.CreatedAt), RemovedAt: instant(r.RemovedAt),
	}
}

// Picture returns a picture that is shown, or problem.NotFound.
func (s *Pictures) Picture(ctx context.Context, id string) (account.Picture, error) {
	var r pictureRow
	err := s.db.read(ctx).NewSelect().Model(&r).
		Where("id = ?", id).
		Where("removed_at IS NULL").
		Limit(1).
		Scan(ctx)
	return toPicture(r), explain("load a picture", err, errNoPicture)
}

// PictureOf returns the picture of a person, without bytes if they removed it, or problem.NotFound.
func (s *Pictures) PictureOf(ctx context.Context, u identity.UserID) (account.Picture, error) {
	var r pictureRow
	err := s.db.read(ctx).NewSelect().Model(&r).Where("user_id = ?", string(u)).Limit(1).Scan(ctx)
	return toPicture(r), explain("load the picture of a person", err, errNoPicture)
}

// SavePicture keeps a picture in place of the one that its person had.
func (s *Pictures) SavePicture(ctx context.Context, p account.Picture) error {
	return s.put(ctx, pictureRow{
		UserID: string(p.User), ID: p.ID, Bytes: p.Bytes, Type: p.Type, Source: p.Source,
		CreatedAt: stamp(p.CreatedAt), RemovedAt: stamp(p.RemovedAt),
	})
}

// RemovePicture forgets a person's picture, and remembers that they want none.
func (s *Pictures) RemovePicture(ctx context.Context, u identity.UserID, at time.Time) error {
	return s.put(ctx, pictureRow{UserID: string(u), ID: secret.NewID("picture"), CreatedAt: stamp(at), RemovedAt: stamp(at)})
}

func (s *Pictures) put(ctx context.Context, r pictureRow) error {
	_, err := s.db.write(ctx).NewInsert().Model(&r).
		On("CONFLICT (user_id) DO UPDATE").
		Set("id = EXCLUDED.id").
		Set("bytes = EXCLUDED.bytes").
		Set("type = EXCLUDED.type").
		Set("source = EXCLUDED.source").
		Set("created_at = EXCLUDED.created_at").
		Set("removed_at = EXCLUDED.removed_at").
		Exec(ctx)
	return explain("save a picture", err)
}
