package login_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/storage/storagetest"
)

// backedUp puts somebody on file who set up an app through the engine, and returns their
// backup codes with the app's seed.
func (h *house) backedUp(mail string) (codes []secret.String, key string) {
	h.Helper()
	h.person(mail, identity.Password)
	b := h.browser().signIn().identify(mail).prove(identity.Password, rightPassword).want(login.Complete)
	key = b.adding().enroll(identity.TOTP, "").want(login.NeedsEnrollment).view.Enrollment.Key
	b.enrollConfirm(h.code(key, 0)).want(login.Complete)
	h.clock.Add(time.Minute)
	return b.view.BackupCodes, key
}

func TestTheFirstSecondFactorBringsTenBackupCodesThatAreShownOnce(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		key := b.adding().enroll(identity.TOTP, "").want(login.NeedsEnrollment).view.Enrollment.Key
		b.enrollConfirm(h.code(key, 0)).want(login.Complete)
		shape := regexp.MustCompile(`^[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){3}$`) // sixteen of 32 letters: 80 bits
		seen := map[string]bool{}
		for _, c := range b.view.BackupCodes {
			if !shape.MatchString(c.Reveal()) {
				t.Errorf("a code looks like %q", c.Reveal())
			}
			seen[c.Reveal()] = true
		}
		if len(seen) != 10 || len(h.factors(ann, identity.BackupCode)) != 10 {
			t.Errorf("%d codes shown, %d on file", len(seen), len(h.factors(ann, identity.BackupCode)))
		}
		codes := b.view.BackupCodes
		if b.look(); len(b.view.BackupCodes) != 0 {
			t.Error("a second look shows the codes again")
		}
		everything := fmt.Sprint(h.factors(ann, identity.BackupCode), h.recorded(event.FactorAdded), h.recorded(event.BackupCodesMade))
		for _, f := range h.factors(ann, identity.BackupCode) {
			everything += f.Secret.Reveal()
		}
		for _, c := range codes {
			if strings.Contains(everything, c.Reveal()) || strings.Contains(everything, strings.ReplaceAll(c.Reveal(), "-", "")) {
				t.Error("a code can be read from what is on file")
			}
		}
	})
}

func TestNoBackupCodesWhereTheOperatorWantsNone(t *testing.T) {
	each(t, func(h *house) {
		h.settings.BackupCodes = false
		if codes, _ := h.backedUp("ann@example.com"); len(codes) != 0 {
			t.Errorf("%d codes", len(codes))
		}
	})
}

func TestABackupCodeWorksOnceHoweverItIsTyped(t *testing.T) {
	each(t, func(h *house) {
		codes, key := h.backedUp("ann@example.com")
		strangers, _ := h.backedUp("bob@example.com")
		for i, spell := range []func(string) string{
			func(c string) string { return c },
			strings.ToLower,
			func(c string) string { return " " + strings.ReplaceAll(c, "-", "") + " " },
			func(c string) string { return strings.ReplaceAll(c, "-", " ") },
		} {
			typed := spell(codes[i].Reveal())
			b := h.second("ann@example.com").prove(identity.BackupCode, typed).want(login.Complete)
			if acr := identity.ACR(b.session().Proofs); acr != identity.AAL2 {
				t.Errorf("%q reaches %s", typed, acr)
			}
			h.second("ann@example.com").prove(identity.BackupCode, typed).refused("backup_code_wrong", login.NeedsSecondFactor)
		}
		if n := len(h.recorded(event.BackupCodeUsed)); n != 4 {
			t.Errorf("%d uses are on record", n)
		}
		b := h.second("ann@example.com").prove(identity.BackupCode, strangers[0].Reveal()).refused("backup_code_wrong", login.NeedsSecondFactor)
		b.prove(identity.BackupCode, "").refused("code_missing", login.NeedsSecondFactor)
		b.prove(identity.TOTP, h.code(key, 0)).want(login.Complete)
	})
}

func TestWhoSpentTheLastBackupCodeIsOfferedNone(t *testing.T) {
	each(t, func(h *house) {
		codes, _ := h.backedUp("ann@example.com")
		for i, c := range codes {
			b := h.second("ann@example.com")
			if last := b.view.Methods[len(b.view.Methods)-1].Method; last != identity.BackupCode {
				t.Fatalf("after %d codes the last method is %s", i, last)
			}
			b.prove(identity.BackupCode, c.Reveal()).want(login.Complete)
		}
		for _, o := range h.second("ann@example.com").view.Methods {
			if o.Method == identity.BackupCode {
				t.Error("spent codes are offered")
			}
		}
	})
}

func TestOfTwentyWhoSpendOneBackupCodeAtOnceOneGetsASession(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		h := newHouse(t, storagetest.OpenURL(t, url, nil))
		far := newHouse(t, storagetest.OpenURL(t, url, nil))
		far.clock, far.engine.Now = h.clock, h.clock.Now
		codes, _ := h.backedUp("ann@example.com")
		var all []*browser
		for n := range 20 {
			all = append(all, []*house{h, far}[n%2].second("ann@example.com"))
		}
		var wg sync.WaitGroup
		for _, b := range all {
			wg.Go(func() { b.prove(identity.BackupCode, codes[0].Reveal()) })
		}
		wg.Wait()
		in := 0
		for _, b := range all {
			if b.view.Step == login.Complete {
				in++
			}
		}
		if in != 1 || len(h.recorded(event.BackupCodeUsed)) != 1 {
			t.Errorf("%d of twenty came in", in)
		}
	})
}

func TestWrongBackupCodesCountWithWrongPasswords(t *testing.T) {
	each(t, func(h *house) {
		codes, _ := h.backedUp("ann@example.com")
		byMail := func() *browser {
			b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
			b.prove(identity.EmailCode, h.letter("ann@example.com", message.SignIn).Code).want(login.NeedsSecondFactor)
			h.clock.Add(login.ResendAfter)
			return b
		}
		b := byMail()
		for range 5 {
			b.prove(identity.BackupCode, "ABCD-EFGH-JKLM-NPQR")
		}
		if b.view.Step != login.Abandoned {
			t.Errorf("five wrong codes leave the attempt at %s", b.view.Step)
		}
		for range 4 {
			h.browser().signIn().identify("ann@example.com").prove(identity.Password, wrongPassword)
		}
		b = byMail().prove(identity.BackupCode, "ABCD-EFGH-JKLM-NPQR").refused("backup_code_wrong", login.NeedsSecondFactor)
		if len(h.recorded(event.SignInLocked)) != 1 {
			t.Error("the tenth wrong answer locks nothing")
		}
		b.prove(identity.BackupCode, codes[0].Reveal()).refused("backup_code_wrong", login.NeedsSecondFactor)
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
	})
}

func TestGuessingAtBackupCodesIsBoundedAlsoForWhoKnowsThePassword(t *testing.T) {
	each(t, func(h *house) {
		codes, _ := h.backedUp("ann@example.com")
		for range 2 {
			b := h.second("ann@example.com")
			for range 5 {
				b.prove(identity.BackupCode, "ABCD-EFGH-JKLM-NPQR")
			}
		}
		// They count with passwords, and a right one in between forgives nothing.
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).refused("password_wrong", login.NeedsFirstFactor)
		b := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		b.prove(identity.EmailCode, h.letter("ann@example.com", message.SignIn).Code).want(login.NeedsSecondFactor)
		b.prove(identity.BackupCode, codes[0].Reveal()).refused("too_many_tries", login.NeedsSecondFactor)
	})
}
