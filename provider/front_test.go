package provider_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/provider"
)

// allTypes are the response types of a client that uses every one of them.
var allTypes = []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}

// versatile registers for every response type.
func versatile(c *provider.Client) {
	c.GrantTypes, c.ResponseTypes = []string{"authorization_code", "implicit", "refresh_token"}, allTypes
}

// answered returns what an answer gives the relying party, and where: "query", "fragment" or
// "form_post". Anything in more than one place is a failure.
func answered(t testing.TB, rec *httptest.ResponseRecorder) (url.Values, string) {
	t.Helper()
	to := rec.Header().Get("Location")
	if form, ok := strings.CutPrefix(rec.Body.String(), "page form_post "); ok && rec.Code == http.StatusOK && to == "" {
		var page struct {
			Action string
			Fields map[string]string
		}
		must(t, json.Unmarshal([]byte(form), &page))
		if page.Action != callback {
			t.Fatalf("posted to %q", page.Action)
		}
		got := url.Values{}
		for name, value := range page.Fields {
			got.Set(name, value)
		}
		return got, "form_post"
	}
	rest, ok := strings.CutPrefix(to, callback)
	if rec.Code != http.StatusSeeOther || !ok || len(rest) < 2 || rest[0] != '?' && rest[0] != '#' || strings.ContainsAny(rest[1:], "?#") {
		t.Fatalf("status %d, Location %q, body %s: want one answer to the relying party", rec.Code, to, rec.Body)
	}
	got, err := url.ParseQuery(rest[1:])
	must(t, err)
	return got, map[byte]string{'?': "query", '#': "fragment"}[rest[0]]
}

// has reports whether a space-separated list has a part.
func has(list, part string) bool { return slices.Contains(strings.Fields(list), part) }

func TestEveryResponseTypeAnswersWithItsPartsInTheRightMode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(versatile)
		page, _ := w.client(func(c *provider.Client) {
			versatile(c)
			c.Type = provider.SPA
		})
		ann, b := w.person("Ann"), w.browser()
		b.signIn(ann)
		for _, tc := range []struct {
			client provider.Client
			types  []string
			mode   string // asked for
			want   string // "" is a refusal
			after  string // the mode of that
		}{
			{c, allTypes[:1], "", "query", ""},
			{c, allTypes[:1], "query", "query", ""},
			{c, allTypes[:1], "fragment", "", "query"}, // a server never sees a fragment
			{page, allTypes[:1], "fragment", "fragment", ""},
			{c, allTypes[1:], "", "fragment", ""},
			{c, allTypes[1:], "fragment", "fragment", ""},
			{c, allTypes[1:], "query", "", "fragment"},
			{page, allTypes[1:], "query", "", "fragment"},
			{c, allTypes, "form_post", "form_post", ""},
			{page, allTypes, "form_post", "form_post", ""},
			{c, allTypes[:1], "web_message", "", "query"},
			{c, allTypes[1:], "query.jwt", "", "fragment"},
		} {
			for _, typ := range tc.types {
				for _, spelled := range spellings(typ) {
					why := spelled + " as " + tc.mode
					got, mode := answered(t, b.authorize(ask(tc.client, "response_type", spelled, "response_mode", tc.mode)))
					if got.Get("state") != "st-8f2k" || got.Get("iss") != issuer {
						t.Errorf("%s: no state or issuer: %v", why, got)
					}
					if tc.want == "" {
						if mode != tc.after || got.Get("error") != "invalid_request" || got.Has("code") || got.Has("id_token") || got.Has("access_token") {
							t.Errorf("%s: answered in the %s with %v", why, mode, got)
						}
						continue
					}
					if mode != tc.want {
						t.Errorf("%s: answered in the %s", why, mode)
					}
					for part, name := range map[string]string{"code": "code", "id_token": "id_token", "token": "access_token"} {
						if got.Has(name) != has(typ, part) {
							t.Errorf("%s: %s is there: %v", why, name, got.Has(name))
						}
					}
					if has(typ, "token") && (got.Get("token_type") != "Bearer" || got.Get("expires_in") != "600") || !has(typ, "token") && got.Has("expires_in") {
						t.Errorf("%s: the access token is described as %v", why, got)
					}
				}
			}
		}
		_ = key
	})
}

// spellings are the orders in which the parts of a response type may come.
func spellings(typ string) []string {
	p := strings.Fields(typ)
	if len(p) == 1 {
		return p
	}
	back := slices.Clone(p)
	slices.Reverse(back)
	return []string{typ, strings.Join(back, " ")}
}

