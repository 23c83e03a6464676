package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// seconds pass between two answers; that a wait is told at all is seen.
var seconds = regexp.MustCompile(`data-wait="\d+"`)

// face is all that a stranger can tell of an answer, with what differs by chance taken out.
func face(b *browser, email string) string {
	body := strings.ReplaceAll(b.Body, email, "ADDRESS")
	local, _, _ := strings.Cut(email, "@")
	body = strings.ReplaceAll(body, local[:1]+"•••@", "MASKED@")
	body = seconds.ReplaceAllString(chance.ReplaceAllString(body, "CHANCE"), `data-wait="SECONDS"`)
	names := []string{}
	for name := range b.Header {
		if name != "Date" && name != "Content-Length" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return fmt.Sprintf("%d %s %v\n%s", b.Status, chance.ReplaceAllString(b.URL.Path, "CHANCE"), names, body)
}

// chance matches ids, nonces, tokens, times and lengths.
var chance = regexp.MustCompile(`[A-Za-z0-9_-]{16,}|datetime="[^"]*"|\d\d:\d\d(:\d\d)?`)

func TestAStrangerCannotTellWhoHasAnAccount(t *testing.T) {
	ways := map[string]func(b *browser, email string){
		"a wrong password": func(b *browser, email string) { signIn(b.Get("/sign-in"), email, "wrong "+good) },
		"signing up": func(b *browser, email string) {
			b.Get("/sign-up").Fill("Email address", email).Fill("Password", good).Press("Sign up")
		},
		"a wrong code after signing up": func(b *browser, email string) {
			b.Get("/sign-up").Fill("Email address", email).Fill("Password", good).Press("Sign up").Fill("Code", "000000").Press("Continue")
		},
		"a lost password": func(b *browser, email string) {
			b.Get("/sign-in").Fill("Email address", email).Press("Forgot password?")
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			i := newInstance(t, sqliteDatabase(t))
			i.Start()
			i.Person("known@example.com", good)
			i.CLI("", "user", "create", "--email", "bare@example.com", "--verified") // without a password
			var want string
			for _, email := range []string{"known@example.com", "bare@example.com", "nobody@example.com"} {
				b := newBrowser(t, i.Issuer)
				way(b, email)
				got := face(b, email)
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("%s looks different:\n%s\n--- and for known@example.com\n%s", email, got, want)
				}
			}
		})
	}
}

func TestAStrangerCannotTellByTheClockWhoHasAnAccount(t *testing.T) {
	i := newInstance(t, sqliteDatabase(t), "IDP_LIMITS_NETWORK_FAILURES=100000")
	i.Start()
	const few, many = 12, 60
	times := map[bool][]time.Duration{}
	// The quick ones say what work was done; the slow ones what else the machine was doing.
	// A hash left out would make one kind many times faster, however many are looked at; what the machine did meanwhile
	// is told from that by looking at more.
	var known, unknown time.Duration
	same := func() bool {
		known, unknown = quick(times[true]), quick(times[false])
		ratio := float64(known) / float64(unknown)
		return ratio <= 1.6 && ratio >= 0.6
	}
	for k := 0; k < few || k < many && !same(); k++ {
		i.Person(fmt.Sprintf("known%d@example.com", k), good)
		for _, known := range []bool{k%2 == 0, k%2 != 0} {
			email := fmt.Sprintf("unknown%d@example.com", k)
			if known {
				email = fmt.Sprintf("known%d@example.com", k)
			}
			b := newBrowser(t, i.Issuer)
			b.Get("/sign-in").Fill("Email address", email).Fill("Password", "wrong "+good)
			req := b.submission("Sign in")
			began := time.Now()
			if err := b.do(req); err != nil {
				t.Fatal(err)
			}
			times[known] = append(times[known], time.Since(began))
		}
	}
	if !same() {
		t.Errorf("a known address takes %s, an unknown one %s: %v", known, unknown, times)
	}
	t.Logf("a known address takes %s, an unknown one %s, of %d each", known, unknown, len(times[true]))
}

