package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
)

// Change is what an operator changes on a person's file. What is nil or empty stays.
type Change struct {
	Profile                 []byte  // JSON: the standard claims that are named get their values, "" takes one off the file
	Phone                   *string // the one phone number; "" takes it off the file
	PhoneVerified           bool    // the operator vouches for it
	Groups, Roles           []string
	LeaveGroups, LeaveRoles []string
}

// Update changes a person. What relying parties hold stays theirs; they read the new
// claims at their next refresh or look at userinfo.
func (u *Users) Update(ctx context.Context, id identity.UserID, c Change, actor string) (identity.User, error) {
	var phone identity.Identifier
	if c.Phone != nil && *c.Phone != "" {
		var err error
		if phone, err = identity.ParsePhone(*c.Phone); err != nil {
			return identity.User{}, err
		}
	}
	var changed identity.User
	err := u.InTx(ctx, func(ctx context.Context) error {
		p, err := u.People.Person(ctx, id)
		if err != nil {
			return err
		}
		was := p.User
		if p.User, err = c.apply(p.User); err != nil {
			return err
		}
		p.User.UpdatedAt = u.Now()
		if err := u.People.SaveUser(ctx, p.User); err != nil {
			return fmt.Errorf("save user: %w", err)
		}
		if c.Phone != nil {
			if err := u.setPhone(ctx, p, phone, c.PhoneVerified, actor); err != nil {
				return err
			}
		}
		changed = p.User
		return u.Events.Record(ctx, event.Event{
			Kind: event.UserUpdated, Actor: actor, User: string(id), Detail: map[string]string{"changed": c.what(was, p.User)},
		})
	})
	return changed, err
}

// apply returns the person as changed, phone aside.
func (c Change) apply(was identity.User) (identity.User, error) {
	now := was
	if len(c.Profile) > 0 {
		if err := readProfile(c.Profile, &now.Profile); err != nil {
			return was, err
		}
	}
	var err error
	if now.Groups, err = identity.Names("groups", without(slices.Concat(was.Groups, c.Groups), c.LeaveGroups)); err != nil {
		return was, err
	}
	now.Roles, err = identity.Names("roles", without(slices.Concat(was.Roles, c.Roles), c.LeaveRoles))
	return now, err
}

// what names the parts that changed, never their values.
func (c Change) what(was, now identity.User) string {
	var parts []string
	for name, same := range map[string]bool{
		"groups": slices.Equal(was.Groups, now.Groups), "phone": c.Phone == nil,
		"profile": was.Profile == now.Profile, "roles": slices.Equal(was.Roles, now.Roles),
	} {
		if !same {
			parts = append(parts, name)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func without[T comparable](names, gone []T) []T {
	return slices.DeleteFunc(names, func(n T) bool { return slices.Contains(gone, n) })
}

// readProfile puts the claims in text over those on file.
func readProfile(text []byte, into *identity.Profile) error {
	malformed := func(why string) error {
		return problem.New(problem.Malformed, "profile_malformed", "A profile is one JSON object of standard claims, like {\"given_name\": \"Ann\"}: "+why+".").On("profile")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return malformed(plain(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return malformed("something follows it")
	}
	if bytes.ContainsRune(text, 0) || bytes.Contains(text, []byte(`\u0000`)) {
		return malformed("no text has a zero byte")
	}
	return into.Check()
}

// ErrPhoneHeld says that the number belongs to somebody already.
var ErrPhoneHeld = problem.New(problem.Conflict, "phone_taken", "Somebody has that phone number already.").On("phone")

// ErrPhoneInUse says that a number has to stay, because codes that sign its owner in go to it.
var ErrPhoneInUse = problem.New(problem.Conflict, "phone_in_use",
	"Sign-in codes go to the number on file. Take the second factors off first: idp user reset-factors.").On("phone")

// setPhone makes the number, if there is one, the only one on the person's file. Two-step
// verification does not end by the way: a number that codes go to stays.
func (u *Users) setPhone(ctx context.Context, p login.Person, phone identity.Identifier, verified bool, actor string) error {
	id := p.User.ID
	for _, f := range p.Factors {
		if f.Method == identity.PhoneCode && (f.Secret.Reveal() != phone.Value || !verified) {
			return ErrPhoneInUse
		}
	}
	if err := u.Store.DropHoldings(ctx, id, identity.Phone); err != nil || phone.None() {
		return err
	}
	return u.addPhone(ctx, u.phone(id, phone, verified, identity.SourceOperator), actor)
}

func (u *Users) phone(id identity.UserID, phone identity.Identifier, verified bool, source string) identity.Holding {
	h := identity.Holding{
		ID: identity.HoldingID(secret.NewID("addr")), UserID: id, Identifier: phone, Primary: true, Source: source, CreatedAt: u.Now(),
	}
	if verified {
		h.VerifiedAt = h.CreatedAt
	}
	return h
}

// free looks before anything is written whether the number is somebody's; no number is nobody's.
func (u *Users) free(ctx context.Context, phone identity.Identifier) error {
	if phone.None() {
		return nil
	}
	switch _, err := u.People.Find(ctx, phone); {
	case err == nil:
		return ErrPhoneHeld
	case !problem.Is(err, problem.NotFound):
		return fmt.Errorf("look for the phone number: %w", err)
	}
	return nil
}

func (u *Users) addPhone(ctx context.Context, h identity.Holding, actor string) error {
	if err := u.free(ctx, h.Identifier); err != nil {
		return err
	}
	if err := u.People.SaveHolding(ctx, h); err != nil {
		if problem.Is(err, problem.Conflict) {
			return ErrPhoneHeld.Because(err)
		}
		return fmt.Errorf("save phone number: %w", err)
	}
	if !h.Verified() {
		return nil
	}
	return u.Help.Claim(ctx, h.Identifier, h.UserID, actor)
}
