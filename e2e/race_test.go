package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
)

// answer is what one of many racers got.
type answer struct {
	Status  int    `json:"-"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
}

// race sends n requests at the same moment and returns all answers.
func race(t *testing.T, n int, request func(k int) *http.Request) []answer {
	t.Helper()
	answers, requests := make([]answer, n), make([]*http.Request, n)
	for k := range n {
		requests[k] = request(k)
	}
	var gate, done sync.WaitGroup
	gate.Add(1)
	for k := range n {
		done.Go(func() {
			gate.Wait()
			res, err := http.DefaultTransport.RoundTrip(requests[k])
			if err != nil {
				t.Errorf("request %d: %v", k, err)
				return
			}
			defer res.Body.Close()
			_ = json.NewDecoder(res.Body).Decode(&answers[k]) // pages are no JSON
			answers[k].Status = res.StatusCode
		})
	}
	gate.Done()
	done.Wait()
	for _, a := range answers {
		if a.Status >= 500 {
			t.Errorf("a racer got %d %s", a.Status, a.Error)
		}
	}
	return answers
}

// two are two processes of one instance, and a relying party and a person known to both.
type two struct {
	*instance
	processes [2]*process
	rp        *relyingParty
	browser   *browser
}

const racer = "racer@example.com"

func newTwo(t *testing.T, i *instance) two {
	first := i.Start()
	w := two{instance: i, processes: [2]*process{first, i.StartAnother()}}
	w.rp = newRelyingParty(t, i, i.Client("--name", "Acme", "--redirect-uri", callback, "--first-party"), oidc.ScopeOfflineAccess)
	i.Person(racer, good)
	w.browser = newBrowser(t, i.Issuer)
	return w
}

// codeFor signs the person in, or finds them signed in, and returns a fresh code.
func codeFor(b *browser, rp *relyingParty, email string) (request, string) {
	rp.t.Helper()
	r := rp.begin()
	if b.Get(r.url); b.Left == nil {
		signIn(b, email, good)
	}
	return r, rp.code(r, b.Left)
}

// tokenRequest asks the process at base for tokens.
func (rp *relyingParty) tokenRequest(base string, form url.Values) *http.Request {
	rp.t.Helper()
	at, err := url.Parse(rp.config.Endpoint.TokenURL)
	if err != nil {
		rp.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, base+at.Path, strings.NewReader(form.Encode()))
	if err != nil {
		rp.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(rp.client.ID), url.QueryEscape(rp.client.Secret))
	return req
}

func exchangeForm(r request, code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {r.verifier}}
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

func count(answers []answer, status int) (n int) {
	for _, a := range answers {
		if a.Status == status {
			n++
		}
	}
	return n
}

func TestOneCodeGivesTokensOnceHoweverManyAskBothProcesses(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		w := newTwo(t, i)
		for range 3 {
			r, code := codeFor(w.browser, w.rp, racer)
			answers := race(t, 40, func(k int) *http.Request {
				return w.rp.tokenRequest(w.processes[k%2].URL, exchangeForm(r, code))
			})
			if n := count(answers, 200); n != 1 {
				t.Fatalf("%d of 40 got tokens", n)
			}
			for _, a := range answers {
				if a.Status != 200 && (a.Status != 400 || a.Error != "invalid_grant") {
					t.Errorf("a loser got %d %s", a.Status, a.Error)
				}
			}
		}
	})
}

func TestOneRefreshTokenHasOneSuccessorHoweverManyAskBothProcesses(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		w := newTwo(t, i)
		r, code := codeFor(w.browser, w.rp, racer)
		tok, err := w.rp.exchange(r, code)
		if err != nil {
			t.Fatal(err)
		}
		current := tok.RefreshToken
		for range 3 {
			answers := race(t, 40, func(k int) *http.Request {
				return w.rp.tokenRequest(w.processes[k%2].URL, refreshForm(current))
			})
			next := ""
			for _, a := range answers {
				if a.Status != 200 {
					t.Fatalf("a client that asked twice by accident was refused: %d %s", a.Status, a.Error)
				}
				if next == "" {
					next = a.Refresh
				}
				if a.Refresh != next || a.Refresh == current {
					t.Fatal("the family forked: two successors of one refresh token")
				}
			}
			current = next
		}
		// The one before the direct predecessor is theft, whichever process hears of it.
		old := race(t, 1, func(int) *http.Request {
			return w.rp.tokenRequest(w.processes[1].URL, refreshForm(tok.RefreshToken))
		})
		if old[0].Error != "invalid_grant" {
			t.Errorf("an old refresh token got %+v", old[0])
		}
		for k, p := range w.processes {
			if a := race(t, 1, func(int) *http.Request { return w.rp.tokenRequest(p.URL, refreshForm(current)) }); a[0].Error != "invalid_grant" {
				t.Errorf("process %d still serves a family that was stolen from: %+v", k, a[0])
			}
		}
	})
}

func TestOneMailedCodeSignsInOnceHoweverManyTypeIt(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		w := newTwo(t, i)
		b := newBrowser(t, i.Issuer)
		b.Get("/sign-up").Fill("Email address", "new@example.com")
		if strings.Contains(b.Body, `type="password"`) {
			b.Fill("Password", good)
		}
		b.Press("Sign up").Fill("Code", w.processes[0].code("new@example.com"))
		form := b.submission("Continue")
		body, cookies := bodyOf(t, form), b.http.Jar.Cookies(form.URL)
		answers := race(t, 20, func(k int) *http.Request {
			req, _ := http.NewRequest(form.Method, w.processes[k%2].URL+form.URL.RequestURI(), strings.NewReader(body))
			req.Header, req.Host = form.Header.Clone(), form.URL.Host
			for _, c := range cookies {
				req.AddCookie(c)
			}
			return req
		})
		_ = answers // whoever lost is shown where the winner got: what counts is what was made
		db := i.open()
		if n := db.count("SELECT COUNT(*) FROM holdings WHERE value = 'new@example.com'"); n != 1 {
			t.Errorf("%d addresses were written", n)
		}
		if n := db.count("SELECT COUNT(*) FROM users"); n != 2 {
			t.Errorf("there are %d people, want the racer and the newcomer", n)
		}
		if n := db.count("SELECT COUNT(*) FROM sessions WHERE user_id IN (SELECT user_id FROM holdings WHERE value = 'new@example.com')"); n != 1 {
			t.Errorf("%d sessions came of one code", n)
		}
	})
}

func TestBothProcessesKnowAtOnceWhatOneOfThemDid(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		w := newTwo(t, i)
		// The other process knows a client that was made a moment ago, and signs with the same keys.
		r, code := codeFor(w.browser, w.rp, racer)
		got := race(t, 1, func(int) *http.Request { return w.rp.tokenRequest(w.processes[1].URL, exchangeForm(r, code)) })
		if got[0].Status != 200 {
			t.Fatalf("the other process answered %+v", got[0])
		}
		// Somebody banned is out everywhere at the next request.
		i.CLI("", "user", "ban", racer)
		for k, p := range w.processes {
			a := race(t, 1, func(int) *http.Request { return w.rp.tokenRequest(p.URL, refreshForm(got[0].Refresh)) })
			if a[0].Error != "invalid_grant" {
				t.Errorf("process %d refreshes for somebody who is banned: %+v", k, a[0])
			}
		}
	})
}
