package login

import (
	"cmp"
	"context"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/session"
)

// A trusted browser skips the second factor when its person signs in there. It is told by
// its cookie, which nobody else has, and it counts for that person only. Nothing that
// demands a proof of now is satisfied by it: no sensitive act, no app that asks for two
// steps, no lost password. What a session says it proved stays true: it is aal1.

// TrustID names one browser that one person trusts.
type TrustID string

// Trusted is a browser on which a person need not show a second factor.
type Trusted struct {
	ID         TrustID
	Browser    session.BrowserID
	User       identity.UserID
	UserAgent  string
	CreatedAt  time.Time // when a second factor was shown there
	ExpiresAt  time.Time
	LastUsedAt time.Time // last sign-in that skipped the second factor, CreatedAt until then
}

// Which picks trusted browsers of a person; the zero Which is all of them.
type Which struct {
	ID    TrustID           // this one
	On    session.BrowserID // the one on this browser
	NotOn session.BrowserID // all but the one on this browser
}

// Trust is what login needs remembered about the browsers of people.
type Trust interface {
	// Trusted reports whether the person trusts the browser since after that time, and still at now.
	Trusted(ctx context.Context, b session.BrowserID, u identity.UserID, since, now time.Time) (bool, error)
	// UseTrusted notes that the second factor was skipped; problem.Conflict if it may not be any more.
	UseTrusted(ctx context.Context, b session.BrowserID, u identity.UserID, since, now time.Time) error
	// SaveTrusted creates it, or replaces the one of the same browser and person.
	SaveTrusted(ctx context.Context, t Trusted) error
	// TrustedBy lists the browsers that a person trusts, the last used first.
	TrustedBy(ctx context.Context, u identity.UserID, since, now time.Time) ([]Trusted, error)
	// KnownTo lists browsers on which the person has signed in, also long ago, the latest first.
	KnownTo(ctx context.Context, u identity.UserID) ([]session.BrowserID, error)
	// DropTrusted forgets those of a person that are picked, and returns them.
	DropTrusted(ctx context.Context, u identity.UserID, w Which) ([]TrustID, error)
}

// trustSince is when a trust that still counts began at the earliest: the operator's word of
// today counts for all of them at once. ok is false where no browser is trusted.
func (e *Engine) trustSince(now time.Time) (since time.Time, ok bool) {
	days := e.Settings().TrustDays
	if e.Trust == nil || days <= 0 {
		return time.Time{}, false
	}
	return now.AddDate(0, 0, -days), true
}

// trusts finds out whether this browser is spared the second factor. Nobody who has none,
// and nothing but a plain sign-in, costs a look; and none is had before the first factor was
// shown, because it would take longer for some.
func (e *Engine) trusts(ctx context.Context, t *turn) error {
	t.f.Trusted = false
	since, ok := e.trustSince(t.now)
	if !ok || t.a.Goal != SignIn || t.a.Reset || t.a.SessionID != "" || len(t.a.Proofs) == 0 || identity.Covered(t.a.Proofs) == identity.Both || !t.f.hasSecond(t.p) {
		return nil
	}
	var err error
	t.f.Trusted, err = e.Trust.Trusted(ctx, t.a.Browser, t.a.UserID, since, t.now)
	return err
}

// mayTrust is for how many days the person may let this browser skip the second factor from
// now on: 0 if that is not theirs to choose here.
func mayTrust(a Attempt, f Facts, p Policy) int {
	if a.Goal != SignIn || a.Public || a.Reset || a.Breached != "" || !f.hasSecond(p) {
		return 0
	}
	return max(0, p.TrustDays)
}

// remember settles what a sign-in means for this browser: that the second factor was
// skipped here, or need not be shown here again for a while, if the person said so and has
// just shown one.
func (e *Engine) remember(ctx context.Context, t *turn) error {
	since, ok := e.trustSince(t.now)
	if !ok || t.a.Goal != SignIn {
		return nil
	}
	full := identity.Covered(t.a.Proofs) == identity.Both
	switch {
	case !full && t.f.Trusted:
		return e.Trust.UseTrusted(ctx, t.a.Browser, t.a.UserID, since, t.now)
	case !full, !t.a.Trust, len(t.a.Proofs) < 2, mayTrust(t.a, t.f, t.p) == 0:
		return nil
	}
	trusted := Trusted{
		ID: TrustID(secret.NewID("trust")), Browser: t.a.Browser, User: t.a.UserID, UserAgent: session.Clip(t.at.UserAgent),
		CreatedAt: t.now, ExpiresAt: t.now.AddDate(0, 0, t.p.TrustDays), LastUsedAt: t.now,
	}
	if err := e.Trust.SaveTrusted(ctx, trusted); err != nil {
		return err
	}
	t.tell(event.BrowserTrusted, map[string]string{"trust": string(trusted.ID)})
	return nil
}

// TrustedBy lists the browsers on which a person need not show a second factor, the last used first.
func (e *Engine) TrustedBy(ctx context.Context, u identity.UserID) ([]Trusted, error) {
	now := e.Now()
	since, ok := e.trustSince(now)
	if !ok {
		return nil, nil
	}
	return e.Trust.TrustedBy(ctx, u, since, now)
}

// Distrust forgets all browsers that a person trusts. Whatever changes what the person
// proves themselves with calls it, in its own transaction.
func (e *Engine) Distrust(ctx context.Context, u identity.UserID) error {
	_, err := e.DropTrusted(ctx, u, Which{}, "")
	return err
}

// DropTrusted forgets those of a person's trusted browsers that are picked, and returns how
// many there were. by is the event's actor, "" for the system. Called in a transaction it is part of it.
func (e *Engine) DropTrusted(ctx context.Context, u identity.UserID, w Which, by string) (int, error) {
	if e.Trust == nil {
		return 0, nil
	}
	dropped := 0
	err := e.InTx(ctx, func(ctx context.Context) (err error) {
		dropped, err = DropTrusted(ctx, e.Trust, e.Events, u, w, cmp.Or(by, "system"))
		return err
	})
	return dropped, err
}

// DropTrusted is Engine.DropTrusted for those who have no engine, in the caller's transaction.
func DropTrusted(ctx context.Context, trust Trust, events event.Recorder, u identity.UserID, w Which, by string) (int, error) {
	ids, err := trust.DropTrusted(ctx, u, w)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		ev := event.Event{Kind: event.BrowserDistrusted, Actor: by, User: string(u), Detail: map[string]string{"trust": string(id)}}
		if err := events.Record(ctx, ev); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
