package storage_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
)

func authorization(u identity.UserID) provider.Authorization {
	return provider.Authorization{
		ID: provider.AuthorizationID(secret.NewID("authorization")), Client: "client_1", User: u, Session: session.ID(secret.NewID("session")),
		Scopes: []string{"email", "openid"}, Offline: true, Code: secret.DigestOf(secret.Token("").Reveal()), CodeExpiresAt: noon.Add(time.Minute),
		Generation: 1, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour),
		Facts: provider.Facts{RedirectURI: "https://rp/cb", Challenge: "c", Nonce: "n\x00é", AuthTime: noon, ACR: "aal1", AMR: []string{"pwd"}},
	}
}

func TestAuthorizationsWithoutACodeAreFoundByNone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store, ann := t.Context(), storage.NewProvider(db), person(t, db, "Ann")
		for range 2 {
			a := authorization(ann.ID)
			a.Code = ""
			must(t, store.SaveAuthorization(ctx, a))
			got, err := store.Authorization(ctx, a.ID)
			must(t, err)
			if got.ID != a.ID {
				t.Errorf("got %+v", got)
			}
		}
		_, err := store.ByCode(ctx, "")
		wantKind(t, err, problem.NotFound)
		a, b := authorization(ann.ID), authorization(ann.ID)
		must(t, store.SaveAuthorization(ctx, a))
		b.Code = a.Code
		if err := store.SaveAuthorization(ctx, b); err == nil {
			t.Error("two authorizations with one code")
		}
	})
}

func TestAnAuthorizationComesBackWithWhatItRestsOn(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store, ann := t.Context(), storage.NewProvider(db), person(t, db, "Ann")
		must(t, storage.NewPeople(db).SaveHolding(ctx, func() identity.Holding {
			h := holding(ann, "ann@example.com", true)
			h.Primary = true
			return h
		}()))
		ann.Groups, ann.Roles = []string{"staff", "ops"}, []string{"editor"}
		must(t, storage.NewPeople(db).SaveUser(ctx, ann))
		for number, main := range map[string]bool{"+442079460018": true, "+442079460019": false} {
			h := holding(ann, number, main)
			h.Identifier.Kind, h.Primary = identity.Phone, main
			must(t, storage.NewPeople(db).SaveHolding(ctx, h))
		}
		a := authorization(ann.ID)
		s := session.Session{
			ID: a.Session, Browser: "browser_1", User: ann.ID, AuthTime: noon, CreatedAt: noon, LastActiveAt: noon,
			ExpiresAt: noon.Add(24 * time.Hour), Idle: 90 * time.Minute,
		}
		must(t, storage.NewSessions(db).SaveSession(ctx, s))
		must(t, store.SaveAuthorization(ctx, a))
		token := provider.AccessToken{
			Digest: secret.DigestOf("idp_at_x"), Authorization: a.ID, Client: a.Client, Scopes: []string{"openid"}, CreatedAt: noon, ExpiresAt: noon.Add(time.Minute),
		}
		must(t, store.SaveToken(ctx, token))

		byCode, err := store.ByCode(ctx, a.Code)
		must(t, err)
		byID, err := store.Authorization(ctx, a.ID)
		must(t, err)
		found, byToken, err := store.Token(ctx, token.Digest, provider.WholePerson)
		must(t, err)
		for _, got := range []provider.Standing{byCode, byID, byToken} {
			if diff := cmp.Diff(a, got.Authorization, cmpopts.IgnoreFields(provider.Authorization{}, "Code")); diff != "" {
				t.Errorf("changed on the way: %s", diff)
			}
			if got.Person.Profile.Name != "Ann" || !got.Person.MayEnter() || got.Email.Identifier.Value != "ann@example.com" || !got.Email.Verified() {
				t.Errorf("rests on %+v %+v", got.Person, got.Email)
			}
			if got.Phone.Identifier != (identity.Identifier{Kind: identity.Phone, Value: "+442079460018"}) || !got.Phone.Verified() {
				t.Errorf("the phone is %+v", got.Phone)
			}
			if !slices.Equal(got.Person.Groups, ann.Groups) || !slices.Equal(got.Person.Roles, ann.Roles) {
				t.Errorf("belongs to %v as %v", got.Person.Groups, got.Person.Roles)
			}
			if got.Holder.ID != s.ID || !got.Holder.Alive(noon.Add(89*time.Minute)) || got.Holder.Alive(noon.Add(90*time.Minute)) {
				t.Errorf("session %+v", got.Holder)
			}
		}
		if diff := cmp.Diff(token, found); diff != "" {
			t.Errorf("token changed on the way: %s", diff)
		}
		found, brief, err := store.Token(ctx, token.Digest, provider.StatusAlone)
		must(t, err)
		if diff := cmp.Diff(token, found); diff != "" {
			t.Errorf("told briefly the token changed: %s", diff)
		}
		byToken.Person = identity.User{ID: ann.ID, Status: ann.Status}
		byToken.Email, byToken.Phone = identity.Holding{}, identity.Holding{}
		if diff := cmp.Diff(byToken, brief); diff != "" {
			t.Errorf("told briefly it rests on something else, or on more of the person than their status: %s", diff)
		}
	})
}

