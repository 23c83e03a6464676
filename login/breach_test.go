package login_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/internal/breach"
	"idp/internal/outbound"
	"idp/internal/secret"
	"idp/login"
	"idp/message"
)

const (
	leakedPassword = "leaked meadow trombone"
	freshPassword  = "another long secret phrase"
)

// list gives the engine a file of breached passwords.
func (h *house) list(passwords ...string) *breach.List {
	h.Helper()
	var lines []string
	for _, p := range passwords {
		lines = append(lines, fmt.Sprintf("%X:12\n", sha1.Sum([]byte(p))))
	}
	slices.Sort(lines)
	path := filepath.Join(h.TempDir(), "pwned.txt")
	h.must(os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))
	l, err := breach.File(path)
	h.must(err)
	h.Cleanup(func() { h.must(l.Close()) })
	h.engine.Breaches = l
	return l
}

// outage gives the engine a service that never answers.
func (h *house) outage() *breach.List {
	h.Helper()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	h.Cleanup(silent.Close)
	l := breach.Online(breach.Service{
		URL: silent.URL, Outbound: outbound.New(outbound.Options{Loopback: true}), Log: slog.New(slog.DiscardHandler),
		Now: h.clock.Now, Timeout: 20 * time.Millisecond,
	})
	h.engine.Breaches = l
	return l
}

// leaky puts somebody on file whose password is on the list.
func (h *house) leaky(mail string, more ...identity.Method) identity.UserID {
	h.Helper()
	u := h.person(mail, more...)
	h.must(h.people.SaveFactor(h.Context(), identity.Factor{
		ID: identity.FactorID(secret.NewID("factor")), UserID: u, Method: identity.Password, Secret: hashOf(leakedPassword), CreatedAt: h.clock.Now(),
	}))
	h.list(leakedPassword)
	return u
}

func (b *browser) leakedIn(mail string) *browser {
	return b.signIn().identify(mail).prove(identity.Password, leakedPassword)
}

func TestABreachedPasswordCannotBeChosen(t *testing.T) {
	each(t, func(h *house) {
		h.list(leakedPassword)
		ann := h.person("ann@example.com", identity.Password)
		for _, who := range []string{"new@example.com", "ann@example.com"} { // held or not
			b := h.browser().begin(login.Beginning{Goal: login.SignUp}).submit(who, leakedPassword).refused("password_breached", login.MissingRequirements)
			if b.view.Rules == nil || len(h.letters(who)) != 0 {
				t.Errorf("%s: rules %v, %d letters", who, b.view.Rules, len(h.letters(who)))
			}
			b.submit(who, freshPassword).want(login.NeedsEmailVerification)
		}
		h.clock.Add(resend)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code).want(login.NeedsNewPassword)
		b.setPassword(leakedPassword).refused("password_breached", login.NeedsNewPassword)
		if h.password(ann) != rightPassword || b.view.Rules == nil || b.view.Breached {
			t.Errorf("%+v", b.view)
		}
		b.setPassword(freshPassword).want(login.Complete)
		if h.password(ann) != freshPassword || len(h.recorded(event.PasswordUnchecked)) != 0 {
			t.Error("the second choice was not taken as it is")
		}
	})
}

func TestARightPasswordThatIsBreachedIsChangedBeforeThereIsASession(t *testing.T) {
	each(t, func(h *house) {
		ann := h.leaky("ann@example.com")
		h.engine.Breaches = nil
		old := h.browser().leakedIn("ann@example.com").want(login.Complete) // when nobody knew of the breach
		h.list(leakedPassword)
		h.clock.Add(time.Minute)

		b := h.browser().leakedIn("ann@example.com").want(login.NeedsNewPassword)
		if !b.view.Breached || b.view.Rules == nil || b.view.SessionID != "" || b.view.Cookie != nil || len(h.recorded(event.SignInSucceeded)) != 1 {
			t.Fatalf("%+v", b.view)
		}
		b.look().want(login.NeedsNewPassword)
		b.setPassword(leakedPassword).refused("password_breached", login.NeedsNewPassword)
		b.setPassword("short").refused("password_too_short", login.NeedsNewPassword)
		if h.password(ann) != leakedPassword || old.session().EndedAt.IsZero() == false {
			t.Error("something changed before the new password was good")
		}
		b.setPassword(freshPassword).want(login.Complete)
		if h.password(ann) != freshPassword || old.session().Alive(h.clock.Now()) || len(h.revoked) != 1 {
			t.Error("the old password or what came of it lives on")
		}
		if s := b.session(); s.User != ann || !s.Alive(h.clock.Now()) {
			t.Errorf("%+v", s)
		}
		h.letter("ann@example.com", message.PasswordChanged)
		if e := h.recorded(event.PasswordChanged); len(e) != 1 || e[0].Detail["by"] != "breach" || e[0].User != string(ann) {
			t.Errorf("%+v", e)
		}
		h.browser().leakedIn("ann@example.com").refused("password_wrong", login.NeedsFirstFactor)
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, freshPassword).want(login.Complete)
	})
}

