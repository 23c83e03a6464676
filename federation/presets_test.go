package federation_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"idp/federation"
	"idp/internal/problem"
)

// shape is what a provider sends of one person in good order, and what is made of it. It says
// once more, by itself, which claims state that the address was checked and how they spell yes:
// a test that read the table would show nothing.
type shape struct {
	preset   string
	options  map[string]string
	issuer   string
	payload  string
	subject  string
	at       string              // where the subject is
	mail     string              // where the address is; "": none is ever given
	yes      map[string][]string // where a statement is, and the JSON that means yes; nil: none is believed
	name     string
	username string
	picture  string
}

var (
	onlyTrue = []string{"true"}
	oidcTrue = map[string][]string{"email_verified": onlyTrue}
	plain    = `{"sub":"s-1","email":"Ana@Example.com","email_verified":true,"name":"Ana Roth","preferred_username":"ana","picture":"https://img.example/a.png"}`
)

const tid = "11111111-2222-3333-4444-555555555555"

var shapes = []shape{
	{preset: "amazon", issuer: "https://www.amazon.com", payload: `{"user_id":"amzn1.account.K2","email":"ana@example.com","name":"Ana Roth"}`,
		subject: "amzn1.account.K2", at: "user_id", mail: "email", name: "Ana Roth"},
	{preset: "apple", options: map[string]string{"team_id": "ABCDE12345", "key_id": "KEYID12345"}, issuer: "https://appleid.apple.com",
		payload: `{"sub":"001.a.1","email":"x9@privaterelay.appleid.com","email_verified":"true","is_private_email":"true","user":{"name":{"firstName":"Ana","lastName":"Roth"},"email":"victim@example.com"}}`,
		subject: "001.a.1", at: "sub", mail: "email", yes: map[string][]string{"email_verified": {"true", `"true"`}}, name: "Ana Roth"},
	{preset: "atlassian", issuer: "https://auth.atlassian.com", payload: `{"account_id":"5b1","email":"ana@example.com","name":"Ana Roth","nickname":"ana","picture":"https://img.example/a.png"}`,
		subject: "5b1", at: "account_id", mail: "email", name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "auth0", options: map[string]string{"host": "acme.eu.auth0.com"}, issuer: "https://acme.eu.auth0.com/", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "bitbucket", issuer: "https://bitbucket.org",
		payload: `{"uuid":"{a-1}","display_name":"Ana Roth","nickname":"ana","links":{"avatar":{"href":"https://img.example/a.png"}},"emails":{"values":[{"email":"old@example.com","is_primary":false,"is_confirmed":true},{"email":"ana@example.com","is_primary":true,"is_confirmed":true}]}}`,
		subject: "{a-1}", at: "uuid", mail: "emails.values.1.email", yes: map[string][]string{"emails.values.1.is_confirmed": onlyTrue, "emails.values.1.is_primary": onlyTrue},
		name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "discord", issuer: "https://discord.com", payload: `{"id":"80351110224678912","username":"ana","global_name":"Ana Roth","avatar":"8342729096ea3675442027381ff50dfe","verified":true,"email":"ana@example.com"}`,
		subject: "80351110224678912", at: "id", mail: "email", yes: map[string][]string{"verified": onlyTrue}, name: "Ana Roth", username: "ana",
		picture: "https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png"},
	{preset: "dropbox", issuer: "https://www.dropbox.com", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "facebook", issuer: "https://www.facebook.com",
		payload: `{"id":"10158","name":"Ana Roth","first_name":"Ana","last_name":"Roth","email":"ana@example.com","verified":true,"picture":{"data":{"url":"https://img.example/a.png","is_silhouette":false}}}`,
		subject: "10158", at: "id", mail: "email", name: "Ana Roth", picture: "https://img.example/a.png"},
	{preset: "github", issuer: "https://github.com",
		payload: `{"id":583231,"login":"ana","name":"Ana Roth","email":"public@example.com","avatar_url":"https://img.example/a.png","emails":[{"email":"583231+ana@users.noreply.github.com","primary":false,"verified":true},{"email":"ana@example.com","primary":true,"verified":true,"visibility":null}]}`,
		subject: "583231", at: "id", mail: "emails.1.email", yes: map[string][]string{"emails.1.verified": onlyTrue, "emails.1.primary": onlyTrue},
		name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "github_enterprise", options: map[string]string{"host": "github.acme.example"}, issuer: "https://github.acme.example",
		payload: `{"id":7,"login":"ana","emails":[{"email":"ana@example.com","primary":true,"verified":true}]}`,
		subject: "7", at: "id", mail: "emails.0.email", username: "ana"},
	{preset: "gitlab", issuer: "https://gitlab.com", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "gitlab_self_managed", options: map[string]string{"host": "git.acme.example"}, issuer: "https://git.acme.example", payload: plain,
		subject: "s-1", at: "sub", mail: "email", name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "google", issuer: "https://accounts.google.com", payload: strings.Replace(plain, "{", `{"hd":"example.com",`, 1),
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "huggingface", issuer: "https://huggingface.co", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "kakao", issuer: "https://kauth.kakao.com",
		payload: `{"id":123456789012345678,"kakao_account":{"email":"ana@example.com","is_email_valid":true,"is_email_verified":true,"profile":{"nickname":"Ana Roth","profile_image_url":"https://img.example/a.png"}}}`,
		subject: "123456789012345678", at: "id", mail: "kakao_account.email",
		yes:  map[string][]string{"kakao_account.is_email_valid": onlyTrue, "kakao_account.is_email_verified": onlyTrue},
		name: "Ana Roth", picture: "https://img.example/a.png"},
	{preset: "keycloak", options: map[string]string{"host": "sso.acme.example", "realm": "main"}, issuer: "https://sso.acme.example/realms/main", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "line", issuer: "https://access.line.me", payload: `{"userId":"U4af","displayName":"Ana Roth","pictureUrl":"https://img.example/a.png"}`,
		subject: "U4af", at: "userId", name: "Ana Roth", picture: "https://img.example/a.png"},
	{preset: "linkedin", issuer: "https://www.linkedin.com/oauth", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "microsoft", issuer: "https://login.microsoftonline.com/" + tid + "/v2.0",
		payload: `{"sub":"AAAA","tid":"` + tid + `","oid":"00000000-0000-0000-66f3-3332eca7ea81","email":"ana@example.com","xms_edov":true,"preferred_username":"ana@acme.example","name":"Ana Roth"}`,
		subject: "AAAA", at: "sub", mail: "email", yes: map[string][]string{"xms_edov": {"true", "1", `"1"`, `"true"`}}, name: "Ana Roth", username: "ana@acme.example"},
	{preset: "naver", issuer: "https://nid.naver.com",
		payload: `{"resultcode":"00","message":"success","response":{"id":"32742776","email":"ana@example.com","name":"Ana Roth","nickname":"ana","profile_image":"https://img.example/a.png"}}`,
		subject: "32742776", at: "response.id", mail: "response.email", name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "notion", issuer: "https://api.notion.com",
		payload: `{"object":"user","id":"the-bot","type":"bot","bot":{"owner":{"type":"user","user":{"id":"u-1","name":"Ana Roth","avatar_url":"https://img.example/a.png","person":{"email":"ana@example.com"}}}}}`,
		subject: "u-1", at: "bot.owner.user.id", mail: "bot.owner.user.person.email", name: "Ana Roth", picture: "https://img.example/a.png"},
	{preset: "okta", options: map[string]string{"host": "acme.okta.com"}, issuer: "https://acme.okta.com", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "paypal", issuer: "https://www.paypal.com",
		payload: `{"user_id":"https://www.paypal.com/webapps/auth/identity/user/m1","name":"Ana Roth","verified_account":"true","emails":[{"value":"ana@example.com","primary":true,"confirmed":true}]}`,
		subject: "https://www.paypal.com/webapps/auth/identity/user/m1", at: "user_id", mail: "emails.0.value", name: "Ana Roth"},
	{preset: "salesforce", options: map[string]string{"my_domain": "acme"}, issuer: "https://acme.my.salesforce.com", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "slack", issuer: "https://slack.com", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "spotify", issuer: "https://accounts.spotify.com", payload: `{"id":"ana","display_name":"Ana Roth","email":"ana@example.com","images":[{"url":"https://img.example/a.png","height":64}]}`,
		subject: "ana", at: "id", mail: "email", name: "Ana Roth", picture: "https://img.example/a.png"},
	{preset: "twitch", issuer: "https://id.twitch.tv/oauth2", payload: plain,
		subject: "s-1", at: "sub", mail: "email", yes: oidcTrue, name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "x", issuer: "https://x.com",
		payload: `{"data":{"id":"2244994945","name":"Ana Roth","username":"ana","profile_image_url":"https://img.example/a.png"},"more":{"data":{"id":"2244994945","confirmed_email":"ana@example.com"}}}`,
		subject: "2244994945", at: "data.id", mail: "more.data.confirmed_email", name: "Ana Roth", username: "ana", picture: "https://img.example/a.png"},
	{preset: "zoom", issuer: "https://zoom.us", payload: `{"id":"z8y","first_name":"Ana","last_name":"Roth","display_name":"Ana Roth","email":"ana@example.com","verified":1,"pic_url":"https://img.example/a.png","role_name":"Owner"}`,
		subject: "z8y", at: "id", mail: "email", yes: map[string][]string{"verified": {"1"}}, name: "Ana Roth", picture: "https://img.example/a.png"},
}

