package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"idp/internal/problem"
	"idp/token"
)

// TokenTemplates are the instance's templates, ready. token.Templates is one.
type TokenTemplates interface {
	Get(name string) (*token.Compiled, error) // token.ErrTemplate if there is none
}

// HeldTemplates are the templates that clients may name: each as it is on file, and kept so until
// the caller's transaction is over. token.Templates is one.
type HeldTemplates interface {
	Hold(ctx context.Context, name string) (*token.Compiled, error) // token.ErrTemplate if there is none
}

// validTokens checks what a client's tokens are to look like. Whether the templates are there
// is named's to say.
func validTokens(c Client) error {
	switch {
	case !slices.Contains([]AccessTokenFormat{"", Opaque, JWT}, c.AccessTokenFormat):
		return invalid("access_token_format", "access_token_format_unknown", "The format is opaque or jwt.")
	case c.AccessTokenFormat == JWT && slices.ContainsFunc(c.ResponseTypes, bringsToken):
		return invalid("access_token_format", "access_token_in_browser", "JWT access tokens do not come through the browser: take the response types with token away.")
	case c.AccessTokenAlgorithm != "" && !slices.Contains(token.SigningAlgorithms, c.AccessTokenAlgorithm):
		return invalid("access_token_signed_response_alg", "alg_unsupported", "Supported are %s.", strings.Join(token.SigningAlgorithms, ", "))
	case c.AccessTokenAlgorithm != "" && c.AccessTokenFormat != JWT:
		return invalid("access_token_signed_response_alg", "access_token_opaque", "Nobody signs an opaque access token: set access_token_format to jwt.")
	case c.AccessTokenTemplate != "" && c.AccessTokenFormat != JWT:
		return invalid("access_token_template", "access_token_opaque", "An opaque access token has no claims: set access_token_format to jwt.")
	case c.AccessTokenTemplate != "" && !c.forPerson():
		return invalid("access_token_template", "template_without_person", "A template tells about a person, and nobody signs in to this app.")
	case c.IDTokenTemplate != "" && !c.forPerson():
		return invalid("id_token_template", "template_without_person", "A template tells about a person, and nobody signs in to this app.")
	case c.AccessTokenFormat == JWT && spelled(c.Scopes)+spelled(c.Audience) > maxRights:
		return invalid("audience", "access_token_too_large", "Scopes and audience together take at most %d bytes where access tokens are JWTs: each token names them.", maxRights)
	}
	return nil
}

const maxRights = 4 << 10 // bytes of JSON, in a token of at most token.MaxSize

// spelled is how many bytes a list takes in a token.
func spelled(list []string) int {
	text, err := json.Marshal(list)
	if err != nil {
		return maxRights + 1
	}
	return len(text)
}

func bringsToken(responseType string) bool {
	return slices.Contains(strings.Fields(responseType), partToken)
}

// named checks the templates that a client names and was did not. Call it in the transaction that
// saves the client: until that is over, none of them goes away or gets a key of its own.
func (c *Clients) named(ctx context.Context, client, was Client) error {
	for _, one := range []struct{ field, name, before string }{
		{"id_token_template", client.IDTokenTemplate, was.IDTokenTemplate},
		{"access_token_template", client.AccessTokenTemplate, was.AccessTokenTemplate},
	} {
		if one.name == "" || one.name == one.before {
			continue
		}
		if c.Templates == nil {
			return invalid(one.field, "template_unknown", "There is no template of that name.")
		}
		template, err := c.Templates.Hold(ctx, one.name)
		if problem.HasCode(err, token.ErrTemplate.Code) {
			return invalid(one.field, "template_unknown", "There is no template of that name.")
		}
		if problem.Is(err, problem.Invalid) {
			return invalid(one.field, "template_broken", "That template cannot be read; save it anew first.")
		}
		if err != nil {
			return err
		}
		if !template.Key.None() {
			return invalid(one.field, "template_own_key", "That template signs with a key of its own, and an app's tokens are signed with ours: its verifier would not know the key. Name one without.")
		}
	}
	return nil
}

// Using returns the clients that name a token template.
func (c *Clients) Using(ctx context.Context, template string) ([]Client, error) {
	var found []Client
	for after := ClientID(""); ; {
		page, err := c.List(ctx, after, 0)
		if err != nil {
			return nil, fmt.Errorf("look for apps that name template %s: %w", template, err)
		}
		for _, one := range page {
			after = one.ID
			if template != "" && (one.IDTokenTemplate == template || one.AccessTokenTemplate == template) {
				found = append(found, one)
			}
		}
		if len(page) < 100 {
			return found, nil
		}
	}
}
