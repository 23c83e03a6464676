package federation

import (
	"context"
	"sync"

	"idp/event"
)

// This file notices when a provider changes its habit: when it starts or stops sending an address,
// or saying whether it checked it. Nothing depends on that, since an address without a statement is
// unverified anyway; but people are then asked for codes who were not, and an operator should know.
//
// Single people say nothing about a provider: somebody may have no address there, or keep it to
// themselves. So a habit counts as changed when five different people in a row, in one process,
// came with the same other one, and nobody with the usual one between them. What is usual of a
// connection that nobody knows yet is found out in the same way, without an event. While all is
// as usual nothing is read and nothing is written; a change is written once, for all processes, by
// the one that is first.

// Habit is what a provider sends about addresses.
type Habit string

// The habits.
const (
	SendsNothing   Habit = "no_address"
	SendsAddress   Habit = "address"               // without saying whether it was checked
	SendsStatement Habit = "address_and_statement" // whatever the statement is
)

// Habits remembers what is usual of each connection.
type Habits interface {
	// Habit returns "" if nothing is known.
	Habit(ctx context.Context, connection string) (Habit, error)
	// ChangeHabit writes what is usual now, if it still is what it was, and then calls also in the
	// same transaction. It reports whether it did.
	ChangeHabit(ctx context.Context, connection string, was, now Habit, also func(ctx context.Context) error) (bool, error)
}

// witnesses are how many different people in a row make a habit.
const witnesses = 5

// watch is what one process has seen.
type watch struct {
	mu sync.Mutex
	of map[string]*seen
}

// seen is what it has seen of one connection.
type seen struct {
	known bool // usual was read
	usual Habit
	other Habit           // what people came with since, if not the usual
	who   map[string]bool // and who they were
}

// Observe looks at what a provider sent of somebody who came back from it. It must not run in a
// transaction: it has one of its own, when something changed.
func (f *Federation) Observe(ctx context.Context, c Connection, a Assertion) error {
	if f.Habits == nil || a.habit == "" {
		return nil
	}
	was, known := f.watch.usual(c.Name)
	if !known {
		found, err := f.Habits.Habit(ctx, c.Name)
		if err != nil {
			return err
		}
		f.watch.learn(c.Name, found)
		was = found
	}
	if !f.watch.witnessed(c.Name, a.habit, a.Account.Credential()) {
		return nil
	}
	_, err := f.Habits.ChangeHabit(ctx, c.Name, was, a.habit, func(ctx context.Context) error {
		if was == "" || f.Events == nil {
			return nil
		}
		return f.Events.Record(ctx, event.Event{Kind: event.EmailClaimChanged, Detail: map[string]string{
			"connection": c.Name, "was": string(was), "now": string(a.habit),
		}})
	})
	f.watch.forget(c.Name) // whoever was first, the row has it
	return err
}

// habit is what is sent of an address: the address, and any word on whether it was checked.
func (c Connection) habit(claims map[string]any) Habit {
	if v := c.mail(claims); v == nil || v == "" {
		return SendsNothing
	}
	p := c.preset()
	for _, flag := range p.claim() {
		if lookup(p.about(claims), flag.Claim) != nil {
			return SendsStatement
		}
	}
	return SendsAddress
}

func (w *watch) usual(connection string) (Habit, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.of[connection]; s != nil {
		return s.usual, s.known
	}
	return "", false
}

func (w *watch) learn(connection string, usual Habit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[string]*seen{}
	}
	if s := w.of[connection]; s == nil || !s.known {
		w.of[connection] = &seen{known: true, usual: usual}
	}
}

// witnessed notes what somebody came with, and reports whether enough people came with it.
func (w *watch) witnessed(connection string, sent Habit, who string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.of[connection]
	switch {
	case s == nil:
		return false
	case s.usual == sent:
		s.other, s.who = "", nil
		return false
	case s.other != sent:
		s.other, s.who = sent, map[string]bool{}
	}
	s.who[who] = true
	return len(s.who) >= witnesses
}

func (w *watch) forget(connection string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.of, connection)
}
