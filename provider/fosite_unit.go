package provider

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"idp/internal/secret"
)

// unit is one request's unit of work. Our endpoints load what the request is about and
// judge it by our rules; fosite's handlers then find everything here and leave here what
// they want written; the endpoint flushes that in one transaction before it answers.
type unit struct {
	client   Client
	redirect string    // the redirect URI that our matcher accepted
	standing *Standing // what the code or refresh token belongs to
	code     secret.Digest
	refresh  int // generation the issued refresh token will have

	machine   bool     // the client asks in its own name
	resources []string // APIs that the request names (RFC 8707 §2)

	wrote written
}

// written is what fosite's handlers asked for.
type written struct {
	code   secret.Digest // of a fresh authorization code
	redeem bool
	rotate bool
	tokens []AccessToken
}

type unitKey struct{}

func withUnit(ctx context.Context, u *unit) context.Context {
	return context.WithValue(ctx, unitKey{}, u)
}

var errNoUnit = errors.New("fosite was called outside a unit of work")

func unitOf(ctx context.Context) (*unit, error) {
	u, ok := ctx.Value(unitKey{}).(*unit)
	if !ok {
		return nil, errNoUnit
	}
	return u, nil
}

// shelf is what fosite takes for its storage: everything is in the unit.
type shelf struct{ now func() time.Time }

var (
	_ fosite.Storage                = shelf{}
	_ oauth2.CoreStorage            = shelf{}
	_ oauth2.TokenRevocationStorage = shelf{}
)

// request shows a standing authorization to fosite.
func (u *unit) request() *fosite.Request {
	r := fosite.NewRequest()
	r.ID = string(u.standing.ID)
	r.RequestedAt = u.standing.CreatedAt
	r.Client = party{Client: u.client}
	if u.standing.Client != u.client.ID {
		r.Client = party{Client: Client{ID: u.standing.Client}}
	}
	r.RequestedScope = fosite.Arguments(slices.Clone(u.standing.Scopes))
	r.GrantedScope = fosite.Arguments(slices.Clone(u.standing.Scopes))
	r.Form.Set("redirect_uri", u.standing.Facts.RedirectURI)
	r.Session = newFacts(string(u.standing.User))
	return r
}

// GetClient returns the client of this request and no other.
func (shelf) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return nil, err
	}
	if id == "" || string(u.client.ID) != id {
		return nil, fosite.ErrNotFound
	}
	return party{Client: u.client, redirect: u.redirect}, nil
}

// ClientAssertionJWTValid refuses: client assertions are not read by fosite here.
func (shelf) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrJTIKnown }

// SetClientAssertionJWT refuses likewise.
func (shelf) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrJTIKnown
}

// CreateAuthorizeCodeSession notes the digest of a fresh code.
func (shelf) CreateAuthorizeCodeSession(ctx context.Context, digest string, _ fosite.Requester) error {
	u, err := unitOf(ctx)
	if err == nil {
		u.wrote.code = secret.Digest(digest)
	}
	return err
}

// GetAuthorizeCodeSession returns the authorization that our rules let pass.
func (shelf) GetAuthorizeCodeSession(ctx context.Context, digest string, _ fosite.Session) (fosite.Requester, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return nil, err
	}
	if u.standing == nil || string(u.code) != digest {
		return nil, fosite.ErrNotFound
	}
	return u.request(), nil
}

// InvalidateAuthorizeCodeSession notes that the code is spent.
func (shelf) InvalidateAuthorizeCodeSession(ctx context.Context, _ string) error {
	u, err := unitOf(ctx)
	if err == nil {
		u.wrote.redeem = true
	}
	return err
}

// CreateAccessTokenSession notes a fresh access token.
func (s shelf) CreateAccessTokenSession(ctx context.Context, digest string, r fosite.Requester) error {
	u, err := unitOf(ctx)
	if err != nil {
		return err
	}
	now := s.now()
	t := AccessToken{
		Digest: secret.Digest(digest), Client: u.client.ID, Scopes: slices.Clone([]string(r.GetGrantedScopes())),
		CreatedAt: now, ExpiresAt: now.Add(accessLife),
	}
	if u.standing != nil {
		t.Authorization = u.standing.ID
	}
	u.wrote.tokens = append(u.wrote.tokens, t)
	return nil
}

// GetAccessTokenSession finds nothing: access tokens are looked up without fosite.
func (shelf) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession has nothing to do: tokens end with their authorization.
func (shelf) DeleteAccessTokenSession(context.Context, string) error { return nil }

// CreateRefreshTokenSession writes nothing: the generation says which one is good.
func (shelf) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return nil
}

// GetRefreshTokenSession returns the authorization that our rules let pass.
func (shelf) GetRefreshTokenSession(ctx context.Context, _ string, _ fosite.Session) (fosite.Requester, error) {
	u, err := unitOf(ctx)
	if err != nil {
		return nil, err
	}
	if u.standing == nil {
		return nil, fosite.ErrNotFound
	}
	return u.request(), nil
}

// DeleteRefreshTokenSession has nothing to do.
func (shelf) DeleteRefreshTokenSession(context.Context, string) error { return nil }

// RotateRefreshToken notes that the next generation begins.
func (shelf) RotateRefreshToken(ctx context.Context, _, _ string) error {
	u, err := unitOf(ctx)
	if err == nil {
		u.wrote.rotate = true
	}
	return err
}

// errJudged is unreachable: our rules find reuse before fosite does, and end the authorization.
var errJudged = errors.New("fosite tried to revoke what our rules had let pass")

// RevokeRefreshToken refuses: ending authorizations is our rules' work.
func (shelf) RevokeRefreshToken(context.Context, string) error { return errJudged }

// RevokeAccessToken refuses likewise.
func (shelf) RevokeAccessToken(context.Context, string) error { return errJudged }
