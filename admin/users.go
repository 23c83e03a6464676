package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/session"
)

// Users makes, finds, bans and deletes people.
type Users struct {
	Store    Store
	Activity ActivityStore
	People   login.People
	Trust    login.Trust // nil: no browser is trusted
	Sessions session.Store
	Help     Helper
	Events   event.Recorder
	Hasher   *secret.Hasher
	Breaches login.Breaches             // nil: passwords are not looked up
	Rules    func() login.PasswordRules // in force for passwords that an operator chooses
	InTx     func(ctx context.Context, do func(ctx context.Context) error) error
	Now      func() time.Time

	Departed DeleteStore
	Post     func(ctx context.Context, m message.Message) error // in the caller's transaction
}

// NewUser is a person to be made.
type NewUser struct {
	Email    string
	Name     string
	Password secret.String // empty: the person signs in by mail or sets one by reset
	Verified bool          // the operator vouches for the address
	Phone    string        // "" for none; the operator vouches for it with PhoneVerified

	PhoneVerified bool
}

// ErrAddressHeld says that the address belongs to somebody already.
var ErrAddressHeld = problem.New(problem.Conflict, "identifier_taken", "Somebody has that email address already.").On("email")

// Create makes a person. The password has to meet the rules that it would at sign-up.
func (u *Users) Create(ctx context.Context, n NewUser, actor string) (identity.User, error) {
	address, err := identity.ParseEmail(n.Email)
	if err != nil {
		return identity.User{}, identity.ErrEmail.On("email")
	}
	var hash secret.String
	var unchecked bool
	if !n.Password.Empty() {
		if err := u.Rules().Check(n.Password, address); err != nil {
			return identity.User{}, err
		}
		if unchecked, err = login.Fresh(ctx, u.Breaches, n.Password); err != nil {
			return identity.User{}, err
		}
		if hash, err = u.Hasher.Hash(ctx, n.Password); err != nil {
			return identity.User{}, err
		}
	}
	p := u.person(address, n.Verified, identity.SourceOperator)
	p.user.Profile.Name = strings.TrimSpace(n.Name)
	if err := p.user.Profile.Check(); err != nil {
		return identity.User{}, err
	}
	if n.Phone != "" {
		phone, err := identity.ParsePhone(n.Phone)
		if err != nil {
			return identity.User{}, err
		}
		p.phone = u.phone(p.user.ID, phone, n.PhoneVerified, identity.SourceOperator)
	}
	p.hash = hash
	err = u.InTx(ctx, func(ctx context.Context) error {
		if err := u.write(ctx, p, event.UserCreated, actor); err != nil || !unchecked {
			return err
		}
		return u.Events.Record(ctx, event.Event{Kind: event.PasswordUnchecked, Actor: actor, User: string(p.user.ID)})
	})
	if err != nil {
		return identity.User{}, err
	}
	return p.user, nil
}

// draft is a person about to be written.
type draft struct {
	user    identity.User
	holding identity.Holding
	phone   identity.Holding // may be none
	hash    secret.String
}

func (u *Users) person(address identity.Identifier, verified bool, source string) draft {
	now := u.Now()
	id := identity.UserID(secret.NewID("user"))
	d := draft{
		user: identity.User{ID: id, Status: identity.Active, CreatedAt: now, UpdatedAt: now},
		holding: identity.Holding{
			ID: identity.HoldingID(secret.NewID("addr")), UserID: id, Identifier: address,
			Primary: true, Source: source, CreatedAt: now,
		},
	}
	if verified {
		d.holding.VerifiedAt = now
	}
	return d
}

// write saves a draft in the transaction of ctx. It looks before it writes, because a
// failed write would end the whole transaction on PostgreSQL.
func (u *Users) write(ctx context.Context, d draft, kind event.Kind, actor string) error {
	switch _, err := u.People.Find(ctx, d.holding.Identifier); {
	case err == nil:
		return ErrAddressHeld
	case !problem.Is(err, problem.NotFound):
		return fmt.Errorf("look for the address: %w", err)
	}
	if err := u.free(ctx, d.phone.Identifier); err != nil {
		return err
	}
	if err := u.People.SaveUser(ctx, d.user); err != nil {
		return fmt.Errorf("save user: %w", err)
	}
	if err := u.People.SaveHolding(ctx, d.holding); err != nil {
		if problem.Is(err, problem.Conflict) {
			return ErrAddressHeld.Because(err)
		}
		return fmt.Errorf("save address: %w", err)
	}
	if d.holding.Verified() {
		if err := u.Help.Claim(ctx, d.holding.Identifier, d.user.ID, actor); err != nil {
			return fmt.Errorf("drop unproven claims: %w", err)
		}
	}
	if !d.phone.Identifier.None() {
		if err := u.addPhone(ctx, d.phone, actor); err != nil {
			return err
		}
	}
	if !d.hash.Empty() {
		f := identity.Factor{
			ID: identity.FactorID(secret.NewID("factor")), UserID: d.user.ID,
			Method: identity.Password, Secret: d.hash, CreatedAt: d.user.CreatedAt,
		}
		if err := u.People.SaveFactor(ctx, f); err != nil {
			return fmt.Errorf("save password: %w", err)
		}
	}
	return u.Events.Record(ctx, event.Event{Kind: kind, Actor: actor, User: string(d.user.ID)})
}

