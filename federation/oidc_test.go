package federation_test

import (
	"testing"

	"idp/federation/federationtest"
)

func TestSomebodySignsInByAnOpenIDProvider(t *testing.T) {
	h := newHouse(t)
	for _, key := range []federationtest.Key{federationtest.Right, federationtest.Curve} {
		h.op.Sign = key
		x, err := h.signIn()
		h.must(err)
		if x.Account.Issuer != h.op.URL || x.Account.Subject != "upstream-ann" || x.Account.Method != "oauth_acme" {
			t.Errorf("account %+v", x.Account)
		}
		if x.Email.Value != "ann@example.com" || !x.Verdict.Verified || x.Profile.Name != "Ann Example" {
			t.Errorf("assertion %+v", x)
		}
		if x.Account.Tokens.Access != "" {
			t.Error("tokens were kept although nobody asked for it")
		}
	}
	asked := h.op.Visits()[0]
	for name, want := range map[string]string{
		"response_type": "code", "client_id": federationtest.ClientID, "redirect_uri": "https://id.example.com/federation/acme/callback",
		"scope": "openid email profile", "code_challenge_method": "S256", "login_hint": "", "prompt": "", "max_age": "", "response_mode": "",
	} {
		if asked.Get(name) != want {
			t.Errorf("%s=%q, want %q", name, asked.Get(name), want)
		}
	}
	if n := h.op.Calls("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("the description was read %d times", n)
	}
	if n := h.op.Calls("/jwks"); n != 1 {
		t.Errorf("the keys were read %d times", n)
	}
}

func TestSomebodySignsInByAnOAuthProvider(t *testing.T) {
	h := newHouse(t)
	h.op.JSON["/user"] = map[string]any{"id": 9007199254740993, "login": "ann", "email": "ann@example.com"}
	h.c = h.op.Plain("hub")
	h.c.Claims = map[string]string{"subject": "id", "username": "login"}
	x, err := h.signIn()
	h.must(err)
	if x.Account.Subject != "9007199254740993" || x.Account.Issuer != h.op.URL || x.Account.Username != "ann" {
		t.Errorf("account %+v", x.Account)
	}
	if x.Verdict.Verified {
		t.Error("an address without a word about it was believed")
	}
	if n := h.op.Calls("/jwks") + h.op.Calls("/.well-known/openid-configuration"); n != 0 {
		t.Errorf("OAuth 2.0 read %d descriptions", n)
	}
}
