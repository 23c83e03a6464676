package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"idp/event"
	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/session"
)

const authorizationPrefix = "authorization"

// checked lets fosite look at the request. The state stays outside: it may be absent or
// short, which fosite would not have.
func (p *Provider) checked(ctx context.Context, a asked) (fosite.AuthorizeRequester, error) {
	form := url.Values{
		"client_id": {string(a.client.ID)}, "redirect_uri": {a.redirect}, "response_type": {strings.Join(a.types, " ")},
		"response_mode": {a.mode}, "scope": {a.Form.Get("scope")}, "state": {"kept outside"},
	}
	r := &http.Request{Method: http.MethodPost, Form: form, PostForm: form, Header: http.Header{}}
	u := &unit{client: a.client, redirect: a.redirect}
	return p.engine.NewAuthorizeRequest(withUnit(ctx, u), r)
}

// issue writes the authorization with its code and access token, and answers with them.
func (p *Provider) issue(w http.ResponseWriter, r *http.Request, a asked, ask login.Ask, by session.Session) error {
	request, err := p.checked(r.Context(), a)
	if err != nil {
		return p.answerError(w, r, a, err)
	}
	for _, scope := range a.scopes {
		request.GrantScope(scope)
	}
	u := &unit{client: a.client, redirect: a.redirect}
	response, err := p.engine.NewAuthorizeResponse(withUnit(r.Context(), u), request, newFacts(string(by.User)))
	if err != nil {
		return p.answerError(w, r, a, err)
	}
	made := p.authorization(a, by, u.wrote.code)
	err = p.InTx(r.Context(), func(ctx context.Context) error {
		if err := p.used(ctx, a, ask); err != nil {
			return err
		}
		return p.authorized(ctx, r, a.client, made, by, u.wrote.tokens)
	})
	if problem.HasCode(err, errTwice.Code) {
		p.Pages.Problem(w, r, err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("authorize: %w", err)
	}
	params, beside := url.Values{}, handed(response)
	for name, value := range beside {
		params.Set(name, value)
	}
	left := func(scope string) bool { return !slices.Contains(a.scopes, scope) }
	if a.gives(partToken) && slices.ContainsFunc(strings.Fields(a.Form.Get("scope")), left) {
		params.Set("scope", strings.Join(a.scopes, " ")) // less than was asked for (RFC 6749 §4.2.2)
	}
	if a.gives(partIDToken) {
		signed, err := p.frontIDToken(r.Context(), a, made.ID, beside)
		if err != nil {
			return p.answerError(w, r, a, err)
		}
		params.Set("id_token", signed)
	}
	state, err := p.sessionState(w, r, a)
	if err != nil {
		return err
	}
	if state != "" {
		params.Set("session_state", state)
	}
	return p.answer(w, r, a, params)
}

// authorization is what was decided, ready to be written.
func (p *Provider) authorization(a asked, by session.Session, code secret.Digest) Authorization {
	now := p.Now()
	made := Authorization{
		ID: AuthorizationID(secret.NewID(authorizationPrefix)), Client: a.client.ID, User: by.User, Session: by.ID,
		Scopes: a.scopes, Code: code, CodeExpiresAt: now.Add(codeLife), Generation: 1,
		CreatedAt: now, ExpiresAt: now.Add(wholeLife),
		Facts: Facts{
			RedirectURI: a.redirect, Challenge: a.Form.Get("code_challenge"), Nonce: a.Form.Get("nonce"),
			AuthTime: by.AuthTime, ACR: a.acr(by.Proofs), AMR: identity.AMR(by.Proofs), Requested: a.wants, Resources: a.resources, Sector: a.client.sector(),
		},
	}
	made.Offline = made.has("offline_access")
	if !a.gives(partCode) || !slices.Contains(a.client.GrantTypes, grantRefresh) {
		made.ExpiresAt = now.Add(onceLife)
	}
	return made
}

// authorized writes an authorization and the access tokens that are issued with it.
func (p *Provider) authorized(ctx context.Context, r *http.Request, c Client, made Authorization, by session.Session, tokens []AccessToken) error {
	if err := p.Store.SaveAuthorization(ctx, made); err != nil {
		return err
	}
	for _, t := range tokens {
		t.Authorization = made.ID
		if err := p.Store.SaveToken(ctx, t); err != nil {
			return err
		}
	}
	if err := p.visited(ctx, c, by); err != nil {
		return err
	}
	if now := p.Now(); now.Sub(by.LastActiveAt) >= time.Minute { // being recognised by a relying party is use
		if err := p.Sessions.Store.Touch(ctx, by.ID, p.Sessions.Network(r), now); err != nil {
			return err
		}
	}
	return p.record(ctx, r, event.Event{
		Kind: event.AuthorizationCreated, Actor: string(by.User), User: string(by.User),
		Client: string(made.Client), Session: string(by.ID), Detail: map[string]string{"authorization": string(made.ID)},
	})
}
