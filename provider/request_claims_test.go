package provider_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/provider"
)

// info returns what userinfo says to the holder of an access token.
func (w *world) info(access string) map[string]any {
	w.t.Helper()
	var said map[string]any
	must(w.t, json.Unmarshal(w.userinfo(access).Body.Bytes(), &said))
	return said
}

func TestSingleClaimsAreToldWhereTheyWereAskedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		narrow, narrowKey := w.client(func(c *provider.Client) { c.Scopes = []string{"openid"} })
		b := w.browser()
		b.signIn(w.person("Ann"))
		asked := `{"id_token":{"email":null,"auth_time":{"essential":true},"nickname":null,"made_up":null},
			"userinfo":{"name":{"essential":true},"given_name":{"value":"Somebody else"},"address":null},"another":{"x":1}}`
		a := b.tokens(c, key, "scope", "openid", "claims", asked)
		if a.Scope != "openid" {
			t.Errorf("claims widened the scope to %q", a.Scope)
		}
		said, info := w.claims(a.ID), w.info(a.Access)
		if said["email"] != "ann@example.com" || said["auth_time"] == nil || said["name"] != nil || said["nickname"] != nil {
			t.Errorf("ID token %v", said)
		}
		if info["name"] != "Ann" || info["given_name"] != "Ann" || info["email"] != nil || info["address"] != nil {
			t.Errorf("userinfo %v", info)
		}
		a = b.tokens(narrow, narrowKey, "scope", "openid", "claims", asked)
		if said, info := w.claims(a.ID), w.info(a.Access); said["email"] != nil || info["name"] != nil || said["sub"] == nil {
			t.Errorf("a client without the scopes got %v and %v", said, info)
		}
		// Without openid there is nobody to be told about.
		got := back(t, b.authorize(ask(c, "scope", "profile", "claims", "nonsense")))
		if a := read(t, w.redeem(c, key, got.Get("code")), http.StatusOK); a.ID != "" || w.userinfo(a.Access).Code != http.StatusForbidden {
			t.Errorf("answer %+v", a)
		}
	})
}

func TestConsentCoversClaimsThatAreAskedForByName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) { c.FirstParty = false })
		ann, b := w.person("Ann"), w.browser()
		s := b.signIn(ann)
		w.agree(ann, c, "openid", "profile")
		q := ask(c, "scope", "openid", "claims", `{"id_token":{"email":null},"userinfo":{"name":null}}`)
		b.code(ask(c, "scope", "openid", "claims", `{"userinfo":{"name":null}}`)) // agreed to already
		if got := back(t, b.authorize(with(q, "prompt", "none"))); got.Get("error") != "consent_required" {
			t.Fatalf("an address without asking: %v", got)
		}
		q.Del("prompt")
		narrow, _ := w.client(func(c *provider.Client) { c.FirstParty, c.Scopes = false, []string{"openid"} })
		w.agree(ann, narrow, "openid")
		b.code(ask(narrow, "scope", "openid", "claims", q.Get("claims"))) // nobody is asked for what is not told anyway
		a := b.waiting(b.authorize(q))
		if !slices.Equal(a.Scopes, []string{"email", "openid", "profile"}) {
			t.Fatalf("asked to agree to %v", a.Scopes)
		}
		w.allow(a, s)
		got := read(t, w.redeem(c, key, back(t, b.get(a.Back())).Get("code")), http.StatusOK)
		if w.claims(got.ID)["email"] != "ann@example.com" || got.Scope != "openid" {
			t.Errorf("answer %+v", got)
		}
	})
}

