package account_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/account"
	"idp/event"
	"idp/federation"
	"idp/federation/federationtest"
	"idp/identity"
	"idp/internal/web/webtest"
	"idp/login"
	"idp/message"
	"idp/storage"
)

// upstream puts a provider of each name in force, and returns the last.
func (d *desk) upstream(names ...string) (op *federationtest.OP) {
	d.Helper()
	store := storage.NewConnections(d.db)
	f := &federation.Federation{Store: store, Box: d.engine.Box, Issuer: d.server.URL, Now: d.clock.Now, Outbound: federationtest.Outbound()}
	for _, name := range names {
		op = federationtest.New(d, d.clock.Now)
		c := op.Connection(name)
		c.Title = strings.ToUpper(name[:1]) + name[1:]
		d.must(store.SaveConnection(d.Context(), c))
	}
	d.must(f.Reload(d.Context()))
	d.engine.Federation = f
	return op
}

// account puts an account elsewhere on a person's file.
func (d *desk) account(u identity.UserID, connection, subject, mail string) identity.Factor {
	d.Helper()
	c, err := d.engine.Federation.Connection(connection)
	d.must(err)
	x := identity.ExternalAccount{Method: c.Method(), Issuer: c.Issuer, Subject: subject, Email: mail, Tokens: identity.Tokens{Access: "marked-token"}}
	sealed, err := x.Seal()
	d.must(err)
	f := identity.Factor{
		ID: identity.FactorID("factor_" + connection + "_" + subject), UserID: u, Method: x.Method, Name: x.Label(), Secret: sealed,
		Credential: x.Credential(), CreatedAt: d.clock.Now(),
	}
	d.must(d.people.SaveFactor(d.Context(), f))
	return f
}

// elsewhere is a person at the provider: who says yes and comes back.
func (d *desk) elsewhere(b *webtest.Browser, op *federationtest.OP) *webtest.Browser {
	d.Helper()
	if b.Status != http.StatusSeeOther || !strings.HasPrefix(b.To, op.URL) {
		d.Fatalf("nobody is sent there: %d %q %s", b.Status, b.To, b.Page)
	}
	back := op.Visit(federation.Way{URL: b.To})
	return b.Get(back.URL.RequestURI())
}

func (d *desk) linked(u identity.UserID) (names []string) {
	d.Helper()
	p, err := d.people.Person(d.Context(), u)
	d.must(err)
	for _, f := range p.Factors {
		if f.Method.Federated() {
			names = append(names, f.Method.Connection()+" "+f.Name)
		}
	}
	return names
}

func TestAnAccountElsewhereIsConnectedAndDisconnected(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		op := d.upstream("google")
		op.Claims["sub"], op.Claims["email"] = "g-1", "ann@gmail.example"
		b, s := d.on(nil, ann)
		b.Get("/account/security").Want(200, "Connect Google").WantNot("Disconnect")
		b.Post("/account/connections/connect", "connection", "google")
		d.elsewhere(b, op).Want(303, "/account/security?done=connected").Get(b.To).Want(200, "Connected.", "ann@gmail.example", "Disconnect Google").WantNot(`id="connect-google"`)
		if got := d.linked(ann); len(got) != 1 || got[0] != "google ann@gmail.example" {
			t.Fatalf("on file is %v", got)
		}
		if d.recorded(event.AccountLinked) != 1 || d.told(login.AccountLinked) != 1 {
			t.Errorf("%d events, %d letters", d.recorded(event.AccountLinked), d.told(login.AccountLinked))
		}
		if d.inUse(b).ID != s.ID {
			t.Error("it is another session")
		}
		f := d.factors(ann, identity.OAuthMethod("google"))[0]
		b.Post("/account/connections/disconnect", "factor", string(f.ID)).Want(303, "done=disconnected").Get(b.To).Want(200, "Disconnected.", "Connect Google")
		if len(d.linked(ann)) != 0 || d.recorded(event.AccountUnlinked) != 1 || d.told(login.AccountUnlinked) != 1 {
			t.Errorf("on file is %v", d.linked(ann))
		}
		b.Post("/account/connections/disconnect", "factor", string(f.ID)).Want(404)
	})
}

