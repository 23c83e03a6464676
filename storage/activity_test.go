package storage_test

import (
	"slices"
	"testing"
	"time"

	"idp/admin"
	"idp/identity"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestPeopleAreFoundByWhenTheyWereLastThere(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, activity, sessions := within(t), storage.NewActivity(db), storage.NewSessions(db)
		names := map[identity.UserID]string{}
		made := map[string]identity.User{}
		for _, name := range []string{"never", "long ago", "last week", "today", "ended"} {
			u := person(t, db, name)
			names[u.ID], made[name] = name, u
		}
		day := 24 * time.Hour
		now := noon.Add(300 * day)
		for name, ago := range map[string][]time.Duration{"long ago": {200 * day, 250 * day}, "last week": {7 * day, 9 * day}, "today": {90 * day, time.Minute, 30 * day}, "ended": {2 * day}} {
			for _, a := range ago {
				s := present(t, db, made[name], "browser_1")
				s.LastActiveAt, s.ExpiresAt = now.Add(-a), now.Add(-a).Add(day)
				must(t, sessions.SaveSession(ctx, s))
				if name == "ended" {
					_, err := sessions.End(ctx, s.ID, now.Add(-a))
					must(t, err)
				}
			}
		}
		find := func(s admin.Search) (got []string) {
			t.Helper()
			if s.Limit == 0 {
				s.Limit = 10
			}
			all, err := activity.Search(ctx, s)
			must(t, err)
			for _, f := range all {
				got = append(got, names[f.User.ID])
				at, err := activity.LastActive(ctx, f.User.ID)
				must(t, err)
				if !at.Equal(f.LastActiveAt) {
					t.Errorf("%s was last there %s, and %s", names[f.User.ID], f.LastActiveAt, at)
				}
			}
			return got
		}
		check := func(when string) {
			t.Helper()
			for why, c := range map[string]struct {
				s    admin.Search
				want []string
			}{
				"newest first":       {admin.Search{}, []string{"ended", "today", "last week", "long ago", "never"}},
				"by activity":        {admin.Search{ByActivity: true}, []string{"today", "ended", "last week", "long ago", "never"}},
				"active, a day":      {admin.Search{ActiveSince: now.Add(-day)}, []string{"today"}},
				"active, 8 days":     {admin.Search{ActiveSince: now.Add(-8 * day), ByActivity: true}, []string{"today", "ended", "last week"}},
				"active, 210 days":   {admin.Search{ActiveSince: now.Add(-210 * day), ByActivity: true}, []string{"today", "ended", "last week", "long ago"}},
				"gone, 8 days":       {admin.Search{InactiveSince: now.Add(-8 * day)}, []string{"long ago", "never"}},
				"gone, 201 days":     {admin.Search{InactiveSince: now.Add(-199 * day)}, []string{"long ago", "never"}},
				"before the account": {admin.Search{InactiveSince: noon}, nil},
				"between":            {admin.Search{ActiveSince: now.Add(-8 * day), InactiveSince: now.Add(-day)}, []string{"ended", "last week"}},
				"text":               {admin.Search{Text: "last", ByActivity: true}, []string{"last week"}},
			} {
				if got := find(c.s); !slices.Equal(got, c.want) {
					t.Errorf("%s, %s: %v, want %v", when, why, got, c.want)
				}
			}
			for _, by := range []bool{true, false} { // page by page
				whole, paged := find(admin.Search{ByActivity: by}), []string(nil)
				s := admin.Search{ByActivity: by, Limit: 2}
				for {
					all, err := activity.Search(ctx, s)
					must(t, err)
					if len(all) == 0 {
						break
					}
					for _, f := range all {
						paged = append(paged, names[f.User.ID])
						s.After, s.AfterActive = f.User.ID, f.LastActiveAt
					}
				}
				if !slices.Equal(whole, paged) {
					t.Errorf("%s: %v, and page by page %v", when, whole, paged)
				}
			}
		}
		check("before the sweep")
		before, err := storage.SweepAt(ctx, db, now)
		must(t, err)
		if before == 0 {
			t.Fatal("nothing was swept")
		}
		if left, err := sessions.OfUser(ctx, made["long ago"].ID); err != nil || len(left) != 0 {
			t.Fatalf("left of long ago: %v, %v", left, err)
		}
		check("after the sweep")
		u := made["long ago"]
		u.Profile.Name = "renamed"
		must(t, storage.NewPeople(db).SaveUser(ctx, u)) // whoever saves a person says nothing of it
		check("after a change")
		_, err = activity.LastActive(ctx, "user_nobody")
		wantKind(t, err, problem.NotFound)
	})
}
