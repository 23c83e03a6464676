package admin

import (
	"context"
	"strings"
	"time"

	"idp/identity"
	"idp/login"
)

// Search says who is looked for.
type Search struct {
	Text string // part of an address or a name, or a whole external id; "" is everybody
	// ActiveSince leaves those who were there at that time or later, InactiveSince those who
	// were not, and had an account before. Zero is no matter.
	ActiveSince, InactiveSince time.Time

	ByActivity bool // who was there last comes first; otherwise the newest account does
	Limit      int  // 1 to 100

	After       identity.UserID // go on after that person; "" starts
	AfterActive time.Time       // and this is when they were last there, where ByActivity
}

// Found is somebody, and when they were last there: zero is never.
type Found struct {
	login.Person

	LastActiveAt time.Time
}

// ActivityStore tells when people were last there: the last time any of their sessions was
// used, to the minute.
type ActivityStore interface {
	// Search lists people in the order asked for.
	Search(ctx context.Context, s Search) ([]Found, error)
	// LastActive returns when the person was last there; zero is never.
	LastActive(ctx context.Context, id identity.UserID) (time.Time, error)
}

// List returns the people a search finds.
func (u *Users) List(ctx context.Context, s Search) ([]Found, error) {
	s.Text, s.Limit = strings.TrimSpace(s.Text), min(max(s.Limit, 1), 100)
	return u.Activity.Search(ctx, s)
}
