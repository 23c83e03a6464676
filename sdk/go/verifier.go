package idp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Options say what a Verifier expects. At least one of Origins and Audience is needed: without
// it, a token that was made for somebody else's app would open yours.
type Options struct {
	// Origins are those of the apps whose tokens are taken, such as "https://app.example.com":
	// the token's azp must be one of them.
	Origins []string

	// Audience is what a template puts in aud for this server; the token's aud must name it.
	// If it is empty, tokens that are meant for an audience are refused.
	Audience string

	// Leeway is how far this machine's clock may be behind the issuer's: a token that begins so
	// much in the future is taken. Zero means 30 seconds; negative means none.
	Leeway time.Duration

	// ExpiryLeeway is for how long after its end a token is still taken. Zero means not at all:
	// whatever is given here is added to the minute in which somebody who was signed out is still
	// let in, and a browser has a new token long before the old one ends.
	ExpiryLeeway time.Duration

	// Stale is how long keys are used beyond their time while the issuer cannot be reached. Zero
	// means one hour; negative means not at all.
	Stale time.Duration

	// KeysURL is where the issuer's keys are, if it is not the issuer's /.well-known/jwks.json:
	// an address inside your network, for example.
	KeysURL string

	// HTTPClient fetches the keys. Nil means one that follows no redirects.
	HTTPClient *http.Client

	// CrossOrigin decides which unsafe requests may be made with the token in a cookie. Nil means
	// those of the same origin only.
	CrossOrigin *http.CrossOriginProtection

	// Now tells the time; nil means the machine's clock.
	Now func() time.Time
}

// Verifier checks the tokens of one issuer. It may be used by many at once.
type Verifier struct {
	issuer       string
	origins      []string
	audience     string
	leeway, late time.Duration
	keys         *keyCache
	crossOrigin  *http.CrossOriginProtection
	cookies      []string // where tokens may be, besides the header
	now          func() time.Time
}

// New returns a Verifier for the tokens of an issuer, which is spelled exactly as in its
// discovery document: no slash at the end. It fetches nothing yet.
func New(issuer string, o Options) (*Verifier, error) {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "" || u.User != nil || strings.ContainsAny(issuer, "?#"):
		return nil, errors.New("idp: the issuer is not an http or https address")
	case strings.HasSuffix(issuer, "/"):
		return nil, errors.New("idp: the issuer ends in a slash, which the issuer in tokens never does")
	case len(o.Origins) == 0 && o.Audience == "":
		return nil, errors.New("idp: name the Origins or the Audience whose tokens are taken, otherwise any app's would be")
	case u.Scheme == "http" && o.KeysURL == "" && !local(u.Hostname()):
		return nil, errors.New("idp: keys that come over plain http can be anybody's: use https, or say KeysURL if you mean it")
	}
	v := &Verifier{
		issuer: issuer, origins: slices.Clone(o.Origins), audience: o.Audience,
		leeway: orDefault(o.Leeway, 30*time.Second), late: max(o.ExpiryLeeway, 0),
		crossOrigin: o.CrossOrigin, now: o.Now, cookies: []string{CookieName(issuer)},
	}
	plain := false
	for _, origin := range o.Origins {
		if !isOrigin(origin) {
			return nil, errors.New("idp: " + origin + " is not an origin: a scheme, a host and perhaps a port, in small letters, and nothing after them")
		}
		plain = plain || strings.HasPrefix(origin, "http://")
	}
	if plain {
		v.cookies = append(v.cookies, PlainCookieName(issuer))
	}
	if v.now == nil {
		v.now = time.Now
	}
	if v.crossOrigin == nil {
		v.crossOrigin = http.NewCrossOriginProtection()
	}
	v.keys = &keyCache{
		url: o.KeysURL, client: o.HTTPClient, now: v.now, stale: orDefault(o.Stale, time.Hour),
	}
	if v.keys.url == "" {
		v.keys.url = issuer + "/.well-known/jwks.json"
	}
	if v.keys.client == nil {
		v.keys.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("redirected")
		}}
	}
	return v, nil
}

// Verify returns what a session token says, if everything about it is right: who signed it and
// with which kind of key, for which app, and when. Anything else is an error, and the claims are
// zero.
func (v *Verifier) Verify(ctx context.Context, token string) (Claims, error) {
	parsed, err := parse(token)
	if err != nil {
		return Claims{}, err
	}
	if parsed.typ != "JWT" {
		return Claims{}, refused("typ is not JWT: it is another kind of token")
	}
	key, err := v.keys.get(ctx, parsed.kid)
	if err != nil {
		return Claims{}, err
	}
	if key.algorithm != parsed.alg {
		return Claims{}, refused("alg is not that of the key")
	}
	if !key.verify(parsed.signed, parsed.signature) {
		return Claims{}, refused("the signature is not the issuer's")
	}
	claims, err := readClaims(parsed.payload)
	if err != nil {
		return Claims{}, err
	}
	if err := v.check(claims); err != nil {
		return Claims{}, err
	}
	return claims, nil
}

// otherTokens are claims that only other kinds of token have: an ID token tells an app who signed
// in, a logout token who left. Neither is a session token, though both may say typ JWT.
var otherTokens = []string{"nonce", "at_hash", "c_hash", "s_hash", "events"}

func (v *Verifier) check(c Claims) error {
	if c.Issuer != v.issuer {
		return refused("iss is not %s", v.issuer)
	}
	if c.Subject == "" {
		return refused("sub is missing")
	}
	for _, name := range otherTokens {
		if c.Has(name) {
			return refused("it has %s: it is another kind of token", name)
		}
	}
	if len(v.origins) > 0 && !slices.Contains(v.origins, c.Origin) {
		return refused("azp is not one of the expected origins")
	}
	switch {
	case v.audience != "" && !slices.Contains(c.Audience, v.audience):
		return refused("aud does not name %s", v.audience)
	case v.audience == "" && c.Has("aud"):
		return refused("it is meant for an audience, and none is expected")
	}
	now := v.now()
	switch {
	case c.ExpiresAt.IsZero() || c.IssuedAt.IsZero():
		return refused("exp or iat is missing")
	case c.IssuedAt.After(now.Add(v.leeway)):
		return refused("iat is in the future: is this machine's clock behind?")
	case c.NotBefore.After(now.Add(v.leeway)):
		return refused("nbf is in the future: is this machine's clock behind?")
	case !now.Before(c.ExpiresAt.Add(v.late)):
		return ErrExpired
	}
	return nil
}

// local says that a host is this machine.
func local(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1" || strings.HasSuffix(host, ".localhost")
}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && s == u.Scheme+"://"+u.Host && s == strings.ToLower(s)
}

func orDefault(d, usual time.Duration) time.Duration {
	switch {
	case d == 0:
		return usual
	case d < 0:
		return 0
	}
	return d
}
