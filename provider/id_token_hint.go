package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"idp/internal/problem"
	"idp/provider/partykeys"
	"idp/token"
)

var errHint = problem.New(problem.Invalid, "id_token_hint_invalid", "The id_token_hint is not an ID token from here.")

// readHint reads an ID token that we once issued. It may have expired long ago; its key
// must not have been retired. Of what else the same key signs, nothing is taken for one:
// access and logout tokens have types of their own, and only an ID token says when the
// person signed in and when it ends.
func (p *Provider) readHint(ctx context.Context, raw string) (idClaims, error) {
	var c idClaims
	text, err := p.readSigned(ctx, raw)
	if err != nil {
		return c, errHint.Because(err)
	}
	if err := json.Unmarshal(text, &c); err != nil || c.Issuer != p.Issuer || c.Subject == "" || c.Audience == "" {
		return c, errHint.Because(err)
	}
	if c.ExpiresAt == 0 || c.AuthTime == 0 {
		return c, errHint
	}
	return c, nil
}

// readSigned verifies a JWT that we signed: with a key of ours, or with the secret of the
// client it is for, where that client registered for such signatures.
func (p *Provider) readSigned(ctx context.Context, raw string) (json.RawMessage, error) {
	id, algorithm := addressedTo(raw)
	if !slices.Contains(partykeys.HMACAlgorithms, algorithm) {
		verified, err := p.Keys.Verify(ctx, token.OIDC, raw)
		if err == nil && verified.Type != idTokenType {
			err = errHint
		}
		return verified.Claims, err
	}
	client, err := p.Clients.Get(ctx, ClientID(id))
	if err != nil {
		return nil, err
	}
	if client.IDToken.JWS != algorithm {
		return nil, errHint
	}
	signed, err := p.parties.Verify(ctx, client.owner(p.Now()), raw, []string{algorithm})
	if err == nil && signed.Type != idTokenType {
		err = errHint
	}
	return signed.Claims, err
}

// addressedTo reads, before anything is proven, whom a JWT says it is for and how it says
// it is signed.
func addressedTo(raw string) (audience, algorithm string) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || len(raw) > partykeys.MaxToken {
		return "", ""
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Audience string `json:"aud"`
	}
	for i, into := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return "", ""
		}
	}
	return claims.Audience, header.Algorithm
}
