package login_test

import (
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
)

// atHome is a session of somebody, on the engine's own way.
func (h *house) atHome(mail string) (*browser, session.Session) {
	h.Helper()
	b := h.browser().signIn().identify(mail).prove(identity.Password, rightPassword)
	if b.view.Step == login.NeedsSecondFactor {
		b.prove(identity.TOTP, h.code(seed, 0))
		h.clock.Add(30 * time.Second)
	}
	return b.want(login.Complete), b.session()
}

func (h *house) wearing(u identity.UserID, m identity.Method) identity.FactorID {
	h.Helper()
	id := identity.FactorID(secret.NewID("factor"))
	h.must(h.people.SaveFactor(h.Context(), identity.Factor{ID: id, UserID: u, Method: m, Name: "desk", Secret: secret.NewString("{}"), Credential: string(id), CreatedAt: h.clock.Now()}))
	return id
}

func TestWithTheLastSecondFactorTheBackupCodesGo(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		b, s := h.atHome("ann@example.com")
		fresh, err := h.engine.RenewBackupCodes(t.Context(), s, b.at())
		h.must(err)
		key := h.wearing(ann, identity.SecurityKey)
		h.must(h.engine.RemoveFactor(t.Context(), s, b.at(), key))
		if n := len(h.factors(ann, identity.BackupCode)); n != 10 || len(fresh) != 10 {
			t.Errorf("%d backup codes are left beside the app", n)
		}
		h.must(h.engine.RemoveFactor(t.Context(), s, b.at(), h.factors(ann, identity.TOTP)[0].ID))
		if n := len(h.factors(ann, identity.BackupCode)) + len(h.factors(ann, identity.TOTP)); n != 0 {
			t.Errorf("%d are left", n)
		}
		if n := h.notices("ann@example.com", login.FactorRemoved); n != 2 || len(h.recorded(event.FactorRemoved)) != 2 {
			t.Errorf("told %d times of two removals", n)
		}
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
	})
}

func TestNobodyRemovesOrRenamesWhatIsNotTheirs(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		h.app("eve@example.com")
		b, eve := h.atHome("eve@example.com")
		anns := h.factors(ann, identity.TOTP)[0]
		own := h.factors(eve.User, identity.Password)[0]
		for _, id := range []identity.FactorID{anns.ID, own.ID, "factor_none"} {
			if err := h.engine.RemoveFactor(t.Context(), eve, b.at(), id); !problem.Is(err, problem.NotFound) {
				t.Errorf("removing %s: %v", id, err)
			}
			if err := h.engine.RenameFactor(t.Context(), eve, b.at(), id, "mine"); !problem.Is(err, problem.NotFound) {
				t.Errorf("renaming %s: %v", id, err)
			}
		}
		if f := h.factors(ann, identity.TOTP); len(f) != 1 || f[0].Name != anns.Name {
			t.Errorf("ann has %+v", f)
		}
	})
}

func TestTheLastSecondFactorStaysWhereTwoStepsAreDemanded(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		b, s := h.atHome("ann@example.com")
		h.settings.TwoStep = login.Required
		app := h.factors(ann, identity.TOTP)[0].ID
		if err := h.engine.RemoveFactor(t.Context(), s, b.at(), app); !problem.HasCode(err, "factor_last") {
			t.Fatalf("removing the last one: %v", err)
		}
		if len(h.factors(ann, identity.TOTP)) != 1 || len(h.recorded(event.FactorRemoved)) != 0 {
			t.Error("it is gone all the same")
		}
		h.wearing(ann, identity.SecurityKey)
		h.must(h.engine.RemoveFactor(t.Context(), s, b.at(), app)) // the way forward
	})
}

