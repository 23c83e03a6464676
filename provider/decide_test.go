package provider

import (
	"slices"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/login"
	"idp/session"
)

var dusk = time.Date(2026, 1, 15, 18, 0, 0, 0, time.UTC)

// known is how the client of these tests knows people: not as we do.
func known(u identity.UserID) string { return "pairwise of " + string(u) }

func sessionOf(user string, age time.Duration, proofs ...identity.Category) session.Session {
	at := dusk.Add(-age)
	one := session.Session{
		ID: session.ID("session_" + user), User: identity.UserID(user), AuthTime: at, CreatedAt: at, LastActiveAt: at,
		ExpiresAt: at.Add(24 * time.Hour), Idle: 24 * time.Hour,
	}
	for _, c := range proofs {
		one.Proofs = append(one.Proofs, identity.Proof{Category: c, At: at})
	}
	return one
}

// every calls f with each combination of what a request and its situation can be.
func every(f func(a asked, s situation)) {
	hour, zero := time.Hour, time.Duration(0)
	ann, bob := sessionOf("ann", 30*time.Minute, identity.Knowledge), sessionOf("bob", -time.Second, identity.Knowledge, identity.Possession)
	stale := sessionOf("old", 3*time.Hour, identity.Knowledge)
	subjectSets := [][][]string{
		nil, {{"pairwise of ann"}}, {{"pairwise of bob"}}, {{"ann"}}, {{"pairwise of ann"}, {"pairwise of bob", "pairwise of ann"}},
		{{"pairwise of ann"}, {"pairwise of bob"}},
	}
	promptSets := [][]string{nil, {promptNone}, {promptLogin}, {promptConsent}, {promptSelect}, {promptCreate}, {promptLogin, promptConsent}}
	sessionSets := [][]session.Session{nil, {ann}, {bob}, {stale}, {ann, bob}, {stale, ann}}
	clients := []struct {
		Client
		redirect string
	}{
		{Client{Type: Web, FirstParty: true}, "https://rp/cb"}, {Client{Type: Web}, "https://rp/cb"},
		{Client{Type: Native, AuthMethod: authNone, FirstParty: true}, "com.example.app:/cb"},
		{Client{Type: SPA, AuthMethod: authNone}, "http://127.0.0.1:1/cb"},
	}
	for _, prompts := range promptSets {
		for _, sessions := range sessionSets {
			for _, c := range clients {
				for _, age := range []*time.Duration{nil, &hour, &zero} {
					for _, subjects := range subjectSets {
						for _, chosen := range []session.ID{"", "session_ann", "session_bob", "session_gone"} {
							for _, answer := range []login.Answer{login.Unanswered, login.Allowed, login.Denied} {
								for _, granted := range []bool{false, true} {
									var takes session.Need
									if len(subjects) > 1 || age == &hour {
										takes.Categories = identity.Both
									}
									a := asked{client: c.Client, redirect: c.redirect, prompts: prompts, maxAge: age, subjects: subjects, takes: takes}
									a.RequestedAt = dusk.Add(-time.Minute)
									s := situation{sessions: sessions, now: dusk, subject: known, ask: login.Ask{Chosen: chosen, Answer: answer, Answered: chosen}}
									if chosen == "" {
										s.ask.Answer = login.Unanswered
									}
									if len(sessions) > 0 {
										s.inUse = sessions[0].ID
									}
									s.granted = func(session.Session) (bool, error) { return granted, nil }
									f(a, s)
								}
							}
						}
					}
				}
			}
		}
	}
}

