package storage_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/token"
)

func hasura() token.Template {
	return token.Template{
		Name: "hasura", Claims: []byte("{\n  \"role\": \"<user>\",  \"id\": \"{{user.id}}\"\n}"), Lifetime: 120, Skew: 5, Audience: []string{"hasura", "api"}, Algorithm: "HS256",
		Key:    token.CustomKey{ID: "shared", Material: secret.NewString("only for tests: 32 bytes at least"), SetAt: noon},
		Preset: "hasura", CreatedAt: noon, UpdatedAt: noon,
	}
}

func TestATemplateComesBackAsSaved(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewTemplates(db)
		want := hasura()
		must(t, store.SaveTemplate(ctx, want))
		must(t, store.SaveTemplate(ctx, token.Template{Name: "bare", Claims: []byte("{}"), CreatedAt: noon, UpdatedAt: noon}))
		found, err := store.Templates(ctx)
		must(t, err)
		want.Version = 1
		if len(found) != 2 || found[0].Name != "bare" || !found[0].Key.None() || !reflect.DeepEqual(found[1], want) {
			t.Errorf("came back: %+v", found)
		}
		if string(found[1].Claims) != string(want.Claims) {
			t.Errorf("the claims are laid out anew: %s", found[1].Claims)
		}
	})
}

func TestATemplateIsHeldAsItIsOnFile(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewTemplates(db)
		want := hasura()
		must(t, store.SaveTemplate(ctx, want))
		want.Version = 1
		must(t, db.InTx(ctx, func(ctx context.Context) error {
			found, err := store.HoldTemplate(ctx, "hasura")
			if err == nil && !reflect.DeepEqual(found, want) {
				t.Errorf("came back: %+v", found)
			}
			if _, err := store.HoldTemplate(ctx, "hasur"); !problem.HasCode(err, token.ErrTemplate.Code) {
				t.Errorf("one that is not there: %v", err)
			}
			return err
		}))
	})
}

func TestAStaleSaveOfATemplateIsAConflict(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewTemplates(db)
		must(t, store.SaveTemplate(ctx, hasura()))
		wantKind(t, store.SaveTemplate(ctx, hasura()), problem.Conflict) // the name is taken
		changed := hasura()
		changed.Version, changed.Lifetime, changed.CreatedAt = 1, 300, noon.Add(time.Hour)
		must(t, store.SaveTemplate(ctx, changed))
		changed.Lifetime = 600
		wantKind(t, store.SaveTemplate(ctx, changed), problem.Conflict)
		found, err := store.Templates(ctx)
		must(t, err)
		if found[0].Lifetime != 300 || found[0].Version != 2 || !found[0].CreatedAt.Equal(noon) {
			t.Errorf("after the stale save: %+v", found[0])
		}
	})
}

func TestADroppedTemplateIsGoneAndOthersHearOfIt(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewTemplates(db)
		wantKind(t, store.DropTemplate(ctx, "hasura"), problem.NotFound)
		must(t, store.SaveTemplate(ctx, hasura()))
		before, err := db.Versions(ctx)
		must(t, err)
		must(t, store.DropTemplate(ctx, "hasura"))
		after, err := db.Versions(ctx)
		must(t, err)
		if before["templates"] != 1 || after["templates"] != 2 {
			t.Errorf("versions went %v → %v", before, after)
		}
		stale := hasura()
		stale.Version = 1
		wantKind(t, store.SaveTemplate(ctx, stale), problem.Conflict) // nobody brings it back by chance
		if left, err := store.Templates(ctx); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}

func TestATemplatesKeyCopiedToAnotherRowDoesNotOpen(t *testing.T) {
	db := storagetest.Open(t)
	ctx, store := within(t), storage.NewTemplates(db)
	must(t, store.SaveTemplate(ctx, hasura()))
	other := hasura()
	other.Name, other.Key = "other", token.CustomKey{}
	must(t, store.SaveTemplate(ctx, other))
	storage.Pretend(t, db, "UPDATE templates SET sealed_key = (SELECT sealed_key FROM templates WHERE name = 'hasura') WHERE name = 'other'")
	if _, err := store.Templates(ctx); err == nil || strings.Contains(err.Error(), "only for tests") {
		t.Errorf("a moved key: %v", err)
	}
}
