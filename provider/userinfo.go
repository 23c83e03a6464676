package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"idp/internal/problem"
	"idp/internal/secret"
)

// bearing is an access token that may be used now, and what it rests on.
type bearing struct {
	AccessToken
	Standing
	client   Client
	audience any // of a JWT: a text or a list of them; nil of random text
}

// errDead says that a token is unknown, used up, or rests on something that ended.
var errDead = errors.New("the token is not active")

// active finds an access token and checks everything that it rests on: itself, its
// authorization, the person, the session, the client. It is the one way to accept one.
func (p *Provider) active(ctx context.Context, raw string, how Telling) (bearing, error) {
	audience, ok := p.known(ctx, raw)
	if !ok {
		return bearing{}, errDead
	}
	t, s, err := p.Store.Token(ctx, secret.DigestOf(raw), how)
	if problem.Is(err, problem.NotFound) {
		return bearing{}, errDead
	}
	if err != nil {
		return bearing{}, fmt.Errorf("find access token: %w", err)
	}
	now := p.Now()
	if !t.alive(now) || (t.Authorization != "" && (s.Missing || !s.stands(now))) {
		return bearing{}, errDead
	}
	client, err := p.Clients.Get(ctx, t.Client)
	if problem.Is(err, problem.NotFound) || err == nil && client.Disabled {
		return bearing{}, errDead
	}
	if err == nil && t.Authorization != "" && s.moved(client) {
		return bearing{}, errDead
	}
	return bearing{t, s, client, audience}, err
}

// Userinfo says who the person is (OIDC Core §5.3). The token comes in the header or in a
// posted form, never in the URL.
func (p *Provider) Userinfo(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodOptions {
		return preflight(w, r)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return wrongMethod(w, "GET, POST")
	}
	raw, err := bearer(w, r)
	if err != nil {
		return challengeBearer(w, http.StatusBadRequest, "invalid_request", "Send one access token: in the header, or in a form.")
	}
	if raw == "" {
		return challengeBearer(w, http.StatusUnauthorized, "", "")
	}
	b, err := p.active(r.Context(), raw, WholePerson)
	if errors.Is(err, errDead) {
		return challengeBearer(w, http.StatusUnauthorized, "invalid_token", "The access token is not valid.")
	}
	if err != nil {
		return p.refuse(w, err)
	}
	allowOrigin(w, r, b.client)
	if !names(b.audience, p.Issuer) {
		return challengeBearer(w, http.StatusUnauthorized, "invalid_token", "The access token is for other APIs: its aud does not name this issuer. Ask without resource, or name the issuer there too.")
	}
	if b.Missing || !slices.Contains(b.AccessToken.Scopes, "openid") {
		return challengeBearer(w, http.StatusForbidden, "insufficient_scope", "The access token was not granted openid.")
	}
	return p.tellUserinfo(w, r, b)
}

// tellUserinfo answers in JSON, or signed and encrypted as the client registered (OIDC Core §5.3.2).
func (p *Provider) tellUserinfo(w http.ResponseWriter, r *http.Request, b bearing) error {
	claims, how := p.userinfoClaims(b.client, b.Standing, b.AccessToken.Scopes), b.client.Userinfo
	if how.JWS == "" && how.JWE == "" {
		return reply(w, http.StatusOK, claims)
	}
	var answer string
	var err error
	if how.JWS == "" {
		var plain []byte
		if plain, err = json.Marshal(claims); err == nil {
			answer, err = p.seal(r.Context(), b.client, how, "", plain)
		}
	} else {
		claims["iss"], claims["aud"] = p.Issuer, string(b.client.ID)
		answer, err = p.wrap(r.Context(), b.client, how, idTokenType, claims)
	}
	if err != nil {
		return p.refuse(w, err)
	}
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, answer)
	return nil
}

// bearer reads the access token of a request (RFC 6750 §2), "" if there is none.
func bearer(w http.ResponseWriter, r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	var posted string
	if r.Method == http.MethodPost && r.ContentLength != 0 {
		form, err := bodyForm(w, r)
		if err != nil && len(headers) == 0 {
			return "", err
		}
		posted = form.Get("access_token")
	}
	switch {
	case len(headers) > 1 || len(headers) == 1 && posted != "":
		return "", fosite.ErrInvalidRequest
	case len(headers) == 0:
		return posted, nil
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	return strings.TrimSpace(token), nil
}

// challengeBearer refuses a protected resource (RFC 6750 §3).
func challengeBearer(w http.ResponseWriter, status int, code, description string) error {
	value := `Bearer realm="userinfo"`
	if code != "" {
		value += `, error="` + code + `", error_description="` + description + `"`
	}
	w.Header().Set("WWW-Authenticate", value)
	return reply(w, status, failure{Code: code, Description: description})
}
