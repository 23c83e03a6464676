package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/provider"
	"idp/storage"
	"idp/token"
)

// template keeps a token template and takes it into memory.
func (w *world) template(t token.Template) {
	w.t.Helper()
	store := storage.NewTemplates(w.db)
	must(w.t, store.SaveTemplate(w.t.Context(), t))
	must(w.t, w.speaking.Reload(w.t.Context()))
}

func (w *world) drop(name string) {
	w.t.Helper()
	must(w.t, storage.NewTemplates(w.db).DropTemplate(w.t.Context(), name))
	must(w.t, w.speaking.Reload(w.t.Context()))
}

// signed checks that a key of ours signed the token, and returns what it says.
func (w *world) signed(raw string) (token.Verified, map[string]any) {
	w.t.Helper()
	v, err := w.keys.Verify(w.t.Context(), token.OIDC, raw)
	if err != nil {
		w.t.Fatalf("%v: %s", err, raw)
	}
	var claims map[string]any
	must(w.t, json.Unmarshal(v.Claims, &claims))
	return v, claims
}

func asJWT(c *provider.Client) { c.AccessTokenFormat = provider.JWT }

func texts(list any) []string {
	var all []string
	for _, one := range list.([]any) {
		all = append(all, one.(string))
	}
	return all
}

func (w *world) groups(id identity.UserID, groups, roles []string, metadata identity.Metadata) {
	w.t.Helper()
	people := storage.NewPeople(w.db)
	p, err := people.Person(w.t.Context(), id)
	must(w.t, err)
	p.User.Groups, p.User.Roles, p.User.Metadata = groups, roles, metadata
	must(w.t, people.SaveUser(w.t.Context(), p.User))
}

func TestAnAccessTokenIsAJWTForAnAppThatIsRegisteredForThem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) {
			asJWT(c)
			c.Scopes = []string{"openid", "profile", "email", "groups", "roles", "offline_access"}
			c.Audience = []string{"https://api.example.org"}
		})
		ada := w.person("Ada")
		w.groups(ada, []string{"staff"}, []string{"editor"}, identity.Metadata{})
		b := w.browser()
		s := b.signIn(ada)
		got := b.tokens(c, key, "scope", "openid email groups offline_access")
		head, claims := w.signed(got.Access)
		if head.Type != "at+jwt" || head.Algorithm != "ES256" {
			t.Errorf("header %s %s", head.Type, head.Algorithm)
		}
		now := w.clock.Now()
		want := map[string]any{
			"iss": issuer, "sub": string(ada), "client_id": string(c.ID), "scope": "email groups offline_access openid",
			"iat": float64(now.Unix()), "exp": float64(now.Add(10 * time.Minute).Unix()), "auth_time": float64(s.AuthTime.Unix()), "acr": "aal1",
		}
		for name, value := range want {
			if claims[name] != value {
				t.Errorf("%s is %v, want %v", name, claims[name], value)
			}
		}
		if !slices.Equal(texts(claims["aud"]), []string{"https://api.example.org", issuer}) {
			t.Errorf("aud %v", claims["aud"])
		}
		if !slices.Equal(texts(claims["groups"]), []string{"staff"}) || claims["roles"] != nil || claims["email"] != nil || claims["jti"] == "" || !slices.Equal(texts(claims["amr"]), []string{"pwd"}) {
			t.Errorf("claims %v", claims)
		}
		_, id := w.signed(got.ID)
		if id["at_hash"] == nil {
			t.Error("the ID token does not say which access token it goes with")
		}

		again := read(t, w.refresh(c, key, got.Refresh, "scope", "openid"), http.StatusOK)
		_, narrowed := w.signed(again.Access)
		if narrowed["scope"] != "openid" || narrowed["groups"] != nil || narrowed["jti"] == claims["jti"] || narrowed["sub"] != string(ada) {
			t.Errorf("refreshed: %v", narrowed)
		}
	})
}

