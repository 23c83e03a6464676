package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"idp/identity"
	"idp/internal/problem"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestTheBrowsersStateSaysWhenSomebodyElseIsSignedInAndNothingMore(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		clock := storagetest.NewClock()
		k := &session.Keeper{Store: storage.NewSessions(db), Events: storage.NewEvents(db), InTx: db.InTx, Now: clock.Now}
		sessiontest.Serve(t, k, storagetest.Box())
		k.Cookies, k.StateKey = session.NewCookies(true, "", ""), storagetest.Box().Key("browser state")
		var people []identity.UserID
		for _, id := range []identity.UserID{"user_ann", "user_bob"} {
			must(t, storage.NewPeople(db).SaveUser(t.Context(), identity.User{ID: id, Status: identity.Active, CreatedAt: clock.Now(), UpdatedAt: clock.Now()}))
			people = append(people, id)
		}
		ann, cookie := sessiontest.SignIn(t, k, people[0])
		shown := func() string {
			t.Helper()
			r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
			r.AddCookie(cookie)
			state, err := k.ShowState(w, r)
			must(t, err)
			made := w.Result().Cookies()
			if len(made) != 1 || made[0].Name != k.Cookies.StateName() || state != "" && state != made[0].Value {
				t.Fatalf("state %q, cookies %v", state, made)
			}
			return made[0].Value
		}
		anns := shown()
		if shown() != anns {
			t.Error("the state moves by being looked at")
		}
		bob, _ := sessiontest.SignIn(t, k, people[1], cookie)
		bobs := shown()
		b, err := k.Store.Browser(t.Context(), ann.Browser)
		must(t, err)
		must(t, k.Switch(t.Context(), b, ann.ID))
		if bobs == anns || shown() != anns {
			t.Errorf("ann %q, bob %q, ann again %q", anns, bobs, shown())
		}
		elsewhere, _ := sessiontest.SignIn(t, k, people[0])
		must(t, k.End(t.Context(), elsewhere, "system"))
		if shown() != anns {
			t.Error("the state moves by what happens on another browser")
		}
		must(t, k.End(t.Context(), ann, "system"))
		if shown() != bobs {
			t.Error("ann left, and it is not bob's turn")
		}
		must(t, k.End(t.Context(), bob, "system"))
		if got := shown(); got != "nobody" {
			t.Errorf("nobody is there, and the state is %q", got)
		}
		k.StateKey = nil
		w := httptest.NewRecorder()
		if state, err := k.ShowState(w, httptest.NewRequest(http.MethodGet, "/", nil)); err != nil || state != "" || k.ShowStateOf(w, b.ID, ann.ID) != "" || len(w.Result().Cookies()) != 0 {
			t.Error("session management is off, and there is a state")
		}
	})
}

func TestSwitchingWhileSomebodySignsInDoesNotBringTheOldSecretBack(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		clock := storagetest.NewClock()
		k := &session.Keeper{Store: storage.NewSessions(db), Events: storage.NewEvents(db), InTx: db.InTx, Now: clock.Now}
		sessiontest.Serve(t, k, storagetest.Box())
		must(t, storage.NewPeople(db).SaveUser(t.Context(), identity.User{ID: "user_eve", Status: identity.Active, CreatedAt: clock.Now(), UpdatedAt: clock.Now()}))
		eve, _ := sessiontest.SignIn(t, k, "user_eve")
		planted, err := k.Store.Browser(t.Context(), eve.Browser)
		must(t, err)
		renewed := planted // by somebody who signs in before eve's switch is written
		renewed.Active, renewed.Digest = "session_ann", "of another secret"
		must(t, k.Store.SaveBrowser(t.Context(), renewed))
		if err := k.Switch(t.Context(), planted, eve.ID); !problem.HasCode(err, session.ErrUnknown.Code) {
			t.Errorf("the switch: %v", err)
		}
		if got, err := k.Store.Browser(t.Context(), eve.Browser); err != nil || got != renewed {
			t.Errorf("the browser is %+v, %v", got, err)
		}
	})
}
