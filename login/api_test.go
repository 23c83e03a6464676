package login_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/web"
	"idp/internal/web/webtest"
	"idp/login"
	"idp/message"
	"idp/session"
)

// script is a client of the Frontend API with a cookie jar, over a real socket.
type script struct {
	*house
	api    *login.API
	server *httptest.Server
	client *http.Client
	id     string
}

func newScript(h *house) *script {
	h.Helper()
	keeper := &session.Keeper{
		Store: h.sessions, Events: h.events, Cookies: session.NewCookies(false, "1", ""), Settings: session.DefaultSettings,
		InTx: h.db.InTx, Now: h.clock.Now, Network: web.Network,
	}
	api := &login.API{Engine: h.engine, Keeper: keeper, Locale: func(*http.Request) string { return "en" }, Return: listed.Returnable, Meter: &login.Meter{Browser: 10}}
	mux := http.NewServeMux()
	for pattern, do := range map[string]web.Handler{
		"POST /frontend/v1/attempts":                    api.Start,
		"GET /frontend/v1/attempts/{attempt}":           api.Look,
		"POST /frontend/v1/attempts/{attempt}/identify": api.Identify,
		"POST /frontend/v1/attempts/{attempt}/prepare":  api.Prepare,
		"POST /frontend/v1/attempts/{attempt}/prove":    api.Prove,
		"POST /frontend/v1/attempts/{attempt}/forgot":   api.Forgot,
		"POST /frontend/v1/attempts/{attempt}/submit":   api.Submit,
		"POST /frontend/v1/attempts/{attempt}/password": api.Password,
		"POST /frontend/v1/attempts/{attempt}/enroll":   api.Enroll,
		"POST /frontend/v1/attempts/{attempt}/confirm":  api.Confirm,
		"POST /frontend/v1/attempts/{attempt}/cancel":   api.Cancel,
		"POST /frontend/v1/attempts/{attempt}/human":    api.PassHuman,
		"POST /frontend/v1/bot-check":                   api.Due,
		"POST /frontend/v1/password-strength":           api.Strength,
		"GET /who": func(w http.ResponseWriter, r *http.Request) error {
			s, err := keeper.Current(r)
			if err != nil {
				return err
			}
			return web.WriteJSON(w, http.StatusOK, s.User)
		},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			err := do(w, r)
			var p *problem.Error
			switch {
			case errors.As(err, &p):
				web.WriteProblem(w, r, p)
			case err != nil:
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	s := &script{house: h, api: api, server: httptest.NewServer(mux)}
	h.Cleanup(s.server.Close)
	s.client = s.server.Client()
	s.client.Jar, _ = cookiejar.New(nil)
	s.client.Transport = webtest.Hold(h, s.client.Transport, "")
	return s
}

// call posts body and returns the status and what the answer says.
func (s *script) call(event, body string) (int, map[string]any) {
	s.Helper()
	path := "/frontend/v1/attempts"
	if event != "" {
		path += "/" + s.id + "/" + event
	}
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.server.URL+path, strings.NewReader(body))
	s.must(err)
	req.Header.Set("Content-Type", "application/json")
	return s.do(req)
}

func (s *script) get(path string) (int, map[string]any) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.server.URL+path, nil)
	s.must(err)
	return s.do(req)
}

