package login_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

const (
	mobile  = "+447400123456"
	another = "+447400123457"
)

func phoneOf(number string) identity.Identifier {
	return identity.Identifier{Kind: identity.Phone, Value: number}
}

// numbered puts somebody on file who has a password and a number.
func (h *house) numbered(mail, number string) identity.UserID {
	h.Helper()
	h.settings.SMS = true
	u := h.person(mail, identity.Password)
	h.must(h.people.SaveHolding(h.Context(), identity.Holding{
		ID: identity.HoldingID(secret.NewID("holding")), UserID: u, Identifier: phoneOf(number), Primary: true,
		VerifiedAt: h.clock.Now(), VerifiedBy: identity.PhoneCode, Source: identity.SourceSelf, CreatedAt: h.clock.Now(),
	}))
	return u
}

// texted is numbered, and turned codes by SMS on.
func (h *house) texted(mail, number string) identity.UserID {
	h.Helper()
	u := h.numbered(mail, number)
	h.must(h.people.SaveFactor(h.Context(), identity.Factor{
		ID: identity.FactorID(secret.NewID("factor")), UserID: u, Method: identity.PhoneCode, Secret: secret.NewString(number), CreatedAt: h.clock.Now(),
	}))
	return u
}

// digits are those of the newest SMS to a number.
func (h *house) digits(number string, k message.Kind) string {
	h.Helper()
	code := h.letter(number, k).Code
	if len(code) != 6 {
		h.Fatalf("the SMS to %s has the code %q", number, code)
	}
	return code
}

func (b *browser) extending(number string) *browser {
	return b.begin(login.Beginning{Goal: login.Extend, Session: b.view.SessionID, Address: number})
}

func (b *browser) option(m identity.Method) login.Option {
	b.Helper()
	i := slices.IndexFunc(b.view.Methods, func(o login.Option) bool { return o.Method == m })
	if i < 0 {
		b.Fatalf("%s is not offered at %s: %+v", m, b.view.Step, b.view.Methods)
	}
	return b.view.Methods[i]
}

func TestACodeBySMSIsASecondStep(t *testing.T) {
	each(t, func(h *house) {
		ann := h.texted("ann@example.com", mobile)
		b := h.second("ann@example.com")
		if o := b.option(identity.PhoneCode); o.Target != "•••56" || o.Sent {
			t.Fatalf("offered %+v", o)
		}
		if len(h.letters(mobile)) != 0 {
			t.Fatal("an SMS went out that nobody asked for")
		}
		b.prove(identity.PhoneCode, "123456").refused("code_not_sent", login.NeedsSecondFactor)
		b.prepare(identity.PhoneCode).want(login.NeedsSecondFactor)
		if o := b.option(identity.PhoneCode); !o.Sent || !o.ResendAt.Equal(h.clock.Now().Add(resend)) {
			t.Errorf("after it was sent: %+v", o)
		}
		if l := h.letter(mobile, message.PhoneCode); l.Link != "" || len(h.letters("ann@example.com")) != 0 {
			t.Errorf("sent %+v", l)
		}
		code := h.digits(mobile, message.PhoneCode)
		b.prove(identity.PhoneCode, "").refused("code_missing", login.NeedsSecondFactor)
		b.prove(identity.PhoneCode, spaced(code)).want(login.Complete)
		b.prove(identity.PhoneCode, code).refused("not_now", login.Complete)
		proofs := b.session().Proofs
		if amr := identity.AMR(proofs); identity.ACR(proofs) != identity.AAL2 || strings.Join(amr, " ") != "mfa pwd sms" {
			t.Errorf("the session is at %s by %v", identity.ACR(proofs), amr)
		}
		if f := h.factors(ann, identity.PhoneCode); !f[0].LastUsedAt.Equal(h.clock.Now()) {
			t.Errorf("last used %v", f[0].LastUsedAt)
		}
	})
}