// Find returns the person with that user id, e-mail address or phone number, or
// problem.NotFound. An address that nobody has proven counts if only one person claims it.
func (u *Users) Find(ctx context.Context, who string) (login.Person, error) {
	unknown := problem.New(problem.NotFound, "user_unknown", "There is nobody with that user id, email address or phone number.")
	address, bad := identity.ParseEmail(who)
	if phone, err := identity.ParsePhone(who); err == nil {
		address, bad = phone, nil
	}
	if bad != nil {
		p, err := u.People.Person(ctx, identity.UserID(who))
		if problem.Is(err, problem.NotFound) {
			return p, unknown.Because(err)
		}
		return p, err
	}
	p, err := u.People.Find(ctx, address)
	if !problem.Is(err, problem.NotFound) {
		return p, err
	}
	like, err := u.Store.People(ctx, address.Value, "", 100)
	if err != nil {
		return p, err
	}
	claim := func(p login.Person) bool {
		return slices.ContainsFunc(p.Holdings, func(h identity.Holding) bool { return h.Identifier == address })
	}
	like = slices.DeleteFunc(like, func(p login.Person) bool { return !claim(p) })
	switch len(like) {
	case 0:
		return p, unknown
	case 1:
		return like[0], nil
	}
	return p, problem.New(problem.Conflict, "user_ambiguous", "Several people claim that address and none has proven it; give the user id.")
}

// Ban shuts the person out: sessions end and everything issued to relying parties dies, in
// the same transaction. Banning twice is fine.
func (u *Users) Ban(ctx context.Context, id identity.UserID, actor string) error {
	now := u.Now()
	return u.InTx(ctx, func(ctx context.Context) error {
		changed, err := u.turn(ctx, id, identity.Banned, now)
		if err != nil {
			return err
		}
		if err := u.endAll(ctx, id, actor, now); err != nil {
			return err
		}
		if u.Trust != nil {
			if _, err := login.DropTrusted(ctx, u.Trust, u.Events, id, login.Which{}, actor); err != nil {
				return fmt.Errorf("forget trusted browsers: %w", err)
			}
		}
		if !changed {
			return nil
		}
		return u.Events.Record(ctx, event.Event{Kind: event.UserBanned, Actor: actor, User: string(id)})
	})
}

// Unban lets the person in again; what died with the ban stays dead.
func (u *Users) Unban(ctx context.Context, id identity.UserID, actor string) error {
	now := u.Now()
	return u.InTx(ctx, func(ctx context.Context) error {
		changed, err := u.turn(ctx, id, identity.Active, now)
		if err != nil || !changed {
			return err
		}
		return u.Events.Record(ctx, event.Event{Kind: event.UserUnbanned, Actor: actor, User: string(id)})
	})
}

// endAll ends the person's sessions, and what was issued to relying parties; for use within a transaction.
func (u *Users) endAll(ctx context.Context, id identity.UserID, actor string, now time.Time) error {
	ended, err := u.Sessions.EndOthers(ctx, id, "", now)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	for _, s := range ended {
		e := event.Event{Kind: event.SessionEnded, Actor: actor, User: string(id), Session: string(s)}
		if err := u.Events.Record(ctx, e); err != nil {
			return err
		}
	}
	if err := u.Store.EndAuthorizations(ctx, id, now); err != nil {
		return fmt.Errorf("end authorizations: %w", err)
	}
	return nil
}

func (u *Users) turn(ctx context.Context, id identity.UserID, to identity.Status, now time.Time) (bool, error) {
	p, err := u.People.Person(ctx, id)
	if err != nil {
		return false, err
	}
	if p.User.Status == to {
		return false, nil
	}
	p.User.Status, p.User.UpdatedAt = to, now
	return true, u.People.SaveUser(ctx, p.User)
}
