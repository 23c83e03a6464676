package provider

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/ory/fosite"

	"idp/internal/problem"
	"idp/token"
)

// idClaims are the claims of an ID token (OIDC Core §2). What is known about the person
// beyond that is read at userinfo, as the standard has it when there is an access token.
type idClaims struct {
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	Audience   string   `json:"aud"`
	ExpiresAt  int64    `json:"exp"`
	IssuedAt   int64    `json:"iat"`
	AuthTime   int64    `json:"auth_time"`
	Nonce      string   `json:"nonce,omitempty"`
	ACR        string   `json:"acr,omitempty"`
	AMR        []string `json:"amr,omitempty"`
	SessionID  string   `json:"sid,omitempty"`
	AccessHash string   `json:"at_hash,omitempty"`
}

const idTokenType = "JWT"

// finisher completes what fosite's handlers answer: the ID token, and a lifetime by our
// own clock.
type finisher struct{ p *Provider }

var _ fosite.TokenEndpointHandler = (*finisher)(nil)

// CanSkipClientAuth says no.
func (*finisher) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest says yes: it has its say about every answer.
func (*finisher) CanHandleTokenEndpointRequest(context.Context, fosite.AccessRequester) bool {
	return true
}

// HandleTokenEndpointRequest leaves the request to those who know its grant type.
func (*finisher) HandleTokenEndpointRequest(context.Context, fosite.AccessRequester) error {
	return fosite.ErrUnknownRequest
}

// PopulateTokenEndpointResponse adds the ID token where openid was granted.
func (f *finisher) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, answer fosite.AccessResponder) error {
	u, err := unitOf(ctx)
	if err != nil {
		return err
	}
	answer.SetTokenType("Bearer")
	answer.SetExpiresIn(accessLife)
	if u.standing == nil || !slices.Contains(r.GetGrantedScopes(), "openid") {
		return nil
	}
	with := idParts{access: answer.GetAccessToken()}
	if u.wrote.redeem { // a nonce belongs to the first ID token (OIDC Core §12.2)
		with.nonce = u.standing.Facts.Nonce
	}
	signed, err := f.p.idToken(ctx, u.client, *u.standing, with)
	if err != nil {
		return err
	}
	answer.SetExtra("id_token", signed)
	return nil
}

// idParts are what differs between the ID tokens of one authorization.
type idParts struct {
	nonce  string
	access string // access token issued beside it: at_hash, "" for none
	code   string // code issued beside it: c_hash, "" for none
	all    bool   // there is no access token to fetch the rest with: claims of scopes belong here (OIDC Core §5.4)
}

// idToken makes an ID token for the client about what s stands for.
func (p *Provider) idToken(ctx context.Context, c Client, s Standing, with idParts) (string, error) {
	now := p.Now()
	claims := idClaims{
		Issuer: p.Issuer, Subject: p.subject(c, s.User), Audience: string(s.Client), SessionID: string(s.Session),
		IssuedAt: now.Unix(), ExpiresAt: now.Add(idTokenLife).Unix(), AuthTime: s.Facts.AuthTime.Unix(),
		ACR: s.Facts.ACR, AMR: s.Facts.AMR, AccessHash: halfHash(with.access), Nonce: with.nonce,
	}
	return p.wrap(ctx, c, c.IDToken, idTokenType, claims)
}

// wrap signs claims for a client and encrypts the result, as it registered; without a
// registered algorithm the signature is RS256.
func (p *Provider) wrap(ctx context.Context, _ Client, _ Wrapping, typ string, claims any) (string, error) {
	return p.Keys.Sign(ctx, token.OIDC, token.RS256, typ, claims)
}

// halfHash is at_hash for the algorithms that hash with SHA-256 (OIDC Core §3.1.3.6).
func halfHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

var errHint = problem.New(problem.Invalid, "id_token_hint_invalid", "The id_token_hint is not an ID token from here.")

// readHint reads an ID token that we once issued. It may have expired long ago; its key
// must not have been retired.
func (p *Provider) readHint(raw string) (idClaims, error) {
	var c idClaims
	verified, err := p.Keys.Verify(context.Background(), token.OIDC, raw)
	if err != nil || verified.Type != idTokenType {
		return c, errHint.Because(err)
	}
	if err := json.Unmarshal(verified.Claims, &c); err != nil || c.Issuer != p.Issuer || c.Subject == "" || c.Audience == "" {
		return c, errHint.Because(err)
	}
	return c, nil
}
