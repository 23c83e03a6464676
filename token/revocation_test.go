package token_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"idp/session"
	"idp/session/sessiontest"
	"idp/token"
)

func TestHowLongATokenOutlivesItsSessionIsMeasured(t *testing.T) {
	eachMint(t, func(t *testing.T, m *mint) {
		var outlived, refused []time.Duration
		r := &token.Revocation{Now: m.clock.Now, Outlived: func(d time.Duration) { outlived = append(outlived, d) }, Refused: func(d time.Duration) { refused = append(refused, d) }}
		m.minter.Revocation = r
		store := session.Announced{Store: m.keeper.Store, InTx: m.db.InTx, Tell: func(_ context.Context, ended []session.ID) error { r.Ended(ended); return nil }}
		m.keeper.Store = store
		ann := m.person("ann")
		s, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		idle, _ := sessiontest.SignIn(t, m.keeper, ann.ID)
		quiet, quietCookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.ask(string(quiet.ID)+"/tokens", "{}", quietCookie).token()
		m.clock.Add(50 * time.Second)
		m.ask(string(s.ID)+"/tokens", "{}", cookie).token()
		m.clock.Add(20 * time.Second)
		for _, one := range []session.Session{s, idle, quiet} { // quiet's token died ten seconds ago, idle never had one
			must(t, m.keeper.End(t.Context(), one, "test"))
			must(t, m.keeper.End(t.Context(), one, "test"))
		}
		if !slices.Equal(outlived, []time.Duration{40 * time.Second}) {
			t.Errorf("outlived %v", outlived)
		}
		m.clock.Add(25 * time.Second)
		for range 3 {
			m.ask(string(s.ID)+"/tokens", "{}", cookie).refused(401, "session_ended")
			m.clock.Add(30 * time.Second)
		}
		if !slices.Equal(refused, []time.Duration{25 * time.Second}) {
			t.Errorf("refused after %v", refused)
		}
		gone, cookie := sessiontest.SignIn(t, m.keeper, ann.ID)
		m.clock.Add(2 * time.Hour) // of age: nobody ended it
		m.ask(string(gone.ID)+"/tokens", "{}", cookie).refused(401, "session_ended")
		if len(refused) != 1 {
			t.Errorf("refused after %v", refused)
		}
	})
}
