package login_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/storage"
)

// guarded is a house that makes bot checks, by work that takes a test no time.
func guarded(t *testing.T, when login.BotCheck, f func(h *house)) {
	each(t, func(h *house) {
		h.settings.BotCheck = when
		h.engine.Checker = &login.Checker{Used: storage.NewChecks(h.db), Work: login.Work{Rounds: 3, Bits: 6}}
		f(h)
	})
}

// solve does the work, to the rule in the manual and without the product's code.
func solve(p *login.Puzzle) string {
	var numbers []string
	for round := range p.Rounds {
		for n := 0; ; n++ {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s.%d.%d", p.Salt, round, n))
			if strings.HasPrefix(fmt.Sprintf("%08b%08b%08b%08b", sum[0], sum[1], sum[2], sum[3]), strings.Repeat("0", p.Bits)) {
				numbers = append(numbers, fmt.Sprint(n))
				break
			}
		}
	}
	return p.Challenge + ":" + strings.Join(numbers, ",")
}

func (b *browser) passHuman(answer string) *browser {
	return b.then(b.engine.PassHuman(b.Context(), b.at(), secret.NewString(answer)))
}

// checked solves the check in the view.
func (b *browser) checked() *browser {
	b.Helper()
	if b.view.Human == nil || b.view.Human.Puzzle == nil {
		b.Fatalf("at %s with the check %+v", b.view.Step, b.view.Human)
	}
	return b.passHuman(solve(b.view.Human.Puzzle))
}

// due is the check that would be due for an action, nil for none.
func (b *browser) due(act login.Action, who string) *login.Check {
	b.Helper()
	c, err := b.engine.Due(b.Context(), act, who, b.at())
	b.must(err)
	return c
}

func (b *browser) fail(who string, times int) {
	b.Helper()
	for range times {
		b.signIn().identify(who).prove(identity.Password, wrongPassword).refused("password_wrong", login.NeedsFirstFactor)
	}
}

func TestEverySignUpAndResetIsCheckedWhenTheOperatorSaysAlways(t *testing.T) {
	guarded(t, login.CheckAlways, func(h *house) {
		b := h.browser().begin(login.Beginning{Goal: login.SignUp}).want(login.NeedsHuman)
		b.submit("ann@acme.org", rightPassword).want(login.NeedsHuman)
		if n := len(h.letters("ann@acme.org")); n != 0 || h.hasher.hashed.Load() != 0 {
			t.Fatalf("%d letters and %d hashes for who was not checked", n, h.hasher.hashed.Load())
		}
		b.checked().want(login.MissingRequirements).submit("ann@acme.org", rightPassword).want(login.NeedsEmailVerification)
		b.prove(identity.EmailCode, h.letter("ann@acme.org", message.SignUp).Code).want(login.Complete)

		b = h.browser().signIn().identify("ann@acme.org").want(login.NeedsFirstFactor)
		b.forgot().want(login.NeedsHuman)
		if n := len(h.letters("ann@acme.org")); n != 1 {
			t.Fatalf("a reset was mailed unchecked: %v", h.kinds("ann@acme.org"))
		}
		b.checked().want(login.NeedsFirstFactor)
		b.prove(identity.ResetCode, h.letter("ann@acme.org", message.Reset).Code).want(login.NeedsNewPassword)

		h.browser().signIn().identify("ann@acme.org").prove(identity.Password, rightPassword).want(login.Complete) // not at sign-in
	})
}

func TestWhoFailsIsCheckedAtSignInWhoeverIsNamed(t *testing.T) {
	guarded(t, login.CheckSuspicious, func(h *house) {
		h.person("ann@acme.org", identity.Password)
		var seen [2]login.View
		for i, who := range []string{"ann@acme.org", "nobody@acme.org"} {
			b := h.browser()
			b.network = fmt.Sprintf("192.0.2.%d", 10+i)
			b.fail(who, 3)
			if b.due(login.ActSignIn, who) == nil || b.due(login.ActSignIn, "bob@acme.org") != nil {
				t.Fatalf("%s: the page is not told what the engine will say", who)
			}
			elsewhere := h.browser()
			elsewhere.network = "198.51.100.7" // the address is in doubt from anywhere
			elsewhere.signIn().identify(who).prove(identity.Password, rightPassword).want(login.NeedsHuman)
			verified := h.hasher.verified.Load() + h.hasher.wasted.Load()
			b.signIn().identify(who).prove(identity.Password, rightPassword).want(login.NeedsHuman)
			if now := h.hasher.verified.Load() + h.hasher.wasted.Load(); now != verified {
				t.Fatalf("%s: a password was verified before the check", who)
			}
			seen[i] = b.view
		}
		if x, y := seen[0], seen[1]; len(x.Methods) != len(y.Methods) || x.Methods[0].Method != y.Methods[0].Method || x.Human.Puzzle.Bits != y.Human.Puzzle.Bits {
			t.Errorf("who exists can be told: %+v %+v", x, y)
		}
	})
}

