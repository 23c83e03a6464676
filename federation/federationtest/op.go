// Package federationtest is a provider to be tested by: an OpenID provider, and an OAuth 2.0
// provider with an interface of its own, that does as the standard says until a test has it lie.
// It runs on this machine; Visit is a person at a browser who says yes at once.
package federationtest

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/federation"
	"idp/internal/outbound"
	"idp/internal/secret"
)

// Whom the provider knows as client.
const (
	ClientID = "idp at the provider"
	secretly = "client secret: 100% sealed+"
)

// OP is a provider. Its fields say what it does; a test sets them before the browser arrives.
type OP struct {
	URL string // its address, which is its issuer: without a slash at the end

	Claims   map[string]any // what it says of whoever signs in, in ID token and userinfo; sub at least
	Info     map[string]any // what userinfo says instead; nil: the same
	Bare     bool           // the ID token says only who, userinfo the rest, as many do
	AMR      []string
	ACR      string
	AuthTime time.Time // when they signed in there; zero: just now

	Document func(document map[string]any) // alters what discovery says
	Answer   func(answer url.Values)       // alters what the browser brings back
	Token    func(claims map[string]any)   // alters an ID token before it is signed
	Head     func(header map[string]any)   // alters its header before it is signed
	Reply    func(reply map[string]any)    // alters what the token endpoint says
	Sign     Key                           // what signs ID tokens
	Rotated  bool                          // keys were replaced: the set has the new one alone

	JSON map[string]any              // answers of its interface by path, for who brings the token: "/user", "/user/emails"
	Take map[string]http.HandlerFunc // endpoints that are taken over, by path: "/token"

	t      testing.TB
	now    func() time.Time
	server *httptest.Server

	mu       sync.Mutex
	codes    map[string]code
	live     map[string]bool // access tokens
	renewals map[string]bool // refresh tokens
	visits   []url.Values    // authorization requests
	grants   []url.Values    // requests at the token endpoint
	calls    map[string]int  // by path
}

// code is what a code was given out for.
type code struct{ client, redirect, nonce, challenge string }

// New starts a provider at an http address of this machine, as development allows.
func New(t testing.TB, now func() time.Time) *OP { return start(t, now, false) }

// NewTLS starts a provider at an https address of this machine; only Outbound trusts its certificate.
func NewTLS(t testing.TB, now func() time.Time) *OP { return start(t, now, true) }

func start(t testing.TB, now func() time.Time, secured bool) *OP {
	t.Helper()
	o := &OP{
		Claims: map[string]any{"sub": "upstream-ann", "email": "ann@example.com", "email_verified": true, "name": "Ann Example"},
		JSON:   map[string]any{}, Take: map[string]http.HandlerFunc{},
		t: t, now: now, codes: map[string]code{}, live: map[string]bool{}, renewals: map[string]bool{}, calls: map[string]int{},
	}
	rsaKeys() // before anybody waits for an answer
	curveKey()
	o.server = httptest.NewUnstartedServer(o)
	o.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if secured {
		o.server.StartTLS()
	} else {
		o.server.Start()
	}
	o.URL = o.server.URL
	t.Cleanup(o.server.Close)
	return o
}

// Outbound reaches this machine, and trusts the providers' certificates.
func Outbound(all ...*OP) *outbound.Client {
	pool := x509.NewCertPool()
	for _, o := range all {
		if o.server.Certificate() != nil {
			pool.AddCert(o.server.Certificate())
		}
	}
	return outbound.New(outbound.Options{Loopback: true, Roots: pool})
}

// Connection is one to the provider by OpenID Connect.
func (o *OP) Connection(name string) federation.Connection {
	return federation.Connection{
		Name: name, Type: federation.OIDC, Issuer: o.URL, ClientID: ClientID, ClientSecret: secret.NewString(secretly),
	}
}

// Plain is one by OAuth 2.0; who it is comes from JSON["/user"], or userinfo if there is none.
func (o *OP) Plain(name string) federation.Connection {
	c := o.Connection(name)
	c.Type, c.AuthorizationEndpoint, c.TokenEndpoint, c.UserinfoEndpoint = federation.OAuth2, o.URL+"/authorize", o.URL+"/token", o.URL+"/userinfo"
	if o.JSON["/user"] != nil {
		c.UserinfoEndpoint = o.URL + "/user"
	}
	return c
}

// Visits returns the authorization requests so far.
func (o *OP) Visits() []url.Values {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]url.Values(nil), o.visits...)
}

// Grants returns the forms that the token endpoint was sent so far.
func (o *OP) Grants() []url.Values {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]url.Values(nil), o.grants...)
}

// Calls returns how often a path was called.
func (o *OP) Calls(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[path]
}

// Landing is where a provider sent a browser: with the values of the address, or with a form to post there.
type Landing struct {
	URL  *url.URL
	Form url.Values
}

// Values are what came back, however.
func (l Landing) Values() url.Values {
	if l.Form != nil {
		return l.Form
	}
	return l.URL.Query()
}

// Result is what the callback makes of a landing by GET.
func (l Landing) Result() federation.Answer {
	v := l.Values()
	return federation.Answer{State: secret.NewString(v.Get("state")), Values: v}
}

