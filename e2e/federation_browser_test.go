package e2e

import (
	"fmt"
	"testing"
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
