package admin_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"idp/provider"
	"idp/token"
)

func TestAnOperatorChangesEverySettingOfAnApp(t *testing.T) {
	offices(t, func(o *office) {
		b, op := o.signedIn("op@example.com", true)
		c, _, err := o.clients.Create(o.Context(), provider.Client{Name: "Acme", RedirectURIs: []string{"https://app.acme.org/cb"}, LogoURI: "https://app.acme.org/l.png"}, string(op.ID))
		o.must(err)
		path := "/operator/apps/" + string(c.ID)
		look := func() provider.Client {
			t.Helper()
			found, err := o.clients.Get(o.Context(), c.ID)
			o.must(err)
			return found
		}
		b.Get(path).Want(200, `value="id_token token"`, "legacy", "All settings as JSON", "https://app.acme.org/l.png")
		b.Post(path, "name", "Acme", "redirect_uris", "https://app.acme.org/cb", "response_types", "code id_token", "backchannel_logout_uri", "https://app.acme.org/out",
			"frontchannel_logout_uri", "https://app.acme.org/front", "id_token_claims", "yes", "require_pkce", "yes", "require_par", "yes").Follow().Want(200, "Saved.")
		now := look()
		if !now.IDTokenClaims || !now.RequirePKCE || !now.RequirePAR || now.BackchannelLogoutURI == "" || now.FrontchannelLogoutURI == "" || now.LogoURI == "" ||
			!slices.Equal(now.ResponseTypes, []string{"code id_token"}) || !slices.Contains(now.GrantTypes, "implicit") {
			t.Errorf("%+v", now)
		}
		b.Post(path, "name", "Acme", "redirect_uris", "https://app.acme.org/cb", "response_types", "code", "frontchannel_logout_uri", "https://evil.example/").
			Want(422, `id="app-frontchannel-error"`, "https://evil.example/")
		b.Post(path, "name", "Acme", "redirect_uris", "https://app.acme.org/cb", "response_types", "code").Follow().Want(200, "Saved.")
		if now := look(); now.IDTokenClaims || now.BackchannelLogoutURI != "" || slices.Contains(now.GrantTypes, "implicit") {
			t.Errorf("what is unticked stays: %+v", now)
		}

		b.Get(path).Post(path+"/metadata", "metadata", `{"client_name": "Acme", "redirect_uris": ["https://app.acme.org/cb"], "jwks_uri": "http://10.0.0.1/"}`).
			Want(422, `id="app-json-error"`, "jwks_uri: Give an https address", "10.0.0.1")
		b.Post(path+"/metadata", "metadata", `{"client_name": <`).Want(422, "one JSON object")
		b.Post(path+"/metadata", "metadata", `{"client_name": "Acme", "redirect_uris": ["https://app.acme.org/cb"], "scope": "openid orders:read", "require_auth_time": true}`).Follow().Want(200, "Saved.")
		if now := look(); now.LogoURI != "" || !slices.Contains(now.Scopes, "orders:read") || !now.RequireAuthTime {
			t.Errorf("%+v", now)
		}
		b.Get(path).Post(path+"/metadata", "metadata", `{"client_name": "Acme", "redirect_uris": ["https://app.acme.org/cb"], "id_token_signed_response_alg": "HS256"}`).
			Want(201, "New secret for Acme", "client-secret")
		if kept := look().Secrets; len(kept) != 1 || kept[0].Value.Empty() || !strings.Contains(b.Page, kept[0].Value.Reveal()) {
			t.Error("the secret that was shown is not the one that is kept")
		}
		b.Get(path).Want(200).WantNot(look().Secrets[0].Value.Reveal())

		stranger, _ := o.signedIn("somebody@example.com", false)
		stranger.Get("/form").Post(path+"/metadata", "metadata", `{"client_name": "Mine", "redirect_uris": ["https://evil.example/"]}`).Want(404)
		if look().Name != "Acme" {
			t.Error("somebody who is no operator changed an app")
		}
	})
}

// spoken are those of the office, which have nothing to say.
type spoken map[string]token.Template

func (all spoken) Get(name string) (*token.Compiled, error) {
	if _, there := all[name]; !there {
		return nil, token.ErrTemplate
	}
	return token.Compile(all[name])
}

func (all spoken) Hold(_ context.Context, name string) (*token.Compiled, error) { return all.Get(name) }

func TestAnOperatorSaysWhatTheTokensOfAnAppAre(t *testing.T) {
	offices(t, func(o *office) {
		o.clients.Templates = spoken{"team": {Name: "team", Lifetime: 60, Claims: json.RawMessage(`{"team":"blue"}`)}}
		o.pages.ForApps = func() []string { return []string{"team"} }
		b, op := o.signedIn("op@example.com", true)
		c, _, err := o.clients.Create(o.Context(), provider.Client{Name: "Acme", RedirectURIs: []string{"https://app.acme.org/cb"}}, string(op.ID))
		o.must(err)
		path := "/operator/apps/" + string(c.ID)
		fields := func(more ...string) []string {
			return append([]string{"name", "Acme", "redirect_uris", "https://app.acme.org/cb"}, more...)
		}
		b.Get(path).Want(200, `id="app-format"`, `id="app-id-template"`, `<option value="team">`, "Opaque")
		b.Post(path, fields("response_types", "code", "access_token_format", "jwt", "access_token_signed_response_alg", "RS256", "id_token_template", "team", "access_token_template", "team")...).Follow().
			Want(200, "Saved.", `value="jwt" checked`, `<option selected>RS256</option>`, `<option value="team" selected>`)
		now, err := o.clients.Get(o.Context(), c.ID)
		o.must(err)
		if now.AccessTokenFormat != provider.JWT || now.AccessTokenAlgorithm != "RS256" || now.IDTokenTemplate != "team" || now.AccessTokenTemplate != "team" {
			t.Errorf("%+v", now)
		}
		b.Post(path, fields("response_types", "code", "access_token_format", "jwt", "access_token_signed_response_alg", "HS256")...).Want(422, `id="app-algorithm-error"`, "Supported are RS256")
		b.Post(path, fields("response_types", "id_token token", "access_token_format", "jwt")...).Want(422, `id="app-format-error"`, "do not come through the browser")
		b.Post(path, fields("response_types", "code", "access_token_format", "opaque", "access_token_template", "team")...).Want(422, `id="app-access-template-error"`, "has no claims")
		b.Post(path, fields("response_types", "code", "access_token_format", "opaque", "access_token_signed_response_alg", "RS256", "id_token_template", "")...).Follow().Want(200, "Saved.")
		if now, err = o.clients.Get(o.Context(), c.ID); err != nil || now.AccessTokenFormat != provider.Opaque || now.AccessTokenAlgorithm != "" || now.IDTokenTemplate != "" || now.AccessTokenTemplate != "" {
			t.Errorf("%v %+v", err, now)
		}
		// One that was deleted all the same stays named until somebody takes it away.
		_, err = o.clients.Update(o.Context(), c.ID, string(op.ID), func(c *provider.Client) error { c.IDTokenTemplate = "team"; return nil })
		o.must(err)
		o.clients.Templates, o.pages.ForApps = spoken{}, func() []string { return nil }
		b.Get(path).Want(200, `<option value="team" selected>`)
		b.Post(path, fields("response_types", "code", "id_token_template", "team")...).Follow().Want(200, "Saved.")
		b.Post(path, fields("response_types", "code", "id_token_template", "other")...).Want(422, `id="app-id-template-error"`, "no template of that name")
	})
}
