package login_test

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

const week = 7 * 24 * time.Hour

// later lets so much time pass that nobody's address is new any more.
func (h *house) later() { h.clock.Add(week + time.Hour) }

// notice is what the newest letter to an address tells, and the link in it.
func (h *house) notice(to, what string) (message.Notice, string) {
	h.Helper()
	for _, l := range h.letters(to) {
		var n message.Notice
		if json.Unmarshal([]byte(l.Text), &n) == nil && n.What == what {
			return n, l.Link
		}
	}
	h.Fatalf("%s was not told of %s: %v", to, what, h.kinds(to))
	return message.Notice{}, ""
}

// told reports whether an address got a notice of that.
func (h *house) told(to, what string) bool {
	h.Helper()
	return slices.ContainsFunc(h.letters(to), func(l message.Letter) bool { return strings.Contains(l.Text, `"what":"`+what+`"`) })
}

func undoLink(link string) (login.UndoID, secret.String) {
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(u.Path, "/undo/") {
		return "", secret.String{}
	}
	return login.UndoID(strings.TrimPrefix(u.Path, "/undo/")), secret.NewString(u.Query().Get("token"))
}

func (h *house) undo(link string, void bool) (login.Undoing, error) {
	h.Helper()
	id, token := undoLink(link)
	return h.engine.Undo(h.Context(), login.At{Network: "198.51.100.9", UserAgent: "test"}, id, token, void)
}

// undone takes a change back; it must work.
func (h *house) undone(link string, void bool) login.Undoing {
	h.Helper()
	done, err := h.undo(link, void)
	h.must(err)
	return done
}

func (h *house) state(link string) string {
	h.Helper()
	id, token := undoLink(link)
	v, err := h.engine.LookUndo(h.Context(), id, token)
	h.must(err)
	return v.State
}

// extend puts another address on file through the engine.
func (b *browser) extend(mail string) *browser {
	b.Helper()
	b.begin(login.Beginning{Goal: login.Extend, Session: b.view.SessionID, Address: mail}).want(login.NeedsEmailVerification)
	return b.prove(identity.EmailCode, b.letter(mail, message.VerifyAddress).Code).want(login.Complete)
}