func TestASolvedCheckHoldsForTheAttemptAndTheNameOnIt(t *testing.T) {
	guarded(t, login.CheckSuspicious, func(h *house) {
		h.person("ann@acme.org", identity.Password)
		b := h.browser()
		b.fail("ann@acme.org", 3)
		b.signIn().identify("ann@acme.org").prove(identity.Password, wrongPassword).want(login.NeedsHuman)
		b.checked().want(login.NeedsFirstFactor)
		b.prove(identity.Password, wrongPassword).refused("password_wrong", login.NeedsFirstFactor)
		b.tab().signIn().identify("ann@acme.org").prove(identity.Password, rightPassword).want(login.NeedsHuman)
		b.identify("ann@acme.org").prove(identity.Password, wrongPassword).refused("password_wrong", login.NeedsFirstFactor)
		b.identify("bob@acme.org").prove(identity.Password, wrongPassword).want(login.NeedsHuman) // the network failed five times by now
		b.identify("ann@acme.org").want(login.NeedsHuman)
		b.checked().prove(identity.Password, rightPassword).want(login.Complete)
		elsewhere := h.browser()
		elsewhere.network = "198.51.100.7"
		elsewhere.signIn().identify("ann@acme.org").prove(identity.Password, rightPassword).want(login.Complete) // forgiven
	})
}

func TestANetworkThatFailsHasToShowItWhoeverItNames(t *testing.T) {
	guarded(t, login.CheckSuspicious, func(h *house) {
		b := h.browser()
		for i := range 5 {
			b.fail(fmt.Sprintf("person%d@acme.org", i), 1)
		}
		b.signIn().identify("person9@acme.org").prove(identity.Password, wrongPassword).want(login.NeedsHuman)
		other := h.browser()
		other.network = "198.51.100.7"
		other.fail("person9@acme.org", 1)
		h.clock.Add(6 * time.Minute)
		b.fail("person9@acme.org", 1)
	})
}

func TestANetworkWhoseMessagesNobodyAnswersIsCheckedAtSignUpAndReset(t *testing.T) {
	guarded(t, login.CheckSuspicious, func(h *house) {
		h.person("ann@acme.org", identity.Password)
		b := h.browser()
		for i := range 5 {
			b.tab().signUpStart(fmt.Sprintf("person%d@acme.org", i))
		}
		if b.due(login.ActSignUp, "") == nil || b.due(login.ActReset, "") == nil {
			t.Fatal("the page is not told what the engine will say")
		}
		up := b.tab().begin(login.Beginning{Goal: login.SignUp}).want(login.MissingRequirements)
		up.submit("late@acme.org", rightPassword).want(login.NeedsHuman)
		for _, who := range []string{"ann@acme.org", "nobody@acme.org"} {
			b.tab().signIn().identify(who).forgot().want(login.NeedsHuman)
			if l := h.letters(who); len(l) != 0 {
				t.Fatalf("mailed unchecked: %+v", l)
			}
		}
		up.checked().want(login.MissingRequirements).submit("late@acme.org", rightPassword).want(login.NeedsEmailVerification)
		up.prove(identity.EmailCode, h.letter("late@acme.org", message.SignUp).Code).want(login.Complete)
		other := h.browser()
		other.network = "198.51.100.7"
		other.signIn().identify("ann@acme.org").forgot().want(login.NeedsFirstFactor)
		h.letter("ann@acme.org", message.Reset)
	})
}

func TestAnsweredMessagesMakeNobodySuspicious(t *testing.T) {
	guarded(t, login.CheckSuspicious, func(h *house) {
		for i := range 8 {
			h.browser().signUp(fmt.Sprintf("person%d@acme.org", i))
		}
	})
}

func TestNothingIsCheckedWhenTheOperatorSaysOff(t *testing.T) {
	guarded(t, login.CheckNever, func(h *house) {
		b := h.browser()
		b.fail("ann@acme.org", 9)
		for i := range 6 {
			b.tab().signUpStart(fmt.Sprintf("person%d@acme.org", i))
		}
		if b.due(login.ActSignUp, "") != nil || b.due(login.ActSignIn, "ann@acme.org") != nil {
			t.Error("a check is due")
		}
		b.signUpStart("ann@acme.org").passHuman("x").refused("not_now", login.NeedsEmailVerification)
	})
}

