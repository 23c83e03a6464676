package e2e

import (
	"testing"
)

// Operators make, try, attach and delete a template with plain forms; then axe reads the pages that operators have, and
// the keyboard goes round them.
func TestOperatorsMakeTemplatesWithoutScriptAndReadTheirPages(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Person(ann, good)
		i.Person("bob@example.com", good)
		c := i.Client("--name", "Acme", "--redirect-uri", "https://app.example.com/callback")
		i.Connect(map[string]any{"name": "google", "preset": "google", "client_id": "from-google", "client_secret": "kept to ourselves"})
		i.walkUnclaimed(t, "operator-pages.mjs", "EMAIL="+ann, "PASSWORD="+good, "CLIENT_ID="+c.ID)
	})
}
