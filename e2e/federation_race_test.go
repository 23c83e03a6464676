package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// arriving is the request that a browser makes when a provider sends it back, to one of several
// processes.
func (b *browser) arriving(way string, p *process) *http.Request {
	b.t.Helper()
	u, err := url.Parse(way)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, p.URL+u.RequestURI(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Host = u.Host
	for _, c := range b.http.Jar.Cookies(u) {
		req.AddCookie(c)
	}
	return req
}

// arriveTogether takes two browsers back at the same moment, each to another process. Each keeps
// the cookies that it gets, and neither gets a 500.
func arriveTogether(t *testing.T, browsers [2]*browser, ways [2]string, both [2]*process) {
	t.Helper()
	var gate, done sync.WaitGroup
	gate.Add(1)
	for k, b := range browsers {
		req := b.arriving(ways[k], both[k])
		done.Go(func() {
			gate.Wait()
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
			b.http.Jar.SetCookies(b.URL, res.Cookies())
			if res.StatusCode >= 500 {
				t.Errorf("one of two got %s", res.Status)
			}
		})
	}
	gate.Done()
	done.Wait()
}

// connecting is a browser of somebody who is signed in, on its way to a provider to connect the
// account there.
func (i *instance) connecting(t *testing.T, email, connection string) *browser {
	t.Helper()
	b := signIn(newBrowser(t, i.Issuer).Get("/sign-in"), email, good)
	b.Get("/account/security").PressID("connect-" + connection)
	if b.Left == nil && b.Has("connection-go") {
		b.PressID("connection-go")
	}
	return b
}

func TestOfTwoPeopleWhoRaceForOneAccountElsewhereOneGetsIt(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o := i.liar(t, "other")
		both := [2]*process{i.Start(), i.StartAnother()}
		d := i.open()
		for round := range 4 {
			o.Claims = map[string]any{"sub": fmt.Sprint("wanted", round), "email": "wanted@elsewhere.example", "email_verified": round%2 == 0}
			var browsers [2]*browser
			var ways [2]string
			for k := range browsers {
				email := fmt.Sprintf("racer%d.%d@example.com", round, k)
				i.Person(email, good)
				browsers[k] = i.connecting(t, email, "other")
				ways[k] = back(t, o, browsers[k])
			}
			before := d.ledger()
			arriveTogether(t, browsers, ways, both)
			d.grown(t, before, ledger{links: 1})
			if n := d.count("SELECT count(DISTINCT user_id) FROM factors WHERE method = 'oauth_other'"); n != round+1 {
				t.Errorf("after round %d, %d people have an account elsewhere", round, n)
			}
			connected := 0
			for _, b := range browsers {
				b.Get("/account/security")
				if strings.Contains(b.Body, "/account/connections/disconnect") {
					connected++
				}
			}
			if connected != 1 {
				t.Errorf("%d of two have it on their account", connected)
			}
			next := i.depart(t, "other") // and it leads to exactly one of them
			next.Get(back(t, o, next))
			if next.Get("/account"); next.URL.Path != "/account" || !strings.Contains(next.Text(), fmt.Sprintf("racer%d.", round)) {
				t.Errorf("it leads to %s:\n%s", next.URL, next.Text())
			}
		}
	})
}

func TestTwoBrowsersThatSignUpByOneAccountElsewhereMakeOnePerson(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o := i.liar(t, "other")
		both := [2]*process{i.Start(), i.StartAnother()}
		d := i.open()
		for round := range 4 {
			email := fmt.Sprintf("twin%d@example.com", round)
			o.Claims = map[string]any{"sub": email, "email": email, "email_verified": true}
			var browsers [2]*browser
			var ways [2]string
			for k := range browsers {
				browsers[k] = i.depart(t, "other")
				ways[k] = back(t, o, browsers[k])
			}
			before := d.ledger()
			arriveTogether(t, browsers, ways, both)
			after := d.ledger()
			if after.people != before.people+1 || after.links != before.links+1 || after.proven != before.proven+1 {
				t.Errorf("there are %+v, before %+v", after, before)
			}
			again := i.depart(t, "other") // who lost comes in by trying again
			again.Get(back(t, o, again)).wantHome(t, email)
			d.grown(t, after, ledger{sessions: 1})
		}
	})
}

func TestOneWayBackThatComesToBothProcessesIsGoneOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o := i.liar(t, "other")
		both := [2]*process{i.Start(), i.StartAnother()}
		i.Person(ann, good)
		d := i.open()
		for round := range 4 {
			before := d.ledger()
			b := i.depart(t, "other")
			way := back(t, o, b)
			race(t, 6, func(k int) *http.Request { return b.arriving(way, both[k%2]) })
			want := ledger{sessions: 1}
			if round == 0 {
				want.links = 1
			}
			d.grown(t, before, want)
		}
	})
}