func TestAnSMSNeverStandsForThePassword(t *testing.T) {
	each(t, func(h *house) {
		u := h.texted("ann@example.com", mobile)
		h.must(h.people.SaveFactor(h.Context(), identity.Factor{
			ID: identity.FactorID(secret.NewID("factor")), UserID: u, Method: identity.TOTP, Secret: secret.NewString(seed), CreatedAt: h.clock.Now(),
		}))
		b := h.browser().signIn().identify("ann@example.com").want(login.NeedsFirstFactor)
		b.prepare(identity.PhoneCode).refused("method_unavailable", login.NeedsFirstFactor)
		b.prove(identity.PhoneCode, "123456").refused("method_unavailable", login.NeedsFirstFactor)
		b.prove(identity.TOTP, h.code(seed, 0)).refused("method_unavailable", login.NeedsFirstFactor)
		// Whoever has nothing but the phone cannot reset the password either.
		b.forgot().want(login.NeedsFirstFactor).prepare(identity.PhoneCode).refused("method_unavailable", login.NeedsFirstFactor)
		if len(h.letters(mobile)) != 0 {
			t.Errorf("sent %v", h.kinds(mobile))
		}
		// Both are possession: after one of them the password is still owed, the other is not.
		both := []identity.Proof{{Method: identity.TOTP, Category: identity.TOTP.Category()}, {Method: identity.PhoneCode, Category: identity.PhoneCode.Category()}}
		if identity.Covered(both) != identity.Possession || identity.ACR(both) != identity.AAL1 {
			t.Errorf("both together cover %d", identity.Covered(both))
		}
		h.second("ann@example.com").prepare(identity.PhoneCode).prove(identity.PhoneCode, h.digits(mobile, message.PhoneCode)).want(login.Complete)
	})
}

func TestANumberOnFileIsNoFactorUntilItIsTurnedOn(t *testing.T) {
	each(t, func(h *house) {
		h.settings.SMS = true
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		b.extending("+44 7400 123456").want(login.NeedsPhoneVerification)
		b.prove(identity.PhoneCode, otherThan(h.digits(mobile, message.PhoneProof))).refused("code_wrong", login.NeedsPhoneVerification)
		if got := h.holdings(ann); len(got) != 1 {
			t.Fatalf("on file before it answered: %q", got)
		}
		b.prove(identity.PhoneCode, h.digits(mobile, message.PhoneProof)).want(login.Complete)
		if got := h.holdings(ann); len(got) != 2 || !slices.Contains(got, mobile) {
			t.Errorf("on file are %q", got)
		}
		if len(h.factors(ann, identity.PhoneCode)) != 0 || b.session().ID != s || len(b.session().Proofs) != 1 {
			t.Errorf("the number became a factor: %+v, %+v", h.factors(ann, identity.PhoneCode), b.session().Proofs)
		}
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		reset := h.browser().signIn().identify("ann@example.com").forgot().want(login.NeedsFirstFactor)
		reset.prepare(identity.PhoneCode).refused("method_unavailable", login.NeedsFirstFactor)
		h.browser().signIn().identify(mobile).refused("email_invalid", login.NeedsIdentifier)

		b.adding().enroll(identity.PhoneCode, mobile).want(login.NeedsEnrollment)
		if e := b.view.Enrollment; e == nil || e.Target != "•••56" || e.Key != "" {
			t.Errorf("shown %+v", e)
		}
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		b.enrollConfirm(otherThan(h.digits(mobile, message.PhoneProof))).refused("code_wrong", login.NeedsEnrollment)
		b.enrollConfirm(h.digits(mobile, message.PhoneProof)).want(login.Complete)
		if f := h.factors(ann, identity.PhoneCode); len(f) != 1 || f[0].Secret.Reveal() != mobile || len(h.holdings(ann)) != 2 {
			t.Fatalf("on file %+v, %q", f, h.holdings(ann))
		}
		if identity.ACR(b.session().Proofs) != identity.AAL2 {
			t.Errorf("whoever just showed both is at %s", identity.ACR(b.session().Proofs))
		}
		h.second("ann@example.com").prepare(identity.PhoneCode).prove(identity.PhoneCode, h.digits(mobile, message.PhoneCode)).want(login.Complete)
	})
}

