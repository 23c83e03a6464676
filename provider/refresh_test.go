package provider_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/provider"
)

func TestARefreshTokenAnswersAgainForTenSecondsWithTheSameSuccessor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		first := b.tokens(c, key)
		second := read(t, w.refresh(c, key, first.Refresh), http.StatusOK)
		for range 3 {
			w.clock.Add(3 * time.Second)
			again := read(t, w.refresh(c, key, first.Refresh), http.StatusOK)
			if again.Refresh != second.Refresh || again.Access == second.Access {
				t.Fatalf("a retry got %+v, the first answer was %+v", again, second)
			}
			w.wantAlive(again.Access)
		}
		w.clock.Add(2 * time.Second)
		wantError(t, w.refresh(c, key, first.Refresh), http.StatusBadRequest, "invalid_grant")
		w.wantDead(second.Access)
		wantError(t, w.refresh(c, key, second.Refresh), http.StatusBadRequest, "invalid_grant")
		if w.events(event.RefreshReused) != 1 {
			t.Error("no event of the reuse")
		}
	})
}

func TestAnOlderGenerationEndsTheFamilyEvenWithinASecond(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		first := b.tokens(c, key)
		last := first
		for range 2 {
			last = read(t, w.refresh(c, key, last.Refresh), http.StatusOK)
		}
		wantError(t, w.refresh(c, key, first.Refresh), http.StatusBadRequest, "invalid_grant")
		w.wantDead(last.Access)
		wantError(t, w.refresh(c, key, last.Refresh), http.StatusBadRequest, "invalid_grant")
	})
}

func TestReuseIsKnownAfterARestart(t *testing.T) {
	url, clock := sqlite(t), clockOf()
	w := newWorld(t, url, clock)
	c, key := w.client(nil)
	b := w.browser()
	b.signIn(w.person("Ann"))
	first := b.tokens(c, key)
	second := read(t, w.refresh(c, key, first.Refresh), http.StatusOK)
	clock.Add(11 * time.Second)
	again := newWorld(t, url, clock) // all memory is gone
	wantError(t, again.refresh(c, key, first.Refresh), http.StatusBadRequest, "invalid_grant")
	wantError(t, again.refresh(c, key, second.Refresh), http.StatusBadRequest, "invalid_grant")
}

func TestParallelRefreshesGetOneSuccessor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		first := b.tokens(c, key)
		answers := make([]answer, 40)
		race(len(answers), func(i int) { answers[i] = read(t, w.refresh(c, key, first.Refresh), http.StatusOK) })
		for _, a := range answers {
			if a.Refresh != answers[0].Refresh {
				t.Fatal("the family forked")
			}
			w.wantAlive(a.Access)
		}
		read(t, w.refresh(c, key, answers[0].Refresh), http.StatusOK)
		wantError(t, w.refresh(c, key, first.Refresh), http.StatusBadRequest, "invalid_grant") // two generations old
		w.wantDead(answers[7].Access)
	})
}

func TestRefreshingWhileRevokingLeavesNothingAlive(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for range 5 {
			first := b.tokens(c, key)
			answers := make([]answer, 10)
			race(len(answers), func(i int) {
				if i == 4 {
					w.post("/oauth2/revoke", c, key, "token", first.Refresh)
					return
				}
				rec := w.refresh(c, key, first.Refresh)
				answers[i] = read(t, rec, rec.Code)
			})
			for _, a := range answers {
				if a.Access != "" {
					w.wantDead(a.Access)
					wantError(t, w.refresh(c, key, a.Refresh), http.StatusBadRequest, "invalid_grant")
				}
			}
		}
	})
}

