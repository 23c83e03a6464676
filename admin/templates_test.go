package admin_test

import (
	"encoding/json"
	"strings"
	"testing"

	"idp/admin"
	"idp/event"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/login"
	"idp/provider"
	"idp/storage"
	"idp/token"
)

// templates are the JWT templates of an instance whose relying parties are clients.
func (h *house) templates(t *testing.T, keys *token.KeySet, clients *provider.Clients) *admin.Templates {
	t.Helper()
	kept := &token.Templates{Store: storage.NewTemplates(h.db)}
	if err := kept.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	clients.Templates = kept
	return &admin.Templates{
		Kept: kept, Keys: keys, Using: clients.Using, Events: h.events, InTx: h.db.InTx, Now: h.clock.Now,
		Minter: &token.Minter{Keys: keys, Templates: kept, Store: storage.NewStandings(h.db), Issuer: "https://id.example", Origin: "https://id.example", Now: h.clock.Now},
	}
}

// study is what templates are tried on.
func studies(t *testing.T, f func(t *testing.T, h *house, x *admin.Templates, clients *provider.Clients)) {
	each(t, func(t *testing.T, h *house) {
		keys := &token.KeySet{Store: storage.NewKeys(h.db), Events: h.events, InTx: h.db.InTx, Now: h.clock.Now}
		if err := keys.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		clients := &provider.Clients{Store: storage.NewClients(h.db), Events: h.events, InTx: h.db.InTx, Now: h.clock.Now}
		f(t, h, h.templates(t, keys, clients), clients)
	})
}

func billing() token.Template {
	return token.Template{Name: "billing", Claims: []byte(`{"plan": "{{user.public_metadata.plan || 'free'}}"}`), Lifetime: 300, Skew: 10, Audience: []string{"billing"}}
}

func ownKey() token.CustomKey {
	return token.CustomKey{ID: "main", Material: secret.NewString("zork-zork-key-of-32-bytes-exactly")}
}

func TestATemplateIsMadeChangedAndDeletedAndTheTrailSaysWhatChanged(t *testing.T) {
	studies(t, func(t *testing.T, h *house, x *admin.Templates, _ *provider.Clients) {
		ctx := t.Context()
		made, err := x.Create(ctx, billing(), admin.CLI)
		if err != nil || made.Version != 1 || made.Algorithm != "ES256" || made.CreatedAt.IsZero() {
			t.Fatalf("%v %+v", err, made)
		}
		if c, err := x.Kept.Get("billing"); err != nil || c.Lifetime != 300 {
			t.Errorf("it is not in force: %v", err)
		}
		if _, err := x.Create(ctx, billing(), admin.CLI); !problem.HasCode(err, "template_exists") {
			t.Errorf("twice: %v", err)
		}
		next := made
		next.Lifetime, next.Algorithm, next.Key = 600, "HS256", ownKey()
		changed, err := x.Replace(ctx, "billing", next, admin.CLI)
		if err != nil || changed.Version != 2 || changed.Key.SetAt.IsZero() {
			t.Fatalf("%v %+v", err, changed)
		}
		if _, err := x.Replace(ctx, "billing", changed, admin.CLI); err != nil { // nothing is different
			t.Errorf("again: %v", err)
		}
		if _, err := x.Replace(ctx, "billing", next, admin.CLI); !problem.HasCode(err, "template_changed") {
			t.Errorf("a stale version: %v", err)
		}
		other := changed
		other.Name = "other"
		if _, err := x.Replace(ctx, "billing", other, admin.CLI); !problem.HasCode(err, "template_renamed") {
			t.Errorf("another name: %v", err)
		}
		keep := changed
		keep.Key.Material, keep.Audience = secret.String{}, nil
		if changed, err = x.Replace(ctx, "billing", keep, admin.CLI); err != nil || changed.Key.Material.Reveal() != ownKey().Material.Reveal() {
			t.Errorf("the key did not stay: %v", err)
		}
		gone := changed
		gone.Key, gone.Algorithm = token.CustomKey{}, ""
		if _, err = x.Replace(ctx, "billing", gone, admin.CLI); err != nil {
			t.Errorf("the key does not go: %v", err)
		}
		if err := x.Delete(ctx, "billing", admin.CLI); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Kept.Get("billing"); !problem.Is(err, problem.NotFound) {
			t.Errorf("it is still in force: %v", err)
		}
		if err := x.Delete(ctx, "billing", admin.CLI); !problem.Is(err, problem.NotFound) {
			t.Errorf("twice: %v", err)
		}
		var said []string
		all := h.happened(t, event.TemplateUpdated)
		for _, e := range all {
			said = append(said, e.Detail["changed"])
		}
		if got := strings.Join(said, ", "); got != "algorithm key, audience, algorithm key lifetime" {
			t.Errorf("the trail says %s", got)
		}
		all = append(all, append(h.happened(t, event.TemplateCreated), h.happened(t, event.TemplateDeleted)...)...)
		if text, err := json.Marshal(all); err != nil || len(all) != 5 || strings.Contains(string(text), "zork") {
			t.Errorf("%v %s", err, text)
		}
	})
}

