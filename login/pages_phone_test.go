package login_test

import (
	"strings"
	"testing"

	"idp/identity"
	"idp/login"
	"idp/message"
)

func TestAPersonSetsUpTheirPhoneWhileSigningInAndUsesIt(t *testing.T) {
	pages(t, func(s *site) {
		s.settings.TwoStep, s.settings.SMS, s.settings.Passkeys, s.settings.SecurityKeys, s.settings.BackupCodes = login.Required, true, false, false, false
		s.person("ann@acme.org", identity.Password)
		b := s.toSecond("ann@acme.org").want(200, "Set up two-step verification", `id="enroll-phone_code"`, "?method=phone_code")
		at := path(b.Page)
		b.get(at+"?method=phone_code").want(200, "Use your phone", `type="tel"`, `autocomplete="tel"`, "your country code.")
		b.post(at+"/enroll", "method", "phone_code", "detail", "07400 123456").want(422, "Enter a phone number with its country code", `value="07400 123456"`)
		b.post(at+"/enroll", "method", "phone_code", "detail", "+44 7400 123456").want(303, at).follow()
		b.want(200, "•••56", `autocomplete="one-time-code"`, `data-wait="30"`, "Use another number").wantNot("7400")
		b.post(at+"/enroll", "method", "phone_code").want(429, "A message was just sent", "•••56")
		b.get(at+"?method=phone_code&change=1").want(200, `type="tel"`)
		b.get(at+"?other=1").want(200, `id="enroll-totp"`)
		code := s.digits(mobile, message.PhoneProof)
		b.post(at+"/confirm", "code", otherThan(code)).want(422, "That code is not right.", "•••56")
		b.get("/sign-in").want(200, "login-identifier") // half a sign-in is none
		b.post(at+"/confirm", "code", code).want(303, "/account")

		s.clock.Add(resend)
		b = s.toSecond("ann@acme.org").want(200, "Two-step verification", "We can send a text message to", "•••56").wantNot("7400", `name="code"`)
		at = path(b.Page)
		if n := len(s.letters(mobile)); n != 1 {
			t.Fatalf("%d messages by looking at a page", n)
		}
		b.post(at+"/prepare", "method", "phone_code").want(303, at).follow().want(200, "Enter the 6-digit code we sent to", `inputmode="numeric"`, `data-wait="30"`, "reception").wantNot("open the link")
		b.post(at+"/prepare", "method", "phone_code").want(429, "A message was just sent")
		code = s.digits(mobile, message.PhoneCode)
		b.post(at+"/prove", "method", "phone_code", "code", otherThan(code)).want(422, "That code is not right.")
		b.post(at+"/prove", "method", "phone_code", "code", strings.Join(strings.Split(code, ""), " ")).want(303, "/account")
	})
}
