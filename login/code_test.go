package login_test

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

const resend = login.ResendAfter

// tokenOf is the token of a mailed link, which must begin with the configured origin.
func tokenOf(link string) string {
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, origin+"/sign-in/") {
		return "no link: " + link
	}
	return u.Query().Get("token")
}

func TestSixteenRacingOnOneCodeMakeOneSession(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		code := h.letter("ann@example.com", message.SignIn).Code
		answers := race(16, func() error {
			_, err := h.engine.Prove(h.Context(), b.at(), identity.EmailCode, secret.NewString(code))
			return err
		})
		won := 0
		for _, err := range answers {
			if err == nil {
				won++
			} else if !problem.Is(err, problem.Conflict) && !errors.Is(err, login.ErrCodeSpent) {
				t.Errorf("a loser was told %v", err)
			}
		}
		on, err := h.sessions.OnBrowser(h.Context(), b.jar.ID)
		h.must(err)
		if won != 1 || len(on) != 1 || len(h.recorded(event.SignInSucceeded)) != 1 {
			t.Errorf("%d won, %d sessions, %d events; want one of each", won, len(on), len(h.recorded(event.SignInSucceeded)))
		}
	})
}

// race lets n callers go at once and returns what each was told.
func race(n int, do func() error) []error {
	var ready, done sync.WaitGroup
	ready.Add(n)
	out := make([]error, n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			out[i] = do()
		})
	}
	done.Wait()
	return out
}

func TestFiveWrongCodesBurnIt(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		code := h.letter("ann@example.com", message.SignIn).Code
		for range 5 {
			b.prove(identity.EmailCode, otherThan(code)).refused("code_wrong", login.NeedsFirstFactor)
		}
		b.prove(identity.EmailCode, code).refused("code_spent", login.NeedsFirstFactor)
	})
}

func otherThan(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestACodeLivesTenMinutes(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		code := h.letter("ann@example.com", message.SignIn).Code
		h.clock.Add(10*time.Minute - time.Second)
		late := *b
		b.prove(identity.EmailCode, spaced(code)).want(login.Complete) // people type codes in groups

		b = late.tab().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		code = h.letter("ann@example.com", message.SignIn).Code
		h.clock.Add(10 * time.Minute)
		b.prove(identity.EmailCode, code).refused("code_spent", login.NeedsFirstFactor)
	})
}

func spaced(code string) string { return " " + code[:3] + "\u00a0" + code[3:] + " " }

func TestOpeningALinkConsumesNothingAndAUsedOneSaysSo(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		token := secret.NewString(tokenOf(h.letter("ann@example.com", message.SignIn).Link))
		scanner := h.browser()
		scanner.view.ID = b.view.ID
		for range 5 { // a mail scanner fetches what it finds
			_, err := h.engine.Link(h.Context(), scanner.at(), token)
			h.must(err)
		}
		seen, err := h.engine.Link(h.Context(), b.at(), token)
		h.must(err)
		if !seen.SameBrowser || seen.Spent || seen.Method != identity.EmailLink || seen.View.Step != login.NeedsFirstFactor {
			t.Fatalf("after being fetched the link shows %+v", seen)
		}
		if !seen.Code.Empty() {
			t.Error("the browser that asked needs no digits")
		}
		b.prove(seen.Method, token.Reveal()).want(login.Complete)
		for _, who := range []*browser{b, scanner} {
			again, err := h.engine.Link(h.Context(), who.at(), token)
			h.must(err)
			if !again.Spent || !again.Code.Empty() {
				t.Errorf("a used link shows %+v", again)
			}
		}
		made, err := h.engine.Link(h.Context(), b.at(), secret.Token(""))
		h.must(err)
		if !made.Spent || made.View.ID != "" {
			t.Errorf("an invented link shows %+v", made)
		}
	})
}

func TestAReplacedOrOldLinkSaysSo(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		first := tokenOf(h.letter("ann@example.com", message.SignIn).Link)
		h.clock.Add(resend)
		b.prepare(identity.EmailCode)
		second := tokenOf(h.letter("ann@example.com", message.SignIn).Link)
		spent := func(token string) bool {
			here, err := h.engine.Link(h.Context(), b.at(), secret.NewString(token))
			h.must(err)
			there := h.browser()
			there.view.ID = b.view.ID
			elsewhere, err := h.engine.Link(h.Context(), there.at(), secret.NewString(token))
			h.must(err)
			if elsewhere.Spent != here.Spent || elsewhere.Spent == !elsewhere.Code.Empty() {
				t.Errorf("here the link shows %+v, elsewhere %+v", here, elsewhere)
			}
			return here.Spent
		}
		if !spent(first) || spent(second) {
			t.Error("the replaced link should be spent, and the one that replaced it not")
		}
		h.clock.Add(10 * time.Minute)
		if !spent(second) {
			t.Error("a link outlived its ten minutes")
		}
	})
}

func TestEveryLinkWorksWhateverItsTokenLooksLike(t *testing.T) {
	each(t, func(h *house) {
		h.engine.Limits = login.Limits{NetworkMessages: 1000}
		for range 40 { // two in five tokens hold a dash
			b := h.browser().signUpStart(secret.NewID("x") + "@example.com")
			b.prove(identity.EmailLink, tokenOf(h.letter(b.view.Identifier, message.SignUp).Link)).want(login.Complete)
		}
	})
}