func TestARefreshMayNarrowScopesAndNeverWidenThem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		a := b.tokens(c, key, "scope", "openid profile")
		wantError(t, w.refresh(c, key, a.Refresh, "scope", "openid email"), http.StatusBadRequest, "invalid_scope")
		small := read(t, w.refresh(c, key, a.Refresh, "scope", "profile"), http.StatusOK)
		if small.Scope != "profile" || small.ID != "" {
			t.Fatalf("narrowed to %+v", small)
		}
		if rec := w.userinfo(small.Access); rec.Code != http.StatusForbidden {
			t.Errorf("userinfo without openid: %d", rec.Code)
		}
		if whole := read(t, w.refresh(c, key, small.Refresh), http.StatusOK); whole.Scope != "openid profile" {
			t.Errorf("the grant itself shrank to %q", whole.Scope)
		}
	})
}

func TestARefreshTokenIsWorthNothingToAnotherClient(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		other, otherKey := w.client(nil)
		public, _ := w.client(func(c *provider.Client) { c.Type = provider.SPA })
		b := w.browser()
		b.signIn(w.person("Ann"))
		a := b.tokens(c, key)
		wantError(t, w.refresh(other, otherKey, a.Refresh), http.StatusBadRequest, "invalid_grant")
		wantError(t, w.refresh(public, "", a.Refresh), http.StatusBadRequest, "invalid_grant")
		wantError(t, w.refresh(c, "wrong", a.Refresh), http.StatusUnauthorized, "invalid_client")
		read(t, w.refresh(c, key, a.Refresh), http.StatusOK)
	})
}

func TestForgedRefreshTokensAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		a := b.tokens(c, key)
		parts := strings.Split(a.Refresh, ".")
		for _, bad := range []string{
			a.Refresh[:len(a.Refresh)-1], a.Refresh + "A", parts[0] + ".2." + parts[2], parts[0] + ".01." + parts[2], parts[0] + ".+1." + parts[2],
			parts[0] + ".1.", parts[0], "idp_rt_", a.Access, parts[0] + ".99999999999999999999." + parts[2],
		} {
			wantError(t, w.refresh(c, key, bad), http.StatusBadRequest, "invalid_grant")
		}
		wantError(t, w.refresh(c, key, ""), http.StatusBadRequest, "invalid_request")
		read(t, w.refresh(c, key, a.Refresh), http.StatusOK)
	})
}

func TestRefreshTokensEndWhenIdleAndAfterThirtyDays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		idle, daily := b.tokens(c, key), b.tokens(c, key)
		for range 29 {
			w.clock.Add(24 * time.Hour)
			daily = read(t, w.refresh(c, key, daily.Refresh), http.StatusOK)
		}
		wantError(t, w.refresh(c, key, idle.Refresh), http.StatusBadRequest, "invalid_grant")
		w.clock.Add(24 * time.Hour)
		wantError(t, w.refresh(c, key, daily.Refresh), http.StatusBadRequest, "invalid_grant")
	})
}

func TestOnlyOfflineAccessOutlivesTheSession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		ann := w.person("Ann")
		s := b.signIn(ann)
		bound, offline := b.tokens(c, key, "scope", "openid"), b.tokens(c, key)
		must(t, w.keeper.End(t.Context(), s, string(ann)))
		wantError(t, w.refresh(c, key, bound.Refresh), http.StatusBadRequest, "invalid_grant")
		w.wantDead(bound.Access)
		w.wantAlive(offline.Access)
		offline = read(t, w.refresh(c, key, offline.Refresh), http.StatusOK)
		w.ban(ann)
		wantError(t, w.refresh(c, key, offline.Refresh), http.StatusBadRequest, "invalid_grant")
		w.wantDead(offline.Access)
	})
}

func TestAClientNotRegisteredForRefreshGetsNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) { c.GrantTypes = []string{"authorization_code"} })
		b := w.browser()
		b.signIn(w.person("Ann"))
		a := b.tokens(c, key)
		if a.Refresh != "" {
			t.Fatal("a refresh token")
		}
		wantError(t, w.refresh(c, key, "idp_rt_x"), http.StatusBadRequest, "unauthorized_client")
	})
}
