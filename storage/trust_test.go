package storage_test

import (
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
)

func TestTrustedBrowsersAreOfOnePersonAndOneBrowser(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, trust, sessions := within(t), storage.NewTrust(db), storage.NewSessions(db)
		for _, u := range []identity.UserID{"user_a", "user_b"} {
			must(t, storage.NewPeople(db).SaveUser(ctx, identity.User{ID: u, Status: identity.Active, CreatedAt: noon, UpdatedAt: noon}))
		}
		for _, b := range []session.BrowserID{"browser_1", "browser_2", "browser_3"} {
			must(t, sessions.SaveBrowser(ctx, session.Browser{ID: b, Digest: "d", CreatedAt: noon, SeenAt: noon}))
		}
		save := func(id login.TrustID, b session.BrowserID, u identity.UserID, at time.Time) {
			t.Helper()
			must(t, trust.SaveTrusted(ctx, login.Trusted{ID: id, Browser: b, User: u, CreatedAt: at, ExpiresAt: at.Add(30 * 24 * time.Hour), LastUsedAt: at}))
		}
		is := func(b session.BrowserID, u identity.UserID, since, now time.Time) bool {
			t.Helper()
			yes, err := trust.Trusted(ctx, b, u, since, now)
			must(t, err)
			return yes
		}
		before := noon.Add(-time.Second)
		save("trust_1", "browser_1", "user_a", noon)
		if !is("browser_1", "user_a", before, noon) || is("browser_1", "user_b", before, noon) || is("browser_2", "user_a", before, noon) {
			t.Error("trust is not of the pair")
		}
		if is("browser_1", "user_a", noon, noon) {
			t.Error("one that began too early still counts")
		}
		later := noon.Add(30 * 24 * time.Hour)
		if is("browser_1", "user_a", before, later) {
			t.Error("one that expired still counts")
		}
		wantKind(t, trust.UseTrusted(ctx, "browser_1", "user_a", before, later), problem.Conflict)
		wantKind(t, trust.UseTrusted(ctx, "browser_2", "user_a", before, noon), problem.Conflict)
		must(t, trust.UseTrusted(ctx, "browser_1", "user_a", before, noon.Add(time.Minute)))

		save("trust_1b", "browser_1", "user_a", noon.Add(time.Hour)) // again: the old one is replaced
		save("trust_2", "browser_2", "user_a", noon.Add(2*time.Hour))
		save("trust_3", "browser_1", "user_b", noon)
		all, err := trust.TrustedBy(ctx, "user_a", before, noon)
		must(t, err)
		if len(all) != 2 || all[0].ID != "trust_2" || all[1].ID != "trust_1b" {
			t.Errorf("listed %+v", all)
		}

		drop := func(u identity.UserID, w login.Which, want ...login.TrustID) {
			t.Helper()
			ids, err := trust.DropTrusted(ctx, u, w)
			must(t, err)
			if len(ids) != len(want) || len(ids) == 1 && ids[0] != want[0] {
				t.Errorf("%+v dropped %v, want %v", w, ids, want)
			}
		}
		drop("user_b", login.Which{ID: "trust_2"}) // somebody else's
		drop("user_a", login.Which{NotOn: "browser_1"}, "trust_2")
		drop("user_a", login.Which{On: "browser_1"}, "trust_1b")
		save("trust_4", "browser_2", "user_a", noon)
		save("trust_5", "browser_3", "user_a", noon)
		drop("user_a", login.Which{}, "trust_4", "trust_5")
		if !is("browser_1", "user_b", before, noon) {
			t.Error("somebody else's trust went too")
		}
	})
}

func TestTrustGoesWithTheBrowsersRowAndWhenItsTimeIsUp(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx, trust, sessions := within(t), storage.NewTrust(db), storage.NewSessions(db)
		must(t, storage.NewPeople(db).SaveUser(ctx, identity.User{ID: "user_a", Status: identity.Active, CreatedAt: noon, UpdatedAt: noon}))
		unseen := session.Browser{ID: "browser_1", Digest: "d", CreatedAt: noon, SeenAt: noon}
		seen := session.Browser{ID: "browser_2", Digest: "d", CreatedAt: noon, SeenAt: noon.Add(48 * time.Hour)}
		for i, b := range []session.Browser{unseen, seen} {
			must(t, sessions.SaveBrowser(ctx, b))
			must(t, trust.SaveTrusted(ctx, login.Trusted{
				ID: login.TrustID([]string{"trust_1", "trust_2"}[i]), Browser: b.ID, User: "user_a",
				CreatedAt: noon, ExpiresAt: noon.Add(60 * time.Hour), LastUsedAt: noon,
			}))
		}
		left := func(after time.Duration) []login.Trusted {
			t.Helper()
			_, err := storage.SweepAt(ctx, db, noon.Add(after))
			must(t, err)
			must(t, sessions.SaveBrowser(ctx, unseen)) // whoever knows the id brings it back
			all, err := trust.TrustedBy(ctx, "user_a", noon.Add(-time.Second), noon)
			must(t, err)
			return all
		}
		if all := left(49 * time.Hour); len(all) != 1 || all[0].Browser != "browser_2" {
			t.Errorf("with the browser unseen: %+v", all)
		}
		if all := left(61 * time.Hour); len(all) != 0 {
			t.Errorf("with its time up: %+v", all)
		}
	})
}
