package provider

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
)

// front answers the response types that bring more through the browser than a code: fosite's
// own handlers for them would each write, and sign, on their own. Codes and access tokens
// are noted in the unit like all others; ID tokens are made once everything is written.
type front struct {
	code   *oauth2.AuthorizeExplicitGrantHandler
	tokens oauth2.AccessTokenStrategy
	shelf  shelf
}

var _ fosite.AuthorizeEndpointHandler = (*front)(nil)

// HandleAuthorizeEndpointRequest issues the parts of every response type but code alone.
func (f *front) HandleAuthorizeEndpointRequest(ctx context.Context, r fosite.AuthorizeRequester, answer fosite.AuthorizeResponder) error {
	types := r.GetResponseTypes()
	if types.ExactOne(partCode) {
		return nil
	}
	if slices.Contains(types, partCode) {
		if err := f.code.IssueAuthorizeCode(ctx, r, answer); err != nil {
			return err
		}
	}
	if slices.Contains(types, partToken) {
		raw, digest, err := f.tokens.GenerateAccessToken(ctx, r)
		if err != nil {
			return err
		}
		if err := f.shelf.CreateAccessTokenSession(ctx, digest, r); err != nil {
			return err
		}
		answer.AddParameter("access_token", raw)
		answer.AddParameter("token_type", "Bearer")
		answer.AddParameter("expires_in", strconv.Itoa(int(accessLife/time.Second)))
		r.SetResponseTypeHandled(partToken)
	}
	if slices.Contains(types, partIDToken) {
		r.SetResponseTypeHandled(partIDToken)
	}
	return nil
}

// handed are the parameters that fosite's handlers made; state and issuer are added to
// every answer alike.
func handed(answer fosite.AuthorizeResponder) map[string]string {
	found := map[string]string{}
	for _, name := range []string{"code", "access_token", "token_type", "expires_in"} {
		if v := answer.GetParameters().Get(name); v != "" {
			found[name] = v
		}
	}
	return found
}

// frontIDToken makes the ID token that goes with an answer, from what was just written. It
// may come without any access token to ask for more with: then it says all there is to say.
func (p *Provider) frontIDToken(ctx context.Context, a asked, id AuthorizationID, beside map[string]string) (string, error) {
	s, err := p.Store.Authorization(ctx, id)
	if err != nil {
		return "", err
	}
	return p.idToken(ctx, a.client, s, idParts{
		nonce: s.Facts.Nonce, code: beside["code"], access: beside["access_token"], all: len(a.types) == 1,
	})
}
