package federation

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// more asks for what the ID token does not say (OIDC Core §5.3), and then for what else the
// preset wants to know.
func (p connect) more(ctx context.Context, c Connection, u *upstream, x *told) error {
	if u.Userinfo != "" && !c.dialect().NoUserinfo {
		var said map[string]any
		if err := p.f.ask(ctx, c, u.Userinfo, x.granted.access, &said); err != nil {
			return err
		}
		if _, bad := trouble(said); bad {
			return refuse("userinfo answered with an error")
		}
		if sub, is := said["sub"].(string); !is || sub != x.claims["sub"] {
			return refuse("userinfo is about somebody else")
		}
		x.claims = merge(x.claims, said, cmp.Or(c.Claims["email"], "email"))
	}
	return p.f.further(ctx, c, x)
}

// bound are the claims that only the signed token may say.
var bound = []string{
	"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "acr", "amr", "at_hash", "c_hash", "sid", "tid", "hd",
}

// vouching are claims that say of an address that it is proven. They count for the address of
// the same answer and for no other.
var vouching = []string{"email_verified", "verified", "verified_email", "is_confirmed", "xms_edov"}

// merge puts the two answers of a provider together: what is signed goes first, and an address
// stays beside the word of the answer that it came in.
func merge(signed, said map[string]any, email string) map[string]any {
	all := maps.Clone(said)
	for _, name := range bound {
		delete(all, name)
	}
	if address, is := signed[email]; is && address != said[email] {
		for _, name := range append(slices.Clone(vouching), email) {
			delete(all, name)
		}
	}
	for name, value := range signed {
		_, here := said[email]
		_, there := signed[email]
		if here && !there && slices.Contains(vouching, name) {
			continue // about an address that the token does not say
		}
		all[name] = value
	}
	return all
}

// further makes the calls that the preset wants beside.
func (f *Federation) further(ctx context.Context, c Connection, x *told) error {
	for _, call := range c.dialect().More {
		var said any
		switch err := f.ask(ctx, c, call.URL, x.granted.access, &said); {
		case err != nil && !call.Optional:
			return err
		case err == nil:
			x.claims[call.Into] = said
		}
	}
	return nil
}

// assertion judges what was told.
func (x *told) assertion(f *Federation, c Connection) (Assertion, error) {
	a, err := f.assert(c, x.issuer, x.claims)
	if err != nil {
		return Assertion{}, err
	}
	a.AuthTime = x.authTime
	if sid, is := x.claims["sid"].(string); is && len(sid) <= 255 {
		a.Session = sid
	}
	if c.KeepTokens {
		a.Account.Tokens = x.granted.tokens()
	}
	return a, nil
}
