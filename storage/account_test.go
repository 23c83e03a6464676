package storage_test

import (
	"fmt"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestAnAddressLeavesItsOwnersFileOnly(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people, accounts := t.Context(), storage.NewPeople(db), storage.NewAccount(db)
		ann, eve := person(t, db, "Ann").ID, person(t, db, "Eve").ID
		h := identity.Holding{ID: "holding_1", UserID: ann, Identifier: identity.Identifier{Kind: identity.Email, Value: "ann@example.com"}, CreatedAt: noon}
		must(t, people.SaveHolding(ctx, h))
		if err := accounts.DropHolding(ctx, eve, h.ID); !problem.Is(err, problem.NotFound) {
			t.Fatalf("another's: %v", err)
		}
		must(t, accounts.DropHolding(ctx, ann, h.ID))
		if err := accounts.DropHolding(ctx, ann, h.ID); !problem.Is(err, problem.NotFound) {
			t.Errorf("one that is gone: %v", err)
		}
	})
}

func TestWhatHappenedToAPersonOutlivesThem(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people, accounts, events := t.Context(), storage.NewPeople(db), storage.NewAccount(db), storage.NewEvents(db)
		ann, eve := person(t, db, "Ann").ID, person(t, db, "Eve").ID
		for i, u := range []identity.UserID{ann, eve, ann, ann} {
			must(t, events.Record(ctx, event.Event{At: noon.Add(time.Duration(i) * time.Second), Kind: event.UserUpdated, User: string(u)}))
		}
		must(t, people.SaveFactor(ctx, identity.Factor{ID: "factor_1", UserID: ann, Method: identity.Password, Secret: secret.NewString("x"), CreatedAt: noon}))
		must(t, accounts.DropUser(ctx, ann))
		if err := accounts.DropUser(ctx, ann); !problem.Is(err, problem.NotFound) {
			t.Errorf("a second time: %v", err)
		}
		if _, err := people.Person(ctx, ann); !problem.Is(err, problem.NotFound) {
			t.Errorf("they are still there: %v", err)
		}
		all, err := accounts.EventsOf(ctx, ann, 2)
		must(t, err)
		if len(all) != 2 || !all[0].At.Equal(noon.Add(3*time.Second)) || !all[1].At.Equal(noon.Add(2*time.Second)) {
			t.Errorf("the newest two are %+v", all)
		}
	})
}

func TestAnAppWasUsedWhenItLastGotSomethingNew(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, accounts := t.Context(), storage.NewAccount(db)
		at := func(minutes int) string {
			if minutes == 0 {
				return "NULL"
			}
			return fmt.Sprint(noon.Add(time.Duration(minutes) * time.Minute).UnixMicro())
		}
		for i, a := range []struct {
			client, user            string
			created, rotated, ended int
		}{{"one", "ann", 1, 5, 0}, {"one", "ann", 3, 0, 0}, {"two", "ann", 2, 0, 0}, {"over", "ann", 2, 0, 4}, {"two", "eve", 9, 0, 0}} {
			storage.Pretend(t, db, fmt.Sprintf(`
				INSERT INTO authorizations (id, client_id, user_id, session_id, scopes, offline, facts, code, code_expires_at,
					generation, rotated_at, created_at, expires_at, ended_at, ended_why)
				VALUES ('a%d', '%s', 'user_%s', '', '[]', FALSE, '{}', 'c%d', 0, 0, %s, %s, 0, %s, '')`,
				i, a.client, a.user, i, at(a.rotated), at(a.created), at(a.ended)))
		}
		used, err := accounts.AppsUsed(ctx, "user_ann")
		must(t, err)
		if len(used) != 2 || !used["one"].Equal(noon.Add(5*time.Minute)) || !used["two"].Equal(noon.Add(2*time.Minute)) {
			t.Errorf("used: %v", used)
		}
	})
}

func TestAnotherOperatorIsOneWhoMayEnter(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people, accounts := t.Context(), storage.NewPeople(db), storage.NewAccount(db)
		ann, eve := person(t, db, "Ann").ID, person(t, db, "Eve").ID
		other := func() bool {
			t.Helper()
			yes, err := accounts.OtherOperator(ctx, ann)
			must(t, err)
			return yes
		}
		appoint := func(u identity.UserID, s identity.Status) {
			t.Helper()
			p, err := people.Person(ctx, u)
			must(t, err)
			p.User.Operator, p.User.Status = true, s
			must(t, people.SaveUser(ctx, p.User))
		}
		appoint(ann, identity.Active)
		if other() {
			t.Error("ann is another than herself")
		}
		appoint(eve, identity.Banned)
		if other() {
			t.Error("somebody banned counts")
		}
		appoint(eve, identity.Active)
		if !other() {
			t.Error("eve does not count")
		}
	})
}
