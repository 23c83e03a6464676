package e2e

import (
	"maps"
	"strings"
	"testing"
)

// shape is how a provider may speak of somebody's e-mail address.
type shape struct {
	name     string
	claims   map[string]any // but for the address itself
	address  bool           // it gives one
	believed bool
}

// shapes are those of real providers. Only the JSON value true of email_verified proves
// anything where no preset says otherwise.
var shapes = []shape{
	{"true", map[string]any{"email_verified": true}, true, true},
	{"false", map[string]any{"email_verified": false}, true, false},
	{"absent", map[string]any{}, true, false},
	{"true as text", map[string]any{"email_verified": "true"}, true, false},
	{"false as text", map[string]any{"email_verified": "false"}, true, false},
	{"by another name", map[string]any{"verified": true}, true, false},
	{"without address", map[string]any{"email_verified": true}, false, false},
}

// on is what the provider says of somebody with that address.
func (s shape) on(email string) map[string]any {
	claims := maps.Clone(s.claims)
	claims["name"] = "Somebody Else"
	if s.address {
		claims["email"] = email
	}
	return claims
}

// key is a name for what this shape is tested with.
func (s shape) key(prefix string) string {
	return prefix + strings.ReplaceAll(s.name, " ", "")
}

// eachShape runs f for every shape that is meant, on one instance for each engine: what one
// leaves behind is there for the next, as in life.
func eachShape(t *testing.T, meant func(s shape) bool, f func(t *testing.T, i *instance, p *process, o openProvider, s shape)) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o := needOpenProvider(t)
		i.Connect(o.Register(i, "other", nil))
		p := i.Start()
		for _, s := range shapes {
			if meant(s) {
				t.Run(s.name, func(t *testing.T) { f(t, i, p, o, s) })
			}
		}
	})
}

// depart is a browser at the provider, from the sign-in page.
func (i *instance) depart(t testing.TB, connection string) *browser {
	t.Helper()
	b := newBrowser(t, i.Issuer).Get("/sign-in").PressID(button(connection))
	if b.Left == nil {
		t.Fatalf("the button leads to %s:\n%s", b.URL, b.Text())
	}
	return b
}

func TestWhoIsNewHereSignsUpByAProviderAndProvesWhatItDidNotProve(t *testing.T) {
	eachShape(t, func(shape) bool { return true }, func(t *testing.T, i *instance, p *process, o openProvider, s shape) {
		email, name := s.key("new")+"@example.com", s.key("new")
		d := i.open()
		o.Says(name, s.on(email))
		before := d.ledger()
		b := o.Enter(i.depart(t, "other"), name, "Enter")
		if !s.believed {
			if !s.address {
				b.wantNoWayRound(t, d, before)
				b.Fill("Email address", email).Press("Sign up")
			}
			b.wantNoWayRound(t, d, before)
			b.Fill("Code", p.code(email)).Press("Continue")
		}
		b.wantHome(t, email)
		d.grown(t, before, ledger{people: 1, links: 1, sessions: 1, proven: 1})
		codes := p.codes(email)
		if s.believed && codes != 0 {
			t.Errorf("who came with a proven address was mailed %d codes", codes)
		}

		again := o.Enter(i.depart(t, "other"), name, "Enter")
		again.wantHome(t, email)
		d.grown(t, before, ledger{people: 1, links: 1, sessions: 2, proven: 1})
		p.settled(t)
		if n := p.codes(email); n != codes {
			t.Errorf("who is known by now was mailed %d codes", n-codes)
		}
	})
}

// wantNoWayRound fails if the browser is signed in, or anything was made, before the address
// is proven.
func (b *browser) wantNoWayRound(t testing.TB, d *database, before ledger) {
	t.Helper()
	d.grown(t, before, ledger{})
	other := newBrowser(t, b.issuer)
	other.http.Jar = b.http.Jar
	other.wantNobody(t)
}

