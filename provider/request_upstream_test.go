package provider_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"idp/login"
)

func TestAHintAtAProviderReachesWhoSignsIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, key := w.client(nil)
		for _, tt := range []struct {
			hints []string
			want  login.Upstream
		}{
			{nil, login.Upstream{}},
			{[]string{"connection", "google"}, login.Upstream{Connection: "google"}},
			{[]string{"idp_hint", "google"}, login.Upstream{Connection: "google"}},
			{[]string{"kc_idp_hint", "google", "domain_hint", "corp.example"}, login.Upstream{Connection: "google", Domain: "corp.example"}},
			{[]string{"domain_hint", strings.Repeat("x", 300)}, login.Upstream{}},
		} {
			b := w.browser()
			q := ask(c, append([]string{"login_hint", "ann@corp.example"}, tt.hints...)...)
			if got := b.waiting(b.authorize(q)); got.Upstream != tt.want || got.Hint != "ann@corp.example" {
				t.Errorf("%v waits as %+v, %q", tt.hints, got.Upstream, got.Hint)
			}
			if got := b.waiting(b.authorize(w.pushed(c, key, ask(c, tt.hints...)))); got.Upstream != tt.want {
				t.Errorf("%v, pushed, waits as %+v", tt.hints, got.Upstream)
			}
			q.Set("prompt", "none")
			if rec := b.authorize(q); rec.Code != http.StatusSeeOther || !strings.Contains(rec.Header().Get("Location"), "login_required") {
				t.Errorf("%v, quietly: %d to %s", tt.hints, rec.Code, rec.Header().Get("Location"))
			}
		}
	})
}

func TestHintsInASignedRequestObjectLeadToAProviderAndThoseBesideItDoNot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, _ := w.asker(nil)
		for _, tt := range []struct {
			inside []any
			want   login.Upstream
			anew   bool
		}{
			{[]any{"domain_hint", "corp.example", "login_hint", "ann@corp.example"}, login.Upstream{Domain: "corp.example"}, false},
			{[]any{"connection", "google", "login_hint", "ann@corp.example", "prompt", "login"}, login.Upstream{Connection: "google"}, true},
			{[]any{"login_hint", "ann@corp.example", "max_age", 0}, login.Upstream{Connection: "beside"}, false},
		} {
			b := w.browser()
			got := b.waiting(b.authorize(ask(c, "request", w.object(c, tt.inside...), "login_hint", "eve@evil.example", "connection", "beside")))
			if tt.want.Connection == "" {
				tt.want.Connection = "beside" // what the object does not say may stand beside it (OIDC Core §6.1)
			}
			if got.Upstream != tt.want || got.Hint != "ann@corp.example" || got.Need.Anew != tt.anew {
				t.Errorf("%v waits as %+v, %q, %+v", tt.inside, got.Upstream, got.Hint, got.Need)
			}
			quiet := append(slices.Clone(tt.inside), "prompt", "none")
			if rec := b.authorize(ask(c, "request", w.object(c, quiet...))); rec.Code != http.StatusSeeOther || !strings.Contains(rec.Header().Get("Location"), "login_required") {
				t.Errorf("%v, quietly: %d to %s", tt.inside, rec.Code, rec.Header().Get("Location"))
			}
		}
	})
}
