package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const origin = "http://localhost:3000"

// fakeIssuer publishes one key and signs with it, so that these tests need no idp.
type fakeIssuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *fakeIssuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one",
		"x": encoded(point[1:33]), "y": encoded(point[33:]),
	}}})
	f := &fakeIssuer{key: key}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": f.URL, "jwks_uri": f.URL + "/.well-known/jwks.json"})
		case "/.well-known/jwks.json":
			_, _ = w.Write(keys)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// token is for sub, for pages of azp, and ends so long from now.
func (f *fakeIssuer) token(t *testing.T, sub, azp string, left time.Duration) string {
	t.Helper()
	now := time.Now()
	header, _ := json.Marshal(map[string]string{"alg": "ES256", "typ": "JWT", "kid": "one"})
	claims, _ := json.Marshal(map[string]any{
		"iss": f.URL, "sub": sub, "sid": "session_1", "azp": azp, "jti": "one", "amr": []string{"pwd"}, "acr": "aal1",
		"iat": now.Add(left - time.Minute).Unix(), "nbf": now.Add(left - 70*time.Second).Unix(), "exp": now.Add(left).Unix(),
		"auth_time": now.Add(left - time.Minute).Unix(),
	})
	signed := encoded(header) + "." + encoded(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, f.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + encoded(signature)
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// started is the app at origin, and what it answers to one request.
func started(t *testing.T, issuer string) func(method, path, bearer, body string) *http.Response {
	t.Helper()
	app, err := newApp(issuer, origin)
	if err != nil {
		t.Fatal(err)
	}
	return func(method, path, bearer, body string) *http.Response {
		r := httptest.NewRequest(method, origin+path, strings.NewReader(body))
		if bearer != "" {
			r.Header.Set("Authorization", "Bearer "+bearer)
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		return w.Result()
	}
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestTheAPISaysWhoAsksAndKeepsTheirNotesApart(t *testing.T) {
	issuer := newIssuer(t)
	do := started(t, issuer.URL)
	ann, bob := issuer.token(t, "user_ann", origin, time.Minute), issuer.token(t, "user_bob", origin, time.Minute)

	var claims map[string]any
	if res := do("GET", "/api/me", ann, ""); res.StatusCode != 200 || json.Unmarshal([]byte(text(t, res)), &claims) != nil || claims["sub"] != "user_ann" {
		t.Fatalf("me: %d %v", res.StatusCode, claims)
	}
	if res := do("POST", "/api/notes", ann, `{"text": " one "}`); res.StatusCode != 201 {
		t.Fatalf("kept: %d", res.StatusCode)
	}
	do("POST", "/api/notes", ann, `{"text": "two"}`)
	var kept []note
	if err := json.Unmarshal([]byte(text(t, do("GET", "/api/notes", ann, ""))), &kept); err != nil || len(kept) != 2 || kept[0].Text != "two" || kept[1].Text != "one" {
		t.Errorf("Ann's notes: %+v (%v)", kept, err)
	}
	if others := text(t, do("GET", "/api/notes", bob, "")); strings.TrimSpace(others) != "[]" {
		t.Errorf("Bob reads %s", others)
	}
	for _, body := range []string{`{"text": ""}`, `{"text": "` + strings.Repeat("x", longest+1) + `"}`, `no`} {
		if res := do("POST", "/api/notes", ann, body); res.StatusCode/100 != 4 || !strings.Contains(text(t, res), `"detail"`) {
			t.Errorf("%.20s: %d", body, res.StatusCode)
		}
	}
}

func TestTheAPIRefusesWhoeverItCannotBelieve(t *testing.T) {
	issuer, stranger := newIssuer(t), newIssuer(t)
	do := started(t, issuer.URL)
	good := issuer.token(t, "user_ann", origin, time.Minute)
	parts, bobs := strings.Split(good, "."), strings.Split(issuer.token(t, "user_bob", origin, time.Minute), ".")
	for name, bearer := range map[string]string{
		"nothing":           "",
		"no token":          "hello",
		"ended":             issuer.token(t, "user_ann", origin, -time.Second),
		"of another app":    issuer.token(t, "user_ann", "http://localhost:4000", time.Minute),
		"of another issuer": stranger.token(t, "user_ann", origin, time.Minute),
		"signature cut":     good[:len(good)-4],
		"without signature": parts[0] + "." + parts[1] + ".",
		"somebody else's":   parts[0] + "." + bobs[1] + "." + parts[2],
		"signed by no one":  encoded([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + ".",
		"two of them":       good + " " + good,
		"not yet begun":     issuer.token(t, "user_ann", origin, time.Hour),
	} {
		res := do("POST", "/api/notes", bearer, `{"text": "never"}`)
		if res.StatusCode != 401 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	if left := text(t, do("GET", "/api/notes", good, "")); strings.TrimSpace(left) != "[]" {
		t.Errorf("refused, and kept: %s", left)
	}
}

func TestThePageTrustsItselfAndTheIssuerAlone(t *testing.T) {
	do := started(t, "http://localhost:8080")
	res := do("GET", "/", "", "")
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self' http://localhost:8080/; connect-src 'self' http://localhost:8080/; style-src 'self'; " +
			"img-src 'self' http://localhost:8080/ data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "no-referrer",
	} {
		if got := res.Header.Get(name); res.StatusCode != 200 || got != want {
			t.Errorf("%d, %s: %q", res.StatusCode, name, got)
		}
	}
	page := text(t, res)
	if !strings.Contains(page, `src="http://localhost:8080/sdk/v1/components.js"`) {
		t.Errorf("the page loads no components:\n%s", page)
	}
	if strings.Contains(page, "style=") || strings.Contains(page, "onclick") || strings.Contains(page, "<script>") {
		t.Error("the page holds what its own policy forbids")
	}
	for path, kind := range map[string]string{"/app.js": "text/javascript", "/style.css": "text/css", "/icon.svg": "image/svg+xml"} {
		if res := do("GET", path, "", ""); res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
		}
	}
}

func TestEverybodyIsSentToTheOneOrigin(t *testing.T) {
	app, err := newApp("http://localhost:8080", origin)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "http://127.0.0.1:3000/", nil)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	if w.Code != 307 || w.Header().Get("Location") != origin {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
}

func TestTheOriginGoesByTheNameThatIdpGoesBy(t *testing.T) {
	for _, c := range []struct{ listen, issuer, want string }{
		{"127.0.0.1:3000", "http://localhost:8080", "http://localhost:3000"},
		{"127.0.0.1:3000", "http://127.0.0.1:8080", "http://127.0.0.1:3000"},
		{"[::1]:3000", "http://localhost:8080", "http://localhost:3000"},
		{"0.0.0.0:3000", "http://localhost:8080", "http://localhost:3000"},
		{"192.0.2.7:3000", "http://localhost:8080", "http://192.0.2.7:3000"},
		{"127.0.0.1:3000", "https://id.example.com", "http://127.0.0.1:3000"},
	} {
		at, err := net.ResolveTCPAddr("tcp", c.listen)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := originOf(at, c.issuer); got != c.want || err != nil {
			t.Errorf("%s with %s: %q (%v), want %q", c.listen, c.issuer, got, err, c.want)
		}
	}
	for _, wrong := range []string{"", "localhost:8080", "ftp://localhost", "http://"} {
		if got, err := originOf(&net.TCPAddr{Port: 1}, wrong); err == nil {
			t.Errorf("%q is an issuer, and the origin is %q", wrong, got)
		}
	}
}

func TestAnIssuerThatDoesNotAnswerIsSaid(t *testing.T) {
	issuer := newIssuer(t)
	if err := reachable(t.Context(), issuer.URL); err != nil {
		t.Errorf("it answers, and yet: %v", err)
	}
	if err := reachable(t.Context(), issuer.URL+"/elsewhere"); err == nil {
		t.Error("a 404 counts as idp")
	}
	gone := newIssuer(t)
	gone.Close()
	if err := reachable(t.Context(), gone.URL); err == nil {
		t.Error("nobody is there, and that counts as idp")
	}
	if res := started(t, gone.URL)("GET", "/", "", ""); res.StatusCode != 200 {
		t.Errorf("the page needs idp to start: %d", res.StatusCode)
	}
}
