package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPeopleSignInWithPasskeysAndSecurityKeysInARealBrowser(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		i.Person("bob@example.com", good)
		i.Person("eve@example.com", good)
		c := i.Client("--name", "Acme", "--redirect-uri", "http://127.0.0.1/callback")
		env := []string{"EMAIL=" + ann, "OTHER=bob@example.com", "THIRD=eve@example.com", "CLIENT_ID=" + c.ID, "CLIENT_SECRET=" + c.Secret}
		if strings.HasSuffix(t.Name(), "/sqlite") {
			out, err := filepath.Abs("artifacts")
			if err != nil {
				t.Fatal(err)
			}
			env = append(env, "ARTIFACTS="+out)
		}
		i.walk(t, "keys.mjs", env...)
	})
}
