package federation_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"idp/event"
	"idp/federation"
	"idp/storage"
	"idp/storage/storagetest"
)

// watched is a process that watches what a provider sends.
type watched struct {
	*testing.T
	f  *federation.Federation
	c  federation.Connection
	db *storage.DB
	n  int
}

func newWatched(t *testing.T, db *storage.DB) *watched {
	return &watched{
		T: t, db: db, c: federation.Connection{Name: "acme", Type: federation.OIDC},
		f: &federation.Federation{Habits: storage.NewHabits(db), Events: storage.NewEvents(db)},
	}
}

const (
	stated = `"email":"bob@acme.example","email_verified":false`
	mailed = `"email":"bob@acme.example"`
	silent = `"email":""`
)

// comes lets so many different people in, each with such claims.
func (w *watched) comes(people int, claims string) {
	w.Helper()
	for range people {
		w.n++
		w.person(fmt.Sprintf("person-%d", w.n), claims)
	}
}

func (w *watched) person(sub, claims string) {
	w.Helper()
	a := judged(w.T, w.f, w.c, `{"sub":"`+sub+`",`+claims+`}`)
	if err := w.f.Observe(context.Background(), w.c, a); err != nil {
		w.Fatal(err)
	}
}

// told returns the changes that were told so far, the newest first.
func (w *watched) told() (all []string) {
	w.Helper()
	list, err := storage.NewEvents(w.db).List(context.Background(), storage.EventFilter{Kind: event.EmailClaimChanged})
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range list {
		all = append(all, e.Detail["connection"]+": "+e.Detail["was"]+" → "+e.Detail["now"])
	}
	return all
}

func (w *watched) want(changes ...string) {
	w.Helper()
	if got := w.told(); fmt.Sprint(got) != fmt.Sprint(changes) {
		w.Errorf("told %v, want %v", got, changes)
	}
}

func TestAProviderThatStopsSendingItsClaimIsToldOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		w := newWatched(t, db)
		w.comes(9, stated)
		w.want()
		w.comes(4, mailed)
		w.want()
		w.comes(9, mailed)
		w.want("acme: address_and_statement → address")
		w.comes(5, silent)
		w.want("acme: address → no_address", "acme: address_and_statement → address")
		w.comes(5, stated)
		if got := w.told(); len(got) != 3 || got[0] != "acme: no_address → address_and_statement" {
			t.Errorf("told %v", got)
		}
	})
}

func TestSinglePeopleWithoutAddressAreNoChange(t *testing.T) {
	w := newWatched(t, storagetest.Open(t))
	w.comes(5, stated)
	for range 20 { // one who keeps their address to themselves, again and again
		w.person("shy", silent)
	}
	w.want()
	w.comes(1, stated)
	for range 20 { // some of them, with others between
		w.comes(4, silent)
		w.comes(1, stated)
	}
	for range 20 { // people who differ, each in another way
		w.comes(1, silent)
		w.comes(1, mailed)
	}
	w.want()
}

func TestOneReplicaTellsOfAChangeAndTheOthersLearnIt(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		one, two := newWatched(t, db), newWatched(t, db)
		two.n = 1000
		one.comes(5, stated)
		two.comes(5, stated)
		one.comes(5, mailed)
		two.comes(5, mailed)
		one.want("acme: address_and_statement → address")
		two.comes(5, stated)
		one.comes(5, stated)
		if got := one.told(); len(got) != 2 {
			t.Errorf("told %v", got)
		}
	})
}

// tallied counts what is asked of the store, and fails when it is told to.
type tallied struct {
	federation.Habits
	calls int
	fail  error
}

func (c *tallied) Habit(ctx context.Context, connection string) (federation.Habit, error) {
	c.calls++
	if c.fail != nil {
		return "", c.fail
	}
	return c.Habits.Habit(ctx, connection)
}

func (c *tallied) ChangeHabit(ctx context.Context, connection string, was, now federation.Habit, also func(ctx context.Context) error) (bool, error) {
	c.calls++
	if c.fail != nil {
		return false, c.fail
	}
	return c.Habits.ChangeHabit(ctx, connection, was, now, also)
}

func TestWhileAllIsAsUsualNothingIsReadOrWritten(t *testing.T) {
	w := newWatched(t, storagetest.Open(t))
	store := &tallied{Habits: w.f.Habits}
	w.f.Habits = store
	w.comes(6, stated)
	before := store.calls
	w.comes(50, stated)
	w.comes(4, mailed)
	if store.calls != before {
		t.Errorf("%d calls of the store in ordinary sign-ins", store.calls-before)
	}
	store.fail = errors.New("the database is away")
	a := judged(t, w.f, w.c, `{"sub":"late",`+mailed+`}`)
	if err := w.f.Observe(context.Background(), w.c, a); !errors.Is(err, store.fail) {
		t.Errorf("what could not be written was forgotten: %v", err)
	}
	store.fail = nil
	w.comes(5, mailed)
	w.want("acme: address_and_statement → address")
}

func TestWhateverAProviderStopsSendingItsAddressIsUnverified(t *testing.T) {
	for _, s := range shapes {
		for at := range s.yes {
			if a := assertion(t, s, with(t, s.claims(t), at, gone)); a.Verdict.Verified {
				t.Errorf("%s without %s: %+v", s.preset, at, a.Verdict)
			}
		}
		if s.mail == "" {
			continue
		}
		if a := assertion(t, s, with(t, s.claims(t), s.mail, gone)); a.Verdict.Verified || !a.Email.None() {
			t.Errorf("%s without an address: %+v", s.preset, a)
		}
	}
}
