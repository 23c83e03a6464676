package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"idp/identity"
	"idp/internal/secret"
	"idp/provider"
	"idp/storage"
	"idp/token"
)

func TestATemplateAddsItsClaimsToTheTokensOfAnApp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.template(token.Template{Name: "hasura", Lifetime: 60, Claims: json.RawMessage(`{
			"https://hasura.io/jwt/claims": {"x-hasura-default-role": "{{user.public_metadata.role || 'user'}}", "x-hasura-user-id": "{{user.id}}"},
			"email": "{{user.primary_email_address}}", "groups": ["all"], "since": "{{user.created_at}}", "badge": "{{user.external_id || 'none'}}"
		}`)})
		w.template(token.Template{Name: "api", Lifetime: 60, Claims: json.RawMessage(`{"team": "{{user.private_metadata.team}}"}`)})
		c, key := w.client(func(c *provider.Client) {
			asJWT(c)
			c.Scopes = []string{"openid", "email", "groups", "offline_access"}
			c.IDTokenTemplate, c.AccessTokenTemplate = "hasura", "api"
		})
		ada := w.person("Ada")
		w.groups(ada, []string{"staff"}, nil, identity.Metadata{Public: json.RawMessage(`{"role":"editor"}`), Private: json.RawMessage(`{"team":{"id":7}}`)})
		b := w.browser()
		b.signIn(ada)
		got := b.tokens(c, key, "scope", "openid email groups")
		_, id := w.signed(got.ID)
		hasura, _ := id["https://hasura.io/jwt/claims"].(map[string]any)
		if hasura["x-hasura-default-role"] != "editor" || hasura["x-hasura-user-id"] != string(ada) || id["email"] != "ada@example.com" ||
			!slices.Equal(texts(id["groups"]), []string{"all"}) || id["since"] != float64(w.clock.Now().Unix()) || id["badge"] != "none" || id["aud"] != string(c.ID) || id["nonce"] != "n-0S6" {
			t.Errorf("ID token %v", id)
		}
		_, access := w.signed(got.Access)
		team, _ := access["team"].(map[string]any)
		if team["id"] != float64(7) || !slices.Equal(texts(access["groups"]), []string{"staff"}) || access["badge"] != nil {
			t.Errorf("access token %v", access)
		}
		// Userinfo is what scopes give, and nothing else.
		rec := w.userinfo(got.Access)
		if rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), "hasura") || strings.Contains(rec.Body.String(), "team") || !strings.Contains(rec.Body.String(), `"staff"`) {
			t.Errorf("userinfo %d %s", rec.Code, rec.Body)
		}
		// What is true later is in later tokens.
		w.groups(ada, nil, nil, identity.Metadata{Private: json.RawMessage(`{"team":{"id":8}}`)})
		got = b.tokens(c, key, "scope", "openid email groups")
		again := read(t, w.refresh(c, key, got.Refresh), http.StatusOK)
		_, access = w.signed(again.Access)
		if team, _ = access["team"].(map[string]any); team["id"] != float64(8) {
			t.Errorf("refreshed %v", access)
		}
	})
}

func TestATemplateThatCannotSpeakKeepsNobodyFromSigningIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.template(token.Template{Name: "gone", Lifetime: 60, Claims: json.RawMessage(`{"extra":"{{user.public_metadata}}"}`)})
		c, key := w.client(func(c *provider.Client) {
			asJWT(c)
			c.IDTokenTemplate, c.AccessTokenTemplate = "gone", "gone"
		})
		b := w.browser()
		ada := w.person("Ada")
		b.signIn(ada)
		extra := func(about string, want bool) {
			t.Helper()
			got := b.tokens(c, key)
			_, id := w.signed(got.ID)
			_, access := w.signed(got.Access)
			if (id["extra"] != nil) != want || (access["extra"] != nil) != want {
				t.Errorf("%s: ID token %v, access token %v", about, id, access)
			}
			w.wantAlive(got.Access)
		}
		w.groups(ada, nil, nil, identity.Metadata{Public: json.RawMessage(`{"a":1}`)})
		extra("as it should be", true)
		w.groups(ada, nil, nil, identity.Metadata{Public: json.RawMessage(`{"a":"` + strings.Repeat("x", 7900) + `"}`)})
		extra("too large to sign", false)
		w.groups(ada, nil, nil, identity.Metadata{Public: json.RawMessage(`{"a":1}`)})
		w.drop("gone")
		extra("deleted", false)
		w.template(token.Template{
			Name: "gone", Lifetime: 60, Claims: json.RawMessage(`{"extra":1,"sub":"{{user.id}}","iss":"https://elsewhere.example"}`), Algorithm: "HS256",
			Key: token.CustomKey{Material: secret.NewString("a secret of well over thirty-two bytes"), SetAt: w.clock.Now()},
		})
		extra("with a key of its own", false)
	})
}

