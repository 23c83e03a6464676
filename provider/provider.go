// Package provider answers relying parties by the book: OAuth 2.0 and OpenID Connect.
//
// A request for authorization is parsed strictly and judged by our own rules; what a
// person must do first is decided by one pure function, decide, from stored facts. If
// something is owed, the request is parked as a login.Ask and the browser sent away; at
// /oauth2/resume it is decided again. When nothing is owed an Authorization and its code
// are written in one transaction.
//
// The token endpoint authenticates the client, loads what the code or refresh token
// belongs to in one statement, judges it, lets fosite's handlers compose the answer over a
// unit of work, and flushes that in one transaction before it answers.
//
// fosite is parser, validator and handler engine; everything that reads a request before
// it or writes an answer after it is ours. Only this room imports it.
//
// Where to look:
//
//	what happens at /oauth2/authorize, in order     authorize.go
//	what may a request say                          request.go, request_claims.go, redirect.go
//	request objects, request_uri, pushed requests   request_expand.go, then request_*.go
//	which response types and modes there are        client_grants.go, request_response.go
//	who must sign in or agree first                 decide.go
//	how answers and errors go back                  issue.go, answer.go, failure.go
//	what happens at /oauth2/token                   tokens.go, then judge.go
//	how a client proves itself                      client_auth.go, client_assertion.go
//	what codes and tokens look like                 artifact.go, access_token.go
//	ID tokens: made, and taken as hints             id_token.go, id_token_hint.go
//	claims of templates in tokens                   template.go, client_tokens.go
//	what is told about a person, by which name      claims.go, subject.go, userinfo.go
//	what a client is, and may be                    client.go, then client_*.go
//	how clients are made, changed and remembered    clients.go, client_secret.go
//	how clients register themselves                 register.go, client_wire.go
//	how sign-out reaches everybody                  logout.go, logout_*.go, session_state.go
//	what fosite sees of us                          fosite_*.go
//	what we say about ourselves                     discovery.go, webfinger.go
//	keys of relying parties                         partykeys/
package provider

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"idp/consent"
	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/job"
	"idp/login"
	"idp/provider/partykeys"
	"idp/session"
	"idp/token"
)

// Asks is where a request waits while a person signs in. storage.Login is one.
type Asks interface {
	Ask(ctx context.Context, id login.AskID) (login.Ask, error)     // problem.NotFound
	SaveAsk(ctx context.Context, a login.Ask) error                 // creates or replaces
	UseAsk(ctx context.Context, id login.AskID, at time.Time) error // once: the second is problem.Conflict
}

// Grants is where consent is looked up. storage.Consent is one.
type Grants interface {
	Grant(ctx context.Context, u identity.UserID, client string) (consent.Grant, error) // problem.NotFound
}

// Outbound reaches addresses that relying parties name. outbound.Client is one.
type Outbound interface {
	// Get fetches at most that many bytes; anything but 200 is an error.
	Get(ctx context.Context, uri string, most int64) ([]byte, error)
	// PostForm sends a form and returns the status of the answer.
	PostForm(ctx context.Context, uri string, form url.Values) (status int, err error)
}

// Turns limits how often somebody may do something. login.Throttle is one.
type Turns interface {
	Reserve(ctx context.Context, budgets []login.Budget, now time.Time) (wait time.Duration, err error)
}

// Deps is what a Provider works with. All fields but those about registration, session
// management, SignIn and Who are required.
type Deps struct {
	Issuer             string   // scheme://host[:port][/path], without a slash at its end
	OpenRegistration   bool     // anybody may register clients; otherwise holders of an initial access token
	ClosedRegistration bool     // nobody may, whatever they hold
	Throttle           Turns    // counts registrations; needed where Registrations is not 0
	Registrations      int      // that a network may ask for in an hour without leave; 0 is any number
	WebFingerHosts     []string // whose people WebFinger leads here, in lower case, beside the issuer's host
	Box                *secret.Box
	Clients            *Clients
	Keys               *token.KeySet
	Store              Store
	Visits             Visits
	Assertions         Assertions
	// Behind returns the page that offers to sign out at the provider by which the session that
	// ended began, "" for none. May be nil.
	Behind            func(r *http.Request, ended session.ID) (string, error)
	Asks              Asks
	Pushes            PushedStore
	Grants            Grants
	Sessions          *session.Keeper
	Events            event.Recorder
	Pages             Pages
	Outbound          Outbound
	Queue             job.Queue
	SessionManagement bool // check_session_iframe and session_state; only with an https issuer
	InTx              func(ctx context.Context, do func(ctx context.Context) error) error
	Now               func() time.Time

	// Templates are those that clients name for their tokens; nil: there are none. What they
	// cannot say goes to Log, which may be nil.
	Templates TokenTemplates
	Log       *slog.Logger

	// SignIn are the settings in force about signing in: what can be demanded follows from
	// them. Nil: the defaults.
	SignIn func() login.Settings

	// Who returns how a person is shown to themselves; nil: the logout page names nobody.
	Who func(ctx context.Context, u identity.UserID) (name, address string, err error)
}

// Provider is the OpenID Provider and OAuth 2.0 authorization server.
type Provider struct {
	Deps
	artifacts artifacts
	parties   *partykeys.Keys // keys of relying parties
	pairwise  []byte          // key of the names that pairwise clients know people by
	engine    *fosite.Fosite
	metadata  []document // by how many contexts can be reached, less one
	logos     logos
	fetching  fetching
}

// New wires a Provider.
func New(d Deps) (*Provider, error) {
	d.Issuer = strings.TrimSuffix(d.Issuer, "/")
	p := &Provider{Deps: d, artifacts: artifacts{key: d.Box.Key("refresh token")}}
	p.artifacts.access = p.accessToken
	p.pairwise = d.Box.Key("pairwise")
	p.parties = &partykeys.Keys{Now: d.Now, Fetch: func(ctx context.Context, uri string) ([]byte, error) {
		return d.Outbound.Get(ctx, uri, partykeys.MaxSet)
	}}
	c, store := &config{issuer: d.Issuer, identify: identified}, shelf{now: d.Now}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: p.artifacts, RefreshTokenStrategy: p.artifacts, AuthorizeCodeStrategy: p.artifacts,
		CoreStorage: store, TokenRevocationStorage: store, Config: c,
	}
	refresh := &oauth2.RefreshTokenGrantHandler{
		AccessTokenStrategy: p.artifacts, RefreshTokenStrategy: p.artifacts, TokenRevocationStorage: store, Config: c,
	}
	machine := &oauth2.ClientCredentialsGrantHandler{
		HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: p.artifacts, AccessTokenStorage: store, Config: c}, Config: c,
	}
	c.authorize = fosite.AuthorizeEndpointHandlers{code, &front{code: code, tokens: p.artifacts, shelf: store}}
	c.token = fosite.TokenEndpointHandlers{code, refresh, machine, &finisher{p}} // the last sees what the others made
	p.engine = &fosite.Fosite{Store: store, Config: c}
	for i := range contexts {
		d, err := p.describe(reachable(i + 1))
		if err != nil {
			return nil, err
		}
		p.metadata = append(p.metadata, d)
	}
	return p, nil
}

// url returns the absolute URL of one of our paths.
func (p *Provider) url(path string) string { return p.Issuer + path }

func (p *Provider) record(ctx context.Context, r *http.Request, e event.Event) error {
	e.Network = p.Sessions.Network(r)
	return p.Events.Record(ctx, e)
}
