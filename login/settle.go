package login

import (
	"context"
	"slices"
	"strings"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
)

// settle turns an attempt that owes nothing into a session: the person, what they hold
// and can prove with, the session, the browser's new secret, and what follows. It runs
// in the transaction that saves the attempt, which is claimed first: of two that race
// the slower one writes nothing.
func (e *Engine) settle(ctx context.Context, t *turn) error {
	fresh := t.a.UserID == ""
	if fresh {
		if err := t.enters(); err != nil {
			return err
		}
		t.f.User = e.newcomer(t)
		t.a.UserID = t.f.User.ID
	}
	if !t.f.User.MayEnter() {
		return ErrSuspended
	}
	if err := e.still(ctx, t); err != nil {
		return err
	}
	if !fresh && !t.holds() || t.a.Upstream != nil && !t.p.allows(t.a.Upstream.Account.Method) {
		return ErrOver
	}
	s, err := e.sessionOf(ctx, t)
	if err != nil {
		return err
	}
	draft := t.a.Draft
	t.a.SessionID, t.a.Draft = s.ID, Draft{}
	done := t.a
	done.Upstream, done.Presence = nil, nil // what is kept of it is on the person's file, and with the session
	if err := e.Store.SaveAttempt(ctx, done); err != nil {
		return err
	}
	if fresh {
		if err := e.enter(ctx, t, draft); err != nil {
			return err
		}
	}
	if err := e.vouch(ctx, t); err != nil {
		return err
	}
	if err := e.install(ctx, t, draft.Factor); err != nil {
		return err
	}
	if err := e.adopt(ctx, t, draft.Address); err != nil {
		return err
	}
	if err := e.link(ctx, t, fresh); err != nil {
		return err
	}
	if err := e.absolve(ctx, t); err != nil { // before there is a session here: that makes the browser a known one
		return err
	}
	strange := false
	if !fresh && s.CreatedAt.Equal(t.now) {
		if strange, err = e.strange(ctx, t); err != nil {
			return err
		}
	}
	if err := e.Sessions.SaveSession(ctx, s); err != nil {
		return err
	}
	if err := e.attend(ctx, t, s); err != nil {
		return err
	}
	if err := e.use(ctx, t, s); err != nil {
		return err
	}
	if err := e.remember(ctx, t); err != nil {
		return err
	}
	if !fresh && (resetProven(t.a) || t.a.Breached != "") {
		if t.a.Breached != "" && !t.stands() {
			return errReplaced
		}
		if err := e.replacePassword(ctx, t, draft.PasswordHash, s.ID); err != nil {
			return err
		}
	}
	if strange && !t.told {
		if err := e.notify(ctx, t, Change{Kind: NewBrowser}); err != nil {
			return err
		}
	}
	if t.a.Goal != Enroll && t.a.Goal != Extend && t.a.Goal != Connect {
		t.tell(event.SignInSucceeded, map[string]string{"methods": methodsOf(t.a.Proofs)})
	}
	return e.choose(ctx, t)
}

// enters asks the rules about a newcomer again. They may have changed since, and of somebody who
// comes from a provider it is only known now that they are one: that ends the attempt.
func (t *turn) enters() error {
	err := t.admitted()
	if err == nil {
		err = t.welcome()
	}
	switch {
	case err != nil && t.a.Upstream != nil:
		return over{"not_admitted", err}
	case err == nil && t.f.Held:
		return ErrOver // somebody took the address meanwhile, and mailed codes sign nobody in here
	}
	return err
}

// newcomer is the person a sign-up makes.
func (e *Engine) newcomer(t *turn) identity.User {
	p := identity.Profile{Name: t.a.Draft.Name, Locale: t.a.Draft.Locale}
	if t.a.Upstream != nil {
		p = fill(p, t.a.Upstream.Profile, identity.Profile{})
	}
	return identity.User{
		ID: identity.UserID(secret.NewID("user")), Status: identity.Active, Profile: p, CreatedAt: t.now, UpdatedAt: t.now,
	}
}

