package admin

import (
	"context"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
)

// Tokens hands an operator's own programs what providers gave for people.
type Tokens struct {
	People login.People
	Keeper *federation.Keeper // one of each process
	Ways   *Connections
	Events event.Recorder
}

// Access returns an access token for an account that a person has by a connection, renewed where
// needed, and notes who took it. which is the connection's name, or the account's id where they have
// several by it. Without such an account it is login.ErrNotLinked; what else can stand against it
// says federation.Federation.Fresh. It must not run in a transaction.
func (k *Tokens) Access(ctx context.Context, connection string, u identity.UserID, which, actor string) (secret.String, error) {
	if _, err := k.Ways.Get(ctx, connection); err != nil {
		return secret.String{}, err
	}
	p, err := k.People.Person(ctx, u)
	if err != nil {
		return secret.String{}, err
	}
	if which == "" {
		which = connection
	}
	x, err := login.Account(p, which)
	if err != nil {
		return secret.String{}, err
	}
	if x.Method.Connection() != connection {
		return secret.String{}, login.ErrNotLinked
	}
	fresh, err := k.Keeper.Tokens(ctx, x.ID)
	if err != nil {
		return secret.String{}, err
	}
	err = k.Events.Record(ctx, event.Event{
		Kind: event.AccountTokenTaken, Actor: actor, User: string(u), Detail: map[string]string{"connection": connection, "factor": string(x.ID)},
	})
	if err != nil {
		return secret.String{}, err
	}
	return secret.NewString(fresh.Access), nil
}
