package federation

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"idp/internal/secret"
)

// skew is how far a provider's clock may be from ours.
const skew = 30 * time.Second

// connect speaks OpenID Connect.
type connect struct{ f *Federation }

// depart asks for a code (OIDC Core §3.1.2.1) with state, nonce and, where it is understood, PKCE.
func (p connect) depart(ctx context.Context, c Connection, d Departure) (Way, error) {
	u, err := p.f.discover(ctx, c)
	if err != nil {
		return Way{}, err
	}
	talk, q := c.dialect(), p.f.request(c, d)
	q.Set("scope", strings.Join(c.scopes(), " "))
	q.Set("nonce", p.f.nonce(d.State))
	if u.challenged(c) {
		q.Set("code_challenge", p.f.challenge(d.State))
		q.Set("code_challenge_method", "S256")
	}
	if talk.FormPost || len(u.Modes) > 0 && !slices.Contains(u.Modes, "query") && slices.Contains(u.Modes, "form_post") {
		q.Set("response_mode", "form_post")
	}
	if d.Hint != "" && talk.Hint == "" {
		q.Set("login_hint", d.Hint)
	}
	if most, asked := talk.proofAge(d); asked {
		q.Set("max_age", strconv.FormatInt(int64(most/time.Second), 10))
		if d.Anew {
			q.Set("prompt", "login")
		}
	}
	if both := among(twoSteps, u.Contexts); d.Both && c.Trust.MFA && len(both) > 0 {
		q.Set("acr_values", strings.Join(both, " "))
	}
	return wayTo(u.Authorization, q)
}

// proofAge is how old the person's proof at the provider may be at the departure, if that is
// asked of it.
func (t Dialect) proofAge(d Departure) (most time.Duration, asked bool) {
	switch {
	case t.NoMaxAge:
		return 0, false
	case d.Anew:
		return 0, true
	case d.MaxAge != nil:
		return max(*d.MaxAge, 0), true
	}
	return 0, false
}

// scopes are those to ask for; openid is always among them.
func (c Connection) scopes() []string {
	if len(c.Scopes) == 0 {
		return []string{"openid", "email", "profile"}
	}
	if c.Type == OIDC && !slices.Contains(c.Scopes, "openid") {
		return append([]string{"openid"}, c.Scopes...)
	}
	return c.Scopes
}

// request is what every authorization request has (RFC 6749 §4.1.1).
func (f *Federation) request(c Connection, d Departure) url.Values {
	talk := c.dialect()
	q := url.Values{}
	for name, value := range talk.Params {
		q.Set(name, value)
	}
	if domain := c.Options["domain"]; domain != "" && talk.Domain != "" {
		q.Set(talk.Domain, domain)
	}
	if d.Hint != "" && talk.Hint != "" && talk.Hint != "-" {
		q.Set(talk.Hint, d.Hint)
	}
	if d.Locale != "" {
		q.Set("ui_locales", d.Locale)
	}
	q.Set("response_type", "code")
	q.Set("client_id", c.ClientID)
	q.Set("redirect_uri", f.Callback(c))
	q.Set("state", d.State.Reveal())
	return q
}

