package login_test

import (
	"context"
	"testing"
	"time"

	"idp/identity"
	"idp/login"
	"idp/message"
)

func TestAnAssignedAddressThatAnswersLeavesNothingOfWhoClaimedIt(t *testing.T) {
	for name, in := range map[string]func(h *abroad) *browser{
		"by a mailed code": func(h *abroad) *browser {
			b := h.browser().signIn().identify(victim).prepare(identity.EmailCode)
			return b.prove(identity.EmailCode, h.letter(victim, message.SignIn).Code)
		},
		"by a provider": func(h *abroad) *browser {
			h.says("the victim", victim, true)
			return h.browser().signIn().by(h, "acme")
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachAbroad(t, func(h *abroad) {
				q := h.squat()
				ann := h.assigned(victim, identity.SourceOperator)
				if b := in(h).want(login.Complete); b.session().User != ann {
					t.Fatal("somebody else is in")
				}
				q.gone()
				if h.holderOf(victim) != ann {
					t.Error("the address is not its owner's")
				}
			})
		})
	}
}

func TestAnAddressThatComesBackByAnUndoLeavesNothingOfWhoClaimedItMeanwhile(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b, _ := h.inside("ann@example.com")
		h.clock.Add(time.Minute)
		b.extend(victim)
		h.clock.Add(time.Minute)
		p, err := h.people.Person(t.Context(), ann)
		h.must(err)
		h.must(h.db.InTx(t.Context(), func(ctx context.Context) error {
			return h.engine.Notify(ctx, login.Change{Kind: login.AddressRemoved, Before: p, Address: address(victim)})
		}))
		h.must(h.engine.Undos.DropHolding(t.Context(), ann, address(victim)))
		_, link := h.notice("ann@example.com", "email_removed")
		q := h.squat()
		h.undone(link, false)
		q.gone()
		if h.holderOf(victim) != ann {
			t.Error("the address is not its owner's")
		}
	})
}
