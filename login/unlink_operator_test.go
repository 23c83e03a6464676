package login_test

import (
	"testing"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
)

func TestAnOperatorDisconnectsOneAccount(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google", "github")
		u := h.person("ann@example.com", identity.Password)
		google := h.account(u, "google", "1", "")
		h.account(u, "github", "2", "")
		h.account(u, "google", "3", "")
		b := h.browser()
		s := h.standing(b, u, google)

		for which, code := range map[string]string{"google": "external_account_several", "gitlab": login.ErrNotLinked.Code} {
			if err := h.engine.Disconnect(t.Context(), u, which, true, "user_op"); !problem.HasCode(err, code) {
				t.Errorf("%s: %v", which, err)
			}
		}
		h.must(h.engine.Disconnect(t.Context(), u, string(google.ID), false, "user_op"))
		if p := h.onFile(u); len(p.Factors) != 3 {
			t.Errorf("on file is %+v", p.Factors)
		}
		if now, err := h.sessions.Session(t.Context(), s.ID); err == nil && now.Alive(h.clock.Now()) {
			t.Error("the session that began with it goes on")
		}
		for _, kind := range []event.Kind{event.AccountUnlinked, event.SessionEnded} {
			if e := h.recorded(kind); len(e) != 1 || e[0].Actor != "user_op" || e[0].User != string(u) {
				t.Errorf("%s: %+v", kind, e)
			}
		}
		if !h.told("ann@example.com", "account_unlinked") {
			t.Error("she was not told")
		}
		h.must(h.engine.Disconnect(t.Context(), u, "github", false, "user_op"))
	})
}

func TestAnOperatorHasToInsistOnDisconnectingTheLastWayIn(t *testing.T) {
	each(t, func(h *house) {
		h.connections("google")
		u := h.person("ann@example.com")
		google := h.account(u, "google", "1", "ann@example.com")
		h.proven(u, "ann@example.com", google.Method)
		if err := h.engine.Disconnect(t.Context(), u, "google", false, "user_op"); !problem.HasCode(err, login.ErrOnlyWay.Code) || len(h.onFile(u).Factors) != 1 {
			t.Errorf("it is her only way: %v", err)
		}
		h.must(h.engine.Disconnect(t.Context(), u, "google", true, "user_op"))
		if ok, _ := h.provenAs(u, "ann@example.com"); ok || len(h.onFile(u).Factors) != 0 {
			t.Error("the account is there still, or what it confirmed")
		}
		if !h.told("ann@example.com", "account_unlinked") {
			t.Error("she was not told at the address that was hers")
		}
	})
}
