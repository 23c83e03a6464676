package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"crypto/sha256"

	"idp/consent"
	"idp/event"
	"idp/identity"
	"idp/internal/outbound"
	"idp/internal/secret"
	"idp/provider"
	"idp/session"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/token"
)

const issuer = "https://id.example.com"

// world is a whole provider on a real database, without its server.
type world struct {
	t        testing.TB
	db       *storage.DB
	count    *storagetest.Counter
	clock    *storagetest.Clock
	clients  *provider.Clients
	keys     *token.KeySet
	speaking *token.Templates
	keeper   *session.Keeper
	queue    *storage.Queue
	provider *provider.Provider
	mux      *http.ServeMux
}

// each runs a test on every engine.
func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, url string) { f(t, newWorld(t, url, storagetest.NewClock())) })
}

func newWorld(t testing.TB, url string, clock *storagetest.Clock) *world {
	t.Helper()
	count := &storagetest.Counter{}
	db := storagetest.OpenURL(t, url, count)
	events := storage.NewEvents(db)
	w := &world{t: t, db: db, count: count, clock: clock}
	w.clients = &provider.Clients{Store: storage.NewClients(db), Events: events, InTx: db.InTx, Now: clock.Now}
	var err error
	w.queue, err = storage.NewQueue(db, nil)
	must(t, err)
	farewells := &provider.Farewells{Visits: storage.NewVisits(db), Clients: w.clients, Queue: w.queue, Now: clock.Now}
	w.keeper = &session.Keeper{
		Store: session.Announced{Store: storage.NewSessions(db), InTx: db.InTx, Tell: farewells.Ended}, Events: events, Cookies: session.NewCookies(true, "", ""), InTx: db.InTx, Now: clock.Now,
		Settings: session.DefaultSettings, Network: func(*http.Request) string { return "192.0.2.1" },
	}
	w.keys = &token.KeySet{Store: storage.NewKeys(db), Events: events, InTx: db.InTx, Now: clock.Now, Make: storagetest.Private}
	must(t, w.keys.Ensure(t.Context()))
	w.speaking = &token.Templates{Store: storage.NewTemplates(db)}
	w.clients.Templates = w.speaking
	w.wire(provider.Deps{})
	return w
}

// wire makes the provider; more overrides what it works with.
func (w *world) wire(more provider.Deps) {
	w.t.Helper()
	d := provider.Deps{
		Issuer: issuer, Box: storagetest.Box(), Clients: w.clients, Keys: w.keys, Store: storage.NewProvider(w.db), Visits: storage.NewVisits(w.db),
		Assertions: storage.NewAssertions(w.db), Asks: storage.NewLogin(w.db), Pushes: storage.NewPushed(w.db), Grants: storage.NewConsent(w.db), Sessions: w.keeper,
		Events: storage.NewEvents(w.db), Pages: plain{}, InTx: w.db.InTx, Now: w.clock.Now,
		Templates: w.speaking, Outbound: more.Outbound, Throttle: more.Throttle, Registrations: more.Registrations, Queue: w.queue, SessionManagement: more.SessionManagement,
		OpenRegistration: more.OpenRegistration, ClosedRegistration: more.ClosedRegistration, WebFingerHosts: more.WebFingerHosts, SignIn: more.SignIn,
	}
	if d.Outbound == nil {
		d.Outbound = outbound.New(outbound.Options{Loopback: true, Now: w.clock.Now})
	}
	if more.Store != nil {
		d.Store = more.Store
	}
	if more.Issuer != "" {
		d.Issuer = more.Issuer
	}
	if more.Templates != nil {
		d.Templates = more.Templates
	}
	w.keeper.StateKey = nil
	if d.SessionManagement {
		w.keeper.StateKey = storagetest.Box().Key("browser state")
	}
	p, err := provider.New(d)
	must(w.t, err)
	w.provider, w.mux = p, http.NewServeMux()
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /oauth2/authorize": p.Authorize, "POST /oauth2/authorize": p.Authorize, "GET /oauth2/resume": p.Resume,
		"/oauth2/par":        p.Push,
		"/oauth2/token":      p.Token,
		"/oauth2/userinfo":   p.Userinfo,
		"/oauth2/introspect": p.Introspect, "/oauth2/revoke": p.Revoke,
		"GET /.well-known/openid-configuration": p.Discovery, "GET /.well-known/jwks.json": p.JWKS,
		"GET /.well-known/oauth-authorization-server":           p.ServerMetadata,
		"GET /.well-known/oauth-authorization-server/{path...}": p.ServerMetadata,
		"GET /oauth2/logout":                                    p.Logout, "POST /oauth2/logout": p.Logout,
		"POST /oauth2/logout/confirm": p.LogoutConfirm, "GET /oauth2/logout/done": p.LogoutDone, "GET /oauth2/logout/apps": p.LogoutApps, "GET /oauth2/check_session": p.CheckSession,
		"/oauth2/register": p.Register, "/oauth2/register/{client}": p.Registration,
		"GET /oauth2/clients/{client}/logo": p.Logo,
	} {
		w.mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			if err := do(rw, r); err != nil {
				http.Error(rw, "our fault: "+err.Error(), http.StatusInternalServerError)
			}
		})
	}
}