// change does what a page of the account does: the change and its notice in one transaction.
func (h *house) change(u identity.UserID, c login.Change, do func(ctx context.Context, p login.Person) error) {
	h.Helper()
	h.must(h.db.InTx(h.Context(), func(ctx context.Context) error {
		p, err := h.people.Person(ctx, u)
		if err != nil {
			return err
		}
		if err := do(ctx, p); err != nil {
			return err
		}
		c.Before, c.At = p, login.At{Network: "203.0.113.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
		return h.engine.Notify(ctx, c)
	}))
}

func (h *house) makePrimary(u identity.UserID, mail string) {
	h.Helper()
	h.change(u, login.Change{Kind: login.AddressPrimary, Address: address(mail)}, func(ctx context.Context, p login.Person) error {
		i := slices.IndexFunc(p.Holdings, func(x identity.Holding) bool { return x.Identifier == address(mail) })
		x := p.Holdings[i]
		x.Primary = true
		return h.people.SaveHolding(ctx, x)
	})
}

func (h *house) removeAddress(u identity.UserID, mail string) {
	h.Helper()
	h.change(u, login.Change{Kind: login.AddressRemoved, Address: address(mail)}, func(ctx context.Context, _ login.Person) error {
		return storage.NewUndos(h.db).DropHolding(ctx, u, address(mail))
	})
}

func (h *house) removeFactors(u identity.UserID, m identity.Method) {
	h.Helper()
	gone := h.factors(u, m)
	h.change(u, login.Change{Kind: login.FactorRemoved, Factor: gone[0]}, func(ctx context.Context, p login.Person) error {
		for _, f := range gone {
			if err := h.people.DropFactor(ctx, u, f.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAPasswordChangeIsVoidedByItsLinkAndTheOldPasswordNeverComesBack(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		thief := h.browser().signIn().identify("ann@example.com").forgot()
		thief.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code)
		thief.setPassword("the thief's own phrase").want(login.Complete)
		n, link := h.notice("ann@example.com", "password_changed")
		if n.Network != "192.0.2.1" || !n.At.Equal(h.clock.Now()) || h.told("ann@example.com", "new_browser") {
			t.Errorf("told of %+v; a new browser, too: %v", n, h.told("ann@example.com", "new_browser"))
		}
		h.clock.Add(week - time.Second)
		h.revoked = nil
		done := h.undone(link, false)
		if !done.Voided || done.Mailbox != address("ann@example.com") {
			t.Errorf("undoing did %+v", done)
		}
		if s := thief.session(); s.EndedAt.IsZero() {
			t.Error("the thief is still signed in")
		}
		if !slices.Equal(h.revoked, []identity.UserID{ann}) || len(h.recorded(event.ChangeUndone)) != 1 || !h.told("ann@example.com", "undone") {
			t.Errorf("revoked %v, recorded %d, told %v", h.revoked, len(h.recorded(event.ChangeUndone)), h.told("ann@example.com", "undone"))
		}
		for _, p := range []string{rightPassword, "the thief's own phrase"} {
			h.browser().signIn().identify("ann@example.com").prove(identity.Password, p).refused("password_wrong", login.NeedsFirstFactor)
		}
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsNewPassword)
		b.setPassword("a new and quiet phrase").want(login.Complete)
		if h.password(ann) != "a new and quiet phrase" {
			t.Error("the new password is not on file")
		}
	})
}

func TestAnUndoLetsNobodyRoundTheSecondFactor(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		b := h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
		h.clock.Add(time.Minute)
		reset := h.browser().signIn().identify("ann@example.com").forgot()
		reset.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).prove(identity.TOTP, h.code(seed, 0)).want(login.NeedsNewPassword)
		reset.setPassword("another long secret phrase").want(login.Complete)
		_, link := h.notice("ann@example.com", "password_changed")
		h.undone(link, false)
		if !b.session().EndedAt.Before(h.clock.Now().Add(time.Second)) || b.session().EndedAt.IsZero() {
			t.Error("a session outlived the undo")
		}
		h.clock.Add(time.Minute)
		again := h.browser().signIn().identify("ann@example.com").forgot()
		again.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsSecondFactor)
	})
}

func TestTheOldAddressHearsOfAnotherMainOneAndTakesItBack(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		h.later()
		thief, _ := h.inside("ann@example.com")
		thief.extend("mallory@evil.example")
		if n, link := h.notice("ann@example.com", "email_added"); n.Address != "m•••@evil. example" || link == "" {
			t.Errorf("the old address reads %+v with link %q", n, link)
		}
		h.clock.Add(time.Minute)
		h.makePrimary(ann, "mallory@evil.example")
		h.clock.Add(time.Minute)
		h.removeAddress(ann, "ann@example.com")
		if n, _ := h.notice("ann@example.com", "email_removed"); n.Browser != "Firefox · Linux" || n.Network != "203.0.113.7" || n.Address != "a•••@example.com" {
			t.Errorf("the address that was removed reads %+v", n)
		}
		if _, link := h.notice("mallory@evil.example", "email_removed"); link != "" {
			t.Error("an address that came a moment ago may take back changes")
		}
		_, first := h.notice("ann@example.com", "email_added")
		_, second := h.notice("ann@example.com", "email_primary")
		_, third := h.notice("ann@example.com", "email_removed")
		h.undone(second, false)
		p, err := h.people.Person(h.Context(), ann)
		h.must(err)
		if got := h.holdings(ann); !slices.Equal(got, []string{"ann@example.com", "mallory@evil.example"}) || !p.Holdings[0].Primary {
			t.Errorf("after the second change was taken back on file are %q", got)
		}
		if h.state(third) != login.UndoUsed || h.state(first) != login.UndoOpen {
			t.Errorf("the link of a later change is %s, of an earlier one %s", h.state(third), h.state(first))
		}
		if done := h.undone(first, true); !done.Voided {
			t.Error("the password was not voided on request")
		}
		if got := h.holdings(ann); !slices.Equal(got, []string{"ann@example.com"}) || h.password(ann) != "" {
			t.Errorf("on file are %q and the password %q", got, h.password(ann))
		}
	})
}