// quick is the time that a quarter of them stayed below.
func quick(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/4]
}

func TestTheHostHeaderDecidesNothing(t *testing.T) {
	i := newInstance(t, sqliteDatabase(t))
	p := i.Start()
	lie := func(req *http.Request) {
		req.Host = "evil.example"
		for _, name := range []string{"X-Forwarded-Host", "X-Original-Host", "X-Host"} {
			req.Header.Set(name, "evil.example")
		}
		req.Header.Set("X-Forwarded-Proto", "https")
		req.Header.Set("Forwarded", "host=evil.example;proto=https")
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/sign-in", "/sign-up", "/account"} {
		req, _ := http.NewRequest(http.MethodGet, i.Issuer+path, nil)
		lie(req)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body := readAll(t, res)
		if strings.Contains(body+fmt.Sprint(res.Header), "evil.example") {
			t.Errorf("%s repeats the host it was called by", path)
		}
	}
	b := newBrowser(t, i.Issuer)
	b.Get("/sign-up").Fill("Email address", "ann@example.com").Fill("Password", good)
	req := b.submission("Sign up")
	req.Header.Set("X-Forwarded-Host", "evil.example")
	if err := b.do(req); err != nil {
		t.Fatal(err)
	}
	l := p.CodeLetter("ann@example.com", 0)
	if strings.Contains(l.Text+l.Link, "evil.example") || !strings.HasPrefix(l.Link, i.Issuer+"/") {
		t.Errorf("the mailed link is %q", l.Link)
	}
}

func readAll(t testing.TB, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestADumpOfTheDatabaseRevealsNothingUsable(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		i.env = append(i.env, "IDP_LOG_LEVEL=debug")
		p := i.Start()
		client := i.Client("--name", "Acme", "--redirect-uri", callback)
		rp := newRelyingParty(t, i, client, "email", oidc.ScopeOfflineAccess)
		secrets := map[string]string{"client secret": client.Secret, "password": good}
		b := newBrowser(t, i.Issuer)
		r := rp.begin()
		b.Get(r.url)
		b.Get(b.Link("Sign up"))
		signUp(b, p, "ann@example.com", good)
		if b.HasButton("Allow") {
			b.Press("Allow")
		}
		code := rp.code(r, b.Left)
		tok, err := rp.exchange(r, code)
		if err != nil {
			t.Fatal(err)
		}
		spare := rp.begin()
		secrets["unspent code"] = rp.code(spare, b.Get(spare.url).Left)
		secrets["code"], secrets["access token"], secrets["refresh token"] = code, tok.AccessToken, tok.RefreshToken
		secrets["ID token"] = tok.Extra("id_token").(string)
		secrets["verifier"] = spare.verifier
		issuer, _ := url.Parse(i.Issuer)
		for _, c := range b.http.Jar.Cookies(issuer) {
			secrets["cookie "+c.Name] = c.Value
		}
		other := newBrowser(t, i.Issuer) // a code and a link still alive
		other.Get("/sign-up").Fill("Email address", "bob@example.com").Fill("Password", good).Press("Sign up")
		mail := p.CodeLetter("bob@example.com", 0)
		if link, err := url.Parse(mail.Link); err == nil {
			secrets["mailed link"] = link.RequestURI()
		}
		search := needles(secrets)

		replay := map[string]bool{}
		i.open().dump(func(table, column, value string) {
			for _, n := range search {
				if strings.Contains(value, n.text) {
					t.Errorf("%s.%s holds the %s: %.80s", table, column, n.of, value)
				}
			}
			if value == mail.Code {
				t.Errorf("%s.%s is the mailed code", table, column)
			}
			if len(value) >= 20 && len(value) <= 200 && len(replay) < 400 {
				replay[value] = true
			}
		})
		for _, name := range i.files() {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range search {
				if strings.Contains(string(raw), n.text) {
					t.Errorf("the %s is in %s", n.of, name)
				}
			}
		}
		for _, n := range search {
			if strings.Contains(p.logs.String(), n.text) {
				t.Errorf("the %s is in the log", n.of)
			}
		}
		if strings.Contains(p.logs.String(), "ann@example.com") {
			t.Error("an address is in the log")
		}
		for value := range replay {
			req, _ := http.NewRequest(http.MethodGet, rp.endpoints().UserInfo, nil)
			req.Header.Set("Authorization", "Bearer "+value)
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				continue // no value for a header
			}
			_ = res.Body.Close()
			if res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusBadRequest {
				t.Errorf("a value of the database opened userinfo: %d", res.StatusCode)
			}
			for _, form := range []url.Values{refreshForm(value), exchangeForm(spare, value)} {
				if a, err := send(rp.tokenRequest(p.URL, form)); err != nil || a.Status == 200 || a.Status >= 500 {
					t.Errorf("a value of the database was answered %d, %v", a.Status, err)
				}
			}
		}
		if len(replay) < 20 {
			t.Errorf("only %d values to try: the dump is not whole", len(replay))
		}
	})
}

