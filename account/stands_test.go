package account_test

import (
	"context"
	"fmt"
	"testing"

	"idp/account"
	"idp/identity"
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

func TestEverySensitiveActIsBehindTheGateOnBothFaces(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		work := string(d.hold(ann, identity.Email, "work@example.com", true, identity.SourceSelf))
		d.must(d.people.SaveFactor(t.Context(), identity.Factor{
			ID: "factor_key", UserID: ann, Method: identity.SecurityKey, Name: "key", Secret: secret.NewString("{}"), CreatedAt: d.clock.Now(),
		}))
		d.upstream("google")
		d.account(ann, "google", "1", "")
		b, _ := d.on(nil, ann) // half of what Ann can show
		file := func() string {
			p, err := d.people.Person(t.Context(), ann)
			d.must(err)
			return fmt.Sprintf("%+v", p)
		}
		before := file()
		for _, c := range []struct{ method, path, body string }{
			{"DELETE", "/me", `{"confirm":"ann@example.com"}`},
			{"POST", "/me/password", `{"password":"` + otherPassword + `"}`},
			{"DELETE", "/me/password", ""},
			{"PATCH", "/me/identifiers/" + work, `{"primary":true}`},
			{"DELETE", "/me/identifiers/" + work, ""},
			{"PATCH", "/me/factors/factor_key", `{"name":"mine"}`},
			{"DELETE", "/me/factors/factor_key", ""},
			{"POST", "/me/backup-codes", `{}`},
			{"DELETE", "/me/connections/factor_google_1", ""},
			{"GET", "/me/export", ""},
		} {
			b.Get("/account")
			d.call(b, c.method, c.path, c.body).want(403, `"step_up_required"`)
		}
		for path, form := range map[string][]string{
			"/account/identifiers/primary":    {"id", work},
			"/account/identifiers/remove":     {"id", work},
			"/account/security/add":           {"method", "totp"},
			"/account/security/rename":        {"factor", "factor_key", "name", "mine"},
			"/account/security/remove":        {"factor", "factor_key"},
			"/account/security/backup-codes":  nil,
			"/account/connections/disconnect": {"factor", "factor_google_1"},
			"/account/password":               {"password", otherPassword, "others", "yes"},
			"/account/password/remove":        nil,
			"/account/export":                 nil,
			"/account/delete":                 {"confirm", "ann@example.com"},
		} {
			b.Get("/account").Post(path, form...).Want(303, "/sign-in/attempt_").Get(b.To).Want(200, "Enter your password")
		}
		if after := file(); after != before {
			t.Errorf("on file was\n%s\nand is\n%s", before, after)
		}
	})
}
