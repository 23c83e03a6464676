package account_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"idp/account"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/internal/web/webtest"
	"idp/session"
)

// recently asks the gate in the name of a browser.
func (d *desk) recently(b *webtest.Browser) error {
	d.Helper()
	r := httptest.NewRequestWithContext(d.Context(), "POST", "/", nil)
	for _, c := range b.Cookies() {
		r.AddCookie(c)
	}
	_, _, err := d.self.Recently(r)
	return err
}

func TestASensitiveActNeedsAProofOfTheLastTenMinutes(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, _ := d.on(nil, ann)
		d.clock.Add(10 * time.Minute)
		d.must(d.recently(b))
		d.clock.Add(time.Second)
		if err := d.recently(b); !problem.HasCode(err, account.ErrStepUp.Code) {
			t.Fatalf("a proof that is too old: %v", err)
		}
		d.must(d.keeper.Store.Touch(t.Context(), d.inUse(b).ID, "", d.clock.Now())) // using it proves nothing
		if err := d.recently(b); !problem.HasCode(err, account.ErrStepUp.Code) {
			t.Fatalf("use counts as proof: %v", err)
		}
		if err := d.recently(webtest.New(d, d.server.URL)); !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("nobody: %v", err)
		}
	})
}

func (d *desk) inUse(b *webtest.Browser) session.Session {
	d.Helper()
	r := httptest.NewRequestWithContext(d.Context(), "GET", "/", nil)
	for _, c := range b.Cookies() {
		r.AddCookie(c)
	}
	s, err := d.keeper.Current(r)
	d.must(err)
	return s
}

func TestWhoHasASecondFactorShowsItForASensitiveAct(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		b, s := d.on(nil, ann) // one factor was shown: a trusted browser was spared the second
		d.must(d.people.SaveFactor(t.Context(), identity.Factor{
			ID: "factor_app", UserID: ann, Method: identity.TOTP, Secret: secret.NewString("x"), CreatedAt: d.clock.Now(),
		}))
		if err := d.recently(b); !problem.HasCode(err, account.ErrStepUp.Code) {
			t.Fatalf("one factor does where there are two: %v", err)
		}
		s.Proofs = append(s.Proofs, identity.Proof{Method: identity.TOTP, Category: identity.Possession, At: d.clock.Now()})
		d.must(d.keeper.Store.SaveSession(t.Context(), s))
		d.must(d.recently(b))
	})
}

func TestWhoProvesAnewComesBackToWhereTheyWere(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		b, s := d.on(nil, ann)
		d.clock.Add(11 * time.Minute)
		b.Get("/account").Want(200).Post("/account/confirm", "to", "/account?done=ended").Want(303, "/sign-in/attempt_")
		at := b.To
		b.Get(at).Want(200).Post(at+"/prove", "method", "password", "password", "wrong "+rightPassword).Want(422)
		if err := d.recently(b); !problem.HasCode(err, account.ErrStepUp.Code) {
			t.Fatalf("after a wrong password: %v", err)
		}
		b.To = at
		d.prove(b).Want(303, "/account?done=ended")
		d.must(d.recently(b))
		if now := d.inUse(b); now.ID != s.ID || !now.AuthTime.Equal(d.clock.Now()) {
			t.Errorf("the session is %+v", now)
		}
		d.clock.Add(11 * time.Minute)
		b.Get("/account").Post("/account/confirm", "to", "//evil.example/").Want(303, "/sign-in/attempt_")
		at = b.To
		b.Get(at).Post(at+"/cancel").Want(303, "/account")
		if err := d.recently(b); !problem.HasCode(err, account.ErrStepUp.Code) {
			t.Errorf("who turned back has proven something: %v", err)
		}
	})
}