// plain shows pages as their name and data.
type plain struct{}

func (plain) Show(w http.ResponseWriter, _ *http.Request, status int, name string, data any) error {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	text, err := json.Marshal(data)
	_, _ = fmt.Fprintf(w, "page %s %s", name, text)
	return err
}

func (plain) Problem(w http.ResponseWriter, _ *http.Request, err error) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, "page error "+strings.SplitN(err.Error(), ":", 2)[0])
}

// browser is one cookie jar.
type browser struct {
	w      *world
	kept   session.Browser
	cookie *http.Cookie
}

func (w *world) browser() *browser {
	w.t.Helper()
	key := session.NewToken()
	rec := httptest.NewRecorder()
	w.keeper.Cookies.Write(rec, key, true)
	b := &browser{w: w, cookie: rec.Result().Cookies()[0]}
	b.kept = session.Browser{ID: key.ID, Digest: secret.DigestOf(key.Secret.Reveal()), CreatedAt: w.clock.Now(), SeenAt: w.clock.Now()}
	must(w.t, w.keeper.Store.SaveBrowser(w.t.Context(), b.kept))
	return b
}

// person is somebody on file with a verified address.
func (w *world) person(name string) identity.UserID {
	w.t.Helper()
	now, people := w.clock.Now(), storage.NewPeople(w.db)
	id := identity.UserID(secret.NewID("user"))
	must(w.t, people.SaveUser(w.t.Context(), identity.User{
		ID: id, Status: identity.Active, CreatedAt: now, UpdatedAt: now,
		Profile: identity.Profile{Name: name, GivenName: name, Address: identity.Address{Country: "Norway"}},
	}))
	must(w.t, people.SaveHolding(w.t.Context(), identity.Holding{
		ID: identity.HoldingID(secret.NewID("addr")), UserID: id, Primary: true, VerifiedAt: now, VerifiedBy: identity.EmailCode,
		Source: "self", CreatedAt: now, Identifier: identity.Identifier{Kind: identity.Email, Value: strings.ToLower(name) + "@example.com"},
	}))
	return id
}

// ban keeps somebody from entering.
func (w *world) ban(id identity.UserID) {
	w.t.Helper()
	people := storage.NewPeople(w.db)
	p, err := people.Person(w.t.Context(), id)
	must(w.t, err)
	p.User.Status = identity.Banned
	must(w.t, people.SaveUser(w.t.Context(), p.User))
}

// signIn gives the browser a session of that person, in use from now on.
func (b *browser) signIn(user identity.UserID) session.Session {
	b.w.t.Helper()
	now := b.w.clock.Now()
	s := session.Session{
		ID: session.ID(secret.NewID("session")), Browser: b.kept.ID, User: user, AuthTime: now, CreatedAt: now, LastActiveAt: now,
		ExpiresAt: now.Add(30 * 24 * time.Hour), Idle: 7 * 24 * time.Hour,
		Proofs: []identity.Proof{{Method: identity.Password, Category: identity.Knowledge, At: now}},
	}
	ctx := b.w.t.Context()
	must(b.w.t, b.w.keeper.Store.SaveSession(ctx, s))
	b.kept.Active = s.ID
	must(b.w.t, b.w.keeper.Store.SaveBrowser(ctx, b.kept))
	return s
}

// client registers a client, by default a confidential web app of the operator's own.
func (w *world) client(change func(c *provider.Client)) (provider.Client, string) {
	w.t.Helper()
	draft := provider.Client{Name: "Acme", Type: provider.Web, FirstParty: true, RedirectURIs: []string{callback}}
	if change != nil {
		change(&draft)
	}
	c, key, err := w.clients.Create(w.t.Context(), draft, "operator:cli")
	must(w.t, err)
	return c, key.Reveal()
}

const (
	callback = "https://rp.example.org/cb"
	verifier = "a-verifier-of-at-least-forty-three-characters-0123"
)

func challengeOf(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ask is a good authorization request; pairs of name and value change it, an empty value
// takes the parameter out.
func ask(c provider.Client, changes ...string) url.Values {
	q := url.Values{
		"client_id": {string(c.ID)}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email offline_access"},
		"state": {"st-8f2k"}, "nonce": {"n-0S6"}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
	return with(q, changes...)
}

func with(q url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			q.Del(changes[i])
		}
	}
	return q
}

