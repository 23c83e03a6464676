package storage

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"idp/message"
)

var _ message.Inbox = (*Inbox)(nil)

// Inbox keeps letters in development. They carry live codes, so their text is sealed.
type Inbox struct{ db *DB }

// NewInbox returns the development inbox of a database.
func NewInbox(db *DB) *Inbox { return &Inbox{db} }

type letterRow struct {
	bun.BaseModel `bun:"table:letters,alias:l"`

	ID        string `bun:",pk"`
	Recipient string
	Body      string
	SentAt    int64
}

func letterPlace(id string) string { return "letters.body:" + id }

// Keep keeps a letter; the same one twice is kept once.
func (i *Inbox) Keep(ctx context.Context, l message.Letter) error {
	r := letterRow{ID: l.ID, Recipient: strings.ToLower(l.To), SentAt: stamp(l.SentAt)}
	r.Body = i.db.box.Seal(letterPlace(r.ID), []byte(encode(l)))
	_, err := i.db.write(ctx).NewInsert().Model(&r).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return explain("keep a letter", err)
}

// Letters returns the newest letters first, at most 100, to one address or ("") to all.
func (i *Inbox) Letters(ctx context.Context, to string) ([]message.Letter, error) {
	var rows []letterRow
	q := i.db.read(ctx).NewSelect().Model(&rows)
	if to != "" {
		q = q.Where("recipient = ?", strings.ToLower(to))
	}
	if err := q.OrderExpr("sent_at DESC, id DESC").Limit(100).Scan(ctx); err != nil {
		return nil, explain("list letters", err)
	}
	letters := make([]message.Letter, 0, len(rows))
	for _, r := range rows {
		plain, err := i.db.box.Open(letterPlace(r.ID), r.Body)
		if err != nil {
			return nil, err
		}
		var l message.Letter
		if err := decode("letters.body", string(plain), &l); err != nil {
			return nil, err
		}
		letters = append(letters, l)
	}
	return letters, nil
}

// Empty throws all letters away.
func (i *Inbox) Empty(ctx context.Context) error {
	_, err := i.db.write(ctx).NewDelete().Model((*letterRow)(nil)).Where("1 = 1").Exec(ctx)
	return explain("empty the inbox", err)
}
