package federation_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"idp/federation"
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

func TestAnAddressAndTheWordAboutItComeFromOneAnswer(t *testing.T) {
	const ann, eve = "ann@example.com", "eve@example.com"
	for what, one := range map[string]struct {
		token, info map[string]any
		email       string
		verified    bool
	}{
		"only userinfo has both":       {nil, map[string]any{"email": ann, "email_verified": true}, ann, true},
		"only the token has both":      {map[string]any{"email": ann, "email_verified": true}, nil, ann, true},
		"the same, the word in either": {map[string]any{"email": ann}, map[string]any{"email": ann, "email_verified": true}, ann, true},
		"two addresses":                {map[string]any{"email": ann}, map[string]any{"email": eve, "email_verified": true}, ann, false},
		"two addresses, both proven":   {map[string]any{"email": ann, "email_verified": true}, map[string]any{"email": eve, "email_verified": true}, ann, true},
		"a word about nothing":         {map[string]any{"email": ann}, map[string]any{"email_verified": true}, ann, false},
		"a signed word about nothing":  {map[string]any{"email_verified": true}, map[string]any{"email": eve}, eve, false},
		"a signed no":                  {map[string]any{"email": ann, "email_verified": false}, map[string]any{"email": ann, "email_verified": true}, ann, false},
		"an address of odd type":       {map[string]any{"email": []string{ann}}, map[string]any{"email": map[string]any{"a": ann}, "email_verified": true}, "", false},
	} {
		h := newHouse(t)
		h.op.Bare, h.op.Info = true, map[string]any{"sub": "upstream-ann"}
		maps.Copy(h.op.Info, one.info)
		h.op.Token = func(c map[string]any) { maps.Copy(c, one.token) }
		x, err := h.signIn()
		h.must(err)
		if x.Email.Value != one.email || x.Verdict.Verified != one.verified {
			t.Errorf("%s: %q, %+v", what, x.Email.Value, x.Verdict)
		}
	}
}

func TestUserinfoCannotSayWhatOnlyTheTokenMay(t *testing.T) {
	h := newHouse(t)
	h.c.Trust.MFA = true
	h.op.Info = map[string]any{"sub": "upstream-ann", "amr": []string{"mfa"}, "acr": "x", "iss": "https://elsewhere.example", "sid": "forged", "auth_time": 1}
	x, err := h.signIn()
	h.must(err)
	if x.Both || len(x.Vouched) > 0 || x.Session != "" || x.Account.Issuer != h.op.URL || !x.AuthTime.Equal(h.clock.Now()) {
		t.Errorf("%+v", x)
	}
}

func TestADepartureAsksForWhatWasAsked(t *testing.T) {
	hour := time.Hour
	for what, one := range map[string]struct {
		d       federation.Departure
		options map[string]string
		want    map[string]string
	}{
		"a hint and a language":       {federation.Departure{Hint: "ann@example.com", Locale: "fr"}, nil, map[string]string{"login_hint": "ann@example.com", "ui_locales": "fr", "prompt": "", "max_age": ""}},
		"a fresh proof":               {federation.Departure{Anew: true}, nil, map[string]string{"prompt": "login", "max_age": "0"}},
		"a proof of the last hour":    {federation.Departure{MaxAge: &hour}, nil, map[string]string{"prompt": "", "max_age": "3600"}},
		"but not of who cannot":       {federation.Departure{Anew: true, MaxAge: &hour}, map[string]string{"max_age": "no"}, map[string]string{"prompt": "", "max_age": ""}},
		"a challenge":                 {federation.Departure{}, nil, map[string]string{"code_challenge_method": "S256"}},
		"but not of who refuses it":   {federation.Departure{}, map[string]string{"pkce": "no"}, map[string]string{"code_challenge_method": "", "code_challenge": ""}},
		"two steps, as it calls them": {federation.Departure{Both: true}, nil, map[string]string{"acr_values": "https://refeds.org/profile/mfa"}},
		"two steps, of no need":       {federation.Departure{}, nil, map[string]string{"acr_values": ""}},
	} {
		h := newHouse(t)
		h.op.Document = func(d map[string]any) {
			d["acr_values_supported"] = []string{"urn:known", "https://refeds.org/profile/mfa"}
		}
		h.c.Options, h.c.Trust.MFA = one.options, true
		one.d.State, one.d.At = federation.NewState("attempt_1"), h.clock.Now()
		_, err := h.op.Through(h.f, h.c, one.d)
		h.must(err)
		for name, want := range one.want {
			if got := h.op.Visits()[0].Get(name); got != want {
				t.Errorf("%s: %s=%q, want %q", what, name, got, want)
			}
		}
		if nonce := h.op.Visits()[0].Get("nonce"); len(nonce) < 32 || strings.Contains(one.d.State.Reveal(), nonce) {
			t.Errorf("%s: nonce %q", what, nonce)
		}
	}
}