func TestFrontTokensAreGoodAndBoundToEachOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(versatile)
		ann, b := w.person("Ann"), w.browser()
		s := b.signIn(ann)
		for _, typ := range allTypes[1:] {
			got, _ := answered(t, b.authorize(ask(c, "response_type", typ)))
			if access := got.Get("access_token"); access != "" {
				w.wantAlive(access)
			}
			half := func(claim, of string, raw string) {
				t.Helper()
				sum := sha256.Sum256([]byte(of))
				want := base64.RawURLEncoding.EncodeToString(sum[:16])
				if found := w.claims(raw)[claim]; of == "" && found != nil || of != "" && found != want {
					t.Errorf("%s: %s is %v", typ, claim, found)
				}
			}
			if raw := got.Get("id_token"); raw != "" {
				half("at_hash", got.Get("access_token"), raw)
				half("c_hash", got.Get("code"), raw)
				claims := w.claims(raw)
				for name, want := range map[string]any{
					"iss": issuer, "sub": string(ann), "aud": string(c.ID), "nonce": "n-0S6", "sid": string(s.ID), "acr": "aal1",
					"auth_time": float64(s.AuthTime.Unix()),
				} {
					if claims[name] != want {
						t.Errorf("%s: claim %s is %v, want %v", typ, name, claims[name], want)
					}
				}
				// Nobody can ask for more where there is no access token.
				if alone := typ == "id_token"; (claims["email"] == "ann@example.com") != alone || (claims["name"] == "Ann") != alone {
					t.Errorf("%s: claims %v", typ, claims)
				}
			}
			code := got.Get("code")
			if code == "" {
				if scope := got.Get("scope"); has(typ, "token") && (has(scope, "offline_access") || !has(scope, "openid")) {
					t.Errorf("%s: scope %q", typ, scope)
				}
				continue
			}
			if got.Has("scope") {
				t.Errorf("%s: scope %q though all were given", typ, got.Get("scope"))
			}
			a := read(t, w.redeem(c, key, code), http.StatusOK)
			if a.Refresh == "" || w.claims(a.ID)["nonce"] != "n-0S6" || w.claims(a.ID)["sub"] != string(ann) {
				t.Errorf("%s: exchanged for %+v", typ, a)
			}
			w.wantAlive(a.Access)
		}
	})
}

func TestWhatAClientIsNotRegisteredForIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		only := map[string]provider.Client{}
		for _, typ := range allTypes {
			c, _ := w.client(func(c *provider.Client) {
				c.ResponseTypes, c.GrantTypes = []string{typ}, nil
				if has(typ, "code") {
					c.GrantTypes = append(c.GrantTypes, "authorization_code")
				}
				if typ != "code" {
					c.GrantTypes = append(c.GrantTypes, "implicit")
				}
			})
			only[typ] = c
		}
		b := w.browser()
		b.signIn(w.person("Ann"))
		for registered, c := range only {
			for _, typ := range append([]string{"token", "none", "code none", "code code", "id_token id_token", "Code", "code,token"}, allTypes...) {
				got, mode := answered(t, b.authorize(ask(c, "response_type", typ)))
				want := "unauthorized_client"
				switch {
				case typ == registered:
					want = ""
				case !slices.Contains(allTypes, typ):
					want = "unsupported_response_type"
				}
				if got.Get("error") != want || got.Get("iss") != issuer || got.Get("state") != "st-8f2k" {
					t.Errorf("registered for %q, asked for %q: %v", registered, typ, got)
				}
				if want != "" && (got.Has("code") || got.Has("access_token") || got.Has("id_token")) {
					t.Errorf("registered for %q, asked for %q, refused and answered: %v", registered, typ, got)
				}
				if front := has(typ, "token") || has(typ, "id_token"); (mode == "fragment") != front {
					t.Errorf("asked for %q: answered in the %s", typ, mode)
				}
			}
		}
	})
}

func TestErrorsTravelInTheModeOfTheAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(versatile)
		third, _ := w.client(func(c *provider.Client) {
			versatile(c)
			c.FirstParty = false
		})
		nobody, b := w.browser(), w.browser()
		s := b.signIn(w.person("Ann"))
		for _, typ := range allTypes {
			usual := "fragment"
			if typ == "code" {
				usual = "query"
			}
			for asked, want := range map[string]string{"": usual, "form_post": "form_post", "nonsense": usual} {
				for why, tc := range map[string]struct {
					b    *browser
					q    url.Values
					code string
				}{
					"request object":        {b, ask(c, "request", "eyJhbGciOiJub25lIn0.e30."), ""},
					"registration":          {b, ask(c, "registration", "{}"), "registration_not_supported"},
					"scope of others":       {b, ask(c, "scope", "openid admin"), "invalid_scope"},
					"none and login":        {b, ask(c, "prompt", "none login"), "invalid_request"},
					"long state":            {b, ask(c, "state", strings.Repeat("s", 2049)), "invalid_request"},
					"claims are no JSON":    {b, ask(c, "claims", "{"), "invalid_request"},
					"nobody is signed in":   {nobody, ask(c, "prompt", "none"), "login_required"},
					"nobody has agreed":     {b, ask(third, "prompt", "none"), "consent_required"},
					"an acr beyond reach":   {b, ask(c, "claims", `{"id_token":{"acr":{"essential":true,"value":"gold"}}}`), "unmet_authentication_requirements"},
					"somebody else's token": {b, ask(c, "id_token_hint", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."), "invalid_request"},
				} {
					got, mode := answered(t, tc.b.authorize(with(tc.q, "response_type", typ, "response_mode", asked)))
					if asked == "nonsense" && tc.code != "" && tc.code != "registration_not_supported" {
						tc.code = "invalid_request" // whatever else is wrong
					}
					if mode != want || tc.code != "" && got.Get("error") != tc.code || got.Get("error") == "" || got.Get("iss") != issuer || got.Get("state") != tc.q.Get("state") {
						t.Errorf("%s, %s as %q: in the %s: %v", why, typ, asked, mode, got)
					}
				}
			}
			// A refusal by the person comes back after a detour, and still in the right mode.
			a := b.waiting(b.authorize(ask(third, "response_type", typ, "response_mode", "form_post")))
			must(t, w.deny(a, s))
			if got, mode := answered(t, b.get(a.Back())); mode != "form_post" || got.Get("error") != "access_denied" || got.Get("state") != "st-8f2k" {
				t.Errorf("%s: denied in the %s: %v", typ, mode, got)
			}
		}
	})
}

func TestAnIDTokenThroughTheBrowserNeedsANonceAndOpenID(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(versatile)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, typ := range allTypes {
			want := ""
			if has(typ, "id_token") {
				want = "invalid_request"
			}
			for _, q := range []url.Values{ask(c, "nonce", ""), ask(c, "scope", "profile")} {
				if got, _ := answered(t, b.authorize(with(q, "response_type", typ))); got.Get("error") != want || got.Has("id_token") {
					t.Errorf("%s: %v", typ, got)
				}
			}
		}
	})
}

func TestPKCEHoldsForEveryResponseTypeWithACode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(versatile)
		public, _ := w.client(func(c *provider.Client) {
			versatile(c)
			c.Type = provider.SPA
		})
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, typ := range allTypes {
			bare := ask(public, "response_type", typ, "code_challenge", "", "code_challenge_method", "")
			got, _ := answered(t, b.authorize(bare))
			if refused := got.Get("error") == "invalid_request"; refused != has(typ, "code") {
				t.Errorf("%s without a challenge: %v", typ, got)
			}
			if !has(typ, "code") {
				continue
			}
			for _, change := range [][2]string{{"code_challenge_method", "plain"}, {"code_challenge_method", ""}, {"code_challenge", "short"}} {
				if got, _ := answered(t, b.authorize(ask(c, "response_type", typ, change[0], change[1]))); got.Get("error") != "invalid_request" {
					t.Errorf("%s with %v: %v", typ, change, got)
				}
			}
			// A wrong verifier burns the code, and what came beside it.
			got, _ = answered(t, b.authorize(ask(c, "response_type", typ)))
			wantError(t, w.redeem(c, key, got.Get("code"), "code_verifier", strings.Repeat("x", 43)), http.StatusBadRequest, "invalid_grant")
			wantError(t, w.redeem(c, key, got.Get("code"), "code_verifier", ""), http.StatusBadRequest, "invalid_grant")
			wantError(t, w.redeem(c, key, got.Get("code")), http.StatusBadRequest, "invalid_grant")
			if access := got.Get("access_token"); access != "" {
				w.wantDead(access)
			}
		}
	})
}

func TestACodeUsedTwiceEndsTheTokensThatCameBesideIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(versatile)
		b := w.browser()
		b.signIn(w.person("Ann"))
		got, _ := answered(t, b.authorize(ask(c, "response_type", "code id_token token")))
		front := got.Get("access_token")
		a := read(t, w.redeem(c, key, got.Get("code")), http.StatusOK)
		w.wantAlive(front)
		w.wantAlive(a.Access)
		w.clock.Add(30 * time.Second)
		wantError(t, w.redeem(c, key, got.Get("code")), http.StatusBadRequest, "invalid_grant")
		w.wantDead(front)
		w.wantDead(a.Access)
		wantError(t, w.refresh(c, key, a.Refresh), http.StatusBadRequest, "invalid_grant")
	})
}
