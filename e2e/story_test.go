package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	callback = "http://127.0.0.1:9/callback" // never contacted: the browser stops there
	farewell = "http://127.0.0.1:9/bye"
	good     = "correct horse battery staple 7"
)

// relyingParty is an application built on the libraries that most Go programs use.
type relyingParty struct {
	t        testing.TB
	client   registered
	provider *oidc.Provider
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	http     *http.Client
}

// newRelyingParty discovers everything from the issuer alone.
func newRelyingParty(t testing.TB, i *instance, c registered, scopes ...string) *relyingParty {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), i.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return &relyingParty{t: t, client: c, provider: provider, http: http.DefaultClient,
		verifier: provider.Verifier(&oidc.Config{ClientID: c.ID}),
		config: oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, Endpoint: provider.Endpoint(),
			RedirectURL: callback, Scopes: append([]string{oidc.ScopeOpenID}, scopes...)}}
}

// request is one authorization request under way.
type request struct{ state, nonce, verifier, url string }

func (rp *relyingParty) begin(options ...oauth2.AuthCodeOption) request {
	r := request{state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
	options = append(options, oidc.Nonce(r.nonce), oauth2.S256ChallengeOption(r.verifier))
	r.url = rp.config.AuthCodeURL(r.state, options...)
	return r
}

// code takes what the browser was sent back with, after checking it as a careful client does.
func (rp *relyingParty) code(r request, back *url.URL) string {
	rp.t.Helper()
	if back == nil || !strings.HasPrefix(back.String(), callback+"?") {
		rp.t.Fatalf("the browser was not sent back to the application, but to %v", back)
	}
	q := back.Query()
	if q.Get("state") != r.state || q.Get("code") == "" || q.Get("error") != "" {
		rp.t.Fatalf("the application got %v", q)
	}
	var meta struct{ Issuer string }
	if err := rp.provider.Claims(&meta); err != nil || q.Get("iss") != meta.Issuer {
		rp.t.Fatalf("iss is %q, the issuer is %q (RFC 9207)", q.Get("iss"), meta.Issuer)
	}
	return q.Get("code")
}

func (rp *relyingParty) exchange(r request, code string) (*oauth2.Token, error) {
	return rp.config.Exchange(rp.t.Context(), code, oauth2.VerifierOption(r.verifier))
}

// identity verifies the ID token and returns its claims.
func (rp *relyingParty) identity(r request, tok *oauth2.Token) map[string]any {
	rp.t.Helper()
	raw, _ := tok.Extra("id_token").(string)
	id, err := rp.verifier.Verify(rp.t.Context(), raw)
	if err != nil {
		rp.t.Fatal(err)
	}
	if id.Nonce != r.nonce {
		rp.t.Fatalf("nonce is %q, want %q", id.Nonce, r.nonce)
	}
	if err := id.VerifyAccessToken(tok.AccessToken); err != nil {
		rp.t.Fatal(err)
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		rp.t.Fatal(err)
	}
	return claims
}

// post sends a form to an endpoint of the provider, authenticated as the client, and
// returns the status and what was answered.
func (rp *relyingParty) post(endpoint string, form url.Values) (int, map[string]any) {
	rp.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		rp.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(rp.client.ID), url.QueryEscape(rp.client.Secret))
	res, err := rp.http.Do(req)
	if err != nil {
		rp.t.Fatal(err)
	}
	defer res.Body.Close()
	answer := map[string]any{}
	_ = json.NewDecoder(res.Body).Decode(&answer) // revocation answers nothing
	return res.StatusCode, answer
}

// endpoints are those that go-oidc does not name.
type endpoints struct {
	Introspect string `json:"introspection_endpoint"`
	Revoke     string `json:"revocation_endpoint"`
	EndSession string `json:"end_session_endpoint"`
	Register   string `json:"registration_endpoint"`
	JWKS       string `json:"jwks_uri"`
	Token      string `json:"token_endpoint"`
	UserInfo   string `json:"userinfo_endpoint"`
	Authorize  string `json:"authorization_endpoint"`
}

func (rp *relyingParty) endpoints() (e endpoints) {
	rp.t.Helper()
	if err := rp.provider.Claims(&e); err != nil {
		rp.t.Fatal(err)
	}
	return e
}

// signUp creates an account through the pages, with the code from the inbox, wherever
// the browser is on a sign-up page.
func signUp(b *browser, p *process, email, password string) {
	b.t.Helper()
	seen := p.codes(email)
	b.Fill("Email address", email)
	if strings.Contains(strings.ToLower(b.Body), `type="password"`) {
		b.Fill("Password", password)
	}
	b.Press("Sign up")
	if b.page != nil && strings.Contains(strings.ToLower(b.Body), `type="password"`) && !strings.Contains(b.Text(), "code") {
		b.Fill("Password", password).Press("Continue")
	}
	b.Fill("Code", p.CodeLetter(email, seen).Code).Press("Continue")
}

