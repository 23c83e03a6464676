package login_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/session"
	"idp/storage/storagetest"
)

const seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// app puts somebody on file who has a password and an authenticator app.
func (h *house) app(mail string) identity.UserID {
	h.Helper()
	u := h.person(mail, identity.Password)
	h.must(h.people.SaveFactor(h.Context(), identity.Factor{
		ID: identity.FactorID(secret.NewID("factor")), UserID: u, Method: identity.TOTP, Secret: secret.NewString(seed), CreatedAt: h.clock.Now(),
	}))
	return u
}

// code is what an app with that seed shows, some time from now.
func (h *house) code(seed string, later time.Duration) string {
	h.Helper()
	c, err := totp.GenerateCode(seed, h.clock.Now().Add(later))
	h.must(err)
	return c
}

// wrongCode is one that an app shows at no time around now.
func (h *house) wrongCode(seed string) string {
	for n := range 10 {
		c := fmt.Sprintf("%06d", n)
		if c != h.code(seed, 0) && c != h.code(seed, -30*time.Second) && c != h.code(seed, 30*time.Second) {
			return c
		}
	}
	h.Fatal("every code is right")
	return ""
}

// second brings a new browser up to the second factor.
func (h *house) second(mail string) *browser {
	h.Helper()
	return h.browser().signIn().identify(mail).prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
}

func (b *browser) enroll(m identity.Method, detail string) *browser {
	return b.then(b.engine.Enroll(b.Context(), b.at(), m, detail))
}

func (b *browser) enrollConfirm(answer string) *browser {
	return b.then(b.engine.Confirm(b.Context(), b.at(), secret.NewString(answer)))
}

// adding begins to set up another factor within the session that the browser has.
func (b *browser) adding() *browser {
	return b.begin(login.Beginning{Goal: login.Enroll, Session: b.view.SessionID})
}

func (h *house) factors(u identity.UserID, m identity.Method) (found []identity.Factor) {
	h.Helper()
	p, err := h.people.Person(h.Context(), u)
	h.must(err)
	for _, f := range p.Factors {
		if f.Method == m {
			found = append(found, f)
		}
	}
	return found
}

// notices counts the mails that told of a change.
func (h *house) notices(to string, what login.ChangeKind) (n int) {
	h.Helper()
	for _, l := range h.letters(to) {
		if l.Kind == message.Changed && l.Subject == string(what) {
			n++
		}
	}
	return n
}

func TestAnAppIsASecondFactorOnceItShowedOneCode(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		b.adding().want(login.NeedsEnrollment).enrollConfirm("123456").refused("enrollment_unbegun", login.NeedsEnrollment)
		b.enroll(identity.TOTP, "  My\tphone ").want(login.NeedsEnrollment)
		made := b.view.Enrollment
		if made == nil || len(made.Key) < 32 || !strings.HasPrefix(made.URI, "otpauth://totp/North%20Wind:ann%40example.com?secret="+made.Key+"&issuer=North%20Wind&") {
			t.Fatalf("shown %+v", made)
		}
		if again := b.look().view.Enrollment; again == nil || again.Key != made.Key {
			t.Error("reloading the page shows something else")
		}
		// Not yet: nobody is asked for what was never shown to work.
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		b.enrollConfirm(h.wrongCode(made.Key)).refused("totp_wrong", login.NeedsEnrollment)
		first := h.code(made.Key, 0)
		b.enrollConfirm(first[:3] + " " + first[3:]).want(login.Complete)
		f := h.factors(ann, identity.TOTP)
		if len(f) != 1 || f[0].Name != "My phone" || f[0].Secret.Reveal() != made.Key || f[0].Counter == 0 {
			t.Fatalf("on file: %+v", f)
		}
		if b.view.Enrollment != nil || b.look().view.Enrollment != nil || strings.Contains(fmt.Sprint(h.recorded(event.FactorAdded)), made.Key) {
			t.Error("the seed is shown after it was confirmed")
		}
		h.second("ann@example.com").prove(identity.TOTP, first).refused("totp_wrong", login.NeedsSecondFactor)
		h.clock.Add(30 * time.Second)
		h.second("ann@example.com").prove(identity.TOTP, h.code(made.Key, 0)).want(login.Complete)
		if acr := identity.ACR(b.session().Proofs); acr != identity.AAL2 {
			t.Errorf("whoever just set up the app is at %s", acr)
		}
	})
}