func TestWhatIsWrongWithATemplateIsSaidOnTheMember(t *testing.T) {
	studies(t, func(t *testing.T, h *house, x *admin.Templates, _ *provider.Clients) {
		with := func(change func(*token.Template)) token.Template {
			t := billing()
			change(&t)
			return t
		}
		for why, c := range map[string]struct {
			template token.Template
			field    string
		}{
			"a reserved claim":         {with(func(t *token.Template) { t.Claims = []byte(`{"exp": 1}`) }), "claims"},
			"somebody else's subject":  {with(func(t *token.Template) { t.Claims = []byte(`{"sub": "admin"}`) }), "claims"},
			"an unknown shortcode":     {with(func(t *token.Template) { t.Claims = []byte(`{"a": "{{user.password}}"}`) }), "claims"},
			"no JSON":                  {with(func(t *token.Template) { t.Claims = []byte(`{"a": `) }), "claims"},
			"a secret of 31 bytes":     {with(func(t *token.Template) { t.Key.Material = secret.NewString("zork-zork-key-of-31-bytes-exact") }), "signing_key"},
			"HS256 with the issuer's":  {with(func(t *token.Template) { t.Algorithm = "HS256" }), "signing_key"},
			"an algorithm of nobody's": {with(func(t *token.Template) { t.Algorithm = "none" }), "algorithm"},
			"a name with a slash":      {with(func(t *token.Template) { t.Name = "../billing" }), "name"},
			"the name of a page":       {with(func(t *token.Template) { t.Name = "new" }), "name"},
			"a week":                   {with(func(t *token.Template) { t.Lifetime = 7 * 86400 }), "lifetime"},
			"a kid of ours":            {with(func(t *token.Template) { t.Key = ownKey(); t.Key.ID = x.Keys.Keys()[0].ID }), "signing_key"},
			"a key to keep":            {with(func(t *token.Template) { t.Key.ID = "main" }), "signing_key"},
		} {
			_, err := x.Create(t.Context(), c.template, admin.CLI)
			if !problem.Is(err, problem.Invalid) || problemOf(err).Field != c.field {
				t.Errorf("%s: %v on %s", why, err, problemOf(err).Field)
			}
		}
		if all, err := x.List(t.Context()); err != nil || len(all) != 0 || len(h.happened(t, event.TemplateCreated)) != 0 {
			t.Errorf("something is on file: %v %v", all, err)
		}
	})
}