func (s shape) connection() federation.Connection {
	return federation.Connection{Name: "test", Preset: s.preset, ClientID: "client", Options: s.options}
}

// claims decodes the payload as the protocols do, with numbers as they were written.
func (s shape) claims(t testing.TB) map[string]any { return decode(t, s.payload).(map[string]any) }

func decode(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// gone is put in place of what shall be absent.
const gone = "\x00gone"

// with puts a value where the path leads.
func with(t testing.TB, claims map[string]any, path string, v any) map[string]any {
	t.Helper()
	var at any = claims
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		switch in := at.(type) {
		case map[string]any:
			at = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil {
				t.Fatal(err)
			}
			at = in[i]
		}
	}
	last := at.(map[string]any)
	if last[steps[len(steps)-1]] = v; v == gone {
		delete(last, steps[len(steps)-1])
	}
	return claims
}

func assertion(t testing.TB, s shape, claims map[string]any) federation.Assertion {
	t.Helper()
	a, err := (&federation.Federation{}).Assert(s.connection(), s.issuer, claims)
	if err != nil {
		t.Fatalf("%s: %v", s.preset, err)
	}
	return a
}

func TestEveryPresetIsReadAsItsDocumentSays(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range shapes {
		seen[s.preset] = true
		a := assertion(t, s, s.claims(t))
		mail := ""
		if s.mail != "" {
			mail = "ana@example.com"
		}
		if s.preset == "apple" {
			mail = "x9@privaterelay.appleid.com"
		}
		if a.Account.Subject != s.subject || a.Account.Issuer != s.issuer || a.Account.Method != "oauth_test" || a.Account.Email != mail || a.Email.Value != mail {
			t.Errorf("%s: account %+v, address %q", s.preset, a.Account, a.Email.Value)
		}
		if a.Profile.Name != s.name || a.Profile.PreferredUsername != s.username || a.Profile.Picture != s.picture {
			t.Errorf("%s: profile %+v", s.preset, a.Profile)
		}
		if a.Verdict.Verified != (s.yes != nil) {
			t.Errorf("%s: verdict %+v", s.preset, a.Verdict)
		}
	}
	for _, p := range federation.Presets() {
		if !seen[p.Name] {
			t.Errorf("preset %s has no shape here: what does it send?", p.Name)
		}
	}
}

