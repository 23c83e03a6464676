package provider

import (
	"context"
	"crypto/sha512"
	"hash"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/ory/fosite"
	"github.com/ory/fosite/i18n"
	"github.com/ory/fosite/token/jwt"
)

// How long things live. Our own code checks each of them on our own clock.
const (
	codeLife    = time.Minute
	accessLife  = 10 * time.Minute
	idTokenLife = 5 * time.Minute
	idleLife    = 14 * 24 * time.Hour // a refresh token nobody uses
	wholeLife   = 30 * 24 * time.Hour // a line of refresh tokens, however used
	onceLife    = time.Hour           // an authorization that cannot be refreshed
	askLife     = time.Hour           // a parked request: signing up and reading mail take a while
)

// config answers fosite's questions about policy. Whatever fosite would do by a default of
// its own and we do ourselves is answered with "no".
type config struct {
	issuer    string
	authorize fosite.AuthorizeEndpointHandlers
	token     fosite.TokenEndpointHandlers
	identify  fosite.ClientAuthenticationStrategy
}

var _ fosite.Configurator = (*config)(nil)

// What is ours to say.

// GetIDTokenIssuer returns the issuer.
func (c *config) GetIDTokenIssuer(context.Context) string { return c.issuer }

// GetAccessTokenIssuer returns the issuer.
func (c *config) GetAccessTokenIssuer(context.Context) string { return c.issuer }

// GetTokenURLs returns nothing: no assertion is checked by fosite.
func (c *config) GetTokenURLs(context.Context) []string { return nil }

// GetAuthorizeCodeLifespan returns how long a code waits.
func (*config) GetAuthorizeCodeLifespan(context.Context) time.Duration { return codeLife }

// GetAccessTokenLifespan returns how long an access token lives.
func (*config) GetAccessTokenLifespan(context.Context) time.Duration { return accessLife }

// GetRefreshTokenLifespan returns how long a line of refresh tokens lives.
func (*config) GetRefreshTokenLifespan(context.Context) time.Duration { return wholeLife }

// GetIDTokenLifespan returns how long an ID token lives.
func (*config) GetIDTokenLifespan(context.Context) time.Duration { return idTokenLife }

// GetScopeStrategy compares scopes exactly.
func (*config) GetScopeStrategy(context.Context) fosite.ScopeStrategy { return allowed }

// GetAudienceStrategy compares audiences exactly.
func (*config) GetAudienceStrategy(context.Context) fosite.AudienceMatchingStrategy {
	return fosite.ExactAudienceMatchingStrategy
}

// GetRedirectSecureChecker accepts all: our own matcher was stricter already.
func (*config) GetRedirectSecureChecker(context.Context) func(context.Context, *url.URL) bool {
	return func(context.Context, *url.URL) bool { return true }
}

// GetRefreshTokenScopes returns nothing: being registered for refresh tokens is enough;
// offline_access decides whether they outlive the session.
func (*config) GetRefreshTokenScopes(context.Context) []string { return nil }

// GetClientAuthenticationStrategy returns our own client authentication.
func (c *config) GetClientAuthenticationStrategy(context.Context) fosite.ClientAuthenticationStrategy {
	return c.identify
}

// GetAuthorizeEndpointHandlers returns what answers authorization requests.
func (c *config) GetAuthorizeEndpointHandlers(context.Context) fosite.AuthorizeEndpointHandlers {
	return c.authorize
}

// GetTokenEndpointHandlers returns what answers token requests.
func (c *config) GetTokenEndpointHandlers(context.Context) fosite.TokenEndpointHandlers {
	return c.token
}

// GetMinParameterEntropy returns the least fosite knows; our sentinel state passes it.
func (*config) GetMinParameterEntropy(context.Context) int { return 1 }

// GetOmitRedirectScopeParam keeps scopes out of redirects.
func (*config) GetOmitRedirectScopeParam(context.Context) bool { return true }

// What fosite shall not do.

// GetAllowedPrompts is unused: prompts are decided by our own rules.
func (*config) GetAllowedPrompts(context.Context) []string { return nil }

// GetEnforcePKCE is unused: PKCE is checked by our own rules.
func (*config) GetEnforcePKCE(context.Context) bool { return true }

// GetEnforcePKCEForPublicClients is unused likewise.
func (*config) GetEnforcePKCEForPublicClients(context.Context) bool { return true }

// GetEnablePKCEPlainChallengeMethod says no.
func (*config) GetEnablePKCEPlainChallengeMethod(context.Context) bool { return false }

