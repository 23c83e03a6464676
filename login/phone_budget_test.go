package login_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/message"
)

func TestTwentySendsAreAtMostFiveSMS(t *testing.T) {
	each(t, func(h *house) {
		h.texted("ann@example.com", mobile)
		refused := 0
		for range 20 {
			b := h.second("ann@example.com").prepare(identity.PhoneCode)
			if b.err != nil {
				var p *problem.Error
				if !errors.As(b.err, &p) || !problem.HasCode(b.err, "message_too_soon") || p.Retry <= 0 {
					t.Fatalf("refused with %v", b.err)
				}
				refused++
			}
			h.clock.Add(resend)
		}
		if n := len(h.letters(mobile)); n != 5 || refused != 15 {
			t.Errorf("%d messages, %d refusals", n, refused)
		}
	})
}

func TestClaimsOfManyToOneNumberAreAtMostFiveSMS(t *testing.T) {
	each(t, func(h *house) {
		h.settings.SMS = true
		for i := range 8 {
			mail := fmt.Sprintf("p%d@example.com", i)
			h.person(mail, identity.Password)
			b, _ := h.inside(mail) // a browser that is known, so that it has budgets of its own elsewhere
			b.network = fmt.Sprintf("192.0.2.%d", i)
			b.extending(mobile).want(login.NeedsPhoneVerification)
			h.clock.Add(resend)
		}
		if n := len(h.letters(mobile)); n != 5 {
			t.Errorf("%d messages to somebody who asked for none", n)
		}
	})
}

func TestSMSThatEarnAreBoundedHoweverTheyAreAnswered(t *testing.T) {
	each(t, func(h *house) {
		h.settings.SMS = true
		h.engine.Limits = login.Limits{SMS: 30}
		sent := 0
		for i := range 3 {
			mail := fmt.Sprintf("p%d@example.com", i)
			h.person(mail, identity.Password)
			b, s := h.inside(mail)
			for j := range 25 {
				number := fmt.Sprintf("+4474001%05d", 100*i+j)
				b.view.SessionID = s
				b.extending(number)
				if b.err == nil && len(h.letters(number)) == 1 {
					sent++
					b.prove(identity.PhoneCode, h.digits(number, message.PhoneProof)).want(login.Complete)
				}
			}
			if i == 0 && sent != 20 {
				t.Errorf("%d to one person in a day", sent)
			}
		}
		if sent != 30 {
			t.Errorf("%d in an hour", sent)
		}
		told := 0
		for _, e := range h.recorded(event.MessageFailed) {
			if e.Detail["reason"] == "limits.sms is reached" {
				told++
			}
		}
		if told != 1 {
			t.Errorf("the operator is told %d times", told)
		}
	})
}

func TestWhoKnowsThePasswordDoesNotUseUpTheOwnersSMS(t *testing.T) {
	each(t, func(h *house) {
		h.texted("ann@example.com", mobile)
		own := h.second("ann@example.com").prepare(identity.PhoneCode).prove(identity.PhoneCode, h.digits(mobile, message.PhoneCode)).want(login.Complete)
		for range 8 {
			h.clock.Add(resend)
			h.second("ann@example.com").prepare(identity.PhoneCode)
		}
		own.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).prepare(identity.PhoneCode).want(login.NeedsSecondFactor)
	})
}

func TestNoSMSGoesWhereTheOperatorDoesNotSendAny(t *testing.T) {
	each(t, func(h *house) {
		h.texted("bob@example.com", another)
		h.engine.Reaches = func(number identity.Identifier) bool { return number.Value == "+491711234567" }
		h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		if b.extending(mobile); !problem.HasCode(b.err, "phone_unreached") || b.view.ID != "" {
			t.Errorf("on file: %v", b.err)
		}
		b.view.SessionID = s
		b.adding().enroll(identity.PhoneCode, mobile).refused("phone_unreached", login.NeedsEnrollment)
		if b.view.Enrollment != nil {
			t.Errorf("drafted %+v", b.view.Enrollment)
		}
		b.enroll(identity.PhoneCode, "+49 171 1234567").want(login.NeedsEnrollment)
		// Whoever turned a number on before is asked for it still, and not let in by less.
		h.second("bob@example.com").prepare(identity.PhoneCode).refused("phone_unreached", login.NeedsSecondFactor)
		if len(h.letters(mobile))+len(h.letters(another)) != 0 {
			t.Error("sent all the same")
		}
	})
}

func TestSMSThatAreSwitchedOffNeitherCountNorAreOffered(t *testing.T) {
	each(t, func(h *house) {
		ann := h.texted("ann@example.com", mobile)
		b := h.second("ann@example.com").prepare(identity.PhoneCode)
		code := h.digits(mobile, message.PhoneCode)
		h.settings.SMS = false
		b.prove(identity.PhoneCode, code).refused("not_now", login.Complete) // nothing is owed any more
		b, s := h.inside("ann@example.com")
		b.adding().enroll(identity.PhoneCode, another).refused("method_unavailable", login.NeedsEnrollment)
		b.view.SessionID = s
		if b.extending(another); !problem.HasCode(b.err, "sms_off") {
			t.Errorf("on file: %v", b.err)
		}
		if len(h.factors(ann, identity.PhoneCode)) != 1 || len(h.letters(another)) != 0 {
			t.Error("what is on file changed, or a message went out")
		}
		h.settings.SMS = true
		h.second("ann@example.com")
	})
}

func TestANumberThatIsGoneIsNoSecondStepAnyMore(t *testing.T) {
	each(t, func(h *house) {
		ann := h.texted("ann@example.com", mobile)
		waiting := h.second("ann@example.com").prepare(identity.PhoneCode)
		code := h.digits(mobile, message.PhoneCode)
		p, err := h.people.Person(h.Context(), ann)
		h.must(err)
		for _, x := range p.Holdings {
			if x.Identifier.Kind == identity.Phone {
				x.VerifiedAt = time.Time{}
				h.must(h.people.SaveHolding(h.Context(), x))
			}
		}
		h.clock.Add(resend)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if identity.ACR(b.session().Proofs) != identity.AAL1 {
			t.Errorf("without it the session is at %s", identity.ACR(b.session().Proofs))
		}
		waiting.prove(identity.PhoneCode, code)
		if waiting.view.Step == login.Complete && identity.ACR(waiting.session().Proofs) != identity.AAL1 {
			t.Error("a code to a number that is nobody's proves something")
		}
		if len(h.letters(mobile)) != 1 {
			t.Error("a code went to a number that is nobody's")
		}
	})
}

func TestACodeBySMSLivesTenMinutes(t *testing.T) {
	each(t, func(h *house) {
		h.texted("ann@example.com", mobile)
		b := h.second("ann@example.com").prepare(identity.PhoneCode)
		h.clock.Add(10 * time.Minute)
		b.prove(identity.PhoneCode, h.digits(mobile, message.PhoneCode)).refused("code_spent", login.NeedsSecondFactor)
		b.prepare(identity.PhoneCode).prove(identity.PhoneCode, h.digits(mobile, message.PhoneCode)).want(login.Complete)
	})
}