func TestWhatIsNoFreshSolutionOfThisCheckIsRefused(t *testing.T) {
	guarded(t, login.CheckAlways, func(h *house) {
		start := func(b *browser) *browser { return b.begin(login.Beginning{Goal: login.SignUp}).want(login.NeedsHuman) }
		b := start(h.browser())
		right := solve(b.view.Human.Puzzle)
		challenge, numbers, _ := strings.Cut(right, ":")
		easier := strings.Replace(challenge, ".3.6.", ".1.1.", 1)
		stranger := start(h.browser())
		other := start(b.tab())
		cases := map[string]string{
			"nothing": "", "no numbers": challenge + ":", "too few": challenge + ":" + strings.SplitN(numbers, ",", 2)[1],
			"no work":        challenge + ":0,0,0",
			"made easier":    easier + ":0",
			"signs":          challenge + ":+" + numbers,
			"another's":      solve(stranger.view.Human.Puzzle),
			"another tab's":  solve(other.view.Human.Puzzle),
			"another action": solve(b.due(login.ActReset, "").Puzzle),
			"long":           right + strings.Repeat(",1", 2000),
		}
		for why, answer := range cases {
			b.passHuman(answer).refused("bot_check_failed", login.NeedsHuman)
			if a, err := h.store.Attempt(t.Context(), b.view.ID); err != nil || a.Human {
				t.Errorf("%s passed: %+v %v", why, a, err)
			}
		}
		b.passHuman(right).want(login.MissingRequirements)
		again := start(b.tab())
		again.passHuman(right).refused("bot_check_failed", login.NeedsHuman)

		early := solve(again.view.Human.Puzzle)
		h.clock.Add(10 * time.Minute)
		again.passHuman(early).refused("bot_check_failed", login.NeedsHuman)
		_, refused, _ := h.engine.Checker.Counts()
		if passed, _, _ := h.engine.Checker.Counts(); passed != 1 || int(refused) != len(cases)+2 {
			t.Errorf("counted %d and %d", passed, refused)
		}
		h.engine.Checker.Work = login.Work{Rounds: 3, Bits: 7}
		h.clock.Add(-10 * time.Minute)
		again.passHuman(early).refused("bot_check_failed", login.NeedsHuman) // too easy by today's measure
	})
}

func TestAWrongNumberIsNoWork(t *testing.T) {
	guarded(t, login.CheckAlways, func(h *house) {
		b := h.browser().begin(login.Beginning{Goal: login.SignUp})
		right := solve(b.view.Human.Puzzle)
		wrong := 0
		for n := range 20 {
			head, _, _ := strings.Cut(right, ",")
			head = head[:strings.LastIndex(head, ":")+1]
			_, tail, _ := strings.Cut(right, ",")
			answer := fmt.Sprintf("%s%d,%s", head, n, tail)
			if answer == right {
				continue
			}
			if b.passHuman(answer); b.err == nil {
				return // by luck; the next answer would be to nothing
			}
			if problem.HasCode(b.err, "bot_check_failed") {
				wrong++
			}
		}
		if wrong < 15 { // one number in 64 is right by chance
			t.Errorf("only %d of 20 wrong numbers were refused", wrong)
		}
	})
}

func TestOneSolutionOpensOneAttemptHoweverManyRace(t *testing.T) {
	guarded(t, login.CheckAlways, func(h *house) {
		h.engine.Limits = login.Limits{BrowserAttempts: 20}
		b := h.browser()
		check := b.due(login.ActSignUp, "") // of no attempt in particular
		answer := solve(check.Puzzle)
		tabs := make([]*browser, 20)
		for i := range tabs {
			tabs[i] = b.tab().begin(login.Beginning{Goal: login.SignUp}).want(login.NeedsHuman)
		}
		var all sync.WaitGroup
		for _, tab := range tabs {
			all.Go(func() { tab.passHuman(answer) })
		}
		all.Wait()
		passed := 0
		for _, tab := range tabs {
			a, err := h.store.Attempt(t.Context(), tab.view.ID)
			h.must(err)
			if a.Human {
				passed++
			} else if !problem.HasCode(tab.err, "bot_check_failed") {
				t.Errorf("the loser is told %v", tab.err)
			}
		}
		if passed != 1 {
			t.Errorf("%d attempts passed by one solution", passed)
		}
	})
}

