package doctor_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/token"
	"idp/token/doctor"
)

// presetsOf are the templates that are right for a target.
func presetsOf(target string) []string {
	if target == "hasura" {
		return []string{"hasura", "hasura-v3"}
	}
	return []string{target}
}

func TestEveryPresetIsRightForItsTarget(t *testing.T) {
	c := newClinic(t)
	warned := map[string]string{"supabase": "sub", "supabase-legacy": "sub", "nhost": "x-hasura-user-id"} // what wants UUIDs
	for _, target := range doctor.Targets() {
		for _, preset := range presetsOf(target) {
			x := right(t, preset)
			r := c.examine(t, target, &x, doctor.Example(c.clock.Now()))
			if !r.OK() {
				t.Errorf("%s: %v", preset, of(r, doctor.Failure))
			}
			for _, w := range of(r, doctor.Warning) {
				if check, _, _ := strings.Cut(w, ": "); check != warned[target] {
					t.Errorf("%s warns of %s", preset, w)
				}
			}
			if !says(t, r, doctor.Fine, "signature", "verifies") || len(r.Source) == 0 || len(r.Snippets) == 0 || r.Size.Bytes == 0 {
				t.Errorf("%s: %+v", preset, r)
			}
			for _, s := range r.Snippets {
				if s.Where == "" || strings.Contains(s.Text, "%!") {
					t.Errorf("%s: %q", preset, s)
				}
			}
			out, err := json.Marshal(r)
			if err != nil || strings.Contains(string(out), sharedSecret) || strings.Contains(string(out), "eyJ") {
				t.Errorf("%s tells a secret, or a token that is good: %s, %v", preset, out, err)
			}
		}
	}
}

