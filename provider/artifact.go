package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"idp/internal/secret"
)

// The prefixes say what a found token is, to us and to secret scanners.
const (
	codePrefix    = "idp_ac_"
	accessPrefix  = "idp_at_"
	refreshPrefix = "idp_rt_"
)

// artifacts makes and recognises codes and tokens for fosite. Codes and access tokens are
// 256 random bits, or JWTs, kept as digest. A refresh token is computed: the authorization it
// belongs to, its generation, and an HMAC over both, so that rotating one costs no row and
// asking twice gives the same answer.
type artifacts struct {
	key    []byte
	access func(ctx context.Context, u *unit, scopes []string) (string, error)
}

var _ oauth2.CoreStrategy = artifacts{}

const idLength = 22 // characters of an id after its prefix

// refreshToken returns the refresh token of a generation.
func (a artifacts) refreshToken(id AuthorizationID, generation int) string {
	_, bare, _ := strings.Cut(string(id), "_")
	body := refreshPrefix + bare + "." + strconv.Itoa(generation)
	return body + "." + a.mac(body)
}

// readRefresh returns whose refresh token it is and of which generation. Only the exact
// text that refreshToken made passes.
func (a artifacts) readRefresh(raw string) (AuthorizationID, int, bool) {
	rest, ok := strings.CutPrefix(raw, refreshPrefix)
	if !ok || len(raw) > 120 {
		return "", 0, false
	}
	bare, rest, _ := strings.Cut(rest, ".")
	number, _, ok := strings.Cut(rest, ".")
	generation, err := strconv.Atoi(number)
	if !ok || err != nil || len(bare) != idLength || generation < 1 {
		return "", 0, false
	}
	id := AuthorizationID(authorizationPrefix + "_" + bare)
	if !secret.Equal(a.refreshToken(id, generation), raw) {
		return "", 0, false
	}
	return id, generation, true
}

func (a artifacts) mac(body string) string {
	h := hmac.New(sha256.New, a.key)
	h.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func fresh(prefix string) (token, digest string, err error) {
	token = secret.Token(prefix).Reveal()
	return token, string(secret.DigestOf(token)), nil
}

// AuthorizeCodeSignature returns the digest a code is kept by.
func (artifacts) AuthorizeCodeSignature(_ context.Context, code string) string {
	return string(secret.DigestOf(code))
}

// GenerateAuthorizeCode makes a code.
func (artifacts) GenerateAuthorizeCode(context.Context, fosite.Requester) (string, string, error) {
	return fresh(codePrefix)
}

// ValidateAuthorizeCode has nothing to add: our rules judged the code already.
func (artifacts) ValidateAuthorizeCode(context.Context, fosite.Requester, string) error { return nil }

// AccessTokenSignature returns the digest an access token is kept by.
func (artifacts) AccessTokenSignature(_ context.Context, token string) string {
	return string(secret.DigestOf(token))
}

// GenerateAccessToken makes an access token.
func (a artifacts) GenerateAccessToken(ctx context.Context, r fosite.Requester) (string, string, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return "", "", err
	}
	raw, err := a.access(ctx, u, r.GetGrantedScopes())
	return raw, string(secret.DigestOf(raw)), err
}

// ValidateAccessToken refuses: access tokens are looked up without fosite.
func (artifacts) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return fosite.ErrInactiveToken
}

// RefreshTokenSignature returns what names a refresh token to fosite; nothing is kept by it.
func (artifacts) RefreshTokenSignature(_ context.Context, token string) string {
	return string(secret.DigestOf(token))
}

// GenerateRefreshToken computes the refresh token of the generation that the unit awaits.
func (a artifacts) GenerateRefreshToken(ctx context.Context, _ fosite.Requester) (string, string, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return "", "", err
	}
	token := a.refreshToken(u.standing.ID, u.refresh)
	return token, string(secret.DigestOf(token)), nil
}

// ValidateRefreshToken has nothing to add: our rules judged the token already.
func (artifacts) ValidateRefreshToken(context.Context, fosite.Requester, string) error { return nil }
