package admin_test

import (
	"strconv"
	"strings"
	"testing"

	"idp/event"
	"idp/internal/problem"
	"idp/token"
)

func (o *office) template(name string) token.Template {
	o.Helper()
	t, err := o.templates.Get(o.Context(), name)
	o.must(err)
	return t
}

func TestAnOperatorMakesATemplateOfAPresetOnPages(t *testing.T) {
	offices(t, func(o *office) {
		b, op := o.signedIn("op@example.com", true)
		b.Get("/operator/templates").Want(200, "No templates yet", o.server.URL+"/.well-known/jwks.json")
		b.Get("/operator/templates/new").Want(200, `href="/operator/templates/new?from=supabase"`, `href="/operator/templates/new?from=blank"`, `id="choose-session"`)
		b.Get("/operator/templates/new?from=nobody").Want(200, `id="choose-blank"`)
		b.Get("/operator/templates/new?from=supabase").Want(200, `value="supabase"`, "&#34;role&#34;: &#34;authenticated&#34;", `id="template-preview"`)
		b.Get("/operator/templates/new?from=firebase").Want(200, `id="need-service_account"`).WantNot(`id="claims"`)
		b.Get("/operator/templates/new?from=firebase&service_account=+").Want(422, `id="need-service_account-error"`)
		b.Get("/operator/templates/new?from=firebase&service_account=a%40b.example").Want(200, "&#34;a@b.example&#34;", `id="key-new" name="key" value="new" checked`)
		b.Post("/operator/templates", "name", "supabase", "preset", "supabase", "claims", `{"role": "authenticated"}`, "lifetime", "120", "skew", "", "audience", "authenticated\r\n", "key", "issuer", "algorithm", "").
			Follow().Want(200, "The template is there", `getToken({template: "supabase"})`)
		if x := o.template("supabase"); x.Lifetime != 120 || x.Skew != 10 || x.Preset != "supabase" || x.Algorithm != "ES256" || len(x.Audience) != 1 || !x.Key.None() {
			t.Errorf("%+v", x)
		}
		if made := o.happened(t, event.TemplateCreated); len(made) != 1 || made[0].Actor != string(op.ID) || made[0].Detail["preset"] != "supabase" {
			t.Errorf("%+v", made)
		}
		b.Get("/operator/templates").Want(200, `href="/operator/templates/supabase"`, "120 seconds")
		b.Get("/operator/templates/new?from=supabase").Want(200, `value="supabase-2"`)
		b.Post("/operator/templates", "name", "supabase", "claims", "{}", "key", "issuer").Want(409, `id="template-name-error"`)
		b.Get("/operator/templates/none").Want(404)
	})
}

func TestTheFormSaysWhereTheClaimsAreWrongAndKeepsWhatWasTyped(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		claims := "{\r\n  \"a\": \"</textarea><script>x</script>\",\r\n  \"role\": \"{{user.rolls}}\"\r\n}"
		b.Get("/operator/templates/new?from=blank").Want(200).
			Post("/operator/templates", "name", "mine", "claims", claims, "lifetime", "90", "audience", "<b>api</b>", "key", "issuer", "algorithm", "RS256").
			Want(422, `id="claims-error"`, "Line 3, column", `data-line="3"`, "&lt;/textarea&gt;", `value="90"`, "&lt;b&gt;api", "<option selected>RS256").WantNot("<script>x", "<b>api")
		for field, typed := range map[string][]string{
			"lifetime":      {"lifetime", "5"},
			"skew":          {"skew", "x"},
			"audience":      {"audience", "a\na"},
			"algorithm":     {"algorithm", "none"},
			"signing-key":   {"key", "new", "signing_key", "zork-zork-key-of-31-bytes-exact"},
			"claims":        {"claims", `{"exp": 1}`},
			"template-name": {"name", "Über"},
		} {
			all := append([]string{"name", "mine", "claims", "{}", "key", "issuer"}, typed...)
			for i := 0; i < 6; i += 2 { // the later one counts here, the first in a form
				for j := 6; j < len(all); j += 2 {
					if all[i] == all[j] {
						all[i+1] = all[j+1]
					}
				}
			}
			b.Post("/operator/templates", all...).Want(422, `id="`+field+`-error"`).WantNot("zork")
		}
		if all, err := o.templates.List(o.Context()); err != nil || len(all) != 0 {
			t.Errorf("something was kept: %v %v", all, err)
		}
	})
}

