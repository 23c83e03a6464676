package account_test

import (
	"testing"

	"idp/account"
	"idp/login"
)

func TestWhoeverGetsAnotherWayInByAMergeShowsTheSecondFactorAgain(t *testing.T) {
	for _, what := range []string{"move", "join"} {
		t.Run(what, func(t *testing.T) {
			each(t, func(d *desk) {
				p := d.pair()
				d.trust("trust_ann", p.here)
				p.asks().proves()
				if len(d.trusted(p.ann)) != 1 {
					t.Fatal("the browser is not trusted to begin with")
				}
				p.merge(what).Want(303, "/account/security?done=")
				if len(d.trusted(p.ann)) != 0 {
					t.Error("a browser is trusted still, although somebody else's account signs in here now")
				}
			})
		})
	}
}

func TestWhoDisconnectsAnAccountShowsTheSecondFactorAgain(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		d.upstream("google")
		google := d.account(ann, "google", "1", "ann@gmail.example")
		_, s := d.on(nil, ann)
		d.trust("trust_ann", s)
		who, err := d.people.Person(t.Context(), ann)
		d.must(err)
		d.must(d.self.Disconnect(t.Context(), account.By{Session: s, Who: who, At: login.At{Network: "192.0.2.1", Locale: "en"}}, google.ID))
		if len(d.trusted(ann)) != 0 || len(d.linked(ann)) != 0 {
			t.Error("a browser is trusted still, or the account is connected")
		}
	})
}
