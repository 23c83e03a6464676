package login_test

import (
	"context"
	"regexp"
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
	"idp/storage"
)

// gone takes ann's app away and returns the link that takes it back.
func (h *house) gone() (ann identity.UserID, link string) {
	h.Helper()
	ann = h.app("ann@example.com")
	h.removeFactors(ann, identity.TOTP)
	_, link = h.notice("ann@example.com", "factor_removed")
	return ann, link
}

func TestALinkIsRefusedAfterSevenDaysAndSaysSo(t *testing.T) {
	each(t, func(h *house) {
		ann, link := h.gone()
		h.clock.Add(week)
		if _, err := h.undo(link, false); !problem.HasCode(err, "undo_old") || h.state(link) != login.UndoOld || len(h.factors(ann, identity.TOTP)) != 0 {
			t.Errorf("%v, %s, %d apps", err, h.state(link), len(h.factors(ann, identity.TOTP)))
		}
	})
}

func TestAUsedLinkSaysSoAndDoesNothing(t *testing.T) {
	each(t, func(h *house) {
		ann, link := h.gone()
		h.undone(link, false)
		h.must(h.people.DropFactor(h.Context(), ann, h.factors(ann, identity.TOTP)[0].ID))
		if _, err := h.undo(link, true); !problem.HasCode(err, "undo_used") || h.state(link) != login.UndoUsed {
			t.Errorf("%v, %s", err, h.state(link))
		}
		if len(h.factors(ann, identity.TOTP)) != 0 || h.password(ann) != rightPassword {
			t.Error("a used link did something")
		}
	})
}

func TestATokenOpensItsOwnLinkOnly(t *testing.T) {
	each(t, func(h *house) {
		ann, link := h.gone()
		h.person("mallory@example.com", identity.Password)
		mallory := h.holderOf("mallory@example.com")
		h.must(h.people.SaveFactor(h.Context(), identity.Factor{ID: "factor_m", UserID: mallory, Method: identity.TOTP, Secret: secret.NewString(seed), CreatedAt: h.clock.Now()}))
		h.removeFactors(mallory, identity.TOTP)
		_, own := h.notice("mallory@example.com", "factor_removed")
		id, _ := undoLink(link)
		_, token := undoLink(own)
		for _, wrong := range []secret.String{token, secret.NewString(""), secret.NewString(strings.Repeat("A", 43))} {
			if _, err := h.engine.Undo(h.Context(), login.At{}, id, wrong, true); !problem.HasCode(err, "undo_unknown") {
				t.Errorf("undone by somebody else's token: %v", err)
			}
			if v, err := h.engine.LookUndo(h.Context(), id, wrong); err != nil || v.State != login.UndoUnknown || v.Undo.User != "" {
				t.Errorf("shown by somebody else's token: %+v, %v", v, err)
			}
		}
		if len(h.factors(ann, identity.TOTP)) != 0 || h.password(ann) == "" || h.state(link) != login.UndoOpen {
			t.Error("something was taken back")
		}
	})
}

func TestSomebodySuspendedTakesNothingBackAndKeepsTheLink(t *testing.T) {
	each(t, func(h *house) {
		ann, link := h.gone()
		h.ban(ann)
		if _, err := h.undo(link, false); !problem.HasCode(err, "account_suspended") {
			t.Errorf("%v", err)
		}
		p, err := h.people.Person(h.Context(), ann)
		h.must(err)
		p.User.Status = identity.Active
		h.must(h.people.SaveUser(h.Context(), p.User))
		h.undone(link, false)
	})
}

func TestAnAddressThatSomebodyElseProvedMeanwhileStaysTheirs(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		h.later()
		b, _ := h.inside("ann@example.com")
		b.extend("new@example.com")
		h.makePrimary(ann, "new@example.com")
		h.clock.Add(time.Second)
		h.removeAddress(ann, "ann@example.com")
		_, link := h.notice("ann@example.com", "email_removed")
		bob := h.browser().signUp("ann@example.com").session().User
		done := h.undone(link, false)
		if !slices.Equal(done.Missing, []identity.Identifier{address("ann@example.com")}) || done.Mailbox != address("new@example.com") {
			t.Errorf("undoing did %+v", done)
		}
		p, err := h.people.Person(h.Context(), ann)
		h.must(err)
		if len(p.Holdings) != 1 || p.Holdings[0].Identifier != address("new@example.com") || !p.Holdings[0].Primary || h.holderOf("ann@example.com") != bob {
			t.Errorf("on file are %+v; the address is held by %s", p.Holdings, h.holderOf("ann@example.com"))
		}
	})
}

