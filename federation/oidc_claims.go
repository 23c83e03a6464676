package federation

import (
	"context"
	"maps"
	"strings"
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
		x.claims = c.merge(x.claims, said)
	}
	return p.f.further(ctx, c, x)
}

// bound are the claims that only the signed token may say.
var bound = []string{
	"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "acr", "amr", "at_hash", "c_hash", "sid", "tid", "hd",
}

// merge puts the two answers of a provider together: what is signed goes first. An address and
// what is stated about it come from one of the two and never from both, unless both say the same
// address: what the one states is nothing about the address of the other.
func (c Connection) merge(signed, said map[string]any) map[string]any {
	all, signed := maps.Clone(said), maps.Clone(signed)
	for _, name := range bound {
		delete(all, name)
	}
	ours, theirs := text(c.said(signed, "email")), text(c.said(said, "email"))
	switch {
	case ours != "" && ours != theirs:
		c.dropAddress(all)
	case ours == "" && theirs != "":
		c.dropAddress(signed)
	}
	maps.Copy(all, signed)
	return all
}

// dropAddress forgets an address and every statement about it.
func (c Connection) dropAddress(claims map[string]any) {
	about := append(c.where("email"), "email", standard.Claim)
	for _, flag := range c.preset().Rule {
		about = append(about, flag.Claim)
	}
	for _, name := range about {
		root, _, _ := strings.Cut(name, ".")
		delete(claims, name)
		delete(claims, root)
	}
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
