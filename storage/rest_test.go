package storage_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"idp/event"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestEventsAreListedNewestFirstAndNarrowed(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, events := within(t), storage.NewEvents(db)
		full := event.Event{
			ID: "event_x", At: noon.Add(time.Hour), Kind: event.SignInSucceeded, Actor: "user_1", User: "user_1", Client: "client_1",
			Session: "sess_1", Network: "192.0.2.1", Detail: map[string]string{"method": "password"},
		}
		must(t, events.Record(ctx, event.Event{At: noon, Kind: event.UserCreated, User: "user_1"}))
		must(t, events.Record(ctx, full))
		must(t, events.Record(ctx, event.Event{At: noon.Add(time.Minute), Kind: event.UserCreated, User: "user_2"}))
		all, err := events.List(ctx, storage.EventFilter{})
		must(t, err)
		if len(all) != 3 || !reflect.DeepEqual(all[0], full) || all[2].User != "user_1" || all[2].ID == "" {
			t.Fatalf("got %+v", all)
		}
		for filter, want := range map[storage.EventFilter]int{
			{Kind: event.UserCreated}:                 2,
			{User: "user_1"}:                          2,
			{User: "user_1", Kind: event.UserCreated}: 1,
			{Limit: 1}:       1,
			{User: "user_3"}: 0,
		} {
			if got, err := events.List(ctx, filter); err != nil || len(got) != want {
				t.Errorf("%+v: %d, %v", filter, len(got), err)
			}
		}
		must(t, events.Record(ctx, event.Event{Kind: event.KeyRotated}))
		if got, err := events.List(ctx, storage.EventFilter{Kind: event.KeyRotated}); err != nil || got[0].At.IsZero() {
			t.Errorf("without a time: %+v, %v", got, err)
		}
	})
}

func TestSettingsHaveOneAuthorAtATime(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, settings := within(t), storage.NewSettings(db)
		if body, version, err := settings.Settings(ctx); body != nil || version != 0 || err != nil {
			t.Fatalf("before the first save: %s %d %v", body, version, err)
		}
		wantKind(t, settings.SaveSettings(ctx, []byte(`{}`), 7), problem.Conflict)
		must(t, settings.SaveSettings(ctx, []byte(`{"a":1}`), 0))
		must(t, settings.SaveSettings(ctx, []byte(`{"a":"2?"}`), 1))
		for _, stale := range []int64{0, 1, 3} {
			wantKind(t, settings.SaveSettings(ctx, []byte(`{}`), stale), problem.Conflict)
		}
		if body, version, err := settings.Settings(ctx); string(body) != `{"a":"2?"}` || version != 2 || err != nil {
			t.Fatalf("got %s %d %v", body, version, err)
		}
		if v, err := db.Versions(ctx); err != nil || v["settings"] != 2 {
			t.Fatalf("replicas see %v, %v", v, err)
		}
	})
}

func TestTheInboxKeepsALetterOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, inbox := within(t), storage.NewInbox(db)
		l := message.Letter{ID: "letter_1", To: "Ann@example.org", Kind: "sign_in", Subject: "Hi", Text: "123456", Code: "123456", SentAt: noon}
		must(t, inbox.Keep(ctx, l))
		must(t, inbox.Keep(ctx, l))
		must(t, inbox.Keep(ctx, message.Letter{ID: "letter_2", To: "bob@example.org", SentAt: noon.Add(time.Second)}))
		if got, err := inbox.Letters(ctx, "ann@example.org"); err != nil || len(got) != 1 || got[0] != l {
			t.Fatalf("to Ann: %+v, %v", got, err)
		}
		if got, err := inbox.Letters(ctx, ""); err != nil || len(got) != 2 || got[0].ID != "letter_2" {
			t.Fatalf("to all: %+v, %v", got, err)
		}
		must(t, inbox.Empty(ctx))
		if got, err := inbox.Letters(ctx, ""); err != nil || len(got) != 0 {
			t.Fatalf("emptied: %+v, %v", got, err)
		}
	})
}

