package doctor

import "idp/token"

// place is from where a target fetches keys.
type place int

const (
	anywhere place = iota // it may stand beside idp
	hosted                // on the Internet
	secured               // anywhere, but by https alone
	nowhere               // it fetches none
)

// target is what a backend demands of a token.
type target struct {
	name, title string
	preset      string   // whose documents say so, and what to begin with
	algorithms  []string // best first
	own         bool     // it verifies by the template's own key, otherwise by the issuer's
	place       place
	rules       []rule
	snippets    func(x *exam) []Snippet
}

// asymmetric is what current JOSE libraries take.
var asymmetric = []string{token.ES256, token.RS256, "ES384", "ES512", "RS384", "RS512", "PS256", "PS384", "PS512"}

// hasuraTakes is what Hasura takes from a key set.
var hasuraTakes = []string{token.ES256, token.RS256, "ES384", "ES512", "RS384", "RS512", "EdDSA"}

var targets = []target{
	{
		name: "supabase", title: "Supabase", preset: "supabase", algorithms: []string{token.ES256, token.RS256}, place: hosted,
		rules: []rule{
			roleOf("authenticated", "service_role", "postgres", "supabase_admin"), forSomebody,
			uuidSub("auth.uid() wants a UUID, which this is not.", "In policies write (select auth.jwt()->>'sub') in its place, and keep ids in columns of type text."),
		},
		snippets: supabase,
	},
	{
		name: "supabase-legacy", title: "Supabase", preset: "supabase-legacy", algorithms: []string{"HS256"}, own: true, place: nowhere,
		rules: []rule{
			roleOf("authenticated", "service_role", "postgres", "supabase_admin"), forExactly("authenticated"), unknownSecret,
			uuidSub("auth.uid() wants a UUID, which this is not.", "In policies write (select auth.jwt()->>'sub') in its place, and keep ids in columns of type text."),
		},
		snippets: supabaseLegacy,
	},
	{
		name: "convex", title: "Convex", preset: "convex", algorithms: []string{token.ES256, token.RS256}, place: hosted,
		rules: []rule{forOne}, snippets: convex,
	},
	{
		name: "hasura", title: "Hasura", preset: "hasura", algorithms: hasuraTakes,
		rules: []rule{forSomebody, namespace(token.HasuraClaims, token.HasuraClaims3)}, snippets: hasura,
	},
	{
		name: "nhost", title: "Nhost", preset: "nhost", algorithms: hasuraTakes, place: hosted,
		rules: []rule{forSomebody, namespace(token.HasuraClaims), person}, snippets: nhost,
	},
	{
		name: "firebase", title: "Firebase", preset: "firebase", algorithms: []string{token.RS256}, own: true, place: nowhere,
		rules: []rule{forExactly(token.FirebaseAudience), custom}, snippets: firebase,
	},
	{
		name: "instantdb", title: "InstantDB", preset: "instantdb", algorithms: []string{token.ES256, token.RS256}, place: hosted,
		rules: []rule{supported, proven, forSomebody}, snippets: instantDB,
	},
	{
		name: "postgrest", title: "PostgREST", preset: "postgrest", algorithms: asymmetric,
		rules: []rule{roleOf("web_user", "postgres", "authenticator"), forSomebody}, snippets: postgREST,
	},
	{
		name: "kubernetes", title: "Kubernetes", preset: "kubernetes", algorithms: asymmetric, place: secured,
		rules: []rule{forOne, groups, cleared}, snippets: kubernetes,
	},
}
