package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const backendsPage = "../docs/integrate/backends.md"

// recipe is what stands on the page about backends, for this issuer and app.
func recipe(t testing.TB, name, issuer, app string) string {
	t.Helper()
	page, err := os.ReadFile(backendsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "<!-- tried: "+name+" -->\n```")
	_, rest, begins := strings.Cut(rest, "\n")
	text, _, ends := strings.Cut(rest, "\n```")
	if !found || !begins || !ends {
		t.Fatalf("%s has no recipe %s", backendsPage, name)
	}
	for placeholder, value := range map[string]string{"https://id.example.com": issuer, "https://app.example.com": app} {
		if name != "sql" && name != "js-access" && !strings.Contains(text, placeholder) {
			t.Fatalf("the recipe %s does not say %s", name, placeholder)
		}
		text = strings.ReplaceAll(text, placeholder, value)
	}
	return text
}

// script sends what a script of an app would: the browser adds its cookies and who asks.
func (b *browser) script(method, path, origin, body string, into any) int {
	b.t.Helper()
	req, err := http.NewRequest(method, b.issuer+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", origin)
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		b.t.Fatalf("%s %s answers %s: %v", method, path, res.Status, err)
	}
	return res.StatusCode
}

// Token is a token of the browser's session, for an app: the session token, or that of a template.
func (b *browser) Token(app string, template ...string) string {
	b.t.Helper()
	var here struct{ Sessions []struct{ ID string } }
	if status := b.script(http.MethodGet, "/frontend/v1/sessions", app, "", &here); status != http.StatusOK || len(here.Sessions) != 1 {
		b.t.Fatalf("sessions: %d %+v", status, here)
	}
	path := strings.Join(append([]string{"/frontend/v1/sessions", here.Sessions[0].ID, "tokens"}, template...), "/")
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var got struct{ JWT, Code, Detail string }
		status := b.script(http.MethodPost, path, app, "{}", &got)
		if status == http.StatusOK && got.JWT != "" {
			return got.JWT
		}
		// A template that a command made is known to the server a moment later.
		if got.Code != "template_unknown" || time.Now().After(deadline) {
			b.t.Fatalf("no token: %d %s", status, got.Detail)
		}
	}
}

// tell makes a template.
func (i *instance) tell(template string, args ...string) {
	i.t.Helper()
	i.CLI(template, append([]string{"template", "create"}, args...)...)
}

// run gives a program to its interpreter and the tokens to the program, which says of each who
// it is, or that it refuses it. They are made when it opens the file to read them, which may be
// later than they live.
func run(t *testing.T, dir string, tokens func() map[string]string, program string, command ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	pipe := filepath.Join(t.TempDir(), "tokens")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var said, complaints bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = dir, strings.NewReader(program), &said, &complaints, append(os.Environ(), "TOKENS="+pipe)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	opened, ended := make(chan *os.File, 1), make(chan error, 1)
	go func() {
		w, _ := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for who reads
		opened <- w
	}()
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case w := <-opened:
		err = json.NewEncoder(w).Encode(tokens())
		err = errors.Join(err, w.Close(), <-ended)
	case err = <-ended:
		r, _ := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0) // nobody waits any more
		defer r.Close()
	}
	verdicts := map[string]string{}
	if err != nil || json.Unmarshal(said.Bytes(), &verdicts) != nil {
		t.Fatalf("%v: %v\n%s%s\n%s", command, err, said.String(), complaints.String(), program)
	}
	return verdicts
}

// inGo is a server of the recipe for Go; it is asked with each token in the header.
const inGo = `package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"idp/sdk/go"
)

func main() {
	RECIPE
	var tokens map[string]string
	all, err := os.ReadFile(os.Getenv("TOKENS"))
	if err == nil {
		err = json.Unmarshal(all, &tokens)
	}
	if err != nil {
		log.Fatal(err)
	}
	verdicts := map[string]string{}
	for name, token := range tokens {
		r := httptest.NewRequest("GET", "/me", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		http.DefaultServeMux.ServeHTTP(w, r)
		verdicts[name] = w.Body.String()
		if w.Code == http.StatusUnauthorized {
			verdicts[name] = "refused"
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(verdicts)
}
`

