package provider

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"idp/event"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Clients is the register of relying parties: the one way to create and change them, and
// the memory from which requests are answered. Fill the fields; the zero rest is ready.
type Clients struct {
	Store  ClientStore
	Events event.Recorder
	InTx   func(ctx context.Context, do func(ctx context.Context) error) error
	Now    func() time.Time

	Outbound Outbound // fetches sector documents; without it clients that name one are refused
	Keys     Offering // makes signing keys that clients register for; nil where nobody signs

	Templates HeldTemplates // that clients may name; nil: none

	// Production lets nobody but native apps be sent to a loopback address over http.
	Production bool

	mu    sync.RWMutex
	known map[ClientID]Client
	epoch int // raised by Invalidate, so that an old row read meanwhile is not kept
}

const maxKnown = 20_000 // clients kept in memory; more are read from the database

// Offering makes sure that there is a key for a signing algorithm. token.KeySet is one. It
// may take long: call it outside transactions.
type Offering interface {
	Offer(ctx context.Context, algorithm string) error
}

// errNoWayOut says that this process fetches nothing.
var errNoWayOut = problem.New(problem.Unavailable, "outbound_off", "Nothing can be fetched from here.")

// ErrClientUnknown says that no such client exists.
var ErrClientUnknown = problem.New(problem.NotFound, "client_unknown", "There is no such app.")

