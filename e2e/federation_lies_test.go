package e2e

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"idp/federation"
	"idp/federation/federationtest"
)

// lies are what a provider, or who stands between, could do wrong, each on its own.
var lies = []struct {
	name string
	lie  func(o *federationtest.OP)
}{
	{"another nonce", altered("nonce", "somebody else's")},
	{"no nonce", altered("nonce", nil)},
	{"for another client", altered("aud", "another client")},
	{"for nobody", altered("aud", nil)},
	{"for us and another, made for the other", func(o *federationtest.OP) {
		o.Token = func(claims map[string]any) {
			claims["aud"], claims["azp"] = []string{federationtest.ClientID, "another client"}, "another client"
		}
	}},
	{"another issuer in the token", altered("iss", "https://accounts.example.com")},
	{"an issuer that begins like it", func(o *federationtest.OP) { altered("iss", o.URL+"/")(o) }},
	{"expired", altered("exp", time.Now().Add(-time.Hour).Unix())},
	{"without end", altered("exp", nil)},
	{"nobody", altered("sub", nil)},
	{"no signature", signed(federationtest.None)},
	{"a stranger's key under the provider's name", signed(federationtest.Stranger)},
	{"a key of nobody", signed(federationtest.Unknown)},
	{"the public key as a shared secret", signed(federationtest.Public)},
	{"the client secret as key, which nobody agreed on", signed(federationtest.Shared)},
	{"userinfo of somebody else", func(o *federationtest.OP) {
		o.Bare, o.Info = true, map[string]any{"sub": "somebody else", "email": ann, "email_verified": true}
	}},
	{"the answer names another issuer", func(o *federationtest.OP) {
		o.Answer = func(answer url.Values) { answer.Set("iss", "https://accounts.example.com") }
	}},
	{"the answer does not name the issuer, as was announced", func(o *federationtest.OP) {
		o.Answer = func(answer url.Values) { answer.Del("iss") }
	}},
	{"no code", func(o *federationtest.OP) { o.Answer = func(answer url.Values) { answer.Del("code") } }},
	{"a code of somebody's", func(o *federationtest.OP) { o.Answer = func(answer url.Values) { answer.Set("code", "a guess") } }},
	{"an error in place of everything", func(o *federationtest.OP) {
		o.Answer = func(answer url.Values) {
			answer.Del("code")
			answer.Set("error", "server_error")
			answer.Set("error_description", "<script>alert(1)</script>")
		}
	}},
}

func altered(claim string, value any) func(o *federationtest.OP) {
	return func(o *federationtest.OP) { o.Token = func(claims map[string]any) { claims[claim] = value } }
}

func signed(by federationtest.Key) func(o *federationtest.OP) {
	return func(o *federationtest.OP) { o.Sign = by }
}

// honest has the provider do as the standard says.
func honest(o *federationtest.OP) {
	o.Token, o.Answer, o.Info, o.Bare, o.Sign = nil, nil, nil, false, federationtest.Right
}

// liar is a connection to a provider that can lie, about Ann, who is on file.
func (i *instance) liar(t *testing.T, name string) *federationtest.OP {
	t.Helper()
	o := federationtest.New(t, time.Now)
	i.Connect(map[string]any{"name": name, "type": "oidc", "issuer": o.URL, "title": "The " + name,
		"client_id": federationtest.ClientID, "client_secret": o.Connection(name).ClientSecret.Reveal()})
	return o
}

// back is where the provider sends a browser that was sent to it.
func back(t *testing.T, o *federationtest.OP, b *browser) string {
	t.Helper()
	if b.Left == nil {
		t.Fatalf("the browser was not sent to the provider, but is at %s:\n%s", b.URL, b.Text())
	}
	return o.Visit(federation.Way{URL: b.Left.String()}).URL.String()
}

// refused fails unless the browser sees that it did not work, and how to go on, and is not
// signed in.
func refused(t *testing.T, b *browser) {
	t.Helper()
	if b.Left != nil || b.Status >= 500 {
		t.Fatalf("%d at %s (left for %v):\n%s", b.Status, b.URL, b.Left, b.Text())
	}
	if len(b.Text()) > 3000 || strings.Contains(b.Body, "<script>alert") {
		t.Errorf("the page repeats what it was told:\n%s", b.Text())
	}
	if !b.Has("login-submit") && !b.Has("connection-go") && !strings.Contains(b.Link("Go back"), "/sign-in") {
		t.Errorf("there is no way on from %s (%d):\n%s", b.URL, b.Status, b.Text())
	}
	other := newBrowser(t, b.issuer)
	other.http.Jar = b.http.Jar
	other.wantNobody(t)
}

