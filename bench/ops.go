package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// session is one operation's view of the server: its endpoints, and what has
// been prepared for each worker.
type session struct {
	*config
	rt       http.RoundTripper
	api      *http.Client
	requests atomic.Int64
	meta     metadata

	finite bool // the operation uses up supply, and ends when it is gone
	supply int
}

type metadata struct {
	Authorize  string `json:"authorization_endpoint"`
	Token      string `json:"token_endpoint"`
	Introspect string `json:"introspection_endpoint"`
	UserInfo   string `json:"userinfo_endpoint"`
	JWKS       string `json:"jwks_uri"`
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

// operation prepares what it needs and returns the function that is timed.
type operation func(*session) (func(worker int) error, error)

var operations = []struct {
	name string
	op   operation
}{
	{"get", opGet},               // GET -target
	{"discovery", opDiscovery},   // GET the discovery document
	{"jwks", opJWKS},             // GET the key set
	{"cc", opCC},                 // client_credentials grant
	{"code", opCode},             // authorization code + PKCE, browser already logged in
	{"login", opLogin},           // the same with a new browser: password typed each time
	{"exchange", opExchange},     // code to tokens alone; codes are minted ahead
	{"refresh", opRefresh},       // refresh_token grant, rotating
	{"introspect", opIntrospect}, // introspection of an access token
	{"userinfo", opUserInfo},     // userinfo with an access token
	{"mint", opMint},             // a session token, browser signed in
	{"template", opTemplate},     // a token from a template
}

func opNames() (names []string) {
	for _, o := range operations {
		names = append(names, o.name)
	}
	return names
}

func (s *session) prepare(name string) (func(int) error, error) {
	for _, o := range operations {
		if o.name == name {
			return o.op(s)
		}
	}
	return nil, errors.New("unknown operation")
}

func newSession(c *config) (*session, error) {
	s := &session{config: c}
	s.rt = &transport{http.Transport{MaxIdleConnsPerHost: c.concurrency, DisableCompression: true}, s}
	s.api = &http.Client{Transport: s.rt, Timeout: time.Minute}
	if err := s.get(s.discoveryURL(), "", &s.meta); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	return s, nil
}

// transport counts round trips.
type transport struct {
	http.Transport
	s *session
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.s.requests.Add(1)
	return t.Transport.RoundTrip(r)
}

func (s *session) discoveryURL() string {
	return strings.TrimSuffix(s.target, "/") + "/.well-known/openid-configuration"
}

func opGet(s *session) (func(int) error, error) {
	return func(int) error { return s.get(s.target, "", nil) }, nil
}

func opDiscovery(s *session) (func(int) error, error) {
	return func(int) error { return s.get(s.discoveryURL(), "", nil) }, nil
}

func opJWKS(s *session) (func(int) error, error) {
	return func(int) error { return s.get(s.meta.JWKS, "", nil) }, nil
}

func opCC(s *session) (func(int) error, error) {
	return func(int) error { _, err := s.clientCredentials(); return err }, nil
}

func opCode(s *session) (func(int) error, error) {
	browsers, err := s.loggedIn("openid")
	return func(w int) error { _, err := s.codeFlow(browsers[w], "openid"); return err }, err
}

func opLogin(s *session) (func(int) error, error) {
	return func(w int) error { _, err := s.codeFlow(newBrowser(s, w), "openid"); return err }, nil
}

func opExchange(s *session) (func(int) error, error) {
	s.finite, s.supply = true, s.max
	if s.supply == 0 {
		s.supply = 2000
	}
	browsers, err := s.loggedIn("openid")
	if err != nil {
		return nil, err
	}
	codes, verifiers := make([]string, s.supply), make([]string, s.supply)
	err = s.each(s.supply, func(w, i int) (err error) {
		codes[i], verifiers[i], err = s.authorize(browsers[w], "openid")
		return err
	})
	var next atomic.Int64
	return func(int) error {
		i := next.Add(1) - 1
		t, err := s.exchange(codes[i], verifiers[i])
		return valid(t, err)
	}, err
}

func opRefresh(s *session) (func(int) error, error) {
	pool, err := s.grants("openid offline_access")
	if err != nil {
		return nil, err
	}
	turn := make([]int, s.concurrency)
	return func(w int) error { // worker w rotates grants w, w+c, w+2c, …
		i := (w + turn[w]*s.concurrency) % len(pool)
		turn[w] = (turn[w] + 1) % (len(pool) / s.concurrency)
		t, err := s.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {pool[i].Refresh}})
		if err == nil && t.Refresh != "" {
			pool[i] = t
		}
		return valid(t, err)
	}, nil
}

