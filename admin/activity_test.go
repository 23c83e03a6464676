package admin_test

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"testing"
	"time"

	"idp/identity"
	"idp/session"
	"idp/session/sessiontest"
)

func TestOperatorsFindPeopleByWhenTheyWereLastThere(t *testing.T) {
	offices(t, func(o *office) {
		op, boss := o.signedIn("op@example.com", true)
		seen := func(u identity.User, ago time.Duration) {
			o.must(o.keeper.Store.SaveSession(t.Context(), session.Session{
				ID: session.ID("session_" + string(u.ID)), Browser: "browser_1", User: u.ID, AuthTime: boss.CreatedAt, CreatedAt: boss.CreatedAt,
				LastActiveAt: o.clock.Now().Add(-ago), ExpiresAt: o.clock.Now().Add(time.Hour), Idle: time.Hour,
			}))
		}
		ann, bob := o.create(t, "ann@example.com"), o.create(t, "bob@example.com")
		o.create(t, "eve@example.com")
		o.clock.Add(40 * 24 * time.Hour)
		_, cookie := sessiontest.SignIn(o, o.keeper, boss.ID, op.Cookies()...)
		op.Plant(cookie)
		seen(ann, 2*time.Hour)
		seen(bob, 31*24*time.Hour)
		row := regexp.MustCompile(`<strong><a class="idp-link" href="/operator/users/[^"]*">([a-z]+)@`)
		for query, want := range map[string][]string{
			"": {"eve", "bob", "ann", "op"}, "?sort=active": {"op", "ann", "bob", "eve"},
			"?seen=within_1": {"ann", "op"}, "?seen=within_1&sort=active": {"op", "ann"}, "?seen=within_30": {"ann", "op"},
			"?seen=not_30": {"eve", "bob"}, "?seen=not_30&search=bo": {"bob"}, "?seen=not_180": nil,
			"?seen=nonsense&sort=nonsense": {"eve", "bob", "ann", "op"},
		} {
			op.Get("/operator/users" + query).Want(200)
			var got []string
			for _, m := range row.FindAllStringSubmatch(op.Page, -1) {
				got = append(got, m[1])
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q shows %v, want %v", query, got, want)
			}
		}
		op.Get("/operator/users?sort=active&seen=within_1").Want(200, "Last active 2 hours ago", `<option value="within_1" selected>`, `<option value="active" selected>`)
		op.Get("/operator/users").Want(200, "Never active")

		for i := range 60 {
			seen(o.create(t, fmt.Sprintf("many%d@example.com", i)), time.Duration(i)*time.Minute)
		}
		found := map[string]bool{}
		next := regexp.MustCompile(`idp-after"><a class="idp-link" href="([^"]*)"`)
		row = regexp.MustCompile(`href="/operator/users/(user_[^"]*)"`)
		for path := "/operator/users?sort=active"; path != ""; {
			op.Get(path).Want(200)
			for _, m := range row.FindAllStringSubmatch(op.Page, -1) {
				if found[m[1]] {
					t.Errorf("%s is there twice", m[1])
				}
				found[m[1]] = true
			}
			path = ""
			if m := next.FindStringSubmatch(op.Page); m != nil {
				path = html.UnescapeString(m[1])
			}
		}
		if len(found) != 64 {
			t.Errorf("page by page there are %d people", len(found))
		}
	})
}
