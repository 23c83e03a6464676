package account

import (
	"context"
	"time"

	"idp/event"
	"idp/identity"
	"idp/session"
)

// App is a relying party that the person let in.
type App struct {
	Client string         `json:"client_id"`
	Party  identity.Party `json:"-"`
	Name   string         `json:"name"`
	Scopes []string       `json:"scopes"`
	Since  time.Time      `json:"granted_at"`
	Used   time.Time      `json:"last_used_at,omitzero"` // when it last got something new; zero if nothing of it stands
}

// Apps lists what the person let in, newest first.
func (a *Self) Apps(ctx context.Context, u identity.UserID) ([]App, error) {
	grants, err := a.Grants.Grants(ctx, u)
	if err != nil {
		return nil, err
	}
	apps := []App{}
	if len(grants) == 0 {
		return apps, nil
	}
	used, err := a.Store.AppsUsed(ctx, u)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		apps = append(apps, App{Client: g.Client, Party: g.Party, Name: g.Party.Name, Scopes: g.Scopes, Since: g.CreatedAt, Used: used[g.Client]})
	}
	return apps, nil
}

// RevokeApp ends the app's access and all that rests on it. Twice is fine.
func (a *Self) RevokeApp(ctx context.Context, s session.Session, client string) error {
	return a.InTx(ctx, func(ctx context.Context) error {
		dropped, err := a.Grants.DropGrant(ctx, s.User, client, a.Now())
		if err != nil || !dropped {
			return err
		}
		return a.Events.Record(ctx, event.Event{
			Kind: event.ConsentRevoked, Actor: string(s.User), User: string(s.User), Client: client, Session: string(s.ID),
		})
	})
}
