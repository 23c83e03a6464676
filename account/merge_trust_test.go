package account_test

import "testing"

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
