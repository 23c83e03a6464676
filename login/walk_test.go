package login_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"idp/identity"
	"idp/internal/problem"
	"idp/login"
	"idp/login/prover"
)

// walker does what comes to mind to one browser of a real engine: right and wrong
// answers, old codes, other people's names, steps out of turn.
type walker struct {
	*browser
	dice  *rand.Rand
	names []string
	codes []string // whatever was ever mailed
	log   []string
}

func (w *walker) one(of []string) string {
	if len(of) == 0 {
		return "000000"
	}
	return of[w.dice.IntN(len(of))]
}

func (w *walker) step() {
	methods := []identity.Method{identity.Password, identity.EmailCode, identity.EmailLink, identity.ResetCode, identity.TOTP, identity.PhoneCode}
	m := methods[w.dice.IntN(len(methods))]
	name := w.one(w.names)
	w.clock.Add(login.ResendAfter)
	n := w.dice.IntN(15)
	if w.dice.IntN(3) == 0 { // what a sensible person would do here
		switch w.view.Step {
		case login.MissingRequirements:
			n = 2
		case login.NeedsIdentifier:
			n = 3
		case login.NeedsNewPassword:
			n = 7
		case login.NeedsSecondFactor:
			n = 14
		}
	}
	switch n {
	case 0:
		w.note("start to sign in")
		w.signIn()
	case 1:
		w.note("start to sign up")
		w.begin(login.Beginning{Goal: login.SignUp})
	case 2:
		w.note("submit " + name)
		w.submit(name, rightPassword)
	case 3, 4:
		w.note("identify " + name)
		w.identify(name)
	case 5:
		w.note("prepare " + string(m))
		w.prepare(m)
	case 6:
		w.note("forgot")
		w.forgot()
	case 7:
		w.note("set password")
		w.setPassword("walked to a new phrase")
	case 8:
		w.note("wrong password")
		w.prove(identity.Password, wrongPassword)
	case 9:
		w.note("right password")
		w.prove(identity.Password, rightPassword)
		if w.view.Identifier == "leaky@example.com" {
			w.note("leaked password")
			w.prove(identity.Password, leakedPassword)
		}
	case 10:
		w.note("some old code by " + string(m))
		w.prove(m, w.one(w.codes))
	case 11, 12, 13: // the newest code where it is asked for
		if l := w.letters(w.view.Identifier); len(l) > 0 {
			for _, m := range []identity.Method{identity.EmailCode, identity.ResetCode} {
				w.note("newest code by " + string(m))
				if w.prove(m, l[0].Code); w.err == nil {
					break
				}
			}
		}
	case 14:
		if w.view.Step == login.NeedsSecondFactor {
			w.note("show the app")
			w.evidence(identity.TOTP)
		}
	}
	if l := w.letters(""); len(l) > 0 && l[0].Code != "" {
		w.codes = append(w.codes, l[0].Code, tokenOf(l[0].Link))
	}
}

func (w *walker) note(s string) { w.log = append(w.log, s) }

// TestNoWalkThroughTheRealEngineEndsWhereItShouldNot judges what the database holds after
// each step, by the oracle's own table.
func TestNoWalkThroughTheRealEngineEndsWhereItShouldNot(t *testing.T) {
	sessions, steps := 0, map[login.Step]int{}
	for seed := range uint64(12) {
		h := newHouse(t, openSQLite(t))
		h.engine.Limits = login.Limits{Passwords: 1e6, Codes: 1e6, Messages: 1e6, NetworkFailures: 1e6, NetworkMessages: 1e6}
		h.settings.EmailCode, h.settings.EmailLink, h.settings.Password = seed%2 == 0, seed%3 == 0, seed%4 != 3 || seed%2 == 1
		twoStep := h.person("twostep@example.com", identity.Password, identity.TOTP)
		h.person("plain@example.com", identity.Password)
		banned := h.person("banned@example.com", identity.Password)
		h.ban(banned)
		leaky := h.leaky("leaky@example.com")
		w := &walker{browser: h.browser(), dice: rand.New(rand.NewPCG(seed, 7)),
			names: []string{"twostep@example.com", "plain@example.com", "banned@example.com", "leaky@example.com", "nobody@example.com", fmt.Sprintf("new%d@example.com", seed)}}
		w.signIn()
		for range 180 {
			w.step()
			steps[w.view.Step]++
			if w.err != nil && !anyProblem(w.err) {
				t.Fatalf("seed %d: %v after %q", seed, w.err, w.log)
			}
			if (w.view.Step == login.Complete) != (w.view.SessionID != "") || w.view.Step == login.Ready {
				t.Fatalf("seed %d: a screen shows %+v after %q", seed, w.view, w.log)
			}
			all, err := h.sessions.OnBrowser(h.Context(), w.jar.ID)
			h.must(err)
			for _, s := range all {
				covered := 0
				for _, p := range s.Proofs {
					covered |= prover.Proves(p.Method)
				}
				if s.User == leaky && slices.ContainsFunc(s.Proofs, byPassword) && h.password(leaky) == leakedPassword {
					t.Fatalf("seed %d: a breached password was kept after %q", seed, w.log)
				}
				if covered == 0 || s.User == twoStep && covered != prover.Knows|prover.Has || s.User == banned {
					t.Fatalf("seed %d: session of %s with %+v after %q", seed, s.User, s.Proofs, w.log)
				}
			}
			if w.view.Step == login.Complete {
				sessions++
				w.log = nil
				w.signIn()
			}
		}
	}
	if sessions < 30 || steps[login.NeedsSecondFactor] < 15 || steps[login.NeedsNewPassword] < 8 {
		t.Errorf("the walks made %d sessions and saw %v: they do not get around", sessions, steps)
	}
}

func byPassword(p identity.Proof) bool { return p.Method == identity.Password }

func anyProblem(err error) bool {
	for _, k := range []problem.Kind{problem.Invalid, problem.Conflict, problem.Gone, problem.Forbidden, problem.TooMany} {
		if problem.Is(err, k) {
			return true
		}
	}
	return false
}
