package consent_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"idp/consent"
	"idp/identity"
	"idp/internal/secret"
	"idp/internal/web"
	"idp/internal/web/webtest"
	"idp/login"
	"idp/session"
	"idp/session/sessiontest"
	"idp/storage"
	"idp/storage/storagetest"
)

// desk is the consent screen on a real database.
type desk struct {
	*testing.T
	clock  *storagetest.Clock
	keeper *session.Keeper
	store  *storage.Consent
	asks   *storage.Login
	people *storage.People
	server *sessiontest.Site
}

func each(t *testing.T, f func(d *desk)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		d := &desk{T: t, clock: storagetest.NewClock(), store: storage.NewConsent(db), asks: storage.NewLogin(db), people: storage.NewPeople(db)}
		events := storage.NewEvents(db)
		d.keeper = &session.Keeper{Store: storage.NewSessions(db), Events: events, InTx: db.InTx, Now: d.clock.Now}
		d.server = sessiontest.Serve(t, d.keeper, storagetest.Box())
		p := &consent.Pages{
			Store: d.store, Sessions: d.keeper, Events: events, Web: d.server.Pages, InTx: db.InTx, Now: d.clock.Now,
			Who: func(_ context.Context, u identity.UserID) (string, string, error) {
				return string(u), string(u) + "@example.com", nil
			},
		}
		d.server.Mount([]web.Route{{Pattern: "GET /consent", Do: p.Ask}, {Pattern: "POST /consent", Do: p.Answer}})
		f(d)
	})
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// person is a browser on which somebody new is signed in.
func (d *desk) person(name string) (*webtest.Browser, session.Session) {
	d.Helper()
	id := identity.UserID("user_" + name)
	d.must(d.people.SaveUser(d.Context(), identity.User{ID: id, Status: identity.Active, CreatedAt: d.clock.Now(), UpdatedAt: d.clock.Now()}))
	s, cookie := sessiontest.SignIn(d, d.keeper, id)
	b := webtest.New(d, d.server.URL)
	b.Plant(cookie)
	return b, s
}

// asked parks a request of that session's browser.
func (d *desk) asked(s session.Session, scopes ...string) login.Ask {
	d.Helper()
	a := login.Ask{
		ID: login.AskID(secret.NewID("ask")), Browser: s.Browser, Party: identity.Party{ID: "client_1", Name: "Acme", Host: "app.acme.org"},
		Scopes: scopes, Chosen: s.ID, Resume: "/oauth2/resume", CreatedAt: d.clock.Now(), ExpiresAt: d.clock.Now().Add(time.Hour),
	}
	d.must(d.asks.SaveAsk(d.Context(), a))
	return a
}

func (d *desk) answer(a login.Ask) login.Answer {
	d.Helper()
	kept, err := d.asks.Ask(d.Context(), a.ID)
	d.must(err)
	return kept.Answer
}

func (d *desk) granted(s session.Session) string {
	g, err := d.store.Grant(d.Context(), s.User, "client_1")
	if err != nil {
		return ""
	}
	return strings.Join(g.Scopes, " ")
}

func TestAllowingIsRememberedAndLeadsBack(t *testing.T) {
	each(t, func(d *desk) {
		b, s := d.person("ann")
		a := d.asked(s, "openid", "email")
		b.Get("/consent?ask="+string(a.ID)).Want(200, "Acme", "app.acme.org", "See your email address", "user_ann@example.com", "consent-allow", "consent-deny")
		b.Post("/consent", "ask", string(a.ID), "session", string(s.ID), "answer", "allow").Want(303, "/oauth2/resume?ask="+string(a.ID))
		if d.answer(a) != login.Allowed || d.granted(s) != "email openid" {
			t.Errorf("answer %q, granted %q", d.answer(a), d.granted(s))
		}
		more := d.asked(s, "openid", "profile")
		b.Get("/consent?ask="+string(more.ID)).Post("/consent", "ask", string(more.ID), "session", string(s.ID), "answer", "allow").Want(303)
		if d.granted(s) != "email openid profile" {
			t.Errorf("granted %q: what was allowed before is gone", d.granted(s))
		}
	})
}

