package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/federation/federationtest"
)

// keeping is a provider whose tokens are over soon and are kept.
func (i *instance) keeping(t *testing.T) *federationtest.OP {
	t.Helper()
	o := federationtest.New(t, time.Now)
	o.Reply = func(r map[string]any) { r["expires_in"] = 30 }
	c := o.Connection("keeper")
	i.Connect(map[string]any{
		"name": "keeper", "type": "oidc", "issuer": o.URL, "client_id": c.ClientID, "client_secret": c.ClientSecret.Reveal(), "keep_tokens": true,
	})
	return o
}

func TestOperatorsProgramsGetThePersonsTokenAtTheProvider(t *testing.T) {
	eachEngine(t, func(t *testing.T, i *instance) {
		o := i.keeping(t)
		i.Start()
		b := i.depart(t, "keeper")
		if b.Get(back(t, o, b)); b.HasButton("Sign up") {
			b.Press("Sign up")
		}
		b.wantHome(t, ann)

		first := i.CLI("", "connection", "token", "keeper", "--user", ann)
		second := i.CLI("", "connection", "token", "keeper", "--user", ann)
		if strings.TrimSpace(first) == "" || first == second || strings.Count(second, "\n") > 1 {
			t.Errorf("tokens that are over soon are renewed, but these are %q and %q", first, second)
		}
		for _, form := range o.Grants() {
			if g := form.Get("grant_type"); g == "refresh_token" {
				first = ""
			}
		}
		if n := i.open().count("SELECT count(*) FROM events WHERE kind = 'external_account.token_taken'"); n != 2 || first != "" {
			t.Errorf("%d of 2 are on record", n)
		}
		token := func(says string, more ...string) {
			t.Helper()
			if got := i.fails(append([]string{"connection", "token"}, more...)...); !strings.Contains(got, says) {
				t.Errorf("%v says %s", more, got)
			}
		}
		o.Take["/token"] = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error": "invalid_grant"}`))
		}
		token("has to sign in by that connection again", "keeper", "--user", ann)
		token("There is no connection of that name", "none", "--user", ann)
		token("nobody with that user id", "keeper", "--user", "eve@example.com")
		i.CLI("", "connection", "disable", "keeper")
		token("switched off", "keeper", "--user", ann)
		i.CLI("", "user", "unlink", "--force", ann, "keeper")
		token("No such account elsewhere", "keeper", "--user", ann)
		if got := i.fails("user", "unlink", ann, "keeper"); !strings.Contains(got, "No such account elsewhere") {
			t.Errorf("a second time it says %s", got)
		}
	})
}
