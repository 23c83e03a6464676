package provider

import (
	"context"
	"time"

	"idp/identity"
	"idp/session"
)

// Visit says that a relying party learned of a session, and wants to hear of its end.
type Visit struct {
	Session session.ID
	Client  ClientID
	User    identity.UserID
}

// Visits is where visits are remembered, as long as their session. storage.Visits is one.
type Visits interface {
	SaveVisit(ctx context.Context, v Visit, at time.Time) error // twice is fine
	Visits(ctx context.Context, sessions []session.ID) ([]Visit, error)
}

// visited notes, in the transaction that authorizes a client, that it is to be told when
// the session ends. Clients that registered no address for that cost nothing.
func (p *Provider) visited(ctx context.Context, c Client, s session.Session) error {
	if c.BackchannelLogoutURI == "" && c.FrontchannelLogoutURI == "" {
		return nil
	}
	return p.Visits.SaveVisit(ctx, Visit{Session: s.ID, Client: c.ID, User: s.User}, p.Now())
}
