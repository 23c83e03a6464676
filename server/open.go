// Package server builds the rooms of one instance, puts their handlers into the one
// route table, and runs listeners and workers. It is wiring: read wire.go for who
// gets what, routes.go for where a request goes.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"idp/admin"
	"idp/federation"
	"idp/identity"
	"idp/internal/breach"
	"idp/internal/config"
	"idp/internal/outbound"
	"idp/internal/place"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/provider"
	"idp/session"
	"idp/storage"
	"idp/templates"
	"idp/token"
)

// Rooms are what the operator's commands work with: everything but HTTP and workers.
type Rooms struct {
	Config         config.Config
	Log            *slog.Logger
	DB             *storage.DB
	Box            *secret.Box
	Hasher         *secret.Hasher
	Templates      *templates.Set
	Queue          *storage.Queue
	Outbox         *message.Outbox
	Events         *storage.Events
	Outbound       *outbound.Client
	Countries      identity.Countries // whose numbers SMS go to
	Breaches       *breach.List       // nil: passwords are not looked up
	Places         *place.Map         // nil: no place is known
	Keys           *token.KeySet
	TokenTemplates *token.Templates
	Minter         *token.Minter
	Clients        *provider.Clients
	Federation     *federation.Federation
	Sessions       session.Store // says to relying parties which sessions ended
	Settings       *admin.Keeper
	Users          *admin.Users
	Operators      *admin.Operators
	Invitations    *admin.Invitations
	Connections    *admin.Connections
	JWTTemplates   *admin.Templates
	Tokens         *admin.Tokens

	now func() time.Time
}

// Open opens the database of cfg and builds the rooms on it. Where migrations are the
// operator's to start and one is pending, it says so and fails.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger) (*Rooms, error) {
	return OpenAt(ctx, cfg, log, time.Now)
}

