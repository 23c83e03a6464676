package conformance

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"time"

	"idp/internal/secret"
)

// codeAndTokenModules are about codes and refresh tokens.
var codeAndTokenModules = []module{
	{name: "oidcc-codereuse", do: codeReuse, notFor: onlyFront, wants: "a code used twice: invalid_grant"},
	{name: "oidcc-codereuse-30seconds", do: codeReuseLater, notFor: onlyFront, moves: true,
		wants: "a code used again after 30 seconds: invalid_grant, and the access token is dead"},
	{name: "oidcc-refresh-token", do: refreshToken, notFor: onlyFront, wants: "refresh tokens work, and for nobody else"},
	{name: "oidcc-ensure-request-with-valid-pkce-succeeds", do: pkce, notFor: onlyFront, wants: "PKCE with S256"},
}

func (m *run) redeemAgain(code string) reply {
	return m.token(m.client, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {m.client.redirect}})
}

func codeReuse(m *run) {
	o := m.flow(m.request())
	m.refusedToken(m.redeemAgain(o.front.code), "invalid_grant")
}

func codeReuseLater(m *run) {
	o := m.flow(m.request())
	m.w.clock.Add(30 * time.Second)
	m.refusedToken(m.redeemAgain(o.front.code), "invalid_grant")
	m.dead(o.back.access)
	if o.front.access != "" {
		m.dead(o.front.access)
	}
}

// tokenCharacters are those of a refresh token (RFC 6749 §A.17).
var tokenCharacters = regexp.MustCompile(`^[\x20-\x7E]+$`)

func refreshToken(m *run) {
	if !m.w.lists("grant_types_supported", "refresh_token") {
		m.Error("refresh_token is not on offer")
	}
	one, oldest := m.refreshing()
	two, foreign := m.refreshing()
	m.client = one
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {foreign}}
	m.refusedToken(m.token(one, form), "invalid_grant", "invalid_request")
	if two.id == one.id || oldest == foreign {
		m.Error("the two relying parties are one")
	}
}

// refreshing registers a relying party, gets a refresh token and uses it. It returns the
// party and its newest refresh token.
func (m *run) refreshing() (*client, string) {
	m.Helper()
	c := m.register(func(wish map[string]any) {
		grants, _ := wish["grant_types"].([]string)
		wish["grant_types"] = append(grants, "refresh_token")
	})
	o := m.flow(m.with("scope", "openid offline_access", "prompt", "consent"))
	if !tokenCharacters.MatchString(o.back.refresh) {
		m.Fatalf("the refresh token is %q", o.back.refresh)
	}
	next := m.refreshed(o)
	if next.access == o.back.access {
		m.Error("the refreshed access token is the old one")
	}
	m.userinfo(next.access)
	if next.refresh == "" {
		next.refresh = o.back.refresh
	}
	return c, next.refresh
}

// refreshed uses a refresh token and compares the ID tokens (OIDC Core §12.2).
func (m *run) refreshed(o outcome) tokens {
	m.Helper()
	m.nonce = ""
	next := m.tokens(m.token(m.client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {o.back.refresh}}))
	for _, name := range []string{"iss", "sub", "auth_time", "azp"} {
		if next.claims[name] != o.back.claims[name] {
			m.Errorf("%s was %v and is %v after refreshing", name, o.back.claims[name], next.claims[name])
		}
	}
	if !same(next.claims["aud"], o.back.claims["aud"]) {
		m.Errorf("aud was %v and is %v after refreshing", o.back.claims["aud"], next.claims["aud"])
	}
	return next
}

func pkce(m *run) {
	verifier := secret.NewID("verifier") + secret.NewID("verifier")
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	m.send(m.with("code_challenge", challenge, "code_challenge_method", "S256"))
	m.complete("code_verifier", verifier)

	m.send(m.with("code_challenge", challenge, "code_challenge_method", "S256"))
	g := m.success()
	m.refusedToken(m.token(m.client, url.Values{
		"grant_type": {"authorization_code"}, "code": {g.code}, "redirect_uri": {m.client.redirect}, "code_verifier": {verifier + "x"},
	}), "invalid_grant")
}