func TestNoCodeIsIssuedUnlessEverythingOwedWasGiven(t *testing.T) {
	issued, states := 0, 0
	every(func(a asked, s situation) {
		states++
		v, err := decide(a, s)
		if err != nil {
			t.Fatal(err)
		}
		if v.step != issue {
			return
		}
		issued++
		one, said := v.session, s.ask.Answer == login.Allowed && s.ask.Answered == v.session.ID
		granted, _ := s.granted(one)
		switch {
		case !slices.ContainsFunc(s.sessions, func(x session.Session) bool { return x.ID == one.ID }):
			t.Errorf("a session that is not there: %+v", v)
		case s.ask.Answer == login.Denied && s.ask.Answered == one.ID:
			t.Errorf("the person said no: %+v", a)
		case len(a.subjects) > 0 && !slices.Contains(a.subjects[0], "pairwise of "+string(one.User)):
			t.Errorf("wanted %v, code of %s", a.subjects, one.User)
		case len(a.subjects) > 1 && !slices.Contains(a.subjects[1], "pairwise of "+string(one.User)):
			t.Errorf("wanted %v too, code of %s", a.subjects, one.User)
		case a.takes.Categories == identity.Both && one.User != "bob":
			t.Errorf("two categories were demanded, and %s showed one", one.User)
		case s.ask.Chosen != "" && one.ID != s.ask.Chosen:
			t.Errorf("%s was chosen, code of %s", s.ask.Chosen, one.ID)
		case s.ask.Chosen == "" && a.prompt(promptSelect):
			t.Error("nobody was asked which account")
		case s.ask.Chosen == "" && len(a.subjects) == 0 && len(s.sessions) > 1 && !a.prompt(promptNone):
			t.Error("one of two accounts was taken unasked")
		case a.maxAge != nil && s.now.Sub(one.AuthTime) > *a.maxAge && one.AuthTime.Before(a.RequestedAt):
			t.Errorf("signed in %s ago, max_age %s", s.now.Sub(one.AuthTime), *a.maxAge)
		case (a.prompt(promptLogin) || a.prompt(promptCreate)) && one.AuthTime.Before(a.RequestedAt):
			t.Error("nobody proved themselves anew")
		case a.prompt(promptConsent) && !said:
			t.Error("nobody was asked")
		case !granted && (said || !a.client.FirstParty):
			t.Error("without consent, or after it was taken back")
		case a.client.Public() && a.client.Type == Native && !said:
			t.Error("an app that others can impersonate was let in unasked")
		}
	})
	if issued < 100 || issued == states {
		t.Fatalf("%d codes of %d: this test looks at nothing", issued, states)
	}
}

func TestPromptNoneNeverShowsAPage(t *testing.T) {
	codes := map[string]int{}
	every(func(a asked, s situation) {
		v, err := decide(a, s)
		if err != nil {
			t.Fatal(err)
		}
		if v.step == refuse && said[v.code] == "" {
			t.Errorf("error %q has no description", v.code)
		}
		if a.prompt(promptNone) {
			if v.step != issue && v.step != refuse {
				t.Errorf("sent to %s", v.step)
			}
			codes[v.code]++
		}
	})
	if codes["login_required"] == 0 || codes["consent_required"] == 0 || codes["account_selection_required"] == 0 && codes[""] == 0 {
		t.Errorf("errors seen: %v", codes)
	}
}

func TestWhoeverAnswersEachPageGetsThrough(t *testing.T) {
	every(func(a asked, s situation) {
		if a.prompt(promptNone) {
			return
		}
		seen := []step{}
		for range 6 {
			v, err := decide(a, s)
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, v.step)
			switch v.step {
			case issue, refuse:
				return
			case signIn, signUp, choose: // somebody fresh answers
				user := "new"
				if len(a.subjects) > 0 {
					user = strings.TrimPrefix(a.subjects[0][0], "pairwise of ")
				}
				fresh := sessionOf(user, 0, identity.Knowledge, identity.Possession)
				s.sessions = append([]session.Session{fresh}, slices.DeleteFunc(slices.Clone(s.sessions), func(x session.Session) bool { return x.ID == fresh.ID })...)
				s.ask.Chosen = fresh.ID
			case agree:
				s.ask.Chosen, s.ask.Answer, s.ask.Answered = v.session.ID, login.Allowed, v.session.ID
				s.granted = func(session.Session) (bool, error) { return true, nil }
			}
		}
		t.Errorf("still going round after %v", seen)
	})
}
