package login_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"idp/event"
	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/outbound"
	"idp/internal/web"
	"idp/login"
	"idp/message"
	"idp/session"
	"idp/storage"
)

// corporation is a site whose people come by a SAML provider that offers single logout.
type corporation struct {
	*site
	idp *federationtest.SAML
}

func eachCorporation(t *testing.T, f func(s *corporation)) {
	each(t, func(h *house) {
		s := &corporation{site: newSite(h), idp: federationtest.NewSAML(h, h.clock.Now)}
		s.idp.Logout = []string{federationtest.LogoutRedirect}
		h.engine.Presences = storage.NewPresences(h.db)
		h.engine.Federation = &federation.Federation{
			Store: storage.NewConnections(h.db), SAML: storage.NewSAML(h.db), Outbound: outbound.New(outbound.Options{Loopback: true}), Box: h.engine.Box,
			Events: h.events, Issuer: s.server.URL, Now: h.clock.Now,
		}
		c := federation.Connection{Name: "acme", Type: federation.SAML, Title: "Acme", Metadata: s.idp.Metadata(), Domains: []string{"acme.example"}}
		h.must(h.engine.Federation.Store.SaveConnection(h.Context(), c))
		h.must(h.engine.Federation.Reload(h.Context()))
		p := &login.Pages{Engine: h.engine, Sessions: s.keeper, Web: s.web}
		who := func(w http.ResponseWriter, r *http.Request) error {
			one, err := s.keeper.Current(r)
			_, _ = io.WriteString(w, string(one.ID))
			return err
		}
		s.server.Mount([]web.Route{
			{Pattern: "GET /who", Do: who, Face: web.Plain},
			{Pattern: "GET /federation/{connection}/callback", Do: p.Arrive}, {Pattern: "POST /federation/{connection}/acs", Do: p.ConsumeAssertion, Face: web.Protocol},
			{Pattern: "GET /federation/{connection}/slo", Do: p.SingleLogout}, {Pattern: "POST /federation/{connection}/slo", Do: p.SingleLogout, Face: web.Protocol},
		})
		f(s)
	})
}

// arrives takes the provider's person, with that session there, to where they are without a factor of ours.
func (s *corporation) arrives(b *tab, index string) *tab {
	s.Helper()
	s.idp.Person.Session = index
	b.get("/sign-in").post("/sign-in", "do", "connection:acme").want(303, s.idp.Address)
	request, err := s.idp.Read(b.To, nil)
	s.must(err)
	form := s.idp.Answer(request)
	b.post("/federation/acme/acs", "SAMLResponse", form.Get("SAMLResponse"), "RelayState", form.Get("RelayState")).want(303, "/callback")
	return b.get(b.To)
}

// comes is arrives of somebody who is let in by that, and returns their session.
func (s *corporation) comes(b *tab, index string) session.ID {
	s.Helper()
	s.arrives(b, index).want(303, "/account")
	return s.current(b)
}

func (s *corporation) current(b *tab) session.ID {
	s.Helper()
	b.get("/who").want(200)
	return session.ID(b.Page)
}

func (s *corporation) stands(id session.ID) bool {
	s.Helper()
	one, err := s.sessions.Session(s.Context(), id)
	s.must(err)
	return one.Alive(s.clock.Now())
}

func (s *corporation) slo() string { return s.server.URL + "/federation/acme/slo" }

// out is the path by which the provider signs its person out here.
func (s *corporation) out(sessions ...string) string {
	return "/federation/acme/slo?" + s.idp.Query("SAMLRequest", s.idp.SignOut(s.slo(), sessions...), "their state")
}

// stranger is a browser without any cookie of ours: so comes what another site sends.
func (s *corporation) stranger() *tab { return s.browser() }

func TestWhoSignsOutAtTheProviderIsSignedOutHereOnAllBrowsers(t *testing.T) {
	eachCorporation(t, func(s *corporation) {
		one, two := s.comes(s.browser(), "s-1"), s.comes(s.browser(), "s-2")
		eve := s.idp.Person
		eve.NameID, eve.Attributes = "eve-7", map[string][]string{"mail": {"eve@acme.example"}}
		ada := s.idp.Person
		s.idp.Person = eve
		eves := s.comes(s.browser(), "s-3")
		s.idp.Person = ada
		gone := s.stranger().get(s.out())
		gone.want(303, s.idp.Address+"/slo/done?SAMLResponse=", "RelayState=their+state")
		if s.stands(one) || s.stands(two) || !s.stands(eves) {
			t.Errorf("of hers stand %v %v, of somebody else's %v", s.stands(one), s.stands(two), s.stands(eves))
		}
		all := s.recorded(event.SessionEnded)
		if len(all) != 2 || all[0].Actor != "connection:acme" || all[0].User == "" {
			t.Errorf("recorded is %+v", all)
		}
		s.stranger().get(s.out()).want(303, s.idp.Address) // nobody is left, which is fine
	})
}