func TestSavingATemplateForAnAlgorithmMakesItsKey(t *testing.T) {
	studies(t, func(t *testing.T, h *house, x *admin.Templates, _ *provider.Clients) {
		ann := h.create(t, "ann@example.com")
		p, err := h.people.Person(t.Context(), ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		eddsa := billing()
		eddsa.Algorithm = "EdDSA"
		if _, err := x.Create(t.Context(), eddsa, admin.CLI); err != nil {
			t.Fatal(err)
		}
		made, err := x.Preview(t.Context(), eddsa, token.Template{}, p, admin.CLI)
		if err != nil || made.Claims["plan"] != "free" {
			t.Fatalf("%v %+v", err, made.Claims)
		}
		v, err := x.Keys.Verify(t.Context(), token.Session, made.JWT.Reveal())
		if err != nil || v.Algorithm != "EdDSA" {
			t.Errorf("%v %+v", err, v)
		}
		hmac := billing()
		hmac.Key = ownKey()
		if made, err = x.Preview(t.Context(), hmac, token.Template{}, p, admin.CLI); err != nil {
			t.Fatal(err)
		}
		for _, purpose := range []token.Purpose{token.Session, token.OIDC} {
			if _, err := x.Keys.Verify(t.Context(), purpose, made.JWT.Reveal()); err == nil {
				t.Errorf("what a template's own key signed is believed here for %s", purpose)
			}
		}
	})
}

func TestATemplateThatAppsUseStays(t *testing.T) {
	studies(t, func(t *testing.T, _ *house, x *admin.Templates, clients *provider.Clients) {
		ctx := t.Context()
		made, err := x.Create(ctx, billing(), admin.CLI)
		if err != nil {
			t.Fatal(err)
		}
		app, _, err := clients.Create(ctx, provider.Client{Name: "Acme <b>", Type: provider.Web, RedirectURIs: []string{"https://acme.example/cb"}, IDTokenTemplate: "billing"}, admin.CLI)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Delete(ctx, "billing", admin.CLI); !problem.HasCode(err, "template_used") || !strings.Contains(problemOf(err).Detail, string(app.ID)) {
			t.Errorf("%v %s", err, problemOf(err).Detail)
		}
		made.Key, made.Algorithm = ownKey(), ""
		if _, err := x.Replace(ctx, "billing", made, admin.CLI); !problem.HasCode(err, "template_used") {
			t.Errorf("an app's tokens would be signed with another key: %v", err)
		}
		if now, err := x.Get(ctx, "billing"); err != nil || !now.Key.None() || now.Version != 1 {
			t.Errorf("%v %+v", err, now)
		}
		if _, err := clients.Update(ctx, app.ID, admin.CLI, func(c *provider.Client) error { c.IDTokenTemplate = ""; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := x.Delete(ctx, "billing", admin.CLI); err != nil {
			t.Errorf("nobody uses it: %v", err)
		}
	})
}

func TestNoAppNamesATemplateInTheMomentItGoesAway(t *testing.T) {
	studies(t, func(t *testing.T, h *house, x *admin.Templates, clients *provider.Clients) {
		ctx := t.Context()
		named := func() error {
			_, _, err := clients.Create(ctx, provider.Client{Name: "Acme", Type: provider.Web, RedirectURIs: []string{"https://acme.example/cb"}, IDTokenTemplate: "billing"}, admin.CLI)
			return err
		}
		for _, away := range []func(token.Template) error{
			func(token.Template) error { return x.Delete(ctx, "billing", admin.CLI) },
			func(own token.Template) error {
				own.Key, own.Algorithm = ownKey(), ""
				_, err := x.Replace(ctx, "billing", own, admin.CLI)
				return err
			},
		} {
			for range 12 {
				made, err := x.Create(ctx, billing(), admin.CLI)
				if err != nil {
					t.Fatal(err)
				}
				said := make(chan error)
				go func() { said <- named() }()
				gone, kept := away(made), <-said
				using, err := clients.Using(ctx, "billing")
				if err != nil {
					t.Fatal(err)
				}
				switch now, err := x.Get(ctx, "billing"); {
				case (gone == nil) == (kept == nil) || gone != nil && !problem.HasCode(gone, "template_used") || kept != nil && !problem.Is(kept, problem.Invalid):
					t.Fatalf("it goes away: %v, and an app names it: %v", gone, kept)
				case kept == nil && (err != nil || !now.Key.None() || len(using) != 1), kept != nil && len(using) != 0:
					t.Fatalf("%v: %+v, named by %d", err, now, len(using))
				}
				for _, app := range using {
					if err := clients.Delete(ctx, app.ID, admin.CLI); err != nil {
						t.Fatal(err)
					}
				}
				if err := x.Delete(ctx, "billing", admin.CLI); err != nil && !problem.Is(err, problem.NotFound) {
					t.Fatal(err)
				}
			}
		}

		// What another process does is not in memory here: the row decides.
		if _, err := x.Create(ctx, billing(), admin.CLI); err != nil {
			t.Fatal(err)
		}
		if err := x.Kept.Store.DropTemplate(ctx, "billing"); err != nil {
			t.Fatal(err)
		}
		if err := named(); !problem.HasCode(err, "template_unknown") {
			t.Errorf("one that another process deleted a moment ago: %v", err)
		}
	})
}

func TestATemplateSaysAPresetThatThereIs(t *testing.T) {
	studies(t, func(t *testing.T, _ *house, x *admin.Templates, _ *provider.Clients) {
		ctx := t.Context()
		odd := billing()
		odd.Preset = "superbase"
		if _, err := x.Create(ctx, odd, admin.CLI); !problem.HasCode(err, "preset_unknown") || problemOf(err).Field != "preset" {
			t.Errorf("made: %v", err)
		}
		known := billing()
		known.Preset = "supabase"
		made, err := x.Create(ctx, known, admin.CLI)
		if err != nil || made.Preset != "supabase" {
			t.Fatalf("%v %+v", err, made)
		}
		made.Preset = "superbase"
		if _, err := x.Replace(ctx, "billing", made, admin.CLI); !problem.HasCode(err, "preset_unknown") {
			t.Errorf("changed: %v", err)
		}
		// One that this release has no more stays what it is.
		old := billing()
		old.Name, old.Preset = "old", "of-long-ago"
		if err := x.Kept.Store.SaveTemplate(ctx, old); err != nil {
			t.Fatal(err)
		}
		old.Lifetime = 120
		if now, err := x.Replace(ctx, "old", old, admin.CLI); err != nil || now.Lifetime != 120 || now.Preset != "of-long-ago" {
			t.Errorf("%v %+v", err, now)
		}
	})
}

func TestATokenThatAnOperatorTakesIsInTheTrailAndNobodyBannedHasOne(t *testing.T) {
	studies(t, func(t *testing.T, h *house, x *admin.Templates, _ *provider.Clients) {
		ctx := t.Context()
		ann := h.create(t, "ann@example.com")
		if _, err := x.Create(ctx, billing(), admin.CLI); err != nil {
			t.Fatal(err)
		}
		look := func() login.Person {
			p, err := h.people.Person(ctx, ann.ID)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		if _, err := x.Preview(ctx, billing(), token.Template{}, look(), "user_op"); err != nil {
			t.Fatal(err)
		}
		if e := h.happened(t, event.TemplatePreviewed); len(e) != 1 || e[0].User != string(ann.ID) || e[0].Actor != "user_op" || e[0].Detail["template"] != "billing" {
			t.Errorf("a preview left %+v", e)
		}
		made, err := x.Token(ctx, "billing", look(), admin.CLI)
		if err != nil || made.Claims["sub"] != string(ann.ID) || made.Claims["sid"] != nil {
			t.Fatalf("%v %+v", err, made.Claims)
		}
		if e := h.happened(t, event.TemplateTokenTaken); len(e) != 1 || e[0].User != string(ann.ID) || e[0].Actor != admin.CLI || e[0].Detail["template"] != "billing" {
			t.Errorf("%+v", e)
		}
		if err := h.users.Ban(ctx, ann.ID, admin.CLI); err != nil {
			t.Fatal(err)
		}
		if made, err := x.Token(ctx, "billing", look(), admin.CLI); !problem.Is(err, problem.Conflict) || !made.JWT.Empty() {
			t.Errorf("%v", err)
		}
	})
}