// statements are values that a provider might put where it says whether an address was checked.
var statements = []string{
	"true", "false", `"true"`, `"false"`, "1", "0", `"1"`, `"0"`, "null", "[]", "{}", "[true]", `{"verified":true}`,
	`"TRUE"`, `"True"`, `"yes"`, `" true"`, `"true "`, `""`, "-1", "2", "1e400", `"verified"`, "[[]]",
}

func TestOnlyTheSpellingsThatADocumentNamesMeanYes(t *testing.T) {
	for _, s := range shapes {
		for at, yes := range s.yes {
			for _, said := range statements {
				a := assertion(t, s, with(t, s.claims(t), at, decode(t, said)))
				if want := slices.Contains(yes, said); a.Verdict.Verified != want {
					t.Errorf("%s: %s is %s: verified %v, want %v", s.preset, at, said, a.Verdict.Verified, want)
				}
				if a.Account.Subject != s.subject {
					t.Errorf("%s: %s changes who it is", s.preset, at)
				}
			}
			if a := assertion(t, s, with(t, s.claims(t), at, gone)); a.Verdict.Verified {
				t.Errorf("%s: verified without %s", s.preset, at)
			}
		}
	}
}

func TestAnotherProvidersStatementIsNotBelieved(t *testing.T) {
	names := []string{
		"email_verified", "verified", "verified_email", "emailVerified", "is_confirmed", "confirmed", "xms_edov", "is_email_verified",
		"is_email_valid", "verified_account", "email_is_verified", "date_email_verified", "EMAIL_VERIFIED", "email_verified ",
	}
	for _, s := range shapes {
		for _, said := range []string{"true", `"true"`, "1"} {
			claims := s.claims(t)
			for at := range s.yes {
				with(t, claims, at, gone)
			}
			for _, name := range names {
				if _, its := s.yes[name]; !its {
					claims[name] = decode(t, said)
				}
			}
			if a := assertion(t, s, claims); a.Verdict.Verified {
				t.Errorf("%s: believes a claim that is not its row's", s.preset)
			}
		}
	}
}