func TestAJWTAccessTokenIsAsExactAsAnyOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(asJWT)
		api, apiKey := w.client(func(c *provider.Client) { c.Name, c.MayIntrospect = "API", true })
		b := w.browser()
		s := b.signIn(w.person("Ada"))
		introspected := func(access string) bool {
			t.Helper()
			rec := w.post("/oauth2/introspect", api, apiKey, "token", access)
			var answer struct{ Active bool }
			must(t, json.Unmarshal(rec.Body.Bytes(), &answer))
			return answer.Active
		}
		dead := func(access string) {
			t.Helper()
			w.wantDead(access)
			if introspected(access) {
				t.Error("introspection says that it is active")
			}
		}

		first := b.tokens(c, key)
		w.wantAlive(first.Access)
		if !introspected(first.Access) {
			t.Error("introspection says that it is not active")
		}
		if rec := w.post("/oauth2/revoke", c, key, "token", first.Access); rec.Code != http.StatusOK {
			t.Fatal(rec.Code, rec.Body)
		}
		dead(first.Access)

		reused := b.tokens(c, key)
		second := read(t, w.refresh(c, key, reused.Refresh), http.StatusOK)
		w.wantAlive(second.Access)
		w.clock.Add(time.Minute)
		wantError(t, w.refresh(c, key, reused.Refresh), http.StatusBadRequest, "invalid_grant")
		dead(second.Access)

		expiring := b.tokens(c, key)
		w.clock.Add(10 * time.Minute)
		dead(expiring.Access)

		left := b.tokens(c, key, "scope", "openid")
		w.wantAlive(left.Access)
		must(t, w.keeper.End(t.Context(), s, "user"))
		dead(left.Access)
	})
}

func TestAnAccessTokenByAWithdrawnKeyIsDead(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(asJWT)
		b := w.browser()
		b.signIn(w.person("Ada"))
		got := b.tokens(c, key)
		head, _ := w.signed(got.Access)
		must(t, w.keys.Retire(t.Context(), head.KeyID, "operator:cli"))
		w.wantDead(got.Access)
	})
}

func TestOnlyAnAccessTokenOfOursIsOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(asJWT)
		b := w.browser()
		ada := w.person("Ada")
		b.signIn(ada)
		got := b.tokens(c, key)
		_, claims := w.signed(got.Access)
		sign := func(p token.Purpose, algorithm, typ string) string {
			raw, err := w.keys.Sign(t.Context(), p, algorithm, typ, claims)
			must(t, err)
			return raw
		}
		before := w.count.Statements()
		for about, raw := range map[string]string{
			"the ID token":                      got.ID,
			"a session token":                   sign(token.Session, token.ES256, "JWT"),
			"a session token that says at+jwt":  sign(token.Session, token.ES256, "at+jwt"),
			"an ID token with the same claims":  sign(token.OIDC, token.ES256, "JWT"),
			"one that is on no file":            sign(token.OIDC, token.ES256, "at+jwt"),
			"alg none":                          "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + strings.Split(got.Access, ".")[1] + ".",
			"the signature cut short":           got.Access[:len(got.Access)-4],
			"dots":                              strings.Repeat(".", 6_000),
			"the other spelling of a signature": respelled(got.Access),
		} {
			if rec := w.userinfo(raw); rec.Code != http.StatusUnauthorized {
				t.Errorf("%s: userinfo says %d", about, rec.Code)
			}
			if rec := w.post("/oauth2/revoke", c, key, "token", raw); rec.Code != http.StatusOK {
				t.Errorf("%s: revocation says %d", about, rec.Code)
			}
		}
		if n := w.count.Statements() - before; n > 40 {
			t.Errorf("%d statements", n)
		}
		w.wantAlive(got.Access)

		// Nor is it an ID token: not as a hint, and not of its own app.
		rec := b.authorize(ask(c, "id_token_hint", got.Access, "prompt", "none"))
		if e := back(t, rec).Get("error"); e == "" {
			t.Error("an access token was taken as a hint")
		}
	})
}

// respelled changes bits of the last character that no byte is made of.
func respelled(raw string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, raw[len(raw)-1])
	return raw[:len(raw)-1] + string(alphabet[last|1])
}