// GetGrantTypeJWTBearerCanSkipClientAuth says no.
func (*config) GetGrantTypeJWTBearerCanSkipClientAuth(context.Context) bool { return false }

// GetGrantTypeJWTBearerIDOptional says no.
func (*config) GetGrantTypeJWTBearerIDOptional(context.Context) bool { return false }

// GetGrantTypeJWTBearerIssuedDateOptional says no.
func (*config) GetGrantTypeJWTBearerIssuedDateOptional(context.Context) bool { return false }

// GetJWTMaxDuration is unused.
func (*config) GetJWTMaxDuration(context.Context) time.Duration { return time.Minute }

// GetSanitationWhiteList keeps fosite's default.
func (*config) GetSanitationWhiteList(context.Context) []string { return nil }

// GetJWTScopeField is unused.
func (*config) GetJWTScopeField(context.Context) jwt.JWTScopeFieldEnum {
	return jwt.JWTScopeFieldString
}

// GetDisableRefreshTokenValidation says no.
func (*config) GetDisableRefreshTokenValidation(context.Context) bool { return false }

// GetVerifiableCredentialsNonceLifespan is unused.
func (*config) GetVerifiableCredentialsNonceLifespan(context.Context) time.Duration { return 0 }

// GetDeviceAndUserCodeLifespan is unused.
func (*config) GetDeviceAndUserCodeLifespan(context.Context) time.Duration { return 0 }

// GetUserCodeLength is unused.
func (*config) GetUserCodeLength(context.Context) int { return 8 }

// GetUserCodeSymbols is unused.
func (*config) GetUserCodeSymbols(context.Context) []rune { return nil }

// GetDeviceVerificationURL is unused.
func (*config) GetDeviceVerificationURL(context.Context) string { return "" }

// GetDeviceAuthTokenPollingInterval is unused.
func (*config) GetDeviceAuthTokenPollingInterval(context.Context) time.Duration { return 0 }

// GetDeviceEndpointHandlers returns none.
func (*config) GetDeviceEndpointHandlers(context.Context) fosite.DeviceEndpointHandlers { return nil }

// GetTokenEntropy is unused: tokens come from our own strategy.
func (*config) GetTokenEntropy(context.Context) int { return 32 }

// GetRotatedGlobalSecrets returns none.
func (*config) GetRotatedGlobalSecrets(context.Context) ([][]byte, error) { return nil, nil }

// GetGlobalSecret returns none: fosite holds no secret of ours.
func (*config) GetGlobalSecret(context.Context) ([]byte, error) { return nil, errNoUnit }

// GetHMACHasher is unused.
func (*config) GetHMACHasher(context.Context) func() hash.Hash { return sha512.New512_256 }

// GetSecretsHasher is unused: client secrets are compared by our own client authentication.
func (*config) GetSecretsHasher(context.Context) fosite.Hasher { return nil }

// GetJWKSFetcherStrategy returns one that fetches nothing.
func (*config) GetJWKSFetcherStrategy(context.Context) fosite.JWKSFetcherStrategy { return nil }

// GetHTTPClient returns one that reaches nothing.
func (*config) GetHTTPClient(context.Context) *retryablehttp.Client {
	return &retryablehttp.Client{HTTPClient: &http.Client{Transport: nowhere{}}}
}

// nowhere is a network that ends at the wall.
type nowhere struct{}

// RoundTrip refuses.
func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoUnit }

// GetResponseModeHandlerExtension returns none.
func (*config) GetResponseModeHandlerExtension(context.Context) fosite.ResponseModeHandler {
	return nil
}

// GetSendDebugMessagesToClients says no.
func (*config) GetSendDebugMessagesToClients(context.Context) bool { return false }

// GetMessageCatalog returns none.
func (*config) GetMessageCatalog(context.Context) i18n.MessageCatalog { return nil }

// GetFormPostHTMLTemplate returns none: answers are written by our own pages.
func (*config) GetFormPostHTMLTemplate(context.Context) *template.Template { return nil }

// GetTokenIntrospectionHandlers returns none.
func (*config) GetTokenIntrospectionHandlers(context.Context) fosite.TokenIntrospectionHandlers {
	return nil
}

// GetRevocationHandlers returns none.
func (*config) GetRevocationHandlers(context.Context) fosite.RevocationHandlers { return nil }

// GetUseLegacyErrorFormat says no.
func (*config) GetUseLegacyErrorFormat(context.Context) bool { return false }
