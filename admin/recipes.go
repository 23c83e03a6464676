package admin

import (
	"net/url"
	"strings"

	"idp/internal/secret"
	"idp/provider"
)

// Recipe is configuration to paste into one common stack.
type Recipe struct {
	ID    string // for the page's anchors
	Stack string
	File  string // where it goes
	Text  string
}

// keyHole stands where a secret goes that is not known any more.
const keyHole = "YOUR_CLIENT_SECRET"

// Recipes returns what to paste to use a client from common stacks. An empty key leaves a
// place for the secret.
func Recipes(issuer string, c provider.Client, key secret.String) []Recipe {
	v := filling(issuer, c, key)
	var out []Recipe
	for _, r := range recipes {
		if !r.fits(c) {
			continue
		}
		text := r.text
		if !c.HasSecret() {
			text = withoutKey(text)
		}
		out = append(out, Recipe{ID: r.id, Stack: r.stack, File: r.file, Text: v.Replace(strings.TrimPrefix(text, "\n"))})
	}
	return out
}

// withoutKey drops the lines that carry a secret, for clients that have none.
func withoutKey(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, "{secret}") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func filling(issuer string, c provider.Client, key secret.String) *strings.Replacer {
	redirect, origin := "https://app.example.com/callback", "https://app.example.com"
	if len(c.RedirectURIs) > 0 {
		redirect = c.RedirectURIs[0]
		if u, err := url.Parse(redirect); err == nil && u.Host != "" {
			origin = u.Scheme + "://" + u.Host
		}
	}
	shown := key.Reveal()
	if shown == "" {
		shown = keyHole
	}
	insecure := ""
	if strings.HasPrefix(issuer, "http://") { // openid-client refuses plain http unless told
		insecure = "\n  undefined,\n  { execute: [client.allowInsecureRequests] }, // only for http on your own machine"
	}
	return strings.NewReplacer(
		"{insecure}", insecure, "{issuer}", issuer, "{client}", string(c.ID), "{secret}", shown, "{redirect}", redirect, "{origin}", origin,
		"{scopes}", strings.Join(c.Scopes, " "), "{cookie}", secret.Token("").Reveal(),
	)
}

type recipe struct {
	id, stack, file string
	fits            func(c provider.Client) bool
	text            string
}

func forPeople(c provider.Client) bool     { return c.Type != provider.Machine }
func onServer(c provider.Client) bool      { return c.Type == provider.Web }
func inBrowser(c provider.Client) bool     { return c.Type == provider.SPA }
func forMachines(c provider.Client) bool   { return c.Type == provider.Machine }
func withoutPeople(c provider.Client) bool { return forMachines(c) || c.MayIntrospect }