func TestADemandedSubjectIsNeverSomebodyElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(versatile)
		ann, bob, b := w.person("Ann"), w.person("Bob"), w.browser()
		annSession := b.signIn(ann)
		whoIs := func(user identity.UserID, place string) string {
			return `{"` + place + `":{"sub":{"value":"` + string(user) + `"}}}`
		}
		for _, place := range []string{"id_token", "userinfo"} {
			for _, typ := range allTypes {
				q := ask(c, "response_type", typ, "claims", whoIs(bob, place), "prompt", "none")
				if got, _ := answered(t, b.authorize(q)); got.Get("error") != "login_required" || got.Has("code") || got.Has("id_token") || got.Has("access_token") {
					t.Errorf("%s, %s: Bob was demanded, Ann is here: %v", place, typ, got)
				}
			}
			a := b.waiting(b.authorize(ask(c, "claims", whoIs(bob, place))))
			b.answers(a, annSession)
			if got := back(t, b.get(a.Back())); got.Get("error") != "login_required" {
				t.Errorf("%s: Bob was demanded and Ann answered: %v", place, got)
			}
		}
		b.signIn(bob)
		for user, list := range map[identity.UserID]string{ann: `["` + string(ann) + `","nobody"]`, bob: `["` + string(bob) + `"]`} {
			code := b.code(ask(c, "claims", `{"id_token":{"sub":{"values":`+list+`}}}`))
			if sub := w.claims(read(t, w.redeem(c, key, code), http.StatusOK).ID)["sub"]; sub != string(user) {
				t.Errorf("demanded %s, got %v", user, sub)
			}
		}
		// A hint of one person and a demand of another can be met by nobody.
		hint := read(t, w.redeem(c, key, b.code(ask(c, "claims", whoIs(ann, "id_token")))), http.StatusOK).ID
		if got := back(t, b.authorize(ask(c, "claims", whoIs(bob, "id_token"), "id_token_hint", hint, "prompt", "none"))); got.Get("error") != "login_required" {
			t.Errorf("answer %v", got)
		}
	})
}

func TestAClaimsParameterThatIsNoneIsRefusedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		deep := func(n int) string {
			return `{"id_token":{"name":{"value":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}}`
		}
		for _, bad := range []string{
			"nonsense", "{", "[]", "null", "5", `"{}"`, `{"id_token":5}`, `{"id_token":[]}`, `{"id_token":{"name":"Ann"}}`, `{"userinfo":{"name":{"essential":"yes"}}}`,
			`{"id_token":{"name":{"values":"x"}}}`, `{"id_token":{"sub":{"value":7}}}`, `{"userinfo":{"sub":{"values":[{}]}}}`,
			`{"id_token":{"acr":{"essential":true,"value":true}}}`, `{} {}`, `{"id_token":null}x`, deep(6), deep(4000),
			`{"id_token":{"name":null}` + strings.Repeat(" ", 8<<10-25), // no closing bracket fits
		} {
			if got := back(t, b.authorize(ask(c, "claims", bad))); got.Get("error") != "invalid_request" || got.Has("code") {
				t.Errorf("%.60s: %v", bad, got)
			}
		}
		for _, good := range []string{`{}`, ` {"id_token":null,"userinfo":null}`, `{"id_token":{"x":{"value":{"y":[1]},"z":2}}}`, deep(5)} {
			b.code(ask(c, "claims", good))
		}
		started := time.Now()
		wantPage(t, b.authorize(ask(c, "claims", `{"id_token":{"a":`+strings.Repeat("[", 60<<10))), "request_malformed")
		if took := time.Since(started); took > 10*time.Second { // however busy the machine is; what this could cost is minutes
			t.Errorf("took %s", took)
		}
	})
}

func TestARegisteredMaximumAgeCountsUnlessTheRequestHasItsOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		minute := 60
		c, _ := w.client(func(c *provider.Client) { c.DefaultMaxAge = &minute })
		b := w.browser()
		b.signIn(w.person("Ann"))
		b.code(ask(c))
		w.clock.Add(61 * time.Second)
		if got := back(t, b.authorize(ask(c, "prompt", "none"))); got.Get("error") != "login_required" {
			t.Errorf("after 61 of 60 seconds: %v", got)
		}
		b.code(ask(c, "max_age", "3600"))
	})
}

func TestWhatIsOnlyAWishNeverFails(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		for _, wish := range [][]string{
			{"display", "page"}, {"display", "popup"}, {"display", "touch"}, {"display", "wap"}, {"display", "hologram"},
			{"ui_locales", "se fr-CA " + strings.Repeat("xx ", 2000)}, {"claims_locales", "de en \u00e9"}, {"ui_locales", `"><img src=x>`},
			{"login_hint", `"><img src=x onerror=alert(1)>`}, {"acr_values", strings.Repeat("a ", 4000)}, {"unheard_of", "x"},
		} {
			b.code(ask(c, wish...))
		}
	})
}
