package account_test

import (
	"context"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/message"
)

const otherPassword = "lantern harbour quietly"

// knows reports whether that is the person's password.
func (d *desk) knows(u identity.UserID, password string) bool {
	d.Helper()
	p, err := d.people.Person(d.Context(), u)
	d.must(err)
	for _, f := range p.Factors {
		if f.Method == identity.Password {
			return f.Secret.Reveal() == "hash of "+password
		}
	}
	return false
}

func TestAPasswordIsChangedAndEverythingElseSignedOut(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		revoked := 0
		d.engine.Revoke = func(context.Context, identity.UserID) error { revoked++; return nil }
		b, this := d.on(nil, ann)
		_, far := d.on(nil, ann)
		b.Get("/account/password").Want(200, "Change your password", `name="others" value="yes" checked`)
		b.Post("/account/password", "password", "short", "others", "yes").Want(422, `id="new-password-error"`)
		b.Post("/account/password", "others", "yes").Want(422)
		if !d.knows(ann, rightPassword) || !d.alive(far) {
			t.Fatal("a refused password changed something")
		}
		b.Post("/account/password", "password", otherPassword, "others", "yes").Want(303, "done=password").Follow().Want(200, "new password")
		if !d.knows(ann, otherPassword) || d.alive(far) || !d.alive(this) || revoked != 1 {
			t.Errorf("changed: %v, far: %v, this: %v, revoked %d", d.knows(ann, otherPassword), d.alive(far), d.alive(this), revoked)
		}
		d.letter(message.PasswordChanged, "ann@example.com")
		if d.happened(ann, event.PasswordChanged) != 1 {
			t.Error("the trail does not say so")
		}
		_, far = d.on(nil, ann)
		b.Get("/account/password").Post("/account/password", "password", rightPassword).Want(303)
		if !d.knows(ann, rightPassword) || !d.alive(far) || revoked != 1 {
			t.Error("without the tick the others end")
		}
	})
}

func TestAPasswordThatOthersKnowIsNotTaken(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.engine.Breaches = leaked(otherPassword)
		b, _ := d.on(nil, ann)
		b.Get("/account/password").Want(200, "Set a password").Post("/account/password", "password", otherPassword).Want(422, `data-error="password_breached"`)
		if d.knows(ann, otherPassword) {
			t.Error("it was taken")
		}
		b.Post("/account/password", "password", rightPassword).Want(303)
		if !d.knows(ann, rightPassword) {
			t.Error("the first password was not set")
		}
		d.settings.Password = false
		b.Get("/account/password").Want(404)
		b.Get("/account").Post("/account/password", "password", otherPassword).Want(404)
	})
}

type leaked string

func (l leaked) Breached(_ context.Context, p secret.String) (bool, error) {
	return p.Reveal() == string(l), nil
}

func TestAPasswordGoesWhereThereIsAnotherWayIn(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		d.settings.EmailCode, d.settings.EmailLink = false, false
		b, _ := d.on(nil, ann)
		b.Get("/account/password").WantNot("password-remove")
		b.Post("/account/password/remove").Want(409, "only way")
		if !d.knows(ann, rightPassword) {
			t.Fatal("it is gone")
		}
		d.settings.EmailCode = true
		b.Get("/account/password").Want(200, "password-remove").Post("/account/password/remove").Want(303, "done=password_removed")
		if d.knows(ann, rightPassword) || d.happened(ann, event.FactorRemoved) != 1 {
			t.Error("it is there still")
		}
		d.letter(message.Changed, "ann@example.com")
	})
}

func TestGuessesBeforeASensitiveActCountLikeThoseAtSignIn(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, _ := d.on(nil, ann)
		d.clock.Add(11 * time.Minute)
		b.Get("/account/password").Want(200, "account-confirm").WantNot("new-password")
		for range 40 {
			b.Post("/account/confirm", "to", "/account/password").Want(303, "/sign-in/attempt_")
			at := b.To
			b.Get(at)
			if b.Post(at+"/prove", "method", "password", "password", "wrong horse"); b.Status == 429 {
				break
			}
		}
		b.Get("/account/password").Post("/account/confirm", "to", "/account/password").Want(303)
		at := b.To
		if b.Get(at).Post(at+"/prove", "method", "password", "password", rightPassword); b.Status == 303 {
			t.Error("after forty guesses the right one is taken")
		}
		if d.recently(b) == nil {
			t.Error("a locked person proved something")
		}
	})
}
