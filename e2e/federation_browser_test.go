package e2e

import (
	"fmt"
	"testing"
	"time"

	"idp/federation/federationtest"
)

func TestAPersonsStoryWithProvidersInARealBrowser(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		o := needOpenProvider(t)
		i.Connect(o.Register(i, "first", map[string]any{"title": "First"}))
		i.Connect(o.Register(i, "second", map[string]any{"title": "Second"}))
		for _, name := range []string{"script", "plain", "keys"} {
			o.Says(name, map[string]any{"email": name + "@example.com", "email_verified": false})
		}
		i.Start()
		port := freePort(t)
		c := i.Client("--name", "Acme", "--redirect-uri", fmt.Sprintf("http://127.0.0.1:%d/callback", port))
		d := i.open()
		before := d.ledger()
		i.walk(t, "federation-story.mjs", "UPSTREAM="+o.Origin, "CLIENT_ID="+c.ID, "CLIENT_SECRET="+c.Secret, fmt.Sprintf("APPLICATION_PORT=%d", port))
		d.grown(t, before, ledger{people: 3, links: 3, sessions: 3, proven: 3})
	})
}

func TestAProviderThatPostsItsAnswerAndTwoAccountsThatBecomeOneInARealBrowser(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		o := federationtest.New(t, time.Now)
		o.Document = func(d map[string]any) { d["response_modes_supported"] = []string{"form_post"} }
		i.Connect(map[string]any{"name": "poster", "type": "oidc", "issuer": o.URL, "title": "Poster",
			"client_id": federationtest.ClientID, "client_secret": o.Connection("poster").ClientSecret.Reveal()})
		i.Person("bob@example.com", good)
		i.Start()
		d := i.open()
		before := d.ledger()
		i.walk(t, "federation-posted.mjs", "UPSTREAM="+o.URL, "POSTED=ann@example.com", "EMAIL=bob@example.com")
		d.grown(t, before, ledger{links: 1, sessions: 2, proven: 1})
	})
}
