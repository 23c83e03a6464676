package login_test

import (
	"sync"
	"testing"
	"time"

	"idp/event"
	"idp/federation"
	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/message"
	"idp/storage"
)

func TestAnotherAddressAfterAProviderTakesAnotherBotCheck(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.engine.Checker = &login.Checker{Used: storage.NewChecks(h.db), Work: login.Work{Rounds: 3, Bits: 6}}
		h.settings.BotCheck = login.CheckAlways
		h.says("s1", "first@example.com", false)
		b := h.browser().signIn().by(h, "acme").want(login.NeedsHuman).checked().want(login.NeedsEmailVerification)
		h.clock.Add(time.Minute)
		b.submit("second@example.com", "").want(login.NeedsHuman)
		if len(h.letters("first@example.com")) != 1 || len(h.letters("second@example.com")) != 0 {
			t.Fatal("one bot check is good for letters to many addresses")
		}
		b.checked().want(login.NeedsEmailVerification)
		b.submit("second@example.com", "").want(login.NeedsEmailVerification) // as it was: nothing to check
		b.prove(identity.EmailCode, h.letter("second@example.com", message.VerifyAddress).Code).want(login.Complete)
	})
}

func TestOfTwoSignUpsByTheSameAccountElsewhereOneMakesSomebody(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "", nil)
		mails := []string{"ann@example.com", "ann@elsewhere.example"}
		var all []*browser
		for _, mail := range mails {
			all = append(all, h.browser().signIn().by(h, "acme").want(login.MissingRequirements).submit(mail, "").want(login.NeedsEmailVerification))
		}
		var wait sync.WaitGroup
		for i, b := range all {
			code := h.letter(mails[i], message.VerifyAddress).Code
			wait.Go(func() { b.prove(identity.EmailCode, code) })
		}
		wait.Wait()
		won := 0
		for i, b := range all {
			switch {
			case b.err == nil && b.view.Step == login.Complete:
				won++
				if h.whose("acme", "s1") != h.holderOf(mails[i]) {
					t.Error("the account signs somebody else in")
				}
			case !problem.HasCode(b.err, login.ErrTaken.Code) && !problem.HasCode(b.err, login.ErrMoved.Code):
				t.Errorf("at %s: %v", b.view.Step, b.err)
			default:
				if _, err := h.people.Find(t.Context(), address(mails[i])); !problem.Is(err, problem.NotFound) {
					t.Errorf("the slower one is on file: %v", err)
				}
			}
		}
		if people, sessions := h.count(); won != 1 || people != 1 || sessions != 1 || len(h.recorded(event.AccountLinked)) != 1 {
			t.Errorf("%d won, %d people, %d sessions", won, people, sessions)
		}
	})
}

func TestASignUpByAnAccountThatSignsInSomebodySinceIsOver(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "", nil)
		b := h.browser().signIn().by(h, "acme").want(login.MissingRequirements).submit("new@example.com", "").want(login.NeedsEmailVerification)
		ann := h.person("ann@example.com", identity.Password)
		h.linked(ann, "acme", "s1")
		b.prove(identity.EmailCode, h.letter("new@example.com", message.VerifyAddress).Code).refused(login.ErrTaken.Code, login.Abandoned)
		if h.whose("acme", "s1") != ann {
			t.Error("the account moved")
		}
		h.nobody()
	})
}

// What came back for one person is worth nothing once another was named in the same attempt, in
// whichever order the windows of a browser do it.
func TestWhatWasShownInAnotherWindowDoesNotMixWithWhoComesBack(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann, eve := h.person("ann@example.com", identity.Password, identity.TOTP), h.person("eve@example.com", identity.Password)
		h.linked(eve, "acme", "eve")
		h.says("eve", "eve@example.com", true)

		b := h.browser().signIn()
		answer := b.away(h.op, "acme")
		b.identify("ann@example.com").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		b.back("acme", answer)
		if b.err == nil || b.view.Step != login.NeedsSecondFactor {
			t.Errorf("coming back led to %s, %v", b.view.Step, b.err)
		}

		b = h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		b.by(h, "acme").want(login.Complete)
		if b.session().User != eve {
			t.Error("Eve is signed in as somebody else")
		}

		h.says("nobody's", "", nil)
		h.clock.Add(time.Minute)
		b = h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		old := h.letter("ann@example.com", message.SignIn).Code
		b.by(h, "acme").want(login.MissingRequirements)
		b.prove(identity.EmailCode, old).refused(login.ErrNotNow.Code, login.MissingRequirements)
		b.submit("ann@example.com", "").want(login.NeedsEmailVerification).prove(identity.EmailCode, old).refused("code_wrong", login.NeedsEmailVerification)
		h.nobodyIn(ann)
		if h.whose("acme", "nobody's") != "" {
			t.Error("the account is linked")
		}
	})
}

func TestALostPasswordIsForgottenWhenSomebodyComesFromAProvider(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password)
		h.says("s1", "ann@example.com", true)
		b := h.browser().signIn()
		answer := b.away(h.op, "acme")
		b.identify("ann@example.com").forgot()
		b.back("acme", answer)
		if b.err == nil {
			t.Fatalf("coming back led to %s", b.view.Step)
		}
		b.nowhere("acme", login.ErrMethod)
		h.nobodyIn(ann)
	})
}

func TestWhoComesBackToADeletedAccountIsSomebodyNew(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		h.says("s1", "ann@example.com", true)
		b := h.browser().signIn().by(h, "acme").want(login.Complete)
		old := b.session().User
		h.must(storage.NewAccount(h.db).DropUser(t.Context(), old))
		b = h.browser().signIn().by(h, "acme").want(login.Complete)
		p, err := h.people.Person(t.Context(), b.session().User)
		h.must(err)
		if p.User.ID == old || h.whose("acme", "s1") != p.User.ID || len(p.Factors) != 1 || len(p.Holdings) != 1 {
			t.Errorf("back is %+v", p)
		}
	})
}

func TestAProviderOfTheSameNameButAnotherIssuerSignsInNobodyOfTheFirst(t *testing.T) {
	eachAbroad(t, func(h *abroad) {
		ann := h.person("ann@example.com", identity.Password)
		h.must(h.people.SaveFactor(t.Context(), former(h, ann, "s1")))
		h.says("s1", "", nil)
		h.browser().signIn().by(h, "acme").want(login.MissingRequirements)
		h.nobodyIn(ann)
	})
}

// former is the account of a provider that had the name acme before.
func former(h *abroad, u identity.UserID, subject string) identity.Factor {
	h.Helper()
	x := federation.Assertion{Account: identity.ExternalAccount{Method: acme, Issuer: "https://before.example", Subject: subject}}
	f, err := x.Factor()
	h.must(err)
	f.ID, f.UserID, f.CreatedAt = "factor_former", u, h.clock.Now()
	return f
}
