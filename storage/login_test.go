package storage_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestAnAttemptComesBackAsSavedAndMovesOneVersionAtATime(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewLogin(db)
		a := login.Attempt{
			ID: "att_1", Browser: "browser_1", Goal: login.SignUp, Ask: "ask_1", Identifier: annsAddress, UserID: "user_1", Human: true, Doubted: true,
			Proofs: []identity.Proof{{Method: identity.EmailCode, Category: identity.Knowledge, Credential: "ann@example.org", At: noon}},
			Challenges: map[identity.Method]login.Challenge{identity.EmailCode: {
				Code: "mac", Link: "digest", Target: annsAddress, Tries: 5, SentAt: noon, ExpiresAt: noon.Add(10 * time.Minute), Ceremony: json.RawMessage(`{"challenge":"x"}`),
			}},
			Confirmed: true, Reset: true, Breached: "digest of a breached one", Public: true, Trust: true, Return: "https://app.example.com/", Wrong: 3, Within: "sess_0", SessionID: "sess_1", Network: "mac",
			Draft: login.Draft{Name: "Ann", PasswordHash: secret.NewString("$argon2id$draft"), Locale: "en", Invitation: "inv_1", Address: annsAddress,
				Factor: &login.DraftFactor{Method: identity.TOTP, Name: "App", Secret: secret.NewString("seed"), Counter: 3, Confirmed: true}},
			Upstream: &federation.Assertion{
				Account: identity.ExternalAccount{
					Method: "oauth_acme", Issuer: "https://op.example", Subject: "7", Email: "ann@example.com", Username: "ann",
					Tokens: identity.Tokens{Access: "at", Refresh: "rt", Scope: "openid", ExpiresAt: noon.Add(time.Hour)},
				},
				Email: annsAddress, Profile: identity.Profile{Name: "Ann"}, Vouched: []string{"otp"}, Both: true, AuthTime: noon, Session: "7", NameID: "7",
			},
			Presence:  &federation.Presence{Connection: "acme", Credential: "external:x", Key: "mac", NameID: "<NameID/>", Session: "7"},
			CreatedAt: noon, ExpiresAt: noon.Add(15 * time.Minute), AbandonedAt: noon.Add(time.Minute),
		}
		must(t, store.SaveAttempt(ctx, a))
		wantKind(t, store.SaveAttempt(ctx, a), problem.Conflict) // created already
		a.Version = 1
		got, err := store.Attempt(ctx, a.ID)
		must(t, err)
		// The set of an attempt's fields grows with the engine: each must survive.
		want := a
		want.Network = "" // it is over, and takes no room there
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("\n got %+v\nwant %+v", got, want)
		}
		fields := reflect.ValueOf(a)
		for i := range fields.NumField() {
			if fields.Field(i).IsZero() {
				t.Errorf("this test leaves %s empty and proves nothing about it", fields.Type().Field(i).Name)
			}
		}
		next := a
		next.Draft.PasswordHash, next.AbandonedAt = secret.String{}, time.Time{}
		must(t, store.SaveAttempt(ctx, next))
		wantKind(t, store.SaveAttempt(ctx, next), problem.Conflict)
		got, err = store.Attempt(ctx, a.ID)
		must(t, err)
		if got.Version != 2 || !got.Draft.PasswordHash.Empty() || !got.AbandonedAt.IsZero() {
			t.Fatalf("got %+v", got)
		}
		_, err = store.Attempt(ctx, "att_2")
		wantKind(t, err, problem.NotFound)
	})
}

func someAsk() login.Ask {
	age := time.Minute
	return login.Ask{
		ID: "ask_1", Browser: "browser_1", Party: identity.Party{ID: "client_1", Name: "Acme", FirstParty: true},
		Need:   session.Need{Categories: identity.Both, MaxAge: &age, Anew: true, RequestedAt: noon},
		Scopes: []string{"openid", "email"}, Hint: "ann@example.org", Locales: []string{"de", "en"}, SignUp: true, Choose: true,
		Request: []byte{0, 1, 2, 0xff}, Resume: "/oauth2/resume", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour),
	}
}

func TestAWaitingRequestIsUsedOnceAndThenNeverChanges(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewLogin(db)
		a := someAsk()
		must(t, store.SaveAsk(ctx, a))
		a.Chosen = "sess_1"
		must(t, store.SaveAsk(ctx, a))
		got, err := store.Ask(ctx, a.ID)
		must(t, err)
		if !reflect.DeepEqual(got, a) {
			t.Fatalf("\n got %+v\nwant %+v", got, a)
		}
		must(t, store.UseAsk(ctx, a.ID, noon))
		wantKind(t, store.UseAsk(ctx, a.ID, noon), problem.Conflict)
		wantKind(t, store.SaveAsk(ctx, a), problem.Conflict) // a stale copy revives nothing
		if got, err := store.Ask(ctx, a.ID); err != nil || !got.UsedAt.Equal(noon) {
			t.Fatalf("got %+v, %v", got, err)
		}
		wantKind(t, store.UseAsk(ctx, "ask_2", noon), problem.Conflict)
		_, err = store.Ask(ctx, "ask_2")
		wantKind(t, err, problem.NotFound)
	})
}

func TestAnInvitationIsSpentOnceAndInTime(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewLogin(db)
		i := login.Invitation{ID: "inv_1", Address: annsAddress, Token: "digest", By: "operator:cli", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
		must(t, store.SaveInvitation(ctx, i))
		got, err := store.Invitation(ctx, "digest")
		must(t, err)
		if got != i {
			t.Fatalf("got %+v", got)
		}
		_, err = store.Invitation(ctx, "other")
		wantKind(t, err, problem.NotFound)
		wantKind(t, store.UseInvitation(ctx, i.ID, noon.Add(time.Hour)), problem.Conflict)
		must(t, store.UseInvitation(ctx, i.ID, noon))
		wantKind(t, store.UseInvitation(ctx, i.ID, noon), problem.Conflict)
	})
}

func TestABrowserKnowsWhoSignedInOnIt(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, store := within(t), storage.NewLogin(db)
		ann, bob := person(t, db, "Ann"), person(t, db, "Bob")
		s := present(t, db, ann, "browser_1")
		_, err := storage.NewSessions(db).End(ctx, s.ID, noon)
		must(t, err)
		for _, c := range []struct {
			browser session.BrowserID
			user    identity.UserID
			want    bool
		}{{"browser_1", ann.ID, true}, {"browser_1", bob.ID, false}, {"browser_2", ann.ID, false}} {
			if got, err := store.Knows(ctx, c.browser, c.user); err != nil || got != c.want {
				t.Errorf("%s knows %s: %v, %v", c.browser, c.user, got, err)
			}
		}
	})
}
