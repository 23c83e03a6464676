package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const mobile = "+447400123456"

// anyURL is a link in what a command prints.
var anyURL = regexp.MustCompile(`https?://\S+`)

// Operator signs somebody in who runs the instance, in a browser without script.
func (i *instance) Operator() *browser {
	i.t.Helper()
	i.Person("operator@example.com", good)
	b := newBrowser(i.t, i.Issuer)
	b.Get("/sign-in").Fill("Email address", "operator@example.com").Fill("Password", good).Press("Sign in")
	b.Get(anyURL.FindString(i.CLI("", "operator", "link"))).Press("Become operator")
	return b
}

// SwitchOn ticks a box on the operator's page of settings.
func (i *instance) SwitchOn(field string) {
	i.t.Helper()
	i.Settle(map[string]string{field: "yes"})
}

// Settle fills in the operator's page of settings.
func (i *instance) Settle(fields map[string]string) {
	i.t.Helper()
	b := i.Operator().Get("/operator/settings")
	for field, value := range fields {
		b.typed[field] = value
	}
	b.Press("Save")
	if b.Status != 200 || !strings.Contains(b.URL.RawQuery, "saved") {
		i.t.Fatalf("settings were not saved: %d at %s:\n%s", b.Status, b.URL, b.Text())
	}
}

// Begin starts an attempt within the session, by JSON, and opens its page.
func (b *browser) Begin(body string) *browser {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.issuer+"/frontend/v1/attempts", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", b.issuer)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	var view struct{ ID string }
	if err := json.NewDecoder(res.Body).Decode(&view); err != nil || view.ID == "" {
		b.t.Fatalf("%s begins nothing: %s, %v", body, res.Status, err)
	}
	return b.Get("/sign-in/" + view.ID)
}

// wrongCode is six digits that are not these.
func wrongCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestCodesBySMSAreASecondStepWithoutScript(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		i.SwitchOn("sign_in.sms")
		i.Person(ann, good)
		b := newBrowser(t, i.Issuer)
		signIn := func() *browser {
			b = newBrowser(t, i.Issuer)
			return b.Get("/sign-in").Fill("Email address", ann).Fill("Password", good).Press("Sign in")
		}
		signIn()
		b.Begin(`{"goal":"enroll"}`)
		b.Get(b.URL.Path+"?method=phone_code").Fill("Phone number", "+44 7400 123456").Press("Send code")
		l := p.CodeLetter(mobile, 0)
		if !strings.HasSuffix(l.Text, "@localhost #"+l.Code) || strings.Contains(b.Body, "7400") {
			t.Fatalf("sent %q, and the page shows %s", l.Text, b.Text())
		}
		b.Fill("Code", wrongCode(l.Code)).Press("Continue")
		if b.Status != 422 {
			t.Fatalf("a wrong code: %d:\n%s", b.Status, b.Text())
		}
		b.Fill("Code", l.Code).Press("Continue")

		signIn()
		if !strings.Contains(b.Text(), "•••56") || b.Has("login-code") {
			t.Fatalf("at %s:\n%s", b.URL, b.Text())
		}
		b.Get("/account")
		if !strings.HasPrefix(b.URL.Path, "/sign-in") {
			t.Fatalf("half signed in, and at %s", b.URL)
		}
		signIn()
		b.Press("Send message")
		l = p.CodeLetter(mobile, 1)
		b.Fill("Code", l.Code[:3]+" "+l.Code[3:]).Press("Continue")
		if b.URL.Path != "/account" {
			t.Fatalf("at %s:\n%s", b.URL, b.Text())
		}

		// Another number on file, which is not asked for anything.
		b.Fill("Phone number", "+44 7400 123457").PressID("new-phone-add")
		b.Fill("Code", p.code("+447400123457")).Press("Continue")
		if b.URL.Path != "/account" || !strings.Contains(b.Text(), "+447400123457") {
			t.Fatalf("at %s:\n%s", b.URL, b.Text())
		}
		if signIn(); !strings.Contains(b.Text(), "•••56") || strings.Contains(b.Text(), "•••57") {
			t.Fatalf("at %s:\n%s", b.URL, b.Text())
		}
	})
}

func TestCodesBySMSAreASecondStepInARealBrowser(t *testing.T) {
	needBrowser(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.SwitchOn("sign_in.sms")
		i.Person(ann, good)
		env := []string{"EMAIL=" + ann, "PHONE=" + mobile}
		if strings.HasSuffix(t.Name(), "/sqlite") {
			out, err := filepath.Abs("artifacts")
			if err != nil {
				t.Fatal(err)
			}
			env = append(env, "ARTIFACTS="+out)
		}
		i.walk(t, "sms.mjs", env...)
	})
}
