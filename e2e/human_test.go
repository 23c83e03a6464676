package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNobodySeesTheBotCheckAndNobodyNeedsScriptForIt(t *testing.T) {
	needBrowser(t)
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
		env := []string{"OPERATOR_LINK=" + link}
		if strings.HasSuffix(t.Name(), "/sqlite") {
			out, err := filepath.Abs("artifacts")
			if err != nil {
				t.Fatal(err)
			}
			env = append(env, "ARTIFACTS="+out)
		}
		i.walk(t, "human.mjs", env...)
	})
}
