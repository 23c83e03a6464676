package provider

import (
	"context"
	"slices"
	"time"

	"idp/event"
	"idp/internal/problem"
	"idp/internal/secret"
)

const (
	secretPrefix = "idp_cs_"
	maxRotation  = 30 * 24 * time.Hour // that the secret before the newest stays good
)

// renew gives the client a new secret, its only one.
func (c *Clients) renew(client *Client) secret.String {
	key := client.newSecret()
	client.Secrets = []ClientSecret{client.keep(key, c.Now())}
	return key
}

// newSecret makes a secret. One that is a key is at least as long as the longest hash it is
// used with (RFC 7518 §3.2).
func (c Client) newSecret() secret.String {
	if c.UsesHMAC() {
		return secret.Token(secret.Token(secretPrefix).Reveal())
	}
	return secret.Token(secretPrefix)
}

// keep is how the client's secret is remembered: as a digest, and itself only where it is a key.
func (c Client) keep(key secret.String, now time.Time) ClientSecret {
	s := ClientSecret{Digest: secret.DigestOf(key.Reveal()), CreatedAt: now}
	if c.UsesHMAC() {
		s.Value = key
	}
	return s
}

var errNeedsSecret = problem.New(problem.Invalid, "client_needs_secret",
	"This change needs a new client secret, which cannot be handed out here.").On("token_endpoint_auth_method")

// suitSecrets gives a changed client the secrets it now needs.
func (c *Clients) suitSecrets(next *Client, renew bool) (secret.String, error) {
	if !next.HasSecret() {
		next.Secrets = nil
		return secret.String{}, nil
	}
	if next.UsesHMAC() {
		// Only values that were kept can be keys; the others are of no use any more.
		next.Secrets = slices.DeleteFunc(slices.Clone(next.Secrets), func(s ClientSecret) bool { return s.Value.Empty() })
	} else {
		next.Secrets = slices.Clone(next.Secrets)
		for i := range next.Secrets {
			next.Secrets[i].Value = secret.String{}
		}
	}
	if len(next.Secrets) > 0 {
		return secret.String{}, nil
	}
	if !renew {
		return secret.String{}, errNeedsSecret
	}
	return c.renew(next), nil
}

// RotateSecret makes a new secret, returned this once. The one before stays good for keep
// (at most 30 days; 0 ends it at once); older ones end now.
func (c *Clients) RotateSecret(ctx context.Context, id ClientID, keep time.Duration, actor string) (secret.String, error) {
	var key secret.String
	_, err := c.change(ctx, id, event.ClientSecretRotated, actor, func(next *Client) error {
		if !next.HasSecret() {
			return problem.New(problem.Invalid, "client_public", "This app has no secret.")
		}
		key = next.newSecret()
		now := c.Now()
		secrets := []ClientSecret{next.keep(key, now)}
		if keep = min(keep, maxRotation); keep > 0 && len(next.Secrets) > 0 {
			last := next.Secrets[0]
			if ends := now.Add(keep); last.ExpiresAt.IsZero() || ends.Before(last.ExpiresAt) {
				last.ExpiresAt = ends
			}
			secrets = append(secrets, last)
		}
		next.Secrets = secrets
		return nil
	})
	if err != nil {
		return secret.String{}, err
	}
	return key, nil
}

// knows reports whether the secret is one of the client's live ones.
func (c Client) knows(given string, now time.Time) bool {
	digest := string(secret.DigestOf(given))
	return slices.ContainsFunc(c.Secrets, func(s ClientSecret) bool {
		live := s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
		return secret.Equal(digest, string(s.Digest)) && live
	})
}