func TestTheProviderEndsTheSessionThatItNames(t *testing.T) {
	eachCorporation(t, func(s *corporation) {
		one, two := s.comes(s.browser(), "s-1"), s.comes(s.browser(), "s-2")
		s.stranger().get(s.out("s-2", "s-9")).want(303, s.idp.Address)
		if !s.stands(one) || s.stands(two) {
			t.Errorf("the other stands %v, the one %v", s.stands(one), s.stands(two))
		}
	})
}

func TestALaterSignInOnTheSameSessionCounts(t *testing.T) {
	eachCorporation(t, func(s *corporation) {
		b := s.browser()
		first := s.comes(b, "s-1")
		if again := s.comes(b, "s-2"); again != first {
			t.Fatalf("another session: %s", again)
		}
		s.stranger().get(s.out("s-1")).want(303)
		if !s.stands(first) {
			t.Error("it ends with a session there that another one has replaced")
		}
		s.stranger().get(s.out("s-2")).want(303)
		if s.stands(first) {
			t.Error("it does not end with the one there that counts")
		}
	})
}

func TestWhoProvesTheirAddressHereFirstIsSignedOutByTheProviderToo(t *testing.T) {
	eachCorporation(t, func(s *corporation) {
		s.idp.Person.Attributes = map[string][]string{"mail": {"ada@elsewhere.example"}}
		b := s.browser()
		s.arrives(b, "s-1").follow()
		b.post(b.attempt()+"/prove", "method", "email_code", "code", s.letter("ada@elsewhere.example", message.VerifyAddress).Code)
		b.want(303, "/account")
		here := s.current(b)
		s.stranger().get(s.out()).want(303, s.idp.Address)
		if s.stands(here) {
			t.Error("she is signed in still")
		}
	})
}

func TestAMessageAboutSigningOutThatIsNotTheProvidersEndsNothing(t *testing.T) {
	eachCorporation(t, func(s *corporation) {
		here := s.comes(s.browser(), "s-1")
		query := func(change func(el *etree.Element)) string {
			el := s.idp.SignOut(s.slo())
			change(el)
			return "/federation/acme/slo?" + s.idp.Query("SAMLRequest", el, "")
		}
		for what, path := range map[string]string{
			"unsigned":   "/federation/acme/slo?" + federationtest.Deflated("SAMLRequest", s.idp.SignOut(s.slo())),
			"for nobody": "/federation/acme/slo",
			"of yesterday": query(func(el *etree.Element) {
				el.CreateAttr("IssueInstant", s.clock.Now().Add(-24*time.Hour).UTC().Format(time.RFC3339))
			}),
			"for another one": query(func(el *etree.Element) { el.CreateAttr("Destination", "https://other.example/slo") }),
		} {
			got := s.stranger().get(path)
			if got.Status != 422 && got.Status != 400 || got.To != "" || !s.stands(here) {
				t.Errorf("%s: %d to %q, and the session stands %v", what, got.Status, got.To, s.stands(here))
			}
		}
		unsigned := url.Values{"SAMLRequest": {federationtest.Encode(s.idp.SignOut(s.slo()))}}
		posted := s.stranger().post("/federation/acme/slo", "SAMLRequest", unsigned.Get("SAMLRequest"))
		if posted.To != "" || !s.stands(here) || len(s.recorded(event.SessionEnded)) != 0 {
			t.Errorf("unsigned and posted: to %q, and the session stands %v", posted.To, s.stands(here))
		}
		s.stranger().get("/federation/nobody/slo?" + strings.SplitN(s.out(), "?", 2)[1]).want(404)
		s.stranger().post("/federation/acme/slo", "SAMLRequest", federationtest.Encode(s.idp.Sign(s.idp.SignOut(s.slo())))).want(303, s.idp.Address)
		if s.stands(here) {
			t.Error("what was not spoilt ends nothing either")
		}
	})
}

func TestAMessageAboutSigningOutCountsOnce(t *testing.T) {
	eachCorporation(t, func(s *corporation) {
		s.comes(s.browser(), "s-1")
		path := s.out()
		s.stranger().get(path).want(303, s.idp.Address)
		again := s.comes(s.browser(), "s-1")
		if got := s.stranger().get(path); got.To != "" || got.Status != 422 {
			t.Errorf("the second time: %d to %q", got.Status, got.To)
		}
		if !s.stands(again) {
			t.Error("a message that came again signs out")
		}
	})
}

func TestWhoWasLetInWithoutTheProviderStaysWhenSheSignsOutThere(t *testing.T) {
	eachCorporation(t, func(s *corporation) {
		s.comes(s.browser(), "s-1")
		b := s.browser()
		b.get("/sign-in").post("/sign-in", "identifier", "ada@acme.example", "do", "code").follow()
		b.post(b.attempt()+"/prove", "method", "email_code", "code", s.letter("ada@acme.example", message.SignIn).Code).want(303, "/account")
		here := s.current(b)
		s.stranger().get(s.out()).want(303, s.idp.Address)
		if !s.stands(here) {
			t.Error("a session that she began here ends")
		}
	})
}