const inJS = `import { readFileSync } from 'node:fs'
RECIPE
const verdicts = {}
for (const [name, token] of Object.entries(JSON.parse(readFileSync(process.env.TOKENS)))) {
  verdicts[name] = await verify(token).then((claims) => claims.sub, (why) => { console.error(name, String(why)); return 'refused' })
}
console.log(JSON.stringify(verdicts))
`

const inPython = `RECIPE
import json, os, sys
verdicts = {}
for name, token in json.load(open(os.environ["TOKENS"])).items():
    try:
        verdicts[name] = verify(token)["sub"]
    except jwt.PyJWTError as why:
        print(name, repr(why), file=sys.stderr)
        verdicts[name] = "refused"
print(json.dumps(verdicts))
`

func needRecipes(t *testing.T) {
	t.Helper()
	if os.Getenv("IDP_TEST_E2E") == "" {
		t.Skip("needs Node and Python: make test brings them and sets IDP_TEST_E2E")
	}
}

func TestBackendsInGoNodeAndPythonBelieveSessionTokensAndNothingElse(t *testing.T) {
	needRecipes(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		const app, other = "http://localhost:3111", "http://localhost:3222"
		i.tell(`{"name":"my-api","claims":{"plan":"pro"},"audience":["my-api"]}`, "--file", "-")
		client := i.Client("--name", "Acme", "--first-party", "--redirect-uri", callback, "--access-token-format", "jwt")
		rp := newRelyingParty(t, i, client)
		b := newBrowser(t, i.Issuer)
		signIn(b.Get("/sign-in"), ann, good)
		r := rp.begin()
		tok, err := rp.exchange(r, rp.code(r, b.Get(r.url).Left))
		if err != nil {
			t.Fatal(err)
		}
		id, _ := tok.Extra("id_token").(string)
		fresh := func() map[string]string {
			mine, others := b.Token(app), b.Token(other)
			head, rest, _ := strings.Cut(mine, ".")
			_, tail, _ := strings.Cut(rest, ".")
			_, body, _ := strings.Cut(others, ".")
			body, _, _ = strings.Cut(body, ".")
			return map[string]string{
				"the app's": mine, "another app's": others, "a template's": b.Token(app, "my-api"), "the issuer's own": b.Token(i.Issuer),
				"an ID token": id, "an access token": tok.AccessToken, "another's claims": head + "." + body + "." + tail,
				"unsigned": "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + body + ".", "nonsense": "x.y.z", "nothing": "",
			}
		}
		want := map[string]string{}
		for name := range fresh() {
			want[name] = "refused"
		}
		want["the app's"] = rp.identity(r, tok)["sub"].(string)

		dir, err := filepath.Abs(".")
		if err != nil {
			t.Fatal(err)
		}
		module := t.TempDir()
		helper := filepath.Join(filepath.Dir(dir), "sdk", "go")
		for name, text := range map[string]string{
			"go.mod":  "module backend\n\ngo 1.26\n\nrequire idp/sdk/go v0.0.0\n\nreplace idp/sdk/go => " + helper + "\n",
			"main.go": strings.Replace(inGo, "RECIPE", recipe(t, "go", i.Issuer, app), 1),
		} {
			if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		build := exec.CommandContext(t.Context(), "go", "build", "-o", "backend", ".") // which may take longer than tokens live
		build.Dir, build.Env = module, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if said, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		for name, verdicts := range map[string]map[string]string{
			"Go":     run(t, module, fresh, "", filepath.Join(module, "backend")),
			"Node":   run(t, dir, fresh, strings.Replace(inJS, "RECIPE", recipe(t, "js", i.Issuer, app), 1), "node", "--input-type=module", "-"),
			"Python": run(t, dir, fresh, strings.Replace(inPython, "RECIPE", recipe(t, "python", i.Issuer, app), 1), "/usr/bin/python3", "-"),
		} {
			if !maps.Equal(verdicts, want) {
				t.Errorf("%s says %v", name, verdicts)
			}
		}
	})
}

