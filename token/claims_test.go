package token_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/session"
	"idp/token"
)

// ann is somebody with everything a shortcode can name.
func ann() token.Subject {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return token.Subject{
		User: identity.User{
			ID: "user_ann", ExternalID: "legacy-7", Groups: []string{"staff", "ops"}, Roles: []string{"editor"},
			Profile: identity.Profile{GivenName: "Ann", FamilyName: "Lee", Picture: "https://cdn.example.com/ann.png", Address: identity.Address{Country: "NO"}},
			Metadata: identity.Metadata{
				Public:  json.RawMessage(`{"team":"red","level":3,"big":12345678901234567890,"off":false,"empty":"","tags":["a","b"],"deep":{"x":{"y":1}}}`),
				Private: json.RawMessage(`{"plan":"gold"}`),
				Own:     json.RawMessage(`{"theme":"dark"}`),
			},
			CreatedAt: at, UpdatedAt: at.Add(time.Hour),
		},
		Email: identity.Holding{Identifier: identity.Identifier{Kind: identity.Email, Value: "ann@example.com"}, VerifiedAt: at},
		Session: session.Session{
			ID: "sess_1", AuthTime: at, CreatedAt: at, ExpiresAt: at.Add(24 * time.Hour),
			Proofs: []identity.Proof{{Method: identity.Password, Category: identity.Knowledge, At: at}, {Method: identity.TOTP, Category: identity.Possession, At: at}},
		},
	}
}

const ownSecret = "0123456789abcdefghijklmnopqrstuv" // 32 bytes

func ownKey() token.CustomKey { return token.CustomKey{Material: secret.NewString(ownSecret)} }

// filled is what a template says of somebody, as JSON with sorted names.
func filled(t *testing.T, claims string, s token.Subject) string {
	t.Helper()
	c, err := token.Compile(token.Template{Name: "t", Claims: json.RawMessage(claims)})
	if err != nil {
		t.Fatalf("compile %s: %v", claims, err)
	}
	m, err := c.Fill(s)
	if err != nil {
		t.Fatalf("fill %s: %v", claims, err)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return string(out)
}

func TestAShortcodeBecomesWhatItNames(t *testing.T) {
	for _, c := range []struct{ why, claims, want string }{
		{"what is written stays, in its type", `{"a":"x","b":1.50,"c":true,"d":null,"e":[1,"2"],"f":{"g":[]}}`, `{"a":"x","b":1.50,"c":true,"d":null,"e":[1,"2"],"f":{"g":[]}}`},
		{"numbers are exact", `{"a":12345678901234567890,"b":1e2}`, `{"a":12345678901234567890,"b":1e2}`},
		{"a text", `{"a":"{{user.id}}"}`, `{"a":"user_ann"}`},
		{"spaces do not matter", `{"a":"{{   user.id }}"}`, `{"a":"user_ann"}`},
		{"a whole string keeps the type", `{"a":"{{user.email_verified}}","b":"{{user.groups}}","c":"{{user.created_at}}","d":"{{user.public_metadata.deep}}"}`,
			`{"a":true,"b":["staff","ops"],"c":1772366400,"d":{"x":{"y":1}}}`},
		{"inside text it becomes text", `{"a":"v={{user.email_verified}} n={{user.public_metadata.level}} t={{user.created_at}}"}`, `{"a":"v=true n=3 t=1772366400"}`},
		{"metadata keeps exact numbers", `{"a":"{{user.public_metadata.big}}"}`, `{"a":12345678901234567890}`},
		{"a list has elements", `{"a":"{{user.public_metadata.tags.1}}","b":"{{user.public_metadata.tags.2}}"}`, `{"a":"b","b":null}`},
		{"all three kinds of metadata", `{"a":"{{user.private_metadata.plan}}","b":"{{user.own_metadata.theme}}","c":"{{user.own_metadata}}"}`, `{"a":"gold","b":"dark","c":{"theme":"dark"}}`},
		{"objects and lists of metadata inside text are JSON", `{"a":"<{{user.public_metadata.tags}}>"}`, `{"a":"\u003c[\"a\",\"b\"]\u003e"}`},
		{"what is absent is null", `{"a":"{{user.nickname}}","b":"{{user.public_metadata.no.where}}","c":"{{user.primary_phone_number}}"}`, `{"a":null,"b":null,"c":null}`},
		{"what is absent is nothing inside text", `{"a":"[{{user.nickname}}]"}`, `{"a":"[]"}`},
		{"a fallback stands in for what is absent", `{"a":"{{user.nickname || user.first_name}}","b":"{{user.nickname||user.website||'x'}}"}`, `{"a":"Ann","b":"x"}`},
		{"and for what is empty", `{"a":"{{user.public_metadata.empty || 'x'}}"}`, `{"a":"x"}`},
		{"false and 0 are something", `{"a":"{{user.phone_verified || true}}","b":"{{user.public_metadata.off || 'x'}}"}`, `{"a":false,"b":false}`},
		{"literals have types", `{"a":"{{user.nickname || 7}}","b":"{{user.nickname || true}}","c":"{{user.nickname || null}}","d":"{{'it''s'}}","e":"{{user.nickname || -1.5}}"}`,
			`{"a":7,"b":true,"c":null,"d":"it's","e":-1.5}`},
		{"braces of their own", `{"a":"{{'{{'}}user.id}}","b":"a }} b","c":"{ {user.id} }"}`, `{"a":"{{user.id}}","b":"a }} b","c":"{ {user.id} }"}`},
		{"a literal may hold what ends a shortcode", `{"a":"{{user.nickname || '}} || {{'}}"}`, `{"a":"}} || {{"}`},
		{"a namespace of somebody's", `{"https://hasura.io/jwt/claims":{"x-hasura-user-id":"{{user.id}}","x-hasura-allowed-roles":["user"]}}`,
			`{"https://hasura.io/jwt/claims":{"x-hasura-allowed-roles":["user"],"x-hasura-user-id":"user_ann"}}`},
		{"shortcodes in nested values", `{"a":{"b":[{"c":"{{user.first_name}} {{user.last_name}}"}]}}`, `{"a":{"b":[{"c":"Ann Lee"}]}}`},
		{"the session", `{"a":"{{session.id}}","b":"{{session.amr}}","c":"{{session.acr}}","d":"{{session.auth_time}}"}`, `{"a":"sess_1","b":["mfa","otp","pwd"],"c":"aal2","d":1772366400}`},
		{"a name from its parts", `{"a":"{{user.full_name}}","b":"{{user.name}}"}`, `{"a":"Ann Lee","b":null}`},
		{"an address", `{"a":"{{user.address}}"}`, `{"a":{"country":"NO"}}`},
	} {
		if got := filled(t, c.claims, ann()); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.why, got, c.want)
		}
	}
}