// Visit is a person who follows the way to the provider, is signed in there, and is sent back.
func (o *OP) Visit(way federation.Way) Landing {
	o.t.Helper()
	w := httptest.NewRecorder()
	o.ServeHTTP(w, httptest.NewRequestWithContext(o.t.Context(), http.MethodGet, way.URL, nil))
	if at := w.Header().Get("Location"); at != "" {
		u, err := url.Parse(at)
		if err != nil {
			o.t.Fatal(err)
		}
		return Landing{URL: u}
	}
	var posted struct {
		URL  string
		Form url.Values
	}
	if err := json.Unmarshal([]byte(w.Header().Get("X-Form")), &posted); err != nil {
		o.t.Fatalf("the provider sent nobody back from %s: %d %s", way.URL, w.Code, w.Body)
	}
	u, err := url.Parse(posted.URL)
	if err != nil {
		o.t.Fatal(err)
	}
	return Landing{URL: u, Form: posted.Form}
}

// ServeHTTP implements http.Handler.
func (o *OP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.calls[r.URL.Path]++
	o.mu.Unlock()
	if take := o.Take[r.URL.Path]; take != nil {
		take(w, r)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		o.discovery(w)
	case "/jwks":
		send(w, http.StatusOK, map[string]any{"keys": o.keys()})
	case "/authorize":
		o.authorize(w, r)
	case "/token":
		o.token(w, r)
	case "/userinfo":
		o.answer(w, r, o.info())
	default:
		if said, is := o.JSON[r.URL.Path]; is {
			o.answer(w, r, said)
			return
		}
		http.NotFound(w, r)
	}
}

func (o *OP) info() map[string]any {
	if o.Info != nil {
		return o.Info
	}
	return o.Claims
}

func (o *OP) discovery(w http.ResponseWriter) {
	document := map[string]any{
		"issuer": o.URL, "authorization_endpoint": o.URL + "/authorize", "token_endpoint": o.URL + "/token",
		"userinfo_endpoint": o.URL + "/userinfo", "jwks_uri": o.URL + "/jwks",
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"}, "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "code_challenge_methods_supported": []string{"S256"},
		"scopes_supported": []string{"openid", "email", "profile"}, "claims_supported": []string{"sub", "email", "email_verified", "name"},
		"response_modes_supported": []string{"query", "form_post"}, "authorization_response_iss_parameter_supported": true,
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	}
	if o.Document != nil {
		o.Document(document)
	}
	send(w, http.StatusOK, document)
}

// authorize says yes and sends the browser back with a code.
func (o *OP) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	redirect := q.Get("redirect_uri")
	if q.Get("response_type") != "code" || q.Get("client_id") != ClientID || redirect == "" || q.Get("state") == "" {
		http.Error(w, "not a request", http.StatusBadRequest)
		return
	}
	name := secret.Token("").Reveal()
	o.mu.Lock()
	o.visits = append(o.visits, q)
	o.codes[name] = code{q.Get("client_id"), redirect, q.Get("nonce"), q.Get("code_challenge")}
	o.mu.Unlock()
	back := url.Values{"code": {name}, "state": {q.Get("state")}, "iss": {o.URL}}
	if o.Answer != nil {
		o.Answer(back)
	}
	if q.Get("response_mode") == "form_post" {
		posted, err := json.Marshal(map[string]any{"URL": redirect, "Form": back})
		if err != nil {
			panic(err)
		}
		w.Header().Set("X-Form", string(posted))
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, page(redirect, back))
		return
	}
	http.Redirect(w, r, redirect+"?"+back.Encode(), http.StatusFound)
}

// page posts a form by itself.
func page(redirect string, form url.Values) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<!doctype html><title>Back</title><body onload="document.forms[0].submit()"><form method="post" action="%s">`, redirect)
	for name, all := range form {
		for _, one := range all {
			fmt.Fprintf(&b, `<input type="hidden" name="%s" value="%s">`, quote.Replace(name), quote.Replace(one))
		}
	}
	return b.String() + `<button>Back</button></form>`
}

var quote = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;")

// answer answers who brings a live access token.
func (o *OP) answer(w http.ResponseWriter, r *http.Request, said any) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	o.mu.Lock()
	live := o.live[bearer]
	o.mu.Unlock()
	if !live {
		send(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	send(w, http.StatusOK, said)
}

func send(w http.ResponseWriter, status int, said any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(said); err != nil {
		panic(err)
	}
}

// says is what an ID token has of the person.
func (o *OP) says() map[string]any {
	if o.Bare {
		return map[string]any{"sub": o.Claims["sub"]}
	}
	return maps.Clone(o.Claims)
}

// Through takes a person through a connection as the engine does: out, to the provider, and back
// with whatever it gave the browser, posted or not.
func (o *OP) Through(f *federation.Federation, c federation.Connection, d federation.Departure) (federation.Assertion, error) {
	o.t.Helper()
	way, err := f.Depart(o.t.Context(), c, d)
	if err != nil {
		return federation.Assertion{}, err
	}
	answer, err := Bring(o.t, f, c, o.Visit(way))
	if err != nil {
		return federation.Assertion{}, err
	}
	return f.Finish(o.t.Context(), c, d, answer)
}

// Bring is what a landing becomes here: what is posted waits as an arrival.
func Bring(t testing.TB, f *federation.Federation, c federation.Connection, l Landing) (federation.Answer, error) {
	t.Helper()
	if l.Form == nil {
		return l.Result(), nil
	}
	state, arrived, err := f.Post(c, l.Form)
	return federation.Answer{State: state, Values: url.Values{"state": {state.Reveal()}}, Arrival: arrived}, err
}
