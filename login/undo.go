package login

import (
	"context"
	"slices"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Whoever takes an account over changes how its owner signs in, and the owner hears of it by
// mail. The link in that mail brings the account back to how it was right before the change:
// addresses and factors, with all that came after it, because whoever made the one made the
// others. Links that were made since die with it, so that nobody goes forward again with one;
// links made before stay good, for going back further. A password is never brought back, only
// voided. Nobody is let in by an undo link: everybody is signed out, and whoever used it proves
// themselves like anybody else.

// UndoFor is how long a change can be taken back.
const UndoFor = 7 * 24 * time.Hour

// UndoID names something that can be taken back.
type UndoID string

// Undo is what a change can be taken back to, for whoever has the link.
type Undo struct {
	ID     UndoID
	Digest secret.Digest // of the link's token
	User   identity.UserID
	Kind   ChangeKind

	// What the page says of the change.
	Method  identity.Method
	Name    string
	Address identity.Identifier
	Browser string // described
	Network string

	Holdings []identity.Holding // as they were
	Factors  []identity.Factor  // as they were, without the password

	CreatedAt, ExpiresAt, UsedAt time.Time
}

// Undos is where what can be taken back is kept, and what taking it back needs besides People.
type Undos interface {
	SaveUndo(ctx context.Context, u Undo) error
	Undo(ctx context.Context, id UndoID) (Undo, error)                      // problem.NotFound
	UseUndo(ctx context.Context, id UndoID, at time.Time) error             // once, and not when it is old: else problem.Conflict
	EndAttempts(ctx context.Context, u identity.UserID, at time.Time) error // what was begun and not finished
	// VoidUndos spends those of a person made since then, and returns what they held.
	VoidUndos(ctx context.Context, u identity.UserID, since, at time.Time) ([]Undo, error)
	// DropHolding is problem.NotFound if that is not on the person's file.
	DropHolding(ctx context.Context, u identity.UserID, i identity.Identifier) error
}

// Link states.
const (
	UndoOpen    = "open"
	UndoUsed    = "used"    // or another link took it back
	UndoOld     = "old"     // more than seven days
	UndoUnknown = "unknown" // or the account is gone
)

// UndoView is what the page behind an undo link may show.
type UndoView struct {
	ID    UndoID
	State string
	Undo  Undo // what changed; without what it held
	Voids bool // the password is voided, whatever the person says
	Has   bool // there is a password to void
	Place string
	Title string // what people call the connection of the account elsewhere that it is about
}

// Undoing is what taking a change back did.
type Undoing struct {
	Kind    ChangeKind
	Voided  bool                  // the password is void: another one has to be chosen
	Missing []identity.Identifier // could not be put back: somebody else proved it since
	Mailbox identity.Identifier   // where the person gets mail now, none if nowhere
}

// The problems of undo links.
var (
	ErrUndoUnknown = problem.New(problem.NotFound, "undo_unknown", "This link is not valid, or it is too old.")
	ErrUndoUsed    = problem.New(problem.Gone, "undo_used", "This change was taken back already.")
	ErrUndoOld     = problem.New(problem.Gone, "undo_old", "This link is too old: a change can be taken back for seven days.")
)

// revertible are the changes with something to take back.
var revertible = []ChangeKind{
	PasswordReplaced, AddressAdded, AddressRemoved, AddressPrimary, FactorAdded, FactorRemoved, FactorsReset, BackupCodesRenewed, NewBrowser,
	AccountLinked, AccountUnlinked,
}

// voids reports whether taking such a change back voids the password in any case: it was
// chosen by whoever made the change, or known to them.
func (k ChangeKind) voids() bool { return k == PasswordReplaced || k == NewBrowser }

// LookUndo says what a link would take back. It changes nothing, however often it is asked.
func (e *Engine) LookUndo(ctx context.Context, id UndoID, token secret.String) (UndoView, error) {
	u, err := e.undo(ctx, id, token)
	v := UndoView{ID: id, State: UndoOpen}
	switch {
	case problem.Is(err, problem.NotFound):
		v.State = UndoUnknown
		return v, nil
	case problem.HasCode(err, ErrUndoUsed.Code):
		v.State = UndoUsed
	case problem.HasCode(err, ErrUndoOld.Code):
		v.State = UndoOld
	case err != nil:
		return v, err
	}
	p, err := e.People.Person(ctx, u.User)
	if problem.Is(err, problem.NotFound) {
		return UndoView{ID: id, State: UndoUnknown}, nil
	}
	if err != nil {
		return v, err
	}
	if !p.User.MayEnter() {
		return v, ErrSuspended
	}
	_, v.Has = Facts{Factors: p.Factors}.factor(identity.Password)
	v.Voids, v.Title = u.Kind.voids(), e.title(u.Method)
	if e.Place != nil && u.Network != "" {
		v.Place = e.Place(u.Network)
	}
	u.Holdings, u.Factors = nil, nil
	v.Undo = u
	return v, nil
}

// undo returns what the link belongs to: ErrUndoUnknown, and beside what it was ErrUndoUsed or ErrUndoOld.
func (e *Engine) undo(ctx context.Context, id UndoID, token secret.String) (Undo, error) {
	if e.Undos == nil {
		return Undo{}, ErrUndoUnknown
	}
	u, err := e.Undos.Undo(ctx, id)
	if problem.Is(err, problem.NotFound) || err == nil && !secret.Equal(string(u.Digest), string(secret.DigestOf(token.Reveal()))) {
		return Undo{}, ErrUndoUnknown
	}
	switch {
	case err != nil:
		return Undo{}, err
	case !u.UsedAt.IsZero():
		return u, ErrUndoUsed
	case !e.Now().Before(u.ExpiresAt):
		return u, ErrUndoOld
	}
	return u, nil
}

// Undo takes a change back, once: of those who race, all but one get ErrUndoUsed. void says
// that the password is to be voided even where that would not follow. Somebody suspended is
// ErrSuspended, and the link stays good.
func (e *Engine) Undo(ctx context.Context, at At, id UndoID, token secret.String, void bool) (Undoing, error) {
	var done Undoing
	err := e.InTx(ctx, func(ctx context.Context) error {
		done = Undoing{}
		u, err := e.undo(ctx, id, token)
		if err != nil {
			return err
		}
		p, err := e.People.Person(ctx, u.User)
		if problem.Is(err, problem.NotFound) {
			return ErrUndoUnknown
		}
		if err != nil {
			return err
		}
		if !p.User.MayEnter() {
			return ErrSuspended
		}
		now := e.Now()
		if err := e.Undos.UseUndo(ctx, id, now); err != nil {
			if problem.Is(err, problem.Conflict) {
				return ErrUndoUsed.Because(err)
			}
			return err
		}
		done, err = e.takeBack(ctx, at, u, p, void, now)
		return err
	})
	return done, err
}

// takeBack does what a link says, in the transaction that spent it.
func (e *Engine) takeBack(ctx context.Context, at At, u Undo, p Person, void bool, now time.Time) (done Undoing, err error) {
	later, err := e.Undos.VoidUndos(ctx, u.User, u.CreatedAt, now)
	if err != nil {
		return done, err
	}
	done.Kind = u.Kind
	void = void || u.Kind.voids() || slices.ContainsFunc(later, func(l Undo) bool { return l.Kind == PasswordReplaced })
	if done.Voided, err = e.returnFactors(ctx, u, p, later, void); err != nil {
		return done, err
	}
	if done.Missing, err = e.returnHoldings(ctx, u, p); err != nil {
		return done, err
	}
	ended, err := e.Sessions.EndOthers(ctx, u.User, "", now)
	if err != nil {
		return done, err
	}
	if err := e.Undos.EndAttempts(ctx, u.User, now); err != nil {
		return done, err
	}
	if err := e.Distrust(ctx, u.User); err != nil {
		return done, err
	}
	if e.Revoke != nil {
		if err := e.Revoke(ctx, u.User); err != nil {
			return done, err
		}
	}
	after, err := e.People.Person(ctx, u.User)
	if err != nil {
		return done, err
	}
	done.Mailbox = Facts{Holdings: after.Holdings}.mailbox()
	// Who used the link is not known: it came to an address of the person's, and that is all.
	said := []event.Event{{Kind: event.ChangeUndone, User: string(u.User), Network: at.Network, Detail: map[string]string{"change": string(u.Kind), "undo": string(u.ID)}}}
	for _, id := range ended {
		said = append(said, event.Event{Kind: event.SessionEnded, User: string(u.User), Session: string(id), Network: at.Network})
	}
	for _, ev := range said {
		if err := e.Events.Record(ctx, ev); err != nil {
			return done, err
		}
	}
	p.Holdings = append(slices.Clone(p.Holdings), after.Holdings...)
	return done, e.Notify(ctx, Change{Kind: Undone, Before: p, At: at})
}
