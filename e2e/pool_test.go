package e2e

import (
	"net/http"
	"os"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
)

// A transaction that asks the pool for a second connection waits for itself as soon as
// enough callers come at once. With a pool of one, it does so at the first.
func TestAPoolOfOneConnectionIsEnoughForEverything(t *testing.T) {
	admin := os.Getenv("IDP_TEST_POSTGRES")
	if admin == "" {
		t.Skip("needs PostgreSQL: make test brings it and sets IDP_TEST_POSTGRES")
	}
	i := newInstance(t, postgresDatabase(t, admin), "IDP_DATABASE_MAX_CONNECTIONS=1")
	p := i.Start()
	rp := newRelyingParty(t, i, i.Client("--name", "Acme", "--redirect-uri", callback), oidc.ScopeOfflineAccess)
	b := newBrowser(t, i.Issuer)
	r := rp.begin()
	b.Get(r.url)
	b.Get(b.Link("Sign up"))
	signUp(b, p, "ann@example.com", good)
	b.Press("Allow")
	tok, err := rp.exchange(r, rp.code(r, b.Left))
	if err != nil {
		t.Fatal(err)
	}
	current := tok.RefreshToken
	answers := race(t, 64, func(int) *http.Request { return rp.tokenRequest(p.URL, refreshForm(current)) })
	if n := count(answers, 200); n != 64 {
		t.Errorf("%d of 64 refreshed", n)
	}
	if signIn(newBrowser(t, i.Issuer).Get("/sign-in"), "ann@example.com", good).URL.Path != "/account" {
		t.Error("signing in did not lead to the account")
	}
	if b.Get("/account").Press("Sign out").Status != http.StatusOK {
		t.Errorf("signing out answers %d", b.Status)
	}
}
