package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
)

// ConnectionStore counts who signs in by connections.
type ConnectionStore interface {
	// Linked counts the accounts that people have linked, by method, in one statement.
	Linked(ctx context.Context) (map[identity.Method]int, error)
	// Stranded counts people who may enter and have an account of lost, but no factor of any of
	// ways, nor, where mail is a way in, an address that they have proven.
	Stranded(ctx context.Context, lost identity.Method, ways []identity.Method, mail bool) (int, error)
	// Refusals returns what of a connection was last refused, the newest first, five at most.
	Refusals(ctx context.Context, connection string) ([]event.Event, error)
}

// Connections makes, changes and ends ways to sign in by an account elsewhere. Each change is
// in force in this process when it returns, and in others within a second.
type Connections struct {
	Federation *federation.Federation
	Store      ConnectionStore
	Events     event.Recorder
	SignIn     func() login.Settings
	InTx       func(ctx context.Context, do func(ctx context.Context) error) error
	Now        func() time.Time
	Production bool // every address is https
}

// Listed is a connection with how many accounts are linked by it.
type Listed struct {
	federation.Connection

	Linked int
}

const mostConnections = 500

// The problems of operators with connections.
var (
	ErrConnection      = problem.New(problem.NotFound, "connection_unknown", "There is no connection of that name.")
	errConnectionName  = problem.New(problem.Conflict, "connection_exists", "There is a connection of that name already.").On("name")
	errConnectionMoved = problem.New(problem.Conflict, "connection_changed", "Somebody else changed this connection in between. Look at it again.")
	errConnectionLast  = problem.New(problem.Conflict, "connection_last", "It is the last way to sign in here. Switch on password, code or link in the settings first, or add another connection.")
	errConnectionMany  = problem.New(problem.Conflict, "connections_full", "There are as many connections as an instance can have.")
)

// Told is what an operator tells the provider about us: "callback" for OpenID Connect and
// OAuth 2.0, "metadata" (the entity id, too) and "acs" for SAML.
type Told struct{ What, URL string }

// Told lists that for a connection.
func (c *Connections) Told(x federation.Connection) []Told {
	if x.Type == federation.SAML {
		return []Told{{"metadata", c.Federation.Issuer + "/federation/" + x.Name + "/metadata"}, {"acs", c.Federation.Callback(x)}}
	}
	return []Told{{"callback", c.Federation.Callback(x)}}
}

// List returns all connections, by name.
func (c *Connections) List(ctx context.Context) ([]Listed, error) {
	all, err := c.Federation.Store.Connections(ctx)
	if err != nil {
		return nil, err
	}
	linked, err := c.Store.Linked(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Listed, 0, len(all))
	for _, x := range all {
		list = append(list, Listed{Connection: x, Linked: linked[x.Method()]})
	}
	return list, nil
}

// Get returns one, or ErrConnection.
func (c *Connections) Get(ctx context.Context, name string) (Listed, error) {
	list, err := c.List(ctx)
	if err != nil {
		return Listed{}, err
	}
	i := slices.IndexFunc(list, func(x Listed) bool { return x.Name == name })
	if i < 0 {
		return Listed{}, ErrConnection
	}
	return list[i], nil
}

// Create makes a connection. What is wrong with it is problem.Invalid on the member at fault; a
// name or a domain that another one has is problem.Conflict.
func (c *Connections) Create(ctx context.Context, x federation.Connection, actor string) (federation.Connection, error) {
	x = x.Tidy()
	x.Version, x.CreatedAt, x.UpdatedAt = 0, c.Now(), c.Now()
	if err := x.Check(c.Production); err != nil {
		return x, err
	}
	return x, c.change(ctx, func(ctx context.Context) error {
		_, err := c.find(ctx, x.Name)
		switch {
		case err == nil:
			return errConnectionName
		case !problem.Is(err, problem.NotFound):
			return err
		}
		err = c.save(ctx, x)
		if problem.Is(err, problem.Conflict) && !problem.HasCode(err, "domain_taken") {
			return errConnectionName.Because(err)
		}
		if err != nil {
			return err
		}
		return c.tell(ctx, event.ConnectionCreated, x.Name, actor, map[string]string{"type": string(x.Type), "preset": x.Preset})
	})
}

// Replace puts what is written in the place of what there was, all of it but name, type and,
// where none is given, the secret. The name in x may be empty. A Version that is not 0 has to be
// the one on file, else somebody was faster: problem.Conflict.
func (c *Connections) Replace(ctx context.Context, name string, x federation.Connection, actor string) (federation.Connection, error) {
	var made federation.Connection
	x = x.Tidy()
	err := c.change(ctx, func(ctx context.Context) error {
		old, err := c.find(ctx, name)
		if err != nil {
			return err
		}
		if x.Version != 0 && x.Version != old.Version {
			return errConnectionMoved
		}
		if made, err = x.Replacing(old); err != nil {
			return err
		}
		if err := made.Check(c.Production); err != nil {
			return err
		}
		changed := differ(old, made)
		if len(changed) == 0 {
			return nil
		}
		if err := c.notLast(ctx, old, offered(made)); err != nil {
			return err
		}
		made.UpdatedAt = c.Now()
		if err := c.save(ctx, made); err != nil {
			return err
		}
		return c.tell(ctx, event.ConnectionUpdated, name, actor, map[string]string{"changed": strings.Join(changed, " ")})
	})
	return made, err
}

