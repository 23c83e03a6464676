package federation

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
)

// SAMLStore is what being a SAML service provider needs remembered.
type SAMLStore interface {
	// ServiceKey returns our key and certificate, sealed; problem.NotFound before there is one.
	ServiceKey(ctx context.Context) (sealed string, err error)
	// SaveServiceKey keeps the first one that anybody makes; problem.Conflict for all others.
	SaveServiceKey(ctx context.Context, sealed string, at time.Time) error
	// Metadata returns what was last read from a connection's provider; problem.NotFound if nothing was.
	Metadata(ctx context.Context, connection string) (FetchedMetadata, error)
	SaveMetadata(ctx context.Context, connection string, m FetchedMetadata) error
	// Accept keeps what an assertion becomes, all of it or nothing: "assertion_used" if that
	// assertion came before, "places_taken" if there is no place for it, both problem.Conflict.
	Accept(ctx context.Context, a Accepted) error
	// UseMessage notes until when a message must not come again; problem.Conflict if it came before.
	UseMessage(ctx context.Context, message secret.Digest, until time.Time) error
}

// FetchedMetadata is a provider's metadata as it was read from its address.
type FetchedMetadata struct {
	URL       string
	EntityID  string
	Document  string
	FetchedAt time.Time
}

// Accepted is an assertion that was verified.
type Accepted struct {
	Assertion secret.Digest
	Until     time.Time // for so long it must not come again
	Places    []secret.Digest
	Taken     time.Time // for so long it takes one of the places
	Arrival   secret.Digest
	Sealed    string
	Expires   time.Time // of the arrival
}

// ErrUnsolicited says that a response came that nobody here had asked for. It is never a way in:
// where the operator lets people begin at the provider, they are sent there by a request of ours.
var ErrUnsolicited = problem.New(problem.Invalid, "upstream_unsolicited", "Signing in begins here, not at the other service. Please start from our sign-in page.")

// samlParty is us as service provider, and what we know of the providers.
type samlParty struct {
	f *Federation

	mu    sync.Mutex
	known map[string]*samlIDP // by connection
	own   *serviceKey
}

// Accept takes what a provider's page made a browser post here (Bindings §3.5): SAMLResponse and
// RelayState. It checks everything but the browser, whose cookie does not come along, keeps what
// was asserted, and returns the state and the name of the arrival for the address that the
// browser is sent on to. It is ErrUnsolicited if no request of ours is named, ErrRefused if
// anything is not as it has to be. The same assertion is accepted once.
func (f *Federation) Accept(ctx context.Context, c Connection, form url.Values) (state, arrived secret.String, err error) {
	if c.Type != SAML {
		return state, arrived, ErrUnknown
	}
	err = f.visit(ctx, func(ctx context.Context) error {
		state, arrived, err = f.accept(ctx, c, form)
		return err
	})
	if err != nil {
		f.ended(ctx, c, err)
	}
	return state, arrived, err
}

func (f *Federation) accept(ctx context.Context, c Connection, form url.Values) (state, arrived secret.String, err error) {
	if len(form["SAMLResponse"]) != 1 || len(form["RelayState"]) > 1 {
		return state, arrived, refuse("not one SAMLResponse and RelayState")
	}
	state = secret.NewString(form.Get("RelayState"))
	if !LooksOurs(state.Reveal()) {
		return state, arrived, ErrUnsolicited
	}
	doc, err := readMessage(form.Get("SAMLResponse"))
	if err != nil {
		return state, arrived, ErrRefused.Because(err)
	}
	s := f.party()
	p, err := s.provider(ctx, c)
	if err != nil {
		return state, arrived, err
	}
	now := f.Now()
	out, err := s.verified(ctx, doc, expected{
		now: now, acs: f.Callback(c), audience: f.EntityID(c), issuer: p.entityID, request: f.requestID(state),
		certificates: p.certificates, key: func() (*rsa.PrivateKey, error) { return s.privateKey(ctx) },
	}, p)
	if errors.Is(err, errStatus) {
		return state, arrived, ErrChanged.Because(err)
	}
	if err != nil {
		return state, arrived, ErrRefused.Because(err)
	}
	a, err := f.assertSAML(c.filled(), p.entityID, f.EntityID(c), out)
	if err != nil {
		return state, arrived, ErrRefused.Because(err)
	}
	checked, err := json.Marshal(a)
	if err != nil {
		return state, arrived, fmt.Errorf("keep an assertion: %w", err)
	}
	name, id, sealed, err := f.pack(arrival{Connection: c.Name, State: secret.DigestOf(state.Reveal()), Checked: checked})
	if err != nil {
		return state, arrived, err
	}
	err = f.SAML.Accept(ctx, Accepted{
		Assertion: once(p.entityID, out.id), Until: out.until.Add(skew), Places: places(state), Taken: now.Add(placesLife),
		Arrival: id, Sealed: sealed, Expires: now.Add(arrivalLife),
	})
	switch {
	case problem.HasCode(err, "places_taken"):
		return state, arrived, refuse("too many answers to one request")
	case problem.Is(err, problem.Conflict):
		return state, arrived, refuse("an assertion came twice")
	}
	return state, name, err
}

// once names an assertion of a provider, for ever.
func once(entityID, id string) secret.Digest {
	return secret.DigestOf(fmt.Sprintf("saml %d %s %s", len(entityID), entityID, id))
}

const (
	maxRelayState = 80        // bytes (Bindings §3.4.3)
	placesLife    = time.Hour // longer than any sign-in waits for an answer
)

// LooksOurs reports whether a state or RelayState looks like one that we made. Anything else is
// somebody else's.
func LooksOurs(state string) bool { return len(state) <= maxRelayState && stateLike.MatchString(state) }

// stateLike is how our states look: anything else in a RelayState is of somebody else, and no
// place to go to.
var stateLike = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$`)

// finish fetches what Accept kept, for the browser that departed with that state.
func (s *samlParty) finish(ctx context.Context, c Connection, d Departure, a Answer) (Assertion, error) {
	if a.Arrival.Empty() {
		return Assertion{}, refuse("nothing arrived")
	}
	now := s.f.Now()
	got, err := s.f.take(ctx, c, a)
	if err != nil {
		return Assertion{}, err
	}
	var out Assertion
	if err := json.Unmarshal(got.Checked, &out); err != nil {
		return Assertion{}, refuse("what arrived is no assertion that was checked")
	}
	if d.Anew && out.AuthTime.Before(d.At.Add(-skew)) {
		return Assertion{}, refuse("proven before it was asked for")
	}
	if d.MaxAge != nil && out.AuthTime.Before(now.Add(-*d.MaxAge-skew)) {
		return Assertion{}, refuse("proven too long ago")
	}
	return out, nil
}

// party is the one samlParty of the federation.
func (f *Federation) party() *samlParty {
	f.samlOnce.Do(func() { f.saml = &samlParty{f: f, known: map[string]*samlIDP{}} })
	return f.saml
}

// EntityID is our name towards the provider of a connection, and where our metadata for it is.
func (f *Federation) EntityID(c Connection) string {
	return f.Issuer + "/federation/" + c.Name + "/metadata"
}

// oneOf returns the first of the values that is there.
func oneOf(all []string, wanted ...string) string {
	for _, w := range wanted {
		if slices.Contains(all, w) {
			return w
		}
	}
	return ""
}