func TestWhatSomebodyWroteAboutThemselvesIsNeverATemplate(t *testing.T) {
	s := ann()
	s.User.Profile.Nickname = "{{user.private_metadata.plan}}"
	s.User.Metadata.Own = json.RawMessage(`{"x":"{{user.private_metadata.plan}}","a\",\"role\":\"admin":1}`)
	got := filled(t, `{"a":"{{user.nickname}}","b":"-{{user.own_metadata.x}}-","c":"{{user.own_metadata.y || 'z'}}"}`, s)
	if want := `{"a":"{{user.private_metadata.plan}}","b":"-{{user.private_metadata.plan}}-","c":"z"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNobodySignedInHasNoSessionToTellOf(t *testing.T) {
	s := ann()
	s.Session = session.Session{}
	s.User.Groups, s.User.Metadata = nil, identity.Metadata{}
	got := filled(t, `{"a":"{{session.id}}","b":"{{session.amr}}","c":"{{session.acr}}","d":"{{session.auth_time}}","e":"{{user.groups}}","f":"{{user.public_metadata}}","g":"{{user.public_metadata.x}}"}`, s)
	if want := `{"a":null,"b":null,"c":null,"d":null,"e":[],"f":{},"g":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// refusal is what Compile says of claims.
func refusal(t *testing.T, x token.Template) *problem.Error {
	t.Helper()
	_, err := token.Compile(x)
	var p *problem.Error
	if !errors.As(err, &p) || p.Kind != problem.Invalid {
		t.Fatalf("%s: %v, want problem.Invalid", x.Claims, err)
	}
	return p
}

func TestMistakesAreFoundWhereTheyWereMade(t *testing.T) {
	for _, c := range []struct {
		why, claims, says string
		line, column      int
	}{
		{"unknown", `{"a":"{{user.idd}}"}`, "Did you mean user.id?", 1, 9},
		{"another product's name", `{"a":"{{user.unsafe_metadata.x}}"}`, "Did you mean user.own_metadata.x?", 1, 9},
		{"upper case", `{"a":"{{User.ID}}"}`, "Did you mean user.id?", 1, 9},
		{"nothing like it", `{"a":"{{frobnicate}}"}`, "frobnicate is not known.", 1, 9},
		{"inside what has no inside", `{"a":"{{user.id.x}}"}`, "Did you mean user.id?", 1, 9},
		{"organizations", `{"a":"{{org.role}}"}`, "no organizations here yet", 1, 9},
		{"organizations as a fallback", "{\n  \"a\": \"{{user.id || org.slug}}\"\n}", "no organizations here yet", 2, 22},
		{"unclosed", `{"a":"x {{user.id"}`, "not closed", 1, 9},
		{"unclosed and empty", `{"a":"{{"}`, "not closed", 1, 7},
		{"empty", `{"a":"{{ }}"}`, "names a fact", 1, 10},
		{"one bar", `{"a":"{{user.id | 'x'}}"}`, "written with ||", 1, 17},
		{"no second operand", `{"a":"{{user.id || }}"}`, "names a fact", 1, 20},
		{"two facts", `{"a":"{{user.id user.name}}"}`, "|| or }}", 1, 17},
		{"double quotes", `{"a":"{{user.name || \"x\"}}"}`, "single quotes", 1, 22},
		{"unclosed text", `{"a":"{{user.name || 'x}}"}`, "not closed by a single quote", 1, 22},
		{"no number", `{"a":"{{user.name || 1x}}"}`, "1x is not a number", 1, 22},
		{"behind a literal", `{"a":"{{'x' || user.name}}"}`, "never reached", 1, 16},
		{"three braces", `{"a":"{{{user.id}}}"}`, "names a fact", 1, 9},
		{"an empty step", `{"a":"{{user.public_metadata..x}}"}`, "single dots", 1, 9},
		{"after escapes and wide characters", `{"a":"ø\n\u00e9\ud83d\ude00 {{user.idd}}"}`, "Did you mean", 1, 31},
		{"a list inside text", `{"a":"x {{user.groups}}"}`, "cannot stand inside text", 1, 6},
		{"an object inside text", `{"a":"x {{user.public_metadata}}"}`, "cannot stand inside text", 1, 6},
		{"a shortcode as a name", `{"{{user.id}}":1}`, "Names are fixed", 1, 2},
		{"not JSON", "{\n  \"a\": x\n}", "not JSON", 2, 8},
		{"cut short", `{"a":1`, "not JSON", 1, 6},
		{"something behind it", `{"a":1} {"b":2}`, "not JSON", 1, 9},
		{"a list", `[1]`, "JSON object", 1, 1},
		{"nothing", ``, "not JSON", 1, 1},
		{"null", `null`, "JSON object", 1, 1},
		{"twice", "{\"a\":1,\n\"a\":2}", `"a" is there already`, 2, 1},
		{"twice but for case", `{"role":1,"Role":2}`, "is there already", 1, 11},
		{"twice in depth", `{"x":{"a":1,"a":2}}`, "is there already", 1, 13},
		{"too deep", `{"a":` + strings.Repeat("[", 10) + strings.Repeat("]", 10) + `}`, "nested more than 10", 1, 15},
		{"too long", `{"a":"` + strings.Repeat("x", 16<<10) + `"}`, "longer than 16 KB", 1, 16385},
		{"not UTF-8", "{\"a\":\"\xff\"}", "UTF-8", 1, 1},
		{"too many", `{"a":"` + strings.Repeat("{{user.id}}", 201) + `"}`, "more than 200", 1, 7 + 11*200},
		{"a number beyond all bounds", `{"a":1e999}`, "cannot hold", 1, 6},
		{"no name", `{"":1}`, "needs a name", 1, 2},
	} {
		x := token.Template{Name: "t", Claims: json.RawMessage(c.claims)}
		p := refusal(t, x)
		var m *token.Mistake
		if !errors.As(p, &m) || p.Field != "claims" || p.Code != "template_claims" {
			t.Errorf("%s: %#v, want a mistake in the claims", c.why, p)
			continue
		}
		if m.Line != c.line || m.Column != c.column || !strings.Contains(m.Says, c.says) {
			t.Errorf("%s: line %d, column %d: %s\nwant line %d, column %d: … %s …", c.why, m.Line, m.Column, m.Says, c.line, c.column, c.says)
		}
		if want := fmt.Sprintf("Line %d, column %d: ", c.line, c.column); !strings.HasPrefix(p.Detail, want) {
			t.Errorf("%s: people read %q, want %q first", c.why, p.Detail, want)
		}
	}
}

func TestReservedClaimsCannotBeSet(t *testing.T) {
	names := []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "azp", "auth_time", "amr", "acr", "act", "may_act", "nonce", "cnf", "scope", "client_id",
		"org", "org_id", "org_role", "org_anything", "events", "at_hash", "c_hash", "_claim_names", "_claim_sources",
		"ISS", "Sub", "EXP", "Org_Role", "ſub", "ｓｕｂ", "sub ", "s\u200bub", "\u2060exp", `s\u0075b`, `\u0065xp`,
	}
	for _, name := range names {
		p := refusal(t, token.Template{Name: "t", Claims: json.RawMessage(`{"` + name + `":"x"}`)})
		if p.Field != "claims" || !strings.Contains(p.Detail, "cannot be set") {
			t.Errorf("%q: %s", name, p.Detail)
		}
		if name == "iss" || name == "sub" || name == `s\u0075b` {
			continue // which one with a key of its own may set
		}
		if p := refusal(t, token.Template{Name: "t", Claims: json.RawMessage(`{"` + name + `":"x"}`), Key: ownKey()}); !strings.Contains(p.Detail, "cannot be set") {
			t.Errorf("%q with a key of its own: %s", name, p.Detail)
		}
	}
	if got := filled(t, `{"role":"x","roles":[],"organisation":"y","x":{"sub":"z"}}`, ann()); !strings.Contains(got, `{"sub":"z"}`) {
		t.Errorf("what only looks like it: %s", got)
	}
}

func TestIssuerAndSubjectAreOfTheOwnKeyAlone(t *testing.T) {
	x := token.Template{Name: "t", Key: ownKey(), Claims: json.RawMessage(`{"iss":"https://old.example.com","sub":"{{user.external_id}}"}`)}
	c, err := token.Compile(x)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Fill(ann())
	if err != nil || m["iss"] != "https://old.example.com" || m["sub"] != "legacy-7" {
		t.Errorf("%v, %v", m, err)
	}
	nobody := ann()
	nobody.User.ExternalID = ""
	if m, err := c.Fill(nobody); !problem.HasCode(err, "template_subject") {
		t.Errorf("without an external id: %v, %v; want a refusal, or all who lack one were one person", m, err)
	}
	for _, c := range []struct{ why, claims, says string }{
		{"people write it", `{"sub":"{{user.own_metadata.id}}"}`, "write themselves"},
		{"people write it, as a fallback", `{"sub":"{{user.external_id || user.nickname}}"}`, "write themselves"},
		{"nobody proved it", `{"sub":"{{user.primary_email_address}}"}`, "write themselves"},
		{"all who lack it were one", `{"sub":"{{user.external_id || 'x'}}"}`, "different people one"},
		{"no text", `{"sub":"{{user.groups}}"}`, "is a text"},
		{"no text either", `{"sub":7}`, "is a text"},
		{"null", `{"sub":null}`, "is a text"},
		{"nothing", `{"iss":""}`, "is a text"},
		{"an object", `{"iss":{}}`, "is a text"},
		{"an issuer of each person", `{"iss":"https://{{user.id}}.example.com"}`, "the same for everybody"},
	} {
		if p := refusal(t, token.Template{Name: "t", Key: ownKey(), Claims: json.RawMessage(c.claims)}); !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %s", c.why, p.Detail)
		}
	}
}

