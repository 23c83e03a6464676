package login_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

// told is all that somebody at the keyboard learns from an event, names taken out.
type told struct {
	View login.View
	Err  string
	Work int64 // hashes spent
}

var nameless = cmp.Options{cmpopts.IgnoreFields(login.View{}, "ID", "Identifier", "Masked"), cmpopts.IgnoreUnexported(login.View{})}

func (b *browser) told(do func()) told {
	before := b.hasher.all()
	do()
	v := b.view
	for i := range v.Methods {
		v.Methods[i].Target = ""
	}
	x := told{View: v, Work: b.hasher.all() - before}
	if b.err != nil {
		x.Err = b.err.Error()
		var p *problem.Error
		if errors.As(b.err, &p) {
			x.Err = p.Code + " " + p.Detail + " " + p.Field + " " + p.Retry.String()
		}
	}
	return x
}

func TestKnownUnknownBannedLockedAndPasswordlessLookAndCostTheSame(t *testing.T) {
	each(t, func(h *house) {
		h.person("known@example.com", identity.Password)
		h.person("twostep@example.com", identity.Password, identity.TOTP)
		h.person("nopassword@example.com")
		h.person("locked@example.com", identity.Password)
		h.ban(h.person("banned@example.com", identity.Password))
		h.person("squatter@example.com", identity.Password)
		for i := range 10 {
			b := h.browser()
			b.network = "198.51.100." + string(rune('0'+i))
			b.signIn().identify("locked@example.com").prove(identity.Password, wrongPassword)
		}
		script := func(who string) (seen []told) {
			b := h.browser()
			b.network = "203.0.113.7"
			b.signIn()
			for _, do := range []func(){
				func() { b.identify(who) },
				func() { b.prove(identity.Password, wrongPassword) },
				func() { b.prove(identity.Password, "") },
				func() { b.prove(identity.TOTP, "000000") },
				func() { b.prepare(identity.EmailCode) },
				func() { b.prepare(identity.EmailCode) },
				func() { b.prove(identity.EmailCode, "12345") },
				func() { b.prove(identity.EmailLink, secret.Token("").Reveal()) },
				func() { b.forgot() },
				func() { b.forgot() },
				func() { b.prove(identity.ResetCode, "no code at all") },
				func() { b.setPassword("another long secret phrase") },
				func() { b.look() },
			} {
				seen = append(seen, b.told(do))
			}
			return seen
		}
		want := script("unknown@example.com")
		for _, who := range []string{"known", "twostep", "nopassword", "locked", "banned"} {
			if diff := cmp.Diff(want, script(who+"@example.com"), nameless); diff != "" {
				t.Errorf("%s differs from unknown:\n%s", who, diff)
			}
		}
		if want[1].Work != 1 {
			t.Errorf("a password for an unknown address cost %d hashes, want 1", want[1].Work)
		}
	})
}

func TestALockedAddressRefusesTheRightPasswordLikeAWrongOne(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com")
		wrong := b.told(func() { b.prove(identity.Password, wrongPassword) })
		for range 9 {
			b.prove(identity.Password, wrongPassword)
		}
		b.network = "203.0.113.7"
		right := b.told(func() { b.prove(identity.Password, rightPassword) })
		if diff := cmp.Diff(wrong, right, cmpopts.IgnoreUnexported(login.View{})); diff != "" {
			t.Errorf("locked and right differs from wrong:\n%s", diff)
		}
	})
}

func TestSignUpTellsNobodyWhoIsHere(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		script := func(who string) (seen []told) {
			b := h.browser()
			b.begin(login.Beginning{Goal: login.SignUp})
			for _, do := range []func(){
				func() { b.submit(who, "password1") },
				func() { b.submit(who, rightPassword) },
				func() { b.prepare(identity.EmailCode) },
				func() { b.prove(identity.EmailCode, "12345") },
			} {
				seen = append(seen, b.told(do))
			}
			return seen
		}
		want := script("new@example.com")
		if diff := cmp.Diff(want, script("ann@example.com"), nameless); diff != "" {
			t.Errorf("a held address differs from a new one:\n%s", diff)
		}
		if want[1].Work != 1 || want[1].View.Step != login.NeedsEmailVerification {
			t.Errorf("filling in cost %d hashes and led to %s", want[1].Work, want[1].View.Step)
		}
		h.letter("ann@example.com", message.AddressHeld)

		h.clock.Add(time.Minute)
		b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@example.com", "some other long phrase")
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.AddressHeld).Code).want(login.Complete)
		if b.session().User != ann || h.password(ann) != rightPassword || len(h.recorded(event.UserCreated)) != 0 {
			t.Error("signing up with one's own address should sign in and change nothing")
		}
	})
}

func TestSignUpWithAHeldAddressStillOwesTheSecondFactor(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@example.com", rightPassword)
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.AddressHeld).Code).want(login.NeedsSecondFactor)
		b.prove(identity.Password, rightPassword).refused("method_unavailable", login.NeedsSecondFactor)
	})
}

func TestWithoutMailedCodesAHeldAddressGetsNoneBySigningUp(t *testing.T) {
	each(t, func(h *house) {
		h.settings.EmailCode, h.settings.EmailLink = false, false
		h.person("ann@example.com", identity.Password)
		h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@example.com", rightPassword).want(login.NeedsEmailVerification)
		if l := h.letter("ann@example.com", message.AddressHeld); l.Code != "" {
			t.Error("an instance without codes at sign-in mailed one that signs in")
		}
	})
}

func TestABannedPersonIsToldOnlyAfterProvingWhoTheyAre(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		code := h.letter("ann@example.com", message.SignIn).Code
		h.ban(ann) // between any two steps
		b.prove(identity.EmailCode, code).refused("account_suspended", login.Abandoned)
		b.prove(identity.EmailCode, code).refused("attempt_over", login.Abandoned)

		b = h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword)
		b.refused("account_suspended", login.Abandoned)

		b = h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsNewPassword)
		b.setPassword("another long secret phrase").refused("account_suspended", login.Abandoned)
		open, err := h.sessions.OfUser(h.Context(), ann)
		h.must(err)
		if len(open) != 0 || h.password(ann) != rightPassword || len(h.recorded(event.SignInSucceeded)) != 0 {
			t.Error("a banned person got something")
		}
	})
}

func cmpTold(want, got []told) string { return cmp.Diff(want, got, nameless) }

func asProblem(err error) (*problem.Error, bool) {
	var p *problem.Error
	ok := errors.As(err, &p)
	return p, ok
}
