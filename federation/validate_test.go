package federation_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"idp/federation"
	"idp/internal/problem"
	"idp/internal/secret"
)

// oidcFile and its kin are what an operator writes, whole.
const (
	oidcFile  = `{"name": "acme", "type": "oidc", "issuer": "https://login.acme.com", "client_id": "id", "client_secret": "s3cret"}`
	oauthFile = `{"name": "acme", "type": "oauth2", "authorization_endpoint": "https://acme.com/a?b=c", "token_endpoint": "https://acme.com/t",
		"userinfo_endpoint": "https://acme.com/u", "client_id": "id", "client_secret": "s3cret"}`
	presetFile = `{"name": "acme", "preset": "google", "client_id": "id", "client_secret": "s3cret"}`
	samlFile   = `{"name": "acme", "type": "saml", "metadata_url": "https://acme.com/metadata?x=y"}`
)

// file returns one of them with members changed; nil takes one away.
func file(t *testing.T, base string, changes map[string]any) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(base), &all); err != nil {
		t.Fatal(err)
	}
	for k, v := range changes {
		if all[k] = v; v == nil {
			delete(all, k)
		}
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func checked(raw []byte, production bool) (federation.Connection, error) {
	c, err := federation.ReadConnection(raw)
	if err == nil {
		err = c.Check(production)
	}
	return c, err
}

func wantWrong(t *testing.T, what string, err error, field string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Kind != problem.Invalid || p.Field != field || p.Detail == "" {
		t.Errorf("%s: %v on %q, want it on %q", what, err, fieldOf(err), field)
	}
}

func fieldOf(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Field + ": " + p.Detail
	}
	return ""
}