func TestTurningANewNumberOnPutsItOnFileAndTurnsTheOldOneOff(t *testing.T) {
	each(t, func(h *house) {
		h.settings.SMS = true
		ann := h.person("ann@example.com", identity.Password)
		b, _ := h.inside("ann@example.com")
		b.adding().enroll(identity.PhoneCode, "07400 123456").refused("phone_invalid", login.NeedsEnrollment)
		b.enroll(identity.PhoneCode, mobile).want(login.NeedsEnrollment).enroll(identity.PhoneCode, "").refused("message_too_soon", login.NeedsEnrollment)
		h.clock.Add(resend)
		first := h.digits(mobile, message.PhoneProof)
		b.enroll(identity.PhoneCode, "").want(login.NeedsEnrollment).enrollConfirm(first).refused("code_wrong", login.NeedsEnrollment)
		b.enrollConfirm(h.digits(mobile, message.PhoneProof)).want(login.Complete)
		if got := h.holdings(ann); !slices.Contains(got, mobile) {
			t.Fatalf("on file are %q", got)
		}
		b.adding().want(login.NeedsEnrollment).enroll(identity.PhoneCode, mobile).refused("factor_there", login.NeedsEnrollment)
		b.enroll(identity.PhoneCode, another).want(login.NeedsEnrollment).enrollConfirm(h.digits(another, message.PhoneProof)).want(login.Complete)
		if f := h.factors(ann, identity.PhoneCode); len(f) != 1 || f[0].Secret.Reveal() != another || len(h.recorded(event.FactorRemoved)) != 1 {
			t.Errorf("codes go to %+v", f)
		}
		if o := h.second("ann@example.com").option(identity.PhoneCode); o.Target != "•••57" {
			t.Errorf("offered %+v", o)
		}
	})
}

func TestANumberOfSomebodyElseLooksTheSameAndGetsNoCode(t *testing.T) {
	each(t, func(h *house) {
		h.numbered("bob@example.com", mobile)
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		shape := func(v login.View) string {
			text, err := json.Marshal(v)
			h.must(err)
			return strings.ReplaceAll(strings.ReplaceAll(string(text), string(v.ID), "ID"), "•••57", "•••56")
		}
		for _, c := range []struct {
			why   string
			begin func(b *browser, number string) *browser
			prove func(b *browser, answer string) *browser
		}{
			{"on file", (*browser).extending, func(b *browser, answer string) *browser { return b.prove(identity.PhoneCode, answer) }},
			{"turned on", func(b *browser, number string) *browser { return b.adding().enroll(identity.PhoneCode, number) }, (*browser).enrollConfirm},
		} {
			h.clock.Add(resend)
			free, held := b.tab(), b.tab()
			free.view.SessionID, held.view.SessionID = s, s
			c.begin(free, another)
			c.begin(held, mobile)
			if free.err != nil || held.err != nil || shape(free.view) != shape(held.view) {
				t.Errorf("%s: %v, %v\n%s\n%s", c.why, free.err, held.err, shape(free.view), shape(held.view))
			}
			a, err := h.store.Attempt(h.Context(), held.view.ID)
			h.must(err)
			if a.Challenges[identity.PhoneCode].Code != "" {
				t.Errorf("%s: some code would be right", c.why)
			}
			wrong := c.prove(free, otherThan(h.digits(another, message.PhoneProof)))
			if !problem.HasCode(c.prove(held, "000000").err, "code_wrong") || !problem.HasCode(wrong.err, "code_wrong") || shape(free.view) != shape(held.view) {
				t.Errorf("%s: %v, %v", c.why, held.err, wrong.err)
			}
		}
		if got := h.kinds(mobile); len(got) != 1 || got[0] != message.PhoneHeld || h.letters(mobile)[0].Code != "" {
			t.Errorf("its owner got %v in a day", got)
		}
		if len(h.holdings(ann)) != 1 || len(h.factors(ann, identity.PhoneCode)) != 0 {
			t.Errorf("on file %q", h.holdings(ann))
		}
	})
}