func TestPeopleWithoutPartOfTheSubjectAreNotOne(t *testing.T) {
	c, err := token.Compile(token.Template{Name: "t", Key: ownKey(), Claims: json.RawMessage(`{"sub":"acme|{{user.public_metadata.no}}"}`)})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := c.Fill(ann()); !problem.HasCode(err, "template_subject") {
		t.Errorf("%v, %v; want a refusal", m, err)
	}
}

func TestATemplateThatRepeatsMetadataEnds(t *testing.T) {
	s := ann()
	s.User.Metadata.Public = json.RawMessage(`{"x":"` + strings.Repeat("y", 3000) + `"}`)
	for _, claims := range []string{
		`{"a":"` + strings.Repeat("{{user.public_metadata.x}}", 3) + `"}`,
		`{"a":["{{user.public_metadata}}","{{user.public_metadata}}","{{user.public_metadata}}"]}`,
	} {
		c, err := token.Compile(token.Template{Name: "t", Claims: json.RawMessage(claims)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Fill(s); !problem.HasCode(err, "token_too_large") {
			t.Errorf("%s: %v, want token_too_large", claims, err)
		}
	}
}

func TestFillingTwiceSaysTheSame(t *testing.T) {
	c, err := token.Compile(token.Template{Name: "t", Claims: json.RawMessage(`{"a":{"b":"{{user.id}}"},"c":"{{user.groups}}"}`)})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := c.Fill(ann())
	first["exp"], first["a"] = 1, "gone" // as a minter adds
	second, _ := c.Fill(ann())
	if out, _ := json.Marshal(second); string(out) != `{"a":{"b":"user_ann"},"c":["staff","ops"]}` {
		t.Errorf("after a change to what was filled before: %s", out)
	}
}

func asProblem(err error) *problem.Error {
	var p *problem.Error
	errors.As(err, &p)
	return p
}