func TestTheFirstLinkTakesBackAllThatCameAfterIt(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		h.later()
		h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
		h.clock.Add(time.Minute)
		thief := h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete) // by phishing
		n, link := h.notice("ann@example.com", "new_browser")
		if n.Network != "192.0.2.1" || link == "" {
			t.Fatalf("told of the new browser: %+v, %q", n, link)
		}
		thief.extend("mallory@evil.example")
		h.removeFactors(ann, identity.TOTP)
		thief.adding().enroll(identity.TOTP, "")
		thief.enrollConfirm(h.code(thief.view.Enrollment.Key, 0)).want(login.Complete)
		if done := h.undone(link, false); !done.Voided {
			t.Error("the password is known to who signed in, and stays")
		}
		f := h.factors(ann, identity.TOTP)
		if len(f) != 1 || f[0].Secret.Reveal() != seed || len(h.factors(ann, identity.BackupCode)) != 0 {
			t.Errorf("the person has %d apps and %d backup codes", len(f), len(h.factors(ann, identity.BackupCode)))
		}
		if got := h.holdings(ann); !slices.Equal(got, []string{"ann@example.com"}) {
			t.Errorf("on file are %q", got)
		}
		for _, l := range append(h.letters("ann@example.com"), h.letters("mallory@evil.example")...) {
			if strings.HasPrefix(l.Link, origin+"/undo/") && h.state(l.Link) == login.UndoOpen {
				t.Errorf("a link still works: %s", l.Text)
			}
		}
	})
}

func TestARemovedAppWorksAgainAndItsUsedCodesDoNot(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
		h.removeFactors(ann, identity.TOTP)
		n, link := h.notice("ann@example.com", "factor_removed")
		if n.Method != "totp" {
			t.Errorf("told of %+v", n)
		}
		if done := h.undone(link, false); done.Voided || h.password(ann) != rightPassword {
			t.Error("the password was voided unasked")
		}
		h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).refused("totp_wrong", login.NeedsSecondFactor)
		h.clock.Add(time.Minute)
		h.second("ann@example.com").prove(identity.TOTP, h.code(seed, 0)).want(login.Complete)
	})
}

func TestABackupCodeSpentSinceStaysSpentWhenItsFactorComesBack(t *testing.T) {
	each(t, func(h *house) {
		codes, key := h.backedUp("ann@example.com")
		ann := h.holderOf("ann@example.com")
		h.later()
		h.removeFactors(ann, identity.TOTP) // and the codes stay; the undo of this one holds all ten unspent
		_, link := h.notice("ann@example.com", "factor_removed")
		spent := h.factors(ann, identity.BackupCode)[0]
		h.clock.Add(time.Minute)
		h.must(h.people.UseFactor(h.Context(), spent.ID, 0, 1, h.clock.Now()))
		h.removeFactors(ann, identity.BackupCode)
		h.undone(link, false)
		left := 0
		for _, f := range h.factors(ann, identity.BackupCode) {
			if !f.Spent() {
				left++
			}
			if f.ID == spent.ID && !f.Spent() {
				t.Error("a spent code is good again")
			}
		}
		if left != len(codes)-1 || len(h.factors(ann, identity.TOTP)) != 1 || h.factors(ann, identity.TOTP)[0].Secret.Reveal() == "" || key == "" {
			t.Errorf("%d codes are left and %d apps", left, len(h.factors(ann, identity.TOTP)))
		}
	})
}

// holderOf is who has that address.
func (h *house) holderOf(mail string) identity.UserID {
	h.Helper()
	p, err := h.people.Find(h.Context(), address(mail))
	h.must(err)
	return p.User.ID
}

func TestOfTwentyWhoUndoAtOnceOneDoes(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		h.removeFactors(ann, identity.TOTP)
		_, link := h.notice("ann@example.com", "factor_removed")
		var won, lost atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := h.undo(link, false)
				switch {
				case err == nil:
					won.Add(1)
				case problem.HasCode(err, "undo_used"):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 19 || len(h.factors(ann, identity.TOTP)) != 1 || len(h.recorded(event.ChangeUndone)) != 1 {
			t.Errorf("%d won, %d lost; %d apps, %d events", won.Load(), lost.Load(), len(h.factors(ann, identity.TOTP)), len(h.recorded(event.ChangeUndone)))
		}
	})
}
