package account_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/federation/federationtest"
	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web/webtest"
	"idp/login"
	"idp/session"
)

// pair is Ann, who is signed in on a browser, and Bob, who signs in with Google and a password.
type pair struct {
	*desk
	ann, bob identity.UserID
	op       *federationtest.OP
	b        *webtest.Browser
	here     session.Session
	google   identity.Factor
}

func (d *desk) pair() *pair {
	d.Helper()
	p := &pair{desk: d, ann: d.person("ann"), bob: d.person("bob")}
	d.password(p.ann)
	d.password(p.bob)
	p.op = d.upstream("google")
	p.op.Claims["sub"], p.op.Claims["email"] = "1", "bob@gmail.example"
	p.google = d.account(p.bob, "google", "1", "bob@gmail.example")
	p.b, p.here = d.on(nil, p.ann)
	return p
}

// asks tries to connect what signs Bob in, and follows to the page that says so.
func (p *pair) asks() *pair {
	p.Helper()
	p.b.Get("/account/security").Post("/account/connections/connect", "connection", "google")
	p.elsewhere(p.b, p.op).Want(303, "/account/merge?connection=google").Get(p.b.To).Want(200, "signs in to another account", `id="merge-keep"`)
	return p
}

// proves signs in to Bob's account by the connection, and comes back.
func (p *pair) proves() *pair {
	p.Helper()
	p.b.Post("/account/merge/prove", "connection", "google", "into", string(p.here.ID))
	p.elsewhere(p.b, p.op).Want(303, "/account/merge?").Get(p.b.To).Want(200)
	return p
}

// there is Bob's session on that browser.
func (p *pair) there() session.Session {
	p.Helper()
	all, err := p.keeper.Store.OfUser(p.Context(), p.bob)
	p.must(err)
	for _, s := range all {
		if s.Browser == p.here.Browser {
			return s
		}
	}
	p.Fatal("Bob is not signed in there")
	return session.Session{}
}

func (p *pair) merge(what string) *webtest.Browser {
	p.Helper()
	return p.b.Post("/account/merge", "connection", "google", "into", string(p.here.ID), "from", string(p.there().ID), "factor", string(p.google.ID), "what", what)
}

// whole is all that is on file about both, to see that nothing was done by halves.
func (p *pair) whole() string {
	p.Helper()
	a, err := p.people.Person(p.Context(), p.ann)
	p.must(err)
	b, err := p.people.Person(p.Context(), p.bob)
	p.must(err)
	return fmt.Sprintf("%+v %+v", a, b)
}

func TestAnAccountElsewhereThatSignsInToAnotherAccountMovesWhenBothAreProven(t *testing.T) {
	each(t, func(d *desk) {
		p := d.pair().asks()
		p.b.WantNot("bob") // who it is, is theirs to know
		p.proves()
		p.b.Want(200, "bob Lee", "bob@example.com", `id="merge-submit"`, "None of this can be taken back")
		before := p.whole()
		p.merge("keep").Want(303, "/account/security")
		if p.whole() != before {
			t.Fatalf("keeping both changed something: %s", p.whole())
		}
		p.merge("move").Want(303, "/account/security?done=connected")
		if got := d.linked(p.ann); len(got) != 1 || len(d.linked(p.bob)) != 0 || !d.alive(p.there()) {
			t.Errorf("Ann has %v, Bob %v", got, d.linked(p.bob))
		}
		if d.inUse(p.b).ID != p.here.ID {
			t.Error("the browser is not Ann's again")
		}
		if d.told(login.AccountGiven) != 1 || d.told(login.AccountTaken) != 1 || d.recorded(event.AccountUnlinked) != 1 || d.recorded(event.AccountLinked) != 1 {
			t.Errorf("told %d and %d", d.told(login.AccountGiven), d.told(login.AccountTaken))
		}
		for _, l := range d.letters {
			if !l.Link.Empty() {
				t.Errorf("a letter of %s has a link that takes it back", l.Notice.What)
			}
		}
		after := p.whole()
		p.merge("move").Want(303, "/account/security") // a second submit
		if p.whole() != after {
			t.Error("the second submit did something")
		}
	})
}

