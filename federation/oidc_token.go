package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"idp/internal/secret"
)

// told is what a provider said of a person, each claim checked that binds it to us.
type told struct {
	issuer   string
	claims   map[string]any
	authTime time.Time
	granted  granted
}

// readIDToken checks an ID token (OIDC Core §3.1.3.7). The library checks the signature by the
// provider's keys; what is signed is checked here, all of it, against our clock.
func (f *Federation) readIDToken(ctx context.Context, c Connection, u *upstream, d Departure, g granted) (*told, error) {
	keys := &watched{KeySet: u.keys}
	verifier := oidc.NewVerifier(u.Issuer, keys, &oidc.Config{
		SupportedSigningAlgs: u.algorithms(), SkipIssuerCheck: true, SkipClientIDCheck: true, SkipExpiryCheck: true,
	})
	token, err := verifier.Verify(ctx, g.id.Reveal())
	switch {
	case err != nil && keys.unread():
		return nil, ErrAway.Because(err)
	case err != nil:
		return nil, refuseFor(err, "the ID token cannot be read, or its signature does not verify by the provider's keys")
	}
	var raw json.RawMessage
	if err := token.Claims(&raw); err != nil {
		return nil, refuseFor(err, "the ID token cannot be read")
	}
	claims, err := object(raw)
	if err != nil {
		return nil, refuseFor(err, "the ID token cannot be read")
	}
	x := &told{claims: claims, granted: g}
	word := func(name string) string { s, _ := claims[name].(string); return s }
	switch x.issuer = u.issuer(c, word("tid")); {
	case x.issuer == "" || word("iss") != x.issuer:
		return nil, refuseFor(fmt.Errorf("%q", clip(word("iss"))), "the ID token is of another issuer")
	case !secret.Equal(word("nonce"), f.nonce(d.State)):
		return nil, refuse("the ID token has another nonce, or none")
	case word("sub") == "":
		return nil, refuse("the ID token names nobody")
	}
	if err := audience(claims, c.ClientID); err != nil {
		return nil, err
	}
	if err := inTime(claims, f.Now()); err != nil {
		return nil, err
	}
	if _, is := claims["at_hash"]; is {
		if err := token.VerifyAccessToken(g.access.Reveal()); err != nil {
			return nil, refuseFor(err, "the access token is not the one of the ID token")
		}
	}
	proven, err := moment(claims, "auth_time")
	if err != nil {
		return nil, err
	}
	if most, asked := c.dialect().proofAge(d); asked && (proven.IsZero() || proven.Before(d.At.Add(-most-skew))) {
		return nil, refuse("the proof there is older than what was asked for, or of no time")
	}
	if proven.After(f.Now().Add(skew)) {
		return nil, refuse("the proof there is of the future")
	}
	x.authTime = proven
	return x, nil
}

// watched notices whether keys could not be read, which is nobody's lie.
type watched struct {
	oidc.KeySet
	err error
}

// VerifySignature implements oidc.KeySet.
func (w *watched) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := w.KeySet.VerifySignature(ctx, jwt)
	w.err = err
	return payload, err
}

func (w *watched) unread() bool {
	return w.err != nil && strings.HasPrefix(w.err.Error(), "fetching keys")
}

// audience checks for whom the token is: us, and if others too, then by our doing.
func audience(claims map[string]any, client string) error {
	var all []string
	switch v := claims["aud"].(type) {
	case string:
		all = []string{v}
	case []any:
		for _, one := range v {
			s, is := one.(string)
			if !is {
				return refuse("an audience that is no text")
			}
			all = append(all, s)
		}
	}
	azp, named := claims["azp"]
	switch {
	case !slices.Contains(all, client):
		return refuse("the ID token is for somebody else")
	case len(all) > 1 && !named:
		return refuse("the ID token is for several, and does not say by whose doing")
	case named && azp != client:
		return refuse("the ID token was made for another client")
	}
	return nil
}

// inTime checks when a token begins and ends.
func inTime(claims map[string]any, now time.Time) error {
	ends, err := moment(claims, "exp")
	if err != nil || ends.IsZero() || !now.Before(ends.Add(skew)) {
		return refuse("the ID token is over, or has no end")
	}
	made, err := moment(claims, "iat")
	if err != nil || made.IsZero() || made.After(now.Add(skew)) {
		return refuse("the ID token is of the future, or of no time")
	}
	begins, err := moment(claims, "nbf")
	if err != nil || begins.After(now.Add(skew)) {
		return refuse("the ID token does not hold yet")
	}
	return nil
}

// moment reads a NumericDate (RFC 7519 §2); zero if it is not there.
func moment(claims map[string]any, name string) (time.Time, error) {
	v, is := claims[name]
	if !is || v == nil {
		return time.Time{}, nil
	}
	n, is := v.(json.Number)
	if !is {
		return time.Time{}, refuse("a time in the ID token is none")
	}
	seconds, err := n.Float64()
	if err != nil || seconds < 1 || seconds > 1<<40 {
		return time.Time{}, refuse("a time in the ID token is none")
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}