// signIn types address and password on the sign-in page the browser is on.
func signIn(b *browser, email, password string) *browser {
	b.t.Helper()
	return b.Fill("Email address", email).Fill("Password", password).Press("Sign in")
}

func TestANewcomerGetsVerifiedTokensThroughForeignLibraries(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		client := i.Client("--name", "Acme", "--redirect-uri", callback, "--post-logout-redirect-uri", farewell)
		rp := newRelyingParty(t, i, client, "email", "profile", oidc.ScopeOfflineAccess)
		b := newBrowser(t, i.Issuer)
		const email = "ann@example.com"

		r := rp.begin(oauth2.ApprovalForce)
		b.Get(r.url)
		if b.Status != http.StatusOK || !strings.Contains(b.Text(), "Acme") {
			t.Fatalf("the sign-in page answers %d and does not name the application:\n%s", b.Status, b.Text())
		}
		b.Get(b.Link("Sign up"))
		signUp(b, p, email, good)
		if !strings.Contains(b.Text(), "Acme") || !b.HasButton("Allow") || !b.HasButton("Deny") {
			t.Fatalf("no consent was asked:\n%s", b.Text())
		}
		b.Press("Allow")

		tok, err := rp.exchange(r, rp.code(r, b.Left))
		if err != nil {
			t.Fatal(err)
		}
		claims := rp.identity(r, tok)
		if claims["email"] != nil && claims["email"] != email || claims["sub"] == "" {
			t.Errorf("claims are %v", claims)
		}
		info, err := rp.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tok))
		if err != nil || info.Subject != claims["sub"] || info.Email != email || !info.EmailVerified {
			t.Errorf("userinfo is %+v, %v", info, err)
		}

		renewed, err := rp.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
		if err != nil {
			t.Fatal(err)
		}
		if renewed.AccessToken == tok.AccessToken || renewed.RefreshToken == tok.RefreshToken {
			t.Error("refreshing gave the same tokens again")
		}
		ends := rp.endpoints()
		if status, answer := rp.post(ends.Introspect, url.Values{"token": {renewed.AccessToken}}); status != 200 || answer["active"] != true || answer["sub"] != claims["sub"] {
			t.Errorf("introspection answered %d %v", status, answer)
		}
		if status, _ := rp.post(ends.Revoke, url.Values{"token": {renewed.RefreshToken}}); status != 200 {
			t.Errorf("revocation answered %d", status)
		}
		if _, answer := rp.post(ends.Introspect, url.Values{"token": {renewed.AccessToken}}); answer["active"] != false {
			t.Errorf("the access token outlived the refresh token it came with: %v", answer)
		}
		if _, err := rp.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: renewed.RefreshToken}).Token(); err == nil {
			t.Error("a revoked refresh token refreshed")
		}

		// Known by now: neither password nor consent is asked again.
		again := rp.begin()
		rp.code(again, b.Get(again.url).Left)

		leave := url.Values{"id_token_hint": {tok.Extra("id_token").(string)}, "post_logout_redirect_uri": {farewell}, "state": {"s1"}}
		b.Get(ends.EndSession + "?" + leave.Encode())
		if b.Left == nil && b.Has("logout-confirm") {
			b.Press("Sign out")
		}
		if b.Left == nil || b.Left.String() != farewell+"?state=s1" {
			t.Fatalf("after signing out the browser is at %v (left for %v):\n%s", b.URL, b.Left, b.Text())
		}
		silent := rp.begin(oauth2.SetAuthURLParam("prompt", "none"))
		if b.Get(silent.url); b.Left == nil || b.Left.Query().Get("error") != "login_required" {
			t.Errorf("after signing out a silent request answered %v", b.Left)
		}
	})
}

func TestEverythingIsStillThereAfterARestart(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		p := i.Start()
		rp := newRelyingParty(t, i, i.Client("--name", "Acme", "--redirect-uri", callback, "--first-party"), oidc.ScopeOfflineAccess)
		i.Person("ann@example.com", good)
		b := newBrowser(t, i.Issuer)
		r := rp.begin()
		b.Get(r.url)
		tok, err := rp.exchange(r, rp.code(r, signIn(b, "ann@example.com", good).Left))
		if err != nil {
			t.Fatal(err)
		}
		if code := p.Stop(); code != 0 {
			t.Fatalf("asked to stop, idp exits with %d", code)
		}
		i.Start()
		again := rp.begin()
		rp.code(again, b.Get(again.url).Left) // still signed in
		if _, err := rp.verifier.Verify(t.Context(), tok.Extra("id_token").(string)); err != nil {
			t.Errorf("the ID token does not verify any more: %v", err)
		}
		if _, err := rp.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: tok.RefreshToken}).Token(); err != nil {
			t.Errorf("the refresh token is lost: %v", err)
		}
	})
}