func TestOfTwoWhoProveANumberTheFirstHasIt(t *testing.T) {
	each(t, func(h *house) {
		h.settings.SMS = true
		ann, bob := h.person("ann@example.com", identity.Password), h.person("bob@example.com", identity.Password)
		a, _ := h.inside("ann@example.com")
		b, _ := h.inside("bob@example.com")
		a.adding().enroll(identity.PhoneCode, mobile).want(login.NeedsEnrollment)
		mine := h.digits(mobile, message.PhoneProof)
		h.clock.Add(resend)
		b.adding().enroll(identity.PhoneCode, mobile).want(login.NeedsEnrollment)
		theirs := h.digits(mobile, message.PhoneProof)
		if mine != theirs {
			b.enrollConfirm(mine).refused("code_wrong", login.NeedsEnrollment)
		}
		a.enrollConfirm(mine).want(login.Complete)
		if b.enrollConfirm(theirs); !problem.Is(b.err, problem.Conflict) {
			t.Errorf("the second was told %v", b.err)
		}
		if len(h.holdings(bob)) != 1 || len(h.factors(bob, identity.PhoneCode)) != 0 || !slices.Contains(h.holdings(ann), mobile) {
			t.Errorf("ann has %q, bob has %q", h.holdings(ann), h.holdings(bob))
		}
	})
}

func TestACodeIsForTheNumberItWentTo(t *testing.T) {
	each(t, func(h *house) {
		ann := h.texted("ann@example.com", mobile)
		b := h.second("ann@example.com").prepare(identity.PhoneCode).prove(identity.PhoneCode, h.digits(mobile, message.PhoneCode)).want(login.Complete)
		waiting := h.second("ann@example.com")
		h.clock.Add(resend)
		waiting.prepare(identity.PhoneCode).want(login.NeedsSecondFactor)
		old := h.digits(mobile, message.PhoneCode)

		b.adding().enroll(identity.PhoneCode, another).want(login.NeedsEnrollment)
		sent := h.digits(another, message.PhoneProof)
		third := "+447400123458"
		b.enroll(identity.PhoneCode, third).want(login.NeedsEnrollment)
		if fresh := h.digits(third, message.PhoneProof); fresh != sent {
			b.enrollConfirm(sent).refused("code_wrong", login.NeedsEnrollment)
		}
		waiting.prove(identity.PhoneCode, h.digits(third, message.PhoneProof)) // another attempt's
		if waiting.err == nil {
			t.Fatal("the code of one attempt was right in another")
		}
		b.enrollConfirm(h.digits(third, message.PhoneProof)).want(login.Complete)
		if got := h.holdings(ann); slices.Contains(got, another) || !slices.Contains(got, third) {
			t.Errorf("on file are %q", got)
		}
		waiting.prove(identity.PhoneCode, old).refused("code_not_sent", login.NeedsSecondFactor)
	})
}

func TestANumberThatChangesWhileItsCodeIsCheckedProvesNothing(t *testing.T) {
	each(t, func(h *house) {
		throttle := h.engine.Throttle
		for why, change := range map[string]func(p login.Person){
			"codes are turned off": func(p login.Person) {
				h.must(h.people.DropFactor(h.Context(), p.User.ID, h.factors(p.User.ID, identity.PhoneCode)[0].ID))
			},
			"the number is taken off the file": func(p login.Person) {
				for _, x := range p.Holdings {
					if x.Identifier.Kind == identity.Phone {
						x.VerifiedAt = time.Time{}
						h.must(h.people.SaveHolding(h.Context(), x))
					}
				}
			},
		} {
			h.engine.Throttle = throttle
			number := "+4474001234" + fmt.Sprint(10+len(why)) // of its own
			mail := fmt.Sprintf("p%d@example.com", len(why))
			ann := h.texted(mail, number)
			b := h.second(mail).prepare(identity.PhoneCode)
			h.engine.Throttle = meddling{throttle, func() {
				p, err := h.people.Person(h.Context(), ann)
				h.must(err)
				change(p)
			}}
			b.prove(identity.PhoneCode, h.digits(number, message.PhoneCode))
			if !problem.Is(b.err, problem.Conflict) || b.view.SessionID != "" {
				t.Errorf("%s: at %s: %v", why, b.view.Step, b.err)
			}
		}
	})
}