func TestACodeOfOnePurposeIsNoneOfAnother(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		signIn := h.letter("ann@example.com", message.SignIn)
		b.forgot()
		reset := h.letter("ann@example.com", message.Reset)
		for _, answer := range []string{signIn.Code, tokenOf(signIn.Link)} {
			if answer != reset.Code {
				b.prove(identity.ResetCode, answer).refused("code_wrong", login.NeedsFirstFactor)
			}
		}
		for _, answer := range []string{reset.Code, tokenOf(reset.Link)} {
			if answer != signIn.Code {
				b.prove(identity.EmailCode, answer).refused("code_wrong", login.NeedsFirstFactor)
			}
		}
		// Nor is it one of another attempt for the same address, or after another was named.
		other := h.browser().signIn().identify("ann@example.com")
		h.clock.Add(resend)
		other.prepare(identity.EmailCode).prove(identity.EmailCode, signIn.Code)
		if other.err == nil && signIn.Code != h.letter("ann@example.com", message.SignIn).Code {
			t.Error("a code of one attempt worked in another")
		}
		b.identify("bob@example.com").identify("ann@example.com").prove(identity.EmailCode, signIn.Code).refused("code_not_sent", login.NeedsFirstFactor)
	})
}

// Whoever could move rows about in the database would still find no code that fits.
func TestAChallengeMovedToAnotherAttemptPurposeOrAddressIsAnsweredByNothing(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		h.person("bob@example.com", identity.Password)
		from := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		code := h.letter("ann@example.com", message.SignIn).Code
		a, err := h.store.Attempt(h.Context(), from.view.ID)
		h.must(err)
		moved := a.Challenges[identity.EmailCode]
		move := func(b *browser, m identity.Method, c login.Challenge) {
			a, err := h.store.Attempt(h.Context(), b.view.ID)
			h.must(err)
			a.Challenges, a.Reset = map[identity.Method]login.Challenge{m: c}, true
			h.must(h.store.SaveAttempt(h.Context(), a))
			b.prove(m, code).refused("code_wrong", login.NeedsFirstFactor)
		}
		move(h.browser().signIn().identify("ann@example.com"), identity.EmailCode, moved)
		move(from, identity.ResetCode, moved)
		other := moved
		other.Target = address("bob@example.com")
		move(from.tab().signIn().identify("bob@example.com"), identity.EmailCode, other)
		// Back where it belongs it fits: the three were refused for the move alone.
		a, err = h.store.Attempt(h.Context(), from.view.ID)
		h.must(err)
		a.Challenges = map[identity.Method]login.Challenge{identity.EmailCode: moved}
		h.must(h.store.SaveAttempt(h.Context(), a))
		from.prove(identity.EmailCode, code).want(login.Complete)
	})
}

func TestMailIsBoundedPerAddress(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		for _, who := range []string{"ann@example.com", "nobody@example.com"} {
			refused := 0
			for range 20 {
				b := h.browser().signIn().identify(who)
				b.prepare(identity.EmailCode)
				if problem.Is(b.err, problem.TooMany) {
					refused++
				}
				h.clock.Add(resend)
			}
			if refused != 15 {
				t.Errorf("%d of 20 messages to %s were refused, want 15", refused, who)
			}
		}
		if n := len(h.letters("ann@example.com")); n != 5 {
			t.Errorf("%d letters went to one address in ten minutes, want 5", n)
		}
		if n := len(h.letters("nobody@example.com")); n != 1 {
			t.Errorf("a stranger got %d letters, want one a day", n)
		}
		b := h.browser().signIn().identify("ann@example.com")
		h.clock.Add(time.Hour)
		b.signIn().identify("ann@example.com").prepare(identity.EmailCode).want(login.NeedsFirstFactor)
		b.prepare(identity.EmailCode).refused("message_too_soon", login.NeedsFirstFactor)
	})
}

func TestWrongCodesAreCountedAcrossResends(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		verified := 0
		for i := range 8 {
			b := h.browser()
			b.network = "198.51.100." + string(rune('1'+i)) // many networks, one address
			b.signIn().identify("ann@example.com").prepare(identity.EmailCode)
			if b.err != nil {
				continue
			}
			code := h.letter("ann@example.com", message.SignIn).Code
			for range 5 {
				if b.prove(identity.EmailCode, otherThan(code)); problem.HasCode(b.err, "code_wrong") {
					verified++
				}
			}
			h.clock.Add(resend)
		}
		if verified != 20 {
			t.Errorf("%d wrong codes were looked at within an hour, want 20", verified)
		}
	})
}

func TestOneMailCarriesWhatTheOperatorAllows(t *testing.T) {
	for _, tt := range []struct {
		code, link         bool
		wantCode, wantLink bool
		method             identity.Method
	}{
		{true, true, true, true, identity.EmailCode},
		{true, false, true, false, identity.EmailCode},
		{false, true, false, true, identity.EmailLink},
		{false, false, true, false, identity.EmailCode}, // sign-up has to be confirmed somehow
	} {
		each(t, func(h *house) {
			h.settings.EmailCode, h.settings.EmailLink = tt.code, tt.link
			b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit("ann@example.com", rightPassword).want(login.NeedsEmailVerification)
			l := h.letter("ann@example.com", message.SignUp)
			if (l.Code != "") != tt.wantCode || (l.Link != "") != tt.wantLink || b.view.Methods[0].Method != tt.method {
				t.Errorf("code %v and link %v allowed: got code %q, link %q, %s", tt.code, tt.link, l.Code, l.Link, b.view.Methods[0].Method)
			}
			answer := l.Code
			if answer == "" {
				answer = tokenOf(l.Link)
			}
			b.prove(tt.method, answer).want(login.Complete)
		})
	}
}
