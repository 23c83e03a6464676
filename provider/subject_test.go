package provider_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"idp/provider"
)

// subjectAt is what a token answer and userinfo call the person; they must agree.
func (w *world) subjectAt(a answer) string {
	w.t.Helper()
	var told struct {
		Subject string `json:"sub"`
	}
	must(w.t, json.Unmarshal(w.userinfo(a.Access).Body.Bytes(), &told))
	if claims := w.claims(a.ID); claims["sub"] != told.Subject || told.Subject == "" {
		w.t.Fatalf("the ID token says %v, userinfo %q", claims["sub"], told.Subject)
	}
	return told.Subject
}

func TestPairwiseClientsKnowPeopleByNamesOfTheirSector(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ann, b := w.person("Ann"), w.browser()
		b.signIn(ann)
		register := func(pairwise bool, redirect string) (provider.Client, string) {
			return w.client(func(c *provider.Client) { c.Pairwise, c.RedirectURIs = pairwise, []string{redirect} })
		}
		public, publicKey := register(false, callback)
		one, oneKey := register(true, callback)
		sister, sisterKey := register(true, "https://rp.example.org/other")
		other, otherKey := register(true, "https://elsewhere.example/cb")
		tokens := func(c provider.Client, key string) answer {
			redirect := c.RedirectURIs[0]
			rec := b.authorize(ask(c, "redirect_uri", redirect))
			u, err := url.Parse(rec.Header().Get("Location"))
			must(t, err)
			return read(t, w.redeem(c, key, u.Query().Get("code"), "redirect_uri", redirect), http.StatusOK)
		}
		a := tokens(one, oneKey)
		name := w.subjectAt(a)
		switch {
		case w.subjectAt(tokens(public, publicKey)) != string(ann):
			t.Error("a public client does not know her by her id")
		case name == string(ann) || len(name) != 43:
			t.Errorf("the pairwise name is %q", name)
		case w.subjectAt(tokens(sister, sisterKey)) != name:
			t.Error("two clients of one sector know her by two names")
		case w.subjectAt(tokens(other, otherKey)) == name:
			t.Error("two sectors know her by one name")
		}

		// The name stays, and is the one that everything says and takes.
		w.clock.Add(time.Hour)
		refreshed := read(t, w.refresh(one, oneKey, a.Refresh), http.StatusOK)
		if got := w.subjectAt(refreshed); got != name {
			t.Errorf("after a refresh she is %q", got)
		}
		for _, token := range []string{refreshed.Access, refreshed.Refresh} {
			var told map[string]any
			must(t, json.Unmarshal(w.post("/oauth2/introspect", one, oneKey, "token", token).Body.Bytes(), &told))
			if told["sub"] != name {
				t.Errorf("introspection says %v", told["sub"])
			}
		}
		if got := back(t, b.authorize(ask(one, "id_token_hint", a.ID, "prompt", "none"))); got.Get("code") == "" {
			t.Errorf("her own ID token is no hint: %v", got)
		}
		eve := w.browser()
		eve.signIn(w.person("Eve"))
		if got := back(t, eve.authorize(ask(one, "id_token_hint", a.ID, "prompt", "none"))); got.Get("error") != "login_required" {
			t.Errorf("somebody else passes for her: %v", got)
		}
		if got := back(t, b.authorize(ask(one, "prompt", "none", "claims", `{"id_token":{"sub":{"value":"`+name+`"}}}`))); got.Get("code") == "" {
			t.Errorf("her name, asked for, is refused: %v", got)
		}
		if got := back(t, b.authorize(ask(one, "prompt", "none", "claims", `{"id_token":{"sub":{"value":"`+string(ann)+`"}}}`))); got.Get("error") == "" {
			t.Errorf("her id passes for her name: %v", got)
		}
	})
}
func TestSigningOutByAHintWorksForPairwiseClients(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn(w.person("Ann"))
		c, key := w.client(func(c *provider.Client) { c.Pairwise = true })
		a := b.tokens(c, key)
		b.get("/oauth2/logout?" + url.Values{"id_token_hint": {a.ID}}.Encode())
		here, err := w.keeper.Sessions(t.Context(), b.kept)
		must(t, err)
		if len(here) != 0 {
			t.Error("the session goes on")
		}
	})
}
