package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ory/fosite"

	"idp/internal/problem"
)

// inactive is all that anybody learns about a token that is not theirs or not good, for
// whatever reason (RFC 7662 §2.2).
var inactive = map[string]any{"active": false}

// Introspect says what a token is (RFC 7662), to the client it was issued to and to those
// registered as resource servers.
func (p *Provider) Introspect(w http.ResponseWriter, r *http.Request) error {
	form, client, err := p.direct(w, r)
	if err != nil {
		return p.refuse(w, err)
	}
	if client.Public() {
		return p.refuse(w, errClient) // an id alone proves nothing
	}
	raw := form.Get("token")
	if raw == "" {
		return p.refuse(w, fosite.ErrInvalidRequest.WithHint("The token is missing."))
	}
	look := p.introspectAccess
	if strings.HasPrefix(raw, refreshPrefix) {
		look = p.introspectRefresh
	}
	answer, err := look(r.Context(), client, raw)
	if errors.Is(err, errDead) {
		return reply(w, http.StatusOK, inactive)
	}
	if err != nil {
		return p.refuse(w, err)
	}
	return reply(w, http.StatusOK, answer)
}

func (p *Provider) introspectAccess(ctx context.Context, client Client, raw string) (map[string]any, error) {
	b, err := p.active(ctx, raw, StatusAlone)
	if err != nil {
		return nil, err
	}
	if b.client.ID != client.ID && !client.MayIntrospect {
		return nil, errDead
	}
	answer := map[string]any{
		"active": true, "iss": p.Issuer, "client_id": string(b.client.ID), "token_type": "Bearer",
		"scope": strings.Join(b.AccessToken.Scopes, " "),
		"iat":   b.AccessToken.CreatedAt.Unix(), "exp": b.AccessToken.ExpiresAt.Unix(),
		"sub": string(b.client.ID), // a machine's token speaks for the machine
	}
	if b.audience != nil {
		answer["aud"] = b.audience // without it an API takes tokens that were narrowed to another
	}
	if !b.Missing {
		answer["sub"] = p.subject(b.client, b.User)
		answer["auth_time"] = b.Facts.AuthTime.Unix()
		answer["acr"] = b.Facts.ACR
	}
	return answer, nil
}

// A refresh token is shown to its own client alone: a resource server that took one for an
// access token would be wrong to.
func (p *Provider) introspectRefresh(ctx context.Context, client Client, raw string) (map[string]any, error) {
	id, generation, ok := p.artifacts.readRefresh(raw)
	if !ok {
		return nil, errDead
	}
	s, err := p.Store.Authorization(ctx, id)
	if problem.Is(err, problem.NotFound) {
		return nil, errDead
	}
	if err != nil {
		return nil, fmt.Errorf("find refresh token: %w", err)
	}
	if judgeRefresh(s, client, generation, p.Now()).ruling != pass {
		return nil, errDead
	}
	expires := s.IdleAt
	if s.ExpiresAt.Before(expires) {
		expires = s.ExpiresAt
	}
	return map[string]any{
		"active": true, "iss": p.Issuer, "client_id": string(client.ID), "sub": p.subject(client, s.User),
		"scope": strings.Join(s.Scopes, " "), "iat": s.CreatedAt.Unix(), "exp": expires.Unix(),
		"token_use": "refresh_token",
	}, nil
}
