package login_test

import (
	"fmt"
	"strings"
	"testing"

	"idp/identity"
	"idp/login"
)

func TestAScriptIsGivenTheSquareThatAnAuthenticatorAppScans(t *testing.T) {
	h := newHouse(t, openSQLite(t))
	h.settings.TwoStep = login.Required
	h.person("ann@example.com", identity.Password)
	s := newScript(h)
	s.want(201, login.NeedsIdentifier)(s.call("", `{"goal":"sign_in"}`))
	s.want(200, login.NeedsFirstFactor)(s.call("identify", `{"identifier":"ann@example.com"}`))
	s.want(200, login.NeedsEnrollment)(s.call("prove", fmt.Sprintf(`{"method":"password","answer":%q}`, rightPassword)))
	status, v := s.call("enroll", `{"method":"totp"}`)
	s.want(200, login.NeedsEnrollment)(status, v)
	enrollment := v["enrollment"].(map[string]any)
	square, _ := enrollment["qr"].(map[string]any)
	side, _ := square["side"].(float64)
	path, _ := square["path"].(string)
	if side < 29 || !strings.HasPrefix(path, "M4 4.5h7") || strings.Trim(path, "Mh0123456789. ") != "" {
		t.Fatalf("the enrollment has no square to scan: side %v, path %.60q", side, path) // the first finder begins after the quiet zone
	}
	if _, v = s.get("/frontend/v1/attempts/" + s.id); v["enrollment"].(map[string]any)["qr"] == nil {
		t.Fatal("the square is gone at the second look")
	}
}
