package storage_test

import (
	"context"
	"testing"
	"time"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/storage"
	"idp/storage/storagetest"
)

var elsewhere = identity.Factor{
	ID: "factor_1", UserID: "user_ann", Method: "oauth_acme", Secret: secret.NewString("{}"), Credential: "hers", CreatedAt: noon,
}

func TestNoAccountIsLinkedByAConnectionThatIsNotThere(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people, connections := within(t), storage.NewPeople(db), storage.NewConnections(db)
		must(t, people.SaveUser(ctx, identity.User{ID: "user_ann", Status: identity.Active, CreatedAt: noon, UpdatedAt: noon}))
		wantKind(t, people.SaveFactor(ctx, elsewhere), problem.NotFound)
		must(t, connections.SaveConnection(ctx, federation.Connection{Name: "acme", Type: federation.OIDC}))
		must(t, people.SaveFactor(ctx, elsewhere))
		must(t, second(connections.DropConnection(ctx, "acme")))
		wantKind(t, people.SaveFactor(ctx, elsewhere), problem.NotFound) // nor brought back by who had read it before
		_, err := people.Factor(ctx, elsewhere.ID)
		wantKind(t, err, problem.NotFound)
	})
}

func TestWhoDeletesAConnectionWaitsForWhoIsLinkingByIt(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people, connections := within(t), storage.NewPeople(db), storage.NewConnections(db)
		must(t, people.SaveUser(ctx, identity.User{ID: "user_ann", Status: identity.Active, CreatedAt: noon, UpdatedAt: noon}))
		must(t, connections.SaveConnection(ctx, federation.Connection{Name: "acme", Type: federation.OIDC}))
		type dropped struct {
			linked int
			err    error
		}
		done := make(chan dropped, 1)
		must(t, db.InTx(ctx, func(inside context.Context) error {
			if err := people.SaveFactor(inside, elsewhere); err != nil {
				return err
			}
			go func() {
				n, err := connections.DropConnection(ctx, "acme")
				done <- dropped{n, err}
			}()
			select { // whoever does not wait is through by then, and has missed the account
			case d := <-done:
				done <- d
			case <-time.After(300 * time.Millisecond):
			}
			return nil
		}))
		d := <-done
		must(t, d.err)
		if _, err := people.Factor(ctx, elsewhere.ID); d.linked != 1 || !problem.Is(err, problem.NotFound) {
			t.Errorf("%d accounts went with it, and one is left: %v", d.linked, err)
		}
	})
}
