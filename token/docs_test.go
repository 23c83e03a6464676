package token_test

import (
	"os"
	"strings"
	"testing"

	"idp/token"
)

func TestTheManualNamesEverythingTemplatesKnow(t *testing.T) {
	text, err := os.ReadFile("../docs/integrate/jwt-templates.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(text)
	for _, s := range token.Shortcodes() {
		if !strings.Contains(manual, "`"+s.Name+"`") {
			t.Errorf("the manual lacks %s", s.Name)
		}
		if _, err := token.Compile(token.Template{Name: "t", Claims: mustJSON(map[string]string{"x": "{{" + s.Name + "}}"})}); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	for _, p := range token.Presets() {
		if !strings.Contains(manual, "`"+p.Name+"`") {
			t.Errorf("the manual lacks the preset %s", p.Name)
		}
	}
	_, list, _ := strings.Cut(manual, "### What cannot be set")
	list, _, _ = strings.Cut(list, "## Signing keys")
	for _, name := range strings.Split(list, "`") {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == "" && name != "" && !strings.HasPrefix(name, "user") && token.Reserved(name) == "" {
			t.Errorf("the manual says that %s is reserved", name)
		}
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "azp", "scope", "client_id", "org", "act", "cnf"} {
		if !strings.Contains(list, "`"+name+"`") {
			t.Errorf("the manual lacks the reserved %s", name)
		}
	}
}
