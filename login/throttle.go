package login

import (
	"context"
	"net/netip"
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

	DoubtPasswords int // wrong passwords for an address before sign-in asks for a bot check
	DoubtFailures  int // the same of a network, in NetworkWindow
	DoubtMessages  int // messages that a network asked for in an hour and nobody answered, before sign-up and reset do
}

// DefaultLimits are those of an installation that sets none.
func DefaultLimits() Limits {
	return Limits{
		Passwords: 10, Lock: time.Hour, Codes: 20, Messages: 5,
		NetworkFailures: 30, NetworkMessages: 30, NetworkWindow: 5 * time.Minute, SMS: 200,
		DoubtPasswords: 3, DoubtFailures: 5, DoubtMessages: 5,
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, x := range []struct{ set, def *int }{
		{&l.Passwords, &d.Passwords}, {&l.Codes, &d.Codes}, {&l.Messages, &d.Messages},
		{&l.NetworkFailures, &d.NetworkFailures}, {&l.NetworkMessages, &d.NetworkMessages}, {&l.SMS, &d.SMS},
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

// aim is whom an attempt's guesses and messages count against.
type aim struct {
	address string // canonical
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
	if known && t.f.Known {
		x.own = string(t.a.Browser)
	}
	return x, nil
}

// key names a counter without saying whose it is to who reads the table.
func (e *Engine) key(what, whose string) string {
	return what + ":" + string(e.Box.MAC("throttle", what+"\x00"+whose))[:40]
}

func (e *Engine) personKey(what string, x aim) string { return e.key(what, x.address+"\x00"+x.own) }

// reserve takes one try from every budget. It returns how long to wait if one is spent.
func (e *Engine) reserve(ctx context.Context, now time.Time, budgets ...Budget) (time.Duration, error) {
	return e.Throttle.Reserve(ctx, budgets, now)
}

// tries is what one guess at a password took.
type tries struct {
	network, account, warn string
	locked                 bool // nothing may be verified
	last                   bool // if this one is wrong, the address is locked
}

// guess reserves one try at a static credential. A network that failed too often is
// ErrSlow, whoever it asks for; a locked address is only noted, because it must look like
// a wrong password. Where there were failures before, errDoubtful says that a bot check is due.
func (e *Engine) guess(ctx context.Context, t *turn) (tries, error) {
	x, err := e.aim(ctx, t)
	if err != nil {
		return tries{}, err
	}
	l := e.Limits.orDefault()
	g := tries{network: e.key("password-network", x.network), account: e.personKey("password", x), warn: e.personKey("password-warn", x)}
	var watched []Budget
	if e.checks(t) {
		watched = e.guessBudgets(g.network, g.account)
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
	wait, err = e.reserve(ctx, t.now, Budget{Key: g.account, Limit: l.Passwords, Window: l.Lock})
	if err != nil || wait > 0 {
		g.locked = wait > 0
		return g, err
	}
	if l.Passwords == 1 {
		g.last = true
		return g, nil
	}
	// One budget smaller: whoever does not fit into it any more holds the last try, and
	// exactly one of those who race does.
	wait, err = e.reserve(ctx, t.now, Budget{Key: g.warn, Limit: l.Passwords - 1, Window: l.Lock})
	g.last = wait > 0
	return g, err
}

// forgive forgets the failures after a right answer, and other keys beside them, in the
// caller's transaction.
func (e *Engine) forgive(ctx context.Context, g tries, now time.Time, beside ...string) error {
	return e.Throttle.Forgive(ctx, []string{g.network}, append(beside, g.account, g.warn), now)
}

// giveBack returns a try that came to no verdict.
func (e *Engine) giveBack(ctx context.Context, g tries, now time.Time) error {
	keys := []string{g.network}
	if !g.locked {
		keys = append(keys, g.account)
	}
	if !g.locked && !g.last {
		keys = append(keys, g.warn)
	}
	return e.Throttle.Release(ctx, keys, now)
}

// unlock opens what wrong passwords closed, here and for everybody else.
func (e *Engine) unlock(ctx context.Context, t *turn) error {
	var keys []string
	for _, own := range []string{"", string(t.a.Browser)} {
		x := aim{address: t.target(identity.EmailCode).Value, own: own}
		keys = append(keys, e.personKey("password", x), e.personKey("password-warn", x))
	}
	return e.Throttle.Clear(ctx, keys)
}

// lock says that the address is locked now: in the audit trail, and to the person, once.
func (e *Engine) lock(t *turn, method identity.Method) {
	t.tell(event.SignInLocked, map[string]string{"method": string(method)})
	if !t.f.Known {
		return
	}
	t.mail = append(t.mail, message.Message{
		Kind: message.Locked, To: t.target(identity.EmailCode), Locale: t.at.Locale, Link: e.url("/sign-in"), Words: t.words(),
		ExpiresAt: t.now.Add(e.Limits.orDefault().Lock),
	})
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
