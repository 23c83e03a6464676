package login

import (
	"context"

	"idp/event"
	"idp/identity"
)

// Unlock lets a person try again at once, wherever they come from: wrong passwords, backup
// codes, mailed codes and second factors so far are forgotten. by is the event's actor. Somebody who
// is not on file is problem.NotFound.
func (e *Engine) Unlock(ctx context.Context, u identity.UserID, by string) error {
	return e.InTx(ctx, func(ctx context.Context) error {
		p, err := e.People.Person(ctx, u)
		if err != nil {
			return err
		}
		if err := e.open(ctx, p, []identity.Method{identity.TOTP, identity.BackupCode, identity.PhoneCode, identity.SecurityKey, identity.Passkey}); err != nil {
			return err
		}
		return e.Events.Record(ctx, event.Event{Kind: event.SignInUnlocked, Actor: by, User: string(u)})
	})
}

// open forgets wrong passwords and mailed codes of a person, and wrong answers by those
// second factors: of strangers, and on each browser where the person has signed in.
func (e *Engine) open(ctx context.Context, p Person, factors []identity.Method) error {
	own := []string{""}
	if e.Trust != nil {
		known, err := e.Trust.KnownTo(ctx, p.User.ID)
		if err != nil {
			return err
		}
		for _, b := range known {
			own = append(own, string(b))
		}
	}
	var keys []string
	for _, b := range own {
		x := aim{person: "user\x00" + string(p.User.ID), own: b}
		keys = append(keys, e.personKey("password-person", x), e.personKey("password-told", x), e.personKey("code-person", x))
		for _, m := range factors {
			keys = append(keys, e.personKey("factor-"+string(m), x))
		}
		for _, h := range p.Holdings {
			x.address = h.Identifier.Value
			keys = append(keys, e.addressKey("password", x), e.addressKey("code", x))
		}
	}
	return e.Throttle.Clear(ctx, keys)
}