// Disable lets nobody sign in by the connection any more. The last way in of all is problem.Conflict. What is linked stays, and so do
// sessions; those who have no other way in have none until it is enabled. Twice is fine.
func (c *Connections) Disable(ctx context.Context, name, actor string) error {
	return c.turn(ctx, name, true, event.ConnectionDisabled, actor)
}

// Enable lets people sign in by the connection again. Twice is fine.
func (c *Connections) Enable(ctx context.Context, name, actor string) error {
	return c.turn(ctx, name, false, event.ConnectionEnabled, actor)
}

func (c *Connections) turn(ctx context.Context, name string, off bool, kind event.Kind, actor string) error {
	return c.change(ctx, func(ctx context.Context) error {
		x, err := c.find(ctx, name)
		if err != nil || x.Disabled == off {
			return err
		}
		if err := c.notLast(ctx, x, !off); err != nil {
			return err
		}
		x.Disabled, x.UpdatedAt = off, c.Now()
		if err := c.save(ctx, x); err != nil {
			return err
		}
		return c.tell(ctx, kind, name, actor, nil)
	})
}

// notLast refuses to take away the last connection that people can use where the settings leave them no
// other way in.
func (c *Connections) notLast(ctx context.Context, x federation.Connection, stays bool) error {
	if stays || !offered(x) || !onlyElsewhere(c.SignIn()) {
		return nil
	}
	all, err := c.Federation.Store.Connections(ctx)
	if err != nil || slices.ContainsFunc(all, func(other federation.Connection) bool { return other.Name != x.Name && offered(other) }) {
		return err
	}
	return errConnectionLast
}

// Stranded says how many people could not sign in any more without the connection: those who
// have neither another connection, nor a password or passkey, nor an address to be written to.
func (c *Connections) Stranded(ctx context.Context, x federation.Connection) (int, error) {
	in := c.SignIn()
	var ways []identity.Method
	if in.Password {
		ways = append(ways, identity.Password)
	}
	if in.Passkeys {
		ways = append(ways, identity.Passkey)
	}
	all, err := c.Federation.Store.Connections(ctx)
	if err != nil {
		return 0, err
	}
	for _, other := range all {
		if other.Name != x.Name && !other.Disabled {
			ways = append(ways, other.Method())
		}
	}
	return c.Store.Stranded(ctx, x.Method(), ways, in.Password || in.EmailCode || in.EmailLink)
}

// Delete forgets the connection and unlinks the accounts that people have linked by it, and
// says how many these were. Where people would be left without a way in, or it is the last way in
// of all, it is problem.Conflict, unless forced. Sessions go on, and so does what people gave to relying parties.
func (c *Connections) Delete(ctx context.Context, name string, force bool, actor string) (linked int, err error) {
	err = c.change(ctx, func(ctx context.Context) error {
		x, err := c.find(ctx, name)
		if err != nil {
			return err
		}
		if err := c.notLast(ctx, x, force); err != nil {
			return err
		}
		stranded, err := c.Stranded(ctx, x)
		if err != nil {
			return err
		}
		if stranded > 0 && !force {
			return problem.New(problem.Conflict, "connection_needed", fmt.Sprintf(
				"Without it %s could not sign in any more. Disable it instead, or insist on deleting it.", people(stranded)))
		}
		if linked, err = c.Federation.Store.DropConnection(ctx, name); err != nil {
			return err
		}
		return c.tell(ctx, event.ConnectionDeleted, name, actor, map[string]string{
			"linked": strconv.Itoa(linked), "stranded": strconv.Itoa(stranded),
		})
	})
	return linked, err
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// change does it in one transaction and takes what came of it into force here.
func (c *Connections) change(ctx context.Context, do func(ctx context.Context) error) error {
	if err := c.InTx(ctx, do); err != nil {
		return err
	}
	return c.Federation.Reload(ctx)
}

// find returns a connection as it is on file now.
func (c *Connections) find(ctx context.Context, name string) (federation.Connection, error) {
	all, err := c.Federation.Store.Connections(ctx)
	if err != nil {
		return federation.Connection{}, err
	}
	for _, x := range all {
		if x.Name == name {
			return x, nil
		}
	}
	return federation.Connection{}, ErrConnection
}

// save writes a connection and looks at all of them afterwards: whoever writes waits for those
// who write, so that of two that want a domain at once the later one sees the earlier.
func (c *Connections) save(ctx context.Context, x federation.Connection) error {
	if err := c.Federation.Store.SaveConnection(ctx, x); err != nil {
		return err
	}
	all, err := c.Federation.Store.Connections(ctx)
	if err != nil {
		return err
	}
	if len(all) > mostConnections {
		return errConnectionMany
	}
	for _, other := range all {
		for _, d := range other.Domains {
			if other.Name != x.Name && slices.Contains(x.Domains, d) {
				return problem.New(problem.Conflict, "domain_taken", fmt.Sprintf("The domain %s belongs to the connection %s.", d, other.Name)).On("domains")
			}
		}
	}
	return nil
}

func (c *Connections) tell(ctx context.Context, kind event.Kind, name, actor string, more map[string]string) error {
	return c.Events.Record(ctx, event.Event{Kind: kind, Actor: actor, Detail: about("connection", name, more)})
}

// differ names the members that are not the same, for the audit trail.
func differ(old, now federation.Connection) []string {
	return unlike(written(old), written(now))
}

func written(x federation.Connection) map[string]string {
	x.CreatedAt, x.UpdatedAt = time.Time{}, time.Time{}
	text, err := json.Marshal(x)
	if err != nil {
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil
	}
	members := map[string]string{"client_secret": x.ClientSecret.Reveal()}
	for k, v := range all {
		members[k] = string(v)
	}
	return members
}
