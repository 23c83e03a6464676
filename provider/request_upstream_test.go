package provider_test

import (
	"net/http"
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