func TestAnAuthorizationOutlivesWhatItRestedOnWithoutFailing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := t.Context(), storage.NewProvider(db)
		a := authorization("user_gone")
		must(t, store.SaveAuthorization(ctx, a))
		got, err := store.ByCode(ctx, a.Code)
		must(t, err)
		if got.Person.MayEnter() || got.Holder.ID != "" || got.Missing {
			t.Errorf("a deleted person's: %+v", got)
		}
		digest := secret.DigestOf("idp_at_machine")
		must(t, store.SaveToken(ctx, provider.AccessToken{Digest: digest, Client: "client_1", CreatedAt: noon, ExpiresAt: noon}))
		if _, standing, err := store.Token(ctx, digest, provider.WholePerson); err != nil || !standing.Missing {
			t.Errorf("a machine's: %+v %v", standing, err)
		}
		_, err = store.ByCode(ctx, secret.DigestOf("x"))
		wantKind(t, err, problem.NotFound)
		_, _, err = store.Token(ctx, secret.DigestOf("x"), provider.StatusAlone)
		wantKind(t, err, problem.NotFound)
		_, err = store.Authorization(ctx, "authorization_x")
		wantKind(t, err, problem.NotFound)
	})
}

// winners counts who of n got through when all tried at once; the rest must lose by conflict.
func winners(t *testing.T, n int, try func() error) int {
	t.Helper()
	var won atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for range n {
		all.Go(func() {
			<-start
			switch err := try(); {
			case err == nil:
				won.Add(1)
			case !problem.Is(err, problem.Conflict) && !problem.Is(err, problem.NotFound):
				t.Errorf("lost by %v", err)
			}
		})
	}
	close(start)
	all.Wait()
	return int(won.Load())
}

var errEnded = problem.New(problem.Conflict, "ended", "It had ended.")

func TestWhatWorksOnceHasOneWinnerOfManyRacing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store, clients := within(t), storage.NewProvider(db), storage.NewClients(db)
		a := authorization("user_1")
		must(t, store.SaveAuthorization(ctx, a))
		leave := provider.RegistrationToken{ID: "registration_1", Digest: secret.DigestOf("x"), Uses: 1, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
		must(t, clients.SaveRegistrationToken(ctx, leave))
		later := noon.Add(time.Minute)
		for name, try := range map[string]func() error{
			"redeem":              func() error { return store.Redeem(ctx, a.ID, noon, later) },
			"rotate":              func() error { return store.Rotate(ctx, a.ID, 1, noon, later) },
			"use a registration":  func() error { return clients.UseRegistrationToken(ctx, leave.Digest, noon) },
			"create the same one": func() error { return clients.SaveClient(ctx, provider.Client{ID: "client_1", Name: "X"}) },
		} {
			if n := winners(t, 32, try); n != 1 {
				t.Errorf("%s: %d winners", name, n)
			}
		}
		ended := winners(t, 32, func() error {
			ok, err := store.EndAuthorization(ctx, a.ID, provider.Revoked, noon)
			if err == nil && !ok {
				return errEnded
			}
			return err
		})
		if ended != 1 {
			t.Errorf("ended %d times", ended)
		}
		wantKind(t, store.Rotate(ctx, a.ID, 2, noon, later), problem.Conflict)
		wantKind(t, store.Redeem(ctx, a.ID, noon, later), problem.Conflict)
	})
}