// meddling is a throttle during whose work something else happens, once.
type meddling struct {
	login.Throttle
	do func()
}

func (m meddling) Count(ctx context.Context, b []login.Budget, now time.Time) ([]int, time.Duration, error) {
	m.do()
	return m.Throttle.Count(ctx, b, now)
}

func TestWrongCodesBySMSEndTheAttemptAndAreCountedOverAll(t *testing.T) {
	each(t, func(h *house) {
		h.texted("ann@example.com", mobile)
		b := h.second("ann@example.com").prepare(identity.PhoneCode)
		code := h.digits(mobile, message.PhoneCode)
		for range 4 {
			b.prove(identity.PhoneCode, otherThan(code)).refused("code_wrong", login.NeedsSecondFactor)
		}
		b.prove(identity.PhoneCode, otherThan(code)).refused("answers_wrong", login.Abandoned)
		b.prove(identity.PhoneCode, code).refused("attempt_over", login.Abandoned)
		h.clock.Add(resend)
		b = h.second("ann@example.com").prepare(identity.PhoneCode)
		code = h.digits(mobile, message.PhoneCode)
		for range 5 {
			b.prove(identity.PhoneCode, otherThan(code))
		}
		h.clock.Add(resend)
		b = h.second("ann@example.com").prepare(identity.PhoneCode).want(login.NeedsSecondFactor)
		b.prove(identity.PhoneCode, h.digits(mobile, message.PhoneCode)).refused("too_many_tries", login.NeedsSecondFactor)
		if n := len(h.recorded(event.SignInLocked)); n != 1 {
			t.Errorf("said %d times", n)
		}
		h.clock.Add(time.Hour)
		h.second("ann@example.com").prepare(identity.PhoneCode).prove(identity.PhoneCode, h.digits(mobile, message.PhoneCode)).want(login.Complete)
	})
}

func TestGuessesAtANumberOfOthersAreCountedOverAllAttempts(t *testing.T) {
	each(t, func(h *house) {
		h.settings.SMS = true
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		for round := range 3 {
			b.view.SessionID = s
			b.extending(mobile).want(login.NeedsPhoneVerification)
			code := h.digits(mobile, message.PhoneProof)
			for range 5 {
				b.prove(identity.PhoneCode, otherThan(code))
			}
			if round == 2 { // ten were wrong
				b.refused("too_many_tries", login.NeedsPhoneVerification)
				continue
			}
			b.prove(identity.PhoneCode, code).refused("code_spent", login.NeedsPhoneVerification)
			h.clock.Add(resend)
		}
		if len(h.holdings(ann)) != 1 {
			t.Errorf("on file are %q", h.holdings(ann))
		}
	})
}

func TestTwentyRacingOnOneSMSMakeOneMessageAndOneSession(t *testing.T) {
	each(t, func(h *house) {
		h.texted("ann@example.com", mobile)
		b := h.second("ann@example.com")
		race(20, func() error {
			_, err := h.engine.Prepare(h.Context(), b.at(), identity.PhoneCode)
			return err
		})
		if n := len(h.letters(mobile)); n != 1 {
			t.Fatalf("%d messages", n)
		}
		code := h.digits(mobile, message.PhoneCode)
		won := 0
		for _, err := range race(20, func() error {
			_, err := h.engine.Prove(h.Context(), b.at(), identity.PhoneCode, secret.NewString(code))
			return err
		}) {
			if err == nil {
				won++
			}
		}
		on, err := h.sessions.OnBrowser(h.Context(), b.jar.ID)
		h.must(err)
		if won != 1 || len(on) != 1 {
			t.Errorf("%d won, %d sessions", won, len(on))
		}
	})
}