func TestJWTAccessTokensAndTemplatesSatisfyForeignVerifiers(t *testing.T) {
	needRecipes(t)
	eachEngine(t, func(t *testing.T, i *instance) {
		i.Start()
		i.Person(ann, good)
		const app, api = "http://localhost:3111", "https://api.example.com"
		i.tell(`{"name":"my-api","claims":{"plan":"pro"},"audience":["my-api"]}`, "--file", "-")
		client := i.Client("--name", "Acme", "--first-party", "--redirect-uri", callback, "--access-token-format", "jwt", "--audience", api,
			"--id-token-template", "my-api", "--access-token-template", "my-api")
		rp := newRelyingParty(t, i, client, "email", oidc.ScopeOfflineAccess)
		b := newBrowser(t, i.Issuer)
		signIn(b.Get("/sign-in"), ann, good)
		b.Token(app, "my-api") // from here on the server knows the template
		r := rp.begin()
		tok, err := rp.exchange(r, rp.code(r, b.Get(r.url).Left))
		if err != nil {
			t.Fatal(err)
		}
		claims := rp.identity(r, tok)
		if claims["plan"] != "pro" {
			t.Errorf("the ID token says %v", claims)
		}

		// go-oidc checks what it is told to: signature, issuer, end and audience.
		at := func(config oidc.Config, raw string) map[string]any {
			t.Helper()
			config.SupportedSigningAlgs = []string{"ES256"}
			token, err := rp.provider.Verifier(&config).Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]any{}
			if err := token.Claims(&got); err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := at(oidc.Config{ClientID: api}, tok.AccessToken); got["plan"] != "pro" || got["sub"] != claims["sub"] || got["client_id"] != client.ID {
			t.Errorf("go-oidc reads %v", got)
		}
		if got := at(oidc.Config{ClientID: "my-api"}, b.Token(app, "my-api")); got["azp"] != app || got["sub"] != claims["sub"] || got["plan"] != "pro" {
			t.Errorf("go-oidc reads %v", got)
		}
		if got := at(oidc.Config{SkipClientIDCheck: true}, b.Token(app)); got["azp"] != app || got["plan"] != nil {
			t.Errorf("go-oidc reads %v", got)
		}
		if _, err := rp.provider.Verifier(&oidc.Config{ClientID: client.ID, SupportedSigningAlgs: []string{"ES256"}}).Verify(t.Context(), tok.AccessToken); err == nil {
			t.Error("an access token is taken for an ID token of its client")
		}

		program := "import { createRemoteJWKSet, jwtVerify } from 'jose'\nconst issuer = '" + i.Issuer + "', keys = createRemoteJWKSet(new URL(issuer + '/.well-known/jwks.json'))\n" +
			strings.Replace(inJS, "RECIPE", "async function verify(token) {\n"+recipe(t, "js-access", i.Issuer, app)+"\nreturn { sub: may.includes('email') ? payload.sub : 'may not' }\n}", 1)
		id, _ := tok.Extra("id_token").(string)
		tokens := func() map[string]string {
			return map[string]string{"access": tok.AccessToken, "id": id, "session": b.Token(app), "template": b.Token(app, "my-api")}
		}
		verdicts := run(t, ".", tokens, program, "node", "--input-type=module", "-")
		want := map[string]string{"access": claims["sub"].(string), "id": "refused", "session": "refused", "template": "refused"}
		if !maps.Equal(verdicts, want) {
			t.Errorf("jose says %v", verdicts)
		}

		// It is at home here as any other is, until it is revoked.
		if _, err := rp.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tok)); err != nil {
			t.Error(err)
		}
		ends := rp.endpoints()
		if status, _ := rp.post(ends.Revoke, map[string][]string{"token": {tok.AccessToken}}); status != http.StatusOK {
			t.Errorf("revocation answered %d", status)
		}
		if _, answer := rp.post(ends.Introspect, map[string][]string{"token": {tok.AccessToken}}); answer["active"] != false {
			t.Errorf("introspection answered %v", answer)
		}
	})
}