// attemptIn is the sign-in that a way back belongs to.
func attemptIn(t *testing.T, way string) string {
	t.Helper()
	u, err := url.Parse(way)
	if err != nil {
		t.Fatal(err)
	}
	attempt, _, found := strings.Cut(u.Query().Get("state"), ".")
	if !found {
		t.Fatalf("%s is of no attempt", way)
	}
	return attempt
}

// failures is how many sign-ins are on record as gone wrong.
func (d *database) failures() int {
	return d.count("SELECT count(*) FROM events WHERE kind = 'sign_in.failed'")
}

func TestAProviderThatLiesLetsNobodyIn(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o := i.liar(t, "liar")
		i.Start()
		i.Person(ann, good)
		d := i.open()
		for _, l := range lies {
			t.Run(l.name, func(t *testing.T) {
				honest(o)
				l.lie(o)
				before, failed := d.ledger(), d.failures()
				b := i.depart(t, "liar")
				b.Get(back(t, o, b))
				refused(t, b)
				d.grown(t, before, ledger{})
				if n := d.failures() - failed; n != 1 {
					t.Errorf("%d failures are on record", n)
				}
			})
		}
		honest(o) // the very same way, with the truth
		before := d.ledger()
		b := i.depart(t, "liar")
		b.Get(back(t, o, b)).wantHome(t, ann)
		d.grown(t, before, ledger{links: 1, sessions: 1})
	})
}

func TestAWayBackIsGoneOnceAndByWhoSetOut(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o, other := i.liar(t, "first"), i.liar(t, "second")
		i.Start()
		i.Person(ann, good)
		d := i.open()
		before := d.ledger()
		set := func(t *testing.T) (*browser, string) {
			b := i.depart(t, "first")
			return b, back(t, o, b)
		}
		with := func(t *testing.T, address string, change func(q url.Values)) string {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			change(q)
			u.RawQuery = q.Encode()
			return u.String()
		}

		t.Run("in another browser", func(t *testing.T) {
			_, way := set(t)
			thief := newBrowser(t, i.Issuer).Get("/sign-in")
			refused(t, thief.Get(way))
			d.grown(t, before, ledger{})
			busy := i.depart(t, "first") // one that has a state of its own
			refused(t, busy.Get(way))
			d.grown(t, before, ledger{})
		})
		t.Run("without state", func(t *testing.T) {
			b, way := set(t)
			refused(t, b.Get(with(t, way, func(q url.Values) { q.Del("state") })))
			d.grown(t, before, ledger{})
		})
		t.Run("with a state that was made up", func(t *testing.T) {
			b, way := set(t)
			refused(t, b.Get(with(t, way, func(q url.Values) { q.Set("state", q.Get("state")+"x") })))
			d.grown(t, before, ledger{})
		})
		t.Run("with the state of an earlier departure", func(t *testing.T) {
			b, old := set(t)
			b.Get("/sign-in/" + attemptIn(t, old)).PressID(button("first"))
			back(t, o, b)
			refused(t, b.Get(old))
			d.grown(t, before, ledger{})
		})
		t.Run("at the callback of another connection", func(t *testing.T) {
			b, way := set(t)
			refused(t, b.Get(strings.Replace(way, "/federation/first/", "/federation/second/", 1)))
			d.grown(t, before, ledger{})
			if n := other.Calls("/token"); n != 0 {
				t.Errorf("the code of one provider was given to the other %d times", n)
			}
		})
		t.Run("to a connection that there is not", func(t *testing.T) {
			b, way := set(t)
			if b.Get(strings.Replace(way, "/federation/first/", "/federation/nowhere/", 1)); b.Status >= 500 {
				t.Errorf("%d:\n%s", b.Status, b.Text())
			}
			d.grown(t, before, ledger{})
		})
		t.Run("twice", func(t *testing.T) {
			b, way := set(t)
			b.Get(way).wantHome(t, ann)
			d.grown(t, before, ledger{links: 1, sessions: 1})
			redeemed := o.Calls("/token")
			b.Get(way) // who goes back in the history is still signed in, by nothing that happens anew
			if b.Status >= 500 || o.Calls("/token") != redeemed {
				t.Errorf("%d at %s; %d calls for tokens, want %d", b.Status, b.URL, o.Calls("/token"), redeemed)
			}
			refused(t, newBrowser(t, i.Issuer).Get(way))
			d.grown(t, before, ledger{links: 1, sessions: 1})
		})
	})
}