func TestTheSecondFactorComesBeforeABreachedPasswordIsChanged(t *testing.T) {
	each(t, func(h *house) {
		ann := h.leaky("ann@example.com", identity.TOTP)
		b := h.browser().leakedIn("ann@example.com").want(login.NeedsSecondFactor)
		b.setPassword(freshPassword).refused("not_now", login.NeedsSecondFactor)
		if b.view.Breached || h.password(ann) != leakedPassword {
			t.Fatal("whoever has half of it learned or changed something")
		}
		b.evidence(identity.TOTP).want(login.NeedsNewPassword)
		b.setPassword(freshPassword).want(login.Complete)
	})
}

func TestOnlyARightPasswordIsLookedUpAtSignIn(t *testing.T) {
	each(t, func(h *house) {
		h.person("ann@example.com", identity.Password)
		h.leaky("leaky@example.com")
		l := h.list(leakedPassword, wrongPassword)
		for _, who := range []string{"ann@example.com", "nobody@example.com"} {
			b := h.browser().signIn().identify(who)
			b.prove(identity.Password, wrongPassword).refused("password_wrong", login.NeedsFirstFactor)
			b.prove(identity.Password, leakedPassword).refused("password_wrong", login.NeedsFirstFactor)
		}
		if fine, breached, unknown := l.Counts(); fine+breached+unknown != 0 {
			t.Errorf("looked up %d, %d, %d", fine, breached, unknown)
		}
		h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
		if fine, _, _ := l.Counts(); fine != 1 {
			t.Errorf("looked up %d", fine)
		}
	})
}

func TestWhoProvedABreachedPasswordHasNoSayOnceItWasChanged(t *testing.T) {
	each(t, func(h *house) {
		ann := h.leaky("ann@example.com")
		thief := h.browser().leakedIn("ann@example.com").want(login.NeedsNewPassword)
		h.clock.Add(time.Second)
		owner := h.browser().signIn().identify("ann@example.com").forgot()
		owner.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code)
		owner.setPassword(freshPassword).want(login.Complete)

		thief.setPassword("the thief's own phrase").refused("password_changed", login.NeedsNewPassword)
		if h.password(ann) != freshPassword || thief.view.SessionID != "" || !owner.session().Alive(h.clock.Now()) {
			t.Error("the thief took the account back")
		}
	})
}

// lateHasher lets something happen while a new password is hashed.
type lateHasher struct {
	*counter
	do func()
}

func (l lateHasher) Hash(ctx context.Context, p secret.String) (secret.String, error) {
	l.do()
	return l.counter.Hash(ctx, p)
}

func TestWhoProvedABreachedPasswordLosesTheRaceForTheNewOne(t *testing.T) {
	each(t, func(h *house) {
		ann := h.leaky("ann@example.com")
		thief := h.browser().leakedIn("ann@example.com").want(login.NeedsNewPassword)
		h.clock.Add(time.Second)
		h.engine.Hasher = lateHasher{h.hasher, func() {
			p, err := h.people.Person(h.Context(), ann)
			h.must(err)
			f := p.Factors[0]
			f.Secret, f.CreatedAt = hashOf(freshPassword), h.clock.Now()
			h.must(h.people.SaveFactor(h.Context(), f))
		}}
		thief.setPassword("the thief's own phrase").refused(login.ErrOver.Code, login.Abandoned)
		if h.password(ann) != freshPassword || len(h.recorded(event.SignInSucceeded)) != 0 {
			t.Error("the later one won")
		}
	})
}

func TestAListThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	each(t, func(h *house) {
		ann := h.leaky("ann@example.com")
		l := h.outage()
		h.browser().leakedIn("ann@example.com").want(login.Complete)
		if len(h.recorded(event.PasswordUnchecked)) != 0 {
			t.Error("nothing was chosen, and an event says so")
		}
		h.browser().signUp("new@example.com")
		h.clock.Add(resend)
		b := h.browser().signIn().identify("ann@example.com").forgot()
		b.prove(identity.ResetCode, h.letter("ann@example.com", message.Reset).Code)
		b.setPassword(freshPassword).want(login.Complete)
		e := h.recorded(event.PasswordUnchecked)
		if len(e) != 2 || e[0].User != string(ann) || e[1].User != "" {
			t.Errorf("%+v", e)
		}
		if _, _, unknown := l.Counts(); unknown != 3 {
			t.Errorf("%d unknown", unknown)
		}
	})
}

func TestTheBreachedPasswordDoesNotReplaceItselfWhileTheListIsAway(t *testing.T) {
	each(t, func(h *house) {
		ann := h.leaky("ann@example.com")
		b := h.browser().leakedIn("ann@example.com").want(login.NeedsNewPassword)
		h.outage()
		b.setPassword(leakedPassword).refused("password_breached", login.NeedsNewPassword)
		b.setPassword(freshPassword).want(login.Complete)
		if h.password(ann) != freshPassword {
			t.Error("the new password was not written")
		}
	})
}

func TestABreachedPasswordIsChangedOnThePage(t *testing.T) {
	pages(t, func(s *site) {
		ann := s.leaky("ann@acme.org")
		b := s.browser().get("/sign-up").post("/sign-up", "email", "new@acme.org", "name", "New", "password", leakedPassword)
		b.want(422, `data-error="password_breached"`, "known from a data breach elsewhere").wantNot(leakedPassword)

		b = s.browser().get("/sign-in").post("/sign-in", "do", "sign_in", "identifier", "ann@acme.org", "password", leakedPassword)
		b.follow().want(200, "new-password", "password-rules", "known from a data breach at another service")
		path := regexp.MustCompile(`action="(/sign-in/\w+)/password"`).FindStringSubmatch(b.Page)[1]
		b.get("/sign-in").want(200, "login-identifier") // nobody is signed in yet
		b.post(path+"/password", "password", leakedPassword).want(422, `data-error="password_breached"`, "new-password").wantNot(leakedPassword)
		b.post(path+"/password", "password", freshPassword).want(303, "/account")
		if s.password(ann) != freshPassword {
			t.Error("the new password was not written")
		}
	})
}

func TestABreachedPasswordIsChangedByScript(t *testing.T) {
	each(t, func(h *house) {
		h.leaky("ann@example.com")
		s := newScript(h)
		s.want(201, login.MissingRequirements)(s.call("", `{"goal":"sign_up"}`))
		s.want(422, "")(s.call("submit", fmt.Sprintf(`{"email":"new@example.com","password":%q}`, leakedPassword)))
		s.want(201, login.NeedsIdentifier)(s.call("", `{"goal":"sign_in"}`))
		s.want(200, login.NeedsFirstFactor)(s.call("identify", `{"identifier":"ann@example.com"}`))
		status, v := s.call("prove", fmt.Sprintf(`{"method":"password","answer":%q}`, leakedPassword))
		s.want(200, login.NeedsNewPassword)(status, v)
		if v["breached"] != true || v["password_rules"] == nil || v["session_id"] != nil {
			t.Errorf("%v", v)
		}
		s.want(401, "")(s.get("/who"))
		status, v = s.call("password", fmt.Sprintf(`{"password":%q}`, leakedPassword))
		if status != 422 || v["code"] != "password_breached" && !strings.Contains(fmt.Sprint(v), "password_breached") {
			t.Errorf("%d %v", status, v)
		}
		s.want(200, login.Complete)(s.call("password", fmt.Sprintf(`{"password":%q}`, freshPassword)))
		s.want(200, "")(s.get("/who"))
	})
}
