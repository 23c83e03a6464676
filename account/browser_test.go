package account_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"idp/account"
	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web/webtest"
	"idp/session"
)

// here is the list of sessions in an answer.
func (a answer) here() []account.Present {
	a.Helper()
	a.want(200)
	var list account.Presents
	a.must(json.Unmarshal([]byte(a.body), &list))
	if list.Sessions == nil {
		a.Fatalf("no list: %s", a.body)
	}
	return list.Sessions
}

func ids(list []account.Present) string {
	var all []string
	for _, p := range list {
		mark := ""
		if p.Active {
			mark = "*"
		}
		all = append(all, string(p.User.ID)+mark)
	}
	return strings.Join(all, " ")
}

func TestABrowserListsWhoIsSignedInOnIt(t *testing.T) {
	each(t, func(d *desk) {
		ann, bob := d.person("ann"), d.person("bob")
		stranger := webtest.New(t, d.server.URL)
		if got := d.call(stranger, "GET", "/here", "").want(200, `{"sessions":[]}`); len(stranger.Cookies()) != 0 {
			t.Errorf("somebody without a cookie got one: %s", got.body)
		}
		d.call(stranger, "DELETE", "/here", "").want(200, `{"sessions":[]}`)
		b, anns := d.on(nil, ann)
		d.on(nil, ann) // another browser's
		d.clock.Add(time.Minute)
		_, bobs := d.on(b, bob)
		cookies := b.Cookies()
		list := d.call(b, "GET", "/here", "").here()
		if diff := cmp.Diff([]account.Present{
			{ID: bobs.ID, Active: true, User: account.Shown{ID: bob, Name: "bob Lee", Email: "bob@example.com"}, Methods: []identity.Method{identity.Password}, AuthTime: bobs.AuthTime, Seen: bobs.LastActiveAt, ExpiresAt: bobs.ExpiresAt},
			{ID: anns.ID, User: account.Shown{ID: ann, Name: "ann Lee", Email: "ann@example.com"}, Methods: []identity.Method{identity.Password}, AuthTime: anns.AuthTime, Seen: anns.LastActiveAt, ExpiresAt: anns.ExpiresAt},
		}, list); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(cookies, b.Cookies()); diff != "" {
			t.Errorf("looking changed the cookies: %s", diff)
		}
		d.must(d.keeper.End(t.Context(), anns, "operator")) // elsewhere
		if got := ids(d.call(b, "GET", "/here", "").here()); got != "user_bob*" {
			t.Errorf("ann was signed out from afar, and there are %s", got)
		}
		d.clock.Add(time.Hour)
		d.call(b, "GET", "/here", "").want(200, `{"sessions":[]}`)
	})
}

func TestABrowserSwitchesBetweenItsPeopleAndSignsThemOut(t *testing.T) {
	each(t, func(d *desk) {
		ann, bob, eve := d.person("ann"), d.person("bob"), d.person("eve")
		b, anns := d.on(nil, ann)
		_, bobs := d.on(b, bob)
		_, eves := d.on(b, eve)
		if got := ids(d.call(b, "POST", "/here/"+string(anns.ID)+"/activate", "{}").here()); !strings.HasPrefix(got, "user_ann*") {
			t.Errorf("ann was chosen: %s", got)
		}
		d.call(b, "GET", "/me", "").want(200, `"id":"user_ann"`)
		d.clock.Add(50 * time.Minute)
		list := d.call(b, "POST", "/here/"+string(bobs.ID)+"/touch", "").here()
		if len(list) != 3 || list[0].User.ID != ann || list[1].User.ID != bob || !list[1].Seen.Equal(d.clock.Now()) {
			t.Errorf("bob was there: %+v", list)
		}
		d.clock.Add(10 * time.Minute) // an hour without ann and eve
		if got := ids(d.call(b, "GET", "/here", "").here()); got != "user_bob*" {
			t.Errorf("of the three bob was there, and the list has %s", got)
		}
		for _, do := range []string{"touch", "activate"} {
			d.call(b, "POST", "/here/"+string(eves.ID)+"/"+do, "").want(401, "session_ended")
		}
		_, anns = d.on(b, ann)
		for range 2 {
			if got := ids(d.call(b, "DELETE", "/here/"+string(anns.ID), "").here()); got != "user_bob*" {
				t.Errorf("ann left, and there are %s", got)
			}
		}
		d.on(b, ann)
		d.call(b, "DELETE", "/here", "").want(200, `{"sessions":[]}`)
		if d.alive(bobs) {
			t.Error("bob is still there")
		}
		var ended []string
		all, err := d.self.Store.EventsOf(t.Context(), ann, 10)
		d.must(err)
		for _, e := range all {
			if e.Kind == event.SessionEnded {
				ended = append(ended, e.Actor)
			}
		}
		if diff := cmp.Diff([]string{"user_ann", "user_ann"}, ended); diff != "" {
			t.Errorf("said to have ended (-want +got):\n%s", diff)
		}
	})
}

func TestSessionsOfAnotherBrowserAreNotThere(t *testing.T) {
	each(t, func(d *desk) {
		ann, eve := d.person("ann"), d.person("eve")
		_, anns := d.on(nil, ann)
		there, second := d.on(nil, eve)
		b, _ := d.on(nil, eve)
		for _, id := range []session.ID{anns.ID, second.ID, "session_nobodys"} { // her own on another browser too
			for _, x := range [][2]string{{"DELETE", ""}, {"POST", "/touch"}, {"POST", "/activate"}} {
				d.call(b, x[0], "/here/"+string(id)+x[1], "").want(404, "session_unknown")
				d.call(webtest.New(t, d.server.URL), x[0], "/here/"+string(id)+x[1], "").want(401, "not_signed_in")
			}
		}
		d.call(b, "DELETE", "/here", "").want(200)
		if !d.alive(anns) || !d.alive(second) {
			t.Error("a browser ended sessions of others")
		}
		id, _, _ := strings.Cut(there.Cookies()[0].Value, ".")
		forged := webtest.New(t, d.server.URL)
		forged.Plant(&http.Cookie{Name: there.Cookies()[0].Name, Value: id + "." + secret.Token("").Reveal()})
		d.call(forged, "GET", "/here", "").want(200, `{"sessions":[]}`)
		d.call(forged, "DELETE", "/here", "").want(200, `{"sessions":[]}`)
		if !d.alive(second) {
			t.Error("a browser's id alone ended its sessions")
		}
		r, err := http.NewRequestWithContext(t.Context(), "DELETE", d.server.URL+"/frontend/v1/sessions", nil)
		d.must(err)
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := there.Client.Do(r)
		d.must(err)
		_ = res.Body.Close()
		if res.StatusCode != 403 || !d.alive(second) {
			t.Errorf("another site signed eve out: %d", res.StatusCode)
		}
	})
}