// get visits a path; a nil browser has no cookie.
func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.do(httptest.NewRequestWithContext(b.w.t.Context(), http.MethodGet, path, nil))
}

func (b *browser) authorize(q url.Values) *httptest.ResponseRecorder {
	return b.get("/oauth2/authorize?" + q.Encode())
}

func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	rec := httptest.NewRecorder()
	b.w.mux.ServeHTTP(rec, r)
	return rec
}

// back returns the parameters an answer sends to the relying party.
func back(t testing.TB, rec *httptest.ResponseRecorder) url.Values {
	t.Helper()
	to := rec.Header().Get("Location")
	if rec.Code != http.StatusSeeOther || !strings.HasPrefix(to, callback) {
		t.Fatalf("status %d, Location %q, body %s: want a redirect to the relying party", rec.Code, to, rec.Body)
	}
	u, err := url.Parse(to)
	must(t, err)
	return u.Query()
}

// code runs an authorization request that must give a code.
func (b *browser) code(q url.Values) string {
	b.w.t.Helper()
	got := back(b.w.t, b.authorize(q))
	if got.Get("code") == "" {
		b.w.t.Fatalf("no code: %v", got)
	}
	return got.Get("code")
}

// post sends a form with the client's id and secret in it.
func (w *world) post(path string, c provider.Client, key string, pairs ...string) *httptest.ResponseRecorder {
	form := with(url.Values{"client_id": {string(c.ID)}}, pairs...)
	if key != "" {
		form.Set("client_secret", key)
	}
	return w.form(path, form)
}

func (w *world) form(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

// redeem exchanges a code, as it should be done unless pairs say otherwise.
func (w *world) redeem(c provider.Client, key, code string, pairs ...string) *httptest.ResponseRecorder {
	all := append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier}, pairs...)
	return w.post("/oauth2/token", c, key, all...)
}

func (w *world) refresh(c provider.Client, key, rt string, pairs ...string) *httptest.ResponseRecorder {
	return w.post("/oauth2/token", c, key, append([]string{"grant_type", "refresh_token", "refresh_token", rt}, pairs...)...)
}

type answer struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`
	Error   string `json:"error"`
	Words   string `json:"error_description"`
}

func read(t testing.TB, rec *httptest.ResponseRecorder, status int) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || rec.Code != status {
		t.Fatalf("status %d, want %d: %s", rec.Code, status, rec.Body)
	}
	return a
}

func wantError(t testing.TB, rec *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	if a := read(t, rec, status); a.Error != code {
		t.Fatalf("error %q (%s), want %q", a.Error, a.Words, code)
	}
}

// tokens signs somebody in at the client and returns what it got.
func (b *browser) tokens(c provider.Client, key string, changes ...string) answer {
	b.w.t.Helper()
	a := read(b.w.t, b.w.redeem(c, key, b.code(ask(c, changes...))), http.StatusOK)
	if a.Access == "" {
		b.w.t.Fatal("no access token")
	}
	return a
}

func (w *world) userinfo(access string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/oauth2/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+access)
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

func (w *world) wantAlive(access string) {
	w.t.Helper()
	if rec := w.userinfo(access); rec.Code != http.StatusOK {
		w.t.Fatalf("the access token is refused: %d %s", rec.Code, rec.Body)
	}
}

func (w *world) wantDead(access string) {
	w.t.Helper()
	if rec := w.userinfo(access); rec.Code != http.StatusUnauthorized {
		w.t.Fatalf("the access token is still good: %d %s", rec.Code, rec.Body)
	}
}

func (w *world) agree(user identity.UserID, c provider.Client, scopes ...string) {
	w.t.Helper()
	must(w.t, storage.NewConsent(w.db).SaveGrant(w.t.Context(), consent.Grant{
		User: user, Client: string(c.ID), Scopes: scopes, CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(),
	}))
}

func (w *world) events(kind event.Kind) int {
	w.t.Helper()
	list, err := storage.NewEvents(w.db).List(w.t.Context(), storage.EventFilter{Kind: kind})
	must(w.t, err)
	return len(list)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sqlite(t testing.TB) string { return storagetest.SQLite(t) }

func clockOf() *storagetest.Clock { return storagetest.NewClock() }

// userOf returns who is signed in on the browser.
func (w *world) userOf(b *browser) identity.UserID {
	w.t.Helper()
	here, err := w.keeper.Sessions(w.t.Context(), b.kept)
	must(w.t, err)
	return here[0].User
}