func opIntrospect(s *session) (func(int) error, error) {
	pool := make([]string, s.poolSize())
	err := s.each(len(pool), func(_, i int) error {
		t, err := s.clientCredentials()
		pool[i] = t.Access
		return err
	})
	var next atomic.Int64
	return func(int) error {
		form := url.Values{"token": {pool[int(next.Add(1))%len(pool)]}, "token_type_hint": {"access_token"}}
		var out struct {
			Active bool `json:"active"`
		}
		err := s.post(s.meta.Introspect, form, &out)
		if err == nil && !out.Active {
			err = errors.New("introspection: token is not active")
		}
		return err
	}, err
}

func opUserInfo(s *session) (func(int) error, error) {
	pool, err := s.grants("openid")
	var next atomic.Int64
	return func(int) error {
		var out struct {
			Sub string `json:"sub"`
		}
		err := s.get(s.meta.UserInfo, pool[int(next.Add(1))%len(pool)].Access, &out)
		if err == nil && out.Sub == "" {
			err = errors.New("userinfo: no sub")
		}
		return err
	}, err
}

// grants prepares a pool of token sets for a user.
func (s *session) grants(scope string) ([]tokens, error) {
	pool := make([]tokens, s.poolSize())
	browsers, err := s.loggedIn(scope)
	if err != nil {
		return nil, err
	}
	return pool, s.each(len(pool), func(w, i int) (err error) {
		pool[i], err = s.codeFlow(browsers[w], scope)
		return err
	})
}

// poolSize is -pool, rounded up to a multiple of the workers.
func (s *session) poolSize() int {
	return (s.pool + s.concurrency - 1) / s.concurrency * s.concurrency
}

// each runs f for 0..n-1, i at worker i%c. What fails is tried again, as a client
// would; each gives up when the same i fails five times.
func (s *session) each(n int, f func(worker, i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, s.concurrency)
	for w := range s.concurrency {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += s.concurrency {
				for range 5 {
					if errs[w] = f(w, i); errs[w] == nil {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// loggedIn returns one browser for each worker that has been through a login.
func (s *session) loggedIn(scope string) ([]*browser, error) {
	browsers := make([]*browser, s.concurrency)
	return browsers, s.each(len(browsers), func(w, _ int) error {
		browsers[w] = newBrowser(s, w)
		_, _, err := s.authorize(browsers[w], scope)
		return err
	})
}

func (s *session) clientCredentials() (tokens, error) {
	t, err := s.token(url.Values{"grant_type": {"client_credentials"}})
	return t, valid(t, err)
}

func (s *session) codeFlow(b *browser, scope string) (tokens, error) {
	code, verifier, err := s.authorize(b, scope)
	if err != nil {
		return tokens{}, err
	}
	t, err := s.exchange(code, verifier)
	if err == nil && t.ID == "" && strings.Contains(scope, "openid") {
		err = errors.New("no id_token")
	}
	return t, valid(t, err)
}

// authorize gets a code by way of the browser.
func (s *session) authorize(b *browser, scope string) (code, verifier string, err error) {
	verifier = random()
	sum := sha256.Sum256([]byte(verifier))
	state := random()
	q := s.with(url.Values{
		"response_type": {"code"}, "client_id": {s.client}, "redirect_uri": {s.redirect},
		"state": {state}, "nonce": {random()}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}, scope)
	back, err := b.visit(s.meta.Authorize+"?"+q.Encode(), s.redirect)
	if err == nil && back.Get("state") != state {
		err = errors.New("authorization: state differs")
	}
	if err == nil && back.Get("code") == "" {
		err = errors.New("authorization: no code")
	}
	return back.Get("code"), verifier, err
}

func (s *session) exchange(code, verifier string) (tokens, error) {
	return s.token(url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {s.redirect}, "code_verifier": {verifier},
	})
}
