package federation

import (
	"context"
	"net/url"
	"sync"
	"time"

	"idp/identity"
	"idp/internal/problem"
)

// tokenLeft is how long a token must still hold to be given out as it is.
const tokenLeft = time.Minute

// The problems of kept tokens.
var (
	ErrNoTokens   = problem.New(problem.NotFound, "upstream_tokens_none", "No tokens of that account are kept. Turn keep_tokens on; they come with the person's next sign-in by it.")
	ErrTokensOver = problem.New(problem.Gone, "upstream_tokens_over", "The token is over and cannot be renewed. The person has to sign in by that connection again.")
)

// Fresh returns tokens with an access token that holds for a minute at least, as far as the
// provider tells: these, or renewed ones. A connection that is disabled is ErrDisabled, one that
// keeps no tokens ErrNoTokens; what cannot be renewed is ErrTokensOver. It must not run in a transaction.
func (f *Federation) Fresh(ctx context.Context, c Connection, t identity.Tokens) (identity.Tokens, error) {
	c = c.filled()
	switch now := f.Now(); {
	case c.Disabled:
		return identity.Tokens{}, ErrDisabled
	case !c.KeepTokens || t.Access == "":
		return identity.Tokens{}, ErrNoTokens
	case t.ExpiresAt.IsZero() || now.Add(tokenLeft).Before(t.ExpiresAt):
		return t, nil
	case t.Refresh == "" && now.Before(t.ExpiresAt):
		return t, nil
	case t.Refresh == "":
		return identity.Tokens{}, ErrTokensOver
	}
	var g granted
	err := f.visit(ctx, func(ctx context.Context) error {
		uri, how, err := f.tokenEndpoint(ctx, c)
		if err == nil {
			g, err = f.exchange(ctx, c, uri, how, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}})
		}
		return err
	})
	if problem.HasCode(err, ErrRefused.Code) {
		return identity.Tokens{}, ErrTokensOver.Because(err)
	}
	if err != nil {
		return identity.Tokens{}, err
	}
	return follow(t, g.tokens()), nil
}

// follow is what is kept after a renewal: a provider that says nothing of the refresh token or
// the scope means the ones there were (RFC 6749 §6).
func follow(was, now identity.Tokens) identity.Tokens {
	if now.Refresh == "" {
		now.Refresh = was.Refresh
	}
	if now.Scope == "" {
		now.Scope = was.Scope
	}
	return now
}

// tokenEndpoint is where a connection's tokens come from, and how the client proves itself there.
func (f *Federation) tokenEndpoint(ctx context.Context, c Connection) (string, Auth, error) {
	switch c.Type {
	case OIDC:
		u, err := f.discover(ctx, c)
		if err != nil {
			return "", "", err
		}
		how, err := u.auth(c)
		if err != nil {
			return "", "", ErrSetup.Because(err)
		}
		return u.Exchange, how, nil
	case OAuth2:
		return c.TokenEndpoint, c.auth(), plain{f}.proper(c)
	case SAML:
	}
	return "", "", ErrNoTokens
}

// Factors are where accounts elsewhere are on file, with their tokens.
type Factors interface {
	Factor(ctx context.Context, id identity.FactorID) (identity.Factor, error) // problem.NotFound
	SaveFactor(ctx context.Context, f identity.Factor) error
	// UseFactor moves the counter on if it is still what it was; else problem.Conflict.
	UseFactor(ctx context.Context, id identity.FactorID, was, counter int64, at time.Time) error
}

// Keeper gives out kept tokens, renewed where needed. A refresh token may be good for one use,
// so of those who want the same one at once in this process, one renews and the others read
// what it wrote. Between processes the provider decides who was first: the other finds on file
// what the first was given.
type Keeper struct {
	Federation *Federation
	Factors    Factors
	InTx       func(ctx context.Context, do func(ctx context.Context) error) error

	mu   sync.Mutex
	busy map[identity.FactorID]chan struct{}
}

// Tokens returns the tokens of an account on file, fresh.
func (k *Keeper) Tokens(ctx context.Context, id identity.FactorID) (identity.Tokens, error) {
	leave, err := k.enter(ctx, id)
	if err != nil {
		return identity.Tokens{}, err
	}
	defer leave()
	factor, x, err := k.load(ctx, id)
	if err != nil {
		return identity.Tokens{}, err
	}
	c, err := k.Federation.Connection(factor.Method.Connection())
	if err != nil {
		return identity.Tokens{}, err
	}
	fresh, err := k.Federation.Fresh(ctx, c, x.Tokens)
	if problem.HasCode(err, ErrTokensOver.Code) {
		return k.other(ctx, c, id, x.Tokens, err)
	}
	if err != nil || fresh == x.Tokens {
		return fresh, err
	}
	return fresh, k.save(ctx, factor, x.Tokens, fresh)
}

// How long, and how often, somebody who was second looks for what the first was given.
const (
	otherPause = 200 * time.Millisecond
	otherTries = 5
)

// other returns what somebody else was given for the refresh token that did not work for us.
func (k *Keeper) other(ctx context.Context, c Connection, id identity.FactorID, tried identity.Tokens, over error) (identity.Tokens, error) {
	for range otherTries {
		_, x, err := k.load(ctx, id)
		if err != nil {
			return identity.Tokens{}, err
		}
		if x.Tokens != tried {
			return k.Federation.Fresh(ctx, c, x.Tokens)
		}
		select {
		case <-ctx.Done():
			return identity.Tokens{}, ctx.Err()
		case <-time.After(otherPause):
		}
	}
	return identity.Tokens{}, over
}

// save writes renewed tokens, unless others came on file meanwhile: then those are newer.
func (k *Keeper) save(ctx context.Context, read identity.Factor, was, fresh identity.Tokens) error {
	err := k.InTx(ctx, func(ctx context.Context) error {
		factor, _, err := k.load(ctx, read.ID)
		if err != nil {
			return err
		}
		// The counter is what two writers meet at: who moves it holds the row until the commit.
		if err := k.Factors.UseFactor(ctx, factor.ID, factor.Counter, factor.Counter+1, factor.LastUsedAt); err != nil {
			return err
		}
		factor, x, err := k.load(ctx, read.ID)
		if err != nil || x.Tokens != was {
			return err
		}
		x.Tokens = fresh
		if factor.Secret, err = x.Seal(); err != nil {
			return err
		}
		return k.Factors.SaveFactor(ctx, factor)
	})
	if problem.Is(err, problem.NotFound) || problem.Is(err, problem.Conflict) {
		return nil // disconnected, or renewed by another: ours still holds
	}
	return err
}

func (k *Keeper) load(ctx context.Context, id identity.FactorID) (identity.Factor, identity.ExternalAccount, error) {
	factor, err := k.Factors.Factor(ctx, id)
	if err != nil {
		return factor, identity.ExternalAccount{}, err
	}
	x, err := factor.External()
	return factor, x, err
}

// enter waits until nobody else in this process renews the tokens of that account.
func (k *Keeper) enter(ctx context.Context, id identity.FactorID) (leave func(), err error) {
	for {
		k.mu.Lock()
		if k.busy == nil {
			k.busy = map[identity.FactorID]chan struct{}{}
		}
		other, taken := k.busy[id]
		if !taken {
			mine := make(chan struct{})
			k.busy[id] = mine
			k.mu.Unlock()
			return func() {
				k.mu.Lock()
				defer k.mu.Unlock()
				delete(k.busy, id)
				close(mine)
			}, nil
		}
		k.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-other:
		}
	}
}
