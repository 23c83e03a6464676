package federation

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// plain speaks OAuth 2.0 to providers that say who somebody is by an interface of their own.
// The token that is asked with comes from their token endpoint, for our client and our code,
// and from nowhere else; so its owner is who just signed in there.
type plain struct{ f *Federation }

// depart asks for a code (RFC 6749 §4.1.1) with state and, where it is not refused, PKCE.
func (p plain) depart(_ context.Context, c Connection, d Departure) (Way, error) {
	if err := p.proper(c); err != nil {
		return Way{}, err
	}
	talk, q := c.dialect(), p.f.request(c, d)
	if len(c.Scopes) > 0 {
		separator := talk.Separator
		if separator == "" {
			separator = " "
		}
		q.Set("scope", strings.Join(c.Scopes, separator))
	}
	if !talk.NoPKCE {
		q.Set("code_challenge", p.f.challenge(d.State))
		q.Set("code_challenge_method", "S256")
	}
	if talk.FormPost {
		q.Set("response_mode", "form_post")
	}
	return wayTo(c.AuthorizationEndpoint, q)
}

func (p plain) proper(c Connection) error {
	for _, uri := range []string{c.AuthorizationEndpoint, c.TokenEndpoint, c.UserinfoEndpoint} {
		if !p.f.Outbound.Proper(uri) {
			return ErrSetup.Because(errors.New("an endpoint is no https address: " + uri))
		}
	}
	return nil
}

// finish redeems the code and asks whose it was.
func (p plain) finish(ctx context.Context, c Connection, d Departure, a Answer) (Assertion, error) {
	if err := p.proper(c); err != nil {
		return Assertion{}, err
	}
	v, err := p.f.answer(ctx, c, a)
	if err != nil {
		return Assertion{}, err
	}
	if got := v.Get("iss"); got != "" && got != c.origin() {
		return Assertion{}, refuse("the answer is of another issuer")
	}
	redeemed, err := v.code()
	if err != nil {
		return Assertion{}, err
	}
	g, err := p.f.exchange(ctx, c, c.TokenEndpoint, c.auth(), p.f.grant(c, d, redeemed, !c.dialect().NoPKCE))
	if err != nil {
		return Assertion{}, err
	}
	x := &told{issuer: c.origin(), granted: g}
	if err := p.f.ask(ctx, c, c.UserinfoEndpoint, g.access, &x.claims); err != nil {
		return Assertion{}, err
	}
	if name, bad := trouble(x.claims); bad || x.claims == nil {
		return Assertion{}, refuseFor(errors.New(name), "the provider does not say who it is")
	}
	if err := p.f.further(ctx, c, x); err != nil {
		return Assertion{}, err
	}
	return x.assertion(p.f, c)
}

// auth is how the client proves itself where no description says how.
func (c Connection) auth() Auth {
	switch how := c.dialect().Auth; {
	case how != "":
		return how
	case c.ClientSecret.Empty():
		return AuthNone
	}
	return AuthBasic
}

// origin is under which name people of an OAuth 2.0 provider are kept: what the operator or the
// preset calls it, or where its tokens come from.
func (c Connection) origin() string {
	if c.Issuer != "" {
		return c.Issuer
	}
	u, err := url.Parse(c.TokenEndpoint)
	if err != nil {
		return c.TokenEndpoint
	}
	return u.Scheme + "://" + u.Host
}
