package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

var (
	keyOnPage = regexp.MustCompile(`(?s)id="enroll-key">(.*?)</code>`)
	anyTag    = regexp.MustCompile(`<[^>]*>`)
	backup    = regexp.MustCompile(`<li><code>([A-Z2-9-]{19})</code>`)
)

// appCode is what an app with that key shows so many half minutes from begin.
func appCode(t testing.TB, key string, begin time.Time, steps int) string {
	t.Helper()
	c, err := totp.GenerateCode(key, begin.Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnAuthenticatorAppIsASecondStepWithoutScript(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		i.Person(ann, good)
		b := newBrowser(t, i.Issuer)
		signIn := func() *browser {
			b = newBrowser(t, i.Issuer)
			return b.Get("/sign-in").Fill("Email address", ann).Fill("Password", good).Press("Sign in")
		}
		signIn().Get("/account/security").Press("Set up an authenticator app")
		found := keyOnPage.FindStringSubmatch(b.Body)
		if found == nil {
			t.Fatalf("no key at %s:\n%s", b.URL, b.Text())
		}
		key, begin := anyTag.ReplaceAllString(found[1], ""), time.Now()
		b.Fill("Then type the code that the app shows", appCode(t, key, begin, 0)).Press("Continue")
		codes := backup.FindAllStringSubmatch(b.Body, -1)
		if len(codes) != 10 {
			t.Fatalf("%d backup codes at %s:\n%s", len(codes), b.URL, b.Text())
		}
		b.Press("Download")
		if !strings.Contains(b.Body, codes[9][1]) || strings.Contains(b.Body, "<html") {
			t.Errorf("the file says %s", b.Body)
		}

		signIn().Get("/account")
		if !strings.HasPrefix(b.URL.Path, "/sign-in") {
			t.Fatalf("half signed in, and at %s", b.URL)
		}
		signIn().Fill("Code", appCode(t, key, begin, 0)).Press("Continue")
		if b.Status != 422 {
			t.Fatalf("the same code again: %d at %s", b.Status, b.URL)
		}
		b.Fill("Code", appCode(t, key, begin, 1)).Press("Continue")
		if b.URL.Path != "/account" {
			t.Fatalf("at %s:\n%s", b.URL, b.Text())
		}
		signIn().Get(b.URL.Path+"?method=backup_code").Fill("Backup code", strings.ToLower(codes[0][1])).Press("Continue")
		if b.URL.Path != "/account" {
			t.Fatalf("at %s:\n%s", b.URL, b.Text())
		}

		// Who lost the password shows the second step, too, and before there is a new one.
		b = newBrowser(t, i.Issuer)
		b.Get("/sign-in").Fill("Email address", ann).Press("Forgot password?")
		b.Fill("Code", p.code(ann)).Press("Continue")
		if !strings.Contains(b.Text(), "Two-step verification") {
			t.Fatalf("after the mailed code, at %s:\n%s", b.URL, b.Text())
		}
		b.Get(b.URL.Path+"?method=backup_code").Fill("Backup code", codes[0][1]).Press("Continue")
		if b.Status != 422 {
			t.Fatalf("a spent backup code: %d", b.Status)
		}
		b.Fill("Backup code", codes[1][1]).Press("Continue").Fill("New password", good+" renewed").Press("Continue")
		if b.URL.Path != "/account" {
			t.Fatalf("at %s:\n%s", b.URL, b.Text())
		}
	})
}

func TestAnAuthenticatorAppIsASecondStepInARealBrowser(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		env := []string{"EMAIL=" + ann}
		if strings.HasSuffix(t.Name(), "/sqlite") {
			out, err := filepath.Abs("artifacts")
			if err != nil {
				t.Fatal(err)
			}
			env = append(env, "ARTIFACTS="+out)
		}
		i.walk(t, "app.mjs", env...)
	})
}