func TestAMachineGetsAJWTThatSpeaksForItself(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) {
			asJWT(c)
			c.Type, c.RedirectURIs, c.Scopes, c.Audience = provider.Machine, nil, []string{"orders:read"}, []string{"orders", "stock"}
		})
		get := func(pairs ...string) map[string]any {
			t.Helper()
			a := read(t, w.post("/oauth2/token", c, key, append([]string{"grant_type", "client_credentials", "scope", "orders:read"}, pairs...)...), http.StatusOK)
			head, claims := w.signed(a.Access)
			if head.Type != "at+jwt" || claims["sub"] != string(c.ID) || claims["client_id"] != string(c.ID) || claims["scope"] != "orders:read" || claims["auth_time"] != nil || claims["acr"] != nil {
				t.Errorf("%s %v", head.Type, claims)
			}
			return claims
		}
		if aud := get()["aud"]; !slices.Equal(texts(aud), []string{"orders", "stock"}) {
			t.Errorf("aud %v", aud)
		}
		if aud := get("resource", "stock")["aud"]; aud != "stock" {
			t.Errorf("aud %v", aud)
		}
		rec := w.post("/oauth2/token", c, key, "grant_type", "client_credentials", "resource", "https://elsewhere.example")
		wantError(t, rec, http.StatusBadRequest, "invalid_target")
		rec = w.post("/oauth2/token", c, key, "grant_type", "client_credentials", "audience", "elsewhere")
		wantError(t, rec, http.StatusBadRequest, "invalid_target")
	})
}

func TestAnAccessTokenIsForTheAPIsThatWereAskedForAndNoOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) {
			asJWT(c)
			c.Audience = []string{"https://a.example", "https://b.example", "https://c.example"}
		})
		b := w.browser()
		b.signIn(w.person("Ada"))
		api, apiKey := w.machine(func(c *provider.Client) { c.MayIntrospect = true })
		aud := func(a answer) string {
			t.Helper()
			_, claims := w.signed(a.Access)
			var told map[string]any // to an API that asks instead of verifying
			must(t, json.Unmarshal(w.post("/oauth2/introspect", api, apiKey, "token", a.Access).Body.Bytes(), &told))
			if told["active"] != true || !reflect.DeepEqual(told["aud"], claims["aud"]) {
				t.Errorf("introspection says %v, the token is for %v", told, claims["aud"])
			}
			if one, ok := claims["aud"].(string); ok {
				return one
			}
			return strings.Join(texts(claims["aud"]), " ")
		}
		two := ask(c)
		two["resource"] = []string{"https://b.example", "https://a.example"}
		got := read(t, w.redeem(c, key, b.code(two)), http.StatusOK)
		if aud(got) != "https://a.example https://b.example" {
			t.Errorf("aud %s", aud(got))
		}
		got = read(t, w.refresh(c, key, got.Refresh, "resource", "https://b.example"), http.StatusOK)
		if aud(got) != "https://b.example" {
			t.Errorf("aud %s", aud(got))
		}
		wantError(t, w.refresh(c, key, got.Refresh, "resource", "https://c.example"), http.StatusBadRequest, "invalid_target")
		_, err := w.clients.Update(t.Context(), c.ID, "operator:cli", func(c *provider.Client) error { c.Audience = c.Audience[1:]; return nil })
		must(t, err)
		got = read(t, w.refresh(c, key, got.Refresh), http.StatusOK)
		if aud(got) != "https://b.example" {
			t.Errorf("aud %s, and the client lost the other API", aud(got))
		}
		if all := b.tokens(c, key); aud(all) != "https://b.example https://c.example "+issuer {
			t.Errorf("aud %s", aud(all))
		}
		if e := back(t, b.authorize(ask(c, "resource", "https://elsewhere.example"))).Get("error"); e != "invalid_target" {
			t.Errorf("error %q", e)
		}
		// Without a meaning it is no error: many clients send it to everybody.
		opaque, opaqueKey := w.client(nil)
		b.tokens(opaque, opaqueKey, "resource", "https://elsewhere.example")
	})
}

