package storage_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestATransactionIsAllOrNothingAndNestedOnesJoin(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people := within(t), storage.NewPeople(db)
		boom := errors.New("boom")
		u := identity.User{ID: "user_1", Status: identity.Active, CreatedAt: noon, UpdatedAt: noon}
		err := db.InTx(ctx, func(ctx context.Context) error {
			must(t, db.InTx(ctx, func(ctx context.Context) error { return people.SaveUser(ctx, u) }))
			if _, err := people.Person(ctx, u.ID); err != nil {
				t.Errorf("inside, its own write is invisible: %v", err)
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		_, err = people.Person(ctx, u.ID)
		wantKind(t, err, problem.NotFound)
	})
}

func TestOneConnectionIsEnough(t *testing.T) {
	url := storagetest.Postgres(t)
	db, err := storage.Open(t.Context(), storage.Options{URL: url, Box: storagetest.Box(), Now: time.Now, MaxConns: 1})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	everythingAtOnce(t, db)
}

func TestTheSingleWriterIsNeverAskedTwice(t *testing.T) {
	everythingAtOnce(t, storagetest.Open(t))
}

// everythingAtOnce drives each store from 32 goroutines, within transactions that nest.
func everythingAtOnce(t *testing.T, db *storage.DB) {
	t.Helper()
	ctx := within(t)
	people, sessions, logins := storage.NewPeople(db), storage.NewSessions(db), storage.NewLogin(db)
	throttle, events, consents, admin := storage.NewThrottle(db), storage.NewEvents(db), storage.NewConsent(db), storage.NewAdmin(db)
	queue, settings, inbox := queueOf(t, db), storage.NewSettings(db), storage.NewInbox(db)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			u := identity.User{ID: identity.UserID(secret.NewID("user")), Status: identity.Active, CreatedAt: noon, UpdatedAt: noon}
			err := db.InTx(ctx, func(ctx context.Context) error {
				return errors.Join(
					people.SaveUser(ctx, u),
					people.SaveHolding(ctx, holding(u, string(u.ID)+"@example.org", true)),
					people.SaveFactor(ctx, identity.Factor{ID: identity.FactorID(u.ID), UserID: u.ID, Method: identity.Password, Secret: secret.NewString("hash")}),
					second(people.Person(ctx, u.ID)),
					sessions.SaveSession(ctx, session.Session{ID: session.ID(u.ID), Browser: "b", User: u.ID, ExpiresAt: noon, LastActiveAt: noon}),
					second(sessions.OfUser(ctx, u.ID)),
					logins.SaveAttempt(ctx, login.Attempt{ID: login.AttemptID(u.ID)}),
					second(logins.Attempt(ctx, login.AttemptID(u.ID))),
					second(throttle.Reserve(ctx, []login.Budget{{Key: "all", Limit: 100, Window: 1e9}}, noon)),
					throttle.Release(ctx, []string{"all"}, noon),
					events.Record(ctx, event.Event{Kind: event.UserCreated}),
					second(events.List(ctx, storage.EventFilter{Limit: 1})),
					second(consents.Grants(ctx, u.ID)),
					second(consents.DropGrant(ctx, u.ID, "client", noon)),
					second(admin.People(ctx, "", "", 2)),
					queue.Enqueue(ctx, anyJob),
					second(inbox.Letters(ctx, "")),
					second(db.Versions(ctx)),
				)
			})
			if err != nil {
				t.Error(err)
			}
			if _, _, err := settings.Settings(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func second[T any](_ T, err error) error { return err }

func TestOf64RacersOneWins(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		ctx := within(t)
		// Two handles, as two processes have.
		a, b := storagetest.OpenURL(t, url, nil), storagetest.OpenURL(t, url, nil)
		must(t, storage.NewLogin(a).SaveAsk(ctx, login.Ask{ID: "ask_1", ExpiresAt: noon}))
		must(t, storage.NewLogin(a).SaveInvitation(ctx, login.Invitation{ID: "inv_1", Token: "digest", ExpiresAt: noon.AddDate(1, 0, 0)}))
		must(t, storage.NewAdmin(a).SaveOperatorLink(ctx, "link", noon, noon.AddDate(1, 0, 0)))
		must(t, storage.NewLogin(a).SaveAttempt(ctx, login.Attempt{ID: "att_1"}))
		u := person(t, a, "Ann")
		s := present(t, a, u, "browser_1")
		races := map[string]func(db *storage.DB) error{
			"use an ask":        func(db *storage.DB) error { return storage.NewLogin(db).UseAsk(ctx, "ask_1", noon) },
			"use an invitation": func(db *storage.DB) error { return storage.NewLogin(db).UseInvitation(ctx, "inv_1", noon) },
			"claim operator":    func(db *storage.DB) error { return storage.NewAdmin(db).UseOperatorLink(ctx, "link", noon) },
			"save one version": func(db *storage.DB) error {
				return storage.NewLogin(db).SaveAttempt(ctx, login.Attempt{ID: "att_1", Version: 1})
			},
			"save first version": func(db *storage.DB) error { return storage.NewLogin(db).SaveAttempt(ctx, login.Attempt{ID: "att_2"}) },
			"first settings":     func(db *storage.DB) error { return storage.NewSettings(db).SaveSettings(ctx, []byte("{}"), 0) },
			"end a session": func(db *storage.DB) error {
				ended, err := storage.NewSessions(db).End(ctx, s.ID, noon)
				if err == nil && !ended {
					return problem.New(problem.Conflict, "late", "")
				}
				return err
			},
			"take an address": func(db *storage.DB) error {
				id := identity.UserID(secret.NewID("user"))
				return db.InTx(ctx, func(ctx context.Context) error {
					u := identity.User{ID: id, Status: identity.Active}
					if err := storage.NewPeople(db).SaveUser(ctx, u); err != nil {
						return err
					}
					return storage.NewPeople(db).SaveHolding(ctx, holding(u, "raced@example.org", true))
				})
			},
		}
		for name, race := range races {
			t.Run(name, func(t *testing.T) {
				var all sync.WaitGroup
				var won atomic.Int32
				start := make(chan struct{})
				for i := range 64 {
					db := a
					if i%2 == 1 {
						db = b
					}
					all.Go(func() {
						<-start
						switch err := race(db); {
						case err == nil:
							won.Add(1)
						case !problem.Is(err, problem.Conflict) && !problem.Is(err, problem.NotFound):
							t.Error(err)
						}
					})
				}
				close(start)
				all.Wait()
				if won.Load() != 1 {
					t.Fatalf("%d of 64 won", won.Load())
				}
			})
		}
	})
}

func TestATransactionThatLostADeadlockIsRunAgain(t *testing.T) {
	db := storagetest.OpenURL(t, storagetest.Postgres(t), nil)
	ctx := within(t)
	must(t, db.InTx(ctx, func(ctx context.Context) error {
		return errors.Join(storage.Bump(ctx, db, "one"), storage.Bump(ctx, db, "two"))
	}))
	var all, both sync.WaitGroup
	both.Add(2)
	for _, order := range [][2]string{{"one", "two"}, {"two", "one"}} {
		all.Go(func() {
			meet := sync.OnceFunc(func() {
				both.Done()
				both.Wait() // now each holds what the other wants
			})
			err := db.InTx(ctx, func(ctx context.Context) error {
				if err := storage.Bump(ctx, db, order[0]); err != nil {
					return err
				}
				meet()
				return storage.Bump(ctx, db, order[1])
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := db.Versions(ctx)
	must(t, err)
	if got["one"] != 3 || got["two"] != 3 {
		t.Fatalf("a lost update: %v", got)
	}
}

func TestTwoProcessesLoseNoUpdate(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		ctx := within(t)
		a, b := storagetest.OpenURL(t, url, nil), storagetest.OpenURL(t, url, nil)
		must(t, storage.NewSettings(a).SaveSettings(ctx, []byte("{}"), 0))
		var all sync.WaitGroup
		for i := range 64 {
			db := a
			if i%2 == 1 {
				db = b
			}
			all.Go(func() {
				err := db.InTx(ctx, func(ctx context.Context) error {
					return errors.Join(storage.Bump(ctx, db, "one"), storage.Bump(ctx, db, "two"))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got, err := a.Versions(ctx)
		must(t, err)
		if got["one"] != 64 || got["two"] != 64 || got["settings"] != 1 {
			t.Fatalf("a lost update: %v", got)
		}
	})
}