var recipes = []recipe{
	{"env", "Environment", ".env", forPeople, `
OIDC_ISSUER={issuer}
OIDC_CLIENT_ID={client}
OIDC_CLIENT_SECRET={secret}
OIDC_REDIRECT_URI={redirect}
`},
	{"authjs", "Next.js with Auth.js", "auth.ts", onServer, `
import NextAuth from "next-auth"

// The redirect URI to register is {origin}/api/auth/callback/idp
export const { handlers, auth, signIn, signOut } = NextAuth({
  providers: [{
    id: "idp",
    name: "Single sign-on",
    type: "oidc",
    issuer: "{issuer}",
    clientId: "{client}",
    clientSecret: "{secret}",
    checks: ["pkce", "state"],
  }],
})
`},
	{"node", "Node with openid-client", "auth.mjs", onServer, `
import * as client from "openid-client"

const config = await client.discovery(
  new URL("{issuer}"),
  "{client}",
  "{secret}",{insecure}
)

const verifier = client.randomPKCECodeVerifier()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: "{redirect}",
  scope: "openid profile email",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
})
// Keep the verifier in the session, send the browser to url, and at the redirect URI:
// const tokens = await client.authorizationCodeGrant(config, currentUrl, { pkceCodeVerifier: verifier })
`},
	{"express", "Express with express-openid-connect", "app.mjs", onServer, `
import { auth, requiresAuth } from "express-openid-connect"

// The redirect URI to register is {origin}/callback
app.use(auth({
  issuerBaseURL: "{issuer}",
  baseURL: "{origin}",
  clientID: "{client}",
  clientSecret: "{secret}",
  secret: "{cookie}", // of its own cookies
  authorizationParams: { response_type: "code", scope: "openid profile email" },
  authRequired: false,
  idpLogout: true,
}))
app.get("/private", requiresAuth(), async (req, res) => res.send(await req.oidc.fetchUserInfo()))
`},
	{"passport", "Express with passport-openidconnect", "app.mjs", onServer, `
import OpenIDConnectStrategy from "passport-openidconnect"

passport.use(new OpenIDConnectStrategy({
  issuer: "{issuer}",
  authorizationURL: "{issuer}/oauth2/authorize",
  tokenURL: "{issuer}/oauth2/token",
  userInfoURL: "{issuer}/oauth2/userinfo",
  clientID: "{client}",
  clientSecret: "{secret}",
  callbackURL: "{redirect}",
  scope: ["profile", "email"],
  nonce: true,
  skipUserProfile: false,
}, (issuer, profile, done) => done(null, profile)))
`},
	{"go", "Go with go-oidc", "auth.go", onServer, `
provider, err := oidc.NewProvider(ctx, "{issuer}")
if err != nil {
	return err
}
config := oauth2.Config{
	ClientID:     "{client}",
	ClientSecret: "{secret}",
	Endpoint:     provider.Endpoint(),
	RedirectURL:  "{redirect}",
	Scopes:       []string{oidc.ScopeOpenID, "profile", "email"},
}
verifier := oauth2.GenerateVerifier()
url := config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier))
// At the redirect URI:
// token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
`},
	{"authlib", "Python with Authlib", "app.py", onServer, `
from authlib.integrations.flask_client import OAuth

oauth = OAuth(app)
oauth.register(
    name="idp",
    server_metadata_url="{issuer}/.well-known/openid-configuration",
    client_id="{client}",
    client_secret="{secret}",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)
`},
	{"spring", "Spring Boot", "application.yaml", onServer, `
# The redirect URI to register is {origin}/login/oauth2/code/idp
spring:
  security:
    oauth2:
      client:
        registration:
          idp:
            client-id: {client}
            client-secret: {secret}
            scope: openid,profile,email
        provider:
          idp:
            issuer-uri: {issuer}
`},
	{"proxy", "oauth2-proxy", "oauth2-proxy.cfg", onServer, `
# The redirect URI to register is {origin}/oauth2/callback
provider = "oidc"
oidc_issuer_url = "{issuer}"
client_id = "{client}"
client_secret = "{secret}"
redirect_url = "{origin}/oauth2/callback"
scope = "openid profile email"
code_challenge_method = "S256"
cookie_secret = "{cookie}"
email_domains = ["*"]
`},
	{"apache", "Apache with mod_auth_openidc", "site.conf", onServer, `
# The redirect URI to register is {origin}/private/redirect_uri
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client}
OIDCClientSecret {secret}
OIDCRedirectURI {origin}/private/redirect_uri
OIDCCryptoPassphrase {cookie}
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email

<Location /private>
	AuthType openid-connect
	Require valid-user
</Location>
`},
	{"oidc-client-ts", "Browser with oidc-client-ts", "auth.ts", inBrowser, `
import { UserManager } from "oidc-client-ts"

export const users = new UserManager({
  authority: "{issuer}",
  client_id: "{client}",
  redirect_uri: "{redirect}",
  scope: "openid profile email",
})
// await users.signinRedirect(); at the redirect URI: await users.signinRedirectCallback()
`},
	{"curl", "curl", "a token for the machine itself", forMachines, `
curl -u '{client}:{secret}' \
  -d grant_type=client_credentials \
  {issuer}/oauth2/token
`},
	{"introspect", "curl", "check a token", withoutPeople, `
curl -u '{client}:{secret}' \
  -d "token=$TOKEN" \
  {issuer}/oauth2/introspect
`},
	{"discovery", "curl", "see that it answers", forPeople, `
curl {issuer}/.well-known/openid-configuration
`},
}
