package server_test

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what authenticator apps compute
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/federation/federationtest"
	"idp/internal/web/webtest"
	"idp/server"
)

// script is a page of ours that speaks to the Frontend API.
type script struct {
	*surfer
	base    string // the issuer's path
	attempt string // the newest
}

// call sends a request and returns the answer, which has that status.
func (x *script) call(method, path, body string, want int, header ...string) map[string]any {
	x.Helper()
	header = append([]string{"Sec-Fetch-Site", "same-origin", "Content-Type", "application/json"}, header...)
	text := x.raw(method, x.base+"/frontend/v1"+path, body, header...)
	if x.Status != want {
		x.Fatalf("%s %s answers %d, want %d: %.400s", method, path, x.Status, want, text)
	}
	v := map[string]any{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			x.Fatal(err)
		}
	}
	if id, ok := v["id"].(string); ok && strings.HasPrefix(id, "attempt_") {
		x.attempt = id
	}
	return v
}

// then makes one step of the attempt, which leads to another.
func (x *script) then(event, body, next string) map[string]any {
	x.Helper()
	v := x.call(http.MethodPost, "/attempts/"+x.attempt+"/"+event, body, http.StatusOK)
	if v["step"] != next {
		x.Fatalf("%s leads to %v, want %s", event, v["step"], next)
	}
	return v
}

func (x *script) begin(goal, first string) map[string]any {
	x.Helper()
	v := x.call(http.MethodPost, "/attempts", fmt.Sprintf(`{"goal":%q}`, goal), http.StatusCreated)
	if v["step"] != first {
		x.Fatalf("%s begins with %v, want %s", goal, v["step"], first)
	}
	return v
}

// proves answers a mailed code.
func (x *script) proves(method, next string) {
	x.Helper()
	x.then("prove", fmt.Sprintf(`{"method":%q,"answer":%q}`, method, x.site.fresh()), next)
}

// fresh is a mailed code that nobody was asked for yet.
func (s *site) fresh() (code string) {
	s.Helper()
	var letters []struct{ Code string }
	reader := s.surfer()
	s.await("a fresh code", func() bool {
		answer := reader.raw(http.MethodGet, "/dev/inbox.json", "")
		if json.Unmarshal([]byte(answer), &letters) != nil {
			return false
		}
		for _, l := range letters { // notices have none
			if l.Code != "" && !s.read[l.Code] {
				code = l.Code
				return true
			}
		}
		return false
	})
	if s.read == nil {
		s.read = map[string]bool{}
	}
	s.read[code] = true
	return code
}

// totp is what an app shows for a key (RFC 6238).
func totp(t *testing.T, key string, at time.Time) string {
	t.Helper()
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, seed)
	_ = binary.Write(mac, binary.BigEndian, uint64(at.Unix()/30)) //nolint:gosec // after 1970
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// Where an address is seen to succeed or refuse that this walk cannot bring to it.
var (
	succeedsElsewhere = map[string]string{
		"POST /frontend/v1/attempts/{attempt}/human":      "login: bot checks are off for who did nothing wrong",
		"DELETE /frontend/v1/me/trusted-browsers/{trust}": "account: browsers are trusted only where the operator says so",
	}
	neverRefuses = []string{"GET /frontend/v1/environment", "GET /frontend/v1/sessions"}
)