func certificate(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	from := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &from, &from, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func curveKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestEachWrongMemberOfAConnectionNamesItself(t *testing.T) {
	type change = map[string]any
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	byHand := func(cert string) change {
		return change{"metadata_url": nil, "entity_id": "urn:acme", "entry_point": "https://acme.com/sso", "certificate": cert}
	}
	good := inPEM("CERTIFICATE", certificate(t, curveKey(t)))
	for _, test := range []struct {
		base   string
		change change
		field  string
	}{
		{oidcFile, change{"name": nil}, "name"},
		{oidcFile, change{"name": "Acme"}, "name"},
		{oidcFile, change{"name": "a--b"}, "name"},
		{oidcFile, change{"name": "-a"}, "name"},
		{oidcFile, change{"name": "a_b"}, "name"},
		{oidcFile, change{"name": "../x"}, "name"},
		{oidcFile, change{"name": "new"}, "name"},
		{oidcFile, change{"name": strings.Repeat("a", 31)}, "name"},
		{oidcFile, change{"title": strings.Repeat("ä", 61)}, "title"},
		{oidcFile, change{"title": "a\nb"}, "title"},
		{oidcFile, change{"title": "a\u202eb"}, "title"},
		{oidcFile, change{"type": nil}, "type"},
		{oidcFile, change{"type": "ldap"}, "type"},
		{oidcFile, change{"issuer": nil}, "issuer"},
		{oidcFile, change{"issuer": "login.acme.com"}, "issuer"},
		{oidcFile, change{"issuer": "ftp://login.acme.com"}, "issuer"},
		{oidcFile, change{"issuer": "http://login.acme.com"}, "issuer"},
		{oidcFile, change{"issuer": "https://login.acme.com?x"}, "issuer"},
		{oidcFile, change{"issuer": "https://login.acme.com#x"}, "issuer"},
		{oidcFile, change{"issuer": "https://a:b@login.acme.com"}, "issuer"},
		{oidcFile, change{"issuer": "https://login.acme.com/ x"}, "issuer"},
		{oidcFile, change{"issuer": "https:///x"}, "issuer"},
		{oidcFile, change{"client_id": nil}, "client_id"},
		{oidcFile, change{"client_id": "a\nb"}, "client_id"},
		{oidcFile, change{"client_secret": nil}, "client_secret"},
		{oidcFile, change{"client_secret": 7}, "client_secret"},
		{oidcFile, change{"client_secret": strings.Repeat("a", 9000)}, "client_secret"},
		{oidcFile, change{"scopes": "openid"}, "scopes"},
		{oidcFile, change{"scopes": []string{"email"}}, "scopes"},
		{oidcFile, change{"scopes": []string{"openid email"}}, "scopes"},
		{oidcFile, change{"scopes": []string{"openid", "openid"}}, "scopes"},
		{oidcFile, change{"options": change{"tenant": "x"}}, "options.tenant"},
		{oidcFile, change{"options": change{"token_auth": "private_key_jwt"}}, "options.token_auth"},
		{oidcFile, change{"preset": "google"}, "issuer"},
		{presetFile, change{"preset": "gogle"}, "preset"},
		{presetFile, change{"type": "oauth2"}, "type"},
		{presetFile, change{"options": change{"tenant": "common"}}, "options.tenant"},
		{presetFile, change{"options": change{"domain": "a b"}}, "options.domain"},
		{presetFile, change{"preset": "apple"}, "options.team_id"},
		{presetFile, change{"client_secret": nil}, "client_secret"},
		{samlFile, change{"preset": "google"}, "type"},
		{samlFile, change{"trust": change{"email": "claim"}}, "trust.email"},
		{oidcFile, change{"token_endpoint": "https://acme.com/t"}, "token_endpoint"},
		{oidcFile, change{"metadata_url": "https://acme.com/m"}, "metadata_url"},
		{oidcFile, change{"idp_initiated": true}, "idp_initiated"},
		{oidcFile, change{"claims": change{"admin": "x"}}, "claims.admin"},
		{oidcFile, change{"claims": change{"email": ""}}, "claims.email"},
		{oidcFile, change{"claims": []string{}}, "claims"},
		{oidcFile, change{"domains": []string{"com"}}, "domains"},
		{oidcFile, change{"domains": []string{"co.uk"}}, "domains"},
		{oidcFile, change{"domains": []string{"github.io"}}, "domains"},
		{oidcFile, change{"domains": []string{"gmail.com"}}, "domains"},
		{oidcFile, change{"domains": []string{"Hotmail.co.uk"}}, "domains"},
		{oidcFile, change{"domains": []string{"acme.com", "ACME.com"}}, "domains"},
		{oidcFile, change{"domains": []string{"ann@acme.com"}}, "domains"},
		{oidcFile, change{"domains": []string{"*.acme.com"}}, "domains"},
		{oidcFile, change{"domains": []string{"127.0.0.1"}}, "domains"},
		{oidcFile, change{"enforce_sso": true}, "enforce_sso"},
		{oidcFile, change{"enforce_sso": "yes"}, "enforce_sso"},
		{oidcFile, change{"trust": change{"email": "always"}}, "trust.email"},
		{oidcFile, change{"trust": change{"email": "domains"}}, "trust.email"},
		{oidcFile, change{"trust": change{"phone": true}}, "trust.phone"},
		{oidcFile, change{"trust": "never"}, "trust"},
		{oidcFile, change{"colour": "red"}, "colour"},
		{oidcFile, change{"Client_ID": "x"}, "Client_ID"},
		{oauthFile, change{"authorization_endpoint": nil}, "authorization_endpoint"},
		{oauthFile, change{"token_endpoint": nil}, "token_endpoint"},
		{oauthFile, change{"userinfo_endpoint": nil}, "userinfo_endpoint"},
		{oauthFile, change{"userinfo_endpoint": "javascript:alert(1)"}, "userinfo_endpoint"},
		{samlFile, change{"metadata_url": nil}, "metadata_url"},
		{samlFile, change{"metadata_url": "http://acme.com/m"}, "metadata_url"},
		{samlFile, change{"metadata": "<x/>"}, "metadata_url"},
		{samlFile, change{"entity_id": "urn:acme"}, "metadata_url"},
		{samlFile, change{"metadata_url": nil, "metadata": "<x/>", "entity_id": "urn:acme"}, "metadata"},
		{samlFile, change{"metadata_url": nil, "metadata": "https://acme.com/m"}, "metadata"},
		{samlFile, change{"metadata_url": nil, "metadata": "<" + strings.Repeat("x", 300<<10)}, "metadata"},
		{samlFile, change{"client_id": "x"}, "client_id"},
		{samlFile, change{"client_secret": "x"}, "client_secret"},
		{samlFile, change{"keep_tokens": true}, "keep_tokens"},
		{samlFile, change{"metadata_url": nil, "entry_point": "https://acme.com/sso", "certificate": good}, "entity_id"},
		{samlFile, change{"metadata_url": nil, "entity_id": "urn:acme", "certificate": good}, "entry_point"},
		{samlFile, byHand(""), "certificate"},
		{samlFile, byHand("a certificate"), "certificate"},
		{samlFile, byHand(good + "rest"), "certificate"},
		{samlFile, byHand(inPEM("PRIVATE KEY", []byte("x"))), "certificate"},
		{samlFile, byHand(inPEM("CERTIFICATE", []byte("x"))), "certificate"},
		{samlFile, byHand(inPEM("CERTIFICATE", certificate(t, weak))), "certificate"},
		{samlFile, byHand(inPEM("CERTIFICATE", certificate(t, edwards))), "certificate"},
	} {
		raw := file(t, test.base, test.change)
		_, err := checked(raw, true)
		wantWrong(t, string(raw[:min(len(raw), 300)]), err, test.field)
	}
	for _, raw := range []string{"", "[]", "null", `"x"`, oidcFile + "x", oidcFile[:40], "{", `{"name": "a", "name": "b"}`} {
		if _, err := federation.ReadConnection([]byte(raw)); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestAConnectionIsReadAsItIsKept(t *testing.T) {
	bare := base64.StdEncoding.EncodeToString(certificate(t, curveKey(t)))
	for _, test := range []struct {
		base   string
		change map[string]any
		want   func(c federation.Connection) bool
	}{
		{oidcFile, nil, func(c federation.Connection) bool { return c.ClientSecret.Reveal() == "s3cret" }},
		{oidcFile, map[string]any{"domains": []string{" @Bücher.Example.", "acme.co.uk"}, "enforce_sso": true, "trust": map[string]any{"email": "domains", "mfa": true}},
			func(c federation.Connection) bool {
				return strings.Join(c.Domains, " ") == "xn--bcher-kva.example acme.co.uk" && c.Enforce && c.Trust.MFA && c.Trust.Email == federation.TrustDomains
			}},
		{oidcFile, map[string]any{"scopes": []string{"openid", "email"}, "claims": map[string]string{"email": "mail"}, "created_at": "2020-01-01T00:00:00Z"},
			func(c federation.Connection) bool { return len(c.Scopes) == 2 && c.CreatedAt.IsZero() }},
		{oauthFile, map[string]any{"keep_tokens": true, "title": "Äcme & Söhne"}, func(c federation.Connection) bool { return c.KeepTokens }},
		{oidcFile, map[string]any{"client_secret": nil, "options": map[string]string{"token_auth": "none"}}, func(c federation.Connection) bool { return c.ClientSecret.Empty() }},
		{presetFile, nil, func(c federation.Connection) bool {
			return c.Type == federation.OIDC && c.Method() == "oauth_acme" && c.Issuer == ""
		}},
		{samlFile, nil, func(c federation.Connection) bool { return c.Method() == "saml_acme" }},
		{samlFile, map[string]any{"metadata_url": nil, "metadata": "\n<EntityDescriptor/>"}, func(c federation.Connection) bool { return c.Metadata == "<EntityDescriptor/>" }},
		{samlFile, map[string]any{"metadata_url": nil, "entity_id": "urn:acme", "entry_point": "https://acme.com/sso", "certificate": bare[:70] + "\n  " + bare[70:]},
			func(c federation.Connection) bool {
				return strings.HasPrefix(c.Certificate, "-----BEGIN CERTIFICATE-----\n")
			}},
	} {
		c, err := checked(file(t, test.base, test.change), true)
		if err != nil || !test.want(c) {
			t.Errorf("%v: %v (%s) %+v", test.change, err, fieldOf(err), c)
		}
		again, err := json.Marshal(c)
		if err != nil || strings.Contains(string(again), "s3cret") {
			t.Fatalf("%v %s", err, again)
		}
		read, err := federation.ReadConnection(again)
		if read.ClientSecret = c.ClientSecret; err != nil || read.Check(true) != nil {
			t.Errorf("what is printed cannot be read: %v %s", err, again)
		}
		if twice, _ := json.Marshal(read); string(twice) != string(again) {
			t.Errorf("%s became %s", again, twice)
		}
	}
}

func TestPlainHTTPIsForThisMachineInDevelopment(t *testing.T) {
	for address, ok := range map[string]bool{
		"http://localhost:8080": true, "http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost.evil.example": false, "http://10.0.0.1": false,
	} {
		raw := file(t, oidcFile, map[string]any{"issuer": address})
		if _, err := checked(raw, false); (err == nil) != ok {
			t.Errorf("%s in development: %v", address, err)
		}
		_, err := checked(raw, true)
		wantWrong(t, address+" in production", err, "issuer")
	}
}

func TestASecretStaysWithTheProviderThatItWasFor(t *testing.T) {
	old, err := checked([]byte(oauthFile), true)
	if err != nil {
		t.Fatal(err)
	}
	old.Version = 3
	replace := func(change func(c *federation.Connection)) (federation.Connection, error) {
		c := old
		c.ClientSecret, c.Version = secret.String{}, 0
		change(&c)
		return c.Replacing(old)
	}
	c, err := replace(func(c *federation.Connection) { c.Title, c.Name, c.Type = "Acme", "", "" })
	if err != nil || c.ClientSecret != old.ClientSecret || c.Version != 3 || c.Name != "acme" || c.Type != federation.OAuth2 {
		t.Errorf("%v %+v", err, c)
	}
	for _, test := range []struct {
		field  string
		change func(c *federation.Connection)
	}{
		{"name", func(c *federation.Connection) { c.Name = "other" }},
		{"type", func(c *federation.Connection) { c.Type = federation.OIDC }},
		{"client_secret", func(c *federation.Connection) { c.TokenEndpoint = "https://evil.example/t" }},
		{"client_secret", func(c *federation.Connection) { c.ClientID = "other" }},
		{"client_secret", func(c *federation.Connection) { c.Preset = "github" }},
	} {
		_, err := replace(test.change)
		wantWrong(t, "a change of another provider's", err, test.field)
	}
	hub := federation.Connection{Name: "hub", Type: federation.OAuth2, Preset: "github_enterprise", Options: map[string]string{"host": "git.acme.com"}, ClientID: "id", ClientSecret: old.ClientSecret}
	moved := hub
	moved.ClientSecret, moved.Options = secret.String{}, map[string]string{"host": "evil.example"}
	_, err = moved.Replacing(hub)
	wantWrong(t, "a preset's host", err, "client_secret")
	c, err = replace(func(c *federation.Connection) { c.ClientID, c.ClientSecret = "other", secret.NewString("n3w") })
	if err != nil || c.ClientSecret.Reveal() != "n3w" {
		t.Errorf("%v %+v", err, c)
	}
}
