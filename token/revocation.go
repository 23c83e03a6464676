package token

import (
	"sync"
	"time"

	"idp/session"
)

// Revocation measures how long what was minted outlives its session, without a write: it
// remembers the latest session token of each session for as long as that lives. It knows what
// this process minted; where several run on one database, each reports its own.
type Revocation struct {
	Now func() time.Time
	// Outlived is told of each session that ended here while a token of it was alive: how much
	// longer that lives, and nothing makes it shorter. Nil tells nobody.
	Outlived func(time.Duration)
	// Refused is told of each session that ended, anywhere, when it is first refused a token: how
	// long after its end. Nil tells nobody.
	Refused func(time.Duration)

	mu         sync.Mutex
	turned     time.Time
	young, old book
}

// book holds what happened within one lifetime of a session token.
type book struct {
	expires map[session.ID]time.Time // of the latest token
	refused map[session.ID]bool      // told so already
}

func newBook() book {
	return book{map[session.ID]time.Time{}, map[session.ID]bool{}}
}

// turn begins a new book when the last is a lifetime old. What the one before holds has expired.
func (r *Revocation) turn(now time.Time) {
	switch age := now.Sub(r.turned); {
	case age >= 0 && age < SessionLifetime:
		return
	case age >= 0 && age < 2*SessionLifetime:
		r.young, r.old = newBook(), r.young
	default:
		r.young, r.old = newBook(), newBook()
	}
	r.turned = now
}

// minted notes a session token.
func (r *Revocation) minted(id session.ID, now, expires time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(now)
	r.young.expires[id] = expires
}

// Ended notes that sessions ended now. It may be called in the transaction that ends them.
func (r *Revocation) Ended(ids []session.ID) {
	now := r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(now)
	for _, id := range ids {
		expires, known := r.young.expires[id]
		if !known {
			expires = r.old.expires[id]
		}
		delete(r.young.expires, id)
		delete(r.old.expires, id)
		if left := expires.Sub(now); left > 0 && r.Outlived != nil {
			r.Outlived(left)
		}
	}
}

// refuse notes that a session of which somebody had a cookie was refused a token. Who asks
// again and again is counted once in a while at most.
func (r *Revocation) refuse(s session.Session, now time.Time) {
	if r == nil || s.EndedAt.IsZero() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(now)
	told := r.young.refused[s.ID] || r.old.refused[s.ID]
	r.young.refused[s.ID] = true
	if !told && r.Refused != nil {
		r.Refused(now.Sub(s.EndedAt))
	}
}

// Longest returns the longest lifetime of a template's tokens; zero if there are none.
func (t *Templates) Longest() time.Duration {
	var longest time.Duration
	if all := t.loaded.Load(); all != nil {
		for name, c := range *all {
			if c.err == nil && name != SessionTemplate {
				longest = max(longest, c.Lifetime.Duration())
			}
		}
	}
	return longest
}
