package storage_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/storage"
	"idp/storage/storagetest"
)

var annsAddress = identity.Identifier{Kind: identity.Email, Value: "ann@example.org"}

func TestAPersonComesBackAsSaved(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people := within(t), storage.NewPeople(db)
		u := identity.User{
			ID: "user_1", Status: identity.Active, Operator: true, Groups: []string{"staff", "ops"}, Roles: []string{"editor"}, ExternalID: "old-7",
			Profile:   identity.Profile{Name: "Ann Ö’Hara", Birthdate: "1990-01-01", Address: identity.Address{Country: "NZ"}},
			Metadata:  identity.Metadata{Public: []byte(`{"plan":"<pro>"}`), Private: []byte(`{"crm":17}`), Own: []byte(`{"theme":"dark"}`)},
			CreatedAt: noon, UpdatedAt: noon.Add(time.Microsecond),
		}
		must(t, people.SaveUser(ctx, u))
		h := holding(u, annsAddress.Value, true)
		h.Primary = true
		must(t, people.SaveHolding(ctx, h))
		f := identity.Factor{
			ID: "factor_1", UserID: u.ID, Method: identity.Password, Name: "Password", Secret: secret.NewString("$argon2id$…"),
			CreatedAt: noon, LastUsedAt: noon.Add(time.Hour),
		}
		must(t, people.SaveFactor(ctx, f))
		u.Version = 1
		want := login.Person{User: u, Holdings: []identity.Holding{h}, Factors: []identity.Factor{f}}
		for name, find := range map[string]func() (login.Person, error){
			"by id":      func() (login.Person, error) { return people.Person(ctx, u.ID) },
			"by address": func() (login.Person, error) { return people.Find(ctx, annsAddress) },
		} {
			got, err := find()
			must(t, err)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
			}
		}
		_, err := people.Person(ctx, "user_2")
		wantKind(t, err, problem.NotFound)
	})
}

func TestAStaleSaveOfAPersonIsAConflict(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people := within(t), storage.NewPeople(db)
		u := person(t, db, "Ann")
		newer := u
		newer.Profile.Name = "Anna"
		must(t, people.SaveUser(ctx, newer))
		u.Status = identity.Banned
		wantKind(t, people.SaveUser(ctx, u), problem.Conflict)
		got, err := people.Person(ctx, u.ID)
		must(t, err)
		if got.User.Profile.Name != "Anna" || got.User.Status != identity.Active || got.User.Version != 2 {
			t.Fatalf("got %+v", got.User)
		}
		u.Version = 0
		wantKind(t, people.SaveUser(ctx, u), problem.Conflict)
	})
}

func TestAnAddressBelongsToWhoeverProvedIt(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people := within(t), storage.NewPeople(db)
		squatter, owner := person(t, db, "Squatter"), person(t, db, "Owner")
		must(t, people.SaveHolding(ctx, holding(squatter, annsAddress.Value, false)))
		_, err := people.Find(ctx, annsAddress)
		wantKind(t, err, problem.NotFound) // an unproven claim signs nobody in
		must(t, people.SaveHolding(ctx, holding(owner, annsAddress.Value, true)))
		dropped, err := people.DropUnverified(ctx, annsAddress, owner.ID)
		must(t, err)
		if !slices.Equal(dropped, []identity.UserID{squatter.ID}) {
			t.Errorf("the claims of %v were dropped", dropped)
		}
		got, err := people.Find(ctx, annsAddress)
		must(t, err)
		if got.User.ID != owner.ID {
			t.Fatalf("found %s", got.User.ID)
		}
		if left, err := people.Person(ctx, squatter.ID); err != nil || len(left.Holdings) != 0 {
			t.Fatalf("the squatter keeps %v, %v", left.Holdings, err)
		}
		for _, verified := range []bool{true, false} {
			wantKind(t, people.SaveHolding(ctx, holding(squatter, annsAddress.Value, verified)), problem.Conflict)
		}
	})
}

func TestOneAddressIsPrimary(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people := within(t), storage.NewPeople(db)
		u := person(t, db, "Ann")
		for _, address := range []string{"a@example.org", "b@example.org"} {
			h := holding(u, address, true)
			h.Primary = true
			must(t, people.SaveHolding(ctx, h))
		}
		got, err := people.Person(ctx, u.ID)
		must(t, err)
		if !got.Holdings[0].Primary || got.Holdings[0].Identifier.Value != "b@example.org" || got.Holdings[1].Primary {
			t.Fatalf("got %+v", got.Holdings)
		}
	})
}