func TestAFailedTransactionLeavesACodeUnspent(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := t.Context(), storage.NewProvider(db)
		a := authorization("user_1")
		must(t, store.SaveAuthorization(ctx, a))
		boom := errors.New("boom")
		err := db.InTx(ctx, func(ctx context.Context) error {
			must(t, store.Redeem(ctx, a.ID, noon, noon))
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		must(t, store.Redeem(ctx, a.ID, noon, noon))
	})
}

func TestClientsComeBackWholeAndOldSavesLose(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := t.Context(), storage.NewClients(db)
		c := provider.Client{
			ID: "client_1", Type: provider.Native, Disabled: true, AuthMethod: "none", RedirectURIs: []string{"com.example.app:/cb"},
			PostLogoutRedirectURIs: []string{"com.example.app:/bye"}, GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"},
			Scopes: []string{"openid"}, Audience: []string{"api"}, FirstParty: true, MayIntrospect: true, RequirePKCE: true,
			Name: "Größe <b>", URI: "https://a", LogoURI: "https://b", PolicyURI: "https://c", TermsURI: "https://d", Contacts: []string{"e"},
			Secrets: []provider.ClientSecret{
				{Digest: secret.DigestOf("s"), CreatedAt: noon}, {Digest: secret.DigestOf("t"), Value: secret.NewString("t"), CreatedAt: noon, ExpiresAt: noon},
			},
			RegistrationToken: secret.DigestOf("r"), Metadata: map[string]any{"x": "y"}, CreatedAt: noon, UpdatedAt: noon,
		}
		must(t, store.SaveClient(ctx, c))
		got, err := store.Client(ctx, c.ID)
		must(t, err)
		c.Version = 1
		if diff := cmp.Diff(c, got, cmpopts.EquateComparable(secret.String{})); diff != "" {
			t.Errorf("changed on the way: %s", diff)
		}
		before, err := db.Versions(ctx)
		must(t, err)
		must(t, store.SaveClient(ctx, got))
		wantKind(t, store.SaveClient(ctx, got), problem.Conflict)
		after, err := db.Versions(ctx)
		must(t, err)
		if after["clients"] != before["clients"]+1 {
			t.Errorf("version of clients went from %d to %d", before["clients"], after["clients"])
		}
		a := authorization("user_1")
		must(t, storage.NewProvider(db).SaveAuthorization(ctx, a))
		must(t, store.DeleteClient(ctx, c.ID, noon))
		wantKind(t, store.DeleteClient(ctx, c.ID, noon), problem.NotFound)
		standing, err := storage.NewProvider(db).Authorization(ctx, a.ID)
		must(t, err)
		if standing.EndedWhy != provider.ClientGone {
			t.Errorf("what the client held: %+v", standing)
		}
	})
}

func TestOnlyWhatIsOverIsSweptAway(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := t.Context(), storage.NewProvider(db)
		a := authorization("user_1") // for an hour
		must(t, store.SaveAuthorization(ctx, a))
		for i, digest := range []secret.Digest{"a", "b", "c"} {
			must(t, store.SaveToken(ctx, provider.AccessToken{Digest: digest, Client: "c", CreatedAt: noon, ExpiresAt: noon.Add(time.Duration(i) * time.Minute)}))
		}
		n, err := store.Sweep(ctx, noon.Add(2*time.Minute), 1)
		must(t, err)
		m, err := store.Sweep(ctx, noon.Add(2*time.Minute), 100)
		must(t, err)
		if n != 1 || m != 1 {
			t.Errorf("swept %d, then %d", n, m)
		}
		_, _, err = store.Token(ctx, "c", provider.StatusAlone)
		must(t, err)
		_, err = store.Authorization(ctx, a.ID)
		must(t, err)
		_, err = store.Sweep(ctx, noon.Add(2*time.Hour), 100)
		must(t, err)
		_, err = store.Authorization(ctx, a.ID)
		wantKind(t, err, problem.NotFound)
	})
}
