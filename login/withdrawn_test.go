package login_test

import (
	"testing"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/storage"
)

// nobodyIn fails if the person has a session.
func (h *house) nobodyIn(u identity.UserID) {
	h.Helper()
	if all, err := h.sessions.OfUser(h.Context(), u); err != nil || len(all) != 0 {
		h.Errorf("sessions: %v %v", all, err)
	}
}

func TestAPasswordThatWasChangedMeanwhileLetsNobodyIn(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		h.clock.Add(time.Minute)
		p, err := h.people.Person(t.Context(), ann)
		h.must(err)
		for _, f := range p.Factors {
			if f.Method == identity.Password {
				f.Secret, f.CreatedAt = secret.NewString("hash of another"), h.clock.Now()
				h.must(h.people.SaveFactor(t.Context(), f))
				continue
			}
			h.must(h.people.DropFactor(t.Context(), ann, f.ID)) // nothing else is owed now
		}
		b.look().refused(login.ErrOver.Code, login.Abandoned)
		h.nobodyIn(ann)
	})
}

func TestAnAddressThatLeftTheFileMeanwhileLetsNobodyIn(t *testing.T) {
	each(t, func(h *house) {
		ann, now := h.person("ann@example.com", identity.Password), h.clock.Now()
		h.must(h.people.SaveHolding(t.Context(), identity.Holding{
			ID: "holding_old", UserID: ann, Identifier: address("old@example.com"), VerifiedAt: now, Source: identity.SourceSelf, CreatedAt: now,
		}))
		b := h.browser().signIn().identify("old@example.com").prepare(identity.EmailCode)
		code := h.letter("old@example.com", message.SignIn).Code
		h.must(storage.NewAccount(h.db).DropHolding(t.Context(), ann, "holding_old"))
		b.prove(identity.EmailCode, code).refused(login.ErrOver.Code, login.Abandoned)
		h.nobodyIn(ann)
	})
}
