package config_test

import (
	"slices"
	"strings"
	"testing"
)

func TestPasskeysAreBoundToTheIssuersHostOrAParentOfIt(t *testing.T) {
	production := []string{
		"IDP_ENVIRONMENT=production", "IDP_ISSUER=https://id.example.co.uk", "IDP_MASTER_KEY=7f3c1de9a04b52886fd7310c95be24aa61e8d74f0b39c5127da6428fe1905bc3",
		"IDP_SMTP_URL=smtps://mail.example.co.uk", "IDP_MAIL_FROM=a@example.co.uk",
	}
	if c := load(t, "", production...); c.Passkeys.RPID != "id.example.co.uk" || c.Validate() != nil {
		t.Errorf("by default they are bound to %q: %v", c.Passkeys.RPID, c.Validate())
	}
	if c := load(t, "", append(production, "IDP_PASSKEYS_RP_ID=example.co.uk", "IDP_PASSKEYS_ORIGINS=https://app.example.org, https://example.co.uk:8443")...); c.Validate() != nil ||
		!slices.Equal(c.PasskeyOrigins(), []string{"https://id.example.co.uk", "https://app.example.org", "https://example.co.uk:8443"}) {
		t.Errorf("a parent and other origins: %v, %v", c.PasskeyOrigins(), c.Validate())
	}
	for id, why := range map[string]string{
		"co.uk": "everybody's", "uk": "everybody's", "example.com": "somebody else's", "ple.co.uk": "only ends alike",
		"login.id.example.co.uk": "a child", "ID.example.co.uk": "spelt otherwise", "https://id.example.co.uk": "a URL",
	} {
		if c := load(t, "", append(production, "IDP_PASSKEYS_RP_ID="+id)...); c.Validate() == nil || !strings.Contains(c.Validate().Error(), "passkeys.rp_id") {
			t.Errorf("%s (%s) was accepted: %v", id, why, c.Validate())
		}
	}
	for _, o := range []string{"app.example.org", "https://app.example.org/", "https://app.example.org:443", "https://App.example.org", "https://a@app.example.org", "http://app.example.org", "http://localhost:1", "https://id.example.co.uk", "*"} {
		if c := load(t, "", append(production, "IDP_PASSKEYS_ORIGINS="+o)...); c.Validate() == nil || !strings.Contains(c.Validate().Error(), "passkeys.origins") {
			t.Errorf("%s was accepted: %v", o, c.Validate())
		}
	}
}

func TestAnIssuerWithoutANameHasNoPasskeysAndSaysSo(t *testing.T) {
	c := load(t, "", "IDP_ISSUER=http://127.0.0.1:8080")
	if c.Passkeys.RPID != "" || c.Validate() != nil || !strings.Contains(strings.Join(c.Warnings(), "\n"), "bare address") {
		t.Errorf("%q, %v, %q", c.Passkeys.RPID, c.Validate(), c.Warnings())
	}
	if c := load(t, "", "IDP_ISSUER=http://127.0.0.1:8080", "IDP_PASSKEYS_RP_ID=127.0.0.1"); c.Validate() == nil {
		t.Error("an address was accepted as a domain")
	}
}
