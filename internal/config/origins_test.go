package config_test

import (
	"strings"
	"testing"

	"idp/internal/config"
)

func deployed(t *testing.T, more ...string) config.Config {
	t.Helper()
	return load(t, "", append([]string{
		"IDP_ENVIRONMENT=production", "IDP_ISSUER=https://id.example.co.uk", "IDP_MASTER_KEY=7f3c1de9a04b52886fd7310c95be24aa61e8d74f0b39c5127da6428fe1905bc3",
		"IDP_SMTP_URL=smtps://mail.example.co.uk", "IDP_MAIL_FROM=a@example.co.uk",
	}, more...)...)
}

func TestOnlyOriginsSpelledAsBrowsersDoAreTaken(t *testing.T) {
	if c := deployed(t, "IDP_ORIGINS=https://app.example.co.uk, https://example.co.uk:8443"); c.Validate() != nil {
		t.Fatal(c.Validate())
	}
	for o, why := range map[string]string{
		"*": "everybody", "null": "whatever hides its origin", "https://*.example.co.uk": "a pattern", "app.example.co.uk": "no scheme",
		"https://app.example.co.uk/": "a path", "https://app.example.co.uk:443": "the default port", "https://App.example.co.uk": "upper case",
		"https://a@app.example.co.uk": "a user", "https://app.example.co.uk?": "a query", "https://app.example.co.uk:": "an empty port",
		"http://app.example.co.uk": "not https", "http://localhost:5173": "not https, on the machine of whoever is signed in",
		"https://id.example.co.uk": "the issuer's own", "ftp://app.example.co.uk": "not the web",
	} {
		if err := deployed(t, "IDP_ORIGINS="+o).Validate(); err == nil || !strings.Contains(err.Error(), "origins: ") {
			t.Errorf("%s (%s) was accepted: %v", o, why, err)
		}
	}
}

func TestListedIsWhatIsNamedAndNothingThatLooksLikeIt(t *testing.T) {
	c := deployed(t, "IDP_ORIGINS=https://app.example.co.uk")
	if !c.Listed("https://app.example.co.uk") {
		t.Error("the listed origin is not")
	}
	for _, o := range []string{
		"", "null", "*", "http://app.example.co.uk", "https://app.example.co.uk:8443", "https://app.example.co.uk.evil.com", "https://APP.example.co.uk",
		"https://app.example.co.uk/", "https://evil.com", "https://x.app.example.co.uk", "http://localhost:5173",
	} {
		if c.Listed(o) {
			t.Errorf("%q counts as listed", o)
		}
	}
}

func TestInDevelopmentWithoutAListThisMachineIsListed(t *testing.T) {
	c := load(t, "", "IDP_ISSUER=http://localhost:8080")
	for _, o := range []string{"http://localhost", "http://localhost:5173", "http://app.localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"} {
		if !c.Listed(o) {
			t.Errorf("%s is not listed", o)
		}
	}
	for _, o := range []string{"https://localhost:5173", "http://localhost:80", "http://LOCALHOST:5173", "http://localhost.evil.com", "http://evil.com", "http://a@localhost:5173", "http://localhost:5173/", "null", "", "http://10.0.0.1:3000"} {
		if c.Listed(o) {
			t.Errorf("%q counts as listed", o)
		}
	}
	if c := load(t, "", "IDP_ISSUER=http://localhost:8080", "IDP_ORIGINS=http://localhost:5173"); !c.Listed("http://localhost:5173") || c.Listed("http://localhost:3000") || c.Validate() != nil {
		t.Errorf("a list does not replace the default: %v", c.Validate())
	}
	if c := load(t, "", "IDP_ISSUER=http://localhost:8080", "IDP_ORIGINS=http://app.example.com"); c.Validate() == nil {
		t.Error("development takes an origin without https beyond this machine")
	}
	if c := deployed(t); c.Listed("http://localhost:5173") || c.Listed("https://app.example.co.uk") {
		t.Error("production lists somebody by default")
	}
}

func TestAnOriginOfAnotherSiteIsWarnedOf(t *testing.T) {
	for o, other := range map[string]bool{
		"https://app.example.co.uk": false, "https://example.co.uk:8443": false, "https://example.com": true, "https://other.co.uk": true,
	} {
		warned := strings.Contains(strings.Join(deployed(t, "IDP_ORIGINS="+o).Warnings(), "\n"), o+" is another site")
		if warned != other {
			t.Errorf("%s: warned %t", o, warned)
		}
	}
	if c := load(t, "", "IDP_ISSUER=http://localhost:8080"); !c.SameSite("http://localhost:5173") || c.SameSite("http://127.0.0.1:5173") || c.SameSite("http://app.localhost:5173") || c.SameSite("https://localhost:5173") {
		t.Error("names of this machine are mixed up, which browsers do not do")
	}
}

func TestAListedOriginWithinTheDomainOfPasskeysMayUseThem(t *testing.T) {
	c := deployed(t, "IDP_PASSKEYS_RP_ID=example.co.uk", "IDP_ORIGINS=https://app.example.co.uk,https://app.example.org", "IDP_PASSKEYS_ORIGINS=https://shop.example.org")
	for o, may := range map[string]bool{
		"https://id.example.co.uk": true, "https://app.example.co.uk": true, "https://shop.example.org": true,
		"https://app.example.org": false, "https://x.example.co.uk": false, "https://example.co.uk": false, "https://notexample.co.uk": false, "": false,
	} {
		if c.PasskeysAt(o) != may {
			t.Errorf("%q: %t", o, !may)
		}
	}
	if c := deployed(t, "IDP_ORIGINS=https://app.example.co.uk"); c.PasskeysAt("https://app.example.co.uk") {
		t.Error("passkeys of id.example.co.uk at its neighbour: browsers refuse that")
	}
}
