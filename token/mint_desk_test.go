package token_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"idp/identity"
	"idp/internal/web"
	"idp/internal/web/webtest"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/token"
)

// mint is a site where people get tokens.
type mint struct {
	*testing.T
	db     *storage.DB
	clock  *storagetest.Clock
	people *storage.People
	keys   *token.KeySet
	keeper *session.Keeper
	minter *token.Minter
	site   *sessiontest.Site
}

func eachMint(t *testing.T, f func(t *testing.T, m *mint)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, url string) { f(t, newMint(t, url, nil)) })
}

func newMint(t *testing.T, url string, hook bun.QueryHook) *mint {
	t.Helper()
	db := storagetest.OpenURL(t, url, hook)
	m := &mint{T: t, db: db, clock: storagetest.NewClock(), people: storage.NewPeople(db)}
	ring := newRing(t, db, m.clock)
	must(t, ring.Ensure(t.Context()))
	m.keys = ring.KeySet
	m.keeper = &session.Keeper{Store: storage.NewSessions(db), Events: storage.NewEvents(db), InTx: db.InTx, Now: m.clock.Now}
	m.site = sessiontest.Serve(t, m.keeper, storagetest.Box())
	m.minter = &token.Minter{
		Keys: m.keys, Templates: &token.Templates{Store: storage.NewTemplates(db)}, Store: storage.NewStandings(db),
		Issuer: "https://id.example.com/base", Origin: "https://id.example.com", Log: slog.New(slog.DiscardHandler), Now: m.clock.Now,
	}
	must(t, m.minter.Templates.Reload(t.Context()))
	api := &token.API{Minter: m.minter, Browser: m.keeper.Cookies.Read, Origin: func(r *http.Request) string { return r.Header.Get("App") }}
	m.site.Mount([]web.Route{
		{Pattern: "POST /frontend/v1/sessions/{session}/tokens", Do: api.Session, Face: web.Frontend},
		{Pattern: "POST /frontend/v1/sessions/{session}/tokens/{template}", Do: api.Template, Face: web.Frontend},
	})
	return m
}

// person puts somebody on file who has a main address.
func (m *mint) person(name string) identity.User {
	m.Helper()
	u := identity.User{ID: identity.UserID("user_" + name), Status: identity.Active, CreatedAt: m.clock.Now(), UpdatedAt: m.clock.Now()}
	u.Profile.Name = name + " Lee"
	must(m.T, m.people.SaveUser(m.Context(), u))
	must(m.T, m.people.SaveHolding(m.Context(), identity.Holding{
		ID: identity.HoldingID("addr_" + name), UserID: u.ID, Identifier: identity.Identifier{Kind: identity.Email, Value: name + "@example.com"},
		Primary: true, VerifiedAt: m.clock.Now(), CreatedAt: m.clock.Now(),
	}))
	u.Version = 1
	return u
}

// template keeps a template and takes it into use.
func (m *mint) template(t token.Template) {
	m.Helper()
	t.CreatedAt, t.UpdatedAt = m.clock.Now(), m.clock.Now()
	must(m.T, m.minter.Templates.Store.SaveTemplate(m.Context(), t))
	must(m.T, m.minter.Templates.Reload(m.Context()))
}

// got is the answer to a request for a token.
type got struct {
	*mint
	status   int
	header   http.Header
	problem  string
	raw      string
	from, to time.Time
}

// ask requests a token with a cookie, if there is one.
func (m *mint) ask(path, body string, cookie *http.Cookie, more ...string) got {
	m.Helper()
	r, err := http.NewRequestWithContext(m.Context(), http.MethodPost, m.site.URL+"/frontend/v1/sessions/"+path, strings.NewReader(body))
	must(m.T, err)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	if cookie != nil {
		r.AddCookie(cookie)
	}
	res, err := (&http.Client{Transport: webtest.Hold(m, http.DefaultTransport, "")}).Do(r)
	must(m.T, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	must(m.T, err)
	var out struct {
		Code      string
		JWT       string
		IssuedAt  time.Time `json:"issued_at"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	must(m.T, json.Unmarshal(text, &out))
	return got{m, res.StatusCode, res.Header, out.Code, out.JWT, out.IssuedAt, out.ExpiresAt}
}

// refused fails unless the answer is that problem.
func (g got) refused(status int, code string) {
	g.Helper()
	if g.status != status || g.problem != code || g.raw != "" {
		g.Fatalf("got %d %q, token %t; want %d %q", g.status, g.problem, g.raw != "", status, code)
	}
}

// token returns the header and claims of the token that was answered; our session keys signed it.
func (g got) token() (header, claims map[string]any) {
	g.Helper()
	if g.status != http.StatusOK {
		g.Fatalf("got %d %q", g.status, g.problem)
	}
	if _, err := g.keys.Verify(g.Context(), token.Session, g.raw); err != nil {
		g.Fatal(err)
	}
	parts := strings.Split(g.raw, ".")
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		must(g.T, err)
		must(g.T, json.Unmarshal(text, into))
	}
	return header, claims
}
