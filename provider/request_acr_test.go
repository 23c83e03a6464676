package provider_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/login"
	"idp/provider"
	"idp/session"
	"idp/storage"
)

// proves changes what a session has shown, now.
func (w *world) proves(t *testing.T, s session.Session, methods ...identity.Method) {
	t.Helper()
	s.Proofs = nil
	for _, m := range methods {
		s.Proofs = append(s.Proofs, identity.Proof{Method: m, Category: m.Category(), At: w.clock.Now()})
	}
	s.AuthTime = w.clock.Now()
	must(t, w.keeper.Store.SaveSession(t.Context(), s))
}

func TestTheAuthenticationContextIsReachedOrAskedForAndTrue(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		picky, pickyKey := w.client(func(c *provider.Client) { c.DefaultACRs = []string{"gold", "aal2"} })
		one, two, keys := w.browser(), w.browser(), w.browser()
		one.signIn(w.person("Ann"))
		w.proves(t, two.signIn(w.person("Bob")), identity.Password, identity.TOTP)
		w.proves(t, keys.signIn(w.person("Eve")), identity.Passkey)
		claim := func(essential, values string) []string {
			return []string{"claims", `{"id_token":{"acr":{"essential":` + essential + `,` + values + `}}}`}
		}
		const more, unmet = "sign in", "unmet_authentication_requirements"
		for why, tc := range map[string]struct {
			b     *browser
			pairs []string
			want  string // acr, or that more must be shown, or an error
		}{
			"nothing asked":                              {one, nil, "aal1"},
			"more than was asked for":                    {two, nil, "aal2"},
			"a passkey":                                  {keys, nil, "phr"},
			"two steps, and one was shown":               {one, []string{"acr_values", "aal2"}, more},
			"two steps, and two were shown":              {two, []string{"acr_values", "aal2"}, "aal2"},
			"two steps, and a passkey was shown":         {keys, []string{"acr_values", "aal2"}, "aal2"},
			"a passkey, and two others were shown":       {two, []string{"acr_values", "phr"}, more},
			"the first that we know":                     {two, []string{"acr_values", "urn:gold aal2 phr"}, "aal2"},
			"the first that we know, and the better one": {keys, []string{"acr_values", "aal1 phr"}, "phr"},
			"nothing that we know":                       {one, []string{"acr_values", "urn:gold 2"}, "aal1"},
			"a wish as a claim":                          {one, claim("false", `"value":"aal2"`), more},
			"a wish as a claim that nobody knows":        {one, claim("false", `"value":"gold"`), "aal1"},
			"essential, whatever it is":                  {one, []string{"claims", `{"id_token":{"acr":{"essential":true}}}`}, "aal1"},
			"a demand that is met":                       {one, claim("true", `"value":"aal1"`), "aal1"},
			"a demand that is not met yet":               {one, claim("true", `"values":["gold","phr"]`), more},
			"a demand that nobody knows":                 {one, claim("true", `"values":["gold"]`), unmet},
			"a demand that was more than met":            {keys, claim("true", `"value":"aal2"`), "aal2"},
			"a demand beside a wish":                     {one, append(claim("true", `"value":"aal1"`), "acr_values", "phr"), "aal1"},
			"a demand on userinfo, which has none":       {one, []string{"claims", `{"userinfo":{"acr":{"essential":true,"value":"phr"}}}`}, "aal1"},
		} {
			got := w.context(t, tc.b, c, key, tc.pairs...)
			if got != tc.want {
				t.Errorf("%s: %s, want %s", why, got, tc.want)
			}
		}
		if got := w.context(t, one, picky, pickyKey); got != more {
			t.Errorf("by registration: %s", got)
		}
		if got := w.context(t, two, picky, pickyKey); got != "aal2" {
			t.Errorf("by registration: %s", got)
		}
		if got := w.context(t, one, picky, pickyKey, "acr_values", "aal1"); got != "aal1" {
			t.Errorf("the request says otherwise than the registration: %s", got)
		}
		if got := w.context(t, one, c, key, "acr_values", "aal2", "prompt", "none"); got != "login_required" {
			t.Errorf("nobody can be asked: %s", got)
		}
	})
}

