package federation_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/storage"
	"idp/storage/storagetest"
)

// linked signs somebody in and puts the account, with its tokens, on file.
func (h *house) linked() (*federation.Keeper, identity.FactorID) {
	h.Helper()
	h.c.KeepTokens = true
	h.must(h.f.Store.SaveConnection(h.Context(), h.c))
	h.must(h.f.Reload(h.Context()))
	x, err := h.signIn()
	h.must(err)
	people := storage.NewPeople(h.db)
	h.must(people.SaveUser(h.Context(), identity.User{ID: "user_ann", Status: identity.Active, CreatedAt: h.clock.Now(), UpdatedAt: h.clock.Now()}))
	f, err := x.Factor()
	h.must(err)
	f.ID, f.UserID, f.CreatedAt = "factor_1", "user_ann", h.clock.Now()
	h.must(people.SaveFactor(h.Context(), f))
	return h.keeper(), f.ID
}

func (h *house) keeper() *federation.Keeper {
	return &federation.Keeper{Federation: h.f, Factors: storage.NewPeople(h.db), InTx: h.db.InTx}
}

func (h *house) onFile(id identity.FactorID) identity.Tokens {
	h.Helper()
	f, err := storage.NewPeople(h.db).Factor(h.Context(), id)
	h.must(err)
	x, err := f.External()
	h.must(err)
	return x.Tokens
}

func TestKeptTokensAreRenewedWhenLessThanAMinuteIsLeft(t *testing.T) {
	h := newHouse(t)
	k, id := h.linked()
	first := h.onFile(id)
	h.clock.Add(58 * time.Minute)
	got, err := k.Tokens(t.Context(), id)
	if err != nil || got != first {
		t.Errorf("two minutes left: %v", err)
	}
	h.clock.Add(time.Minute)
	second, err := k.Tokens(t.Context(), id)
	if err != nil || second.Access == first.Access || second.Refresh == first.Refresh || second != h.onFile(id) {
		t.Errorf("a minute left: %v, on file is what was given out: %v", err, second == h.onFile(id))
	}
	h.op.Reply = func(r map[string]any) { delete(r, "refresh_token") }
	h.clock.Add(2 * time.Hour)
	third, err := k.Tokens(t.Context(), id)
	if err != nil || third.Refresh != second.Refresh || third.Access == second.Access {
		t.Errorf("a renewal without a new refresh token: %v", err)
	}
	h.clock.Add(2 * time.Hour) // the provider took the refresh token, and gave none
	if _, err := k.Tokens(t.Context(), id); !problem.HasCode(err, federation.ErrTokensOver.Code) {
		t.Errorf("what cannot be renewed: %v", err)
	}
	if h.onFile(id) != third {
		t.Error("a failure changed what is on file")
	}
}

func TestADisabledConnectionGivesOutNoTokens(t *testing.T) {
	h := newHouse(t)
	k, id := h.linked()
	h.clock.Add(2 * time.Hour)
	c := h.f.All()[0]
	c.Disabled = true
	h.must(h.f.Store.SaveConnection(t.Context(), c))
	h.must(h.f.Reload(t.Context()))
	if got, err := k.Tokens(t.Context(), id); !problem.HasCode(err, federation.ErrDisabled.Code) || got.Access != "" {
		t.Errorf("disabled: %v", err)
	}
	if _, err := h.f.Fresh(t.Context(), c, h.onFile(id)); !problem.HasCode(err, federation.ErrDisabled.Code) {
		t.Errorf("asked directly: %v", err)
	}
	c = h.f.All()[0]
	c.Disabled, c.KeepTokens = false, false
	h.must(h.f.Store.SaveConnection(t.Context(), c))
	h.must(h.f.Reload(t.Context()))
	if _, err := k.Tokens(t.Context(), id); !problem.HasCode(err, federation.ErrNoTokens.Code) {
		t.Errorf("kept no longer: %v", err)
	}
	if n := len(h.op.Grants()); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
	if _, err := k.Tokens(t.Context(), "factor_2"); !problem.Is(err, problem.NotFound) {
		t.Errorf("nobody's account: %v", err)
	}
}

func TestManyWhoRenewAtOnceLoseNoRefreshToken(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		h := houseOn(t, db)
		one, id := h.linked()
		two := h.keeper() // another process
		for range 3 {
			h.clock.Add(2 * time.Hour)
			before := len(h.op.Grants())
			done := make(chan error)
			var got atomic.Pointer[identity.Tokens]
			for i := range 10 {
				go func() {
					k := []*federation.Keeper{one, two}[i%2]
					tokens, err := k.Tokens(context.WithoutCancel(t.Context()), id)
					if err == nil && h.clock.Now().After(tokens.ExpiresAt) {
						err = federation.ErrTokensOver
					}
					got.Store(&tokens)
					done <- err
				}()
			}
			for range 10 {
				if err := <-done; err != nil {
					t.Errorf("one of ten: %v", err)
				}
			}
			if n := len(h.op.Grants()) - before; n > 2 {
				t.Errorf("two processes renewed %d times", n)
			}
			if last := got.Load(); *last != h.onFile(id) {
				t.Error("what was given out is not what is on file")
			}
		}
	})
}

func TestTokensOfASignInMeanwhileStay(t *testing.T) {
	h := newHouse(t)
	k, id := h.linked()
	people := storage.NewPeople(h.db)
	h.clock.Add(2 * time.Hour)
	h.op.Reply = func(map[string]any) { // the person signs in again while the provider answers
		f, err := people.Factor(t.Context(), id)
		if err != nil {
			t.Error(err)
		}
		x, err := f.External()
		if err != nil {
			t.Error(err)
		}
		x.Tokens.Access, x.Tokens.Refresh, x.Email = "newer", "newest", "new@example.com"
		if f.Secret, err = x.Seal(); err != nil {
			t.Error(err)
		}
		if err := people.SaveFactor(t.Context(), f); err != nil {
			t.Error(err)
		}
	}
	got, err := k.Tokens(t.Context(), id)
	if err != nil || got.Access == "newer" {
		t.Errorf("the renewed one: %v", err)
	}
	if now := h.onFile(id); now.Refresh != "newest" || now.Access != "newer" {
		t.Error("a renewal overwrote what came meanwhile")
	}
}
