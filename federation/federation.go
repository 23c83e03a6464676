package federation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Store is what federation needs remembered.
type Store interface {
	Connections(ctx context.Context) ([]Connection, error) // all, by name
	// SaveConnection creates at Version 0; problem.Conflict if the name is taken or Version moved.
	SaveConnection(ctx context.Context, c Connection) error
	// DropConnection forgets a connection and every account linked by it, and says how many these were.
	DropConnection(ctx context.Context, name string) (linked int, err error)
	// SaveArrival keeps what was posted here, sealed, until it expires.
	SaveArrival(ctx context.Context, id secret.Digest, sealed string, expires time.Time) error
	// TakeArrival returns it once: the second time is problem.Gone.
	TakeArrival(ctx context.Context, id secret.Digest, now time.Time) (string, error)
}

// Federation is the connections in force, kept in memory, and the way to each of them and back.
type Federation struct {
	Store    Store
	Outbound *outbound.Client
	Box      *secret.Box
	Issuer   string // our own, without a slash at the end
	Now      func() time.Time

	SAML   SAMLStore
	Events event.Recorder // may be nil
	Habits Habits         // may be nil: then nobody watches what providers send

	Patience time.Duration // with one visit to a provider, all its calls together; 0: TalkTime

	all       atomic.Pointer[[]Connection]
	reading   sync.Mutex   // one reads the connections at a time: who comes later reads later
	described descriptions // of providers, by themselves
	samlOnce  sync.Once
	saml      *samlParty
	watch     watch
	outcomes  outcomes
}

// The problems of connections.
var (
	ErrUnknown  = problem.New(problem.NotFound, "connection_unknown", "There is no such way to sign in here.")
	ErrDisabled = problem.New(problem.Gone, "connection_disabled", "That way to sign in is switched off at the moment.")
	ErrChanged  = problem.New(problem.Invalid, "upstream_cancelled", "You did not sign in at the other service. Please try again, or choose another way.")
	ErrAway     = problem.New(problem.Unavailable, "upstream_unavailable", "The other service does not answer at the moment. Please try again in a little while, or choose another way.")
	ErrSetup    = problem.New(problem.Unavailable, "connection_misconfigured", "That way to sign in is not set up correctly at the moment. Please choose another way.")
	ErrRefused  = problem.New(problem.Invalid, "upstream_refused", "The other service did not confirm who you are. Please try again, or choose another way.")
)

// Reload reads the connections again; whoever changed one does so, and each process within a
// second of the change. Of those who do so at once each sees at least what it had written itself.
func (f *Federation) Reload(ctx context.Context) error {
	f.reading.Lock()
	defer f.reading.Unlock()
	all, err := f.Store.Connections(ctx)
	if err != nil {
		return err
	}
	f.all.Store(&all)
	return nil
}

// All returns the connections that are on file, by name.
func (f *Federation) All() []Connection {
	if f == nil {
		return nil
	}
	if all := f.all.Load(); all != nil {
		return *all
	}
	return nil
}

// Open returns those by which people may sign in.
func (f *Federation) Open() []Connection {
	return slices.DeleteFunc(slices.Clone(f.All()), func(c Connection) bool { return c.Disabled })
}

// Connection returns one by name: ErrUnknown if there is none, ErrDisabled with the connection
// if nobody may sign in by it.
func (f *Federation) Connection(name string) (Connection, error) {
	for _, c := range f.All() {
		if c.Name != name {
			continue
		}
		if c.Disabled {
			return c, ErrDisabled
		}
		return c, nil
	}
	return Connection{}, ErrUnknown
}

// Domain returns the connection in force that is the provider of an address' domain.
func (f *Federation) Domain(address identity.Identifier) (Connection, bool) {
	_, domain, _ := strings.Cut(address.Value, "@")
	if address.Kind != identity.Email || domain == "" {
		return Connection{}, false
	}
	for _, c := range f.Open() {
		if slices.Contains(c.Domains, domain) {
			return c, true
		}
	}
	return Connection{}, false
}

// protocol is one way of talking to providers: the file of that name has it.
type protocol interface {
	// depart says where to send the browser.
	depart(ctx context.Context, c Connection, d Departure) (Way, error)
	// finish checks what it brought back. Whatever a provider, a browser or a stranger did wrong is
	// ErrRefused with the cause for the log; a person who turned back there is ErrChanged; a provider
	// that cannot be reached is ErrAway, and one that is set up wrongly ErrSetup.
	finish(ctx context.Context, c Connection, d Departure, a Answer) (Assertion, error)
}

// speak returns the protocol of a connection.
func (f *Federation) speak(c Connection) (protocol, error) {
	switch c.Type {
	case OIDC:
		return connect{f}, nil
	case OAuth2:
		return plain{f}, nil
	case SAML:
		return f.party(), nil
	}
	return nil, fmt.Errorf("connection %s: nobody here speaks %q", c.Name, c.Type)
}

// Depart says where to send a browser so that it signs in by the connection.
func (f *Federation) Depart(ctx context.Context, c Connection, d Departure) (Way, error) {
	c = c.filled()
	p, err := f.speak(c)
	if err != nil {
		return Way{}, err
	}
	var way Way
	err = f.visit(ctx, func(ctx context.Context) error {
		way, err = p.depart(ctx, c, d)
		return err
	})
	if err != nil {
		f.ended(ctx, c, err)
	}
	return way, err
}

// Finish checks what the browser brought back and judges it. It must not run in a transaction.
func (f *Federation) Finish(ctx context.Context, c Connection, d Departure, a Answer) (Assertion, error) {
	c = c.filled()
	p, err := f.speak(c)
	if err != nil {
		return Assertion{}, err
	}
	var x Assertion
	err = f.visit(ctx, func(ctx context.Context) error {
		x, err = p.finish(ctx, c, d, a)
		return err
	})
	f.ended(ctx, c, err)
	return x, err
}

// Callback is where the provider of a connection sends browsers back: what is registered there.
func (f *Federation) Callback(c Connection) string {
	if c.Type == SAML {
		return f.Issuer + "/federation/" + c.Name + "/acs"
	}
	return f.Issuer + "/federation/" + c.Name + "/callback"
}
