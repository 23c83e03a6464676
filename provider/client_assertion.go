package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider/partykeys"
)

// Assertions is where client assertions that were used are remembered. storage.Assertions is one.
type Assertions interface {
	// UseAssertion notes one until it expires; problem.Conflict if it was noted before.
	UseAssertion(ctx context.Context, digest secret.Digest, expires time.Time) error
}

const (
	assertionKind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionLife = 5 * time.Minute // the furthest ahead that exp may be
	skew          = 30 * time.Second
	maxJTI        = 256
)

// assertionClaims are the claims that RFC 7523 §3 speaks of.
type assertionClaims struct {
	issuer, subject, id          string
	audience                     []string
	expires, issuedAt, notBefore time.Time // zero if absent
	request                      bool      // there are parameters of an authorization request beside them
}

// readAssertion reads claims by their exact names, so that nothing means two things.
func readAssertion(raw json.RawMessage) (c assertionClaims, ok bool) {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return c, false
	}
	for name, into := range map[string]*string{"iss": &c.issuer, "sub": &c.subject, "jti": &c.id} {
		if v, has := m[name]; has && json.Unmarshal(v, into) != nil {
			return c, false
		}
	}
	for name, into := range map[string]*time.Time{"exp": &c.expires, "iat": &c.issuedAt, "nbf": &c.notBefore} {
		v, has := m[name]
		if !has {
			continue
		}
		var seconds *float64 // a NumericDate may have a fraction (RFC 7519 §2)
		if json.Unmarshal(v, &seconds) != nil || seconds == nil || math.Abs(*seconds) > 1<<40 {
			return c, false
		}
		*into = time.Unix(int64(*seconds), 0).UTC()
	}
	c.request = m["response_type"] != nil || m["redirect_uri"] != nil
	var one string
	if json.Unmarshal(m["aud"], &one) == nil {
		c.audience = []string{one}
		return c, true
	}
	return c, json.Unmarshal(m["aud"], &c.audience) == nil
}

// claimedBy returns which client an assertion says it is from, before anything is proven.
func claimedBy(raw string) string {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	c, _ := readAssertion(text)
	return c.subject
}

// asserts checks a client assertion (RFC 7523 §3, OIDC Core §9) and uses it up. Whatever
// is wrong with it is errClient, with a hint once the signature proved who is asking.
func (p *Provider) asserts(r *http.Request, c Client, raw string) error {
	algorithms := partykeys.SigningAlgorithms
	if c.AuthMethod == authSecretJWT {
		algorithms = partykeys.HMACAlgorithms
	}
	if c.AuthAlgorithm != "" {
		if !slices.Contains(algorithms, c.AuthAlgorithm) {
			return errClient
		}
		algorithms = []string{c.AuthAlgorithm}
	}
	now := p.Now()
	signed, err := p.parties.Verify(r.Context(), c.owner(now), raw, algorithms)
	if err != nil {
		return errClient.WithWrap(err)
	}
	claims, ok := readAssertion(signed.Claims)
	if !ok {
		return errClient.WithHint("The client_assertion has claims of a wrong kind.")
	}
	if flaw := p.flaw(r, c, signed.Type, claims, now); flaw != "" {
		return errClient.WithHint(flaw)
	}
	digest := secret.DigestOf(string(c.ID) + "\x00" + claims.id)
	err = p.Assertions.UseAssertion(r.Context(), digest, claims.expires.Add(skew))
	if problem.Is(err, problem.Conflict) {
		return errClient.WithHint("The client_assertion was used already.")
	}
	if err != nil {
		return fmt.Errorf("use client assertion: %w", err)
	}
	return nil
}

// assertionTypes are the headers typ an assertion may have: none, the general one, or its own.
var assertionTypes = []string{"", "jwt", "client-authentication+jwt"}

// flaw says what is wrong with the claims of a signed assertion, "" if nothing.
func (p *Provider) flaw(r *http.Request, c Client, typ string, a assertionClaims, now time.Time) string {
	ours := []string{p.Issuer, p.url("/oauth2/token"), p.url(r.URL.Path)}
	foreign := slices.ContainsFunc(a.audience, func(aud string) bool { return !slices.Contains(ours, aud) })
	switch {
	case !slices.Contains(assertionTypes, strings.ToLower(typ)):
		return "The client_assertion has a typ of something else."
	case a.request: // it may have come through a browser, or lie open at a request_uri (RFC 9101 §10.8)
		return "The client_assertion is a request object."
	case a.issuer != string(c.ID) || a.subject != string(c.ID):
		return "The iss and sub of a client_assertion are the client_id."
	case len(a.audience) == 0 || foreign:
		return "The aud of a client_assertion is the issuer, the token endpoint or the endpoint called, and nobody else."
	case a.id == "" || len(a.id) > maxJTI:
		return "A client_assertion needs a jti of at most 256 characters."
	case a.expires.IsZero() || !now.Before(a.expires.Add(skew)):
		return "The client_assertion has expired."
	case a.expires.After(now.Add(assertionLife + skew)):
		return "The exp of a client_assertion is at most five minutes ahead."
	case a.issuedAt.After(now.Add(skew)) || a.notBefore.After(now.Add(skew)):
		return "The client_assertion is not valid yet."
	}
	return ""
}

// owner is the client as the owner of keys: those it registered, and its live secrets.
func (c Client) owner(now time.Time) partykeys.Owner {
	o := partykeys.Owner{ID: string(c.ID), JWKS: c.JWKS, URI: c.JWKSURI}
	for _, s := range c.Secrets {
		if !s.Value.Empty() && (s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)) {
			o.Secrets = append(o.Secrets, s.Value)
		}
	}
	return o
}
