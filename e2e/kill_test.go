package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// rounds is how often idp is killed on each engine: 20 times in the tests, more in
// `make torture`.
func rounds(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("IDP_TEST_KILLS"))
	switch {
	case err == nil && n > 0:
		return n
	case testing.Short():
		return 3
	}
	t.Log("20 rounds; make torture does 200")
	return 20
}

// together is how many requests are under way when the process dies.
const together = 8

// victim is an instance whose process is killed again and again.
type victim struct {
	*instance
	process  *process
	rp       *relyingParty
	db       *database
	browsers []*browser // one per person, signed in
	families []string   // a refresh token for each
	newcomer int        // addresses used so far
	seen     tally
}

// tally says what the kills met, so that a green run can be seen to have hit something.
type tally struct{ Kills, Cut, Answered, Unspent, Spent int }

func TestAKillAtAnyMomentLosesAndDoublesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		// Everybody comes from one network, and whoever is cut off leaves a mail unanswered.
		i.env = append(i.env, "IDP_LIMITS_NETWORK_MESSAGES=100000", "IDP_LIMITS_NETWORK_FAILURES=100000")
		v := newVictim(t, i)
		n := rounds(t)
		for round := range n {
			switch round % 3 {
			case 0:
				v.killDuringExchange(t)
			case 1:
				v.killDuringRefresh(t)
			case 2:
				v.killDuringSignUp(t)
			}
			v.check(t)
			if t.Failed() {
				t.Fatalf("in round %d of %d", round+1, n)
			}
		}
		t.Logf("%d kills: %d requests cut off, %d answered before; of the codes sent again %d were unspent, %d spent",
			v.seen.Kills, v.seen.Cut, v.seen.Answered, v.seen.Unspent, v.seen.Spent)
		if n >= 20 && v.seen.Cut == 0 {
			t.Error("no kill hit anything: the test proves nothing")
		}
	})
}

func newVictim(t *testing.T, i *instance) *victim {
	v := &victim{instance: i, process: i.Start()}
	v.rp = newRelyingParty(t, i, i.Client("--name", "Acme", "--redirect-uri", callback, "--first-party"), oidc.ScopeOfflineAccess)
	v.db = i.open()
	for k := range together {
		email := fmt.Sprintf("person%d@example.com", k)
		i.Person(email, good)
		b := newBrowser(t, i.Issuer)
		r, code := codeFor(b, v.rp, email)
		tok, err := v.rp.exchange(r, code)
		if err != nil {
			t.Fatal(err)
		}
		v.browsers, v.families = append(v.browsers, b), append(v.families, tok.RefreshToken)
	}
	return v
}

// strike sends all requests, kills the process a random 1 to 50 ms later, starts it
// again, and returns what each request got: an answer, or an error because it was cut.
func (v *victim) strike(send func(k int) (answer, error)) []result {
	results := make([]result, together)
	var done sync.WaitGroup
	for k := range together {
		done.Go(func() { results[k].answer, results[k].err = send(k) })
	}
	time.Sleep(time.Duration(1000+rand.IntN(49_000)) * time.Microsecond)
	v.process.Kill()
	done.Wait()
	v.process = v.Start()
	v.seen.Kills++
	for _, r := range results {
		if r.err != nil {
			v.seen.Cut++
		} else {
			v.seen.Answered++
		}
	}
	return results
}

type result struct {
	answer
	err error
}

func send(req *http.Request) (answer, error) { return sendBy(http.DefaultTransport, req) }

func sendBy(transport http.RoundTripper, req *http.Request) (answer, error) {
	res, err := transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	var a answer
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		return a, err
	}
	a.Status = res.StatusCode
	return a, nil
}