func TestWhoHoldsTheAddressIsMetByAProvidersProofOrByOurCode(t *testing.T) {
	eachShape(t, func(s shape) bool { return s.address }, func(t *testing.T, i *instance, p *process, o openProvider, s shape) {
		email, name := s.key("held")+"@example.com", s.key("held")
		i.Person(email, good)
		d := i.open()
		o.Says(name, s.on(email))
		before := d.ledger()
		b := o.Enter(i.depart(t, "other"), name, "Enter")
		if !s.believed {
			b.wantNoWayRound(t, d, before)
			b.Fill("Code", p.code(email)).Press("Continue")
		}
		b.wantHome(t, email)
		d.grown(t, before, ledger{links: 1, sessions: 1})
		p.wantNotice(email, "The other service")
		signIn(newBrowser(t, i.Issuer).Get("/sign-in"), email, good).wantHome(t, email) // and the old way still leads in
	})
}

func TestAnUnprovenAddressLooksTheSameWhetherSomebodyHoldsItOrNot(t *testing.T) {
	eachShape(t, func(s shape) bool { return s.address && !s.believed }, func(t *testing.T, i *instance, p *process, o openProvider, s shape) {
		held, free := s.key("xheld")+"@example.com", s.key("xfree")+"@example.com" // masked alike
		i.Person(held, good)
		pages := map[string]string{}
		for name, email := range map[string]string{s.key("xheld"): held, s.key("xfree"): free} {
			o.Says(name, s.on(email))
			b := o.Enter(i.depart(t, "other"), name, "Enter")
			pages[email] = strings.ReplaceAll(b.Text(), email, "THEM")
		}
		if pages[held] != pages[free] {
			t.Errorf("somebody who holds the address:\n%s\nnobody:\n%s", pages[held], pages[free])
		}
	})
}

// The eighth shape: an address that changes at the provider, to somebody else's.
func TestWhoTakesAnothersAddressAtTheirProviderStaysWhoTheyAre(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o := needOpenProvider(t)
		i.Connect(o.Register(i, "other", nil))
		p := i.Start()
		const eve, victim = "eve@example.com", "victim@example.com"
		i.Person(victim, good)
		d := i.open()
		o.Says("eve", map[string]any{"email": eve, "email_verified": true})
		o.Enter(i.depart(t, "other"), "eve", "Enter").wantHome(t, eve)
		before := d.ledger()
		for _, verified := range []any{true, false, nil, "true"} {
			o.Says("eve", map[string]any{"email": victim, "email_verified": verified, "name": "The Victim"})
			b := o.Enter(i.depart(t, "other"), "eve", "Enter")
			b.wantHome(t, eve)
			if strings.Contains(b.Text(), victim) {
				t.Errorf("with email_verified %v the account of %s shows the address of the victim:\n%s", verified, eve, b.Text())
			}
		}
		d.grown(t, before, ledger{sessions: 4})
		if n := d.count("SELECT count(*) FROM factors f JOIN holdings h ON h.user_id = f.user_id WHERE h.value = 'victim@example.com' AND f.method <> 'password'"); n != 0 {
			t.Errorf("%d links are on the victim's file", n)
		}
		p.settled(t)
		if all := p.Letters(victim); len(all) != 0 {
			t.Errorf("the victim got %d letters, the last: %s", len(all), all[0].Subject)
		}
	})
}

func TestAProviderInARealBrowserWithAndWithoutScript(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		o := needOpenProvider(t)
		i.Connect(o.Register(i, "other", nil))
		i.Start()
		for _, script := range []string{"on", "off"} {
			for name, proven := range map[string]bool{"proven-" + script: true, "said-" + script: false} {
				o.Says(name, map[string]any{"email": name + "@example.com", "email_verified": proven})
			}
		}
		d := i.open()
		before := d.ledger()
		i.walk(t, "upstream-walk.mjs", "UPSTREAM="+o.Origin)
		d.grown(t, before, ledger{people: 4, links: 4, sessions: 2, proven: 4})
	})
}
