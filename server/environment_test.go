package server_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"idp/server"
)

// facts is the environment as a page of that origin gets it.
func (b *surfer) facts(query string, headers ...string) (e server.Environment) {
	b.Helper()
	if err := json.Unmarshal([]byte(b.raw(http.MethodGet, "/frontend/v1/environment"+query, "", headers...)), &e); err != nil || b.Status != http.StatusOK {
		b.Fatalf("%d %v", b.Status, err)
	}
	return e
}

func TestAPageLearnsBeforeAnybodySignsInWhatStrangersAreShown(t *testing.T) {
	s := startAt(t, sqlite(t), "", "IDP_NAME=Northwind")
	b := s.surfer()
	e := b.facts("")
	if e.Issuer != s.issuer || e.Name != "Northwind" || e.Kind != "development" || e.Locale != "en" || e.SignUp != "open" || e.BrowserTokens || e.SDK.Version == "" {
		t.Errorf("%+v", e)
	}
	if want := (server.Methods{Password: true, EmailCode: true, EmailLink: true, Passkey: true}); e.Methods != want || e.PasswordRules == nil || e.PasswordRules.MinLength != 8 {
		t.Errorf("methods %+v, rules %+v", e.Methods, e.PasswordRules)
	}
	if !slices.Equal(e.SignUpFields, []server.Field{{Name: "email", Required: true}, {Name: "name"}, {Name: "password", Required: true}}) || e.Links.SignIn != s.issuer+"/sign-in" {
		t.Errorf("fields %+v, links %+v", e.SignUpFields, e.Links)
	}
	if named := sha256.Sum256([]byte(s.issuer)); e.TokenCookie != fmt.Sprintf("idp_token_%x", named[:4]) {
		t.Errorf("the token's cookie is %s", e.TokenCookie)
	}
	if len(b.Cookies()) != 0 {
		t.Errorf("asking costs a cookie: %v", b.Cookies())
	}
	tag := b.Header.Get("ETag")
	if b.Header.Get("Cache-Control") != "public, max-age=60" || strings.Join(b.Header.Values("Vary"), ", ") != "Origin, Accept-Language" || tag == "" {
		t.Errorf("%v", b.Header)
	}
	if said := b.raw(http.MethodGet, "/frontend/v1/environment", "", "If-None-Match", tag); b.Status != http.StatusNotModified || said != "" {
		t.Errorf("asked again: %d, %d bytes", b.Status, len(said))
	}
	if e := b.facts("?locale=xx-nonsense"); e.Locale != "en" {
		t.Errorf("nonsense is spoken: %q", e.Locale)
	}
}

func TestAPageLearnsIfItHasToCarryItsBrowsersToken(t *testing.T) {
	s := startAt(t, sqlite(t), "")
	b := s.surfer()
	for origin, carries := range map[string]bool{
		"": false, s.host: false, "http://localhost:5173": false, "http://127.0.0.1:5173": true, "http://app.localhost:5173": true, "https://any.example": true, "null": true,
	} {
		e := b.facts("", "Origin", origin, "Sec-Fetch-Site", map[bool]string{true: "cross-site"}[origin == "null"])
		if e.BrowserTokens != carries {
			t.Errorf("%q: %t", origin, e.BrowserTokens)
		}
		if shared := b.Header.Get("Access-Control-Allow-Origin"); origin != "" && origin != s.host && shared != origin && shared != "*" {
			t.Errorf("%q may not read it: %q", origin, shared)
		}
		if below := origin != "https://any.example" && origin != "http://127.0.0.1:5173"; e.Methods.Passkey != below {
			t.Errorf("%q: passkeys %t", origin, e.Methods.Passkey)
		}
	}
	narrow := startAt(t, sqlite(t), "", "IDP_ORIGINS=http://localhost:3000").surfer()
	if !narrow.facts("", "Origin", "http://localhost:5173").BrowserTokens || narrow.facts("", "Origin", "http://localhost:3000").BrowserTokens {
		t.Error("a list is not heeded")
	}
}

// What components say: say('key') and count('key').
var saidBy = regexp.MustCompile(`\.(?:say|count)\('([a-z_.]+)'`)

func TestEveryWordThatComponentsSayIsInTheEnvironment(t *testing.T) {
	words := startAt(t, sqlite(t), "").surfer().facts("").Words
	if words["app.made"] != "" || words["mail.sign_up"] != "" || words["settings.title"] != "" {
		t.Error("words of operators or mails are among them")
	}
	sources, err := filepath.Glob("../sdk/js/src/components/*.ts")
	if err != nil || len(sources) == 0 {
		t.Fatal("there are no components", err)
	}
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range saidBy.FindAllStringSubmatch(string(text), -1) {
			_, known := words[m[1]]
			_, counted := words[m[1]+".other"]
			if !known && !counted {
				t.Errorf("%s says %s, for which there are no words", name, m[1])
			}
		}
	}
}
