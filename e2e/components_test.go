package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fallback is one of the words that elements have when there is nobody to ask for any.
var fallback = regexp.MustCompile(`(?m)^  '([a-z_.]+)': '(.+)',$`)

func TestWhatElementsSayWithoutAServerIsWhatTheCatalogueSays(t *testing.T) {
	source, err := os.ReadFile("../sdk/js/src/components/words.ts")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../templates/locales/en.json")
	if err != nil {
		t.Fatal(err)
	}
	catalogue := map[string]string{}
	if err := json.Unmarshal(raw, &catalogue); err != nil {
		t.Fatal(err)
	}
	all := fallback.FindAllStringSubmatch(string(source), -1)
	if len(all) == 0 {
		t.Fatal("words.ts has no words of its own any more")
	}
	for _, m := range all {
		if catalogue[m[1]] != m[2] {
			t.Errorf("%s is %q in words.ts and %q in the catalogue", m[1], m[2], catalogue[m[1]])
		}
	}
}

// pictures is where walks of one engine leave how pages look.
func pictures(t *testing.T) []string {
	t.Helper()
	if !strings.HasSuffix(t.Name(), "/sqlite") {
		return nil
	}
	out, err := filepath.Abs("artifacts")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"ARTIFACTS=" + out}
	if *write { // the pictures in the documentation, of what was just walked through
		folder := filepath.Join(filepath.Dir(filepath.Dir(out)), "docs", "components")
		env = append(env, "PICTURES="+folder)
		t.Cleanup(func() { slim(t, folder) })
	}
	return env
}

func TestPeopleSignInAndUpOnAPageOfAnAppWithAStrictPolicy(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person("bob@example.com", good)
		i.walk(t, "components.mjs", append(pictures(t), "EMAIL=bob@example.com")...)
	})
}

func TestEveryWayInWorksOnAPageOfAnApp(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		o := needOpenProvider(t)
		i.Connect(o.Register(i, "other", map[string]any{"trust": map[string]any{"mfa": true}}))
		i.Start()
		i.Settle(map[string]string{"sign_in.two_step": "required", "sign_in.bot_check": "always", "sign_in.sms": "yes", "sign_in.trust_days": "30"})
		for _, name := range []string{"ann", "bob", "eve"} {
			i.Person(name+"@example.com", good)
		}
		o.Says("dan", map[string]any{"email": "dan@example.com", "email_verified": true})
		i.walk(t, "components-ways.mjs", append(pictures(t), "UPSTREAM="+o.Origin, "PHONE="+mobile,
			"ANN=ann@example.com", "BOB=bob@example.com", "EVE=eve@example.com", "KIM=kim@example.com")...)
	})
}

func TestElementsLeaveNothingBehindAndGoOnWhenTheyAreBack(t *testing.T) {
	needBrowser(t)
	t.Logf("%s", node(t, ".", "node", "web/components-life.mjs"))
}