func TestUserinfoTakesNoAccessTokenThatIsForOtherAPIsAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const api, other = "https://a.example", "https://b.example"
		c, key := w.client(func(c *provider.Client) {
			asJWT(c)
			c.Audience, c.RedirectURIs = []string{api, other}, append(c.RedirectURIs, "https://spa.example/cb")
		})
		b := w.browser()
		b.signIn(w.person("Ada"))
		refused := func(a answer) {
			t.Helper()
			rec := w.userinfo(a.Access)
			said := rec.Header().Get("WWW-Authenticate")
			if rec.Code != http.StatusUnauthorized || !strings.Contains(said, `error="invalid_token"`) || !strings.Contains(said, "its aud does not name this issuer") || strings.Contains(rec.Body.String(), "Ada") {
				t.Errorf("userinfo says %d %s %s", rec.Code, said, rec.Body)
			}
		}
		got := b.tokens(c, key, "resource", api)
		refused(got)
		// What is said of it elsewhere stays, for it is good: where it is meant.
		if rec := w.post("/oauth2/introspect", c, key, "token", got.Access); !strings.Contains(rec.Body.String(), `"active":true`) || !strings.Contains(rec.Body.String(), `"aud":"`+api+`"`) {
			t.Errorf("introspection says %s", rec.Body)
		}
		refused(read(t, w.refresh(c, key, got.Refresh), http.StatusOK))
		wantError(t, w.refresh(c, key, got.Refresh, "resource", issuer), http.StatusBadRequest, "invalid_target")

		all := b.tokens(c, key)
		w.wantAlive(all.Access)
		refused(read(t, w.refresh(c, key, all.Refresh, "resource", other), http.StatusOK))
		both := ask(c)
		both["resource"] = []string{api, issuer}
		got = read(t, w.redeem(c, key, b.code(both)), http.StatusOK)
		w.wantAlive(got.Access)
		if _, claims := w.signed(got.Access); !slices.Equal(texts(claims["aud"]), []string{api, issuer}) {
			t.Errorf("aud %v", claims["aud"])
		}
		ours := read(t, w.refresh(c, key, got.Refresh, "resource", issuer), http.StatusOK)
		w.wantAlive(ours.Access)
		if _, claims := w.signed(ours.Access); claims["aud"] != issuer {
			t.Errorf("aud %v", claims["aud"])
		}
	})
}

func TestAnAppChoosesWhatSignsItsAccessTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn(w.person("Ada"))
		w.clients.Keys = w.keys
		for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
			c, key := w.client(func(c *provider.Client) {
				asJWT(c)
				c.AccessTokenAlgorithm = algorithm
			})
			got := b.tokens(c, key)
			head, claims := w.signed(got.Access)
			if head.Algorithm != algorithm || head.Type != "at+jwt" || claims["iss"] != issuer {
				t.Errorf("%s: signed %s %s %v", algorithm, head.Algorithm, head.Type, claims)
			}
			jwks, _ := w.keys.JWKS()
			if !strings.Contains(string(jwks), head.KeyID) {
				t.Errorf("%s: the key is not published", algorithm)
			}
			if id, _ := w.signed(got.ID); id.Algorithm != "RS256" {
				t.Errorf("its ID token is signed by %s", id.Algorithm)
			}
			w.wantAlive(got.Access)
			if rec := w.post("/oauth2/introspect", c, key, "token", got.Access); !strings.Contains(rec.Body.String(), `"active":true`) {
				t.Errorf("%s: introspection says %s", algorithm, rec.Body)
			}
			if rec := w.post("/oauth2/revoke", c, key, "token", got.Access); rec.Code != http.StatusOK {
				t.Errorf("%s: revocation says %d", algorithm, rec.Code)
			}
			w.wantDead(got.Access)
			if text, err := c.Describe(nil); err != nil || !strings.Contains(string(text), `"access_token_signed_response_alg":"`+algorithm+`"`) {
				t.Errorf("%s %v", text, err)
			}
		}
		machine, key := w.machine(func(c *provider.Client) { asJWT(c); c.AccessTokenAlgorithm = "RS256" })
		if head, _ := w.signed(read(t, w.post("/oauth2/token", machine, key, "grant_type", "client_credentials"), http.StatusOK).Access); head.Algorithm != "RS256" {
			t.Errorf("a machine's is signed by %s", head.Algorithm)
		}
		for about, draft := range map[string]func(*provider.Client){
			"none":             func(c *provider.Client) { asJWT(c); c.AccessTokenAlgorithm = "none" },
			"a shared secret":  func(c *provider.Client) { asJWT(c); c.AccessTokenAlgorithm = "HS256" },
			"an opaque format": func(c *provider.Client) { c.AccessTokenAlgorithm = "RS256" },
		} {
			_, err := w.clients.Update(t.Context(), machine.ID, "operator:cli", func(c *provider.Client) error { c.AccessTokenFormat = provider.Opaque; draft(c); return nil })
			var e *problem.Error
			if !errors.As(err, &e) || e.Field != "access_token_signed_response_alg" {
				t.Errorf("%s: %v", about, err)
			}
		}
	})
}