func TestSweepTakesWhatIsOverAndLeavesWhatIsNot(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := within(t)
		logins, sessions, inbox, throttle := storage.NewLogin(db), storage.NewSessions(db), storage.NewInbox(db), storage.NewThrottle(db)
		undos, checks := storage.NewUndos(db), storage.NewChecks(db)
		u := person(t, db, "Ann")
		now := noon.AddDate(0, 0, 200)
		old, young := present(t, db, u, "browser_1"), present(t, db, u, "browser_2")
		young.LastActiveAt, young.ExpiresAt = now, now.AddDate(0, 0, 1)
		must(t, sessions.SaveSession(ctx, young))
		for i, at := range []time.Time{noon, now} {
			id := fmt.Sprint(i)
			must(t, logins.SaveAttempt(ctx, login.Attempt{ID: login.AttemptID(id), ExpiresAt: at}))
			must(t, logins.SaveAsk(ctx, login.Ask{ID: login.AskID(id), ExpiresAt: at}))
			must(t, inbox.Keep(ctx, message.Letter{ID: id, SentAt: at}))
			_, err := throttle.Reserve(ctx, []login.Budget{{Key: id, Limit: 1, Window: time.Hour}}, at)
			must(t, err)
			must(t, logins.SaveInvitation(ctx, login.Invitation{ID: id, Token: secret.DigestOf(id), ExpiresAt: at}))
			must(t, undos.SaveUndo(ctx, login.Undo{ID: login.UndoID(id), User: u.ID, Kind: login.FactorAdded, CreatedAt: at, ExpiresAt: at.Add(time.Hour)}))
			must(t, checks.UseCheck(ctx, secret.DigestOf(id), at.Add(time.Hour)))
		}
		// For a day a link that is too old still says so.
		must(t, undos.SaveUndo(ctx, login.Undo{ID: "yesterday", User: u.ID, Kind: login.FactorAdded, CreatedAt: noon, ExpiresAt: now.Add(-23 * time.Hour)}))
		for _, b := range []session.BrowserID{"browser_1", "browser_2", "browser_3"} {
			must(t, sessions.SaveBrowser(ctx, session.Browser{ID: b, SeenAt: noon}))
		}
		// Whoever opens pages without end leaves browsers behind that nobody signs in on.
		must(t, sessions.SaveBrowser(ctx, session.Browser{ID: "browser_flood", SeenAt: now.Add(-25 * time.Hour)}))
		must(t, sessions.SaveBrowser(ctx, session.Browser{ID: "browser_today", SeenAt: now.Add(-time.Hour)}))
		n, err := storage.SweepAt(ctx, db, now)
		must(t, err)
		if n != 11 { // attempt, ask, letter, throttle, invitation, undo, bot check, session, three browsers
			t.Fatalf("%d rows went", n)
		}
		_, err = sessions.Session(ctx, old.ID)
		wantKind(t, err, problem.NotFound)
		_, err = sessions.Session(ctx, young.ID)
		must(t, err)
		_, err = sessions.Browser(ctx, "browser_2")
		must(t, err)
		_, err = sessions.Browser(ctx, "browser_today")
		must(t, err)
		_, err = logins.Attempt(ctx, "1")
		must(t, err)
		_, err = undos.Undo(ctx, "0")
		wantKind(t, err, problem.NotFound)
		for _, id := range []login.UndoID{"1", "yesterday"} {
			_, err = undos.Undo(ctx, id)
			must(t, err)
		}
		wantKind(t, checks.UseCheck(ctx, secret.DigestOf("1"), now), problem.Conflict)
		if n, err := storage.SweepAt(ctx, db, now); n != 0 || err != nil {
			t.Fatalf("a second sweep took %d, %v", n, err)
		}
	})
}
