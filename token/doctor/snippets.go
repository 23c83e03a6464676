package doctor

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"idp/token"
)

// inApp is how an app asks for the token.
func (x *exam) inApp() string {
	return fmt.Sprintf("idp.getToken({ template: %s })", quoted(x.report.Template))
}

func (x *exam) firstAudience() string {
	if aud := x.audience(); len(aud) > 0 {
		return aud[0]
	}
	return ""
}

// quoted is a text as JavaScript, JSON, TOML and YAML all read it.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(text)
}

// pretty is JSON in lines.
func pretty(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func supabase(x *exam) []Snippet {
	return []Snippet{
		{"In the dashboard: Authentication, Third-Party Auth, Add provider, Custom OIDC. Or by the Management API", fmt.Sprintf(
			`curl -X POST https://api.supabase.com/v1/projects/$PROJECT_REF/config/auth/third-party-auth \
  -H "Authorization: Bearer $SUPABASE_ACCESS_TOKEN" -H "Content-Type: application/json" \
  -d '{"oidc_issuer_url": %s}'`, quoted(x.issuer))},
		{"In the app", x.supabaseClient()},
		{"A policy", supabasePolicy},
	}
}

func (x *exam) supabaseClient() string {
	return fmt.Sprintf(`const supabase = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, {
  accessToken: () => %s,
})`, x.inApp())
}

const supabasePolicy = `create policy "own rows" on todos for all to authenticated
  using ((select auth.jwt()->>'sub') = user_id)
  with check ((select auth.jwt()->>'sub') = user_id);`

func supabaseLegacy(x *exam) []Snippet {
	return []Snippet{
		{"For a self-hosted instance: the template's secret in .env", "JWT_SECRET=the-secret-of-this-template"},
		{"In the app", x.supabaseClient()},
		{"A policy", supabasePolicy},
	}
}

func convex(x *exam) []Snippet {
	provider := fmt.Sprintf(`    {
      type: "customJwt",
      applicationID: %s,
      issuer: %s,
      jwks: %s,
      algorithm: %s,
    },`, quoted(x.firstAudience()), quoted(x.issuer), quoted(x.report.JWKS), quoted(x.header.Algorithm))
	if x.header.Algorithm == token.RS256 {
		provider = fmt.Sprintf(`    { domain: %s, applicationID: %s },`, quoted(x.issuer), quoted(x.firstAudience()))
	}
	return []Snippet{
		{"convex/auth.config.ts", "export default {\n  providers: [\n" + provider + "\n  ],\n};"},
		{"In the app", fmt.Sprintf("convex.setAuth(({ forceRefreshToken }) =>\n  idp.getToken({ template: %s, fresh: forceRefreshToken }))", quoted(x.report.Template))},
	}
}

func hasura(x *exam) []Snippet {
	if _, third := x.claims[token.HasuraClaims3]; third {
		return []Snippet{{"globals/metadata/auth-config.hml", fmt.Sprintf(`kind: AuthConfig
version: v3
definition:
  mode:
    jwt:
      claimsConfig:
        namespace:
          claimsFormat: Json
          location: /claims.jwt.hasura.io
      tokenLocation:
        type: BearerAuthorization
      key:
        jwkFromUrl: %s
      issuer: %s
      audience: [%s]
      allowedSkew: 10`, quoted(x.report.JWKS), quoted(x.issuer), quoted(x.firstAudience()))}}
	}
	return []Snippet{{"HASURA_GRAPHQL_JWT_SECRET", x.jwtSecret()}}
}

// jwtSecret is what Hasura 2 is told of an issuer.
func (x *exam) jwtSecret() string {
	return pretty(struct {
		JWKS      string `json:"jwk_url"`
		Namespace string `json:"claims_namespace"`
		Issuer    string `json:"issuer"`
		Audience  string `json:"audience,omitempty"`
		Skew      int    `json:"allowed_skew"`
	}{x.report.JWKS, token.HasuraClaims, x.issuer, x.firstAudience(), leeway})
}

func nhost(x *exam) []Snippet {
	text := fmt.Sprintf("[[hasura.jwtSecrets]]\njwk_url = %s\nissuer = %s\nallowed_skew = %d", quoted(x.report.JWKS), quoted(x.issuer), leeway)
	if aud := x.firstAudience(); aud != "" {
		text += "\naudience = " + quoted(aud)
	}
	return []Snippet{{"nhost/nhost.toml", text}}
}

func firebase(x *exam) []Snippet {
	return []Snippet{
		{"In the app", fmt.Sprintf(`import { getAuth, signInWithCustomToken } from "firebase/auth";

await signInWithCustomToken(getAuth(), await %s);`, x.inApp())},
	}
}

// instantDB registers the issuer as a client of type clerk: what InstantDB reads of its key is
// the host that discovery is at.
func instantDB(x *exam) []Snippet {
	host := strings.TrimPrefix(x.issuer, "https://")
	if u, err := url.Parse(x.issuer); err == nil && u.Host != "" {
		host = u.Host
	}
	key := "pk_live_" + base64.StdEncoding.EncodeToString([]byte(host+"$"))
	return []Snippet{
		{"In a terminal", "npx instant-cli@latest auth client add --type clerk --name idp --publishable-key " + key},
		{"In the app", fmt.Sprintf(`await db.auth.signInWithIdToken({
  clientName: "idp",
  idToken: await %s,
});`, x.inApp())},
	}
}

func postgREST(x *exam) []Snippet {
	text := `jwt-secret = "@/etc/postgrest/jwks.json"`
	if aud := x.firstAudience(); aud != "" {
		text += "\njwt-aud = " + quoted(aud)
	}
	role, _ := x.claims["role"].(string)
	return []Snippet{
		{"Every hour, and at once after a rotation in a hurry", fmt.Sprintf(
			"curl -fsS %s -o /etc/postgrest/jwks.json.new &&\n  mv /etc/postgrest/jwks.json.new /etc/postgrest/jwks.json &&\n  killall -SIGUSR2 postgrest", x.report.JWKS)},
		{"postgrest.conf", text},
		{"In the database", fmt.Sprintf(`create role %s nologin;
grant %s to authenticator;

create policy own_rows on todos for all to %s
  using (user_id = current_setting('request.jwt.claims', true)::json->>'sub');`, identifier(role), identifier(role), identifier(role))},
	}
}

// identifier is a name in SQL.
func identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func kubernetes(x *exam) []Snippet {
	return []Snippet{
		{"kube-apiserver --authentication-config=auth.yaml", fmt.Sprintf(`apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
  - issuer:
      url: %s
      audiences: [%s]
    claimMappings:
      username: { claim: sub, prefix: "idp:" }
      groups: { claim: groups, prefix: "idp:" }`, quoted(x.issuer), quoted(x.firstAudience()))},
		{"Give a group something to do", "kubectl create clusterrolebinding idp-staff --clusterrole=view --group=idp:staff"},
	}
}
