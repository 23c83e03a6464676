package storage

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
)

var _ login.Store = (*Login)(nil)

// Login remembers attempts, the requests that wait for them, and invitations.
type Login struct{ db *DB }

// NewLogin returns the login store of a database.
func NewLogin(db *DB) *Login { return &Login{db} }

var (
	errNoAttempt       = problem.New(problem.NotFound, "attempt_unknown", "This sign-in has expired. Please start again.")
	errAttemptMoved    = problem.New(problem.Conflict, "attempt_changed", "This sign-in went on elsewhere. Please look again.")
	errNoAsk           = problem.New(problem.NotFound, "request_unknown", "This request has expired. Please go back to the app and start again.")
	errAskUsed         = problem.New(problem.Conflict, "request_used", "This request was answered already. Please go back to the app and start again.")
	errNoInvitation    = problem.New(problem.NotFound, "invitation_unknown", "This invitation is not valid.")
	errInvitationUsed  = problem.New(problem.Conflict, "invitation_used", "This invitation was used already.")
	errInvitationTaken = problem.New(problem.Conflict, "invitation_exists", "This invitation exists already.")
)

type attemptRow struct {
	bun.BaseModel `bun:"table:attempts,alias:a"`

	ID        string `bun:",pk"`
	BrowserID string
	UserID    string // whose it is, "" until they are named
	Body      string
	Password  string // sealed draft, "" for none
	Factor    string // the same of the factor that is being set up
	Upstream  string // sealed: what a provider said, "" for nothing
	Presence  string // the same of the session there
	Network   string // where it began, "" once it is over
	Version   int
	ExpiresAt int64
}

// attemptBody is what of an attempt no query asks for. Draft password and factor secret are not in it.
type attemptBody struct {
	Goal        login.Goal                          `json:"goal"`
	Ask         login.AskID                         `json:"ask,omitempty"`
	Kind        identity.Kind                       `json:"kind,omitempty"`
	Value       string                              `json:"value,omitempty"`
	User        identity.UserID                     `json:"user,omitempty"`
	Human       bool                                `json:"human,omitempty"`
	Doubted     bool                                `json:"doubted,omitempty"`
	Proofs      []identity.Proof                    `json:"proofs,omitempty"`
	Challenges  map[identity.Method]login.Challenge `json:"challenges,omitempty"`
	Confirmed   bool                                `json:"confirmed,omitempty"`
	Reset       bool                                `json:"reset,omitempty"`
	Breached    secret.Digest                       `json:"breached,omitempty"`
	Draft       login.Draft                         `json:"draft,omitzero"`
	Public      bool                                `json:"public,omitempty"`
	Trust       bool                                `json:"trust,omitempty"`
	Return      string                              `json:"return,omitempty"`
	Within      session.ID                          `json:"within,omitempty"`
	Wrong       int                                 `json:"wrong,omitempty"`
	Session     session.ID                          `json:"session,omitempty"`
	CreatedAt   int64                               `json:"created_at"`
	AbandonedAt int64                               `json:"abandoned_at,omitempty"`
}

func attemptPlace(id string) string  { return "attempts.password:" + id }
func draftPlace(id string) string    { return "attempts.factor:" + id }
func saidPlace(id string) string     { return "attempts.upstream:" + id }
func presencePlace(id string) string { return "attempts.presence:" + id }

func (s *Login) fromAttempt(a login.Attempt) attemptRow {
	r := attemptRow{ID: string(a.ID), BrowserID: string(a.Browser), UserID: string(a.UserID), Version: a.Version + 1, ExpiresAt: stamp(a.ExpiresAt)}
	r.Body = encode(attemptBody{
		Goal: a.Goal, Ask: a.Ask, Kind: a.Identifier.Kind, Value: a.Identifier.Value, User: a.UserID, Human: a.Human, Doubted: a.Doubted,
		Proofs: a.Proofs, Challenges: a.Challenges, Confirmed: a.Confirmed, Reset: a.Reset, Breached: a.Breached, Draft: a.Draft, Public: a.Public, Trust: a.Trust, Return: a.Return,
		Wrong: a.Wrong, Within: a.Within, Session: a.SessionID, CreatedAt: stamp(a.CreatedAt), AbandonedAt: stamp(a.AbandonedAt),
	})
	if a.SessionID == "" && a.AbandonedAt.IsZero() {
		r.Network = a.Network
	}
	if !a.Draft.PasswordHash.Empty() {
		r.Password = s.db.box.Seal(attemptPlace(r.ID), []byte(a.Draft.PasswordHash.Reveal()))
	}
	if a.Draft.Factor != nil {
		r.Factor = s.db.box.Seal(draftPlace(r.ID), []byte(a.Draft.Factor.Secret.Reveal()))
	}
	if a.Upstream != nil {
		r.Upstream = s.db.box.Seal(saidPlace(r.ID), []byte(encode(a.Upstream)))
	}
	if a.Presence != nil {
		r.Presence = s.db.box.Seal(presencePlace(r.ID), []byte(encode(a.Presence)))
	}
	return r
}

