package login_test

import (
	"fmt"
	"testing"
	"time"

	"idp/identity"
	"idp/login"
	"idp/message"
	"idp/storage"
)

// drop takes the person's factors of a method off their file.
func (h *house) drop(u identity.UserID, m identity.Method) {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	for _, f := range p.Factors {
		if f.Method == m {
			h.must(h.people.DropFactor(h.Context(), u, f.ID))
		}
	}
}

// rekey changes the person's password as its owner does, on the factor that is there.
func (h *house) rekey(u identity.UserID, password string) {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	for _, f := range p.Factors {
		if f.Method == identity.Password {
			f.Secret, f.CreatedAt = hashOf(password), h.clock.Now()
			h.must(h.people.SaveFactor(h.Context(), f))
		}
	}
}

func TestThePasswordOfBeforeAChangeIsWorthNothingWithTheRightSecondFactor(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		h.clock.Add(time.Minute)
		h.rekey(ann, "another quiet lantern")
		b.evidence(identity.TOTP).refused(login.ErrOver.Code, login.Abandoned)
		h.nobodyIn(ann)
	})
}

func TestASecondFactorThatLeftTheFileMeanwhileLetsNobodyIn(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsSecondFactor)
		b.evidence(identity.TOTP).want(login.NeedsNewPassword)
		h.drop(ann, identity.TOTP) // the phone was stolen
		b.setPassword("the harbour of a thief").refused(login.ErrOver.Code, login.Abandoned)
		if h.nobodyIn(ann); h.password(ann) != rightPassword {
			t.Error("the password is another one")
		}
	})
}

func TestWhatASessionShowedAndIsOffTheFileSetsNothingUp(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password, identity.TOTP, identity.SecurityKey)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).evidence(identity.TOTP).want(login.Complete)
		b.tab().begin(login.Beginning{Goal: login.Enroll, Session: b.view.SessionID}).want(login.NeedsEnrollment)
		h.drop(ann, identity.TOTP)
		b.tab().begin(login.Beginning{Goal: login.Enroll, Session: b.view.SessionID}).want(login.NeedsFirstFactor)
		b.tab().begin(login.Beginning{Goal: login.Extend, Session: b.view.SessionID, Address: "eve@example.com"}).want(login.NeedsFirstFactor)
	})
}

func TestAfterThePasswordChangedASessionOfTheOldOneSetsNothingUp(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.inside("ann@example.com")
		begun := b.tab().begin(login.Beginning{Goal: login.Enroll, Session: s}).want(login.NeedsEnrollment)
		h.clock.Add(time.Minute)
		h.rekey(ann, "another quiet lantern")
		begun.enroll(identity.TOTP, "").want(login.NeedsEnrollment)
		begun.enrollConfirm(h.code(begun.view.Enrollment.Key, 0)).refused(login.ErrOver.Code, login.Abandoned)
		if n := len(h.factors(ann, identity.TOTP)); n != 0 {
			t.Errorf("%d apps on file", n)
		}
		b.tab().begin(login.Beginning{Goal: login.Enroll, Session: s}).want(login.NeedsFirstFactor).
			prove(identity.Password, "another quiet lantern").want(login.NeedsEnrollment)
	})
}

func TestNamingSomebodyElseForgetsWhatWasProven(t *testing.T) {
	each(t, func(h *house) {
		h.engine.Checker = &login.Checker{Used: storage.NewChecks(h.db)}
		h.person("eve@example.com", identity.Password, identity.TOTP)
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("eve@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("eve@example.com", message.Reset).Code).want(login.NeedsSecondFactor)
		h.settings.BotCheck = login.CheckAlways // from now on
		b.look().want(login.NeedsHuman).identify("ann@example.com").want(login.NeedsFirstFactor)
		h.nobodyIn(ann)
	})
}

func TestWrongBackupCodesDoNotMakeARightOneWaitForABotCheck(t *testing.T) {
	each(t, func(h *house) {
		h.engine.Checker = &login.Checker{Used: storage.NewChecks(h.db)}
		codes, _ := h.backedUp("ann@example.com")
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		for range 4 {
			b.prove(identity.BackupCode, "ABCD-EFGH-JKLM-NPQR").refused("backup_code_wrong", login.NeedsSecondFactor)
		}
		b.prove(identity.BackupCode, codes[0].Reveal()).want(login.Complete)
	})
}

func TestNewcomersDoNotUseUpEachOthersTextMessages(t *testing.T) {
	each(t, func(h *house) {
		h.settings.SMS, h.settings.TwoStep, h.settings.BotCheck = true, login.Required, login.CheckNever
		newcomer := func(i int) *browser {
			mail, b := fmt.Sprintf("p%d@example.com", i), h.browser()
			b.network = fmt.Sprintf("198.51.100.%d", i)
			b.signUpStart(mail).prove(identity.EmailCode, h.letter(mail, message.SignUp).Code).want(login.NeedsEnrollment)
			return b.enroll(identity.PhoneCode, fmt.Sprintf("+4366412340%02d", i))
		}
		for i := range 11 { // more wrong answers than one person has
			newcomer(i).want(login.NeedsEnrollment).enrollConfirm("000000").refused("code_wrong", login.NeedsEnrollment)
		}
		for i := 11; i < 22; i++ { // more messages than one person gets in a day
			newcomer(i).want(login.NeedsEnrollment)
		}
	})
}

func TestAnAddressThatAnOperatorGaveToSomebodyElseMeanwhileStaysTheirs(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		h.later()
		b, _ := h.inside("ann@example.com")
		b.extend("new@example.com")
		h.makePrimary(ann, "new@example.com")
		h.clock.Add(time.Second)
		h.removeAddress(ann, "ann@example.com")
		_, link := h.notice("ann@example.com", "email_removed")
		bob := h.person("bob@example.com", identity.Password)
		h.must(h.people.SaveHolding(t.Context(), identity.Holding{
			ID: "holding_given", UserID: bob, Identifier: address("ann@example.com"), Source: identity.SourceOperator, CreatedAt: h.clock.Now(),
		}))
		if done := h.undone(link, false); len(done.Missing) != 1 || h.holderOf("ann@example.com") != bob {
			t.Errorf("undoing did %+v; the address is held by %s", done, h.holderOf("ann@example.com"))
		}
	})
}

func TestAResetAsksForTheSecondFactorAlsoOnATrustedBrowser(t *testing.T) {
	f := login.Facts{Known: true, Trusted: true, Factors: []identity.Factor{{ID: "f", Method: identity.TOTP}}}
	p := login.Policy{Settings: login.DefaultSettings()}
	a := login.Attempt{Goal: login.SignIn, Identifier: address("ann@example.com"), UserID: "ann"}
	for want, shown := range map[login.Step]login.Attempt{
		login.Ready:             {Proofs: []identity.Proof{{Method: identity.Password, Category: identity.Knowledge}}},
		login.NeedsSecondFactor: {Reset: true, Proofs: []identity.Proof{{Method: identity.Password, Category: identity.Knowledge}}},
	} {
		a.Reset, a.Proofs = shown.Reset, shown.Proofs
		if got := login.Next(a, f, p); got != want {
			t.Errorf("reset %v: at %s, want %s", a.Reset, got, want)
		}
	}
}