func TestWrongTemplatesAreFoundOut(t *testing.T) {
	c := newClinic(t)
	claims := func(text string) func(*token.Template, *token.Subject) {
		return func(x *token.Template, _ *token.Subject) { x.Claims = json.RawMessage(text) }
	}
	hasura := func(members string) func(*token.Template, *token.Subject) {
		return claims(`{"https://hasura.io/jwt/claims":{` + members + `}}`)
	}
	algorithm := func(name string) func(*token.Template, *token.Subject) {
		return func(x *token.Template, _ *token.Subject) { x.Algorithm = name }
	}
	audience := func(list ...string) func(*token.Template, *token.Subject) {
		return func(x *token.Template, _ *token.Subject) { x.Audience = list }
	}
	lifetime := func(s token.Seconds) func(*token.Template, *token.Subject) {
		return func(x *token.Template, _ *token.Subject) { x.Lifetime = s }
	}
	owned := func(x *token.Template, _ *token.Subject) {
		x.Key.Material, x.Algorithm = secret.NewString(sharedSecret), "HS256"
	}
	ours := func(x *token.Template, _ *token.Subject) { x.Key, x.Algorithm = token.CustomKey{}, token.ES256 }
	for _, w := range []struct {
		why, target string
		wrong       func(*token.Template, *token.Subject)
		result      doctor.Result
		check, says string
	}{
		{"no role", "supabase", claims(`{}`), doctor.Failure, "role", "no role"},
		{"role null for this person", "supabase", claims(`{"role":"{{user.public_metadata.none}}"}`), doctor.Failure, "role", "no role"},
		{"role a number", "supabase", claims(`{"role":7}`), doctor.Failure, "role", "not a text"},
		{"role a list", "supabase", claims(`{"role":"{{user.roles}}"}`), doctor.Failure, "role", "not a text"},
		{"role by the person", "supabase", claims(`{"role":"{{user.own_metadata.theme}}"}`), doctor.Failure, "role", "wrote it"},
		{"role by the person, as a fallback", "supabase", claims(`{"role":"{{user.own_metadata.role || 'authenticated'}}"}`), doctor.Failure, "role", "wrote it"},
		{"role above all policies", "supabase", claims(`{"role":"service_role"}`), doctor.Failure, "role", "may do anything"},
		{"a shared secret", "supabase", owned, doctor.Failure, "alg", "does not take HS256"},
		{"a key that nobody published", "supabase", owned, doctor.Failure, "key", "template's own key"},
		{"for nobody", "supabase", func(x *token.Template, s *token.Subject) { algorithm("RS256")(x, s); x.Audience = nil }, doctor.Warning, "aud", "nobody in particular"},
		{"a day", "supabase", lifetime(86400), doctor.Warning, "exp", "24 h"},
		{"a clock that is late", "supabase", func(x *token.Template, _ *token.Subject) { x.Skew = 0 }, doctor.Warning, "nbf", "late"},
		{"heavy", "supabase", func(_ *token.Template, s *token.Subject) {
			s.User.Metadata.Public = json.RawMessage(`{"x":"` + strings.Repeat("x", 2000) + `"}`)
		}, doctor.Warning, "size", "every request"},
		{"too heavy for a cookie", "supabase", func(_ *token.Template, s *token.Subject) {
			s.User.Metadata.Public = json.RawMessage(`{"x":"` + strings.Repeat("x", 3000) + `"}`)
		}, doctor.Warning, "size", "cookie"},
		{"too heavy", "supabase", func(_ *token.Template, s *token.Subject) {
			s.User.Metadata.Public = json.RawMessage(`{"x":"` + strings.Repeat("x", 7000) + `"}`)
		}, doctor.Failure, "size", "refused"},
		{"more than can be filled", "supabase", func(x *token.Template, s *token.Subject) {
			s.User.Metadata.Public = json.RawMessage(`{"x":"` + strings.Repeat("x", 7000) + `"}`)
			x.Claims = json.RawMessage(`{"role":"authenticated","a":"{{user.public_metadata}}","b":"{{user.public_metadata}}"}`)
		}, doctor.Failure, "mint", "8 KB"},
		{"claims that do not compile", "supabase", claims(`{"role":"{{user.roel}}"}`), doctor.Failure, "template", "column 12"},

		{"the issuer's key", "supabase-legacy", ours, doctor.Failure, "key", "issuer's key signed"},
		{"the issuer's algorithm", "supabase-legacy", ours, doctor.Failure, "alg", "does not take ES256"},
		{"a longer hash", "supabase-legacy", func(x *token.Template, _ *token.Subject) {
			x.Key.Material, x.Algorithm = secret.NewString(sharedSecret+sharedSecret), "HS512"
		}, doctor.Failure, "alg", "does not take HS512"},
		{"another audience", "supabase-legacy", audience("acme"), doctor.Failure, "aud", "acme"},
		{"no audience", "supabase-legacy", audience(), doctor.Failure, "aud", ""},
		{"the secret of the examples", "supabase-legacy", func(x *token.Template, _ *token.Subject) {
			x.Key.Material = secret.NewString("your-super-secret-jwt-token-with-at-least-32-characters-long")
		}, doctor.Failure, "key", "everybody knows"},
		{"no role", "supabase-legacy", claims(`{}`), doctor.Failure, "role", "no role"},

		{"no audience", "convex", audience(), doctor.Failure, "aud", "has none"},
		{"two audiences", "convex", audience("convex", "acme"), doctor.Failure, "aud", "several"},
		{"a shared secret", "convex", owned, doctor.Failure, "alg", "does not take HS256"},

		{"no namespace", "hasura", claims(`{"x-hasura-default-role":"user"}`), doctor.Failure, "namespace", "no member"},
		{"a namespace in quotes", "hasura", claims(`{"https://hasura.io/jwt/claims":"{\"x-hasura-default-role\":\"user\"}"}`), doctor.Failure, "namespace", "not an object"},
		{"no default role", "hasura", hasura(`"x-hasura-allowed-roles":["user"]`), doctor.Failure, "x-hasura-default-role", "not there"},
		{"admin", "hasura", hasura(`"x-hasura-default-role":"admin","x-hasura-allowed-roles":["admin"]`), doctor.Failure, "x-hasura-default-role", "may do anything"},
		{"admin allowed", "hasura", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":["user","admin"]`), doctor.Failure, "x-hasura-allowed-roles", "may do anything"},
		{"a role by the person", "hasura", hasura(`"x-hasura-default-role":"{{user.own_metadata.theme}}","x-hasura-allowed-roles":["dark"]`), doctor.Failure, "x-hasura-default-role", "wrote it"},
		{"roles by the person", "hasura", func(x *token.Template, s *token.Subject) {
			s.User.Metadata.Own = json.RawMessage(`{"roles":["user"]}`)
			hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":"{{user.own_metadata.roles}}"`)(x, s)
		}, doctor.Failure, "x-hasura-allowed-roles", "wrote it"},
		{"allowed roles as text", "hasura", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":"user"`), doctor.Failure, "x-hasura-allowed-roles", "not a list"},
		{"allowed roles of numbers", "hasura", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":[1]`), doctor.Failure, "x-hasura-allowed-roles", "not a list"},
		{"a default that is not allowed", "hasura", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":["editor"]`), doctor.Failure, "x-hasura-allowed-roles", "not among them"},
		{"a number", "hasura", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":["user"],"x-hasura-level":3`), doctor.Failure, "x-hasura-level", "texts"},
		{"a list", "hasura", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":["user"],"x-hasura-groups":"{{user.groups}}"`), doctor.Failure, "x-hasura-groups", "texts"},
		{"null", "hasura", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":["user"],"x-hasura-team":"{{user.public_metadata.none}}"`), doctor.Warning, "x-hasura-team", "nothing for it"},
		{"another name", "hasura", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":["user"],"X-Hasura-Team":"red"`), doctor.Warning, "X-Hasura-Team", "small letters"},
		{"nobody's", "hasura", audience(), doctor.Warning, "aud", "nobody in particular"},
		{"PSS", "hasura", func(x *token.Template, s *token.Subject) { algorithm("PS256")(x, s) }, doctor.Failure, "mint", ""},

		{"no person", "nhost", hasura(`"x-hasura-default-role":"user","x-hasura-allowed-roles":["user"]`), doctor.Failure, "x-hasura-user-id", "not there"},
		{"the namespace of Hasura 3", "nhost", claims(`{"claims.jwt.hasura.io":{"x-hasura-default-role":"user","x-hasura-allowed-roles":["user"]}}`), doctor.Failure, "namespace", "no member"},

		{"the issuer's key", "firebase", func(x *token.Template, s *token.Subject) { ours(x, s); x.Claims = json.RawMessage(`{"uid":"a"}`) }, doctor.Failure, "key", "issuer's key signed"},
		{"the issuer as it is", "firebase", claims(`{"uid":"a"}`), doctor.Failure, "iss", "address of the service account"},
		{"somebody as sub", "firebase", claims(`{"iss":"a@b.iam.gserviceaccount.com","sub":"{{user.id}}","uid":"a"}`), doctor.Failure, "iss", "both"},
		{"another kind of address", "firebase", claims(`{"iss":"a@example.com","sub":"a@example.com","uid":"a"}`), doctor.Warning, "iss", "does not look like"},
		{"no uid", "firebase", claims(`{"iss":"a@b.iam.gserviceaccount.com","sub":"a@b.iam.gserviceaccount.com"}`), doctor.Failure, "uid", "not a text"},
		{"a uid by the person", "firebase", claims(`{"iss":"a@b.iam.gserviceaccount.com","sub":"a@b.iam.gserviceaccount.com","uid":"{{user.nickname || user.name}}"}`), doctor.Failure, "uid", "wrote it"},
		{"two hours", "firebase", lifetime(7200), doctor.Failure, "exp", "hour at most"},
		{"another audience", "firebase", audience("firebase"), doctor.Failure, "aud", "firebase"},
		{"a name that Firebase keeps", "firebase", claims(`{"iss":"a@b.iam.gserviceaccount.com","sub":"a@b.iam.gserviceaccount.com","uid":"a","claims":{"firebase":1}}`), doctor.Failure, "claims", "refuses firebase"},
		{"claims that are no object", "firebase", claims(`{"iss":"a@b.iam.gserviceaccount.com","sub":"a@b.iam.gserviceaccount.com","uid":"a","claims":"x"}`), doctor.Failure, "claims", "not an object"},
		{"claims that are too long", "firebase", claims(`{"iss":"a@b.iam.gserviceaccount.com","sub":"a@b.iam.gserviceaccount.com","uid":"a","claims":{"x":"` + strings.Repeat("x", 1000) + `"}}`), doctor.Failure, "claims", "longer"},

		{"no address in the claims", "instantdb", claims(`{}`), doctor.Failure, "email", "has none"},
		{"nobody's address", "instantdb", func(_ *token.Template, s *token.Subject) { s.Email = identity.Holding{} }, doctor.Failure, "email", "has none"},
		{"an unproven address", "instantdb", func(_ *token.Template, s *token.Subject) { s.Email.VerifiedAt = time.Time{} }, doctor.Failure, "email", "not verified"},
		{"verified as text", "instantdb", claims(`{"email":"{{user.primary_email_address}}","email_verified":" {{user.email_verified}}"}`), doctor.Failure, "email", "true or false"},
		{"verified not told", "instantdb", claims(`{"email":"{{user.primary_email_address}}"}`), doctor.Failure, "email", "true or false"},

		{"no audience", "kubernetes", audience(), doctor.Failure, "aud", "has none"},
		{"groups as text", "kubernetes", claims(`{"groups":"staff"}`), doctor.Failure, "groups", "not a list"},
		{"groups by the person", "kubernetes", func(x *token.Template, s *token.Subject) {
			s.User.Metadata.Own = json.RawMessage(`{"g":["staff"]}`)
			x.Claims = json.RawMessage(`{"groups":"{{user.own_metadata.g}}"}`)
		}, doctor.Failure, "groups", "wrote it"},
		{"no groups", "kubernetes", claims(`{}`), doctor.Warning, "groups", "no groups"},
		{"groups of the cluster", "kubernetes", func(_ *token.Template, s *token.Subject) { s.User.Groups = []string{"system:masters"} }, doctor.Warning, "groups", "system:"},
		{"an unproven address", "kubernetes", func(_ *token.Template, s *token.Subject) { s.Email.VerifiedAt = time.Time{} }, doctor.Warning, "email", "refuses an address"},

		{"no role", "postgrest", claims(`{}`), doctor.Failure, "role", "no role"},
		{"the role of the pool", "postgrest", claims(`{"role":"authenticator"}`), doctor.Failure, "role", "may do anything"},
		{"the superuser", "postgrest", claims(`{"role":"postgres"}`), doctor.Failure, "role", "may do anything"},
	} {
		x, s := right(t, w.target), doctor.Example(c.clock.Now())
		w.wrong(&x, &s)
		r := c.examine(t, w.target, &x, s)
		if !says(t, r, w.result, w.check, w.says) {
			t.Errorf("%s, %s: no %s of %s that says %q; failures %v, warnings %v", w.target, w.why, w.result, w.check, w.says, of(r, doctor.Failure), of(r, doctor.Warning))
		}
		if (w.result == doctor.Failure) == r.OK() {
			t.Errorf("%s, %s: OK is %t: %v", w.target, w.why, r.OK(), of(r, doctor.Failure))
		}
	}
}

func TestWhatIsWrongWithTheIssuerIsFoundOut(t *testing.T) {
	for _, w := range []struct {
		why, target string
		wrong       func(*clinic)
		check, says string
		result      doctor.Result
	}{
		{"a slash in discovery", "supabase", func(c *clinic) { c.discovery["issuer"] = c.Issuer + "/" }, "discovery", "differ by a slash", doctor.Failure},
		{"another issuer", "supabase", func(c *clinic) { c.discovery["issuer"] = "https://other.example.com" }, "discovery", "other.example.com", doctor.Failure},
		{"the configuration has a slash", "convex", func(c *clinic) { c.Doctor.Issuer += "/" }, "iss", "and the issuer is", doctor.Failure},
		{"no keys named", "supabase", func(c *clinic) { delete(c.discovery, "jwks_uri") }, "jwks", "no jwks_uri", doctor.Failure},
		{"keys elsewhere", "supabase", func(c *clinic) { c.discovery["jwks_uri"] = c.Issuer + "/nowhere" }, "jwks", "404", doctor.Failure},
		{"no keys", "supabase", func(c *clinic) { c.jwks = []byte(`{"keys":[]}`) }, "jwks", "no keys", doctor.Failure},
		{"a page in place of keys", "supabase", func(c *clinic) { c.jwks = []byte(`<html>`) }, "jwks", "no keys", doctor.Failure},
		{"a private key among them", "supabase", func(c *clinic) {
			c.jwks = []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"x","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`)
		}, "jwks", "private key", doctor.Failure},
		{"keys of another instance", "supabase", func(c *clinic) {
			c.jwks = []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"x","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
		}, "kid", "not among the published", doctor.Failure},
		{"keys that nobody may keep", "hasura", func(c *clinic) { c.cache = "no-store" }, "cache", "no-store", doctor.Warning},
		{"keys without a term", "hasura", func(c *clinic) { c.cache = "" }, "cache", "", doctor.Warning},
		{"nobody answers", "supabase", func(c *clinic) { c.Doctor.Issuer = "https://example.com:1" }, "discovery", "cannot be fetched", doctor.Failure},
		{"only at home", "supabase", func(c *clinic) { c.Doctor.Issuer = "http://localhost:8080" }, "issuer", "cannot be reached", doctor.Failure},
		{"in the clear", "convex", func(c *clinic) { c.Doctor.Issuer = "http://id.example.com" }, "issuer", "cannot be reached", doctor.Failure},
		{"in the clear", "kubernetes", func(c *clinic) { c.Doctor.Issuer = "http://10.0.0.1" }, "issuer", "https", doctor.Failure},
		{"at home, for what may be at home too", "hasura", func(c *clinic) { c.Doctor.Issuer = "http://127.0.0.1:1" }, "issuer", "this machine", doctor.Warning},
		{"an algorithm that discovery does not name", "instantdb", func(c *clinic) { c.discovery["id_token_signing_alg_values_supported"] = []string{"RS256"} }, "discovery", "none of them", doctor.Failure},
	} {
		c := newClinic(t)
		w.wrong(c)
		x := right(t, w.target)
		r := c.examine(t, w.target, &x, doctor.Example(c.clock.Now()))
		if !says(t, r, w.result, w.check, w.says) {
			t.Errorf("%s, %s: %v %v", w.target, w.why, of(r, doctor.Failure), of(r, doctor.Warning))
		}
	}
}

func TestAKeyThatIsPublishedUnderAnotherNameDoesNotVerify(t *testing.T) {
	c := newClinic(t)
	var kid string
	for _, k := range c.keys.Keys() {
		if k.Purpose == token.Session && k.Algorithm == token.ES256 {
			kid = k.ID
		}
	}
	c.jwks = []byte(`{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","kid":"` + kid + `","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`)
	x := right(t, "convex")
	if r := c.examine(t, "convex", &x, doctor.Example(c.clock.Now())); !says(t, r, doctor.Failure, "signature", "does not verify") {
		t.Errorf("%v", of(r, doctor.Failure))
	}
}

func TestWithoutATemplateThePresetIsExamined(t *testing.T) {
	c := newClinic(t)
	for _, target := range doctor.Targets() {
		r := c.examine(t, target, nil, doctor.Example(c.clock.Now()))
		brings := slices.Contains([]string{"supabase-legacy", "firebase"}, target)
		if r.OK() == brings {
			t.Errorf("%s: OK is %t: %v", target, r.OK(), of(r, doctor.Failure))
		}
		want := doctor.Warning
		if brings {
			want = doctor.Failure
		}
		if i := slices.IndexFunc(r.Findings, func(f doctor.Finding) bool { return f.Check == "template" }); i < 0 ||
			r.Findings[i].Result != want || !strings.Contains(r.Findings[i].Do, "idp template create --preset "+target) {
			t.Errorf("%s: %+v", target, r.Findings)
		}
	}
	if _, err := c.Examine(t.Context(), "nowhere", nil, token.Subject{}); !problem.HasCode(err, "target_unknown") {
		t.Errorf("an unknown target: %v", err)
	}
}

func TestSnippetsSayWhatIsThere(t *testing.T) {
	c := newClinic(t)
	for _, w := range []struct {
		target string
		change func(*token.Template)
		holds  []string
	}{
		{"supabase", nil, []string{`"oidc_issuer_url": "` + c.Issuer + `"`, `template: "supabase"`, "auth.jwt()->>'sub'"}},
		{"convex", nil, []string{`type: "customJwt"`, `issuer: "` + c.Issuer + `"`, `jwks: "` + c.Issuer + `/.well-known/jwks.json"`, `algorithm: "ES256"`, `applicationID: "convex"`}},
		{"convex", func(x *token.Template) { x.Algorithm = token.RS256 }, []string{`domain: "` + c.Issuer + `"`}},
		{"hasura", nil, []string{`"jwk_url": "` + c.Issuer + `/.well-known/jwks.json"`, `"issuer": "` + c.Issuer + `"`, `"audience": "hasura"`}},
		{"hasura", func(x *token.Template) { *x = right(t, "hasura-v3") }, []string{"kind: AuthConfig", "location: /claims.jwt.hasura.io", `audience: ["hasura"]`}},
		{"nhost", nil, []string{"[[hasura.jwtSecrets]]", `jwk_url = "` + c.Issuer}},
		{"firebase", nil, []string{"signInWithCustomToken", `template: "firebase"`}},
		{"instantdb", nil, []string{"--type clerk", "pk_live_", "signInWithIdToken"}},
		{"kubernetes", nil, []string{"kind: AuthenticationConfiguration", `url: "` + c.Issuer + `"`, `audiences: ["kubernetes"]`}},
		{"postgrest", nil, []string{`jwt-secret = "@/etc/postgrest/jwks.json"`, `jwt-aud = "postgrest"`, `create role "web_user"`}},
		{"supabase-legacy", nil, []string{"JWT_SECRET="}},
	} {
		x := right(t, w.target)
		if w.change != nil {
			w.change(&x)
		}
		r := c.examine(t, w.target, &x, doctor.Example(c.clock.Now()))
		var all strings.Builder
		for _, s := range r.Snippets {
			all.WriteString(s.Text + "\n")
		}
		for _, want := range w.holds {
			if !strings.Contains(all.String(), want) {
				t.Errorf("%s: %q is missing in\n%s", w.target, want, all.String())
			}
		}
	}
}