// challenge is the PKCE challenge of a state (RFC 7636 §4.2).
func (f *Federation) challenge(state secret.String) string {
	sum := sha256.Sum256([]byte(f.verifier(state)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// wayTo adds parameters to an endpoint, which may have some of its own.
func wayTo(endpoint string, q url.Values) (Way, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return Way{}, ErrSetup.Because(err)
	}
	all := u.Query()
	for name, values := range q {
		all[name] = values
	}
	u.RawQuery = all.Encode()
	return Way{URL: u.String()}, nil
}

func among(asked, known []string) []string {
	return slices.DeleteFunc(slices.Clone(asked), func(one string) bool { return !slices.Contains(known, one) })
}

// finish redeems the code, checks the ID token and asks for what it does not say.
func (p connect) finish(ctx context.Context, c Connection, d Departure, a Answer) (Assertion, error) {
	v, err := p.f.answer(ctx, c, a)
	if err != nil {
		return Assertion{}, err
	}
	u, err := p.f.discover(ctx, c)
	if err != nil {
		return Assertion{}, err
	}
	if err := u.checkIssuer(c, v); err != nil {
		return Assertion{}, err
	}
	redeemed, err := v.code()
	if err != nil {
		return Assertion{}, err
	}
	if u.NamesIssuer && v.Get("iss") == "" {
		return Assertion{}, refuse("the answer does not name its issuer, although the provider says that it would")
	}
	x, err := p.redeem(ctx, c, u, d, redeemed)
	if err != nil {
		if !errors.Is(err, errGrant) {
			p.f.doubt(c) // what it said of itself may be old
		}
		return Assertion{}, err
	}
	if got := v.Get("iss"); got != "" && got != x.issuer {
		return Assertion{}, refuse("the answer and the token name two issuers")
	}
	if err := p.more(ctx, c, u, x); err != nil {
		return Assertion{}, err
	}
	if name, said := v.introduced(); said && c.dialect().FormPost {
		x.claims["user"] = map[string]any{"name": name}
	}
	return x.assertion(p.f, c)
}

// checkIssuer compares the issuer that the answer names (RFC 9207 §2.4). That of one tenant
// among many is only known with the token.
func (u *upstream) checkIssuer(c Connection, v values) error {
	got := v.Get("iss")
	if got == "" || got == u.Issuer || u.Issuer == c.dialect().Issued && c.issues(got) {
		return nil
	}
	return refuse("the answer is of another issuer")
}

// redeem exchanges the code for tokens and checks the ID token.
func (p connect) redeem(ctx context.Context, c Connection, u *upstream, d Departure, redeemed secret.String) (*told, error) {
	how, err := u.auth(c)
	if err != nil {
		return nil, ErrSetup.Because(err)
	}
	g, err := p.f.exchange(ctx, c, u.Exchange, how, p.f.grant(c, d, redeemed, u.challenged(c)))
	if err != nil {
		return nil, err
	}
	if g.id.Empty() {
		return nil, refuse("no ID token")
	}
	return p.f.readIDToken(ctx, c, u, d, g)
}

// challenged reports whether the departure carries a PKCE challenge: unless the provider is
// known to refuse it, or says that it knows others only.
func (u *upstream) challenged(c Connection) bool {
	return !c.dialect().NoPKCE && (len(u.Challenges) == 0 || slices.Contains(u.Challenges, "S256"))
}

// grant is what is sent for the code (RFC 6749 §4.1.3), with the verifier if there was a challenge.
func (f *Federation) grant(c Connection, d Departure, redeemed secret.String, challenged bool) url.Values {
	grant := url.Values{"grant_type": {"authorization_code"}, "code": {redeemed.Reveal()}, "redirect_uri": {f.Callback(c)}}
	if challenged {
		grant.Set("code_verifier", f.verifier(d.State))
	}
	return grant
}

// values are what came back, each name once.
type values struct{ url.Values }

// answer returns what the browser brought, or what was posted before. It is of this
// connection and this state, and says nothing twice (RFC 6749 §3.1).
func (f *Federation) answer(ctx context.Context, c Connection, a Answer) (values, error) {
	v := values{a.Values}
	if !a.Arrival.Empty() {
		posted, err := f.arrived(c, a)
		if err != nil {
			return v, err
		}
		v.Values = posted
	}
	for name, all := range v.Values {
		if len(all) > 1 {
			return v, refuseFor(fmt.Errorf("%q", clip(name)), "something is said twice")
		}
	}
	if !secret.Equal(v.Get("state"), a.State.Reveal()) {
		return v, refuse("another state")
	}
	return v, nil
}

const maxCode = 4096

// code is the authorization code, or the problem that was brought instead. Nothing else that
// might be in an answer, a token least of all, is looked at.
func (v values) code() (secret.String, error) {
	if e := v.Get("error"); e != "" {
		err := errors.New("the provider answered with error " + named(e))
		switch e {
		case "access_denied", "user_cancelled_login", "user_cancelled_authorize", "user_denied", "user_cancelled_authorization":
			return secret.String{}, ErrChanged.Because(err)
		case "temporarily_unavailable", "server_error":
			return secret.String{}, ErrAway.Because(err)
		case "invalid_client", "unauthorized_client", "invalid_scope", "redirect_uri_mismatch":
			return secret.String{}, ErrSetup.Because(&reason{"the provider answered with " + plainly(e), err})
		}
		return secret.String{}, refuseFor(err, "the provider answered with %s", plainly(e))
	}
	c := v.Get("code")
	if c == "" || len(c) > maxCode {
		return secret.String{}, refuse("no code, or one that is too long")
	}
	return secret.NewString(c), nil
}

// introduced is the name that Apple has the browser post, the first time only and beside the
// token. It is the person's word, like what they type at sign-up; an address there counts for nothing.
func (v values) introduced() (name map[string]any, said bool) {
	user, err := object([]byte(v.Get("user")))
	if err != nil {
		return nil, false
	}
	name, said = user["name"].(map[string]any)
	return name, said
}

func clip(s string) string { return s[:min(len(s), 64)] }
