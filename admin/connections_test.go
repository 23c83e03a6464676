package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"idp/admin"
	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/storage"
	"idp/storage/storagetest"
)

func (h *house) connections() *admin.Connections {
	store := storage.NewConnections(h.db)
	f := &federation.Federation{Store: store, Box: storagetest.Box(), Outbound: outbound.New(outbound.Options{Now: h.clock.Now}), Issuer: "https://id.example", Now: h.clock.Now}
	return &admin.Connections{
		Federation: f, Store: store, Events: h.events, SignIn: login.DefaultSettings, InTx: h.db.InTx, Now: h.clock.Now, Production: true,
	}
}

func upstream(name string, domains ...string) federation.Connection {
	return federation.Connection{
		Name: name, Type: federation.OIDC, Issuer: "https://login.acme.com", ClientID: "id", ClientSecret: secret.NewString("s3cret-" + name), Domains: domains,
	}
}

// way makes sure that there is the connection of a method.
func (h *house) way(t *testing.T, m identity.Method) {
	t.Helper()
	err := storage.NewConnections(h.db).SaveConnection(t.Context(), federation.Connection{Name: m.Connection(), Disabled: true})
	if err != nil && !problem.Is(err, problem.Conflict) {
		t.Fatal(err)
	}
}

// linkTo gives a person an account elsewhere.
func (h *house) linkTo(t *testing.T, u identity.User, m identity.Method) {
	t.Helper()
	h.way(t, m)
	x := identity.ExternalAccount{Method: m, Issuer: "https://login.acme.com", Subject: string(u.ID)}
	sealed, err := x.Seal()
	if err != nil {
		t.Fatal(err)
	}
	err = h.people.SaveFactor(t.Context(), identity.Factor{
		ID: identity.FactorID(secret.NewID("factor")), UserID: u.ID, Method: m, Secret: sealed, Credential: x.Credential(), CreatedAt: h.clock.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) factors(t *testing.T, u identity.User) (methods []string) {
	t.Helper()
	p, err := h.people.Person(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Factors {
		methods = append(methods, string(f.Method))
	}
	return methods
}

func TestAConnectionIsMadeChangedSwitchedOffAndOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c, ctx := h.connections(), t.Context()
		if _, err := c.Create(ctx, upstream("acme", " ACME.com"), admin.CLI); err != nil {
			t.Fatal(err)
		}
		if open := c.Federation.Open(); len(open) != 1 || open[0].ClientSecret.Reveal() != "s3cret-acme" || open[0].Domains[0] != "acme.com" || open[0].CreatedAt.IsZero() {
			t.Fatalf("not in force: %+v", open)
		}
		if _, err := c.Create(ctx, upstream("acme"), admin.CLI); !problem.HasCode(err, "connection_exists") {
			t.Errorf("%v", err)
		}
		bad := upstream("bad")
		bad.Issuer = "http://localhost"
		if _, err := c.Create(ctx, bad, admin.CLI); !problem.HasCode(err, "connection_invalid") {
			t.Errorf("http in production: %v", err)
		}

		other := upstream("", "acme.com")
		other.ClientSecret, other.Title, other.Type = secret.String{}, "Acme", ""
		made, err := c.Replace(ctx, "acme", other, "user_1")
		if err != nil || made.ClientSecret.Reveal() != "s3cret-acme" || c.Federation.Open()[0].Title != "Acme" {
			t.Fatalf("%v %+v", err, made)
		}
		if _, err := c.Replace(ctx, "acme", other, "user_1"); err != nil {
			t.Error(err)
		}
		other.ClientSecret = secret.NewString("another")
		if _, err := c.Replace(ctx, "acme", other, "user_1"); err != nil {
			t.Error(err)
		}
		if _, err := c.Replace(ctx, "none", other, "user_1"); !problem.Is(err, problem.NotFound) {
			t.Error(err)
		}

		for range 2 {
			if err := c.Disable(ctx, "acme", admin.CLI); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Federation.Connection("acme"); !errors.Is(err, federation.ErrDisabled) || len(c.Federation.Open()) != 0 {
			t.Errorf("%v", err)
		}
		again := h.connections() // as after a restart
		if err := again.Federation.Reload(ctx); err != nil || len(again.Federation.Open()) != 0 || len(again.Federation.All()) != 1 {
			t.Errorf("disabled does not last: %v", err)
		}
		if err := c.Enable(ctx, "acme", admin.CLI); err != nil || len(c.Federation.Open()) != 1 {
			t.Fatal(err)
		}
		if err := c.Disable(ctx, "none", admin.CLI); !errors.Is(err, admin.ErrConnection) {
			t.Error(err)
		}

		var trail []string
		for _, kind := range []event.Kind{event.ConnectionCreated, event.ConnectionUpdated, event.ConnectionDisabled, event.ConnectionEnabled} {
			for _, e := range h.happened(t, kind) {
				text, err := json.Marshal(e)
				if err != nil || strings.Contains(string(text), "s3cret") || strings.Contains(string(text), "another") {
					t.Errorf("%v %s", err, text)
				}
				trail = append(trail, fmt.Sprint(e.Kind, " ", e.Actor, " ", e.Detail["connection"], " ", e.Detail["changed"]))
			}
		}
		if got := strings.Join(trail, "; "); got != "connection.created operator:cli acme ; connection.updated user_1 acme client_secret; connection.updated user_1 acme title; "+
			"connection.disabled operator:cli acme ; connection.enabled operator:cli acme " {
			t.Errorf("%s", got)
		}
	})
}

func TestOfOneNameAndOfOneDomainThereIsOneConnection(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.connections()
		race := func(makers ...federation.Connection) (won int, lost []error) {
			results := make(chan error, len(makers))
			var ready sync.WaitGroup
			ready.Add(len(makers))
			for _, x := range makers {
				go func() {
					ready.Done()
					ready.Wait()
					_, err := c.Create(t.Context(), x, admin.CLI)
					results <- err
				}()
			}
			for range makers {
				if err := <-results; err == nil {
					won++
				} else {
					lost = append(lost, err)
				}
			}
			return won, lost
		}
		won, lost := race(upstream("acme"), upstream("acme"), upstream("acme"), upstream("acme"))
		for _, err := range lost {
			if !problem.HasCode(err, "connection_exists") {
				t.Errorf("lost by %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d made the connection", won)
		}
		won, lost = race(upstream("a", "x.example", "one.example"), upstream("b", "one.example"), upstream("c", "one.example"), upstream("d", "one.example"))
		for _, err := range lost {
			if !problem.HasCode(err, "domain_taken") {
				t.Errorf("lost by %v", err)
			}
		}
		if list, err := c.List(t.Context()); won != 1 || err != nil || len(list) != 2 || len(h.happened(t, event.ConnectionCreated)) != 2 {
			t.Errorf("%d have the domain, %v %+v", won, err, list)
		}
		all := c.Federation.All()
		taken := all[slices.IndexFunc(all, func(x federation.Connection) bool { return slices.Contains(x.Domains, "one.example") })] // whoever won
		if err := c.Disable(t.Context(), taken.Name, admin.CLI); err != nil {
			t.Fatal(err)
		}
		mine := upstream("", "ONE.example")
		if _, err := c.Replace(t.Context(), "acme", mine, admin.CLI); !problem.HasCode(err, "domain_taken") || !strings.Contains(problemOf(err).Detail, taken.Name) {
			t.Errorf("%v", err)
		}
		if x, err := c.Get(t.Context(), "acme"); err != nil || len(x.Domains) != 0 {
			t.Errorf("what was refused is kept: %v %+v", err, x)
		}
	})
}

