package federation_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idp/federation"
	"idp/internal/problem"
	"idp/internal/secret"
)

// judged is the assertion that a connection's provider gets for these claims.
func judged(t *testing.T, f *federation.Federation, c federation.Connection, claims string) federation.Assertion {
	t.Helper()
	issuer := "https://login.acme.example"
	if c.Preset != "" {
		issuer = c.Filled().Issuer
	}
	a, err := f.Assert(c, issuer, decode(t, claims).(map[string]any))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestWithoutPresetOnlyTheStandardClaimCountsAndOnlyAsTrue(t *testing.T) {
	f, c := &federation.Federation{}, federation.Connection{Name: "acme", Type: federation.OIDC}
	for _, said := range statements {
		a := judged(t, f, c, `{"sub":"1","email":"bob@acme.example","email_verified":`+said+`}`)
		if a.Verdict.Verified != (said == "true") {
			t.Errorf("email_verified %s: %+v", said, a.Verdict)
		}
	}
	if a := judged(t, f, c, `{"sub":"1","email":"bob@acme.example"}`); a.Verdict.Verified {
		t.Error("verified by silence")
	}
	c.Claims = map[string]string{"email": "upn"}
	if a := judged(t, f, c, `{"sub":"1","email":"eve@evil.example","upn":"bob@acme.example","email_verified":true}`); a.Verdict.Verified || a.Email.Value != "bob@acme.example" {
		t.Errorf("the claim about one address was taken for another: %+v", a)
	}
}

func TestAnOperatorsRuleGoesBeforeThePresets(t *testing.T) {
	f := &federation.Federation{}
	google := federation.Connection{Name: "google", Preset: "google"}
	yes, no := `{"sub":"1","email":"bob@acme.example","email_verified":true}`, `{"sub":"1","email":"bob@acme.example"}`
	hosted := strings.Replace(yes, "{", `{"hd":"acme.example",`, 1)
	for _, row := range []struct {
		trust   federation.EmailTrust
		domains []string
		said    string
		want    bool
	}{
		{"", nil, yes, false},
		{"", nil, hosted, true},
		{federation.TrustNever, nil, yes, false},
		{federation.TrustClaim, nil, yes, true},
		{federation.TrustClaim, nil, no, false},
		{federation.TrustDomains, []string{"acme.example"}, no, true},
		{federation.TrustDomains, []string{"other.example"}, yes, false},
		{federation.TrustDomains, []string{"cme.example", "example"}, yes, false},
		{"always", nil, yes, false},
	} {
		google.Trust.Email, google.Domains = row.trust, row.domains
		if a := judged(t, f, google, row.said); a.Verdict.Verified != row.want {
			t.Errorf("%q %v: %+v", row.trust, row.domains, a.Verdict)
		}
	}
	self := federation.Connection{Name: "gh", Preset: "github_enterprise", Options: map[string]string{"host": "github.acme.example"}}
	payload := `{"id":7,"email_verified":true,"emails":[{"email":"bob@acme.example","primary":true,"verified":true}]}`
	if judged(t, f, self, payload).Verdict.Verified {
		t.Error("an instance of anybody's was believed unasked")
	}
	self.Trust.Email = federation.TrustClaim
	if !judged(t, f, self, payload).Verdict.Verified || judged(t, f, self, strings.Replace(payload, `"verified":true`, `"verified":false`, 1)).Verdict.Verified {
		t.Error("its list was not read")
	}
	self.Claims = map[string]string{"email": "mail"}
	if a := judged(t, f, self, strings.Replace(payload, `"id":7`, `"id":7,"mail":"eve@evil.example"`, 1)); a.Verdict.Verified {
		t.Errorf("the list's word was taken for another address: %+v", a)
	}
}

func TestADomainIsSpokenForByItsOwnConnectionAlone(t *testing.T) {
	f := &federation.Federation{}
	google := federation.Connection{Name: "google", Preset: "google"}
	acme := federation.Connection{Name: "acme", Type: federation.OIDC, Domains: []string{"corp.example"}, Disabled: true}
	f.Put(google, acme)
	said := `{"sub":"1","hd":"sub.corp.example","email":"bob@corp.example","email_verified":true}`
	for _, trust := range []federation.EmailTrust{"", federation.TrustClaim} {
		google.Trust.Email = trust
		if a := judged(t, f, google, said); a.Verdict.Verified || a.Email.Value != "bob@corp.example" {
			t.Errorf("another's domain, rule %q: %+v", trust, a.Verdict)
		}
	}
	google.Trust.Email = ""
	if !judged(t, f, acme, said).Verdict.Verified {
		t.Error("its own connection was not believed")
	}
	if !judged(t, f, google, strings.ReplaceAll(said, "corp.example", "sub.corp.example")).Verdict.Verified {
		t.Error("a domain below is another domain")
	}
	google.Trust.Email, google.Domains = federation.TrustDomains, []string{"other.example"}
	if judged(t, f, google, said).Verdict.Verified {
		t.Error("another's domain by the rule domains")
	}
}

func TestASAMLProviderSpeaksForItsDomainsOnly(t *testing.T) {
	f := &federation.Federation{}
	c := federation.Connection{Name: "acme", Type: federation.SAML, Domains: []string{"corp.example", "xn--mller-kva.example"}}
	for said, want := range map[string]bool{
		`"bob@corp.example"`: true, `["bob@corp.example"]`: true, `"BOB@Corp.Example"`: true, `"bob@müller.example"`: true,
		`"bob@evil.example"`: false, `"bob@evil@corp.example"`: false, `"bob@corp.example.evil.example"`: false, `"bob@evilcorp.example"`: false,
		`"bob@corp.example."`: false, `["bob@corp.example","eve@corp.example"]`: false, `"bob@corp.example<!---->.evil.example"`: false, `"corp.example"`: false, `[]`: false,
	} {
		a := judged(t, f, c, `{"sub":"n-1","email":`+said+`,"email_verified":true}`)
		if a.Verdict.Verified != want {
			t.Errorf("%s: %q %+v", said, a.Email.Value, a.Verdict)
		}
	}
	c.Domains = nil
	for _, trust := range []federation.EmailTrust{"", federation.TrustClaim, federation.TrustDomains, federation.TrustNever} {
		c.Trust.Email = trust
		if judged(t, f, c, `{"sub":"n-1","email":"bob@corp.example","email_verified":true}`).Verdict.Verified {
			t.Errorf("rule %q: verified without domains", trust)
		}
	}
	c.Domains, c.Trust.Email = []string{"corp.example"}, federation.TrustNever
	if judged(t, f, c, `{"sub":"n-1","email":"bob@corp.example"}`).Verdict.Verified {
		t.Error("never is never")
	}
}

func TestMicrosoftsTenantsAreToldApart(t *testing.T) {
	const other, personal = "99999999-2222-3333-4444-555555555555", "9188040d-6c67-4c5b-b112-36a304b66dad"
	at := func(id string) string { return "https://login.microsoftonline.com/" + id + "/v2.0" }
	for _, row := range []struct {
		tenant, issuer string
		tid            any
		want           bool
	}{
		{"", at(tid), tid, true},
		{"common", at(personal), personal, true},
		{"", at(tid), other, false},
		{"", at(other), tid, false},
		{"", at("{tenantid}"), tid, false},
		{"", at(tid), nil, false},
		{"", at("common"), "common", false},
		{"", at(tid) + "/", tid, false},
		{"", "https://evil.example/" + tid + "/v2.0", tid, false},
		{"", at(strings.ToUpper("aaaaaaaa-2222-3333-4444-555555555555")), strings.ToUpper("aaaaaaaa-2222-3333-4444-555555555555"), false},
		{"organizations", at(tid), tid, true},
		{"organizations", at(personal), personal, false},
		{"consumers", at(personal), personal, true},
		{"consumers", at(tid), tid, false},
		{tid, at(tid), tid, true},
		{tid, at(other), other, false},
	} {
		c := federation.Connection{Name: "ms", Preset: "microsoft"}
		if row.tenant != "" {
			c.Options = map[string]string{"tenant": row.tenant}
		}
		a, err := (&federation.Federation{}).Assert(c, row.issuer, map[string]any{"sub": "s", "tid": row.tid, "email": "bob@acme.example", "xms_edov": true})
		if (err == nil) != row.want || a.Verdict.Verified != row.want {
			t.Errorf("tenant %q, issuer %s, tid %v: %v %+v", row.tenant, row.issuer, row.tid, err, a.Verdict)
		}
	}
}

func TestGoogleWithADomainLetsNobodyElseIn(t *testing.T) {
	c := federation.Connection{Name: "google", Preset: "google", Options: map[string]string{"domain": "acme.example"}}
	for hd, want := range map[any]bool{"acme.example": true, "evil.example": false, "ACME.example": false, nil: false, true: false} {
		_, err := (&federation.Federation{}).Assert(c, "https://accounts.google.com", map[string]any{"sub": "1", "hd": hd})
		if (err == nil) != want || err != nil && !problem.HasCode(err, federation.ErrRefused.Code) {
			t.Errorf("hd %v: %v", hd, err)
		}
	}
}

func TestASecondStepIsBelievedOnlyFromThoseWhoAreTrusted(t *testing.T) {
	for _, row := range []struct {
		said    string
		methods []string
		both    bool
	}{
		{`"amr":["pwd","mfa"]`, []string{"pwd", "mfa"}, true},
		{`"amr":["pwd","otp"]`, []string{"pwd", "otp", "mfa"}, true},
		{`"amr":["pin","face"]`, []string{"pin", "face", "mfa"}, true},
		{`"amr":["pwd"]`, []string{"pwd"}, false},
		{`"amr":["hwk","otp"]`, []string{"hwk", "otp"}, false},
		{`"amr":["pwd","pin"]`, []string{"pwd", "pin"}, false},
		{`"amr":["pwd","ngcmfa","rsa","MFA","mfa "]`, []string{"pwd"}, false},
		{`"amr":["pwd","geo","rba","wia","user"]`, []string{"pwd", "geo", "rba", "wia", "user"}, false},
		{`"amr":[1,true,null,["mfa"],{"mfa":true}]`, nil, false},
		{`"amr":{"mfa":true}`, nil, false},
		{`"acr":"https://refeds.org/profile/mfa"`, []string{"mfa"}, true},
		{`"acr":"1"`, nil, false},
		{`"acr":"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"`, nil, false},
		{`"mfa":true,"two_factor":true`, nil, false},
	} {
		c := federation.Connection{Name: "acme", Type: federation.OIDC}
		if a := judged(t, &federation.Federation{}, c, `{"sub":"1",`+row.said+`}`); a.Both || a.Vouched != nil {
			t.Errorf("%s: believed although nobody trusts it: %v", row.said, a.Vouched)
		}
		c.Trust.MFA = true
		if a := judged(t, &federation.Federation{}, c, `{"sub":"1",`+row.said+`}`); a.Both != row.both || !slices.Equal(a.Vouched, row.methods) {
			t.Errorf("%s: %v, both %v", row.said, a.Vouched, a.Both)
		}
	}
}

func TestWhatIsOddInAProfileIsLeftOut(t *testing.T) {
	c := federation.Connection{Name: "acme", Type: federation.OIDC, Claims: map[string]string{"name": "https://acme.example/claims/name", "picture": "photos.1.url"}}
	a := judged(t, &federation.Federation{}, c, `{"sub":"1","https://acme.example/claims/name":" Ana Roth ","given_name":["Ana"],"family_name":"R\u0000oth",
		"preferred_username":"`+strings.Repeat("x", 1001)+`","locale":7,"photos":[{"url":"https://img.example/0"},{"url":"https://img.example/1"}]}`)
	if p := a.Profile; p.Name != "Ana Roth" || p.GivenName != "" || p.FamilyName != "" || p.PreferredUsername != "" || p.Locale != "" || p.Picture != "https://img.example/1" {
		t.Errorf("%+v", p)
	}
	for _, odd := range []string{"http://img.example/a", "javascript:alert(1)", "data:image/png;base64,AA", "//img.example/a", "https://", "https://u:p@img.example/a", "/a", "https://img.example/" + strings.Repeat("x", 1000)} {
		c.Claims = nil
		if a := judged(t, &federation.Federation{}, c, `{"sub":"1","picture":"`+odd+`"}`); a.Profile.Picture != "" {
			t.Errorf("picture %.40s", a.Profile.Picture)
		}
	}
	d := federation.Connection{Name: "discord", Preset: "discord"}
	for _, avatar := range []string{`"../../x"`, `"a/b"`, `"a?b"`, "null", "7", `""`} {
		if a := judged(t, &federation.Federation{}, d, `{"id":"1","avatar":`+avatar+`}`); a.Profile.Picture != "" {
			t.Errorf("avatar %s became %s", avatar, a.Profile.Picture)
		}
	}
}

func TestOfAListOnlyTheOnePrimaryAddressIsMeant(t *testing.T) {
	c := federation.Connection{Name: "github", Preset: "github"}
	for list, want := range map[string]struct {
		address  string
		verified bool
	}{
		`[]`: {}, `null`: {}, `{}`: {}, `"x"`: {}, `[null,7,"a@b.example",[]]`: {},
		`[{"email":"a@b.example","primary":false,"verified":true}]`:                                                           {},
		`[{"email":"a@b.example","primary":"true","verified":true}]`:                                                          {},
		`[{"email":"a@b.example","primary":true,"verified":true},{"email":"c@d.example","primary":true,"verified":true}]`:     {},
		`[{"email":"a@b.example","primary":true,"verified":false},{"email":"c@d.example","primary":false,"verified":true}]`:   {"a@b.example", false},
		`[{"email":"7+a@users.noreply.github.com","primary":true,"verified":true}]`:                                           {},
		`[{"email":"A@B.example","primary":true,"verified":true},{"email":"c@d.example","primary":false,"verified":true},{}]`: {"a@b.example", true},
	} {
		a := judged(t, &federation.Federation{}, c, `{"id":7,"email":"public@evil.example","email_verified":true,"verified":true,"emails":`+list+`}`)
		if a.Email.Value != want.address || a.Verdict.Verified != want.verified {
			t.Errorf("%s: %q %+v", list, a.Email.Value, a.Verdict)
		}
	}
	if a := judged(t, &federation.Federation{}, c, `{"id":7,"email":"public@evil.example","verified":true}`); !a.Email.None() || a.Verdict.Verified {
		t.Errorf("the public profile was read: %+v", a)
	}
}

func TestAStatementStaysWithTheAddressThatItCameWith(t *testing.T) {
	for _, p := range federation.Presets() {
		if p.Type != federation.OIDC {
			continue
		}
		for _, flag := range p.Rule {
			merged := federation.Connection{Name: "x", Preset: p.Name}.Merge(
				map[string]any{"sub": "1", flag.Claim: true}, map[string]any{"sub": "1", "email": "victim@example.com"})
			if a, err := (&federation.Federation{}).Assert(federation.Connection{Name: "x", Type: federation.OIDC}, "https://x.example", merged); err != nil || a.Verdict.Verified {
				t.Errorf("%s: %s of the token was joined to userinfo's address: %v", p.Name, flag.Claim, err)
			}
			if _, kept := merged[flag.Claim]; kept {
				t.Errorf("%s: %s is not among the claims that stay with their address", p.Name, flag.Claim)
			}
		}
	}
}

func applePEM(t testing.TB) secret.String {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewString(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func TestApplesClientSecretIsMadeForEachExchange(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := federation.Connection{
		Name: "apple", Preset: "apple", ClientID: "com.acme.web", Options: map[string]string{"team_id": "ABCDE12345", "key_id": "KEYID12345"},
		ClientSecret: secret.NewString(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))),
	}
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	made, err := c.Credential(at)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(made.Reveal(), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	body, err := signed.Verify(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	if err := json.Unmarshal(body, &said); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"iss": "ABCDE12345", "sub": "com.acme.web", "aud": "https://appleid.apple.com", "iat": float64(at.Unix()), "exp": float64(at.Add(5 * time.Minute).Unix())}
	if !maps.Equal(said, want) || signed.Signatures[0].Header.KeyID != "KEYID12345" {
		t.Errorf("said %v, key id %q", said, signed.Signatures[0].Header.KeyID)
	}
	for what, broken := range map[string]string{"no PEM": "secret", "another kind": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "half": c.ClientSecret.Reveal()[:80]} {
		c.ClientSecret = secret.NewString(broken)
		if err := c.Check(true); !problem.Is(err, problem.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := c.Credential(at); err == nil || strings.Contains(err.Error(), broken) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAPresetDecidesWherePeopleGo(t *testing.T) {
	good := federation.Connection{Name: "gl", Preset: "gitlab_self_managed", ClientID: "c", ClientSecret: secret.NewString("s"), Options: map[string]string{"host": "git.acme.example"}}
	if err := good.Check(true); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*federation.Connection){
		"another issuer":   func(c *federation.Connection) { c.Issuer = "https://evil.example" },
		"an unknown one":   func(c *federation.Connection) { c.Preset = "gitlob" },
		"another type":     func(c *federation.Connection) { c.Type = federation.OAuth2 },
		"a foreign option": func(c *federation.Connection) { c.Options["tenant"] = "common" },
		"a path":           func(c *federation.Connection) { c.Options["host"] = "git.acme.example/x" },
		"a query":          func(c *federation.Connection) { c.Options["host"] = "git.acme.example?x" },
		"a person":         func(c *federation.Connection) { c.Options["host"] = "u@git.acme.example" },
		"another template": func(c *federation.Connection) { c.Options["host"] = "{host}" },
		"nothing":          func(c *federation.Connection) { c.Options = nil },
	} {
		c := good
		c.Options = maps.Clone(good.Options)
		change(&c)
		if err := c.Check(true); !problem.Is(err, problem.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	forged := federation.Connection{Name: "google", Preset: "google", Issuer: "https://evil.example"}
	if got := forged.Filled().Issuer; got != "https://accounts.google.com" {
		t.Errorf("what was stored in spite of the checks leads to %s", got)
	}
	if _, err := (&federation.Federation{}).Assert(forged, "https://evil.example", map[string]any{"sub": "1", "email": "a@b.example", "email_verified": true}); err == nil {
		t.Error("another issuer was believed as Google")
	}
}

func TestTwitchsListOfScopesIsRead(t *testing.T) {
	for scope, want := range map[string]string{`["openid","user:read:email"]`: "openid user:read:email", `"openid email"`: "openid email", `[]`: "", `null`: ""} {
		got, err := federation.ScopeOf(`{"access_token":"a","token_type":"bearer","scope":` + scope + `}`)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", scope, got, err)
		}
	}
}

func TestFacebookIsShownThatTheTokenIsOurs(t *testing.T) {
	c := federation.Connection{Preset: "facebook", ClientSecret: secret.NewString("key")}
	got, err := c.Proved("https://graph.example/me?fields=id,name", secret.NewString("The quick brown fox jumps over the lazy dog"))
	want := "https://graph.example/me?appsecret_proof=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8&fields=id%2Cname"
	if err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestGoogleIsBelievedAboutAddressesThatItHandsOut(t *testing.T) {
	f := &federation.Federation{}
	google := federation.Connection{Name: "google", Preset: "google"}
	for _, row := range []struct {
		said string
		want bool
	}{
		{`"email":"bob@gmail.com","email_verified":true`, true},
		{`"email":"Bob@GoogleMail.com","email_verified":true`, true},
		{`"email":"bob@acme.example","email_verified":true,"hd":"acme.example"`, true},
		{`"email":"bob@acme.example","email_verified":true,"hd":"acme-group.example"`, true}, // a second domain of one Workspace
		{`"email":"bob@acme.example","email_verified":true`, false},
		{`"email":"bob@acme.example","email_verified":true,"hd":""`, false},
		{`"email":"bob@acme.example","email_verified":true,"hd":null`, false},
		{`"email":"bob@acme.example","email_verified":true,"hd":true`, false},
		{`"email":"bob@acme.example","email_verified":true,"hd":["acme.example"]`, false},
		{`"email":"bob@acme.example","email_verified":true,"HD":"acme.example"`, false},
		{`"email":"bob@acme.example","email_verified":"true","hd":"acme.example"`, false},
		{`"email":"bob@acme.example","hd":"acme.example"`, false},
		{`"email":"bob@gmail.com"`, false},
		{`"email":"bob@gmail.com","email_verified":false`, false},
		{`"email":"bob@gmail.com","email_verified":1`, false},
		{`"email":"bob@gmail.com.evil.example","email_verified":true`, false},
		{`"email":"bob@mail.gmail.com","email_verified":true`, false},
		{`"email":"bob@xgmail.com","email_verified":true`, false},
	} {
		if a := judged(t, f, google, `{"sub":"1",`+row.said+`}`); a.Verdict.Verified != row.want || a.Email.None() {
			t.Errorf("%s: %+v", row.said, a)
		}
	}
	google.Trust.Email = federation.TrustClaim
	if a := judged(t, f, google, `{"sub":"1","email":"bob@acme.example","email_verified":true}`); !a.Verdict.Verified {
		t.Errorf("an operator who trusts the claim was not heard: %+v", a.Verdict)
	}
	google.Trust.Email = ""
	// Only the signed token says for whom an address is hosted.
	said := google.Merge(map[string]any{"sub": "1", "email": "bob@acme.example", "email_verified": true}, map[string]any{"sub": "1", "email": "bob@acme.example", "hd": "acme.example"})
	if a, err := f.Assert(google, "https://accounts.google.com", said); err != nil || a.Verdict.Verified {
		t.Errorf("hosted by userinfo: %v, %+v", err, a.Verdict)
	}
}