func TestANewAppTakesThePlaceOfTheOldOneAndThereIsNeverMoreThanOne(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		b.adding().enroll(identity.TOTP, "old").want(login.NeedsEnrollment)
		old := b.view.Enrollment.Key
		b.enrollConfirm(h.code(old, 0)).want(login.Complete)
		b.adding().enroll(identity.TOTP, "new").want(login.NeedsEnrollment)
		fresh := b.view.Enrollment.Key
		b.enrollConfirm(h.code(old, 30*time.Second)).refused("totp_wrong", login.NeedsEnrollment)
		b.enrollConfirm(h.code(fresh, 0)).want(login.Complete)
		if f := h.factors(ann, identity.TOTP); len(f) != 1 || f[0].Name != "new" {
			t.Fatalf("on file: %+v", f)
		}
		if len(b.view.BackupCodes) != 0 || len(h.factors(ann, identity.BackupCode)) != 10 {
			t.Error("the backup codes changed with the app")
		}
		h.clock.Add(time.Minute)
		h.second("ann@example.com").prove(identity.TOTP, h.code(old, 0)).refused("totp_wrong", login.NeedsSecondFactor).
			prove(identity.TOTP, h.code(fresh, 0)).want(login.Complete)
	})
}

func TestWhoOwesAFactorAtSignInReplacesNobodysApp(t *testing.T) {
	each(t, func(h *house) {
		h.settings.TwoStep = login.Required
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.NeedsEnrollment)
		other := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.NeedsEnrollment)
		b.enroll(identity.TOTP, "mine").enrollConfirm(h.code(b.view.Enrollment.Key, 0)).want(login.Complete)
		other.enroll(identity.TOTP, "other")
		if other.view.Enrollment != nil {
			other.enrollConfirm(h.code(other.view.Enrollment.Key, 0))
		}
		if f := h.factors(ann, identity.TOTP); other.view.SessionID != "" || len(f) != 1 || f[0].Name != "mine" {
			t.Errorf("the second one is at %s, on file are %+v", other.view.Step, f)
		}
	})
}

func TestACodeOfAnAppWorksOnceAlsoInAnotherAttemptAndOnAnotherReplica(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, storagetest.OpenURL(t, url, nil))
		far := newHouse(t, storagetest.OpenURL(t, url, nil))
		far.engine.Now = h.clock.Now
		h.app("ann@example.com")
		code := h.code(seed, 0)
		before := h.code(seed, -30*time.Second)
		b := h.second("ann@example.com").prove(identity.TOTP, code).want(login.Complete)
		b.prove(identity.TOTP, code).refused("not_now", login.Complete)
		h.second("ann@example.com").prove(identity.TOTP, code).refused("totp_wrong", login.NeedsSecondFactor)
		far.second("ann@example.com").prove(identity.TOTP, code).refused("totp_wrong", login.NeedsSecondFactor).
			prove(identity.TOTP, before).refused("totp_wrong", login.NeedsSecondFactor)
		h.clock.Add(30 * time.Second)
		far.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
	})
}

func TestOfTwentyWhoBringOneCodeAtOnceOneGetsASession(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, storagetest.OpenURL(t, url, nil))
		far := newHouse(t, storagetest.OpenURL(t, url, nil))
		far.engine.Now = h.clock.Now
		ann := h.app("ann@example.com")
		var all []*browser
		for n := range 20 {
			all = append(all, []*house{h, far}[n%2].second("ann@example.com"))
		}
		code := h.code(seed, 0)
		var wg sync.WaitGroup
		for _, b := range all {
			wg.Go(func() { b.prove(identity.TOTP, code) })
		}
		wg.Wait()
		in := 0
		for _, b := range all {
			if b.view.Step == login.Complete {
				in++
			}
		}
		sessions, err := h.sessions.OfUser(t.Context(), ann)
		h.must(err)
		if in != 1 || len(sessions) != 1 {
			t.Errorf("%d of twenty came in, with %d sessions", in, len(sessions))
		}
	})
}

func TestTheWindowOfACodeIsOneStepEitherWay(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		for later, right := range map[time.Duration]bool{-60 * time.Second: false, 60 * time.Second: false, -30 * time.Second: true, 30 * time.Second: true} {
			b := h.second("ann@example.com").prove(identity.TOTP, h.code(seed, later))
			if (b.view.Step == login.Complete) != right {
				t.Errorf("a code %v away leads to %s", later, b.view.Step)
			}
			h.clock.Add(5 * time.Minute)
		}
	})
}

