package login_test

import (
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
	"idp/session"
)

func TestSigningInAgainContinuesTheSessionAndRenewsTheCookie(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		h.person("bob@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		first, cookie := b.session(), b.view.Cookie.Secret.Reveal()
		h.clock.Add(time.Hour)

		b.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		again := b.session()
		if again.ID != first.ID || !again.AuthTime.Equal(h.clock.Now()) || !again.CreatedAt.Equal(first.CreatedAt) {
			t.Errorf("after signing in again the session is %+v, was %+v", again, first)
		}
		if b.view.Cookie.Secret.Reveal() == cookie || b.view.Cookie.ID != b.jar.ID {
			t.Error("the cookie's secret was not renewed")
		}
		b.signIn().identify("bob@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if b.session().ID == first.ID {
			t.Error("two persons share a session")
		}
		jar, err := h.sessions.Browser(h.Context(), b.jar.ID)
		h.must(err)
		if jar.Active != b.view.SessionID || jar.Digest != secret.DigestOf(b.view.Cookie.Secret.Reveal()) {
			t.Errorf("the browser is %+v", jar)
		}
		_, err = h.sessions.End(h.Context(), first.ID, h.clock.Now())
		h.must(err)
		b.signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if b.session().ID == first.ID {
			t.Error("an ended session came back")
		}
	})
}

func TestStepUpIsForTheSamePersonOnly(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		h.person("bob@example.com", identity.Password)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		id := b.view.SessionID
		h.clock.Add(time.Hour)
		b.begin(login.Beginning{Goal: login.StepUp, Session: id}).want(login.NeedsFirstFactor)
		if b.view.Identifier != "ann@example.com" {
			t.Errorf("proving anew is for %q", b.view.Identifier)
		}
		b.identify("bob@example.com").refused("not_now", login.NeedsFirstFactor)
		b.prove(identity.Password, rightPassword).want(login.Complete)
		if s := b.session(); s.ID != id || !s.AuthTime.Equal(h.clock.Now()) {
			t.Errorf("after proving anew the session is %+v", s)
		}
		other := h.browser()
		if other.begin(login.Beginning{Goal: login.StepUp, Session: id}); !problem.Is(other.err, problem.Unauthenticated) {
			t.Errorf("another browser proving anew in that session was answered %v", other.err)
		}
	})
}

func TestAnotherBrowserCannotTouchAnAttempt(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		mine := h.browser().signIn().identify("ann@example.com").prepare(identity.EmailCode)
		code := h.letter("ann@example.com", message.SignIn).Code
		other := h.browser()
		for name, do := range map[string]func(){
			"look":         func() { other.look() },
			"identify":     func() { other.identify("bob@example.com") },
			"prepare":      func() { other.prepare(identity.EmailCode) },
			"prove":        func() { other.prove(identity.EmailCode, code) },
			"forgot":       func() { other.forgot() },
			"submit":       func() { other.submit("bob@example.com", rightPassword) },
			"set password": func() { other.setPassword(rightPassword) },
			"cancel":       func() { other.cancel() },
		} {
			other.view = login.View{ID: mine.view.ID}
			if do(); !problem.Is(other.err, problem.NotFound) || other.view.Step != "" {
				t.Errorf("%s from another browser was answered %v with %+v", name, other.err, other.view)
			}
		}
		mine.prove(identity.EmailCode, code).want(login.Complete)
	})
}

func TestTheWaitingRequestLearnsWhoAnswersIt(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b, other := h.browser(), h.browser()
		ask := login.Ask{
			ID: "ask_1", Browser: b.jar.ID, Party: identity.Party{ID: "client_1", Name: "Acme"}, Hint: "ann@example.com", Choose: true,
			Resume: "/oauth2/resume", CreatedAt: h.clock.Now(), ExpiresAt: h.clock.Now().Add(time.Hour), Request: []byte("{}"),
		}
		h.must(h.store.SaveAsk(h.Context(), ask))
		if other.begin(login.Beginning{Goal: login.SignIn, Ask: ask.ID}); !problem.HasCode(other.err, "ask_unknown") {
			t.Errorf("another browser took up the request: %v", other.err)
		}
		b.begin(login.Beginning{Goal: login.SignIn, Ask: ask.ID}).want(login.NeedsIdentifier)
		if b.view.Party == nil || b.view.Party.Name != "Acme" || b.view.Hint != "ann@example.com" {
			t.Errorf("the screen is told %+v", b.view)
		}
		b.identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		got, err := h.store.Ask(h.Context(), ask.ID)
		h.must(err)
		if got.Chosen != b.view.SessionID || got.Choose || b.view.Next != "/oauth2/resume?ask=ask_1" {
			t.Errorf("the request knows %q, and the browser goes to %q", got.Chosen, b.view.Next)
		}
	})
}

func TestWhatThePartyDemandsIsOwed(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser()
		h.must(h.store.SaveAsk(h.Context(), login.Ask{
			ID: "ask_1", Browser: b.jar.ID, Need: session.Need{Categories: identity.Both}, Resume: "/oauth2/resume",
			CreatedAt: h.clock.Now(), ExpiresAt: h.clock.Now().Add(time.Hour), Request: []byte("{}"),
		}))
		b.begin(login.Beginning{Goal: login.SignIn, Ask: "ask_1"}).identify("ann@example.com")
		b.prove(identity.Password, rightPassword).want(login.NeedsEnrollment)
		if b.view.SessionID != "" {
			t.Error("a session was made although more is demanded")
		}
	})
}

func TestAPublicComputerForgetsSoon(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		b := h.browser().begin(login.Beginning{Goal: login.SignIn, Public: true}).identify("ann@example.com")
		b.prove(identity.Password, rightPassword).want(login.Complete)
		s := b.session()
		if !b.view.Public || !s.Public || s.Alive(h.clock.Now().Add(time.Hour)) || s.ExpiresAt.After(h.clock.Now().Add(12*time.Hour)) {
			t.Errorf("on a public computer the session is %+v", s)
		}
	})
}

func TestWhoeverOwesNothingAnyMoreIsInAtTheNextLook(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password, identity.TOTP)
		b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.NeedsSecondFactor)
		b.evidence(identity.TOTP).want(login.Complete)
		if s := b.session(); identity.ACR(s.Proofs) != identity.AAL2 {
			t.Errorf("the session proves %+v", s.Proofs)
		}
	})
}

func TestOfTwoWhoSignInOnOneBrowserAtOnceTheSlowerIsNotLetIn(t *testing.T) {
	each(t, func(h *house) {
		h.person("eve@example.com", identity.Password)
		h.person("ann@example.com", identity.Password)
		ann := h.browser()
		eve := ann.tab().signIn().identify("eve@example.com") // by a cookie that she planted there
		ann = ann.tab().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		eve.prove(identity.Password, rightPassword)
		if !problem.HasCode(eve.err, login.ErrMoved.Code) || eve.view.Cookie != nil {
			t.Errorf("with the cookie of before: %v, a fresh cookie: %v", eve.err, eve.view.Cookie != nil)
		}
		standing, err := h.sessions.OnBrowser(t.Context(), ann.jar.ID)
		if err != nil || len(standing) != 1 || standing[0].ID != ann.view.SessionID {
			t.Errorf("on the browser there are %d sessions, %v", len(standing), err)
		}
		if kept, err := h.sessions.Browser(t.Context(), ann.jar.ID); err != nil || kept.Digest != ann.jar.Digest {
			t.Errorf("the secret that was renewed is void: %v", err)
		}
	})
}
