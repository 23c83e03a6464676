package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"idp/event"
	"idp/internal/problem"
	"idp/internal/secret"
)

// Token is the token endpoint (RFC 6749 §3.2).
func (p *Provider) Token(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodOptions {
		return preflight(w, r)
	}
	form, client, err := p.direct(w, r)
	if err != nil {
		return p.refuse(w, err)
	}
	allowOrigin(w, r, client)
	answer, err := p.exchange(r, client, form)
	if err != nil {
		return p.refuse(w, err)
	}
	return reply(w, http.StatusOK, answer)
}

// direct reads a request that a client makes itself, and finds out which client it is.
func (p *Provider) direct(w http.ResponseWriter, r *http.Request) (url.Values, Client, error) {
	if r.Method != http.MethodPost {
		return nil, Client{}, errMethod
	}
	if err := noQuery(r); err != nil {
		return nil, Client{}, err
	}
	form, err := bodyForm(w, r)
	if err != nil {
		return nil, Client{}, err
	}
	client, err := p.authenticate(r, form)
	return form, client, err
}

// exchange answers a token request of a client that is who it says.
func (p *Provider) exchange(r *http.Request, client Client, form url.Values) (map[string]any, error) {
	grant := form.Get("grant_type")
	switch grant {
	case "":
		return nil, fosite.ErrInvalidRequest.WithHint("The grant_type is missing.")
	case grantCode, grantRefresh, grantMachine:
	default:
		return nil, fosite.ErrUnsupportedGrantType.WithHint("Supported are authorization_code, refresh_token and client_credentials.")
	}
	if !slices.Contains(client.GrantTypes, grant) {
		return nil, fosite.ErrUnauthorizedClient.WithHint("This client is not registered for that grant_type.")
	}
	switch grant {
	case grantCode:
		return p.redeem(r, client, form)
	case grantRefresh:
		return p.refresh(r, client, form)
	}
	return p.machine(r, client, form)
}

// redeem exchanges a code.
func (p *Provider) redeem(r *http.Request, client Client, form url.Values) (map[string]any, error) {
	ctx, code := r.Context(), form.Get("code")
	if code == "" {
		return nil, fosite.ErrInvalidRequest.WithHint("The code is missing.")
	}
	digest := secret.DigestOf(code)
	standing, err := p.Store.ByCode(ctx, digest)
	if problem.Is(err, problem.NotFound) {
		return nil, fosite.ErrInvalidGrant.WithHint("The code is not known.")
	}
	if err != nil {
		return nil, fmt.Errorf("find code: %w", err)
	}
	verdict := judgeCode(standing, client, form, p.Now())
	if verdict.ruling != pass {
		return nil, p.sentence(ctx, r, standing, verdict)
	}
	u := &unit{client: client, redirect: standing.Facts.RedirectURI, standing: &standing, code: digest, refresh: standing.Generation}
	answer, err := p.compose(ctx, u, form)
	if err != nil {
		return nil, err
	}
	err = p.flush(ctx, u)
	if problem.Is(err, problem.Conflict) { // somebody else redeemed it in this moment
		return nil, fosite.ErrInvalidGrant.WithHint("The code was used already.")
	}
	return answer, err
}

// refresh exchanges a refresh token. Who loses a race against another refresh looks again,
// once, and is then answered like any retry.
func (p *Provider) refresh(r *http.Request, client Client, form url.Values) (map[string]any, error) {
	if form.Get("refresh_token") == "" {
		return nil, fosite.ErrInvalidRequest.WithHint("The refresh_token is missing.")
	}
	id, generation, ok := p.artifacts.readRefresh(form.Get("refresh_token"))
	if !ok {
		return nil, fosite.ErrInvalidGrant.WithHint("The refresh token is not known.")
	}
	answer, err := p.refreshOnce(r, client, form, id, generation)
	if problem.Is(err, problem.Conflict) {
		answer, err = p.refreshOnce(r, client, form, id, generation)
	}
	if problem.Is(err, problem.Conflict) {
		return nil, fosite.ErrInvalidGrant.WithHint("The refresh token is not valid any more.")
	}
	return answer, err
}

func (p *Provider) refreshOnce(r *http.Request, client Client, form url.Values, id AuthorizationID, generation int) (map[string]any, error) {
	ctx := r.Context()
	standing, err := p.Store.Authorization(ctx, id)
	if problem.Is(err, problem.NotFound) {
		return nil, fosite.ErrInvalidGrant.WithHint("The refresh token is not known.")
	}
	if err != nil {
		return nil, fmt.Errorf("find refresh token: %w", err)
	}
	verdict := judgeRefresh(standing, client, generation, p.Now())
	if verdict.ruling != pass && verdict.ruling != again {
		return nil, p.sentence(ctx, r, standing, verdict)
	}
	standing.Scopes, err = narrower(standing.Scopes, form.Get("scope"))
	if err != nil {
		return nil, err
	}
	u := &unit{client: client, redirect: standing.Facts.RedirectURI, standing: &standing, refresh: generation + 1}
	answer, err := p.compose(ctx, u, form)
	if err != nil {
		return nil, err
	}
	if verdict.ruling == again {
		u.wrote.rotate = false
	}
	return answer, p.flush(ctx, u)
}