func TestWithoutAnAPIAnAccessTokenIsForUs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(asJWT)
		b := w.browser()
		b.signIn(w.person("Ada"))
		if _, claims := w.signed(b.tokens(c, key).Access); claims["aud"] != issuer {
			t.Errorf("aud %v", claims["aud"])
		}
	})
}

func TestAJWTTellsAPairwiseAppItsOwnNameOfThePerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.template(token.Template{Name: "who", Claims: json.RawMessage(`{"who":"{{user.id}}"}`), Lifetime: 60})
		c, key := w.client(func(c *provider.Client) {
			asJWT(c)
			c.Pairwise, c.AccessTokenTemplate, c.IDTokenTemplate = true, "who", "who"
		})
		b := w.browser()
		ada := w.person("Ada")
		b.signIn(ada)
		got := b.tokens(c, key)
		_, access := w.signed(got.Access)
		_, id := w.signed(got.ID)
		if access["sub"] == string(ada) || access["sub"] != id["sub"] || access["who"] != id["sub"] || id["who"] != id["sub"] {
			t.Errorf("access token %v, ID token %v", access, id)
		}
		if strings.Contains(secretsOf(t, got), string(ada)) {
			t.Error("a token tells the id that other apps know")
		}
	})
}

func secretsOf(t *testing.T, a answer) string {
	t.Helper()
	var all strings.Builder
	for _, raw := range []string{a.Access, a.ID} {
		_, payload, _ := strings.Cut(raw, ".")
		payload, _, _ = strings.Cut(payload, ".")
		text, err := base64.RawURLEncoding.DecodeString(payload)
		must(t, err)
		all.Write(text)
	}
	return all.String()
}