// enter writes a new person. Whoever claimed the address without proof loses the claim;
// nothing of theirs is joined.
func (e *Engine) enter(ctx context.Context, t *turn, draft Draft) error {
	user := t.f.User
	if err := e.People.SaveUser(ctx, user); err != nil {
		return err
	}
	if err := e.Claim(ctx, t.a.Identifier, user.ID, string(user.ID)); err != nil {
		return err
	}
	if err := e.People.SaveHolding(ctx, identity.Holding{
		ID: identity.HoldingID(secret.NewID("holding")), UserID: user.ID, Identifier: t.a.Identifier, Primary: true,
		VerifiedAt: t.now, VerifiedBy: confirmedBy(t.a), Source: sourceOf(t.a), CreatedAt: t.now,
	}); err != nil {
		return err
	}
	if !draft.PasswordHash.Empty() {
		if err := e.People.SaveFactor(ctx, passwordFactor(user.ID, draft.PasswordHash, t.now)); err != nil {
			return err
		}
	}
	if draft.Invitation != "" {
		err := e.Store.UseInvitation(ctx, draft.Invitation, t.now)
		if problem.Is(err, problem.Conflict) {
			return over{"invitation", ErrInvitation.Because(err)}
		}
		if err != nil {
			return err
		}
	}
	t.tell(event.UserCreated, nil)
	t.tell(event.AddressVerified, nil)
	return nil
}

// vouch notes that an address which an operator had put on file answered, or one that so far
// only a provider had confirmed: it leans on that no longer.
func (e *Engine) vouch(ctx context.Context, t *turn) error {
	by := confirmedBy(t.a)
	for i, h := range t.f.Holdings {
		if by == "" || h.Identifier != t.a.Identifier || h.Verified() && (!h.VerifiedBy.Federated() || by.Federated()) {
			continue
		}
		if h.Verified() {
			h.VerifiedBy = by
			if err := e.People.SaveHolding(ctx, h); err != nil {
				return err
			}
			t.f.Holdings[i] = h
			continue
		}
		if err := e.Claim(ctx, h.Identifier, h.UserID, string(h.UserID)); err != nil {
			return err
		}
		h.VerifiedAt, h.VerifiedBy = t.now, by
		if err := e.People.SaveHolding(ctx, h); err != nil {
			return err
		}
		t.f.Holdings[i] = h // what follows in this commit is told there
		t.tell(event.AddressVerified, nil)
	}
	return nil
}

// adopt puts the address or phone number that answered on file, beside what is there. Who
// claimed it without proof loses the claim.
func (e *Engine) adopt(ctx context.Context, t *turn, address identity.Identifier) error {
	if t.a.Goal != Extend {
		return nil
	}
	if err := t.may(address); err != nil {
		return over{"domain", err} // since it was typed
	}
	err := e.hold(ctx, t, address)
	if problem.Is(err, problem.Conflict) {
		return over{"taken", err} // somebody else proved it a moment ago
	}
	return err
}

// hold puts an address or number that answered on the person's file.
func (e *Engine) hold(ctx context.Context, t *turn, address identity.Identifier) error {
	if err := e.Claim(ctx, address, t.a.UserID, string(t.a.UserID)); err != nil {
		return err
	}
	by := identity.EmailCode
	if address.Kind == identity.Phone {
		by = identity.PhoneCode
	}
	first := !slices.ContainsFunc(t.f.Holdings, func(h identity.Holding) bool { return h.Identifier.Kind == address.Kind && h.Primary })
	confirmed := false // by a provider already: nothing was added
	for _, h := range t.f.Holdings {
		if h.Identifier == address {
			first, confirmed = first || h.Primary, h.Verified()
		}
	}
	if err := e.People.SaveHolding(ctx, identity.Holding{
		ID: identity.HoldingID(secret.NewID("holding")), UserID: t.a.UserID, Identifier: address, Primary: first,
		VerifiedAt: t.now, VerifiedBy: by, Source: identity.SourceSelf, CreatedAt: t.now,
	}); err != nil {
		return err
	}
	t.tell(event.AddressVerified, nil)
	if confirmed {
		return nil
	}
	return e.notify(ctx, t, Change{Kind: AddressAdded, Address: address})
}

// confirmedBy is the method by which the address that was named answered, "" if it did not.
func confirmedBy(a Attempt) identity.Method {
	for _, p := range a.Proofs {
		if p.Credential == a.Identifier.Value {
			return p.Method
		}
	}
	if a.believed() {
		return a.Upstream.Account.Method
	}
	return ""
}

// sourceOf is who put the address that was named on file.
func sourceOf(a Attempt) string {
	if m := confirmedBy(a); m.Federated() {
		return m.Connection()
	}
	return identity.SourceSelf
}