func TestFiveWrongCodesEndTheAttempt(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		b := h.second("ann@example.com").prove(identity.TOTP, " ").refused("code_missing", login.NeedsSecondFactor)
		for range 4 {
			b.prove(identity.TOTP, h.wrongCode(seed)).refused("totp_wrong", login.NeedsSecondFactor)
		}
		b.prove(identity.TOTP, h.wrongCode(seed)).refused("answers_wrong", login.Abandoned)
		b.prove(identity.TOTP, h.code(seed, 0)).refused("attempt_over", login.Abandoned)
		h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
	})
}

func TestTenWrongCodesInAnHourLockTheAppAndTellItsPersonOnce(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		h.app("bob@example.com")
		for range 2 {
			b := h.second("ann@example.com") // the right password forgives nothing
			for range 5 {
				b.prove(identity.TOTP, h.wrongCode(seed))
			}
		}
		h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).refused("too_many_tries", login.NeedsSecondFactor)
		if n := h.notices("ann@example.com", login.FactorLocked); n != 1 {
			t.Errorf("told %d times", n)
		}
		if n := len(h.recorded(event.SignInLocked)); n != 1 {
			t.Errorf("%d events tell of the lock", n)
		}
		h.second("bob@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
		h.clock.Add(time.Hour)
		b := h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
		if b.session().User == "" {
			t.Error("no session")
		}
	})
}

func TestARightCodeForgetsTheWrongOnes(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		for range 5 {
			b := h.second("ann@example.com")
			for range 4 {
				b.prove(identity.TOTP, h.wrongCode(seed)).refused("totp_wrong", login.NeedsSecondFactor)
			}
			b.prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
			h.clock.Add(time.Minute)
		}
	})
}

func TestWrongCodesThatRaceGetNoMoreThanTheirTen(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		b := h.second("ann@example.com")
		wrong := h.wrongCode(seed)
		var wg sync.WaitGroup
		for range 30 {
			tab := &browser{house: h, jar: b.jar, network: b.network, view: b.view}
			wg.Go(func() { tab.prove(identity.TOTP, wrong) })
		}
		wg.Wait()
		h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0))
		if n := h.notices("ann@example.com", login.FactorLocked); n > 1 {
			t.Errorf("told %d times", n)
		}
		if n := len(h.recorded(event.SignInFailed)); n > 10 {
			t.Errorf("%d guesses were looked at", n)
		}
	})
}

func TestAnUnprovenPersonSetsUpNothing(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		b := h.second("ann@example.com").enroll(identity.TOTP, "").refused("not_now", login.NeedsSecondFactor)
		b.enrollConfirm("123456").refused("not_now", login.NeedsSecondFactor)
		// A session that was proven too long ago proves anew, with both factors, before anything is shown.
		b.prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
		h.clock.Add(login.RecentFor + time.Minute)
		b.adding().want(login.NeedsFirstFactor).enroll(identity.PhoneCode, "").refused("not_now", login.NeedsFirstFactor)
		b.prove(identity.Password, rightPassword).want(login.NeedsSecondFactor).prove(identity.TOTP, h.code(seed, 0)).want(login.NeedsEnrollment)
	})
}

func TestWhereTwoStepsAreRequiredANewcomerSetsOneUpBeforeThereIsASession(t *testing.T) {
	each(t, func(h *house) {
		h.settings.TwoStep = login.Required
		b := h.browser().signUpStart("ann@example.com").prove(identity.EmailCode, h.letter("ann@example.com", message.SignUp).Code).want(login.NeedsEnrollment)
		b.enroll(identity.TOTP, "").want(login.NeedsEnrollment)
		if !strings.Contains(b.view.Enrollment.URI, "ann%40example.com") {
			t.Errorf("the app would show %s", b.view.Enrollment.URI)
		}
		if _, err := h.people.Find(t.Context(), address("ann@example.com")); !problem.Is(err, problem.NotFound) {
			t.Errorf("there is a person before all is shown: %v", err)
		}
		b.enrollConfirm(h.code(b.view.Enrollment.Key, 0)).want(login.Complete)
		if s := b.session(); identity.Covered(s.Proofs) != identity.Both || !s.Satisfies(session.Need{Categories: identity.Both}, h.clock.Now()) {
			t.Errorf("the session stands on %v", s.Proofs)
		}
		h.clock.Add(time.Minute)
		h.second("ann@example.com").prove(identity.EmailCode, "123456").refused("method_unavailable", login.NeedsSecondFactor)
	})
}
