package storage

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/token"
)

var _ token.TemplateStore = (*Templates)(nil)

// Templates remembers what tokens tell about people.
type Templates struct{ db *DB }

// NewTemplates returns the JWT templates of a database.
func NewTemplates(db *DB) *Templates { return &Templates{db} }

var errTemplateMoved = problem.New(problem.Conflict, "template_changed", "Somebody else changed this template just now. Look again.")

type templateRow struct {
	bun.BaseModel `bun:"table:templates,alias:t"`

	Name      string `bun:",pk"`
	Body      string
	Claims    string // beside the body, which would lose how they are laid out
	SealedKey string
	Version   int
	CreatedAt int64
	UpdatedAt int64
}

// The seal says whose key it is: copied to the row of another template it does not open.
func templatePlace(name string) string { return "templates.key:" + name }

const maxTemplates = 1000

// Templates returns all templates, by name.
func (s *Templates) Templates(ctx context.Context) ([]token.Template, error) {
	var rows []templateRow
	err := s.db.read(ctx).NewSelect().Model(&rows).OrderExpr("name").Limit(maxTemplates).Scan(ctx)
	if err != nil {
		return nil, explain("load templates", err)
	}
	all := make([]token.Template, 0, len(rows))
	for _, r := range rows {
		t, err := s.template(r)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// HoldTemplate returns a template, or token.ErrTemplate. Until the caller's transaction is over,
// nobody changes or drops it.
func (s *Templates) HoldTemplate(ctx context.Context, name string) (token.Template, error) {
	var r templateRow
	q := s.db.write(ctx).NewSelect().Model(&r).Where("name = ?", name)
	if s.db.postgres { // SQLite has one writer at a time
		q = q.For("SHARE")
	}
	if err := q.Scan(ctx); err != nil {
		return token.Template{}, explain("hold a template", err, token.ErrTemplate)
	}
	return s.template(r)
}

func (s *Templates) template(r templateRow) (token.Template, error) {
	var t token.Template
	if err := decode("templates.body", r.Body, &t); err != nil {
		return t, err
	}
	plain, err := s.db.box.Open(templatePlace(r.Name), r.SealedKey)
	if err != nil {
		return t, err
	}
	t.Claims, t.Key.Material, t.Version = json.RawMessage(r.Claims), secret.NewString(string(plain)), r.Version
	t.CreatedAt, t.UpdatedAt = instant(r.CreatedAt), instant(r.UpdatedAt)
	return t, nil
}

// SaveTemplate creates a template at Version 0 and changes one otherwise. A name that is taken,
// or a version that moved, is problem.Conflict.
func (s *Templates) SaveTemplate(ctx context.Context, t token.Template) error {
	r := templateRow{
		Name: t.Name, Claims: string(t.Claims), SealedKey: s.db.box.Seal(templatePlace(t.Name), []byte(t.Key.Material.Reveal())),
		Version: t.Version + 1, CreatedAt: stamp(t.CreatedAt), UpdatedAt: stamp(t.UpdatedAt),
	}
	t.Claims = nil
	r.Body = encode(t)
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if t.Version == 0 {
			if _, err := s.db.write(ctx).NewInsert().Model(&r).Exec(ctx); err != nil {
				return explain("create a template", err, errTemplateMoved)
			}
			return s.db.bump(ctx, versionTemplates)
		}
		res, err := s.db.write(ctx).NewUpdate().Model(&r).
			ExcludeColumn("name", "created_at").
			Where("name = ?", r.Name).
			Where("version = ?", t.Version).
			Exec(ctx)
		if err := oneRow("save a template", res, err, errTemplateMoved); err != nil {
			return err
		}
		return s.db.bump(ctx, versionTemplates)
	})
}

// DropTemplate forgets a template, and its key. token.ErrTemplate if there is none of that name.
func (s *Templates) DropTemplate(ctx context.Context, name string) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		res, err := s.db.write(ctx).NewDelete().Model((*templateRow)(nil)).Where("name = ?", name).Exec(ctx)
		if err := oneRow("delete a template", res, err, token.ErrTemplate); err != nil {
			return err
		}
		return s.db.bump(ctx, versionTemplates)
	})
}
