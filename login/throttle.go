package login

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"idp/event"
	"idp/identity"
	"idp/message"
)

// Limits say how much guessing and mailing is borne. They count by canonical address
// whether anybody holds it or not, so that they tell nothing; a browser that has signed
// in as that person counts apart, so that strangers cannot lock its owner out.
type Limits struct {
	Passwords       int           // wrong static credentials in a row; then the address is locked
	Lock            time.Duration // how long
	Codes           int           // wrong mailed codes for an address in an hour, over all attempts
	Messages        int           // messages to an address in an hour that nobody answered
	NetworkFailures int           // wrong passwords, and as many wrong codes, of a network in NetworkWindow
	NetworkMessages int           // messages that a network asked for in an hour and nobody answered
	NetworkWindow   time.Duration
	SMS             int // SMS in an hour, to everybody together
	BrowserAttempts int // open attempts of a browser; one more ends the oldest
	NetworkAttempts int // open attempts of a network, after which only known browsers begin another

	DoubtPasswords int // wrong passwords for an address before sign-in asks for a bot check
	DoubtFailures  int // the same of a network, in NetworkWindow
	DoubtMessages  int // messages that a network asked for in an hour and nobody answered, before sign-up and reset do
}

// DefaultLimits are those of an installation that sets none.
func DefaultLimits() Limits {
	return Limits{
		Passwords: 10, Lock: time.Hour, Codes: 20, Messages: 5,
		NetworkFailures: 30, NetworkMessages: 30, NetworkWindow: 5 * time.Minute, SMS: 200,
		BrowserAttempts: 10, NetworkAttempts: 200,
		DoubtPasswords: 3, DoubtFailures: 5, DoubtMessages: 5,
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, x := range []struct{ set, def *int }{
		{&l.Passwords, &d.Passwords}, {&l.Codes, &d.Codes}, {&l.Messages, &d.Messages},
		{&l.NetworkFailures, &d.NetworkFailures}, {&l.NetworkMessages, &d.NetworkMessages}, {&l.SMS, &d.SMS},
		{&l.BrowserAttempts, &d.BrowserAttempts}, {&l.NetworkAttempts, &d.NetworkAttempts},
		{&l.DoubtPasswords, &d.DoubtPasswords}, {&l.DoubtFailures, &d.DoubtFailures}, {&l.DoubtMessages, &d.DoubtMessages},
	} {
		if *x.set <= 0 {
			*x.set = *x.def
		}
	}
	if l.Lock <= 0 {
		l.Lock = d.Lock
	}
	if l.NetworkWindow <= 0 {
		l.NetworkWindow = d.NetworkWindow
	}
	return l
}

// aim is whom an attempt's guesses and messages count against. What shows (a wait, a message
// that is not sent) goes by address, so that two addresses of one person look like those of
// two; what does not show goes by person, who has one budget however many addresses.
type aim struct {
	address string // canonical
	person  string // the id of whoever has that address, the address if nobody does
	own     string // this browser, if it has signed in as that person; "" for everybody else
	network string
}

// aim asks who is known here even when nobody was found: the answer takes as long.
func (e *Engine) aim(ctx context.Context, t *turn) (aim, error) {
	known, err := e.Store.Knows(ctx, t.a.Browser, t.a.UserID)
	if err != nil {
		return aim{}, err
	}
	if t.a.UserID != "" {
		t.known = &known
	}
	x := aim{address: t.target(identity.EmailCode).Value, network: neighbourhood(t.at.Network)}
	x.person = "address\x00" + x.address
	if t.f.Known {
		x.person = "user\x00" + string(t.a.UserID)
	}
	if known && t.f.Known {
		x.own = string(t.a.Browser)
	}
	return x, nil
}

// key names a counter without saying whose it is to who reads the table.
func (e *Engine) key(what, whose string) string {
	return what + ":" + string(e.Box.MAC("throttle", what+"\x00"+whose))[:40]
}

func (e *Engine) addressKey(what string, x aim) string { return e.key(what, x.address+"\x00"+x.own) }

func (e *Engine) personKey(what string, x aim) string { return e.key(what, x.person+"\x00"+x.own) }

// reserve takes one try from every budget. It returns how long to wait if one is spent.
func (e *Engine) reserve(ctx context.Context, now time.Time, budgets ...Budget) (time.Duration, error) {
	return e.Throttle.Reserve(ctx, budgets, now)
}

// tries is what one guess at a password or backup code took.
type tries struct {
	network, address, person, told string

	locked bool // nothing may be verified
	last   bool // if this one is wrong, the person is locked
}

// guess reserves one try at a static credential. A network that failed too often is
// ErrSlow, whoever it asks for; a locked person is only noted, because it must look like
// a wrong password, and cost as much. Where there were failures before, errDoubtful says that
// a bot check is due.
func (e *Engine) guess(ctx context.Context, t *turn) (tries, error) {
	x, err := e.aim(ctx, t)
	if err != nil {
		return tries{}, err
	}
	l := e.Limits.orDefault()
	g := e.triesOf(x)
	var watched []Budget
	if e.checks(t) && len(t.a.Proofs) == 0 { // who has shown the first factor is past the check
		watched = e.guessBudgets(g.network, g.address)
	}
	doubtful, wait, err := e.Throttle.ReserveUnless(ctx, watched, []Budget{{Key: g.network, Limit: l.NetworkFailures, Window: l.NetworkWindow}}, t.now)
	if err != nil {
		return g, err
	}
	if doubtful {
		return g, errDoubtful
	}
	if wait > 0 {
		return g, ErrSlow.After(wait)
	}
	address, person := Budget{Key: g.address, Limit: l.Passwords, Window: l.Lock}, Budget{Key: g.person, Limit: l.Passwords, Window: l.Lock}
	counts, wait, err := e.Throttle.Count(ctx, []Budget{address, person}, t.now)
	if err != nil {
		return g, err
	}
	if wait == 0 {
		g.last = counts[1] == l.Passwords
		return g, nil
	}
	g.locked = true
	_, _, err = e.Throttle.Count(ctx, []Budget{address}, t.now) // by another address of theirs: this one looks untouched
	return g, err
}

func (e *Engine) triesOf(x aim) tries {
	return tries{
		network: e.key("password-network", x.network),
		address: e.addressKey("password", x), person: e.personKey("password-person", x), told: e.personKey("password-told", x),
	}
}

// forgive forgets the failures after a right answer, and other keys beside them, in the
// caller's transaction.
func (e *Engine) forgive(ctx context.Context, g tries, now time.Time, beside ...string) error {
	return e.Throttle.Forgive(ctx, []string{g.network}, append(beside, g.address, g.person), now)
}

// giveBack returns a try that came to no verdict, or that was right where more is owed:
// whoever guesses at backup codes must not get new tries by a password they know.
func (e *Engine) giveBack(ctx context.Context, g tries, now time.Time) error {
	keys := []string{g.network}
	if !g.locked {
		keys = append(keys, g.address, g.person)
	}
	return e.Throttle.Release(ctx, keys, now)
}

// absolve forgets wrong passwords at the end of a sign-in that owed more than one proof.
func (e *Engine) absolve(ctx context.Context, t *turn) error {
	guessed := slices.ContainsFunc(t.a.Proofs, func(p identity.Proof) bool { return p.Method == identity.Password && !p.At.Before(t.a.CreatedAt) })
	if !guessed || len(t.a.Proofs) < 2 {
		return nil
	}
	x, err := e.aim(ctx, t)
	if err != nil {
		return err
	}
	g := e.triesOf(x)
	return e.Throttle.Clear(ctx, []string{g.address, g.person})
}

// lock says that the person is locked now: in the audit trail, and to the person, once.
func (e *Engine) lock(ctx context.Context, t *turn, g tries, method identity.Method) error {
	lasts := e.Limits.orDefault().Lock
	// A try that was given back meanwhile makes room for another last one.
	wait, err := e.reserve(ctx, t.now, Budget{Key: g.told, Limit: 1, Window: lasts})
	if err != nil || wait > 0 {
		return err
	}
	t.tell(event.SignInLocked, map[string]string{"method": string(method)})
	if t.f.Known {
		t.mail = append(t.mail, message.Message{
			Kind: message.Locked, To: t.target(identity.EmailCode), Locale: t.at.Locale, Link: e.url("/sign-in"), Words: t.words(),
			Notice: e.notices().notice(Change{Kind: FactorLocked, Factor: identity.Factor{Method: method}, At: t.at}), ExpiresAt: t.now.Add(lasts),
		})
	}
	return nil
}

// neighbourhood is what counts as one network: an IPv4 address, or the /64 of an IPv6
// one, because a single customer gets that many.
func neighbourhood(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}