func TestAKeyIsSetKeptReplacedAndTakenAwayAndNeverShown(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		first, second := "zork-zork-key-of-32-bytes-exactly", "zork-other-key-of-32-bytes-or-more"
		b.Get("/operator/templates/new?from=supabase-legacy").Want(200, `value="new" checked`)
		form := []string{"name", "old", "claims", `{"role": "a"}`, "lifetime", "60", "skew", "10"}
		b.Post("/operator/templates", append(form, "key", "new", "signing_key", first+"\r\n", "signing_key_id", "main", "algorithm", "HS256")...).Follow().
			Want(200, "kid main", `id="key-keep" name="key" value="keep" checked`).WantNot("zork")
		path := "/operator/templates/old"
		version := strconv.Itoa(o.template("old").Version)
		b.Post(path, append(form, "key", "keep", "algorithm", "HS256", "version", version, "audience", "api")...).Follow().Want(200, "Saved.").WantNot("zork")
		if x := o.template("old"); x.Key.Material.Reveal() != first || x.Key.ID != "main" || x.Audience[0] != "api" {
			t.Errorf("the key went: %+v", x)
		}
		b.Post(path, append(form, "key", "issuer", "version", version)...).Want(409, "Somebody else changed this template")
		b.Get(path).Post(path, append(form, "key", "new", "signing_key", second, "algorithm", "")...).Follow().Want(200).WantNot("zork", "kid main")
		if x := o.template("old"); x.Key.Material.Reveal() != second || x.Key.ID != "" || x.Algorithm != "HS256" {
			t.Errorf("%+v", x)
		}
		b.Post(path, append(form, "key", "issuer", "algorithm", "HS256")...).Want(422, `id="signing-key-error"`)
		b.Post(path, append(form, "key", "issuer", "algorithm", "")...).Follow().Want(200).WantNot(`id="key-keep"`)
		if x := o.template("old"); !x.Key.None() || x.Algorithm != "ES256" {
			t.Errorf("%+v", x)
		}
	})
}