func TestANewPasswordReplacesTheOldOne(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people := within(t), storage.NewPeople(db)
		ann, bob := person(t, db, "Ann"), person(t, db, "Bob")
		password := func(id string, u identity.User, hash string) identity.Factor {
			return identity.Factor{ID: identity.FactorID(id), UserID: u.ID, Method: identity.Password, Secret: secret.NewString(hash), CreatedAt: noon}
		}
		must(t, people.SaveFactor(ctx, password("factor_1", ann, "one")))
		must(t, people.SaveFactor(ctx, password("factor_1", ann, "two")))
		must(t, people.SaveFactor(ctx, password("factor_2", ann, "three")))
		must(t, people.SaveFactor(ctx, password("factor_3", bob, "bob's")))
		got, err := people.Person(ctx, ann.ID)
		must(t, err)
		if len(got.Factors) != 1 || got.Factors[0].Secret.Reveal() != "three" {
			t.Fatalf("got %+v", got.Factors)
		}
		// Nobody takes over a factor by its id.
		wantKind(t, people.SaveFactor(ctx, password("factor_3", ann, "mine now")), problem.Conflict)
		if got, err := people.Person(ctx, bob.ID); err != nil || got.Factors[0].Secret.Reveal() != "bob's" {
			t.Fatalf("bob has %+v, %v", got.Factors, err)
		}
	})
}

func TestASecretMovedToAnotherRowDoesNotOpen(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people := within(t), storage.NewPeople(db)
		ann, eve := person(t, db, "Ann"), person(t, db, "Eve")
		for u, id := range map[identity.UserID]identity.FactorID{ann.ID: "factor_ann", eve.ID: "factor_eve"} {
			must(t, people.SaveFactor(ctx, identity.Factor{ID: id, UserID: u, Method: identity.Password, Secret: secret.NewString("hash of " + string(id))}))
		}
		storage.Pretend(t, db, "UPDATE factors SET secret = (SELECT secret FROM factors WHERE id = 'factor_eve') WHERE id = 'factor_ann'")
		if _, err := people.Person(ctx, ann.ID); err == nil {
			t.Fatal("Eve's password works for Ann")
		}
	})
}

func TestOperatorsFindPeople(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people, admin := within(t), storage.NewPeople(db), storage.NewAdmin(db)
		var ids []identity.UserID
		for i, name := range []string{"Ann", "Örjan", "100%_sure!"} {
			u := identity.User{
				ID: identity.UserID(secret.NewID("user")), Status: identity.Active, Operator: i == 1,
				ExternalID: "ext-" + name, Profile: identity.Profile{Name: name},
			}
			must(t, people.SaveUser(ctx, u))
			must(t, people.SaveHolding(ctx, holding(u, strings.ToLower(name[:1])+"person@example.org", true)))
			ids = append(ids, u.ID)
		}
		slices.Reverse(ids) // newest first
		for text, want := range map[string][]identity.UserID{
			"":            ids,
			"ann":         {ids[2]},
			"aperson":     {ids[2]},
			"ÖRJ":         {ids[1]},
			"ext-Örjan":   {ids[1]},
			"%_s":         {ids[0]},
			"sure!":       {ids[0]},
			"n%n":         nil, // no wildcard
			"nobody":      nil,
			"example.org": ids,
		} {
			got, err := admin.People(ctx, text, "", 10)
			must(t, err)
			var found []identity.UserID
			for _, p := range got {
				found = append(found, p.User.ID)
				if len(p.Holdings) != 1 || p.Holdings[0].UserID != p.User.ID {
					t.Errorf("%s came with %+v", p.User.ID, p.Holdings)
				}
			}
			if !slices.Equal(found, want) {
				t.Errorf("%q found %v, want %v", text, found, want)
			}
		}
		if page, err := admin.People(ctx, "", ids[0], 1); err != nil || len(page) != 1 || page[0].User.ID != ids[1] {
			t.Errorf("second page %v, %v", page, err)
		}
		if id, err := admin.ByExternalID(ctx, "ext-Ann"); err != nil || id != ids[2] {
			t.Errorf("by external id %s, %v", id, err)
		}
		if there, err := admin.OperatorExists(ctx); err != nil || !there {
			t.Errorf("operator exists: %v, %v", there, err)
		}
	})
}

func TestAnOperatorLinkWorksOnceUntilItExpiresOrANewerIsMade(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, admin := within(t), storage.NewAdmin(db)
		must(t, admin.SaveOperatorLink(ctx, "older", noon, noon.Add(time.Hour)))
		must(t, admin.SaveOperatorLink(ctx, "newer", noon, noon.Add(time.Hour)))
		wantKind(t, admin.OperatorLink(ctx, "older", noon), problem.NotFound)
		wantKind(t, admin.UseOperatorLink(ctx, "older", noon), problem.NotFound)
		wantKind(t, admin.UseOperatorLink(ctx, "newer", noon.Add(time.Hour)), problem.NotFound)
		must(t, admin.OperatorLink(ctx, "newer", noon))
		must(t, admin.UseOperatorLink(ctx, "newer", noon))
		wantKind(t, admin.OperatorLink(ctx, "newer", noon), problem.NotFound)
		wantKind(t, admin.UseOperatorLink(ctx, "newer", noon), problem.NotFound)
	})
}
