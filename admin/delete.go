package admin

import (
	"context"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/message"
)

// DeleteStore is what the deletion of a person needs remembered, or forgotten.
type DeleteStore interface {
	// DropUser takes a person off file with all that is theirs, or is problem.NotFound.
	DropUser(ctx context.Context, user identity.UserID) error
	// OtherOperator reports whether somebody else is an operator who may enter.
	OtherOperator(ctx context.Context, user identity.UserID) (bool, error)
}

// ErrLastOperator says that nobody could run the instance any more.
var ErrLastOperator = problem.New(problem.Conflict, "last_operator",
	"This is the only operator of this service. Appoint another one first, with: idp operator link")

// Delete takes a person off file for ever, at their own word or an operator's: profile,
// addresses, factors, sessions, what apps were given. Apps that want to are told that the
// sessions are over, and the person that the account is gone. Only the audit trail still has
// their id.
func (u *Users) Delete(ctx context.Context, id identity.UserID, actor string) error {
	now := u.Now()
	return u.InTx(ctx, func(ctx context.Context) error {
		p, err := u.People.Person(ctx, id)
		if err != nil {
			return err
		}
		if p.User.Operator && p.User.MayEnter() {
			if other, err := u.Departed.OtherOperator(ctx, id); err != nil || !other {
				if err == nil {
					err = ErrLastOperator
				}
				return err
			}
		}
		if err := u.endAll(ctx, id, actor, now); err != nil {
			return err
		}
		if err := u.Departed.DropUser(ctx, id); err != nil {
			return err
		}
		for _, h := range p.Holdings {
			if h.Identifier.Kind != identity.Email || !h.Verified() {
				continue
			}
			m := message.Message{Kind: message.AccountDeleted, To: h.Identifier, Locale: p.User.Profile.Locale}
			if err := u.Post(ctx, m); err != nil {
				return err
			}
		}
		return u.Events.Record(ctx, event.Event{Kind: event.UserDeleted, Actor: actor, User: string(id)})
	})
}
