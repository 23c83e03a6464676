package doctor_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"idp/internal/outbound"
	"idp/internal/secret"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/token"
	"idp/token/doctor"
)

// clinic is a doctor with an issuer that answers over https at a public name.
type clinic struct {
	*doctor.Doctor

	keys      *token.KeySet
	clock     *storagetest.Clock
	discovery map[string]any
	cache     string
	jwks      []byte // in place of the issuer's own
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	db, clock := storagetest.Open(t), storagetest.NewClock()
	c := &clinic{clock: clock, cache: "public, max-age=600", keys: &token.KeySet{
		Store: storage.NewKeys(db), Events: storage.NewEvents(db), InTx: db.InTx, Now: clock.Now, Make: storagetest.Private,
	}}
	if err := c.keys.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.keys.OfferFor(t.Context(), token.Session, token.RS256); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(c.serve))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	issuer := strings.Replace(server.URL, "127.0.0.1", "example.com", 1)
	c.discovery = map[string]any{
		"issuer": issuer, "jwks_uri": issuer + "/.well-known/jwks.json", "id_token_signing_alg_values_supported": []string{"RS256", "ES256"},
	}
	minter := &token.Minter{Keys: c.keys, Issuer: issuer, Origin: issuer, Now: clock.Now}
	c.Doctor = &doctor.Doctor{
		Issuer: issuer, Preview: minter.Preview, Now: clock.Now,
		Outbound: outbound.New(outbound.Options{Loopback: true, Roots: roots, Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}}),
	}
	return c
}

func (c *clinic) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(c.discovery)
	case "/.well-known/jwks.json":
		document, _ := c.keys.JWKS()
		if c.jwks != nil {
			document = c.jwks
		}
		if c.cache != "" {
			w.Header().Set("Cache-Control", c.cache)
		}
		_, _ = w.Write(document)
	default:
		http.NotFound(w, r)
	}
}

var accountKey = sync.OnceValue(func() secret.String {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return secret.NewString(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
})

const sharedSecret = "c2f1a09be37d4486b5f0e1d2a3c4f5e6"

// right is the template that a target's preset makes, with its key.
func right(t *testing.T, preset string) token.Template {
	t.Helper()
	p, err := token.PresetNamed(preset)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, n := range p.Needs {
		if n.Otherwise == "" {
			values[n.Name] = n.Example
		}
	}
	x, err := p.Make(values)
	if err != nil {
		t.Fatal(err)
	}
	switch p.Key {
	case "HS256":
		x.Key.Material = secret.NewString(sharedSecret)
	case token.RS256:
		x.Key.Material = accountKey()
	}
	return x
}

// examine examines a template for a target.
func (c *clinic) examine(t *testing.T, target string, x *token.Template, s token.Subject) doctor.Report {
	t.Helper()
	r, err := c.Examine(t.Context(), target, x, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// of are the findings that did not turn out fine.
func of(r doctor.Report, result doctor.Result) (found []string) {
	for _, f := range r.Findings {
		if f.Result == result {
			found = append(found, f.Check+": "+f.Says)
		}
	}
	return found
}

// says reports whether the report has such a finding, with a way forward where it is needed.
func says(t *testing.T, r doctor.Report, result doctor.Result, check, words string) bool {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f doctor.Finding) bool {
		return f.Check == check && f.Result == result && strings.Contains(f.Says, words)
	})
	if i >= 0 && result != doctor.Fine && r.Findings[i].Do == "" {
		t.Errorf("%s %s: nothing says what to do", check, result)
	}
	return i >= 0
}