// narrower returns the scopes a refresh asks for: all of them, or fewer, never others
// (RFC 6749 §6).
func narrower(granted []string, asked string) ([]string, error) {
	want := strings.Fields(asked)
	if len(want) == 0 {
		return granted, nil
	}
	for _, s := range want {
		if !slices.Contains(granted, s) {
			return nil, fosite.ErrInvalidScope.WithHint("A refresh cannot ask for more than was granted.")
		}
	}
	slices.Sort(want)
	return slices.Compact(want), nil
}

// forPeople are the scopes that an app may give itself: what they tell is the person's own to
// give. Groups and roles are the operator's.
var forPeople = []string{"openid", "profile", "email", "address", "phone", "offline_access"}

// machine answers a client that asks in its own name.
func (p *Provider) machine(r *http.Request, client Client, form url.Values) (map[string]any, error) {
	scopes := strings.Fields(form.Get("scope"))
	for _, s := range scopes {
		if slices.Contains(standardScopes, s) {
			return nil, fosite.ErrInvalidScope.WithHint("A client in its own name has no person to speak about.")
		}
	}
	if len(scopes) > maxScopes {
		return nil, fosite.ErrInvalidScope.WithHintf("At most %d scopes.", maxScopes)
	}
	u := &unit{client: client, machine: true}
	answer, err := p.compose(r.Context(), u, form)
	if err != nil {
		return nil, err
	}
	return answer, p.flush(r.Context(), u)
}

// compose lets fosite's handlers make the answer, and note in u what it costs.
func (p *Provider) compose(ctx context.Context, u *unit, form url.Values) (map[string]any, error) {
	var err error
	if u.resources, err = p.within(u, form); err != nil {
		return nil, err
	}
	ctx = withUnit(ctx, u)
	r := &http.Request{Method: http.MethodPost, Form: form, PostForm: form, Header: http.Header{}}
	subject := string(u.client.ID)
	if u.standing != nil {
		subject = string(u.standing.User)
	}
	request, err := p.engine.NewAccessRequest(ctx, r, newFacts(subject))
	if err != nil {
		return nil, err
	}
	if u.standing == nil { // a machine is granted what it asked for and is registered for
		for _, s := range request.GetRequestedScopes() {
			request.GrantScope(s)
		}
	}
	response, err := p.engine.NewAccessResponse(ctx, request)
	if err != nil {
		return nil, err
	}
	return response.ToMap(), nil
}

// flush writes what the handlers noted: all of it, or nothing.
func (p *Provider) flush(ctx context.Context, u *unit) error {
	now := p.Now()
	if u.standing == nil && len(u.wrote.tokens) == 1 {
		return p.Store.SaveToken(ctx, u.wrote.tokens[0])
	}
	return p.InTx(ctx, func(ctx context.Context) error {
		if u.wrote.redeem {
			if err := p.Store.Redeem(ctx, u.standing.ID, now, now.Add(idleLife)); err != nil {
				return err
			}
		}
		if u.wrote.rotate {
			if err := p.Store.Rotate(ctx, u.standing.ID, u.standing.Generation, now, now.Add(idleLife)); err != nil {
				return err
			}
		}
		for _, t := range u.wrote.tokens {
			if err := p.Store.SaveToken(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// sentence carries out a ruling against a code or token. What it writes stays, although
// the request fails.
func (p *Provider) sentence(ctx context.Context, r *http.Request, s Standing, v judged) error {
	if v.ruling == burn {
		if err := p.end(ctx, r, s, v.why, v.kind, "client:"+string(s.Client)); err != nil {
			return err
		}
	}
	return fosite.ErrInvalidGrant.WithHint(v.hint)
}

// end ends an authorization and records why. Ending it twice is fine.
func (p *Provider) end(ctx context.Context, r *http.Request, s Standing, why Why, kind event.Kind, actor string) error {
	return p.InTx(ctx, func(ctx context.Context) error {
		ended, err := p.Store.EndAuthorization(ctx, s.ID, why, p.Now())
		if err != nil || !ended {
			return err
		}
		return p.record(ctx, r, event.Event{
			Kind: kind, Actor: actor, User: string(s.User), Client: string(s.Client), Session: string(s.Session),
			Detail: map[string]string{"authorization": string(s.ID), "why": string(why)},
		})
	})
}