func TestTwoAccountsBecomeOneWhenBothAreProven(t *testing.T) {
	each(t, func(d *desk) {
		p := d.pair()
		d.hold(p.bob, identity.Phone, "+447400123456", true, identity.SourceSelf)
		d.hold(p.bob, identity.Email, "claimed@example.com", false, identity.SourceSelf)
		p.asks().proves()
		there := p.there()
		p.merge("join").Want(303, "/account/security?done=joined").Get(p.b.To).Want(200, "Both accounts are one now", "Disconnect Google")
		if !d.gone(p.bob) || len(d.linked(p.ann)) != 1 {
			t.Fatalf("Bob is gone: %v; Ann has %v", d.gone(p.bob), d.linked(p.ann))
		}
		who, err := d.people.Person(t.Context(), p.ann)
		d.must(err)
		var got []string
		for _, h := range who.Holdings {
			got = append(got, fmt.Sprintf("%s verified %v main %v", h.Identifier.Value, h.Verified(), h.Primary))
		}
		slices.Sort(got)
		if want := []string{
			"+447400123456 verified true main true", "ann@example.com verified true main true", "bob@example.com verified true main false",
		}; !slices.Equal(got, want) {
			t.Errorf("Ann holds %v, want %v", got, want)
		}
		if len(d.factors(p.ann, identity.Password)) != 1 {
			t.Error("Ann has another password")
		}
		if d.told(login.AccountsJoined) != 1 || d.recorded(event.UserJoined) != 1 || d.recorded(event.UserDeleted) != 1 {
			t.Errorf("%d letters, %d and %d events", d.told(login.AccountsJoined), d.recorded(event.UserJoined), d.recorded(event.UserDeleted))
		}
		p.b.Post("/account/merge", "connection", "google", "into", string(p.here.ID), "from", string(there.ID), "factor", string(p.google.ID), "what", "join").Want(303, "/account/security")
		// And Google signs in as Ann.
		owner, err := d.people.ByCredential(t.Context(), p.google.Credential)
		if err != nil || owner.User.ID != p.ann {
			t.Errorf("it signs in %s %v", owner.User.ID, err)
		}
	})
}

func TestOfAnAccountWithNoOtherWayInTheConnectionDoesNotMoveAlone(t *testing.T) {
	each(t, func(d *desk) {
		p := d.pair()
		who, err := d.people.Person(t.Context(), p.bob)
		d.must(err)
		h := who.Holdings[0]
		h.VerifiedBy, h.Source = p.google.Method, "google"
		d.must(d.people.SaveHolding(t.Context(), h))
		p.asks().proves()
		before := p.whole()
		p.merge("move").Want(409, `id="merge-what-join"`)
		if p.whole() != before {
			t.Fatal("something moved")
		}
		p.merge("join").Want(303, "done=joined")
		if !d.gone(p.bob) || len(d.linked(p.ann)) != 1 {
			t.Errorf("Ann has %v", d.linked(p.ann))
		}
	})
}