func passwordFactor(u identity.UserID, hash secret.String, now time.Time) identity.Factor {
	return identity.Factor{
		ID: identity.FactorID(secret.NewID("factor")), UserID: u, Method: identity.Password, Secret: hash, CreatedAt: now,
	}
}

// The most a session on a public computer may last, whatever the settings say.
const (
	publicMaximum = 12 * time.Hour
	publicIdle    = time.Hour
)

// sessionOf is the session the person will have on this browser. Whoever is signed in
// there already goes on under the same id, so that what relying parties know as sid
// stays true; what was proven, and when, is new.
func (e *Engine) sessionOf(ctx context.Context, t *turn) (session.Session, error) {
	set := e.SessionSettings()
	if t.a.Public {
		set.Maximum, set.Idle = min(set.Maximum, publicMaximum), min(set.Idle, publicIdle)
	}
	s := session.Session{ID: session.ID(secret.NewID("session")), Browser: t.a.Browser, User: t.a.UserID, CreatedAt: t.now}
	standing, err := e.Sessions.OnBrowser(ctx, t.a.Browser)
	if err != nil {
		return s, err
	}
	for _, old := range standing {
		if old.User == t.a.UserID && old.Alive(t.now) {
			s = old
			break
		}
	}
	s.Proofs, s.AuthTime = t.a.Proofs, t.a.Proofs[len(t.a.Proofs)-1].At
	s.LastActiveAt, s.ExpiresAt, s.Idle = t.now, t.now.Add(set.Maximum), set.Idle
	s.Public, s.UserAgent, s.Network = t.a.Public, session.Clip(t.at.UserAgent), t.at.Network
	return s, nil
}

// use makes the session the one in use on its browser, under a new cookie secret. Whoever came with
// one that was renewed meanwhile may be somebody who planted it: they are not let in.
func (e *Engine) use(ctx context.Context, t *turn, s session.Session) error {
	cookie := session.Token{ID: t.a.Browser}.Renew()
	b, was := t.at.Browser, t.at.Browser.Digest
	b.ID, b.Active, b.Digest = t.a.Browser, s.ID, secret.DigestOf(cookie.Secret.Reveal())
	b.UserAgent, b.SeenAt = session.Clip(t.at.UserAgent), t.now
	err := e.Sessions.Renew(ctx, b, was)
	if problem.Is(err, problem.NotFound) {
		return ErrMoved.Because(err)
	}
	t.cookie = &cookie
	return err
}

// replacePassword is the end of a reset or of a change that a breach forced: the new password, everywhere else signed out,
// locks opened, the person told.
func (e *Engine) replacePassword(ctx context.Context, t *turn, hash secret.String, keep session.ID) error {
	f, ok := t.f.factor(identity.Password)
	if !ok {
		f = passwordFactor(t.a.UserID, hash, t.now)
	}
	f.Secret, f.CreatedAt = hash, t.now
	if err := e.People.SaveFactor(ctx, f); err != nil {
		return err
	}
	ended, err := e.Sessions.EndOthers(ctx, t.a.UserID, keep, t.now)
	if err != nil {
		return err
	}
	by := "reset"
	if t.a.Breached != "" {
		by = "breach"
	}
	t.tell(event.PasswordChanged, map[string]string{"by": by})
	for _, id := range ended {
		t.said = append(t.said, event.Event{
			Kind: event.SessionEnded, Actor: string(t.a.UserID), User: string(t.a.UserID), Session: string(id), Network: t.at.Network,
		})
	}
	if e.Revoke != nil {
		if err := e.Revoke(ctx, t.a.UserID); err != nil {
			return err
		}
	}
	if err := e.Distrust(ctx, t.a.UserID); err != nil {
		return err
	}
	if err := e.notify(ctx, t, Change{Kind: PasswordReplaced}); err != nil {
		return err
	}
	return e.open(ctx, t.person(), nil)
}

// choose notes on the waiting request which session answers it.
func (e *Engine) choose(ctx context.Context, t *turn) error {
	if t.ask.ID == "" {
		return nil
	}
	ask, err := e.Store.Ask(ctx, t.ask.ID)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil || !ask.UsedAt.IsZero() {
		return err
	}
	ask.Chosen, ask.Choose = t.a.SessionID, false
	return e.Store.SaveAsk(ctx, ask)
}

func methodsOf(proofs []identity.Proof) string {
	var names []string
	for _, p := range proofs {
		names = append(names, string(p.Method))
	}
	return strings.Join(names, " ")
}
