package login_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"idp/identity"
	"idp/login"
)

func TestThePasskeyButtonWorksWithoutScriptUpToWhereScriptIsNeeded(t *testing.T) {
	pages(t, func(s *site) {
		b := s.browser()
		ask := b.wait()
		b.get("/sign-in?ask="+string(ask.ID)).want(200, `autocomplete="username webauthn"`, `data-key="sign_in"`, "/assets/passkey.")
		b.post("/sign-in", "ask", string(ask.ID), "do", "passkey", "identifier", "").follow()
		b.want(200, "need JavaScript", "Try another way", `data-key="get"`, `data-href="/frontend/v1/attempts"`, "to Acme")
		s.settings.Passkeys = false
		s.browser().get("/sign-in").wantNot("passkey", "webauthn")
	})
}

func TestWhatTheBrowserSaysOfAPasskeyComesAsAFormAndLeadsOn(t *testing.T) {
	pages(t, func(s *site) {
		_, d := s.owner("ann@acme.org", identity.Passkey)
		b := s.browser()
		ask := b.wait()
		b.get("/sign-in?ask="+string(ask.ID)).post("/sign-in", "ask", string(ask.ID), "do", "passkey").follow()
		attempt := regexp.MustCompile(`data-attempt="(\w+)"`).FindStringSubmatch(b.Page)[1]
		options := func() json.RawMessage {
			a := login.AttemptID(attempt)
			kept, err := s.store.Attempt(s.Context(), a)
			s.must(err)
			jar, err := s.sessions.Browser(s.Context(), kept.Browser)
			s.must(err)
			v, err := s.engine.Prepare(s.Context(), login.At{Attempt: a, Browser: jar}, identity.Passkey)
			s.must(err)
			return v.Options
		}
		path := "/sign-in/" + attempt + "/prove"
		other := newDevice(t)
		other.auth.Options.UserHandle = []byte("stranger")
		b.post(path, "method", "passkey", "ask", string(ask.ID), "code", other.signs(options())).
			want(422, `data-error="key_unknown"`, "login-passkey", `name="ask" value="`+string(ask.ID)+`"`)
		b.post(path, "method", "passkey", "ask", string(ask.ID), "code", d.signs(options())).want(303, "/oauth2/resume?ask="+string(ask.ID))
	})
}