func TestAnOddAddressIsNone(t *testing.T) {
	odd := []string{
		`"a@evil@corp.com"`, `"admin@corp.com<script>"`, `"a@corp.com."`, `"a@.corp.com"`, `"a@corp..com"`, `"@corp.com"`, `"a@"`, `"a"`, `""`, "null", "7", "true",
		`["a@corp.com"]`, `{"email":"a@corp.com"}`, `" a@corp.com"`, `"a@corp.com "`, `"a@corp.com\n"`, `"a@corp.com\u0000"`, `"a@corp.com,b@corp.com"`,
		`"Ana <a@corp.com>"`, `"\"a\"@corp.com"`, `"a@[127.0.0.1]"`, `"a(x)@corp.com"`, `"a\u200b@corp.com"`, `"\u212aatie@corp.com"`, `"a@\u24d2orp.com"`,
		`"a@corp\u3002com"`, `"a@` + strings.Repeat("x", 300) + `.com"`, `"` + strings.Repeat("a", 1<<16) + `@corp.com"`, `"a@corp"`,
	}
	for _, s := range shapes {
		if s.mail == "" {
			continue
		}
		for _, said := range append(odd, `"ana@users.noreply.github.com"`, `"ana@example.invalid"`) {
			a := assertion(t, s, with(t, s.claims(t), s.mail, decode(t, said)))
			if !a.Email.None() || a.Account.Email != "" || a.Verdict.Verified {
				t.Errorf("%s: %.60s became %q, %+v", s.preset, said, a.Email.Value, a.Verdict)
			}
		}
		for said, want := range map[string]string{
			`"Ana.Roth+x@EXAMPLE.com"`: "ana.roth+x@example.com", `"ana@m\u00fcller.example"`: "ana@xn--mller-kva.example", `"\u00e1na@example.com"`: "ána@example.com",
		} {
			a := assertion(t, s, with(t, s.claims(t), s.mail, decode(t, said)))
			if a.Email.Value != want || a.Verdict.Verified != (s.yes != nil) {
				t.Errorf("%s: %s became %q, %+v", s.preset, said, a.Email.Value, a.Verdict)
			}
		}
	}
}