func TestTheOnlyWayInStays(t *testing.T) {
	each(t, func(h *house) {
		h.settings.Password, h.settings.EmailCode, h.settings.EmailLink = false, false, false
		ann := h.person("ann@example.com")
		key := h.wearing(ann, identity.Passkey)
		b := h.browser()
		now := h.clock.Now()
		s := session.Session{ID: "session_ann", Browser: b.jar.ID, User: ann, AuthTime: now, CreatedAt: now, LastActiveAt: now, ExpiresAt: now.Add(time.Hour), Idle: time.Hour,
			Proofs: []identity.Proof{{Method: identity.Passkey, Category: identity.Both, At: now}}}
		h.must(h.sessions.SaveSession(t.Context(), s))
		if err := h.engine.RemoveFactor(t.Context(), s, b.at(), key); !problem.HasCode(err, "factor_needed") {
			t.Fatalf("removing the only way in: %v", err)
		}
		second := h.wearing(ann, identity.Passkey)
		h.must(h.engine.RemoveFactor(t.Context(), s, b.at(), key))
		if f := h.factors(ann, identity.Passkey); len(f) != 1 || f[0].ID != second {
			t.Errorf("left are %+v", f)
		}
	})
}

func TestNewBackupCodesVoidTheOldOnes(t *testing.T) {
	each(t, func(h *house) {
		h.app("ann@example.com")
		b, s := h.atHome("ann@example.com")
		old, err := h.engine.RenewBackupCodes(t.Context(), s, b.at())
		h.must(err)
		h.second("ann@example.com").prove(identity.BackupCode, old[0].Reveal()).want(login.Complete)
		fresh, err := h.engine.RenewBackupCodes(t.Context(), s, b.at())
		h.must(err)
		h.second("ann@example.com").prove(identity.BackupCode, old[1].Reveal()).refused("backup_code_wrong", login.NeedsSecondFactor).
			prove(identity.BackupCode, fresh[1].Reveal()).want(login.Complete)
		if n := h.notices("ann@example.com", login.BackupCodesRenewed); n != 2 {
			t.Errorf("told %d times", n)
		}
	})
}

func TestThereAreNoBackupCodesForWhoHasNoSecondFactor(t *testing.T) {
	each(t, func(h *house) {
		ann := h.person("ann@example.com", identity.Password)
		b, s := h.atHome("ann@example.com")
		if _, err := h.engine.RenewBackupCodes(t.Context(), s, b.at()); !problem.HasCode(err, "second_factor_needed") {
			t.Errorf("without a second factor: %v", err)
		}
		h.settings.BackupCodes = false
		if _, err := h.engine.RenewBackupCodes(t.Context(), s, b.at()); !problem.HasCode(err, "backup_codes_off") {
			t.Errorf("switched off: %v", err)
		}
		if n := len(h.factors(ann, identity.BackupCode)); n != 0 {
			t.Errorf("%d are on file", n)
		}
	})
}

func TestASessionThatEndedChangesNoFactor(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		b, s := h.atHome("ann@example.com")
		_, err := h.sessions.EndOthers(t.Context(), ann, "", h.clock.Now())
		h.must(err)
		if err := h.engine.RemoveFactor(t.Context(), s, b.at(), h.factors(ann, identity.TOTP)[0].ID); !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("from a session that ended: %v", err)
		}
		if len(h.factors(ann, identity.TOTP)) != 1 {
			t.Error("the app is gone")
		}
	})
}

func TestAFactorHasTheNameItsPersonGaveIt(t *testing.T) {
	each(t, func(h *house) {
		ann := h.app("ann@example.com")
		b, s := h.atHome("ann@example.com")
		f := h.factors(ann, identity.TOTP)[0]
		h.must(h.engine.RenameFactor(t.Context(), s, b.at(), f.ID, " Blue\n phone "))
		if got := h.factors(ann, identity.TOTP)[0]; got.Name != "Blue phone" || got.Secret != f.Secret || got.Counter != f.Counter {
			t.Errorf("on file: %+v", got)
		}
		if err := h.engine.RenameFactor(t.Context(), s, b.at(), f.ID, "\x00 "); !problem.HasCode(err, "name_missing") {
			t.Errorf("no name: %v", err)
		}
	})
}
