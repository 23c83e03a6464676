package account

import (
	"context"
	"time"

	"idp/identity"
	"idp/session"
)

// Present is a session of the browser that asks. Each person on it sees who else is, as the
// chooser shows it: name, address and picture.
type Present struct {
	ID        session.ID        `json:"id"`
	Active    bool              `json:"active"` // it is the one in use
	User      Shown             `json:"user"`
	Methods   []identity.Method `json:"methods"`        // what was shown, in that order
	AuthTime  time.Time         `json:"auth_time"`      // when the person last proved who they are
	Seen      time.Time         `json:"last_active_at"` // to the minute
	ExpiresAt time.Time         `json:"expires_at"`     // however active
}

// Shown is a person as they are shown to those at the same browser.
type Shown struct {
	ID      identity.UserID `json:"id"`
	Name    string          `json:"name"`    // the name, or the address where there is none
	Email   string          `json:"email"`   // the main address, "" for none
	Picture string          `json:"picture"` // a URL of ours, "" for none
}

// Presents are the sessions of a browser, the one in use first.
type Presents struct {
	Sessions []Present `json:"sessions"`
}

// Here lists the sessions that stand on a browser, the one in use first.
func (a *Self) Here(ctx context.Context, b session.Browser) (Presents, error) {
	list := Presents{Sessions: []Present{}}
	alive, err := a.Sessions.Sessions(ctx, b)
	if err != nil {
		return list, err
	}
	for _, s := range alive {
		who, err := a.People.Person(ctx, s.User)
		if err != nil {
			return list, err
		}
		if !who.User.MayEnter() {
			continue
		}
		name, address := who.Shown()
		picture := a.Pictures.shown(who.User.Profile.Picture)
		if picture != "" {
			picture = a.Issuer + picture
		}
		list.Sessions = append(list.Sessions, Present{
			ID: s.ID, Active: len(list.Sessions) == 0, User: Shown{who.User.ID, name, address, picture}, Methods: a.device(s).Methods,
			AuthTime: s.AuthTime, Seen: s.LastActiveAt, ExpiresAt: s.ExpiresAt,
		})
	}
	return list, nil
}