func TestEveryAddressOfTheFrontendAPISucceedsAndRefusesAsDescribed(t *testing.T) {
	s, there := startSAML(t, nil)
	x := &script{surfer: s.surfer()}
	held, ok := x.Client.Transport.(*webtest.Contract)
	if !ok {
		t.Fatal("nothing holds the answers against the contract")
	}
	refused(x)

	x.raw(http.MethodGet, "/frontend/v1/environment", "")
	x.call("POST", "/browsers", "{}", 201)
	x.call("GET", "/sessions", "", 200)
	x.call("POST", "/password-strength", `{"password":"hunter2","address":"ann@example.com"}`, 200)
	x.call("POST", "/bot-check", `{"action":"sign_up"}`, 200)

	x.begin("sign_up", "missing_requirements")
	x.then("submit", fmt.Sprintf(`{"email":"ann@example.com","name":"Ann","password":%q,"locale":"en"}`, strong), "needs_email_verification")
	x.proves("email_code", "complete")
	x.call("GET", "/attempts/"+x.attempt, "", 200)
	list := x.call("GET", "/sessions", "", 200)["sessions"].([]any)
	ann := list[0].(map[string]any)["id"].(string)
	x.call("POST", "/sessions/"+ann+"/touch", "{}", 200)
	x.call("POST", "/sessions/"+ann+"/activate", "{}", 200)
	x.call("POST", "/sessions/"+ann+"/tokens", "{}", 200)
	x.call("POST", "/sessions/"+ann+"/tokens", "", 200)
	x.call("POST", "/sessions/"+ann+"/tokens/session", "{}", 200)

	x.call("GET", "/me", "", 200)
	x.call("PATCH", "/me", `{"given_name":"Ann","own_metadata":{"theme":"dark"}}`, 200)
	x.call("DELETE", "/me/picture", "", 204)
	x.begin("enroll", "needs_enrollment")
	key := x.then("enroll", `{"method":"totp","detail":"Phone"}`, "needs_enrollment")["enrollment"].(map[string]any)["key"].(string)
	if codes := x.then("confirm", fmt.Sprintf(`{"answer":%q}`, totp(t, key, time.Now())), "complete")["backup_codes"].([]any); len(codes) == 0 {
		t.Error("no backup codes came")
	}
	x.call("POST", "/me/backup-codes", "{}", 200)
	factor := x.call("GET", "/me/factors", "", 200)["factors"].([]any)[0].(map[string]any)["id"].(string)
	x.call("PATCH", "/me/factors/"+factor, `{"name":"Tablet"}`, 204)
	x.call("DELETE", "/me/factors/"+factor, "", 204)
	x.call("POST", "/me/password", fmt.Sprintf(`{"password":%q,"end_others":false}`, strong+strong), 204)
	x.call("POST", "/me/identifiers", `{"address":"ann@other.example"}`, 201)
	x.proves("email_code", "complete")
	for _, i := range x.call("GET", "/me", "", 200)["identifiers"].([]any) {
		if one := i.(map[string]any); one["value"] == "ann@other.example" {
			x.call("PATCH", "/me/identifiers/"+one["id"].(string), `{"primary":true}`, 204)
		}
	}
	for _, i := range x.call("GET", "/me", "", 200)["identifiers"].([]any) {
		if one := i.(map[string]any); one["value"] == "ann@example.com" {
			x.call("DELETE", "/me/identifiers/"+one["id"].(string), "", 204)
		}
	}
	x.call("DELETE", "/me/password", "", 204)
	for _, path := range []string{"/me/sessions", "/me/factors", "/me/connections", "/me/trusted-browsers", "/me/grants", "/me/export"} {
		x.call("GET", path, "", 200)
	}
	x.call("DELETE", "/me/grants/client_of_nobody", "", 204)
	x.call("POST", "/me/sessions/end-others", "{}", 204)

	phone := &script{surfer: s.surfer()}
	phone.Client.Transport = held
	phone.begin("sign_in", "needs_identifier")
	phone.then("identify", `{"identifier":"ann@other.example"}`, "needs_first_factor")
	phone.then("prepare", `{"method":"email_code"}`, "needs_first_factor")
	s.fresh() // which nobody needs any more
	phone.then("cancel", "{}", "abandoned")
	phone.begin("sign_in", "needs_identifier")
	phone.then("identify", `{"identifier":"ann@other.example"}`, "needs_first_factor")
	phone.then("forgot", "{}", "needs_first_factor")
	phone.proves("reset_password_email_code", "needs_new_password")
	phone.then("password", fmt.Sprintf(`{"password":%q}`, "another "+strong), "complete")
	phone.call("DELETE", "/sessions", "", 200)
	phone.signsIn()
	tablet := &script{surfer: s.surfer()}
	tablet.Client.Transport = held
	phone.call("DELETE", "/me/sessions/"+tablet.signsIn(), "", 204)
	tablet.call("DELETE", "/sessions/"+tablet.signsIn(), "", 200)
	phone.elsewhere(there)

	succeed, refuse := held.Unproven()
	for _, pattern := range succeed {
		if succeedsElsewhere[pattern] == "" {
			t.Errorf("%s was not seen to succeed", pattern)
		}
	}
	for _, pattern := range refuse {
		if !slices.Contains(neverRefuses, pattern) {
			t.Errorf("%s was not seen to refuse", pattern)
		}
	}
}

// signsIn is Ann with her last password; it returns the session.
func (x *script) signsIn() string {
	x.Helper()
	x.begin("sign_in", "needs_identifier")
	x.then("identify", `{"identifier":"ann@other.example"}`, "needs_first_factor")
	return x.then("prove", fmt.Sprintf(`{"method":"password","answer":%q}`, "another "+strong), "complete")["session_id"].(string)
}

// refused asks every address for what it does not give to strangers.
func refused(x *script) {
	x.Helper()
	for _, o := range server.Contract() {
		method, path, _ := strings.Cut(o.Pattern, " ")
		path = regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "nobody")
		switch {
		case method == http.MethodGet || o.In == nil && method == http.MethodDelete && !strings.HasPrefix(path, "/frontend/v1/sessions"):
			x.raw(method, path, "", "Sec-Fetch-Site", "same-origin")
		case o.In == nil:
			x.raw(method, path, "", "Sec-Fetch-Site", "cross-site")
		default:
			x.raw(method, path, "a=b", "Sec-Fetch-Site", "same-origin", "Content-Type", "text/plain")
			x.raw(method, path, "[]", "Sec-Fetch-Site", "same-origin", "Content-Type", "application/json")
			x.raw(method, path, `{"stranger":1}`, "Sec-Fetch-Site", "same-origin", "Content-Type", "application/json")
			if !strings.HasSuffix(path, "/password-strength") { // nothing is very weak
				x.raw(method, path, "{}", "Sec-Fetch-Site", "same-origin", "Content-Type", "application/json")
			}
		}
	}
}

// elsewhere signs in by a provider beside who is signed in, joins both accounts, disconnects the
// provider and deletes what is left.
func (x *script) elsewhere(there *federationtest.SAML) {
	x.Helper()
	into := x.call("GET", "/sessions", "", 200)["sessions"].([]any)[0].(map[string]any)["id"].(string)
	x.begin("sign_in", "needs_identifier")
	away := x.call("POST", "/attempts/"+x.attempt+"/depart", `{"connection":"acme"}`, 200)["redirect"].(map[string]any)["url"].(string)
	request, err := there.Read(away, nil)
	if err != nil {
		x.Fatal(err)
	}
	x.open(x.site.posts(there.Answer(request)).To)
	from := x.call("GET", "/sessions", "", 200)["sessions"].([]any)[0].(map[string]any)["id"].(string)
	x.call("POST", "/me/merge", fmt.Sprintf(`{"into":%q,"from":%q,"join":true}`, into, from), 204)
	linked := x.call("GET", "/me/connections", "", 200)["connections"].([]any)[0].(map[string]any)["id"].(string)
	x.call("DELETE", "/me/connections/"+linked, "", 204)
	x.call("DELETE", "/me", `{"confirm":"ann@other.example"}`, 204)
}
