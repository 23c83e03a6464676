package provider

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"idp/internal/problem"
	"idp/provider/partykeys"
	"idp/token"
)

// idClaims are the claims of an ID token itself (OIDC Core §2); idTokenClaims says what it
// tells about the person beyond them.
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
	CodeHash   string   `json:"c_hash,omitempty"`
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
		Issuer: p.Issuer, Subject: p.subject(c, s.User), Audience: string(s.Client), SessionID: p.sessionName(c, s.Session),
		IssuedAt: now.Unix(), ExpiresAt: now.Add(idTokenLife).Unix(), AuthTime: s.Facts.AuthTime.Unix(),
		ACR: s.Facts.ACR, AMR: s.Facts.AMR, Nonce: with.nonce,
		AccessHash: halfHash(c.IDToken.JWS, with.access), CodeHash: halfHash(c.IDToken.JWS, with.code),
	}
	sign := func(claims any) (string, error) { return p.wrap(ctx, c, c.IDToken, idTokenType, claims) }
	about := idTokenClaims(c, s, with.all)
	if more := p.fromTemplate(ctx, c, c.IDTokenTemplate, s); len(more) > 0 {
		return p.fitting(ctx, c, about, more, claims, sign)
	}
	whole, err := merged(about, claims)
	if err != nil {
		return "", err
	}
	return sign(whole)
}

// merged adds the claims about the token itself to those about the person. What the
// protocol means always wins.
func merged(about map[string]any, claims any) (any, error) {
	if len(about) == 0 {
		return claims, nil
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("encode claims: %w", err)
	}
	own := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &own); err != nil {
		return nil, fmt.Errorf("encode claims: %w", err)
	}
	whole := make(map[string]any, len(about)+len(own))
	for name, value := range about {
		whole[name] = value
	}
	for name, value := range own {
		whole[name] = value
	}
	return whole, nil
}

const defaultEnc = "A128CBC-HS256" // OIDC Registration §2

// wrap signs claims for a client and encrypts the result, as it registered; without a
// registered algorithm the signature is RS256. It may fetch the client's keys: call it
// outside transactions.
func (p *Provider) wrap(ctx context.Context, c Client, how Wrapping, typ string, claims any) (string, error) {
	signed, err := p.sign(ctx, c, how.JWS, typ, claims)
	if err != nil || how.JWE == "" {
		return signed, err
	}
	return p.seal(ctx, c, how, "JWT", []byte(signed))
}

func (p *Provider) sign(ctx context.Context, c Client, algorithm, typ string, claims any) (string, error) {
	switch {
	case algorithm == "":
		return p.Keys.Sign(ctx, token.OIDC, token.RS256, typ, claims)
	case !slices.Contains(partykeys.HMACAlgorithms, algorithm):
		return p.Keys.Sign(ctx, token.OIDC, algorithm, typ, claims)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signed, err := p.parties.Sign(c.owner(p.Now()), algorithm, typ, payload)
	return signed, keyless(err, algorithm)
}

// seal encrypts to the client; cty says what is inside.
func (p *Provider) seal(ctx context.Context, c Client, how Wrapping, cty string, plain []byte) (string, error) {
	enc := how.Enc
	if enc == "" {
		enc = defaultEnc
	}
	sealed, err := p.parties.Encrypt(ctx, c.owner(p.Now()), how.JWE, enc, cty, plain)
	return sealed, keyless(err, how.JWE)
}

// keyless tells the client that it has no key for what it registered.
func keyless(err error, algorithm string) error {
	if problem.HasCode(err, partykeys.ErrNoKey.Code) {
		return fosite.ErrInvalidRequest.WithHintf("The client is registered for %s and has no key that fits.", algorithm).WithWrap(err)
	}
	return err
}

// halfHash is at_hash and c_hash: the left half of the text's hash, by the hash function of
// the ID token's signature (OIDC Core §3.1.3.6); "" of nothing.
func halfHash(algorithm, text string) string {
	if text == "" {
		return ""
	}
	var sum []byte
	switch {
	case strings.HasSuffix(algorithm, "384"):
		whole := sha512.Sum384([]byte(text))
		sum = whole[:]
	case strings.HasSuffix(algorithm, "512") || algorithm == "EdDSA": // Ed25519 hashes with SHA-512
		whole := sha512.Sum512([]byte(text))
		sum = whole[:]
	default:
		whole := sha256.Sum256([]byte(text))
		sum = whole[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
