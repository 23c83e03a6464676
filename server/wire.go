package server

import (
	"context"
	"net/http"
	"time"

	"idp/account"
	"idp/admin"
	"idp/consent"
	"idp/identity"
	"idp/internal/web"
	"idp/login"
	"idp/provider"
	"idp/sdk/js"
	"idp/session"
	"idp/storage"
	"idp/token"
)

// Server is the rooms with their public face.
type Server struct {
	*Rooms
	Handler http.Handler

	health   *health
	metrics  *metrics
	web      *web.Pages
	sessions *session.Keeper
	engine   *login.Engine
	crowd    *login.Crowd
	pages    *login.Pages
	api      *login.API
	consent  *consent.Pages
	account  *account.Pages
	minting  *token.API
	pictures *account.Pictures
	admin    *admin.Pages
	provider *provider.Provider
	sdk      *sdk
	facts    *environment
}

// New builds the handlers on the rooms.
func New(rooms *Rooms) (*Server, error) {
	s := &Server{Rooms: rooms, health: &health{ping: rooms.DB.Ping}, metrics: newMetrics(), crowd: login.NewCrowd(crowded(), crowdWait)}
	s.watchFigures()
	s.sessions = s.keeper()
	s.web = &web.Pages{
		Set: s.Templates, Brand: s.Config.Name, Development: s.Config.Development(), Box: s.Box,
		Inbox: s.Config.Inbox(), Secure: s.Config.IssuerURL().Scheme == "https",
		Origin: s.Config.IssuerURL().Scheme + "://" + s.Config.IssuerURL().Host, Base: web.Base(s.Config.IssuerURL()),
		Listed:  s.Config.Listed,
		Browser: func(w http.ResponseWriter, r *http.Request) string { return string(s.sessions.Offer(w, r)) },
	}
	s.pictures = &account.Pictures{
		Store: storage.NewPictures(s.DB), People: storage.NewPeople(s.DB), Events: s.Events, Queue: s.Queue, Outbound: s.Outbound,
		Box: s.Box, Issuer: s.Config.Issuer, Log: s.Log, InTx: s.DB.InTx, Now: s.now,
	}
	s.engine = s.signIn()
	s.watchChecks()
	var err error
	if s.engine.WebAuthn, err = s.passkeys(); err != nil {
		return nil, err
	}
	s.pages = &login.Pages{Engine: s.engine, Sessions: s.sessions, Web: s.web}
	s.api = &login.API{Engine: s.engine, Keeper: s.sessions, Locale: s.web.Locale, Return: s.web.Returnable, Base: s.web.Base, Meter: &login.Meter{}}
	s.minting = &token.API{Minter: s.Minter, Browser: s.sessions.Cookies.Read, Origin: web.Origin}
	s.consent = &consent.Pages{
		Store: storage.NewConsent(s.DB), Sessions: s.sessions, Events: s.Events, Web: s.web,
		Who: s.who, InTx: s.DB.InTx, Now: s.now,
	}
	self := &account.Self{
		Engine: s.engine, Sessions: s.sessions, People: s.engine.People, Grants: storage.NewConsent(s.DB), Events: s.Events,
		Store: storage.NewAccount(s.DB), Pictures: s.pictures, Locale: s.web.Locale, Issuer: s.Config.Issuer, Erase: s.Users.Delete, InTx: s.DB.InTx, Now: s.now,
	}
	s.account = &account.Pages{Self: self, Web: s.web}
	s.admin = &admin.Pages{
		Web: s.web, Session: s.sessions, People: s.engine.People, Users: s.Users, Operators: s.Operators,
		Invitations: s.Invitations, Settings: s.Settings, Connections: s.Connections, Templates: s.JWTTemplates, Clients: s.Clients, Keys: s.Keys,
		Inbox: storage.NewInbox(s.DB), Issuer: s.Config.Issuer, Now: s.now, ForApps: s.TokenTemplates.ForApps,
	}
	s.provider, err = provider.New(provider.Deps{
		Issuer: s.Config.Issuer, OpenRegistration: s.Config.Registration == "open",
		ClosedRegistration: s.Config.Registration == "closed", WebFingerHosts: s.Config.WebFingerHosts, Box: s.Box,
		Throttle: storage.NewThrottle(s.DB), Registrations: s.Config.Limits.Registrations,
		Clients: s.Clients, Keys: s.Keys, Store: storage.NewProvider(s.DB), Assertions: storage.NewAssertions(s.DB), Visits: storage.NewVisits(s.DB), Asks: storage.NewLogin(s.DB), Pushes: storage.NewPushed(s.DB),
		Grants: storage.NewConsent(s.DB), Sessions: s.sessions, Events: s.Events, Pages: s.web, Who: s.who, SignIn: s.SignIn,
		SessionManagement: s.Config.WatchedSessions(), Outbound: s.Outbound, Queue: s.Queue, InTx: s.DB.InTx, Now: s.now,
		Templates: s.TokenTemplates, Log: s.Log,
	})
	if err != nil {
		return nil, err
	}
	s.account.Parting, s.account.Behind, s.provider.Behind = s.provider.Parting, s.pages.Behind, s.pages.Behind
	if s.sdk, err = newSDK(); err != nil {
		return nil, err
	}
	version, err := js.Version()
	if err != nil {
		return nil, err
	}
	s.facts = &environment{Config: s.Config, Settings: s.SignIn, Engine: s.engine, Pages: s.web, Version: version}
	s.Handler = s.mount()
	return s, nil
}

