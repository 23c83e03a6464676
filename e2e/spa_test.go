package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

var buildExample = sync.OnceValues(func() (string, error) {
	out := filepath.Join(filepath.Dir(binary), "spa")
	said, err := exec.Command("go", "-C", "../examples/spa", "build", "-o", out, ".").CombinedOutput()
	return string(said) + out, err
})

// address is what the example prints once it answers.
var address = regexp.MustCompile(`(?m)^Notes, an example app: (http://\S+)$`)

// Example runs examples/spa beside the instance, as its README says, and returns its origin.
func (i *instance) Example(t *testing.T) string {
	t.Helper()
	bin, err := buildExample()
	if err != nil {
		t.Fatalf("build the example: %v\n%s", err, bin)
	}
	said := &logs{}
	cmd := exec.Command(bin, "-listen", "127.0.0.1:0", "-issuer", i.Issuer) //nolint:gosec // what was just built
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if at := address.FindStringSubmatch(said.String()); at != nil {
			return at[1]
		}
	}
	t.Fatalf("the example does not start:\n%s", said)
	return ""
}

// walkExample walks through the example; how pages look, and how long a token lives, does not depend on the database.
func (i *instance) walkExample(t *testing.T, script string, env ...string) {
	t.Helper()
	env = append(env, "APP="+i.Example(t))
	if strings.HasSuffix(t.Name(), "/sqlite") {
		out, err := filepath.Abs("artifacts")
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "ARTIFACTS="+out, "MEASURE=yes")
	}
	i.walk(t, script, env...)
}

func TestAnAppWithComponentsAndAnAPISignsPeopleInAndHearsWhenTheyLeave(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.walkExample(t, "spa.mjs")
	})
}

func TestPeopleKeepTheirWholeAccountInsideAnApp(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		i.Person("bob@example.com", good)
		i.walkExample(t, "spa-account.mjs", "EMAIL="+ann, "OTHER=bob@example.com", "WORK="+work, "NEWER="+newer)
	})
}

func TestTheExampleSaysThatNobodyAnswersAtTheIssuer(t *testing.T) {
	i := newInstance(t, sqliteDatabase(t)) // and does not start
	app := newBrowser(t, i.Example(t)).Get("/")
	if app.Status != 200 || !strings.Contains(app.Text(), i.Issuer) {
		t.Errorf("%d: %s", app.Status, app.Text())
	}
}
