package login_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/event"
	"idp/identity"
	"idp/login"
)

// key reads the seed off the page that sets up an app, as a person types it.
func (b *tab) key() string {
	b.site.Helper()
	shown := regexp.MustCompile(`<code id="enroll-key">(.*?)</code>`).FindStringSubmatch(b.Page)
	if shown == nil {
		b.site.Fatalf("no key on the page: %s", b.Page)
	}
	return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(shown[1], "")
}

// toSecond brings a new browser to the page of the second factor.
func (s *site) toSecond(mail string) *tab {
	s.Helper()
	return s.browser().get("/sign-in").
		post("/sign-in", "do", "sign_in", "identifier", mail, "password", rightPassword).want(303, "/sign-in/attempt_").follow()
}

func path(page string) string {
	return regexp.MustCompile(`/sign-in/attempt_\w+`).FindString(page)
}

func TestAPersonSetsUpAnAppWhileSigningInAndUsesABackupCode(t *testing.T) {
	pages(t, func(s *site) {
		s.settings.TwoStep, s.settings.Passkeys, s.settings.SecurityKeys = login.Required, false, false
		s.person("ann@acme.org", identity.Password)
		b := s.toSecond("ann@acme.org").want(200, "Set up two-step verification", `name="method" value="totp"`)
		at := path(b.Page)
		b.post(at+"/confirm", "code", "123456").want(409, "Choose what to set up first.")
		b.post(at+"/enroll", "method", "totp").want(303, at).follow().want(200, "Set up your authenticator app", `<svg class="idp-qr"`)
		key := b.key()
		if link := html.UnescapeString(b.Page); !strings.Contains(link, `href="otpauth://totp/North%20Wind:ann%40acme.org?secret=`+key) {
			t.Errorf("no link that an app opens: %s", link)
		}
		b.post(at+"/confirm", "code", s.wrongCode(key)).want(422, "That code is not right", "enroll-key")
		b.get("/sign-in").want(200, "login-identifier") // half a sign-in is none
		b.post(at+"/confirm", "code", s.code(key, 0)).want(200, "Keep your backup codes", `href="/account"`)
		codes := regexp.MustCompile(`<li><code>([A-Z2-9-]{19})</code>`).FindAllStringSubmatch(b.Page, -1)
		if len(codes) != 10 {
			t.Fatalf("%d codes on the page", len(codes))
		}
		b.post("/sign-in/backup-codes", "backup", codes[0][1]).want(200, codes[0][1], "Backup codes for Northwind").wantNot("<html")
		b.post("/sign-in/backup-codes", "backup", "Call +1 555 now").want(422)
		b.get(at).want(303, "/account").wantNot(key, codes[0][1])
		b.get("/sign-in").want(303, "/account")

		s.clock.Add(time.Minute)
		b = s.toSecond("ann@acme.org").want(200, "Two-step verification", "authenticator", `autocomplete="one-time-code"`, `inputmode="numeric"`)
		at = path(b.Page)
		b.post(at+"/prove", "method", "totp", "code", s.wrongCode(key)).want(422, "That code is not right")
		b.get(at+"?other=1").want(200, "Authenticator app", "Backup code").get(at+"?method=backup_code").want(200, "Type one of the backup codes")
		b.post(at+"/prove", "method", "backup_code", "code", strings.ToLower(codes[3][1])).want(303, "/account")
		b = s.toSecond("ann@acme.org")
		b.post(path(b.Page)+"/prove", "method", "backup_code", "code", codes[3][1]).want(422, "or it was used already")
		if n := len(s.recorded(event.BackupCodeUsed)); n != 1 {
			t.Errorf("%d uses are on record", n)
		}
	})
}

func TestWhoIsHalfSignedInGetsNothingButTheSecondStep(t *testing.T) {
	pages(t, func(s *site) {
		s.app("ann@acme.org")
		b := s.toSecond("ann@acme.org").want(200, "Two-step verification")
		at := path(b.Page)
		b.post(at+"/enroll", "method", "totp").want(409).wantNot("enroll-key")
		b.post(at+"/password", "password", "another quiet lantern").want(409)
		b.get("/sign-in").want(200, "login-identifier")
		for range 4 {
			b.post(at+"/prove", "method", "totp", "code", s.wrongCode(seed)).want(422)
		}
		b.post(at+"/prove", "method", "totp", "code", s.wrongCode(seed)).want(410, "wrong too often", `href="/sign-in"`)
		b.post(at+"/prove", "method", "totp", "code", s.code(seed, 0)).want(410)
		if s.password(s.app("bob@acme.org")) != rightPassword {
			t.Error("the password changed")
		}
	})
}

func TestTheFrontendAPISetsUpAnAppAndTellsTheBackupCodesOnce(t *testing.T) {
	each(t, func(h *house) {
		h.settings.TwoStep = login.Required
		h.person("ann@example.com", identity.Password)
		s := newScript(h)
		send := func(event, body string, status int) map[string]any {
			h.Helper()
			got, v := s.call(event, body)
			if got != status {
				h.Fatalf("%s %s: answered %d %v", event, body, got, v)
			}
			return v
		}
		send("", `{"goal":"sign_in"}`, 201)
		send("identify", `{"identifier":"ann@example.com"}`, 200)
		if v := send("prove", `{"method":"password","answer":"`+rightPassword+`"}`, 200); v["step"] != "needs_enrollment" {
			t.Fatalf("at %v", v["step"])
		}
		v := send("enroll", `{"method":"totp","detail":"Phone"}`, 200)
		made, _ := v["enrollment"].(map[string]any)
		key, _ := made["key"].(string)
		if len(key) != 32 || made["method"] != "totp" {
			t.Fatalf("answered %v", v)
		}
		send("confirm", `{"answer":"`+h.wrongCode(key)+`"}`, 422)
		v = send("confirm", `{"answer":"`+h.code(key, 0)+`"}`, 200)
		if codes, _ := v["backup_codes"].([]any); v["step"] != "complete" || len(codes) != 10 {
			t.Fatalf("answered %v", v)
		}
		if _, v = s.get("/frontend/v1/attempts/" + s.id); v["step"] != "complete" || v["backup_codes"] != nil || v["enrollment"] != nil {
			t.Errorf("a later look answers %v", v)
		}
	})
}
