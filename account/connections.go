package account

import (
	"context"
	"net/http"
	"time"

	"idp/identity"
)

// Connected is an account elsewhere that the person signs in with, as they see it.
type Connected struct {
	ID         identity.FactorID `json:"id"`
	Connection string            `json:"connection"`
	Title      string            `json:"title"` // what people call the connection
	Preset     string            `json:"-"`
	Label      string            `json:"label,omitempty"` // its address or name there, as last heard
	Since      time.Time         `json:"created_at"`
	Used       time.Time         `json:"last_used_at,omitzero"`
	Closed     bool              `json:"disabled,omitempty"` // nobody signs in by it at the moment
	// Confirms are the addresses that nobody else has confirmed: without it they are unverified.
	Confirms []string `json:"confirms,omitempty"`
}

// Connectable is a connection by which another account can be connected.
type Connectable struct {
	Connection string `json:"connection"`
	Title      string `json:"title"`
	Preset     string `json:"-"`
}

// Connections are the accounts elsewhere that the person signs in with, the oldest first, and
// what could be connected.
type Connections struct {
	Accounts []Connected   `json:"connections"`
	Add      []Connectable `json:"available"`
}

// Connections returns the accounts elsewhere that the person signs in with.
func (a *Self) Connections(by By) Connections {
	all := Connections{Accounts: []Connected{}, Add: []Connectable{}}
	on := a.Engine.Linkages(by.Who)
	for _, l := range on.Accounts {
		one := Connected{
			ID: l.Factor, Connection: l.Connection, Title: l.Title, Preset: l.Preset, Label: l.Label, Since: l.Since, Used: l.Used, Closed: l.Closed,
		}
		for _, i := range l.Leaning {
			one.Confirms = append(one.Confirms, i.Value)
		}
		all.Accounts = append(all.Accounts, one)
	}
	for _, o := range on.Add {
		all.Add = append(all.Add, Connectable{o.Connection, o.Title, o.Preset})
	}
	return all
}

// Disconnect takes an account elsewhere off the person's file, if they can do without.
func (a *Self) Disconnect(ctx context.Context, by By, id identity.FactorID) error {
	return a.Engine.Unlink(ctx, by.Session, by.At, id)
}

// Connections answers GET /frontend/v1/me/connections.
func (x *API) Connections(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, false, nil, func(by By) (any, error) { return x.Self.Connections(by), nil })
}

// Disconnect answers DELETE /frontend/v1/me/connections/{factor}.
func (x *API) Disconnect(w http.ResponseWriter, r *http.Request) error {
	return x.act(w, r, true, nil, func(by By) (any, error) {
		return nil, x.Self.Disconnect(r.Context(), by, identity.FactorID(r.PathValue("factor")))
	})
}