func (s *script) do(req *http.Request) (int, map[string]any) {
	s.Helper()
	res, err := s.client.Do(req)
	s.must(err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	s.must(err)
	var v map[string]any
	if json.Unmarshal(raw, &v) == nil && v["id"] != nil {
		s.id = v["id"].(string)
	}
	return res.StatusCode, v
}

func (s *script) want(status int, step login.Step) func(int, map[string]any) {
	return func(got int, v map[string]any) {
		s.Helper()
		if got != status || step != "" && v["step"] != string(step) {
			s.Fatalf("answered %d %v, want %d %s", got, v, status, step)
		}
	}
}

func TestAScriptSignsUpSignsInAndResets(t *testing.T) {
	each(t, func(h *house) {
		s := newScript(h)
		s.want(201, login.MissingRequirements)(s.call("", `{"goal":"sign_up"}`))
		s.want(200, login.NeedsEmailVerification)(s.call("submit", fmt.Sprintf(`{"email":"ann@example.com","name":"Ann","password":%q,"locale":"en"}`, rightPassword)))
		s.want(401, "")(s.get("/who"))
		s.want(200, login.Complete)(s.call("prove", fmt.Sprintf(`{"method":"email_code","answer":%q}`, h.letter("ann@example.com", message.SignUp).Code)))
		s.want(200, "")(s.get("/who")) // the renewed cookie arrived

		s = newScript(h)
		s.want(201, login.NeedsIdentifier)(s.call("", `{"goal":"sign_in"}`))
		s.want(200, login.NeedsFirstFactor)(s.call("identify", `{"identifier":"ann@example.com"}`))
		s.want(422, "")(s.call("prove", fmt.Sprintf(`{"method":"password","answer":%q}`, wrongPassword)))
		s.want(200, login.NeedsFirstFactor)(s.call("forgot", `{}`))
		s.want(200, login.NeedsNewPassword)(s.call("prove", fmt.Sprintf(`{"method":"reset_password_email_code","answer":%q}`, h.letter("ann@example.com", message.Reset).Code)))
		s.want(200, login.NeedsNewPassword)(s.get("/frontend/v1/attempts/" + s.id))
		s.want(200, login.Complete)(s.call("password", `{"password":"another long secret phrase"}`))
		s.want(200, "")(s.get("/who"))
		s.want(201, login.NeedsFirstFactor)(s.call("", `{"goal":"step_up"}`))
		s.want(200, login.Abandoned)(s.call("cancel", `{}`))
		s.want(410, "")(s.call("prove", `{"method":"password","answer":"another long secret phrase"}`))
	})
}

func TestOnlyTheRightTypesAreRead(t *testing.T) {
	h := newHouse(t, openSQLite(t))
	h.person("ann@example.com", identity.Password)
	s := newScript(h)
	s.want(201, login.NeedsIdentifier)(s.call("", `{"goal":"sign_in"}`))
	for _, value := range []string{`["ann@example.com"]`, `{"$ne":null}`, `1`, `true`, `null`} {
		s.want(400, "")(s.call("identify", `{"identifier":`+value+`}`))
	}
	s.want(200, login.NeedsFirstFactor)(s.call("identify", `{"identifier":"ann@example.com"}`))
	for _, value := range []string{`["` + rightPassword + `"]`, `{"a":1}`, `0`, `false`, `null`} {
		s.want(400, "")(s.call("prove", `{"method":"password","answer":`+value+`}`))
	}
	for _, body := range []string{``, `{`, `[]`, `{"identifier":"a@example.com","user_id":"user_1"}`, `{"identifier":"a@example.com"} {}`} {
		s.want(400, "")(s.call("identify", body))
	}
	s.want(422, "")(s.call("prove", `{"method":"password","answer":"`+strings.Repeat("a", 1<<20)+`"}`))
	s.want(422, "")(s.call("prove", `{"method":"password","answer":""}`))
	if n := h.hasher.all(); n != 0 {
		t.Errorf("malformed answers cost %d hashes", n)
	}
	s.want(422, "")(s.call("", `{"goal":"world_domination"}`))
	s.want(401, "")(s.call("", `{"goal":"step_up"}`))
	s.id = "attempt_unknown"
	s.want(404, "")(s.call("cancel", `{}`))
}

func TestTheViewNeverCarriesASecret(t *testing.T) {
	h := newHouse(t, openSQLite(t))
	h.person("ann@example.com", identity.Password)
	b := h.browser().signIn().identify("ann@example.com").prove(identity.Password, rightPassword).want(login.Complete)
	raw, err := json.Marshal(b.view)
	h.must(err)
	if b.view.Cookie == nil || strings.Contains(string(raw), b.view.Cookie.Secret.Reveal()) || strings.Contains(string(raw), "ookie") {
		t.Errorf("the view is encoded as %s", raw)
	}
}