// Get returns a client, from memory if it was asked for since the last Invalidate.
// An unknown one is problem.NotFound. The client is shared: do not change its slices.
func (c *Clients) Get(ctx context.Context, id ClientID) (Client, error) {
	c.mu.RLock()
	found, ok := c.known[id]
	epoch := c.epoch
	c.mu.RUnlock()
	if ok {
		return found, nil
	}
	if !nameable(string(id)) {
		return Client{}, ErrClientUnknown
	}
	found, err := c.Store.Client(ctx, id)
	if err != nil {
		return Client{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch == epoch {
		if c.known == nil || len(c.known) >= maxKnown {
			c.known = map[ClientID]Client{}
		}
		c.known[id] = found
	}
	return found, nil
}

// nameable reports whether a text can be an id at all: PostgreSQL fails on what is not text.
func nameable(id string) bool {
	return id != "" && len(id) <= 200 && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Invalidate forgets what is in memory: somebody changed a client.
func (c *Clients) Invalidate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.epoch = nil, c.epoch+1
}

// List returns clients in the order of their ids, after the given one, at most limit (100 if 0).
func (c *Clients) List(ctx context.Context, after ClientID, limit int) ([]Client, error) {
	if limit <= 0 || limit > 100 {
		limit = 100
	}
	return c.Store.Clients(ctx, after, limit)
}

// Create registers a client: what the draft leaves out gets the default of its type, and
// the result must be safe for that type (problem.Invalid names the field). The secret is
// returned this once; it is empty for clients that have none. Actor is who did it, as in
// events. It may fetch and make keys: call it outside transactions.
func (c *Clients) Create(ctx context.Context, draft Client, actor string) (Client, secret.String, error) {
	if err := c.check(&draft); err != nil {
		return Client{}, secret.String{}, err
	}
	if err := c.settle(ctx, &draft, Client{}); err != nil {
		return Client{}, secret.String{}, err
	}
	return c.create(ctx, draft, actor)
}

// check completes a client and says what is wrong with it. It looks at nothing else.
func (c *Clients) check(client *Client) error {
	complete(client)
	return c.validate(*client)
}

// settle does what takes long before a client that takes the place of was can be saved.
func (c *Clients) settle(ctx context.Context, client *Client, was Client) (err error) {
	if client.Sector, err = c.sectorOf(ctx, *client, was); err != nil {
		return err
	}
	for _, algorithm := range []string{client.IDToken.JWS, client.Userinfo.JWS, client.AccessTokenAlgorithm} {
		if c.Keys == nil || algorithm == "" || symmetric(algorithm) {
			continue
		}
		if err := c.Keys.Offer(ctx, algorithm); err != nil {
			return fmt.Errorf("offer %s: %w", algorithm, err)
		}
	}
	return nil
}

// create saves a new client that check and settle have seen.
func (c *Clients) create(ctx context.Context, draft Client, actor string) (Client, secret.String, error) {
	now := c.Now()
	draft.ID, draft.Version, draft.Secrets = ClientID(secret.NewID("client")), 0, nil
	draft.CreatedAt, draft.UpdatedAt = now, now
	var key secret.String
	if draft.HasSecret() {
		key = c.renew(&draft)
	}
	if err := c.save(ctx, draft, Client{}, event.ClientCreated, actor); err != nil {
		return Client{}, secret.String{}, err
	}
	draft.Version = 1
	return draft, key, nil
}

// Update changes a client. The changed whole is validated, so an update can make nothing
// that Create would refuse. Id, secrets and dates are not the change's to touch. What
// needs a new secret is problem.Invalid: that is for Revise.
func (c *Clients) Update(ctx context.Context, id ClientID, actor string, change func(*Client) error) (Client, error) {
	changed, _, err := c.revise(ctx, id, actor, false, change)
	return changed, err
}

// Revise is Update for callers who can hand on a new secret. There is one, which replaces
// all others, when a client comes to need a secret, or to need the value of one that is
// kept as a digest alone (Client.UsesHMAC).
func (c *Clients) Revise(ctx context.Context, id ClientID, actor string, change func(*Client) error) (Client, secret.String, error) {
	return c.revise(ctx, id, actor, true, change)
}

func (c *Clients) revise(ctx context.Context, id ClientID, actor string, renew bool, change func(*Client) error) (Client, secret.String, error) {
	var key secret.String
	changed, err := c.change(ctx, id, event.ClientUpdated, actor, func(next *Client) (err error) {
		was := *next
		if err := change(next); err != nil {
			return err
		}
		next.ID, next.Secrets, next.CreatedAt, next.Version = was.ID, was.Secrets, was.CreatedAt, was.Version
		if err := c.check(next); err != nil {
			return err
		}
		if err := c.settle(ctx, next, was); err != nil {
			return err
		}
		key, err = c.suitSecrets(next, renew)
		return err
	})
	return changed, key, err
}

// Disable stops a client at once: it can neither start nor redeem anything, and what was
// issued to it is dead until Enable.
func (c *Clients) Disable(ctx context.Context, id ClientID, actor string) error {
	return c.turn(ctx, id, event.ClientDisabled, actor, true)
}

// Enable undoes Disable.
func (c *Clients) Enable(ctx context.Context, id ClientID, actor string) error {
	return c.turn(ctx, id, event.ClientEnabled, actor, false)
}

func (c *Clients) turn(ctx context.Context, id ClientID, kind event.Kind, actor string, off bool) error {
	_, err := c.change(ctx, id, kind, actor, func(next *Client) error {
		next.Disabled = off
		return nil
	})
	return err
}

// Delete removes a client and ends all that was issued to it.
func (c *Clients) Delete(ctx context.Context, id ClientID, actor string) error {
	defer c.Invalidate()
	return c.InTx(ctx, func(ctx context.Context) error {
		if err := c.Store.DeleteClient(ctx, id, c.Now()); err != nil {
			return err
		}
		return c.Events.Record(ctx, event.Event{Kind: event.ClientDeleted, Actor: actor, Client: string(id)})
	})
}

// NewRegistrationToken makes leave to register that many clients within life (RFC 7591 §3).
func (c *Clients) NewRegistrationToken(ctx context.Context, uses int, life time.Duration, actor string) (secret.String, RegistrationToken, error) {
	if uses < 1 || uses > 10_000 || life <= 0 {
		return secret.String{}, RegistrationToken{}, problem.New(problem.Invalid, "registration_token_invalid",
			"A registration token needs 1 to 10,000 uses and a lifetime.").On("uses")
	}
	key, now := secret.Token("idp_reg_"), c.Now()
	t := RegistrationToken{
		ID: secret.NewID("registration"), Digest: secret.DigestOf(key.Reveal()),
		Uses: uses, CreatedAt: now, ExpiresAt: now.Add(life),
	}
	err := c.InTx(ctx, func(ctx context.Context) error {
		if err := c.Store.SaveRegistrationToken(ctx, t); err != nil {
			return err
		}
		return c.Events.Record(ctx, event.Event{
			Kind: event.RegistrationTokenNew, Actor: actor, Detail: map[string]string{"token": t.ID},
		})
	})
	return key, t, err
}

func (c *Clients) change(ctx context.Context, id ClientID, kind event.Kind, actor string, do func(*Client) error) (Client, error) {
	was, err := c.Store.Client(ctx, id)
	if err != nil {
		return Client{}, err
	}
	next := was
	if err := do(&next); err != nil {
		return Client{}, err
	}
	next.UpdatedAt = c.Now()
	if err := c.save(ctx, next, was, kind, actor); err != nil {
		return Client{}, err
	}
	next.Version++
	return next, nil
}

func (c *Clients) save(ctx context.Context, client, was Client, kind event.Kind, actor string) error {
	defer c.Invalidate()
	return c.InTx(ctx, func(ctx context.Context) error {
		if err := c.named(ctx, client, was); err != nil {
			return err
		}
		if err := c.Store.SaveClient(ctx, client); err != nil {
			return fmt.Errorf("save client %s: %w", client.ID, err)
		}
		return c.Events.Record(ctx, event.Event{Kind: kind, Actor: actor, Client: string(client.ID)})
	})
}
