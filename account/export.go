package account

import (
	"context"
	"encoding/json"
	"time"

	"idp/event"
	"idp/identity"
	"idp/session"
)

// Export is all that is on file about a person, for themselves. It holds nothing that
// proves anything: no hashes, seeds, keys or digests. docs/integrate/account.md says what
// its members mean.
type Export struct {
	Format     string            `json:"format"` // ExportFormat
	Issuer     string            `json:"issuer"`
	ExportedAt time.Time         `json:"exported_at"`
	User       ExportedUser      `json:"user"`
	Addresses  []Identifier      `json:"identifiers"`
	Factors    []ExportedFactor  `json:"factors"`
	Elsewhere  []Connected       `json:"connections"`
	Trusted    []ExportedTrusted `json:"trusted_browsers"`
	Sessions   []Device          `json:"sessions"`
	Apps       []App             `json:"apps"`
	Picture    *ExportedPicture  `json:"picture,omitempty"`
	Events     []ExportedEvent   `json:"events"`           // newest first
	More       bool              `json:"events_truncated"` // older ones are not in it
}

// ExportFormat names the shape of an Export; another shape gets another name.
const ExportFormat = "idp-account-1"

// ExportedUser is the person.
type ExportedUser struct {
	ID         identity.UserID  `json:"id"`
	Profile    identity.Profile `json:"profile"`
	Groups     []string         `json:"groups"`
	Roles      []string         `json:"roles"`
	Operator   bool             `json:"operator"`
	ExternalID string           `json:"external_id,omitempty"` // in the system that they were imported from
	CreatedAt  time.Time        `json:"created_at"`
	UpdatedAt  time.Time        `json:"updated_at"`

	PublicMetadata json.RawMessage `json:"public_metadata"`
	OwnMetadata    json.RawMessage `json:"own_metadata"`
}

// ExportedFactor is a way in which the person can prove who they are.
type ExportedFactor struct {
	Method     identity.Method `json:"method"`
	Name       string          `json:"name,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	LastUsedAt time.Time       `json:"last_used_at,omitzero"`
}

// ExportedTrusted is a browser that need not show a second factor for a while.
type ExportedTrusted struct {
	Browser   string    `json:"browser,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ExportedEvent is something that happened to the person. By says who did it: "you", "app",
// "operator" or "system"; who exactly is not theirs to know.
type ExportedEvent struct {
	At      time.Time         `json:"at"`
	Kind    event.Kind        `json:"kind"`
	By      string            `json:"by"`
	Client  string            `json:"client_id,omitempty"`
	Session string            `json:"session_id,omitempty"`
	Network string            `json:"network,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"`
}

const mostEvents = 5000 // in one export

// Export gathers what is on file about who acts, and notes that it was handed out.
func (a *Self) Export(ctx context.Context, by By) (Export, error) {
	u := by.Who.User
	x := Export{
		Format: ExportFormat, Issuer: a.Issuer, ExportedAt: a.Now(), Addresses: identifiers(by.Who), Factors: []ExportedFactor{},
		Trusted: []ExportedTrusted{}, Events: []ExportedEvent{},
		User: ExportedUser{
			ID: u.ID, Profile: u.Profile, Groups: append([]string{}, u.Groups...), Roles: append([]string{}, u.Roles...),
			Operator: u.Operator, ExternalID: u.ExternalID, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
			PublicMetadata: orEmpty(u.Metadata.Public), OwnMetadata: orEmpty(u.Metadata.Own),
		},
	}
	x.Elsewhere = a.Connections(by).Accounts
	for _, f := range by.Who.Factors {
		if f.Method.Federated() {
			continue
		}
		x.Factors = append(x.Factors, ExportedFactor{Method: f.Method, Name: f.Name, CreatedAt: f.CreatedAt, LastUsedAt: f.LastUsedAt})
	}
	trusted, err := a.trusted(ctx, u.ID)
	if err != nil {
		return Export{}, err
	}
	x.Trusted = append(x.Trusted, trusted...)
	if x.Sessions, err = a.Devices(ctx, by.Session); err != nil {
		return Export{}, err
	}
	if x.Apps, err = a.Apps(ctx, u.ID); err != nil {
		return Export{}, err
	}
	if x.Picture, err = a.Pictures.export(ctx, u.ID); err != nil {
		return Export{}, err
	}
	if err := a.tell(ctx, by, event.UserExported, nil); err != nil {
		return Export{}, err
	}
	happened, err := a.Store.EventsOf(ctx, u.ID, mostEvents+1)
	if err != nil {
		return Export{}, err
	}
	if x.More = len(happened) > mostEvents; x.More {
		happened = happened[:mostEvents]
	}
	for _, e := range happened {
		x.Events = append(x.Events, ExportedEvent{
			At: e.At, Kind: e.Kind, By: actor(e), Client: e.Client, Session: e.Session, Network: e.Network, Detail: e.Detail,
		})
	}
	return x, nil
}

func (a *Self) trusted(ctx context.Context, u identity.UserID) (all []ExportedTrusted, err error) {
	if a.Engine.Trust == nil {
		return nil, nil
	}
	browsers, err := a.Engine.TrustedBy(ctx, u)
	for _, t := range browsers {
		all = append(all, ExportedTrusted{Browser: session.Describe(t.UserAgent), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt})
	}
	return all, err
}

// actor says who did something, without a name.
func actor(e event.Event) string {
	switch {
	case e.Actor == e.User && e.User != "":
		return "you"
	case e.Actor == "":
		return "unknown"
	case e.Actor == "system":
		return "system"
	case e.Client != "" && e.Actor == "client:"+e.Client:
		return "app"
	}
	return "operator"
}
