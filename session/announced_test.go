package session_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"idp/identity"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestWhoeverEndsASessionItIsSaidOnceAndTogetherWithIt(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		clock := storagetest.NewClock()
		var told []session.ID
		var trouble error
		store := session.Announced{Store: storage.NewSessions(db), InTx: db.InTx, Tell: func(_ context.Context, ended []session.ID) error {
			told = append(told, ended...)
			return trouble
		}}
		k := &session.Keeper{Store: store, Events: storage.NewEvents(db), InTx: db.InTx, Now: clock.Now}
		sessiontest.Serve(t, k, storagetest.Box())
		ann := identity.UserID("user_ann")
		must(t, storage.NewPeople(db).SaveUser(t.Context(), identity.User{ID: ann, Status: identity.Active, CreatedAt: clock.Now(), UpdatedAt: clock.Now()}))
		one, _ := sessiontest.SignIn(t, k, ann)
		two, _ := sessiontest.SignIn(t, k, ann)
		three, _ := sessiontest.SignIn(t, k, ann)

		trouble = errors.New("no queue")
		if k.End(t.Context(), one, "system") == nil || !alive(t, k, one) {
			t.Fatal("a session ended of which nobody could be told")
		}
		if ended, err := store.EndOthers(t.Context(), ann, "", clock.Now()); err == nil || len(ended) != 0 || !alive(t, k, two) {
			t.Fatal("sessions ended of which nobody could be told")
		}
		told, trouble = nil, nil
		must(t, k.End(t.Context(), one, "system"))
		must(t, k.End(t.Context(), one, "system"))
		if !slices.Equal(told, []session.ID{one.ID}) {
			t.Errorf("told of %v", told)
		}
		told = nil
		must(t, k.EndOthers(t.Context(), ann, three.ID, "system"))
		must(t, k.EndOthers(t.Context(), ann, three.ID, "system"))
		if !slices.Equal(told, []session.ID{two.ID}) || !alive(t, k, three) {
			t.Errorf("told of %v", told)
		}
	})
}

func alive(t *testing.T, k *session.Keeper, s session.Session) bool {
	t.Helper()
	kept, err := k.Store.Session(t.Context(), s.ID)
	must(t, err)
	return kept.Alive(k.Now())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
