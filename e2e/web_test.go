package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// needBrowser skips where Node and Chromium need not be there.
func needBrowser(t *testing.T) {
	t.Helper()
	if os.Getenv("IDP_TEST_E2E") == "" {
		t.Skip("needs Node and Chromium: make test brings them and sets IDP_TEST_E2E")
	}
}

// walk lets Node run a script of the folder web, which drives Chromium; what it says goes
// to the test's log, and its failure is the test's.
func (i *instance) walk(t *testing.T, script string, env ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join("web", script))
	cmd.Env = append(append(os.Environ(), "ISSUER="+i.Issuer, "CHROMIUM="+os.Getenv("IDP_TEST_CHROMIUM")), env...)
	if a := i.authority; a != nil {
		cmd.Env = append(cmd.Env, "NODE_EXTRA_CA_CERTS="+a.CA, "TLS_CERTIFICATE="+a.Certificate, "TLS_KEY="+a.Key)
	}
	said, err := cmd.CombinedOutput()
	t.Logf("%s", said)
	if err != nil {
		t.Fatal(err)
	}
}

// operatorLink is what idp prints while nobody runs the instance.
var operatorLink = regexp.MustCompile(`http://localhost:\d+/operator/claim\?token=\S+`)

// walkUnclaimed starts an instance that nobody runs yet and walks with the link that makes an operator; pictures are
// kept of one engine.
func (i *instance) walkUnclaimed(t *testing.T, script string, more ...string) {
	t.Helper()
	p := i.Start()
	link := ""
	for deadline := time.Now().Add(patience); link == ""; time.Sleep(10 * time.Millisecond) { // printed right after idp is ready
		if link = operatorLink.FindString(p.logs.String()); link == "" && time.Now().After(deadline) {
			t.Fatalf("idp did not print an operator link:\n%s", p.logs.String())
		}
	}
	env := append([]string{"OPERATOR_LINK=" + link}, more...)
	if strings.HasSuffix(t.Name(), "/sqlite") {
		out, err := filepath.Abs("artifacts")
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "ARTIFACTS="+out)
	}
	i.walk(t, script, env...)
}

func TestANewcomerInARealBrowserIsAtHomeWithinMinutes(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.walkUnclaimed(t, "newcomer.mjs")
	})
}