func (s *Login) toAttempt(r attemptRow) (login.Attempt, error) {
	var b attemptBody
	if err := decode("attempts.body", r.Body, &b); err != nil {
		return login.Attempt{}, err
	}
	a := login.Attempt{
		ID: login.AttemptID(r.ID), Browser: session.BrowserID(r.BrowserID), Goal: b.Goal, Ask: b.Ask,
		Identifier: identity.Identifier{Kind: b.Kind, Value: b.Value}, UserID: b.User, Human: b.Human, Doubted: b.Doubted,
		Proofs: b.Proofs, Challenges: b.Challenges, Confirmed: b.Confirmed, Reset: b.Reset, Breached: b.Breached, Draft: b.Draft, Public: b.Public, Trust: b.Trust, Return: b.Return,
		Wrong: b.Wrong, Within: b.Within, SessionID: b.Session, Network: r.Network, Version: r.Version,
		CreatedAt: instant(b.CreatedAt), ExpiresAt: instant(r.ExpiresAt), AbandonedAt: instant(b.AbandonedAt),
	}
	if a.Draft.Factor != nil {
		plain, err := s.db.box.Open(draftPlace(r.ID), r.Factor)
		if err != nil {
			return a, err
		}
		a.Draft.Factor.Secret = secret.NewString(string(plain))
	}
	if r.Upstream != "" {
		plain, err := s.db.box.Open(saidPlace(r.ID), r.Upstream)
		if err != nil {
			return a, err
		}
		if err := decode("attempts.upstream", string(plain), &a.Upstream); err != nil {
			return a, err
		}
	}
	if r.Presence != "" {
		plain, err := s.db.box.Open(presencePlace(r.ID), r.Presence)
		if err != nil {
			return a, err
		}
		if err := decode("attempts.presence", string(plain), &a.Presence); err != nil {
			return a, err
		}
	}
	if r.Password == "" {
		return a, nil
	}
	plain, err := s.db.box.Open(attemptPlace(r.ID), r.Password)
	a.Draft.PasswordHash = secret.NewString(string(plain))
	return a, err
}

// Attempt returns an attempt, or problem.NotFound.
func (s *Login) Attempt(ctx context.Context, id login.AttemptID) (login.Attempt, error) {
	var r attemptRow
	err := s.db.read(ctx).NewSelect().Model(&r).Where("id = ?", string(id)).Limit(1).Scan(ctx)
	if err != nil {
		return login.Attempt{}, explain("load an attempt", err, errNoAttempt)
	}
	return s.toAttempt(r)
}

// SaveAttempt creates an attempt at Version 0 and changes one otherwise; what is stored is
// one version further. If the version moved meanwhile it is problem.Conflict.
func (s *Login) SaveAttempt(ctx context.Context, a login.Attempt) error {
	r := s.fromAttempt(a)
	if a.Version == 0 {
		_, err := s.db.write(ctx).NewInsert().Model(&r).Exec(ctx)
		return explain("create an attempt", err, errAttemptMoved)
	}
	res, err := s.db.write(ctx).NewUpdate().Model(&r).
		Column("user_id", "body", "password", "factor", "upstream", "presence", "network", "version", "expires_at").
		Where("id = ?", r.ID).
		Where("version = ?", a.Version).
		Exec(ctx)
	return oneRow("save an attempt", res, err, errAttemptMoved)
}

type invitationRow struct {
	bun.BaseModel `bun:"table:invitations,alias:i"`

	ID        string `bun:",pk"`
	Kind      string
	Value     string
	Token     string
	InvitedBy string
	CreatedAt int64
	ExpiresAt int64
	UsedAt    int64 `bun:",nullzero"`
}

// Invitation returns the invitation whose link carries the token, or problem.NotFound.
// Whether it is still good is for the caller to see.
func (s *Login) Invitation(ctx context.Context, token secret.Digest) (login.Invitation, error) {
	var r invitationRow
	err := s.db.read(ctx).NewSelect().Model(&r).Where("token = ?", string(token)).Limit(1).Scan(ctx)
	if err != nil {
		return login.Invitation{}, explain("load an invitation", err, errNoInvitation)
	}
	return login.Invitation{
		ID: r.ID, Address: identity.Identifier{Kind: identity.Kind(r.Kind), Value: r.Value}, Token: secret.Digest(r.Token), By: r.InvitedBy,
		CreatedAt: instant(r.CreatedAt), ExpiresAt: instant(r.ExpiresAt), UsedAt: instant(r.UsedAt),
	}, nil
}

// SaveInvitation creates an invitation.
func (s *Login) SaveInvitation(ctx context.Context, i login.Invitation) error {
	r := invitationRow{
		ID: i.ID, Kind: string(i.Address.Kind), Value: i.Address.Value, Token: string(i.Token), InvitedBy: i.By,
		CreatedAt: stamp(i.CreatedAt), ExpiresAt: stamp(i.ExpiresAt), UsedAt: stamp(i.UsedAt),
	}
	_, err := s.db.write(ctx).NewInsert().Model(&r).Exec(ctx)
	return explain("save an invitation", err, errInvitationTaken)
}

// UseInvitation spends an invitation that is still good at that time, once: the second is problem.Conflict.
func (s *Login) UseInvitation(ctx context.Context, id string, at time.Time) error {
	res, err := s.db.write(ctx).NewUpdate().Model((*invitationRow)(nil)).
		Set("used_at = ?", stamp(at)).
		Where("id = ?", id).
		Where("used_at IS NULL").
		Where("expires_at > ?", stamp(at)).
		Exec(ctx)
	return oneRow("use an invitation", res, err, errInvitationUsed)
}

// Knows reports whether the person has signed in on this browser before.
func (s *Login) Knows(ctx context.Context, b session.BrowserID, u identity.UserID) (bool, error) {
	yes, err := s.db.read(ctx).NewSelect().Model((*sessionRow)(nil)).
		Where("browser_id = ?", string(b)).
		Where("user_id = ?", string(u)).
		Exists(ctx)
	return yes, explain("look whether a browser is known", err)
}