func TestAPreviewSaysWhatATokenWouldOfARealPersonAndSavesNothing(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		ann := o.create(o.T, "ann@example.com")
		p, err := o.people.Person(o.Context(), ann.ID)
		o.must(err)
		p.User.Profile.Name, p.User.Metadata.Public = "</pre><script>x</script>", []byte(`{"blob":"`+strings.Repeat("x", 2200)+`"}`)
		o.must(o.people.SaveUser(o.Context(), p.User))
		typed := func(claims, who string) []string {
			return []string{"name", "", "claims", claims, "key", "issuer", "do", "preview", "who", who}
		}
		b.Get("/operator/templates/new?from=blank").Post("/operator/templates", typed(`{"who": "{{user.name}}", "mail": "{{user.primary_email_address}}"}`, "ann@example.com")...).
			Want(200, `id="preview-claims"`, "ann@example.com", `data-weight="light"`, string(ann.ID), "&lt;script&gt;x").WantNot("<script>x", "eyJ")
		if e := o.happened(t, event.TemplatePreviewed); len(e) != 1 || e[0].User != string(ann.ID) {
			t.Errorf("it leaves %+v", e)
		}
		b.Post("/operator/templates", typed(`{"all": "{{user.public_metadata}}"}`, string(ann.ID))...).Want(200, `data-weight="heavy"`, "Over 2 KB")
		b.Post("/operator/templates", typed(`{"all": "{{user.public_metadata}}", "again": "{{user.public_metadata}}"}`, string(ann.ID))...).Want(200, "Over 3.5 KB")
		b.Post("/operator/templates", typed(`{"a": "{{user.public_metadata}}", "b": "{{user.public_metadata}}", "c": "{{user.public_metadata}}"}`, string(ann.ID))...).Want(200, `data-weight="too_heavy"`)
		b.Post("/operator/templates", typed(`{"a": "{{user.emial}}"}`, "ann@example.com")...).Want(422, `id="preview-error"`, `data-line="1"`)
		b.Post("/operator/templates", typed(`{}`, "nobody@example.com")...).Want(422, `id="who-error"`)
		b.Post("/operator/templates", typed(`{}`, "")...).Want(422, `id="who-error"`)
		if all, err := o.templates.List(o.Context()); err != nil || len(all) != 0 {
			t.Fatalf("a preview was kept: %v %v", all, err)
		}
		kept := billing()
		kept.Key = ownKey()
		_, err = o.templates.Create(o.Context(), kept, "system")
		o.must(err)
		b.Get("/operator/templates/billing").Post("/operator/templates/billing", "claims", `{"a": "b-typed"}`, "key", "keep", "algorithm", "HS256", "lifetime", "60", "do", "preview", "who", "ann@example.com").
			Want(200, "&#34;a&#34;: &#34;b-typed&#34;").WantNot("zork", "eyJ")
		if x := o.template("billing"); strings.Contains(string(x.Claims), "b-typed") || x.Version != 1 || x.Lifetime != 300 {
			t.Errorf("a preview was saved: %+v", x)
		}
	})
}

func TestTheSessionTemplateHasClaimsAlone(t *testing.T) {
	offices(t, func(o *office) {
		b, _ := o.signedIn("op@example.com", true)
		b.Get("/operator/templates/new?from=session").Want(200, `name="name" value="session"`).WantNot(`id="lifetime"`, `id="key-new"`)
		b.Post("/operator/templates", "name", "session", "claims", `{"roles": "{{user.roles}}"}`).Follow().Want(200, "await idp.getToken()").WantNot(`id="lifetime"`)
		b.Post("/operator/templates/session", "claims", `{"groups": "{{user.groups}}"}`, "lifetime", "9000", "key", "new", "signing_key", "zork-zork-key-of-32-bytes-exactly").Follow().Want(200, "Saved.")
		if x := o.template("session"); x.Lifetime != 60 || !x.Key.None() || !strings.Contains(string(x.Claims), "groups") {
			t.Errorf("%+v", x)
		}
		b.Get("/operator/templates/new").Want(200, `href="/operator/templates/session"`)
	})
}

func TestOnlyOperatorsFindTemplates(t *testing.T) {
	offices(t, func(o *office) {
		_, err := o.templates.Create(o.Context(), billing(), "system")
		o.must(err)
		eve, _ := o.signedIn("eve@example.com", false)
		for _, path := range []string{"/operator/templates", "/operator/templates/new", "/operator/templates/billing"} {
			eve.Get(path).Want(404)
		}
		eve.Get("/form")
		eve.Post("/operator/templates", "name", "mine", "claims", "{}", "key", "issuer").Want(404)
		eve.Post("/operator/templates/billing", "claims", `{"role": "admin"}`, "key", "issuer").Want(404)
		eve.Post("/operator/templates/billing", "claims", "{}", "do", "preview", "who", "eve@example.com").Want(404)
		eve.Post("/operator/templates/billing/delete").Want(404)
		if x := o.template("billing"); x.Version != 1 {
			t.Errorf("%+v", x)
		}
		op, _ := o.signedIn("op@example.com", true)
		op.Get("/operator/templates/billing").Post("/operator/templates/billing/delete").Follow().Want(200, "The template is deleted")
		if _, err := o.templates.Get(o.Context(), "billing"); !problem.Is(err, problem.NotFound) {
			t.Error("it is still there")
		}
	})
}
