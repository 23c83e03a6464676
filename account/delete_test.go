package account_test

import (
	"sync/atomic"
	"testing"

	"idp/admin"
	"idp/consent"
	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/message"
)

func (d *desk) gone(u identity.UserID) bool {
	d.Helper()
	_, err := d.people.Person(d.Context(), u)
	if err != nil && !problem.Is(err, problem.NotFound) {
		d.Fatal(err)
	}
	return err != nil
}

func TestAnAccountIsDeletedWithAllThatIsInIt(t *testing.T) {
	each(t, func(d *desk) {
		ann, eve := d.person("ann"), d.person("eve")
		d.password(ann)
		d.hold(ann, identity.Email, "spare@example.com", true, "self")
		d.must(d.grants.SaveGrant(t.Context(), consent.Grant{User: ann, Client: "client_1", Scopes: []string{"openid"}, CreatedAt: d.clock.Now(), UpdatedAt: d.clock.Now()}))
		b, _ := d.on(nil, ann)
		far, _ := d.on(nil, ann)
		eves, _ := d.on(nil, eve)
		b.Get("/account/delete").Want(200, "Nobody can bring it back")
		for _, no := range []string{"", "yes", "spare@example.com", "eve@example.com"} {
			b.Post("/account/delete", "confirm", no).Want(422, `id="delete-confirm-error"`)
		}
		d.call(b, "DELETE", "/me", `{}`).want(422, "confirmation_wrong")
		if d.gone(ann) {
			t.Fatal("it went without being confirmed")
		}
		b.Post("/account/delete", "confirm", " Ann@Example.com ").Want(303, "/account/deleted").Follow().Want(200, "deleted")
		if !d.gone(ann) || d.gone(eve) {
			t.Fatal("the wrong account is gone")
		}
		b.Get("/account").Want(303, "/sign-in")
		far.Get("/account").Want(303, "/sign-in")
		d.call(far, "GET", "/me", "").want(401)
		eves.Get("/account").Want(200)
		if _, err := d.grants.Grant(t.Context(), ann, "client_1"); !problem.Is(err, problem.NotFound) {
			t.Errorf("the grant: %v", err)
		}
		for _, to := range []string{"ann@example.com", "spare@example.com"} {
			d.letter(message.AccountDeleted, to)
		}
		if d.happened(ann, event.UserDeleted) != 1 || d.happened(ann, event.SessionEnded) != 2 {
			t.Error("the trail does not say so")
		}
		// The address is free again, and nothing of the old account comes with it.
		d.hold(eve, identity.Email, "ann@example.com", true, "self")
	})
}

func TestTheLastOperatorStays(t *testing.T) {
	each(t, func(d *desk) {
		ann, bob := d.person("ann"), d.person("bob")
		d.appoint(ann)
		b, _ := d.on(nil, ann)
		b.Get("/account/delete").Post("/account/delete", "confirm", "ann@example.com").Want(409, "idp operator link")
		d.call(b, "DELETE", "/me", `{"confirm":"ann@example.com"}`).want(409, admin.ErrLastOperator.Code)
		if d.gone(ann) {
			t.Fatal("nobody runs it any more")
		}
		d.appoint(bob)
		var refused atomic.Int64
		d.together(2, func(i int) {
			u := []identity.UserID{ann, bob}[i]
			if err := d.self.Erase(t.Context(), u, string(u)); problem.HasCode(err, admin.ErrLastOperator.Code) {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
		if refused.Load() != 1 || d.gone(ann) == d.gone(bob) {
			t.Errorf("%d were refused; gone: %v %v", refused.Load(), d.gone(ann), d.gone(bob))
		}
	})
}

func (d *desk) appoint(u identity.UserID) {
	d.Helper()
	p, err := d.people.Person(d.Context(), u)
	d.must(err)
	p.User.Operator = true
	d.must(d.people.SaveUser(d.Context(), p.User))
}
