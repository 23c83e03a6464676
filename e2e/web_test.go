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

// operatorLink is what idp prints while nobody runs the instance.
var operatorLink = regexp.MustCompile(`http://localhost:\d+/operator/claim\?token=\S+`)

func TestANewcomerInARealBrowserIsAtHomeWithinMinutes(t *testing.T) {
	if os.Getenv("IDP_TEST_E2E") == "" {
		t.Skip("needs Node and Chromium: make test brings them and sets IDP_TEST_E2E")
	}
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		link := ""
		for tries := 0; link == "" && tries < 500; tries++ { // printed right after idp is ready
			time.Sleep(10 * time.Millisecond)
			link = operatorLink.FindString(p.logs.String())
		}
		if link == "" {
			t.Fatalf("idp did not print an operator link:\n%s", p.logs.String())
		}
		out, err := filepath.Abs("artifacts")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", "web/newcomer.mjs")
		cmd.Env = append(os.Environ(), "ISSUER="+i.Issuer, "OPERATOR_LINK="+link,
			"CHROMIUM="+os.Getenv("IDP_TEST_CHROMIUM"))
		if strings.HasSuffix(t.Name(), "/sqlite") {
			cmd.Env = append(cmd.Env, "ARTIFACTS="+out)
		}
		said, err := cmd.CombinedOutput()
		t.Logf("%s", said)
		if err != nil {
			t.Fatal(err)
		}
	})
}