func TestNothingIsMergedThatWasNotProvenHereAndNow(t *testing.T) {
	each(t, func(d *desk) {
		p := d.pair().asks().proves()
		there, before := p.there(), ""
		form := func(into, from session.ID) []string {
			return []string{"connection", "google", "into", string(into), "from", string(from), "factor", string(p.google.ID), "what", "join"}
		}
		refused := func(why string, b *webtest.Browser, into, from session.ID, status int) {
			t.Helper()
			before = p.whole()
			b.Get("/account/security")
			b.Post("/account/merge", form(into, from)...)
			if b.Status != status || strings.Contains(b.To, "done=") || p.whole() != before {
				t.Errorf("%s: %d %q", why, b.Status, b.To)
			}
		}
		refused("the same session twice", p.b, p.here.ID, p.here.ID, 409)
		stranger, elsewhere := d.on(nil, p.bob)
		refused("Bob's session of another browser", p.b, p.here.ID, elsewhere.ID, 303)
		refused("both sessions, of another browser", stranger, p.here.ID, there.ID, 303)
		refused("a session that never was", p.b, p.here.ID, "session_none", 303)
		webtest.New(d, d.server.URL).Get("/account/merge?connection=google").Want(303, "/sign-in")
		before = p.whole()
		p.b.Get("/account/security")
		right := p.b.Token
		p.b.Token = "00"
		p.b.Post("/account/merge", form(p.here.ID, there.ID)...).Want(403)
		p.b.Token = right
		if p.whole() != before {
			t.Error("a form of somebody else's merged them")
		}
		// Bob turned on a second step that this session never showed.
		d.must(d.people.SaveFactor(t.Context(), identity.Factor{ID: "factor_app", UserID: p.bob, Method: identity.TOTP, Secret: secret.NewString("x"), CreatedAt: d.clock.Now()}))
		refused("without Bob's second factor", p.b, p.here.ID, there.ID, 403)
		p.b.Get("/account/merge?"+url.Values{"connection": {"google"}, "into": {string(p.here.ID)}}.Encode()).Want(200, `id="merge-prove-from"`).WantNot(`id="merge-submit"`)
		d.must(d.people.DropFactor(t.Context(), p.bob, "factor_app"))
		d.clock.Add(10*time.Minute + time.Second)
		refused("an old proof of both", p.b, p.here.ID, there.ID, 403)
		p.b.Get("/account/merge?"+url.Values{"connection": {"google"}, "into": {string(p.here.ID)}}.Encode()).Want(200, `id="merge-prove-into"`)
		p.b.Post("/account/merge/prove", "connection", "google", "into", string(p.here.ID), "side", "into").Want(303, "/sign-in/attempt_")
		d.prove(p.b).Want(303, "/account/merge?").Get(p.b.To).Want(200, `id="merge-prove-from"`)
		refused("an old proof of Bob's", p.b, p.here.ID, there.ID, 403)
		d.call(p.b, "POST", "/me/merge", `{"into":"`+string(p.here.ID)+`","from":"`+string(there.ID)+`","join":true}`).want(403, `"merge_unproven"`)
		who, err := d.people.Person(t.Context(), p.bob)
		d.must(err)
		who.User.Status = identity.Banned
		d.must(d.people.SaveUser(t.Context(), who.User))
		refused("somebody who is banned", p.b, p.here.ID, there.ID, 403)
	})
}

func TestAnOperatorsAccountIsNotJoinedAway(t *testing.T) {
	each(t, func(d *desk) {
		p := d.pair()
		d.appoint(p.bob)
		d.appoint(p.ann)
		p.asks().proves()
		before := p.whole()
		p.merge("join").Want(409)
		if p.whole() != before {
			t.Error("something moved")
		}
	})
}

func TestOfManyWhoMergeAtOnceOneDoes(t *testing.T) {
	each(t, func(d *desk) {
		p := d.pair().asks().proves()
		there := p.there()
		browsers := make([]*webtest.Browser, 6)
		for i := range browsers {
			browsers[i] = webtest.New(d, d.server.URL)
			browsers[i].Plant(p.b.Cookies()...)
			browsers[i].Get("/account/security").Want(200)
		}
		done := make([]bool, len(browsers))
		d.together(len(browsers), func(i int) {
			what := []string{"move", "join"}[i%2]
			browsers[i].Post("/account/merge", "connection", "google", "into", string(p.here.ID), "from", string(there.ID), "factor", string(p.google.ID), "what", what)
			done[i] = strings.Contains(browsers[i].To, "done=")
		})
		if len(d.linked(p.ann)) != 1 {
			t.Errorf("%v: Ann has %v", done, d.linked(p.ann))
		}
		moved, joined := d.told(login.AccountTaken), d.told(login.AccountsJoined)
		if moved > 1 || joined > 1 || moved+joined == 0 || d.gone(p.bob) != (joined == 1) {
			t.Errorf("%v: moved %d times, joined %d times", done, moved, joined)
		}
	})
}
