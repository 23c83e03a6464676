package token

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"idp/internal/problem"
)

// Preset is a template to begin with: what one target wants to read.
type Preset struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Source []string `json:"source"` // the documents that say so
	Needs  []Need   `json:"needs"`  // what the operator fills in
	Key    string   `json:"key"`    // algorithm of the signing key the operator brings, "" where the issuer's signs
	Says   string   `json:"says"`   // what is worth knowing before

	claims   string
	audience []string
	lifetime Seconds
}

// Need is a value that a preset leaves to the operator.
type Need struct {
	Name      string `json:"name"`
	Says      string `json:"says"`
	Example   string `json:"example"`
	Otherwise string `json:"default"` // what stands if nobody says, "" if somebody has to
}

var (
	// HasuraClaims is the namespace of Hasura 2 and Nhost, HasuraClaims3 that of Hasura 3.
	HasuraClaims, HasuraClaims3 = "https://hasura.io/jwt/claims", "claims.jwt.hasura.io"

	// FirebaseAudience is the aud of custom tokens of Firebase.
	FirebaseAudience = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"
)

// presets are in the order to show them in. <name> stands for what a Need brings.
var presets = []Preset{
	{
		Name: "supabase", Title: "Supabase",
		Source: []string{"https://supabase.com/docs/guides/auth/third-party/custom-oidc", "https://supabase.com/docs/guides/auth/third-party/overview"},
		Needs:  []Need{{"role", "the role in PostgreSQL that queries run as", "authenticated", "authenticated"}},
		Says:   "Supabase fetches the issuer's public keys and caches them for up to 30 minutes. Policies read auth.jwt()->>'sub': auth.uid() wants a UUID, which ids here are not.",
		claims: `{
  "role": "<role>",
  "email": "{{user.primary_email_address}}",
  "email_verified": "{{user.email_verified}}",
  "app_metadata": "{{user.public_metadata}}"
}`,
		audience: []string{"authenticated"},
	},
	{
		Name: "supabase-legacy", Title: "Supabase with its JWT secret", Key: "HS256",
		Source: []string{"https://supabase.com/docs/guides/auth/jwts", "https://supabase.com/docs/guides/self-hosting/docker"},
		Needs:  []Need{{"role", "the role in PostgreSQL that queries run as", "authenticated", "authenticated"}},
		Says:   "For projects and self-hosted instances that still verify by one shared secret. Whoever has that secret can be anybody there: prefer supabase.",
		claims: `{
  "role": "<role>",
  "email": "{{user.primary_email_address}}",
  "app_metadata": "{{user.public_metadata}}"
}`,
		audience: []string{"authenticated"},
	},
	{
		Name: "convex", Title: "Convex",
		Source: []string{"https://docs.convex.dev/auth/advanced/custom-jwt", "https://docs.convex.dev/auth/advanced/custom-auth"},
		Needs:  []Need{{"application_id", "applicationID in convex/auth.config.ts", "convex", "convex"}},
		Says:   "Convex takes ES256 from a provider of type customJwt, and RS256 from either type.",
		claims: `{
  "name": "{{user.full_name}}",
  "given_name": "{{user.given_name}}",
  "family_name": "{{user.family_name}}",
  "picture": "{{user.picture}}",
  "email": "{{user.primary_email_address}}",
  "email_verified": "{{user.email_verified}}"
}`,
		audience: []string{"<application_id>"},
	},
	{
		Name: "hasura", Title: "Hasura 2",
		Source: []string{"https://hasura.io/docs/2.0/auth/authentication/jwt/"},
		Needs:  []Need{{"role", "the default role", "user", "user"}},
		Says:   "Everything in the namespace is text, except for the list of allowed roles.",
		claims: `{
  "https://hasura.io/jwt/claims": {
    "x-hasura-default-role": "<role>",
    "x-hasura-allowed-roles": ["<role>"],
    "x-hasura-user-id": "{{user.id}}"
  }
}`,
		audience: []string{"hasura"},
	},
	{
		Name: "hasura-v3", Title: "Hasura 3 (DDN)",
		Source: []string{"https://hasura.io/docs/3.0/auth/jwt/jwt-mode", "https://hasura.io/docs/3.0/auth/jwt/jwt-configuration"},
		Needs:  []Need{{"role", "the default role", "user", "user"}},
		Says:   "The namespace is the one that the location /claims.jwt.hasura.io of an AuthConfig points to.",
		claims: `{
  "claims.jwt.hasura.io": {
    "x-hasura-default-role": "<role>",
    "x-hasura-allowed-roles": ["<role>"],
    "x-hasura-user-id": "{{user.id}}"
  }
}`,
		audience: []string{"hasura"},
	},
	{
		Name: "nhost", Title: "Nhost",
		Source: []string{"https://docs.nhost.io/products/auth/jwt/", "https://hasura.io/docs/2.0/auth/authentication/jwt/"},
		Needs:  []Need{{"role", "the default role", "user", "user"}},
		Says:   "Keys of another issuer take the place of Nhost's own sign-in. Columns that hold people's ids are text: ids here are no UUIDs.",
		claims: `{
  "https://hasura.io/jwt/claims": {
    "x-hasura-default-role": "<role>",
    "x-hasura-allowed-roles": ["<role>", "me"],
    "x-hasura-user-id": "{{user.id}}",
    "x-hasura-user-is-anonymous": "false"
  }
}`,
		audience: []string{"nhost"},
	},
	{
		Name: "firebase", Title: "Firebase", Key: RS256,
		Source:   []string{"https://firebase.google.com/docs/auth/admin/create-custom-tokens"},
		Needs:    []Need{{"service_account", "client_email of the service account whose key signs", "firebase-adminsdk@project.iam.gserviceaccount.com", ""}},
		Says:     "The signing key is the file of a service account. Apps hand the token to signInWithCustomToken once; it lives for an hour at most.",
		lifetime: 300,
		claims: `{
  "iss": "<service_account>",
  "sub": "<service_account>",
  "uid": "{{user.id}}",
  "claims": {
    "name": "{{user.full_name}}",
    "email": "{{user.primary_email_address}}",
    "roles": "{{user.roles}}"
  }
}`,
		audience: []string{FirebaseAudience},
	},
	{
		Name: "instantdb", Title: "InstantDB",
		Source: []string{"https://www.instantdb.com/docs/auth/clerk"},
		Says:   "InstantDB finds people by their address, and takes none that is not verified.",
		claims: `{
  "email": "{{user.primary_email_address}}",
  "email_verified": "{{user.email_verified}}"
}`,
		audience: []string{"instantdb"},
	},
	{
		Name: "kubernetes", Title: "Kubernetes",
		Source:   []string{"https://kubernetes.io/docs/reference/access-authn-authz/authentication/"},
		Needs:    []Need{{"audience", "what stands in audiences of the API server's configuration", "kubernetes", "kubernetes"}},
		Says:     "The API server wants an issuer with https. By --oidc flags it takes RS256 unless --oidc-signing-algs says otherwise; by an AuthenticationConfiguration it takes ES256 as well.",
		lifetime: 600,
		claims: `{
  "email": "{{user.primary_email_address}}",
  "email_verified": "{{user.email_verified}}",
  "groups": "{{user.groups}}"
}`,
		audience: []string{"<audience>"},
	},
	{
		Name: "postgrest", Title: "PostgREST",
		Source: []string{"https://docs.postgrest.org/en/stable/references/auth.html"},
		Needs:  []Need{{"role", "the role in PostgreSQL that queries run as", "web_user", "web_user"}},
		Says:   "PostgREST reads public keys from its configuration, not from a URL: put them there anew when keys rotate.",
		claims: `{
  "role": "<role>",
  "email": "{{user.primary_email_address}}"
}`,
		audience: []string{"postgrest"},
	},
}

