package provider

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/ory/fosite"

	"idp/event"
	"idp/internal/problem"
	"idp/internal/secret"
)

// errForeign answers a client that would revoke what is not its own (RFC 7009 §2.1).
var errForeign = fosite.ErrInvalidGrant.WithHint("The token was issued to another client.")

// Revoke ends a token of the client that asks (RFC 7009): an access token alone, a refresh
// token with its whole authorization. Unknown tokens are fine; a database that cannot
// write is not.
func (p *Provider) Revoke(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodOptions {
		return preflight(w, r)
	}
	form, client, err := p.direct(w, r)
	if err != nil {
		return p.refuse(w, err)
	}
	allowOrigin(w, r, client)
	raw := form.Get("token")
	if raw == "" {
		return p.refuse(w, fosite.ErrInvalidRequest.WithHint("The token is missing."))
	}
	if strings.HasPrefix(raw, refreshPrefix) {
		err = p.revokeRefresh(r, client, raw)
	} else {
		err = p.revokeAccess(r, client, raw)
	}
	if err != nil {
		if _, told := failureOf(err); !told {
			err = problem.New(problem.Unavailable, "revocation_failed", "Please try again in a moment.").Because(err)
		}
		return p.refuse(w, err)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

func (p *Provider) revokeRefresh(r *http.Request, client Client, raw string) error {
	id, _, ok := p.artifacts.readRefresh(raw)
	if !ok {
		return nil
	}
	s, err := p.Store.Authorization(r.Context(), id)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find refresh token: %w", err)
	}
	if s.Client != client.ID {
		return p.foreign(r, client, s.Client)
	}
	return p.end(r.Context(), r, s, Revoked, event.AuthorizationRevoked, "client:"+string(client.ID))
}

func (p *Provider) revokeAccess(r *http.Request, client Client, raw string) error {
	if _, ok := p.known(r.Context(), raw); !ok {
		return nil
	}
	digest := secret.DigestOf(raw)
	t, _, err := p.Store.Token(r.Context(), digest, StatusAlone)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find access token: %w", err)
	}
	if t.Client != client.ID {
		return p.foreign(r, client, t.Client)
	}
	if _, err := p.Store.EndToken(r.Context(), digest, p.Now()); err != nil {
		return fmt.Errorf("end access token: %w", err)
	}
	return nil
}

// foreign leaves the token alone and a trace behind.
func (p *Provider) foreign(r *http.Request, client Client, owner ClientID) error {
	err := p.InTx(r.Context(), func(ctx context.Context) error {
		return p.record(ctx, r, event.Event{
			Kind: event.TokenRefused, Actor: "client:" + string(client.ID), Client: string(owner),
			Detail: map[string]string{"what": "revocation of another client's token"},
		})
	})
	if err != nil {
		return err
	}
	return errForeign
}