func (s *Server) keeper() *session.Keeper {
	issuer := s.Config.IssuerURL()
	k := &session.Keeper{
		Store: s.Sessions, Events: s.Events, Cookies: session.NewCookies(issuer.Scheme == "https", issuer.Port(), web.Base(issuer)),
		Settings: s.Settings.Sessions, InTx: s.DB.InTx, Now: s.now, Network: web.Network,
	}
	if s.Config.WatchedSessions() {
		k.StateKey = s.Box.Key("browser state")
	}
	return k
}

func (s *Server) signIn() *login.Engine {
	store := storage.NewAdmin(s.DB)
	return &login.Engine{
		Store: storage.NewLogin(s.DB), People: storage.NewPeople(s.DB), Throttle: storage.NewThrottle(s.DB), Trust: storage.NewTrust(s.DB), Undos: storage.NewUndos(s.DB), Place: s.Places.Of,
		Unfinished: storage.NewLogin(s.DB), Federation: s.Federation, Presences: storage.NewPresences(s.DB),
		Sessions: s.Sessions, Events: s.Events, Hasher: s.Hasher, Breaches: lookUp(s.Breaches), Box: s.Box, Post: s.Outbox.Post, InTx: s.DB.InTx,
		Checker: s.checker(), Reaches: s.Countries.Reach, Picture: s.pictures.Want, Returnable: s.web.Returnable,
		Revoke: func(ctx context.Context, u identity.UserID) error {
			return store.EndAuthorizations(ctx, u, s.now())
		},
		Settings: s.SignIn, SessionSettings: s.Settings.Sessions, Limits: limits(s.Config.Limits, s.Config.BotCheck),
		Name: s.Config.Name, Origin: s.Config.Issuer, Now: s.now,
	}
}

// passkeys is the site that passkeys are bound to, nil where the issuer has no name to bind them to.
func (s *Server) passkeys() (*login.WebAuthn, error) {
	if s.Config.Passkeys.RPID == "" {
		return nil, nil //nolint:nilnil // the engine reads nil as "none"
	}
	site, err := login.NewWebAuthn(s.Config.Passkeys.RPID, s.Config.Name, s.Config.PasskeyOrigins())
	if err != nil {
		return nil, err
	}
	site.Also = s.Config.PasskeysAt
	return site, nil
}

// who says how a person is shown to themselves.
func (s *Server) who(ctx context.Context, id identity.UserID) (name, address string, err error) {
	p, err := s.engine.People.Person(ctx, id)
	if err != nil {
		return "", "", err
	}
	name, address = p.Shown()
	return name, address, nil
}

func (s *Server) mount() http.Handler {
	faces := &web.Faces{
		Pages: s.web, Issuer: s.Config.Issuer, Listed: s.Config.Listed, Proxies: s.Config.Proxies(), Log: s.Log,
		Now: time.Now, Observe: s.metrics.observe, // durations are of the machine, not of a test's clock
	}
	if s.Config.Development() {
		faces.BrowserCookie = s.sessions.Cookies.Name()
	}
	mux := http.NewServeMux()
	faces.Mount(mux, s.routes())
	beside := http.NewServeMux()
	faces.Mount(beside, s.host())
	return faces.Below(s.web.Base, faces.Root(mux), beside)
}
