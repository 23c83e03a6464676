package storage_test

import (
	"slices"
	"testing"
	"time"

	"idp/consent"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/provider"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestAWaitingRequestIsAnsweredOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store, logins := within(t), storage.NewConsent(db), storage.NewLogin(db)
		a := someAsk()
		must(t, logins.SaveAsk(ctx, a))
		p, err := store.Pending(ctx, "ask_1")
		must(t, err)
		if p.Done || p.Browser != a.Browser || p.Party != a.Party || !slices.Equal(p.Scopes, a.Scopes) || p.Resume != a.Resume || !p.ExpiresAt.Equal(a.ExpiresAt) {
			t.Fatalf("pending %+v", p)
		}
		must(t, store.Answer(ctx, "ask_1", "sess_1", false))
		wantKind(t, store.Answer(ctx, "ask_1", "sess_1", true), problem.Conflict) // a No stays a No
		got, err := logins.Ask(ctx, a.ID)
		must(t, err)
		if got.Answer != login.Denied || got.Answered != "sess_1" {
			t.Fatalf("got %+v", got)
		}
		if p, err := store.Pending(ctx, "ask_1"); err != nil || !p.Done {
			t.Fatalf("pending %+v, %v", p, err)
		}
		_, err = store.Pending(ctx, "ask_2")
		wantKind(t, err, problem.NotFound)

		a.ID = "ask_used"
		must(t, logins.SaveAsk(ctx, a))
		must(t, logins.UseAsk(ctx, a.ID, noon))
		wantKind(t, store.Answer(ctx, "ask_used", "sess_1", true), problem.Conflict)
	})
}

func TestAGrantWidensIsListedAndTakenBackWithAllThatRestsOnIt(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewConsent(db)
		ann, bob := person(t, db, "Ann"), person(t, db, "Bob")
		must(t, storage.NewClients(db).SaveClient(ctx, provider.Client{ID: "client_1", Name: "Acme", Type: provider.Web, CreatedAt: noon, UpdatedAt: noon}))
		grant := func(client string, at time.Time, scopes ...string) {
			t.Helper()
			must(t, store.SaveGrant(ctx, consent.Grant{User: ann.ID, Client: client, Scopes: scopes, CreatedAt: at, UpdatedAt: at}))
		}
		grant("client_1", noon, "openid", "email")
		grant("client_gone", noon.Add(time.Second), "openid")
		grant("client_1", noon.Add(time.Minute), "profile", "openid")
		must(t, store.SaveGrant(ctx, consent.Grant{User: bob.ID, Client: "client_1", Scopes: []string{"openid"}, CreatedAt: noon, UpdatedAt: noon}))

		got, err := store.Grant(ctx, ann.ID, "client_1")
		must(t, err)
		if !got.Covers([]string{"openid", "email", "profile"}) || len(got.Scopes) != 3 || !got.CreatedAt.Equal(noon) {
			t.Fatalf("got %+v", got)
		}
		list, err := store.Grants(ctx, ann.ID)
		must(t, err)
		if len(list) != 2 || list[0].Party.Name != "Acme" || list[1].Party.Name != "client_gone" {
			t.Fatalf("listed %+v", list)
		}
		for _, owner := range []struct {
			id   provider.AuthorizationID
			user identity.UserID
		}{{"authz_ann", ann.ID}, {"authz_bob", bob.ID}} {
			must(t, storage.NewProvider(db).SaveAuthorization(ctx, provider.Authorization{
				ID: owner.id, Client: "client_1", User: owner.user, Code: secret.DigestOf(string(owner.id)),
				CreatedAt: noon, CodeExpiresAt: noon.Add(time.Minute), ExpiresAt: noon.Add(time.Hour),
			}))
		}
		for _, want := range []bool{true, false} {
			if dropped, err := store.DropGrant(ctx, ann.ID, "client_1", noon); err != nil || dropped != want {
				t.Fatalf("dropped %v, %v", dropped, err)
			}
		}
		_, err = store.Grant(ctx, ann.ID, "client_1")
		wantKind(t, err, problem.NotFound)
		for id, ended := range map[provider.AuthorizationID]bool{"authz_ann": true, "authz_bob": false} {
			a, err := storage.NewProvider(db).Authorization(ctx, id)
			must(t, err)
			if a.Authorization.EndedAt.IsZero() == ended {
				t.Errorf("%s ended: %v", id, a.Authorization.EndedAt)
			}
		}
		_, err = store.Grant(ctx, bob.ID, "client_1")
		must(t, err)
		must(t, storage.NewAdmin(db).EndAuthorizations(ctx, bob.ID, noon))
		if a, err := storage.NewProvider(db).Authorization(ctx, "authz_bob"); err != nil || a.Authorization.EndedAt.IsZero() {
			t.Errorf("a ban left Bob's authorization alive: %v", err)
		}
	})
}
