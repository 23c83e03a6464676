package provider

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"idp/identity"
	"idp/token"
)

// fromTemplate returns the claims that a template adds to a token of the client about the
// person of s; nil if it names none. A template that cannot speak keeps nobody from signing in:
// its claims are not there, and the log says why.
func (p *Provider) fromTemplate(ctx context.Context, c Client, name string, s Standing) map[string]any {
	if name == "" {
		return nil
	}
	claims, err := p.fill(c, name, s)
	if err != nil {
		p.warn(ctx, c, fmt.Errorf("template %s: %w", name, err))
		return nil
	}
	for claim := range claims {
		if token.Reserved(claim) != "" || slices.Contains(aboutToken, claim) {
			delete(claims, claim)
		}
	}
	return claims
}

func (p *Provider) fill(c Client, name string, s Standing) (map[string]any, error) {
	if p.Templates == nil {
		return nil, token.ErrTemplate
	}
	template, err := p.Templates.Get(name)
	if err != nil {
		return nil, err
	}
	if !template.Key.None() {
		return nil, fmt.Errorf("it signs with a key of its own")
	}
	person := s.Person
	person.ID = identity.UserID(p.subject(c, s.User)) // a pairwise client knows them by no other name
	return template.Fill(token.Subject{User: person, Email: s.Email, Phone: s.Phone})
}

func (p *Provider) warn(ctx context.Context, c Client, why error) {
	if p.Log != nil {
		p.Log.WarnContext(ctx, "claims of a template are missing in a token", slog.String("client", string(c.ID)), slog.Any("err", why))
	}
}
