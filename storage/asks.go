package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/login"
	"idp/session"
)

type askRow struct {
	bun.BaseModel `bun:"table:asks,alias:k"`

	ID        string `bun:",pk"`
	BrowserID string
	Body      string
	Request   []byte
	Chosen    string
	Answer    string
	Answered  string
	CreatedAt int64
	ExpiresAt int64
	UsedAt    int64 `bun:",nullzero"`
}

type askBody struct {
	Party    identity.Party `json:"party"`
	Need     session.Need   `json:"need"`
	Scopes   []string       `json:"scopes,omitempty"`
	Hint     string         `json:"hint,omitempty"`
	Upstream login.Upstream `json:"upstream,omitzero"`
	Locales  []string       `json:"locales,omitempty"`
	SignUp   bool           `json:"sign_up,omitempty"`
	Choose   bool           `json:"choose,omitempty"`
	Resume   string         `json:"resume"`
}

func fromAsk(a login.Ask) askRow {
	request := a.Request
	if request == nil {
		request = []byte{}
	}
	return askRow{
		ID: string(a.ID), BrowserID: string(a.Browser), Request: request, Chosen: string(a.Chosen),
		Answer: string(a.Answer), Answered: string(a.Answered),
		CreatedAt: stamp(a.CreatedAt), ExpiresAt: stamp(a.ExpiresAt), UsedAt: stamp(a.UsedAt),
		Body: encode(askBody{
			Party: a.Party, Need: a.Need, Scopes: a.Scopes, Hint: a.Hint, Upstream: a.Upstream, Locales: a.Locales,
			SignUp: a.SignUp, Choose: a.Choose, Resume: a.Resume,
		}),
	}
}

func toAsk(r askRow) (login.Ask, error) {
	var b askBody
	if err := decode("asks.body", r.Body, &b); err != nil {
		return login.Ask{}, err
	}
	return login.Ask{
		ID: login.AskID(r.ID), Browser: session.BrowserID(r.BrowserID), Party: b.Party, Need: b.Need, Scopes: b.Scopes,
		Hint: b.Hint, Upstream: b.Upstream, Locales: b.Locales, SignUp: b.SignUp, Choose: b.Choose, Chosen: session.ID(r.Chosen),
		Answer: login.Answer(r.Answer), Answered: session.ID(r.Answered), Request: r.Request, Resume: b.Resume,
		CreatedAt: instant(r.CreatedAt), ExpiresAt: instant(r.ExpiresAt), UsedAt: instant(r.UsedAt),
	}, nil
}

func (db *DB) ask(ctx context.Context, id string) (login.Ask, error) {
	var r askRow
	err := db.read(ctx).NewSelect().Model(&r).Where("id = ?", id).Limit(1).Scan(ctx)
	if err != nil {
		return login.Ask{}, explain("load a waiting request", err, errNoAsk)
	}
	return toAsk(r)
}

// Ask returns a relying party's waiting request, or problem.NotFound.
func (s *Login) Ask(ctx context.Context, id login.AskID) (login.Ask, error) {
	return s.db.ask(ctx, string(id))
}

// SaveAsk creates or replaces a waiting request. One that was used stays as it is: problem.Conflict.
func (s *Login) SaveAsk(ctx context.Context, a login.Ask) error {
	r := fromAsk(a)
	res, err := s.db.write(ctx).NewInsert().Model(&r).
		On("CONFLICT (id) DO UPDATE").
		Set("browser_id = EXCLUDED.browser_id").
		Set("body = EXCLUDED.body").
		Set("request = EXCLUDED.request").
		Set("chosen = EXCLUDED.chosen").
		Set("answer = EXCLUDED.answer").
		Set("answered = EXCLUDED.answered").
		Set("expires_at = EXCLUDED.expires_at").
		Set("used_at = EXCLUDED.used_at").
		Where("k.used_at IS NULL").
		Exec(ctx)
	return oneRow("save a waiting request", res, err, errAskUsed)
}

// UseAsk marks the request as answered by the protocol, once: the second is problem.Conflict.
func (s *Login) UseAsk(ctx context.Context, id login.AskID, at time.Time) error {
	res, err := s.db.write(ctx).NewUpdate().Model((*askRow)(nil)).
		Set("used_at = ?", stamp(at)).
		Where("id = ?", string(id)).
		Where("used_at IS NULL").
		Exec(ctx)
	return oneRow("use a waiting request", res, err, errAskUsed)
}