// OpenAt is Open with a clock of the caller's.
func OpenAt(ctx context.Context, cfg config.Config, log *slog.Logger, clock func() time.Time) (*Rooms, error) {
	now := func() time.Time { return clock().UTC().Truncate(time.Microsecond) }
	db, box, err := OpenDatabase(ctx, cfg, now)
	if err != nil {
		return nil, err
	}
	r := &Rooms{Config: cfg, Log: log, DB: db, Box: box, now: now}
	if err := r.build(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// OpenDatabase opens the database alone; `idp migrate` needs no more.
func OpenDatabase(ctx context.Context, cfg config.Config, now func() time.Time) (*storage.DB, *secret.Box, error) {
	if err := cfg.MakeDataDir(); err != nil {
		return nil, nil, err
	}
	box, err := cfg.Box()
	if err != nil {
		return nil, nil, err
	}
	db, err := storage.Open(ctx, storage.Options{
		URL: cfg.Database(), Box: box, Now: now, MaxConns: cfg.DatabaseMaxConnections,
	})
	return db, box, err
}

func (r *Rooms) build(ctx context.Context) (err error) {
	if err := r.migrate(ctx); err != nil {
		return err
	}
	if r.Templates, err = templates.Load(r.Config.TemplatesDir); err != nil {
		return fmt.Errorf("load templates: %w", err)
	}
	r.Templates.Brand, r.Templates.Host = r.Config.Name, r.Config.IssuerURL().Hostname()
	r.Events = storage.NewEvents(r.DB)
	r.Hasher = secret.NewHasher(max(1, runtime.NumCPU()-1))
	if r.Queue, err = storage.NewQueue(r.DB, r.Log); err != nil {
		return err
	}
	r.Outbound = outbound.New(outbound.Options{Loopback: r.Config.Development(), Allow: r.Config.OutboundAllow, Now: r.now})
	if err := r.mail(); err != nil {
		return err
	}
	if err := r.breaches(); err != nil {
		return err
	}
	if r.Places, err = place.Open(r.Config.GeoIPFile); err != nil {
		return fmt.Errorf("geoip_file: %w", err)
	}
	r.Keys = &token.KeySet{Store: storage.NewKeys(r.DB), Events: r.Events, InTx: r.DB.InTx, Now: r.now}
	if err := r.Keys.Ensure(ctx); err != nil {
		return err
	}
	r.TokenTemplates = &token.Templates{Store: storage.NewTemplates(r.DB)}
	if err := r.TokenTemplates.Reload(ctx); err != nil {
		return err
	}
	issuer := r.Config.IssuerURL()
	r.Minter = &token.Minter{
		Keys: r.Keys, Templates: r.TokenTemplates, Store: storage.NewStandings(r.DB), Issuer: r.Config.Issuer,
		Origin: issuer.Scheme + "://" + issuer.Host, Log: r.Log, Now: r.now, Revocation: &token.Revocation{Now: r.now},
	}
	r.Clients = &provider.Clients{
		Store: storage.NewClients(r.DB), Events: r.Events, InTx: r.DB.InTx, Now: r.now, Production: !r.Config.Development(),
		Outbound: r.Outbound, Keys: r.Keys, Templates: r.TokenTemplates,
	}
	r.Federation = &federation.Federation{
		Store: storage.NewConnections(r.DB), SAML: storage.NewSAML(r.DB), Events: r.Events, Habits: storage.NewHabits(r.DB),
		Outbound: r.Outbound, Box: r.Box, Issuer: r.Config.Issuer, Now: r.now,
	}
	if err := r.Federation.Reload(ctx); err != nil {
		return err
	}
	farewells := &provider.Farewells{Visits: storage.NewVisits(r.DB), Clients: r.Clients, Queue: r.Queue, Now: r.now}
	r.Sessions = session.Announced{Store: storage.NewSessions(r.DB), InTx: r.DB.InTx, Tell: func(ctx context.Context, ended []session.ID) error {
		r.Minter.Revocation.Ended(ended)
		return farewells.Ended(ctx, ended)
	}}
	r.Settings = &admin.Keeper{Store: storage.NewSettings(r.DB), Events: r.Events, InTx: r.DB.InTx, Clock: r.now, Texts: r.Config.Texts(), Connections: r.Federation.Store.Connections}
	if err := r.Settings.Reload(ctx); err != nil {
		return err
	}
	r.Connections = &admin.Connections{
		Federation: r.Federation, Store: storage.NewConnections(r.DB), Events: r.Events, SignIn: r.Settings.SignIn,
		InTx: r.DB.InTx, Now: r.now, Production: !r.Config.Development(),
	}
	r.JWTTemplates = &admin.Templates{
		Kept: r.TokenTemplates, Keys: r.Keys, Minter: r.Minter, Using: r.Clients.Using, Events: r.Events, InTx: r.DB.InTx, Now: r.now,
	}
	people, store := storage.NewPeople(r.DB), storage.NewAdmin(r.DB)
	r.Users = &admin.Users{
		Help:  r.help(),
		Store: store, Activity: storage.NewActivity(r.DB), People: people, Trust: storage.NewTrust(r.DB), Sessions: r.Sessions, Events: r.Events, Hasher: r.Hasher, Breaches: lookUp(r.Breaches),
		Rules: func() login.PasswordRules { return r.Settings.SignIn().Rules }, InTx: r.DB.InTx, Now: r.now,
		Departed: storage.NewAccount(r.DB), Post: r.Outbox.Post,
	}
	r.Tokens = &admin.Tokens{
		People: people, Keeper: &federation.Keeper{Federation: r.Federation, Factors: people, InTx: r.DB.InTx}, Ways: r.Connections, Events: r.Events,
	}
	r.Operators = &admin.Operators{Store: store, People: people, Events: r.Events, Issuer: r.Config.Issuer, InTx: r.DB.InTx, Now: r.now}
	r.Invitations = &admin.Invitations{
		Store: storage.NewLogin(r.DB), People: people, Outbox: r.Outbox, Events: r.Events,
		Issuer: r.Config.Issuer, InTx: r.DB.InTx, Now: r.now,
	}
	return nil
}

func (r *Rooms) migrate(ctx context.Context) error {
	if r.Config.Migrate == "auto" {
		return r.DB.Migrate(ctx)
	}
	pending, err := r.DB.Pending(ctx)
	if err != nil {
		return err
	}
	if len(pending) > 0 {
		return fmt.Errorf("the database lacks %d migrations and migrate is manual; run: idp migrate up", len(pending))
	}
	return nil
}

// Close lets go of the database, the list of breached passwords and that of places.
func (r *Rooms) Close() error { return errors.Join(r.Breaches.Close(), r.Places.Close(), r.DB.Close()) }