func TestWhatAnAppsTokensAreIsSaidByOperatorsInTermsThatWork(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.template(token.Template{Name: "plain", Claims: json.RawMessage(`{"a":1}`), Lifetime: 60})
		w.template(token.Template{
			Name: "own", Claims: json.RawMessage(`{"a":1}`), Lifetime: 60, Algorithm: "HS256",
			Key: token.CustomKey{Material: secret.NewString("a secret of well over thirty-two bytes"), SetAt: w.clock.Now()},
		})
		for _, c := range []struct {
			about       string
			draft       provider.Client
			field, code string
		}{
			{"a format that there is not", provider.Client{AccessTokenFormat: "paseto"}, "access_token_format", "access_token_format_unknown"},
			{"JWTs through the browser", provider.Client{AccessTokenFormat: provider.JWT, ResponseTypes: []string{"code", "id_token token"}, GrantTypes: []string{"authorization_code", "implicit"}}, "access_token_format", "access_token_in_browser"},
			{"a template for opaque tokens", provider.Client{AccessTokenTemplate: "plain"}, "access_token_template", "access_token_opaque"},
			{"a template that there is not", provider.Client{IDTokenTemplate: "gone"}, "id_token_template", "template_unknown"},
			{"a template with a key of its own", provider.Client{IDTokenTemplate: "own"}, "id_token_template", "template_own_key"},
			{"the same for access tokens", provider.Client{AccessTokenFormat: provider.JWT, AccessTokenTemplate: "own"}, "access_token_template", "template_own_key"},
			{"a template for a machine", provider.Client{Type: provider.Machine, AccessTokenFormat: provider.JWT, AccessTokenTemplate: "plain"}, "access_token_template", "template_without_person"},
			{"more rights than fit", provider.Client{AccessTokenFormat: provider.JWT, Audience: slices.Repeat([]string{strings.Repeat("a", 250)}, 40)}, "audience", "access_token_too_large"},
		} {
			c.draft.Name = "Acme"
			if c.draft.Type == "" {
				c.draft.Type, c.draft.RedirectURIs = provider.Web, []string{callback}
			}
			_, _, err := w.clients.Create(t.Context(), c.draft, "operator:cli")
			var p *problem.Error
			if !errors.As(err, &p) || p.Kind != problem.Invalid || p.Field != c.field || p.Code != c.code {
				t.Errorf("%s: %v", c.about, err)
			}
		}
		made, _ := w.client(func(c *provider.Client) { asJWT(c); c.IDTokenTemplate, c.AccessTokenTemplate = "plain", "plain" })
		kept, err := storage.NewClients(w.db).Client(t.Context(), made.ID)
		must(t, err)
		text, err := kept.Describe(nil)
		must(t, err)
		for _, member := range []string{`"access_token_format":"jwt"`, `"id_token_template":"plain"`, `"access_token_template":"plain"`} {
			if !strings.Contains(string(text), member) {
				t.Errorf("%s is not in %s", member, text)
			}
		}
		back, err := provider.Described(text, kept)
		must(t, err)
		if back.AccessTokenFormat != provider.JWT || back.IDTokenTemplate != "plain" || back.AccessTokenTemplate != "plain" {
			t.Errorf("%+v", back)
		}
		using, err := w.clients.Using(t.Context(), "plain")
		must(t, err)
		if len(using) != 1 || using[0].ID != made.ID {
			t.Errorf("the template is said to be used by %v", using)
		}
		if none, err := w.clients.Using(t.Context(), "own"); err != nil || len(none) > 0 {
			t.Errorf("%v, %v", none, err)
		}
	})
}

func TestAnAppThatRegistersItselfDoesNotSayWhatItsTokensAre(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.wire(provider.Deps{OpenRegistration: true})
		w.template(token.Template{Name: "plain", Claims: json.RawMessage(`{"a":1}`), Lifetime: 60})
		const wish = `{"redirect_uris":["https://rp.example.org/cb"],"access_token_format":"jwt","id_token_template":"plain","access_token_template":"plain"}`
		rec := w.json(http.MethodPost, "/oauth2/register", "", wish)
		var made registration
		must(t, json.Unmarshal(rec.Body.Bytes(), &made))
		c, err := w.clients.Get(t.Context(), provider.ClientID(made.ID))
		must(t, err)
		if c.AccessTokenFormat == provider.JWT || c.IDTokenTemplate != "" || c.AccessTokenTemplate != "" {
			t.Errorf("%+v", c)
		}
		if rec.Code != http.StatusCreated || strings.Contains(rec.Body.String(), "template") || strings.Contains(rec.Body.String(), "access_token_format") {
			t.Errorf("it was told %d %s", rec.Code, rec.Body)
		}
		_, err = w.clients.Update(t.Context(), c.ID, "operator:cli", func(c *provider.Client) error {
			asJWT(c)
			c.IDTokenTemplate = "plain"
			return nil
		})
		must(t, err)
		rec = w.json(http.MethodPut, strings.TrimPrefix(made.URI, issuer), made.Token, `{"client_id":"`+made.ID+`","redirect_uris":["https://rp.example.org/cb"],"access_token_format":"opaque"}`)
		if rec.Code != http.StatusOK {
			t.Fatal(rec.Code, rec.Body)
		}
		c, err = w.clients.Get(t.Context(), c.ID)
		must(t, err)
		if c.AccessTokenFormat != provider.JWT || c.IDTokenTemplate != "plain" {
			t.Errorf("it took away what the operator said: %+v", c)
		}
	})
}
