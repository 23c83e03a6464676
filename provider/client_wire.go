package provider

import (
	"slices"
	"strings"
)

// ownWish turns metadata that a client sends about itself into a client. Of was, it keeps
// what is the operator's to say. Trust is not kept: who changes itself is somebody new.
func (g registration) ownWish(was Client) (Client, error) {
	g.ofOperators = was.operatorsOwn()
	g.Type, g.FirstParty, g.MayIntrospect = "", false, false
	if g.AuthMethod == "" {
		g.AuthMethod = authBasic // the RFC's default
	}
	if g.Scope == "" {
		g.Scope = strings.Join(forPeople, " ")
		if slices.Equal(g.GrantTypes, []string{grantMachine}) {
			g.Scope = ""
		}
	}
	c, err := g.client(was)
	if err != nil {
		return c, err
	}
	for _, scope := range c.Scopes {
		if !slices.Contains(forPeople, scope) && !slices.Contains(was.Scopes, scope) {
			return c, invalid("scope", "scope_unavailable", "An app that registers itself gets openid, profile, email, address, phone and offline_access; other scopes are the operator's to give.")
		}
	}
	if c.Name == "" {
		c.Name = "Unnamed app"
		if len(c.RedirectURIs) > 0 {
			c.Name = hostOf(c.RedirectURIs[0])
		}
	}
	return c, nil
}

// client turns metadata into a client that takes the place of was.
func (g registration) client(was Client) (Client, error) {
	c := Client{
		ID: was.ID, Secrets: was.Secrets, Disabled: was.Disabled, Version: was.Version,
		RegistrationToken: was.RegistrationToken, CreatedAt: was.CreatedAt, UpdatedAt: was.UpdatedAt,

		RedirectURIs: g.RedirectURIs, PostLogoutRedirectURIs: g.PostLogoutURIs, GrantTypes: g.GrantTypes,
		ResponseTypes: g.ResponseTypes, Scopes: strings.Fields(g.Scope), RequirePKCE: g.RequirePKCE,
		Name: g.Name, URI: g.URI, LogoURI: g.LogoURI, PolicyURI: g.PolicyURI, TermsURI: g.TermsURI, Contacts: g.Contacts,
		SoftwareID: g.SoftwareID, SoftwareVersion: g.SoftwareVersion, Metadata: g.translated,
		AuthMethod: g.AuthMethod, AuthAlgorithm: g.AuthAlgorithm, JWKS: g.JWKS, JWKSURI: g.JWKSURI,
		IDToken:       Wrapping{g.IDTokenJWS, g.IDTokenJWE, g.IDTokenEnc},
		Userinfo:      Wrapping{g.UserinfoJWS, g.UserinfoJWE, g.UserinfoEnc},
		RequestObject: Wrapping{g.RequestJWS, g.RequestJWE, g.RequestEnc},
		RequestURIs:   g.RequestURIs, RequirePAR: g.RequirePAR, RequireSignedRequest: g.RequireSigned,
		Pairwise: g.SubjectType == pairwise, SectorURI: g.SectorURI,
		DefaultMaxAge: g.DefaultMaxAge, RequireAuthTime: g.RequireAuthTime, DefaultACRs: g.DefaultACRs,
		InitiateLoginURI: g.InitiateLoginURI, FrontchannelLogoutURI: g.FrontURI, FrontchannelSession: g.FrontSession,
		BackchannelLogoutURI: g.BackURI, BackchannelSession: g.BackSession,
		FirstParty: g.FirstParty, MayIntrospect: g.MayIntrospect, IDTokenClaims: g.IDTokenClaims, Audience: g.Audience,
		IDTokenTemplate: g.IDTokenTemplate, AccessTokenTemplate: g.AccessTokenTemplate, AccessTokenFormat: g.AccessTokenFormat,
		AccessTokenAlgorithm: g.AccessTokenJWS,
	}
	if !slices.Contains([]string{"", "public", pairwise}, g.SubjectType) {
		return c, invalid("subject_type", "subject_type_unsupported", "The subject_type is public or pairwise.")
	}
	var err error
	c.Type, err = g.kind()
	return c, err
}

const pairwise = "pairwise"

// kind says what sort of client metadata describes. The wire knows web and native alone; a
// client on the web without a secret is a page in a browser.
func (g registration) kind() (ClientType, error) {
	machine := slices.Equal(g.GrantTypes, []string{grantMachine})
	switch {
	case !slices.Contains([]string{"", "web", "native"}, g.Application):
		return "", invalid("application_type", "application_type_unknown", "The application_type is web or native.")
	case g.Type != "":
		return g.Type, nil
	case machine:
		return Machine, nil
	case g.Application == "native":
		return Native, nil
	case g.AuthMethod == authNone:
		return SPA, nil
	}
	return Web, nil
}

// wire shows a client as metadata, with nothing that is a secret.
func (c Client) wire() registration {
	g := registration{
		Application: "web", RedirectURIs: c.RedirectURIs, GrantTypes: c.GrantTypes, ResponseTypes: c.ResponseTypes,
		Scope: strings.Join(c.Scopes, " "), RequirePKCE: c.RequirePKCE,
		Name: c.Name, URI: c.URI, LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TermsURI: c.TermsURI, Contacts: c.Contacts,
		SoftwareID: c.SoftwareID, SoftwareVersion: c.SoftwareVersion, translated: c.Metadata,
		AuthMethod: c.AuthMethod, AuthAlgorithm: c.AuthAlgorithm, JWKS: c.JWKS, JWKSURI: c.JWKSURI,
		IDTokenJWS: c.IDToken.JWS, IDTokenJWE: c.IDToken.JWE, IDTokenEnc: c.IDToken.Enc,
		UserinfoJWS: c.Userinfo.JWS, UserinfoJWE: c.Userinfo.JWE, UserinfoEnc: c.Userinfo.Enc,
		RequestJWS: c.RequestObject.JWS, RequestJWE: c.RequestObject.JWE, RequestEnc: c.RequestObject.Enc,
		RequestURIs: c.RequestURIs, RequirePAR: c.RequirePAR, RequireSigned: c.RequireSignedRequest,
		SubjectType: "public", SectorURI: c.SectorURI,
		DefaultMaxAge: c.DefaultMaxAge, RequireAuthTime: c.RequireAuthTime, DefaultACRs: c.DefaultACRs,
		InitiateLoginURI: c.InitiateLoginURI, PostLogoutURIs: c.PostLogoutRedirectURIs,
		FrontURI: c.FrontchannelLogoutURI, FrontSession: c.FrontchannelSession,
		BackURI: c.BackchannelLogoutURI, BackSession: c.BackchannelSession,
		ofOperators: c.operatorsOwn(),
	}
	if c.Type == Native {
		g.Application = "native"
	}
	if c.Pairwise {
		g.SubjectType = pairwise
	}
	if g.IDTokenJWS == "" && c.forPerson() {
		g.IDTokenJWS = "RS256"
	}
	return g
}

// operatorsOwn are the members that only operators say.
func (c Client) operatorsOwn() ofOperators {
	return ofOperators{
		Type: c.Type, FirstParty: c.FirstParty, MayIntrospect: c.MayIntrospect, IDTokenClaims: c.IDTokenClaims, Audience: c.Audience,
		IDTokenTemplate: c.IDTokenTemplate, AccessTokenTemplate: c.AccessTokenTemplate, AccessTokenFormat: c.AccessTokenFormat,
		AccessTokenJWS: c.AccessTokenAlgorithm,
	}
}