// ask is send where an answer is due: the process runs.
func (v *victim) ask(t *testing.T, form url.Values) answer {
	t.Helper()
	a, err := send(v.rp.tokenRequest(v.process.URL, form))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (v *victim) killDuringExchange(t *testing.T) {
	forms := make([]url.Values, together)
	for k, b := range v.browsers {
		r, code := codeFor(b, v.rp, fmt.Sprintf("person%d@example.com", k))
		forms[k] = exchangeForm(r, code)
	}
	for k, got := range v.strike(func(k int) (answer, error) { return send(v.rp.tokenRequest(v.process.URL, forms[k])) }) {
		if got.err == nil {
			if got.Status != 200 {
				t.Errorf("the exchange answered %d %s", got.Status, got.Error)
			} else if a := v.ask(t, refreshForm(got.Refresh)); a.Status != 200 {
				t.Errorf("tokens were handed out before the crash and are gone after it: %d %s", a.Status, a.Error)
			}
			continue
		}
		switch again := v.ask(t, forms[k]); {
		case again.Status == 200:
			v.seen.Unspent++
		case again.Error == "invalid_grant":
			v.seen.Spent++
		default:
			t.Errorf("a code whose answer was cut off got %d %s", again.Status, again.Error)
		}
	}
}

func (v *victim) killDuringRefresh(t *testing.T) {
	struck := time.Now()
	results := v.strike(func(k int) (answer, error) { return send(v.rp.tokenRequest(v.process.URL, refreshForm(v.families[k]))) })
	if took := time.Since(struck); took > 9*time.Second {
		t.Fatalf("idp needed %s to come back: longer than a lost answer may be asked for again", took)
	}
	for k, got := range results {
		next := v.families[k]
		if got.err == nil {
			if got.Status != 200 {
				t.Errorf("refreshing answered %d %s", got.Status, got.Error)
			}
			next = got.Refresh
		}
		again := v.ask(t, refreshForm(next))
		if again.Status != 200 {
			t.Errorf("one crash signed a client out: %d %s (answer cut off: %v)", again.Status, again.Error, got.err)
			continue
		}
		v.families[k] = again.Refresh
	}
}

func (v *victim) killDuringSignUp(t *testing.T) {
	type newcomer struct {
		email   string
		browser *browser
		press   *http.Request
	}
	all := make([]newcomer, together)
	for k := range together {
		v.newcomer++
		email := fmt.Sprintf("newcomer%d@example.com", v.newcomer)
		b := newBrowser(t, v.Issuer)
		b.Get("/sign-up").Fill("Email address", email).Fill("Password", good).Press("Sign up")
		b.Fill("Code", v.process.code(email))
		all[k] = newcomer{email, b, b.submission("Continue")}
	}
	results := v.strike(func(k int) (answer, error) {
		err := all[k].browser.do(all[k].press)
		return answer{Status: all[k].browser.Status}, err
	})
	for k, n := range all {
		on := v.db.count("SELECT COUNT(*) FROM holdings WHERE value = '" + n.email + "'")
		if results[k].err == nil && results[k].Status == 200 && on != 1 {
			t.Errorf("%s was told that all is well, and is on file %d times", n.email, on)
		}
		b := newBrowser(t, v.Issuer)
		if on == 0 { // it never happened: the same code still works in the same browser
			body := bodyAgain(n.press)
			if err := n.browser.do(body); err != nil || n.browser.Status != 200 {
				t.Errorf("trying again answered %d, %v:\n%s", n.browser.Status, err, n.browser.Text())
			}
		}
		if signIn(b.Get("/sign-in"), n.email, good); b.Status != 200 || b.URL.Path != "/account" {
			t.Errorf("%s cannot sign in (on file before trying again: %d): %s %d\n%s", n.email, on, b.URL, b.Status, b.Text())
		}
	}
}

// bodyAgain is the same request once more.
func bodyAgain(r *http.Request) *http.Request {
	c := r.Clone(r.Context())
	c.Header.Del("Cookie") // the jar adds it anew
	c.Body, _ = r.GetBody()
	return c
}

// check asks the database what must never be true, whatever happened.
func (v *victim) check(t *testing.T) {
	t.Helper()
	for never, query := range map[string]string{
		"two families of one code":                      "SELECT COUNT(*) FROM (SELECT code FROM authorizations GROUP BY code HAVING COUNT(*) > 1) x",
		"an access token without its authorization":     "SELECT COUNT(*) FROM tokens WHERE authorization_id IS NOT NULL AND authorization_id NOT IN (SELECT id FROM authorizations)",
		"an access token of a code nobody exchanged":    "SELECT COUNT(*) FROM tokens t JOIN authorizations a ON a.id = t.authorization_id WHERE a.redeemed_at IS NULL",
		"an exchanged code without an access token":     "SELECT COUNT(*) FROM authorizations a WHERE redeemed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.authorization_id = a.id)",
		"a person without a proven address":             "SELECT COUNT(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM holdings h WHERE h.user_id = u.id AND h.verified_at IS NOT NULL)",
		"a person without a password":                   "SELECT COUNT(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id AND f.method = 'password')",
		"an address held by two":                        "SELECT COUNT(*) FROM (SELECT value FROM holdings WHERE verified_at IS NOT NULL GROUP BY value HAVING COUNT(*) > 1) x",
		"a person whose coming left no trace":           "SELECT COUNT(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.user_id = u.id AND e.kind = 'user.created')",
		"a session of nobody":                           "SELECT COUNT(*) FROM sessions WHERE user_id NOT IN (SELECT id FROM users)",
		"a password, address or session left by itself": "SELECT COUNT(*) FROM factors WHERE user_id NOT IN (SELECT id FROM users)",
	} {
		if n := v.db.count(query); n != 0 {
			t.Errorf("%s: %d times", never, n)
		}
	}
}