func TestAPasskeyThatIsOnAnotherFileByNowIsLeftThere(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		bob := h.person("bob@example.com", identity.Password)
		key := identity.Factor{ID: "factor_key", UserID: ann, Method: identity.Passkey, Secret: secret.NewString("key"), Credential: "c1", CreatedAt: h.clock.Now()}
		h.must(h.people.SaveFactor(h.Context(), key))
		h.removeFactors(ann, identity.Passkey)
		_, link := h.notice("ann@example.com", "factor_removed")
		key.ID, key.UserID = "factor_other", bob
		h.must(h.people.SaveFactor(h.Context(), key))
		h.undone(link, false)
		if len(h.factors(ann, identity.Passkey)) != 0 || len(h.factors(bob, identity.Passkey)) != 1 {
			t.Error("the key moved")
		}
	})
}

func TestWhatWasBegunBeforeAnUndoIsOver(t *testing.T) {
	each(t, func(h *house) {
		ann, link := h.gone()
		thief := h.browser().signIn().identify("ann@example.com").forgot()
		thief.prove(identity.ResetCode, h.letters("ann@example.com")[0].Code).want(login.NeedsNewPassword)
		other := h.browser().signIn().identify("bob@example.com")
		h.undone(link, false)
		thief.setPassword("the thief's own phrase").refused("attempt_over", login.Abandoned)
		other.look().want(login.NeedsFirstFactor)
		if h.password(ann) != rightPassword {
			t.Error("the thief's reset went through")
		}
	})
}

func TestAnOperatorsAddressOutlivesAnUndo(t *testing.T) {
	each(t, func(h *house) {
		ann, link := h.gone()
		h.must(h.people.SaveHolding(h.Context(), identity.Holding{
			ID: "holding_op", UserID: ann, Identifier: address("desk@example.com"), VerifiedAt: h.clock.Now(), Source: identity.SourceOperator, CreatedAt: h.clock.Now(),
		}))
		h.undone(link, false)
		if got := h.holdings(ann); !slices.Contains(got, "desk@example.com") {
			t.Errorf("on file are %q", got)
		}
	})
}

func TestNoticesWithNothingToTakeBackCarryNoLink(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		for _, k := range []login.ChangeKind{login.FactorCloned, login.FactorLocked, login.Undone} {
			h.change(ann, login.Change{Kind: k}, func(context.Context, login.Person) error { return nil })
			if _, link := h.notice("ann@example.com", string(k)); link != "" {
				t.Errorf("%s carries %s", k, link)
			}
		}
		h.removeFactors(ann, identity.TOTP)
		if _, link := h.notice("ann@example.com", "factor_removed"); link == "" {
			t.Error("a removal carries none")
		}
	})
}

func TestBackupCodesThatWereReplacedComeBackAndTheNewOnesGo(t *testing.T) {
	each(t, func(h *house) {
		codes, _ := h.backedUp("ann@example.com")
		ann := h.holderOf("ann@example.com")
		h.change(ann, login.Change{Kind: login.BackupCodesRenewed}, func(ctx context.Context, p login.Person) error {
			for _, f := range p.Factors {
				if f.Method == identity.BackupCode {
					if err := h.people.DropFactor(ctx, ann, f.ID); err != nil {
						return err
					}
				}
			}
			return h.people.SaveFactor(ctx, identity.Factor{ID: "factor_thief", UserID: ann, Method: identity.BackupCode, Secret: secret.NewString("x"), CreatedAt: h.clock.Now()})
		})
		_, link := h.notice("ann@example.com", "backup_codes_renewed")
		h.undone(link, false)
		for _, f := range h.factors(ann, identity.BackupCode) {
			if f.ID == "factor_thief" {
				t.Error("the thief's code is still on file")
			}
		}
		h.second("ann@example.com").prove(identity.BackupCode, codes[3].Reveal()).want(login.Complete)
	})
}

func TestOnlyANewBrowserIsToldAndNeverTheFirst(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		first := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		h.browser().signUp("new@example.com")
		if h.told("ann@example.com", "new_browser") || h.told("new@example.com", "new_browser") {
			t.Error("the first browser of all was told of")
		}
		h.clock.Add(time.Hour)
		first.tab().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if h.told("ann@example.com", "new_browser") {
			t.Error("a browser that is known was told of")
		}
		h.clock.Add(time.Hour)
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if !h.told("ann@example.com", "new_browser") {
			t.Error("a new browser was not told of")
		}
		h.browser().signIn().identify("new@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if !h.told("new@example.com", "new_browser") {
			t.Error("a new browser of who signed up was not told of")
		}
	})
}

