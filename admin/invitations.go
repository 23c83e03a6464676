package admin

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

const invitationLife = 7 * 24 * time.Hour

// Invitations lets single addresses sign up where sign-up is not open to everybody.
type Invitations struct {
	Store  login.Store
	People login.People
	Outbox *message.Outbox
	Events event.Recorder
	Issuer string
	InTx   func(ctx context.Context, do func(ctx context.Context) error) error
	Now    func() time.Time
}

// Invite mails a link that lasts seven days and lets that address sign up, once. An
// address with an account is problem.Conflict.
func (i *Invitations) Invite(ctx context.Context, email, actor string) (login.Invitation, error) {
	address, err := identity.ParseEmail(email)
	if err != nil {
		return login.Invitation{}, identity.ErrEmail.On("email")
	}
	now, token := i.Now(), secret.Token("inv_")
	inv := login.Invitation{
		ID: secret.NewID("inv"), Address: address, Token: secret.DigestOf(token.Reveal()),
		By: actor, CreatedAt: now, ExpiresAt: now.Add(invitationLife),
	}
	letter := message.Message{
		Kind: message.Invitation, To: address, ExpiresAt: inv.ExpiresAt,
		Link: secret.NewString(i.Issuer + "/sign-up?invitation=" + url.QueryEscape(token.Reveal())),
	}
	err = i.InTx(ctx, func(ctx context.Context) error {
		switch _, err := i.People.Find(ctx, address); {
		case err == nil:
			return ErrAddressHeld
		case !problem.Is(err, problem.NotFound):
			return fmt.Errorf("look for the address: %w", err)
		}
		if err := i.Store.SaveInvitation(ctx, inv); err != nil {
			return fmt.Errorf("save invitation: %w", err)
		}
		if err := i.Outbox.Post(ctx, letter); err != nil {
			return err
		}
		return i.Events.Record(ctx, event.Event{Kind: event.UserInvited, Actor: actor, Detail: map[string]string{"invitation": inv.ID}})
	})
	return inv, err
}
