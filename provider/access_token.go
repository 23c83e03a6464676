package provider

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"idp/internal/secret"
	"idp/token"
)

// accessClaims are the claims of a JWT access token itself (RFC 9068 §2.2).
type accessClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"` // the person as the client knows them; a machine's token speaks for the machine
	Audience  any      `json:"aud"`
	Client    string   `json:"client_id"`
	ID        string   `json:"jti"`
	IssuedAt  int64    `json:"iat"`
	ExpiresAt int64    `json:"exp"`
	Scope     string   `json:"scope,omitempty"`
	AuthTime  int64    `json:"auth_time,omitempty"`
	ACR       string   `json:"acr,omitempty"`
	AMR       []string `json:"amr,omitempty"`
}

const accessTokenType = "at+jwt"

// known reports whether raw can be an access token from here: random text of ours, or a JWT
// that a key of ours signed as one and that is not withdrawn. Whether it is good, its row says.
// The audience is what a JWT says of it, nil of random text.
func (p *Provider) known(ctx context.Context, raw string) (audience any, ok bool) {
	if strings.HasPrefix(raw, accessPrefix) {
		return nil, len(raw) <= 100
	}
	if strings.Count(raw, ".") != 2 {
		return nil, false
	}
	v, err := p.Keys.Verify(ctx, token.OIDC, raw)
	if err != nil || v.Type != accessTokenType {
		return nil, false
	}
	var said accessClaims
	if json.Unmarshal(v.Claims, &said) != nil || said.Audience == nil {
		return nil, false
	}
	return said.Audience, true
}

// names reports whether whoever calls themselves so is in the audience of an access token (RFC
// 9068 §4). One of random text names nobody: it is for whoever may ask us about it.
func names(audience any, name string) bool {
	list, _ := audience.([]any)
	return audience == nil || audience == any(name) || slices.Contains(list, any(name))
}

// accessToken makes the access token that the unit's client gets: a JWT where it is registered
// for them, otherwise random text.
func (p *Provider) accessToken(ctx context.Context, u *unit, scopes []string) (string, error) {
	if u.client.AccessTokenFormat != JWT || u.standing == nil && !u.machine {
		raw, _, err := fresh(accessPrefix)
		return raw, err
	}
	now := p.Now()
	claims := accessClaims{
		Issuer: p.Issuer, Subject: string(u.client.ID), Audience: p.audience(u, scopes), Client: string(u.client.ID),
		ID:       base64.RawURLEncoding.EncodeToString(secret.Bytes(16)),
		IssuedAt: now.Unix(), ExpiresAt: now.Add(accessLife).Unix(), Scope: strings.Join(scopes, " "),
	}
	var about, more map[string]any
	if s := u.standing; s != nil {
		claims.Subject, claims.AuthTime = p.subject(u.client, s.User), s.Facts.AuthTime.Unix()
		claims.ACR, claims.AMR = s.Facts.ACR, s.Facts.AMR
		decisive := slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return !slices.Contains(always, scope) })
		about = tell(u.client, *s, decisive, nil)
		more = p.fromTemplate(ctx, u.client, u.client.AccessTokenTemplate, *s)
	}
	sign := func(claims any) (string, error) {
		return p.Keys.Sign(ctx, token.OIDC, cmp.Or(u.client.AccessTokenAlgorithm, token.ES256), accessTokenType, claims)
	}
	return p.fitting(ctx, u.client, about, more, claims, sign)
}

// audience is whom a JWT access token is for: the APIs that the request names, otherwise all
// that the client is registered for, otherwise us (RFC 9068 §3). Userinfo is an API of ours: unless
// the request names others, a token with openid is for us as well.
func (p *Provider) audience(u *unit, scopes []string) any {
	all := u.resources
	if len(all) == 0 {
		all = slices.Clone(u.client.Audience)
		if len(all) > 0 && slices.Contains(scopes, "openid") && !slices.Contains(all, p.Issuer) {
			all = append(all, p.Issuer)
		}
	}
	switch len(all) {
	case 0:
		return p.Issuer
	case 1:
		return all[0]
	}
	return all
}

// fitting signs the protocol's claims with those about the person and those of a template. What
// would make the token longer than anybody takes is left out, the template's first: without
// claims that were to give somebody a right they do not have it.
func (p *Provider) fitting(ctx context.Context, c Client, about, more map[string]any, claims any, sign func(any) (string, error)) (string, error) {
	full := maps.Clone(about)
	if len(more) > 0 {
		if full == nil {
			full = map[string]any{}
		}
		maps.Copy(full, more)
	}
	for _, extra := range []map[string]any{full, about, nil} {
		whole, err := merged(extra, claims)
		if err != nil {
			return "", err
		}
		signed, err := sign(whole)
		if err != nil || len(signed) <= token.MaxSize {
			return signed, err
		}
		p.warn(ctx, c, fmt.Errorf("the token has %d characters, and at most %d", len(signed), token.MaxSize))
	}
	return "", fmt.Errorf("a token for client %s does not fit into %d characters", c.ID, token.MaxSize)
}

// errTarget refuses an API that a client may not name (RFC 8707 §2).
var errTarget = &fosite.RFC6749Error{
	ErrorField: "invalid_target", CodeField: http.StatusBadRequest,
	HintField: "The client is not registered for that resource.",
}

// resources are the APIs that a request names, sorted; userinfo is named by the issuer. For opaque
// tokens they mean nothing: such a token is for whoever may introspect it.
func (p *Provider) resources(c Client, form url.Values) ([]string, error) {
	if c.AccessTokenFormat != JWT {
		return nil, nil
	}
	named := slices.Concat(form["resource"], form["audience"])
	for _, one := range named {
		if one != p.Issuer && !slices.Contains(c.Audience, one) {
			return nil, errTarget
		}
	}
	slices.Sort(named)
	return slices.Compact(named), nil
}

// targeted notes the APIs that an authorization request names.
func (p *Provider) targeted(a *asked) (err error) {
	a.resources, err = p.resources(a.client, a.Form)
	if a.client.AccessTokenFormat != JWT { // nothing to keep
		a.Form.Del("resource")
		a.Form.Del("audience")
	}
	return err
}

// within are the APIs that a token request names, within those of the authorization request:
// all of these if it names none (RFC 8707 §2.2).
func (p *Provider) within(u *unit, form url.Values) ([]string, error) {
	named, err := p.resources(u.client, form)
	if err != nil || u.standing == nil || len(u.standing.Facts.Resources) == 0 || u.client.AccessTokenFormat != JWT {
		return named, err
	}
	// The client may have lost some since.
	granted := slices.DeleteFunc(slices.Clone(u.standing.Facts.Resources), func(one string) bool { return one != p.Issuer && !slices.Contains(u.client.Audience, one) })
	for _, one := range named {
		if !slices.Contains(granted, one) {
			return nil, errTarget
		}
	}
	switch {
	case len(granted) == 0:
		return nil, errTarget
	case len(named) == 0:
		return granted, nil
	}
	return named, nil
}
