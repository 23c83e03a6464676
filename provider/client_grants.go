package provider

import (
	"slices"
	"strings"
)

// The grant types that exist. implicit is that of tokens which come through the browser.
const (
	grantCode     = "authorization_code"
	grantImplicit = "implicit"
	grantRefresh  = "refresh_token"
	grantMachine  = "client_credentials"
)

// answerTypes are the response types that exist (OIDC Core §3), their words in order.
var answerTypes = []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}

// ResponseTypes returns those, the one for everybody first.
func ResponseTypes() []string { return slices.Clone(answerTypes) }

// inOrder spells a response type one way: "token id_token" and "id_token token" are the same.
func inOrder(responseType string) string {
	words := strings.Fields(responseType)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// grantsFor are the grant types that response types need (OIDC Registration §2).
func grantsFor(responseTypes []string) []string {
	var code, implicit bool
	for _, r := range responseTypes {
		words := strings.Fields(r)
		code = code || slices.Contains(words, "code")
		implicit = implicit || slices.ContainsFunc(words, func(w string) bool { return w != "code" })
	}
	var grants []string
	if code {
		grants = append(grants, grantCode)
	}
	if implicit {
		grants = append(grants, grantImplicit)
	}
	return grants
}

// AnswerWith gives a client these response types and the grant types that belong to them;
// its other grant types stay.
func (c *Client) AnswerWith(responseTypes []string) {
	had := slices.Contains(c.GrantTypes, grantCode)
	c.ResponseTypes = slices.Clone(responseTypes)
	grants := grantsFor(responseTypes)
	for _, g := range c.GrantTypes {
		if g != grantCode && g != grantImplicit && (g != grantRefresh || slices.Contains(grants, grantCode)) {
			grants = append(grants, g)
		}
	}
	if !had && slices.Contains(grants, grantCode) && !slices.Contains(grants, grantRefresh) {
		grants = append(grants, grantRefresh)
	}
	c.GrantTypes = grants
}

// completeGrants fills in response types from grant types and the other way round. Who
// names neither gets the code flow, and refresh tokens for those who can keep going.
func completeGrants(c *Client) {
	types := make([]string, len(c.ResponseTypes))
	for i, r := range c.ResponseTypes {
		types[i] = inOrder(r)
	}
	c.ResponseTypes = types
	switch {
	case len(c.GrantTypes) == 0 && c.Type == Machine:
		c.GrantTypes = []string{grantMachine}
	case len(c.GrantTypes) == 0 && len(types) == 0:
		c.GrantTypes, c.ResponseTypes = []string{grantCode, grantRefresh}, []string{"code"}
	case len(c.GrantTypes) == 0:
		c.AnswerWith(types)
	case len(types) == 0 && slices.Contains(c.GrantTypes, grantCode):
		// The default is code alone, for which implicit says nothing (OIDC Registration §2).
		c.ResponseTypes = []string{"code"}
		c.GrantTypes = slices.DeleteFunc(slices.Clone(c.GrantTypes), func(g string) bool { return g == grantImplicit })
	case len(types) == 0 && slices.Contains(c.GrantTypes, grantImplicit):
		c.ResponseTypes = []string{"id_token"}
	}
}

func validGrants(c Client) error {
	for _, g := range c.GrantTypes {
		if !slices.Contains([]string{grantCode, grantImplicit, grantRefresh, grantMachine}, g) {
			return invalid("grant_types", "grant_type_unsupported",
				"Supported are authorization_code, implicit, refresh_token and client_credentials.")
		}
	}
	if len(c.GrantTypes) == 0 {
		return invalid("grant_types", "grant_type_missing", "Name at least one grant type.")
	}
	if slices.Contains(c.GrantTypes, grantRefresh) && !slices.Contains(c.GrantTypes, grantCode) {
		return invalid("grant_types", "grant_type_alone", "refresh_token needs authorization_code beside it.")
	}
	for _, r := range c.ResponseTypes {
		if !slices.Contains(answerTypes, r) {
			return invalid("response_types", "response_type_unsupported", "Supported are %s.", strings.Join(answerTypes, ", "))
		}
	}
	needed := grantsFor(c.ResponseTypes)
	for _, g := range []string{grantCode, grantImplicit} {
		if slices.Contains(c.GrantTypes, g) != slices.Contains(needed, g) {
			return invalid("response_types", "response_type_mismatch",
				"Response types with code belong together with the grant type authorization_code, those with token or id_token with implicit.")
		}
	}
	return nil
}

// forPerson reports whether people are sent to and fro for the client.
func (c Client) forPerson() bool {
	return slices.Contains(c.GrantTypes, grantCode) || slices.Contains(c.GrantTypes, grantImplicit)
}

// inFront reports whether the client gets tokens through the browser.
func (c Client) inFront() bool { return slices.Contains(c.GrantTypes, grantImplicit) }