// Whoever begins, waits until the owner signs in, and only then goes on is no less new.
func TestANewBrowserIsToldAlsoIfItWaitedForItsOwner(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		thief := h.second("ann@example.com")
		h.clock.Add(time.Minute)
		h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
		if h.told("ann@example.com", "new_browser") {
			t.Error("the first browser of all was told of")
		}
		h.clock.Add(time.Minute)
		thief.prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
		if !h.told("ann@example.com", "new_browser") {
			t.Error("a new browser was not told of")
		}
	})
}

func TestScannersThatOpenAnUndoLinkChangeNothing(t *testing.T) {
	pages(t, func(s *site) {
		ann, link := s.gone()
		path, token, _ := strings.Cut(strings.TrimPrefix(link, s.server.URL), "?token=")
		for range 5 {
			s.browser().get(path+"?token="+token).want(200, `id="undo-open"`, "an authenticator app", `id="undo-submit"`)
		}
		if len(s.factors(ann, identity.TOTP)) != 0 || s.state(link) != login.UndoOpen || len(s.recorded(event.ChangeUndone)) != 0 {
			t.Fatal("a look undid the change")
		}
		b := s.browser().get(path + "?token=" + token)
		b.post(path, "token", token, "void", "yes").want(200, `id="undone"`, "a•••@example.com", "/sign-in/attempt_").wantNot("ann@example.com")
		if s.password(ann) != "" || len(s.factors(ann, identity.TOTP)) != 1 || s.letters("ann@example.com")[0].Kind != message.Reset {
			t.Errorf("the password is %q, %d apps", s.password(ann), len(s.factors(ann, identity.TOTP)))
		}
		b.get(path+"?token="+token).want(410, `id="undo-used"`)
		b.post(path, "token", token).want(410, `id="undo-used"`)
		b.get("/undo/undo_nobody?token=x").want(404, `id="undo-unknown"`)
		b.get(path+"?token=x").want(404, `id="undo-unknown"`).wantNot("authenticator")
	})
}

func TestAResetFollowsWhereThePasswordIsVoided(t *testing.T) {
	pages(t, func(s *site) {
		s.person("ann@example.com", identity.Password)
		reset := s.house.browser().signIn().identify("ann@example.com").forgot()
		reset.prove(identity.ResetCode, s.letter("ann@example.com", message.Reset).Code).setPassword("the thief's own phrase").want(login.Complete)
		_, link := s.notice("ann@example.com", "password_changed")
		s.clock.Add(time.Hour)
		path, token, _ := strings.Cut(strings.TrimPrefix(link, s.server.URL), "?token=")
		b := s.browser().get(path+"?token="+token).want(200, "was changed").wantNot("undo-void")
		b.post(path, "token", token).want(200, `id="undone-next"`)
		next := regexp.MustCompile(`/sign-in/attempt_\w+`).FindString(b.Page)
		b.get(next).want(200, "login-code")
		code, _ := s.mail("ann@example.com")
		b.post(next+"/prove", "method", string(identity.ResetCode), "code", code).follow().want(200, "new-password")
		b.post(next+"/password", "password", "a new and quiet phrase")
		if b.Status != 303 || s.password(s.holderOf("ann@example.com")) != "a new and quiet phrase" {
			t.Errorf("status %d, password %q", b.Status, s.password(s.holderOf("ann@example.com")))
		}
	})
}

func TestALinkOfAnAccountThatIsGoneSaysSoAndBringsNothingBack(t *testing.T) {
	pages(t, func(s *site) {
		ann, link := s.gone()
		path, token, _ := strings.Cut(strings.TrimPrefix(link, s.server.URL), "?token=")
		b := s.browser().get(path+"?token="+token).want(200, `id="undo-submit"`)
		s.must(storage.NewAccount(s.db).DropUser(s.Context(), ann)) // while the page is open
		b.post(path, "token", token).want(404, `id="undo-unknown"`)
		b.get(path+"?token="+token).want(404, `id="undo-unknown"`, "the account may be gone").wantNot("undo-submit")
		if _, err := s.undo(link, true); !problem.HasCode(err, "undo_unknown") || len(s.recorded(event.ChangeUndone)) != 0 {
			t.Errorf("%v", err)
		}
		if _, err := s.people.Person(s.Context(), ann); !problem.Is(err, problem.NotFound) {
			t.Errorf("somebody is back: %v", err)
		}
	})
}