func TestAnOldProofIsNoFreshOne(t *testing.T) {
	hour := time.Hour
	for what, one := range map[string]struct {
		anew   bool
		maxAge *time.Duration
		age    time.Duration // of the proof there, at the departure
		silent bool          // without auth_time
		ok     bool
	}{
		"anew, proven on the way":       {anew: true, age: -time.Minute, ok: true},
		"anew, a slow clock":            {anew: true, age: 30 * time.Second, ok: true},
		"anew, an old session":          {anew: true, age: 31 * time.Second},
		"anew, of no time":              {anew: true, silent: true},
		"an hour, half an hour old":     {maxAge: &hour, age: hour / 2, ok: true},
		"an hour, old":                  {maxAge: &hour, age: hour + 31*time.Second},
		"an hour, of no time":           {maxAge: &hour, silent: true},
		"nothing asked, old":            {age: 1000 * hour, ok: true},
		"nothing asked, of no time":     {silent: true, ok: true},
		"anew and an hour, a while ago": {anew: true, maxAge: &hour, age: hour / 2},
	} {
		h := newHouse(t)
		d := federation.Departure{State: federation.NewState("attempt_1"), At: h.clock.Now(), Anew: one.anew, MaxAge: one.maxAge}
		h.op.AuthTime = h.clock.Now().Add(-one.age)
		h.op.Token = func(c map[string]any) {
			if one.silent {
				c["auth_time"] = nil
			}
		}
		h.clock.Add(2 * time.Minute) // at the provider
		x, err := h.op.Through(h.f, h.c, d)
		if one.ok && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if !one.ok {
			h.refused(what, x, err, federation.ErrRefused)
		}
	}
}

func TestTheClientProvesItselfAsTheProviderWants(t *testing.T) {
	for what, one := range map[string]struct {
		methods any
		option  string
		inBody  bool
	}{
		"nothing said": {nil, "", false},
		"both":         {[]string{"client_secret_post", "client_secret_basic"}, "", false},
		"post alone":   {[]string{"client_secret_post"}, "", true},
		"by option":    {[]string{"client_secret_basic"}, "client_secret_post", true},
	} {
		h := newHouse(t)
		h.op.Document = func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = one.methods }
		if one.option != "" {
			h.c.Options = map[string]string{"token_auth": one.option}
		}
		_, err := h.signIn()
		h.must(err)
		if got := h.op.Grants()[0].Get("client_secret") != ""; got != one.inBody {
			t.Errorf("%s: secret in the form: %v", what, got)
		}
	}
}

func TestTokensAreKeptOnlyIfTheOperatorWantsThem(t *testing.T) {
	h := newHouse(t)
	h.c.KeepTokens = true
	x, err := h.signIn()
	h.must(err)
	got := x.Account.Tokens
	if !strings.HasPrefix(got.Access, "at_") || !strings.HasPrefix(got.Refresh, "rt_") || !got.ExpiresAt.Equal(h.clock.Now().Add(time.Hour)) {
		t.Errorf("kept %+v", got)
	}
}
