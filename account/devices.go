package account

import (
	"context"
	"time"

	"idp/identity"
	"idp/login"
	"idp/session"
)

// Device is a session as its owner sees it.
type Device struct {
	ID       session.ID        `json:"id"`
	This     bool              `json:"this"`              // it is the session that asks
	Device   string            `json:"browser,omitempty"` // browser and system, "" if they are not known
	Place    string            `json:"place,omitempty"`   // of the network, roughly; "" if it is not known
	Network  string            `json:"network,omitempty"` // address it was last used from
	Public   bool              `json:"public,omitempty"`  // a public computer: forgotten with the window
	Methods  []identity.Method `json:"methods"`           // what was shown, in that order
	Since    time.Time         `json:"created_at"`
	Seen     time.Time         `json:"last_active_at"`
	AuthTime time.Time         `json:"auth_time"` // when the person last proved who they are
}

// Devices lists where the person is signed in, this device first and then by last activity.
func (a *Self) Devices(ctx context.Context, this session.Session) ([]Device, error) {
	all, err := a.Sessions.Store.OfUser(ctx, this.User)
	if err != nil {
		return nil, err
	}
	first, rest := []Device{}, []Device{}
	for _, s := range all {
		if !s.Alive(a.Now()) {
			continue
		}
		d := a.device(s)
		if d.This = s.ID == this.ID; d.This {
			first = append(first, d)
			continue
		}
		rest = append(rest, d)
	}
	return append(first, rest...), nil
}

func (a *Self) device(s session.Session) Device {
	d := Device{
		ID: s.ID, Device: session.Describe(s.UserAgent), Network: s.Network, Public: s.Public,
		Methods: []identity.Method{}, Since: s.CreatedAt, Seen: s.LastActiveAt, AuthTime: s.AuthTime,
	}
	if a.Engine.Place != nil {
		d.Place = a.Engine.Place(s.Network)
	}
	seen := map[identity.Method]bool{}
	for _, p := range s.Proofs {
		if !seen[p.Method] {
			seen[p.Method] = true
			d.Methods = append(d.Methods, p.Method)
		}
	}
	return d
}

// EndDevice ends one of the person's sessions, anywhere. Somebody else's is not there:
// errNoSession. It takes only away, so it needs no fresh proof.
func (a *Self) EndDevice(ctx context.Context, by session.Session, id session.ID) error {
	target, err := a.Sessions.Store.Session(ctx, id)
	if err != nil || target.User != by.User {
		return notTheirs(err)
	}
	return a.InTx(ctx, func(ctx context.Context) error {
		if target.Browser != by.Browser { // signed out from afar: that device must show everything again
			if _, err := a.Engine.DropTrusted(ctx, by.User, login.Which{On: target.Browser}, string(by.User)); err != nil {
				return err
			}
		}
		return a.Sessions.End(ctx, target, string(by.User))
	})
}
