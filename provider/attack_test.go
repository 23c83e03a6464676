package provider_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"idp/provider"
)

func TestAnIDTokenOfAnotherAppIsNoHint(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine, _ := w.client(nil)
		other, key := w.client(nil)
		b := w.browser()
		b.signIn(w.person("Ann"))
		hint := b.tokens(other, key).ID
		if got := back(t, b.authorize(ask(mine, "id_token_hint", hint))); got.Get("error") != "invalid_request" || got.Get("code") != "" {
			t.Fatalf("answer %v", got)
		}
	})
}

func TestAnIDTokenOfAnotherSessionSignsNobodyOutUnasked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		ann, here, there := w.person("Ann"), w.browser(), w.browser()
		here.signIn(ann)
		there.signIn(ann) // the same person elsewhere
		hint := there.tokens(c, key).ID
		here.leave(map[string][]string{"id_token_hint": {hint}})
		if !here.present() || !there.present() {
			t.Fatal("a hint of another session ended one")
		}
	})
}

func TestCredentialsInTheURLAreRefusedAlsoBesideGoodOnes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(func(c *provider.Client) {
			c.Type, c.RedirectURIs, c.Scopes = provider.Machine, nil, []string{"read"}
		})
		for _, query := range []string{"?client_secret=" + key, "?x=1"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth2/token"+query, strings.NewReader("grant_type=client_credentials"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Authorization", basicOf(string(c.ID), key))
			rec := httptest.NewRecorder()
			w.mux.ServeHTTP(rec, r)
			wantError(t, rec, http.StatusBadRequest, "invalid_request")
		}
	})
}