func TestConnectingNeedsAFreshProofAndTheRightBrowser(t *testing.T) {
	each(t, func(d *desk) {
		ann, bob := d.person("ann"), d.person("bob")
		d.password(ann)
		op := d.upstream("google")
		b, _ := d.on(nil, ann)
		d.clock.Add(11 * time.Minute)
		b.Get("/account/security").Post("/account/connections/connect", "connection", "google")
		at := d.prove(b).Want(303, "/sign-in/attempt_").To
		b.Get(at).Want(200, "Connect Google").Post(at+"/depart/google").Want(303, op.URL)
		landing := op.Visit(federation.Way{URL: b.To})
		// What the provider gave to one browser is worth nothing in another one, whoever is signed in there.
		victim, _ := d.on(nil, bob)
		victim.Get(landing.URL.RequestURI())
		if len(d.linked(bob)) != 0 || len(d.linked(ann)) != 0 {
			t.Fatalf("Bob has %v, Ann %v", d.linked(bob), d.linked(ann))
		}
		b.Get(landing.URL.RequestURI()).Want(303, "/account/security?done=connected")
		if len(d.linked(ann)) != 1 || len(d.linked(bob)) != 0 {
			t.Errorf("Ann has %v, Bob %v", d.linked(ann), d.linked(bob))
		}
		b.Get("/account/security").Token = "00"
		b.Post("/account/connections/disconnect", "factor", string(d.factors(ann, identity.OAuthMethod("google"))[0].ID)).Want(403)
		if len(d.linked(ann)) != 1 {
			t.Error("a form of somebody else's disconnected it")
		}
		b.Get("/account/security").Post("/account/connections/connect", "connection", "nobody").Want(404)
		b.Get("/account/security").Post("/account/connections/connect", "connection", "google").Want(303)
		d.elsewhere(b, op).Want(303, "trouble=external_account_linked")
	})
}

func TestAnAddressThatOnlyAProviderConfirmedIsConfirmedByACodeFirst(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		d.upstream("google")
		f := d.account(ann, "google", "1", "ann@example.com")
		p, err := d.people.Person(t.Context(), ann)
		d.must(err)
		h := p.Holdings[0]
		h.VerifiedBy, h.Source = f.Method, "google"
		d.must(d.people.SaveHolding(t.Context(), h))
		b, _ := d.on(nil, ann)
		b.Get("/account/security").Want(200, "Only this account has confirmed ann@example.com").Post("/account/connections/disconnect", "factor", string(f.ID)).Want(409, "Confirm it with a code first")
		if len(d.linked(ann)) != 1 {
			t.Fatal("it is gone")
		}
		b.Post("/account/identifiers", "kind", "email", "address", "ann@example.com").Want(303, "/sign-in/attempt_")
		at := b.To
		letter := d.letter(message.VerifyAddress, "ann@example.com")
		b.Get(at).Post(at+"/prove", "method", "email_code", "code", letter.Code.Reveal()).Want(303, "/account?done=added")
		p, err = d.people.Person(t.Context(), ann)
		d.must(err)
		if now := p.Holdings[0]; len(p.Holdings) != 1 || now.VerifiedBy != identity.EmailCode || !now.Primary || d.told(login.AddressAdded) != 0 {
			t.Errorf("on file is %+v", p.Holdings)
		}
		b.Get("/account/security").WantNot("Only this account").Post("/account/connections/disconnect", "factor", string(f.ID)).Want(303, "done=disconnected")
	})
}

func TestScriptsSeeConnectAndDisconnectAccountsElsewhere(t *testing.T) {
	each(t, func(d *desk) {
		ann := d.person("ann")
		d.password(ann)
		d.upstream("google", "github")
		f := d.account(ann, "google", "1", "ann@gmail.example")
		b, _ := d.on(nil, ann)
		a := d.call(b, "GET", "/me/connections", "").want(200, `"connection":"google","title":"Google","label":"ann@gmail.example"`, `"available":[{"connection":"github","title":"Github"}]`)
		if strings.Contains(a.body, "marked-token") {
			t.Errorf("tokens: %s", a.body)
		}
		d.call(b, "GET", "/me/export", "").want(200, `"connections":[{"id":"`+string(f.ID)+`","connection":"google"`)
		var x account.Export
		d.must(json.Unmarshal([]byte(d.call(b, "GET", "/me/export", "").body), &x))
		for _, one := range x.Factors {
			if one.Method.Federated() {
				t.Errorf("it is among the factors as well: %+v", one)
			}
		}
		d.call(b, "DELETE", "/me/connections/"+string(f.ID), "").want(204)
		d.call(b, "DELETE", "/me/connections/"+string(f.ID), "").want(404, `"factor_unknown"`)
		d.call(b, "DELETE", "/me/connections/factor_user_ann", "").want(404, `"factor_unknown"`) // the password
		if len(d.linked(ann)) != 0 {
			t.Errorf("on file is %v", d.linked(ann))
		}
	})
}
