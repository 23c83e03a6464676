package storage_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idp/identity"
	"idp/internal/problem"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/token"
)

func TestOneReadTellsOfASessionWhatTheOthersTellTogether(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, people, sessions := within(t), storage.NewPeople(db), storage.NewSessions(db)
		u := identity.User{
			ID: "user_1", Status: identity.Banned, Operator: true, Groups: []string{"staff"}, Roles: []string{"editor"}, ExternalID: "old-7",
			Profile: identity.Profile{Name: "Ann"}, CreatedAt: noon, UpdatedAt: noon.Add(time.Microsecond),
			Metadata: identity.Metadata{Public: []byte(`{"plan":"pro"}`), Private: []byte(`{"crm":17}`), Own: []byte(`{"theme":"dark"}`)},
		}
		must(t, people.SaveUser(ctx, u))
		must(t, sessions.SaveBrowser(ctx, session.Browser{ID: "browser_1", Digest: "digest", CreatedAt: noon, SeenAt: noon}))
		s := present(t, db, u, "browser_1")
		read := func() token.Standing {
			t.Helper()
			got, err := storage.NewStandings(db).Standing(ctx, s.ID)
			must(t, err)
			return got
		}
		want := token.Standing{Browser: "digest"}
		compare := func(why string) {
			t.Helper()
			p, err := people.Person(ctx, u.ID)
			must(t, err)
			want.User = p.User
			want.Session, err = sessions.Session(ctx, s.ID)
			must(t, err)
			if diff := cmp.Diff(want, read()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", why, diff)
			}
		}
		compare("without addresses")
		for _, h := range []identity.Holding{
			{ID: "addr_1", Identifier: identity.Identifier{Kind: identity.Email, Value: "a@example.com"}, VerifiedAt: noon},
			{ID: "addr_2", Identifier: identity.Identifier{Kind: identity.Email, Value: "main@example.com"}, Primary: true, VerifiedAt: noon},
			{ID: "addr_3", Identifier: identity.Identifier{Kind: identity.Phone, Value: "+4366012345"}, Primary: true},
		} {
			h.UserID, h.CreatedAt = u.ID, noon
			must(t, people.SaveHolding(ctx, h))
		}
		want.Email = identity.Holding{UserID: u.ID, Identifier: identity.Identifier{Kind: identity.Email, Value: "main@example.com"}, Primary: true, VerifiedAt: noon}
		want.Phone = identity.Holding{UserID: u.ID, Identifier: identity.Identifier{Kind: identity.Phone, Value: "+4366012345"}, Primary: true}
		compare("with addresses")
		must(t, storage.NewStandings(db).Touch(ctx, s.ID, "192.0.2.7", noon.Add(time.Minute)))
		compare("used")
		_, err := sessions.End(ctx, s.ID, noon.Add(time.Hour))
		must(t, err)
		compare("ended")
		_, err = storage.NewStandings(db).Standing(ctx, "session_2")
		wantKind(t, err, problem.NotFound)
	})
}