type needle struct{ of, text string }

// needles are the secrets and their telling parts, as they are and in other spellings.
func needles(secrets map[string]string) (all []needle) {
	for of, s := range secrets {
		if len(s) < 12 {
			continue
		}
		parts := []string{s}
		for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("./?&=", r) }) {
			// Ids are no secrets; what is long and no id is.
			if len(part) >= 32 && !strings.HasPrefix(part, "browser_") {
				parts = append(parts, part)
			}
		}
		for _, part := range parts {
			all = append(all, needle{of, part},
				needle{of + " in base64", base64.RawStdEncoding.EncodeToString([]byte(part))},
				needle{of + " in hex", hex.EncodeToString([]byte(part))})
			if raw, err := base64.RawURLEncoding.DecodeString(part); err == nil && len(raw) >= 16 {
				all = append(all, needle{of + ", decoded, in hex", hex.EncodeToString(raw)})
			}
		}
	}
	return all
}

func TestNoParameterMakesTheServerFail(t *testing.T) {
	i := newInstance(t, sqliteDatabase(t))
	p := i.Start()
	rp := newRelyingParty(t, i, i.Client("--name", "Acme", "--redirect-uri", callback, "--first-party"))
	i.Person(racer, good)
	b := newBrowser(t, i.Issuer)
	codeFor(b, rp, racer) // signed in: requests go all the way
	odd := []string{"", " ", "\x00", "\xff\xfe", "'", "%00", "-1", "999999999999999999999", "null", "[]", "{}", "none login",
		strings.Repeat("a", 5000), strings.Repeat("openid ", 200), "https://evil.example/cb", "javascript:alert(1)", "eyJhbGciOiJub25lIn0.e30.", "ünï", "a\r\nb: c"}
	names := []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt", "max_age", "display", "ui_locales",
		"acr_values", "login_hint", "id_token_hint", "claims", "request", "request_uri", "response_mode", "code_challenge", "code_challenge_method", "resource", "registration"}
	for _, name := range names {
		for _, value := range odd {
			r := rp.begin()
			at, _ := url.Parse(r.url)
			q := at.Query()
			for _, twice := range []bool{false, true} {
				if q.Set(name, value); twice {
					q.Add(name, "other")
				}
				at.RawQuery = q.Encode()
				if b.Get(at.String()); b.Status >= 500 {
					t.Errorf("authorize with %s=%q answers %d", name, value, b.Status)
				}
			}
		}
	}
	for _, name := range []string{"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type", "resource", "audience"} {
		for _, value := range odd {
			for _, grant := range []string{"authorization_code", "refresh_token", "client_credentials"} {
				form := url.Values{"grant_type": {grant}, "code": {"x"}, "refresh_token": {"x"}, "redirect_uri": {callback}}
				form.Set(name, value)
				a, err := send(rp.tokenRequest(p.URL, form))
				if err != nil || a.Status >= 500 {
					t.Errorf("token request with %s=%q answers %d, %v", name, value, a.Status, err)
				}
			}
		}
	}
}