func TestAMailedCodeDoesInsteadOfTheCheck(t *testing.T) {
	guarded(t, login.CheckAlways, func(h *house) {
		b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@acme.org", rightPassword).want(login.NeedsHuman)
		b.prepare(identity.EmailCode).want(login.NeedsHuman).prove(identity.EmailCode, "000000").refused("code_wrong", login.NeedsHuman)
		b.prove(identity.EmailCode, h.letter("ann@acme.org", message.SignUp).Code).want(login.MissingRequirements)
		b.submit("victim@acme.org", rightPassword).refused("address_confirmed", login.MissingRequirements)
		b.submit("ann@acme.org", rightPassword).want(login.Complete) // without a second mail
		if n := len(h.letters("ann@acme.org")); n != 1 {
			t.Errorf("%d letters", n)
		}
		b = h.browser()
		b.fail("ann@acme.org", 3)
		b.signIn().identify("ann@acme.org").prove(identity.Password, wrongPassword).want(login.NeedsHuman)
		b.prepare(identity.EmailCode).prove(identity.EmailCode, h.letter("ann@acme.org", message.SignIn).Code).want(login.Complete)

		b.signIn().identify("ann@acme.org").forgot().want(login.NeedsHuman).prepare(identity.EmailCode).refused("method_unavailable", login.NeedsHuman)
		b.prepare(identity.ResetCode).want(login.NeedsHuman)
		b.prove(identity.ResetCode, h.letter("ann@acme.org", message.Reset).Code).want(login.NeedsNewPassword)
		if got := h.password(b.holder("ann@acme.org")); got != rightPassword {
			t.Errorf("the password is %q before a new one was chosen", got)
		}
	})
}

// holder is the id of whoever has that address.
func (h *house) holder(mail string) identity.UserID {
	h.Helper()
	p, err := h.people.Find(h.Context(), address(mail))
	h.must(err)
	return p.User.ID
}

func TestTheCodeInsteadSignsNobodyInWhereCodesDoNot(t *testing.T) {
	guarded(t, login.CheckSuspicious, func(h *house) {
		h.settings.EmailCode, h.settings.EmailLink = false, false
		h.person("ann@acme.org", identity.Password)
		b := h.browser()
		b.fail("ann@acme.org", 3)
		b.signIn().identify("ann@acme.org").prove(identity.Password, wrongPassword).want(login.NeedsHuman)
		b.prepare(identity.EmailCode).prove(identity.EmailCode, h.letter("ann@acme.org", message.SignIn).Code).want(login.NeedsFirstFactor)
		a, err := h.store.Attempt(t.Context(), b.view.ID)
		h.must(err)
		if len(a.Proofs) != 0 {
			t.Errorf("the code became a proof: %+v", a.Proofs)
		}
		b.prove(identity.Password, rightPassword).want(login.Complete)
	})
}

func TestTheCodeInsteadIsNoWayToMailInBulk(t *testing.T) {
	guarded(t, login.CheckAlways, func(h *house) {
		b := h.browser()
		for i := range 5 {
			b.tab().begin(login.Beginning{Goal: login.SignUp}).submit(fmt.Sprintf("p%d@acme.org", i), rightPassword).prepare(identity.EmailCode).want(login.NeedsHuman)
		}
		b.tab().begin(login.Beginning{Goal: login.SignUp}).submit("p6@acme.org", rightPassword).prepare(identity.EmailCode).refused("message_too_soon", login.NeedsHuman)
		r := b.tab().signIn().identify("p1@acme.org").forgot().want(login.NeedsHuman).prepare(identity.ResetCode).refused("message_too_soon", login.NeedsHuman)
		if n := len(h.letters("p6@acme.org")); n != 0 {
			t.Errorf("%d letters", n)
		}
		r.checked().want(login.NeedsFirstFactor) // who does the work is not held up
	})
}

func TestAHeldAddressLooksTheSameAtTheCheck(t *testing.T) {
	guarded(t, login.CheckAlways, func(h *house) {
		h.person("ann@acme.org", identity.Password)
		b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@acme.org", "another quiet lantern").want(login.NeedsHuman)
		b.prepare(identity.EmailCode).want(login.NeedsHuman)
		b.prove(identity.EmailCode, h.letter("ann@acme.org", message.AddressHeld).Code).want(login.Complete) // it is them, signing in
		if got := h.password(h.holder("ann@acme.org")); got != rightPassword {
			t.Errorf("the password became %q", got)
		}
	})
}
