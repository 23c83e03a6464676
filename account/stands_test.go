package account_test

import (
	"context"
	"testing"

	"idp/account"
	"idp/internal/secret"
	"idp/session"
)

// whileHashing lets something happen while a new password is hashed.
type whileHashing struct {
	plain
	do func()
}

func (w whileHashing) Hash(ctx context.Context, p secret.String) (secret.String, error) {
	w.do()
	return w.plain.Hash(ctx, p)
}

func TestAPasswordChosenInASessionThatEndedMeanwhileIsNotTaken(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, s := d.on(nil, ann)
		b.Get("/account/password")
		d.engine.Hasher = whileHashing{plain{}, func() {
			_, err := d.keeper.Store.EndOthers(d.Context(), ann, "", d.clock.Now()) // as a reset by the owner does
			d.must(err)
		}}
		b.Post("/account/password", "password", otherPassword, "others", "yes")
		if !d.knows(ann, rightPassword) || d.alive(s) || len(d.letters) != 0 {
			t.Errorf("answered %d: the password of a session that is over was taken", b.Status)
		}
	})
}

func TestNothingIsChangedInASessionThatEndedMeanwhile(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		d.hold(ann, "email", "work@example.com", true, "self")
		_, s := d.on(nil, ann)
		before, err := d.people.Person(d.Context(), ann)
		d.must(err)
		by := account.By{Session: s, Who: before}
		_, err = d.keeper.Store.End(d.Context(), s.ID, d.clock.Now())
		d.must(err)
		for what, do := range map[string]func() error{
			"the password removed": func() error { return d.self.RemovePassword(d.Context(), by) },
			"an address removed":   func() error { return d.self.RemoveIdentifier(d.Context(), by, before.Holdings[1].ID) },
			"another main address": func() error { return d.self.MakePrimary(d.Context(), by, before.Holdings[1].ID) },
		} {
			if err := do(); err == nil || err.Error() != session.ErrNobody.Error() {
				t.Errorf("%s: %v", what, err)
			}
		}
		if after, err := d.people.Person(d.Context(), ann); err != nil || len(after.Factors) != 1 || len(after.Holdings) != 2 || !after.Holdings[0].Primary {
			t.Errorf("on file is %+v %v", after, err)
		}
	})
}