// context is the acr of the ID token, the error, or "sign in".
func (w *world) context(t *testing.T, b *browser, c provider.Client, key string, pairs ...string) string {
	t.Helper()
	answer := b.authorize(ask(c, pairs...))
	if to := answer.Header().Get("Location"); strings.Contains(to, "/sign-in?ask=") {
		return "sign in"
	}
	got := back(t, answer)
	if got.Has("error") {
		if got.Has("code") {
			t.Errorf("an error with a code: %v", got)
		}
		return got.Get("error")
	}
	acr, _ := w.claims(read(t, w.redeem(c, key, got.Get("code")), http.StatusOK).ID)["acr"].(string)
	return acr
}

func TestAppsGetAnsweredAfterMoreWasShownWithATrueTimeAndMethods(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		s := b.signIn(w.person("Ann"))
		w.clock.Add(time.Hour)
		parked := b.authorize(ask(c, "acr_values", "aal2", "max_age", "7200")).Header().Get("Location")
		_, id, _ := strings.Cut(parked, "ask=")
		kept, err := storage.NewLogin(w.db).Ask(t.Context(), login.AskID(id))
		must(t, err)
		if kept.Need.Categories != identity.Both || kept.Need.MaxAge == nil || kept.Chosen != s.ID {
			t.Fatalf("parked %+v", kept)
		}
		if again := b.get("/oauth2/resume?ask=" + id); !strings.Contains(again.Header().Get("Location"), "/sign-in?ask=") {
			t.Fatalf("with one step: %s", again.Header().Get("Location"))
		}
		w.proves(t, s, identity.Password, identity.PhoneCode)
		claims := w.claims(read(t, w.redeem(c, key, back(t, b.get("/oauth2/resume?ask="+id)).Get("code")), http.StatusOK).ID)
		amr, _ := claims["amr"].([]any)
		if claims["acr"] != "aal2" || claims["auth_time"] != float64(w.clock.Now().Unix()) || !slices.Equal(amr, []any{"mfa", "pwd", "sms"}) {
			t.Errorf("acr %v, auth_time %v, amr %v", claims["acr"], claims["auth_time"], amr)
		}
	})
}

func TestOnlyContextsThatTheSettingsLetSomebodyReachAreOnOffer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		settings := login.DefaultSettings()
		w.wire(provider.Deps{SignIn: func() login.Settings { return settings }})
		offered := func() []string {
			var m struct {
				ACRs []string `json:"acr_values_supported"`
			}
			must(t, json.Unmarshal(b.get("/.well-known/openid-configuration").Body.Bytes(), &m))
			return m.ACRs
		}
		for _, tc := range []struct {
			passkeys, totp bool
			offered        []string
			phr, aal2      string // what comes of a demand
		}{
			{true, true, []string{"aal1", "aal2", "phr"}, "sign in", "sign in"},
			{false, true, []string{"aal1", "aal2"}, "unmet_authentication_requirements", "sign in"},
			{false, false, []string{"aal1"}, "unmet_authentication_requirements", "unmet_authentication_requirements"},
			{true, false, []string{"aal1", "aal2", "phr"}, "sign in", "sign in"},
		} {
			settings.Passkeys, settings.TOTP, settings.SecurityKeys = tc.passkeys, tc.totp, false
			if got := offered(); !slices.Equal(got, tc.offered) {
				t.Errorf("offered %q, want %q", got, tc.offered)
			}
			for acr, want := range map[string]string{"phr": tc.phr, "aal2": tc.aal2} {
				if got := w.context(t, b, c, key, "claims", `{"id_token":{"acr":{"essential":true,"value":"`+acr+`"}}}`); got != want {
					t.Errorf("%+v: a demand of %s comes to %s", tc, acr, got)
				}
				if got := w.context(t, b, c, key, "acr_values", acr); want != "sign in" && got != "aal1" {
					t.Errorf("%+v: a wish for %s comes to %s", tc, acr, got)
				}
			}
		}
	})
}