func TestNoTemplateOverridesWhatTheProtocolMeans(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) { asJWT(c); c.Scopes = []string{"openid", "email"} })
		b := w.browser()
		b.signIn(w.person("Ada"))
		protocol := []string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "auth_time", "nonce", "acr", "amr", "sid", "at_hash", "c_hash", "azp", "client_id", "scope", "cnf", "act"}
		for n, name := range protocol {
			// The table itself is written to: saving would refuse such claims.
			for k, spelled := range []string{name, strings.ToUpper(name)} {
				at := fmt.Sprintf("t%d-%d", n, k)
				claims, err := json.Marshal(map[string]any{spelled: "forged", "fine": true})
				must(t, err)
				must(t, storage.NewTemplates(w.db).SaveTemplate(t.Context(), token.Template{Name: at, Lifetime: 60, Claims: claims}))
			}
		}
		must(t, w.speaking.Reload(t.Context()))
		for n := range protocol {
			_, err := w.clients.Update(t.Context(), c.ID, "operator:cli", func(c *provider.Client) error {
				c.IDTokenTemplate, c.AccessTokenTemplate = fmt.Sprintf("t%d-0", n), fmt.Sprintf("t%d-1", n)
				return nil
			})
			if err == nil {
				t.Errorf("an app may name a template that sets %s", protocol[n])
			}
		}

		// Nor does one that got past the rules.
		own, err := token.Compile(token.Template{
			Name: "own", Lifetime: 60, Claims: json.RawMessage(`{"iss":"https://forged.example","sub":"forged","fine":true}`), Algorithm: "HS256",
			Key: token.CustomKey{Material: secret.NewString("a secret of well over thirty-two bytes"), SetAt: w.clock.Now()},
		})
		must(t, err)
		own.Key = token.CustomKey{}
		w.clients.Templates = one{own}
		w.wire(provider.Deps{Templates: one{own}})
		_, err = w.clients.Update(t.Context(), c.ID, "operator:cli", func(c *provider.Client) error {
			c.IDTokenTemplate, c.AccessTokenTemplate = "own", "own"
			return nil
		})
		must(t, err)
		got := b.tokens(c, key, "scope", "openid email")
		for _, raw := range []string{got.ID, got.Access} {
			if v, claims := w.signed(raw); strings.Contains(string(v.Claims), "forged") || claims["fine"] != true || claims["iss"] != issuer {
				t.Errorf("%s", v.Claims)
			}
		}
	})
}

// one is a template under every name.
type one struct{ *token.Compiled }

func (o one) Get(string) (*token.Compiled, error) { return o.Compiled, nil }

func (o one) Hold(context.Context, string) (*token.Compiled, error) { return o.Compiled, nil }

func TestATemplateCostsNoStatement(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.template(token.Template{Name: "team", Lifetime: 60, Claims: json.RawMessage(`{"team":"{{user.public_metadata.team}}"}`)})
		plain, plainKey := w.client(nil)
		rich, richKey := w.client(func(c *provider.Client) {
			asJWT(c)
			c.IDTokenTemplate, c.AccessTokenTemplate = "team", "team"
		})
		b := w.browser()
		b.signIn(w.person("Ada"))
		cost := func(c provider.Client, key string) []int {
			b.tokens(c, key) // the client is in memory from here on
			var all []int
			count := func(do func()) {
				w.count.Reset()
				do()
				all = append(all, w.count.Statements(), w.count.Transactions())
			}
			code := b.code(ask(c))
			var got answer
			count(func() { got = read(t, w.redeem(c, key, code), http.StatusOK) })
			count(func() { got = read(t, w.refresh(c, key, got.Refresh), http.StatusOK) })
			count(func() { w.wantAlive(got.Access) })
			return all
		}
		if without, with := cost(plain, plainKey), cost(rich, richKey); !slices.Equal(without, with) {
			t.Errorf("statements and transactions: %v without, %v with", without, with)
		}
	})
}