func problemOf(err error) *problem.Error {
	var p *problem.Error
	if !errors.As(err, &p) {
		return &problem.Error{}
	}
	return p
}

func TestDeletingAConnectionUnlinksAndEndsNothingElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c, ctx := h.connections(), t.Context()
		for _, name := range []string{"acme", "other"} {
			if _, err := c.Create(ctx, upstream(name), admin.CLI); err != nil {
				t.Fatal(err)
			}
		}
		byMail, both := h.create(t, "ann@example.com"), h.create(t, "bob@example.com")
		h.linkTo(t, byMail, "oauth_acme")
		h.linkTo(t, both, "oauth_acme")
		h.linkTo(t, both, "oauth_other")
		h.linkTo(t, both, "saml_acmeinc")

		alone, err := h.users.Create(ctx, admin.NewUser{Email: "eve@example.com"}, admin.CLI) // her address is not proven
		if err != nil {
			t.Fatal(err)
		}
		h.linkTo(t, alone, "oauth_acme")
		twice, err := h.users.Create(ctx, admin.NewUser{Email: "kim@example.com"}, admin.CLI)
		if err != nil {
			t.Fatal(err)
		}
		h.linkTo(t, twice, "oauth_acme")
		h.linkTo(t, twice, "oauth_other")

		if x, err := c.Get(ctx, "acme"); err != nil || x.Linked != 4 {
			t.Fatalf("%v %+v", err, x)
		}
		if _, err := c.Delete(ctx, "acme", false, admin.CLI); !problem.HasCode(err, "connection_needed") || !strings.Contains(problemOf(err).Detail, "1 person ") {
			t.Fatalf("%v %q", err, problemOf(err).Detail)
		}
		if err := c.Disable(ctx, "other", admin.CLI); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Delete(ctx, "acme", false, admin.CLI); !strings.Contains(problemOf(err).Detail, "2 people ") {
			t.Fatalf("what is switched off is no way in: %v %q", err, problemOf(err).Detail)
		}
		if len(c.Federation.All()) != 3 || len(h.factors(t, alone)) != 1 {
			t.Fatal("a refused deletion deleted")
		}
		linked, err := c.Delete(ctx, "acme", true, "user_1")
		if err != nil || linked != 4 || len(c.Federation.All()) != 2 {
			t.Fatalf("%d %v", linked, err)
		}
		if got := strings.Join(h.factors(t, byMail), " "); got != "password" {
			t.Errorf("ann has %s", got)
		}
		if got := strings.Join(h.factors(t, both), " "); !strings.Contains(got, "password") || !strings.Contains(got, "oauth_other") || !strings.Contains(got, "saml_acmeinc") || strings.Contains(got, "oauth_acme") {
			t.Errorf("bob has %s", got)
		}
		if gone := h.happened(t, event.ConnectionDeleted); len(gone) != 1 || gone[0].Detail["linked"] != "4" || gone[0].Detail["stranded"] != "2" || gone[0].Actor != "user_1" {
			t.Errorf("%+v", gone)
		}
		if _, err := c.Delete(ctx, "acme", true, admin.CLI); !errors.Is(err, admin.ErrConnection) {
			t.Error(err)
		}
	})
}