func TestDenyingGrantsNothing(t *testing.T) {
	each(t, func(d *desk) {
		b, s := d.person("ann")
		a := d.asked(s, "openid")
		b.Get("/consent?ask="+string(a.ID)).Post("/consent", "ask", string(a.ID), "session", string(s.ID), "answer", "deny").Want(303, "/oauth2/resume")
		if d.answer(a) != login.Denied || d.granted(s) != "" {
			t.Errorf("answer %q, granted %q", d.answer(a), d.granted(s))
		}
	})
}

func TestConsentIsBoundToBrowserAndSession(t *testing.T) {
	each(t, func(d *desk) {
		ann, annSession := d.person("ann")
		eve, eveSession := d.person("eve")
		a := d.asked(annSession, "openid")
		path := "/consent?ask=" + string(a.ID)
		eve.Get(path).Want(403, `data-error="ask_foreign"`).WantNot("Acme")
		webtest.New(d, d.server.URL).Get(path).Want(403)
		for _, as := range []session.ID{annSession.ID, eveSession.ID} {
			own := d.asked(eveSession, "openid")
			eve.Get("/consent?ask=" + string(own.ID)).Want(200) // a page with eve's own token
			eve.Post("/consent", "ask", string(a.ID), "session", string(as), "answer", "allow").Want(403)
		}
		ann.Get(path).Post("/consent", "ask", string(a.ID), "session", string(eveSession.ID), "answer", "allow").Want(409, `data-error="account_changed"`)
		ann.Get(path)
		ann.Token = eve.Token
		ann.Post("/consent", "ask", string(a.ID), "session", string(annSession.ID), "answer", "allow").Want(403, `data-error="form_stale"`)
		if d.answer(a) != login.Unanswered || d.granted(annSession) != "" || d.granted(eveSession) != "" {
			t.Errorf("answer %q, granted %q and %q", d.answer(a), d.granted(annSession), d.granted(eveSession))
		}
	})
}

func TestAnAnswerIsGivenOnce(t *testing.T) {
	each(t, func(d *desk) {
		b, s := d.person("ann")
		a := d.asked(s, "openid")
		b.Get("/consent?ask=" + string(a.ID))
		token, cookies := b.Token, b.Cookies()
		var wg sync.WaitGroup
		statuses := make(chan int, 12)
		for i := range cap(statuses) {
			wg.Add(1)
			go func() {
				defer wg.Done()
				one := webtest.New(t, d.server.URL)
				one.Plant(cookies...)
				one.Token = token
				statuses <- one.Post("/consent", "ask", string(a.ID), "session", string(s.ID), "answer", []string{"allow", "deny"}[i%2]).Status
			}()
		}
		wg.Wait()
		close(statuses)
		won := 0
		for status := range statuses {
			switch status {
			case http.StatusSeeOther:
				won++
			case http.StatusGone:
			default:
				t.Errorf("an answer got %d", status)
			}
		}
		if won != 1 {
			t.Errorf("%d answers were taken", won)
		}
		b.Get("/consent?ask="+string(a.ID)).Want(410, `data-error="ask_over"`)
	})
}

func TestARequestThatIsOverIsNotAsked(t *testing.T) {
	each(t, func(d *desk) {
		b, s := d.person("ann")
		a := d.asked(s, "openid")
		b.Get("/consent?ask=ask_unknown").Want(410)
		b.Get("/consent?ask="+string(a.ID)).Post("/consent", "ask", string(a.ID), "session", string(s.ID), "answer", "maybe").Want(400)
		d.must(d.keeper.End(t.Context(), s, "test"))
		b.Get("/consent?ask="+string(a.ID)).Want(303, "/sign-in?ask="+string(a.ID))
		d.clock.Add(2 * time.Hour)
		b.Get("/consent?ask=" + string(a.ID)).Want(410)
		if d.answer(a) != login.Unanswered {
			t.Errorf("answer %q", d.answer(a))
		}
	})
}
