package e2e

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/federation/federationtest"
)

// corp is a connection to crewjam's identity provider, which speaks for corp.example.
func (i *instance) corp(t *testing.T, plain bool) (*corporation, *process) {
	t.Helper()
	c := newCorporation(t)
	c.Plain = plain
	i.Connect(c.Connection("corp", map[string]any{"domains": []string{"corp.example"}}))
	p := i.Start()
	c.Meet(t, i, "corp")
	return c, p
}

func TestPeopleSignInByASAMLProviderThatOthersWrote(t *testing.T) {
	for name, plain := range map[string]bool{"encrypted": false, "plain": true} {
		t.Run(name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, i *instance) {
				c, p := i.corp(t, plain)
				d := i.open()

				c.Signs("ann", "ann@corp.example") // of its domain, so believed
				before := d.ledger()
				b := i.depart(t, "corp")
				b.Post(c.at(t, b)).wantHome(t, "ann@corp.example")
				d.grown(t, before, ledger{people: 1, links: 1, sessions: 1, proven: 1})

				c.Signs("ann", "someone.else@corp.example") // the name leads to her, not the address
				b = i.depart(t, "corp")
				b.Post(c.at(t, b)).wantHome(t, "ann@corp.example")
				d.grown(t, before, ledger{people: 1, links: 1, sessions: 2, proven: 1})

				i.Person("bea@elsewhere.example", good)
				c.Signs("bob", "bea@elsewhere.example") // of another's domain
				before = d.ledger()
				b = i.depart(t, "corp")
				b.Post(c.at(t, b)).wantNoWayRound(t, d, before)
				b.Fill("Code", p.code("bea@elsewhere.example")).Press("Continue").wantHome(t, "bea@elsewhere.example")
				d.grown(t, before, ledger{links: 1, sessions: 1})
			})
		})
	}
}

func TestAlteredResponsesOfASAMLProviderLetNobodyIn(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		c, _ := i.corp(t, true)
		i.Person("victim@corp.example", good)
		c.Signs("eve", "eve@corp.example")
		d := i.open()
		for _, a := range alterations {
			t.Run(a.name, func(t *testing.T) {
				before := d.ledger()
				b := i.depart(t, "corp")
				f := c.at(t, b)
				f.Values.Set("SAMLResponse", a.altered(t, f.Values.Get("SAMLResponse")))
				refused(t, b.Post(f))
				d.grown(t, before, ledger{})
			})
		}
		t.Run("in another browser", func(t *testing.T) {
			before := d.ledger()
			b := i.depart(t, "corp")
			refused(t, newBrowser(t, i.Issuer).Post(c.at(t, b)))
			d.grown(t, before, ledger{})
		})
		t.Run("without being asked", func(t *testing.T) {
			before := d.ledger()
			b := i.depart(t, "corp")
			f := c.at(t, b)
			f.Values = maps.Clone(f.Values)
			f.Values.Del("RelayState")
			refused(t, b.Post(f))
			d.grown(t, before, ledger{})
		})
		t.Run("a second time", func(t *testing.T) {
			before := d.ledger()
			b := i.depart(t, "corp")
			f := c.at(t, b)
			f.Values.Set("SAMLResponse", rewritten.altered(t, f.Values.Get("SAMLResponse")))
			b.Post(f).wantHome(t, "eve@corp.example")
			d.grown(t, before, ledger{people: 1, links: 1, sessions: 1, proven: 1})
			refused(t, newBrowser(t, i.Issuer).Post(f))
			if other := i.depart(t, "corp"); other.Left != nil { // with a request of its own under way
				refused(t, other.Post(f))
			}
			b.Post(f)
			d.grown(t, before, ledger{people: 1, links: 1, sessions: 1, proven: 1})
		})
	})
}

func TestSAMLWithinAnAppsRequestSaysHowAndWhen(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		c, _ := i.corp(t, false)
		rp := newRelyingParty(t, i, i.Client("--name", "Acme", "--redirect-uri", callback, "--first-party"), "email")
		c.Signs("ann", "ann@corp.example")
		began := time.Now()
		b := newBrowser(t, i.Issuer)
		r := rp.ask(b)
		b.PressID(button("corp"))
		first := rp.told(r, b.Post(c.at(t, b)))
		wantProof(t, first, "aal1", nil, began)
		if silent := rp.told(rp.ask(b, "prompt", "none"), b); silent["sub"] != first["sub"] {
			t.Errorf("silently %v, at first %v", silent, first)
		}

		// A proof anew: the provider is told to ask for one, and did.
		c.Signs("ann", "ann@corp.example")
		r = rp.ask(b, "prompt", "login")
		b.PressID(button("corp"))
		if b.Left == nil || !strings.Contains(samlRequest(t, b.Left), `ForceAuthn="true"`) {
			t.Errorf("the provider was asked\n%s", samlRequest(t, b.Left))
		}
		wantProof(t, rp.told(r, b.Post(c.at(t, b))), "aal1", nil, began)
	})
}

func TestSimpleSAMLphpInARealBrowserWithResponsesAlteredOnTheirWay(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		s := needSimpleSAML(t)
		i.Connect(s.Connection("corp", map[string]any{"domains": []string{"corp.example"}}))
		i.Start()
		s.Meet(t, i, "corp")
		d := i.open()
		before := d.ledger()
		var names []string
		for _, a := range alterations {
			names = append(names, a.name)
		}
		list, err := json.Marshal(names)
		if err != nil {
			t.Fatal(err)
		}
		i.walk(t, "saml.mjs", "UPSTREAM="+s.Origin, "ALTERER="+alterer(t), "CONNECTION=corp", "ALTERATIONS="+string(list))
		d.grown(t, before, ledger{people: 1, links: 1, sessions: 1, proven: 1})
	})
}

func TestTwoStepsAtATrustedSAMLProviderAreTwoStepsForTheApp(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		there := federationtest.NewSAML(t, time.Now)
		server := httptest.NewServer(there.Handler())
		t.Cleanup(server.Close)
		there.Address, there.EntityID = server.URL, server.URL+"/metadata"
		i.Connect(map[string]any{"name": "corp", "type": "saml", "metadata_url": there.EntityID, "domains": []string{"acme.example"}, "trust": map[string]any{"mfa": true}})
		i.Start()
		rp := newRelyingParty(t, i, i.Client("--name", "Acme", "--redirect-uri", callback, "--first-party"), "email")
		for context, acr := range map[string]string{"https://refeds.org/profile/mfa": "aal2", "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport": "aal1"} {
			there.Person.Context = context
			began := time.Now()
			b := newBrowser(t, i.Issuer)
			r := rp.ask(b)
			b.PressID(button("corp"))
			claims := rp.told(r, b.Post(formAt(t, newBrowser(t, server.URL).Get(b.Left.String()))))
			amr, _ := claims["amr"].([]any)
			if claims["acr"] != acr || slices.Contains(amr, any("mfa")) != (acr == "aal2") {
				t.Errorf("%s is acr %v, amr %v", context, claims["acr"], amr)
			}
			if at, _ := claims["auth_time"].(float64); int64(at) < began.Unix() {
				t.Errorf("auth_time is %v, want one since %v", at, began)
			}
		}
	})
}