// Presets returns all of them, in the order to show them in.
func Presets() []Preset { return slices.Clone(presets) }

// PresetNamed returns a preset, or problem.Invalid on "preset".
func PresetNamed(name string) (Preset, error) {
	all := make([]string, 0, len(presets))
	for _, p := range presets {
		if p.Name == name {
			return p, nil
		}
		all = append(all, p.Name)
	}
	return Preset{}, wrong("preset", "preset_unknown", "There is no such preset. There are "+strings.Join(all, ", ")+".")
}

// Make makes a template of the preset, which is called like it. A value that nothing needs, and one
// that is missing, is problem.Invalid on its name. Where Key is not "", its key is still to be given.
func (p Preset) Make(values map[string]string) (Template, error) {
	t := Template{
		Name: p.Name, Lifetime: DefaultLifetime, Skew: DefaultSkew, Algorithm: ES256, Preset: p.Name, Audience: slices.Clone(p.audience),
	}
	if p.lifetime != 0 {
		t.Lifetime = p.lifetime
	}
	if p.Key != "" {
		t.Algorithm = p.Key
	}
	for name := range values {
		if !slices.ContainsFunc(p.Needs, func(n Need) bool { return n.Name == name }) {
			return t, problem.New(problem.Invalid, "preset_value", fmt.Sprintf("The preset %s has no use for %s.", p.Name, name)).On(name)
		}
	}
	claims := p.claims
	for _, n := range p.Needs {
		value := strings.TrimSpace(values[n.Name])
		if value == "" {
			value = n.Otherwise
		}
		if value == "" {
			return t, problem.New(problem.Invalid, "preset_value", fmt.Sprintf("The preset %s needs %s: %s, like %s.", p.Name, n.Name, n.Says, n.Example)).On(n.Name)
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			return t, fmt.Errorf("preset %s: %w", p.Name, err)
		}
		claims = strings.ReplaceAll(claims, "<"+n.Name+">", string(quoted[1:len(quoted)-1]))
		for i, a := range t.Audience {
			t.Audience[i] = strings.ReplaceAll(a, "<"+n.Name+">", value)
		}
	}
	t.Claims = json.RawMessage(claims)
	return t, nil
}
