package login_test

import (
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/storage/storagetest"
)

func TestTheEleventhUnfinishedSignInOfABrowserEndsTheOldestWhereNothingWasDone(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser()
		first := b.tab().signIn().identify("ann@example.com").want(login.NeedsFirstFactor)
		other := h.browser().signIn()
		var tabs []*browser
		for range 9 {
			h.clock.Add(time.Second)
			tabs = append(tabs, b.tab().signIn().want(login.NeedsIdentifier))
		}
		for _, x := range tabs {
			x.look().want(login.NeedsIdentifier) // ten are fine
		}
		for range 3 {
			h.clock.Add(time.Second)
			tabs = append(tabs, b.tab().signIn().want(login.NeedsIdentifier))
		}
		for i, x := range tabs {
			want := login.NeedsIdentifier
			if i < 3 {
				want = login.Abandoned
			}
			if x.look(); x.view.Step != want {
				t.Errorf("the tab number %d is at %s, want %s", i, x.view.Step, want)
			}
		}
		tabs[0].identify("ann@example.com")
		if !problem.HasCode(tabs[0].err, "attempt_over") {
			t.Errorf("one that ended goes on: %v", tabs[0].err)
		}
		other.look().want(login.NeedsIdentifier)
		first.prove(identity.Password, rightPassword).want(login.Complete)
	})
}

func TestFinishedSignInsTakeNoRoom(t *testing.T) {
	each(t, func(h *house) {
		h.engine.Limits = login.Limits{NetworkAttempts: 2, BrowserAttempts: 2}
		h.person("ann@example.com", identity.Password)
		waits := h.browser().signIn()
		for range 4 {
			h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
			h.browser().signIn().cancel().want(login.Abandoned)
		}
		waits.look().want(login.NeedsIdentifier)
	})
}

func TestANetworkFullOfUnfinishedSignInsKeepsOutOnlyBrowsersThatNobodySignedInOn(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		home := h.browser()
		home.network = "2001:db8:1:2::1"
		home.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		for i := range 200 {
			robot := h.browser()
			robot.network = "2001:db8:1:2:3::" + string("0123456789abcdef"[i%16])
			robot.signIn().want(login.NeedsIdentifier)
			if i == 0 {
				h.clock.Add(time.Minute)
			}
		}
		robot := h.browser()
		robot.network = "2001:db8:1:2:ffff::1"
		for _, g := range []login.Goal{login.SignIn, login.SignUp} {
			robot.begin(login.Beginning{Goal: g})
			if p, ok := asProblem(robot.err); !ok || p.Kind != problem.TooMany || p.Retry != 14*time.Minute || robot.view.ID != "" {
				t.Errorf("%s in a full network answers %v", g, robot.err)
			}
		}
		home.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		h.browser().signIn().want(login.NeedsIdentifier) // another network
		h.clock.Add(14 * time.Minute)
		robot.signIn().want(login.NeedsIdentifier)
	})
}

func TestRoomForASignInCostsOneStatement(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		count := &storagetest.Counter{}
		h := newHouse(t, storagetest.OpenURL(t, url, count))
		cost := func() (int, int) {
			b := h.browser()
			count.Reset()
			b.signIn().want(login.NeedsIdentifier)
			return count.Statements(), count.Transactions()
		}
		with, in := cost()
		h.engine.Unfinished = nil
		without, alone := cost()
		if with != without+1 || in != alone {
			t.Errorf("%d statements in %d transactions with caps, %d in %d without", with, in, without, alone)
		}
	})
}
