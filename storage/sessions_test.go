package storage_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"idp/internal/problem"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestABrowserAndItsSessionComeBackAsSaved(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewSessions(db)
		b := session.Browser{ID: "browser_1", Digest: "digest", UserAgent: "agent", CreatedAt: noon, SeenAt: noon}
		must(t, store.SaveBrowser(ctx, b))
		s := present(t, db, person(t, db, "Ann"), b.ID)
		b.Active, b.SeenAt, b.Digest = s.ID, noon.Add(time.Second), "renewed"
		must(t, store.SaveBrowser(ctx, b))
		s.Public, s.Network = true, "2001:db8::1"
		must(t, store.SaveSession(ctx, s))
		gotB, err := store.Browser(ctx, b.ID)
		must(t, err)
		gotS, err := store.Session(ctx, s.ID)
		must(t, err)
		if gotB != b || !reflect.DeepEqual(gotS, s) {
			t.Fatalf("\n got %+v %+v\nwant %+v %+v", gotB, gotS, b, s)
		}
		_, err = store.Browser(ctx, "browser_2")
		wantKind(t, err, problem.NotFound)
		_, err = store.Session(ctx, "sess_2")
		wantKind(t, err, problem.NotFound)
	})
}

func TestAnEndedSessionStaysEnded(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewSessions(db)
		s := present(t, db, person(t, db, "Ann"), "browser_1")
		for want, wasAlive := range []bool{true, false} {
			if ended, err := store.End(ctx, s.ID, noon); err != nil || ended != wasAlive {
				t.Fatalf("ending it time %d: %v, %v", want+1, ended, err)
			}
		}
		wantKind(t, store.SaveSession(ctx, s), problem.Conflict)
		must(t, store.Touch(ctx, s.ID, "192.0.2.9", noon.Add(time.Minute)))
		got, err := store.Session(ctx, s.ID)
		must(t, err)
		if got.Alive(noon) || !got.EndedAt.Equal(noon) || !got.LastActiveAt.Equal(noon) {
			t.Fatalf("got %+v", got)
		}
	})
}

func TestSessionsAreListedByActivityAndEndedTogether(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewSessions(db)
		ann, bob := person(t, db, "Ann"), person(t, db, "Bob")
		one, two, three := present(t, db, ann, "browser_1"), present(t, db, ann, "browser_2"), present(t, db, ann, "browser_2")
		bobs := present(t, db, bob, "browser_2")
		must(t, store.Touch(ctx, one.ID, "192.0.2.9", noon.Add(time.Minute)))
		must(t, store.Touch(ctx, one.ID, "192.0.2.8", noon.Add(time.Second))) // late news: does not turn the clock back
		ids := func(list []session.Session, err error) (ids []session.ID) {
			t.Helper()
			must(t, err)
			for _, s := range list {
				ids = append(ids, s.ID)
			}
			return ids
		}
		if got := ids(store.OfUser(ctx, ann.ID)); !slices.Equal(got, []session.ID{one.ID, three.ID, two.ID}) {
			t.Fatalf("of Ann: %v", got)
		}
		if got := ids(store.OnBrowser(ctx, "browser_2")); !slices.Equal(got, []session.ID{bobs.ID, three.ID, two.ID}) {
			t.Fatalf("on the browser: %v", got)
		}
		if s, err := store.Session(ctx, one.ID); err != nil || s.Network != "192.0.2.9" || !s.LastActiveAt.Equal(noon.Add(time.Minute)) {
			t.Fatalf("touched: %+v, %v", s, err)
		}
		ended, err := store.EndOthers(ctx, ann.ID, two.ID, noon)
		must(t, err)
		slices.Sort(ended)
		if !slices.Equal(ended, []session.ID{one.ID, three.ID}) {
			t.Fatalf("ended %v", ended)
		}
		if got := ids(store.OfUser(ctx, ann.ID)); !slices.Equal(got, []session.ID{two.ID}) {
			t.Fatalf("left of Ann: %v", got)
		}
		if got := ids(store.OfUser(ctx, bob.ID)); len(got) != 1 {
			t.Fatalf("left of Bob: %v", got)
		}
		if ended, err := store.EndOthers(ctx, ann.ID, "", noon); err != nil || len(ended) != 1 {
			t.Fatalf("ended %v, %v", ended, err)
		}
	})
}
