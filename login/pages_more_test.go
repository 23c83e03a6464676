package login_test

import (
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
)

// demands parks a request of an app that wants more of the session that the browser has.
func (b *tab) demands(need session.Need) (login.Ask, session.Session) {
	b.site.Helper()
	ask := b.wait()
	all, err := b.sessions.OnBrowser(b.Context(), ask.Browser)
	b.must(err)
	if len(all) != 1 {
		b.Fatalf("%d sessions on the browser", len(all))
	}
	ask.Need, ask.Chosen = need, all[0].ID
	b.must(b.store.SaveAsk(b.Context(), ask))
	return ask, all[0]
}

var twoSteps = session.Need{Categories: identity.Both}

// inside is a browser on which somebody signed in with a password, and who set up an app since.
func (s *site) insideWithApp(mail string) *tab {
	s.Helper()
	u := s.person(mail, identity.Password)
	b := s.browser()
	b.get("/sign-in").post("/sign-in", "identifier", mail, "password", rightPassword).want(303)
	s.must(s.people.SaveFactor(s.Context(), identity.Factor{
		ID: identity.FactorID(secret.NewID("factor")), UserID: u, Method: identity.TOTP, Secret: secret.NewString(seed), CreatedAt: s.clock.Now(),
	}))
	return b
}

func TestAnAppThatWantsTwoStepsIsAnsweredByTheOneThatIsMissing(t *testing.T) {
	pages(t, func(s *site) {
		b := s.insideWithApp("ann@acme.org")
		ask, before := b.demands(twoSteps)
		s.clock.Add(5 * time.Minute)
		b.get("/sign-in?ask="+string(ask.ID)).want(303, "/sign-in/")
		at := b.To
		b.follow().want(200, `name="code"`).wantNot(`name="identifier"`, `name="password"`)
		b.post(at+"/prove", "method", "totp", "code", s.code(seed, 0)).want(303, "/oauth2/resume?ask="+string(ask.ID))
		after, err := s.sessions.Session(s.Context(), before.ID)
		s.must(err)
		if !after.Satisfies(twoSteps, s.clock.Now()) || !after.AuthTime.Equal(s.clock.Now()) || identity.ACR(after.Proofs) != identity.AAL2 {
			t.Errorf("the same session proves %+v since %s", after.Proofs, after.AuthTime)
		}
	})
}

func TestWhatWasShownLongAgoIsShownAgainBeforeTheSecondStep(t *testing.T) {
	pages(t, func(s *site) {
		b := s.insideWithApp("ann@acme.org")
		ask, _ := b.demands(twoSteps)
		s.clock.Add(11 * time.Minute)
		b.get("/sign-in?ask=" + string(ask.ID))
		at := b.To
		b.follow().want(200, `name="password"`).wantNot(`name="identifier"`)
		b.post(at+"/prove", "method", "totp", "code", s.code(seed, 0)).want(422)
		b.post(at+"/prove", "method", "password", "password", rightPassword).follow().want(200, `name="code"`)
	})
}

func TestWhoHasNoSecondFactorSetsOneUpOnTheWayToTheApp(t *testing.T) {
	pages(t, func(s *site) {
		ann := s.person("ann@acme.org", identity.Password)
		b := s.browser()
		b.get("/sign-in").post("/sign-in", "identifier", "ann@acme.org", "password", rightPassword).want(303)
		ask, _ := b.demands(twoSteps)
		b.get("/sign-in?ask=" + string(ask.ID))
		at := b.To
		b.follow().want(200, `value="totp"`)
		b.post(at+"/enroll", "method", "totp").follow().want(200)
		id := login.AttemptID(at[strings.LastIndex(at, "/")+1:])
		a, err := s.store.Attempt(s.Context(), id)
		s.must(err)
		b.post(at+"/confirm", "code", s.code(a.Draft.Factor.Secret.Reveal(), 0))
		if got := s.factors(ann, identity.TOTP); len(got) != 1 {
			t.Errorf("on file are %+v", got)
		}
		all, err := s.sessions.OnBrowser(s.Context(), ask.Browser)
		s.must(err)
		if len(all) != 1 || !all[0].Satisfies(twoSteps, s.clock.Now()) {
			t.Errorf("sessions %+v", all)
		}
	})
}

func TestWhoTurnsBackFromAStepUpGoesBackToTheApp(t *testing.T) {
	pages(t, func(s *site) {
		b := s.insideWithApp("ann@acme.org")
		ask, _ := b.demands(twoSteps)
		b.get("/sign-in?ask=" + string(ask.ID))
		at := b.To
		b.follow().want(200).post(at+"/cancel").want(303, "/oauth2/resume?ask="+string(ask.ID))
		kept, err := s.store.Ask(s.Context(), ask.ID)
		s.must(err)
		if kept.Answer != login.Denied {
			t.Errorf("the app is told %q", kept.Answer)
		}
	})
}

func TestOnlyWhatIsMissingIsAskedWithinASession(t *testing.T) {
	pages(t, func(s *site) {
		b := s.insideWithApp("ann@acme.org")
		age := time.Minute
		for why, need := range map[string]session.Need{
			"a proof of now":            {Categories: identity.Both, Anew: true, RequestedAt: s.clock.Now().Add(time.Second)},
			"a younger proof":           {Categories: identity.Both, MaxAge: &age},
			"nothing that it lacks":     {Categories: identity.Knowledge},
			"nothing":                   {},
			"a younger proof, no steps": {MaxAge: &age},
		} {
			if need.MaxAge != nil {
				s.clock.Add(2 * time.Minute)
			}
			ask, _ := b.demands(need)
			if b.get("/sign-in?ask=" + string(ask.ID)); b.Status != 200 || !strings.Contains(b.Page, `name="identifier"`) {
				t.Errorf("%s: %d", why, b.Status)
			}
		}
		ask, _ := b.demands(twoSteps)
		b.get("/sign-in?add=1&ask="+string(ask.ID)).want(200, `name="identifier"`) // somebody else
	})
}
