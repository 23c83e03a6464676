package token

import (
	"context"
	"encoding/base64"
	"log/slog"
	"maps"
	"sync"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
)

// Minter makes tokens for the sessions of browsers: the session token, which lives for a
// minute, and others from templates. Backends verify them with our public keys and ask
// nobody; a session that ended gets no more of them.
type Minter struct {
	Keys      *KeySet
	Templates *Templates
	Store     MintStore
	Issuer    string
	Origin    string // of the issuer: azp where no other is known
	Log       *slog.Logger
	Now       func() time.Time

	Revocation *Revocation // nil: nobody measures

	touching sync.Map // session.ID of those whose clock is being moved
}

// The session token's own lifetime and skew. Who signed out is out everywhere within the first.
const (
	SessionLifetime = time.Minute
	SessionSkew     = 10 * time.Second
)

// Minted is a token that was just made.
type Minted struct {
	JWT       secret.String
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Session makes a session token. Problems are session.ErrNobody,
// session.ErrUnknown, session.ErrEnded and those of Fill and CheckSize.
func (m *Minter) Session(ctx context.Context, a Asking) (Minted, error) {
	return m.mint(ctx, a, func() (*Compiled, error) {
		c, err := m.Templates.Get(SessionTemplate)
		if problem.HasCode(err, ErrTemplate.Code) {
			return plain, nil
		}
		return c, err
	})
}

// FromTemplate makes the token that a template describes; the one of SessionTemplate is the
// session token. Problems are those of Session and ErrTemplate.
func (m *Minter) FromTemplate(ctx context.Context, a Asking, name string) (Minted, error) {
	if name == SessionTemplate {
		return m.Session(ctx, a)
	}
	return m.mint(ctx, a, func() (*Compiled, error) { return m.Templates.Get(name) })
}

// plain is the template of session tokens where the operator has none.
var plain = &Compiled{Template: Template{Name: SessionTemplate, Algorithm: ES256}, claims: &object{}}

func (m *Minter) mint(ctx context.Context, a Asking, find func() (*Compiled, error)) (Minted, error) {
	now := m.Now()
	s, err := m.standing(ctx, a, now)
	if problem.HasCode(err, session.ErrEnded.Code) {
		m.Revocation.refuse(s.Session, now)
	}
	if err != nil {
		return Minted{}, err
	}
	c, err := find()
	if err != nil {
		return Minted{}, err
	}
	s.Origin = a.Origin
	jwt, _, expires, err := m.sign(ctx, c, s.Subject, now)
	if err != nil {
		return Minted{}, err
	}
	if err := CheckSize(jwt, a.Cookie); err != nil {
		return Minted{}, err
	}
	if c.Name == SessionTemplate {
		m.Revocation.minted(s.Session.ID, now, expires)
	}
	m.use(ctx, s.Session, a.Network, now)
	return Minted{secret.NewString(jwt), now.Truncate(time.Second), expires}, nil
}

// sign makes the token. What is registered goes before what the template says, except for the
// iss and sub of one that signs with a key of its own.
func (m *Minter) sign(ctx context.Context, c *Compiled, s Subject, now time.Time) (jwt string, claims map[string]any, expires time.Time, err error) {
	if claims, err = c.Fill(s); err != nil {
		return "", nil, expires, err
	}
	lifetime, skew := SessionLifetime, SessionSkew
	if c.Name != SessionTemplate {
		lifetime, skew = c.Lifetime.Duration(), c.Skew.Duration()
	}
	expires = now.Truncate(time.Second).Add(lifetime)
	registered := m.registered(s, now, skew, expires)
	switch len(c.Audience) {
	case 0:
	case 1:
		registered["aud"] = c.Audience[0] // as RFC 7519 §4.1.3 lets it: many backends read nothing else
	default:
		registered["aud"] = c.Audience
	}
	if c.Key.None() {
		maps.Copy(claims, registered)
		jwt, err = m.Keys.Sign(ctx, Session, c.Algorithm, "JWT", claims)
		return jwt, claims, expires, err
	}
	for name, value := range registered {
		if _, told := claims[name]; !told || name != "iss" && name != "sub" {
			claims[name] = value
		}
	}
	jwt, err = c.Sign(claims)
	return jwt, claims, expires, err
}

// registered are the claims that no template decides (RFC 7519 §4.1, OIDC Core §2).
func (m *Minter) registered(s Subject, now time.Time, skew time.Duration, expires time.Time) map[string]any {
	claims := map[string]any{
		"iss": m.Issuer, "sub": string(s.User.ID), "azp": s.Origin, "iat": now.Unix(), "nbf": now.Add(-skew).Unix(), "exp": expires.Unix(),
		"jti": base64.RawURLEncoding.EncodeToString(secret.Bytes(16)),
	}
	if s.Origin == "" {
		claims["azp"] = m.Origin
	}
	if s.Session.ID != "" {
		claims["sid"], claims["auth_time"] = string(s.Session.ID), s.Session.AuthTime.Unix()
		claims["amr"], claims["acr"] = identity.AMR(s.Session.Proofs), identity.ACR(s.Session.Proofs)
	}
	return claims
}

// patience is how long a mint waits for the write that says that its session was used.
const patience = 250 * time.Millisecond

// use notes that the session was used: a session dies of lack of use, and use is minting. It
// is written at most once a minute, and a token does not wait long for it, nor fail by it.
func (m *Minter) use(ctx context.Context, s session.Session, network string, now time.Time) {
	if now.Sub(s.LastActiveAt) < session.Still {
		return
	}
	if _, busy := m.touching.LoadOrStore(s.ID, true); busy {
		return
	}
	defer m.touching.Delete(s.ID)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := m.Store.Touch(ctx, s.ID, network, now); err != nil {
		m.Log.WarnContext(ctx, "the use of a session was not noted", slog.Any("err", err))
	}
}

// Preview is what a template says about somebody.
type Preview struct {
	Claims map[string]any // as the token has them
	JWT    secret.String  // a token like any other, except that it names no session: whoever has it is that person for its lifetime
	Size   Size
}

// Preview makes the token that t describes for s, without a session. The template need not be
// kept. One that is too large is shown all the same: its size says so.
func (m *Minter) Preview(ctx context.Context, t Template, s Subject) (Preview, error) {
	c, err := Compile(t)
	if err != nil {
		return Preview{}, err
	}
	jwt, claims, _, err := m.sign(ctx, c, s, m.Now())
	if err != nil {
		return Preview{}, err
	}
	return Preview{claims, secret.NewString(jwt), Measure(jwt)}, nil
}