func TestWithoutAPlainSubjectNobodySignsIn(t *testing.T) {
	for _, s := range shapes {
		for _, odd := range []any{
			decode(t, "1e21"), decode(t, "-1"), decode(t, "1.5"), decode(t, "0"), decode(t, "18446744073709551616"), 1e21, 1.5, float64(1 << 60), true, nil, "", "a\x00b", "a\nb", "\xff",
			strings.Repeat("x", 256), []any{"x"}, map[string]any{"sub": "x"}, gone,
		} {
			a, err := (&federation.Federation{}).Assert(s.connection(), s.issuer, with(t, s.claims(t), s.at, odd))
			if !problem.HasCode(err, federation.ErrRefused.Code) || a.Verdict.Verified || a.Account.Subject != "" {
				t.Errorf("%s: subject %.40v: %v, %+v", s.preset, odd, err, a.Account)
			}
		}
		for _, fine := range []struct {
			said any
			want string
		}{{decode(t, "9007199254740993"), "9007199254740993"}, {float64(583231), "583231"}, {strings.Repeat("x", 255), strings.Repeat("x", 255)}, {"1e21", "1e21"}, {"Ünï", "Ünï"}} {
			if a := assertion(t, s, with(t, s.claims(t), s.at, fine.said)); a.Account.Subject != fine.want {
				t.Errorf("%s: subject %v became %q", s.preset, fine.said, a.Account.Subject)
			}
		}
	}
}

func TestNothingPrivilegedComesFromAProvider(t *testing.T) {
	for _, s := range shapes {
		claims := s.claims(t)
		for _, name := range []string{"roles", "role", "groups", "metadata", "private_metadata", "external_id", "operator", "org", "permissions", "scope", "user_id_override", "phone_number", "phone_number_verified", "birthdate"} {
			claims[name] = []any{"admin"}
		}
		before, err := json.Marshal(assertion(t, s, s.claims(t)))
		if err != nil {
			t.Fatal(err)
		}
		after, err := json.Marshal(assertion(t, s, claims))
		if err != nil {
			t.Fatal(err)
		}
		if string(before) != string(after) {
			t.Errorf("%s: %s became %s", s.preset, before, after)
		}
	}
}

func TestEveryPresetNamesItsDocumentAndWorksAsItIsWritten(t *testing.T) {
	for _, p := range federation.Presets() {
		if !strings.HasPrefix(p.Doc.URL, "https://") || len(p.Doc.Says) < 30 || !strings.HasPrefix(p.Console, "https://") || len(p.Help) < 20 || p.Title == "" {
			t.Errorf("%s: without document, console or help", p.Name)
		}
		i := slices.IndexFunc(shapes, func(s shape) bool { return s.preset == p.Name })
		c := shapes[i].connection()
		c.ClientSecret = applePEM(t)
		if err := c.Check(true); err != nil {
			t.Errorf("%s as an operator writes it: %v", p.Name, err)
		}
		filled := c.Filled()
		if filled.Type != p.Type || strings.ContainsAny(filled.Issuer+filled.AuthorizationEndpoint+filled.TokenEndpoint+filled.UserinfoEndpoint, "{}") {
			t.Errorf("%s filled: %+v", p.Name, filled)
		}
		for _, uri := range []string{filled.Issuer, filled.AuthorizationEndpoint, filled.TokenEndpoint, filled.UserinfoEndpoint} {
			if needed := uri == filled.Issuer || p.Type == federation.OAuth2; needed && !strings.HasPrefix(uri, "https://") {
				t.Errorf("%s goes to %q", p.Name, uri)
			}
		}
		for _, need := range p.Needs {
			short := c
			short.Options = maps.Clone(c.Options)
			delete(short.Options, need)
			if err := short.Check(true); !problem.Is(err, problem.Invalid) {
				t.Errorf("%s without %s: %v", p.Name, need, err)
			}
		}
	}
}
