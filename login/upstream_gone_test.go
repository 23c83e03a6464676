package login_test

import (
	"context"
	"testing"

	"idp/identity"
	"idp/login"
)

// deleted takes a connection off file in another process: this one has not heard of it yet.
func (h *abroad) deleted(name string) {
	h.Helper()
	_, err := h.engine.Federation.Store.DropConnection(h.Context(), name)
	h.must(err)
}

func TestNobodyIsLinkedByAConnectionThatIsDeletedAtThatMoment(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "new@example.com", true)
		b := h.browser().signIn()
		answer := b.away(h.op, "acme")
		h.deleted("acme")
		b.back("acme", answer).refused(login.ErrOver.Code, login.Abandoned)
		if people, sessions := h.count(); people != 0 || sessions != 0 || h.whose("acme", "s1") != "" {
			t.Errorf("%d people, %d sessions, linked to %q", people, sessions, h.whose("acme", "s1"))
		}

		h.must(h.engine.Federation.Reload(t.Context()))
		h.connect(h.op.Connection("acme"))
		ann := h.person("ann@example.com", identity.Password)
		h.linked(ann, "acme", "s2")
		h.says("s2", "ann@example.com", true)
		b = h.browser().signIn()
		answer = b.away(h.op, "acme")
		h.deleted("acme")
		b.back("acme", answer)
		h.nobodyIn(ann)
		if h.whose("acme", "s2") != "" {
			t.Error("the link came back")
		}
	})
}

func TestTakingADisconnectionBackLeavesOutWhatIsNotConnectedHereAnyMore(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password)
		h.linked(ann, "acme", "s1")
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		h.must(h.engine.Unlink(t.Context(), b.session(), b.at(), "factor_acmes1"))
		_, link := h.notice("ann@example.com", "account_unlinked")
		h.deleted("acme")
		_, err := h.undo(link, false)
		h.must(err)
		if h.whose("acme", "s1") != "" {
			t.Error("an account of a connection that is gone came back")
		}
	})
}

func TestThePictureOfAProviderIsWantedOnceByWhoIsLinked(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		var wanted []string
		h.engine.Picture = func(_ context.Context, u identity.UserID, connection, address string) error {
			wanted = append(wanted, string(u)+" "+connection+" "+address)
			return nil
		}
		h.says("s1", "new@example.com", true)
		h.op.Claims["picture"] = "https://pictures.example/ann.png"
		for range 2 {
			h.browser().signIn().by(h, "acme").want(login.Complete)
		}
		if want := string(h.whose("acme", "s1")) + " acme https://pictures.example/ann.png"; len(wanted) != 1 || wanted[0] != want {
			t.Errorf("wanted is %q", wanted)
		}
	})
}
