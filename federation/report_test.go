package federation_test

import (
	"net/http"
	"testing"

	"idp/federation"
	"idp/internal/outbound"
	"idp/internal/secret"
)

func results(r federation.Report) map[string]federation.Result {
	all := map[string]federation.Result{}
	for _, f := range r.Findings {
		all[f.Step] = f.Result
	}
	return all
}

func TestTryingAConnectionSaysWhatIsWrongWithIt(t *testing.T) {
	document := func(name string, value any) func(h *house) {
		return func(h *house) { h.op.Document = func(d map[string]any) { d[name] = value } }
	}
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }
	for what, one := range map[string]struct {
		alter func(h *house)
		step  string
		want  federation.Result
	}{
		"no https":               {func(h *house) { h.c.Issuer = "http://provider.example" }, "address", federation.Trouble},
		"nobody there":           {func(h *house) { h.c.Issuer = "http://localhost:1" }, "address", federation.Trouble},
		"inside":                 {func(h *house) { h.f.Outbound = outbound.New(outbound.Options{}) }, "address", federation.Trouble},
		"a page":                 {func(h *house) { h.op.Take["/.well-known/openid-configuration"] = page }, "document", federation.Trouble},
		"another issuer":         {document("issuer", "https://elsewhere.example"), "issuer", federation.Trouble},
		"a slash more":           {func(h *house) { h.c.Issuer += "/" }, "issuer", federation.Trouble},
		"an open token endpoint": {document("token_endpoint", "http://provider.example/token"), "endpoints", federation.Trouble},
		"only shared keys":       {document("id_token_signing_alg_values_supported", []string{"HS256"}), "endpoints", federation.Trouble},
		"no key set":             {func(h *house) { h.op.Take["/jwks"] = page }, "keys", federation.Trouble},
		"no key of use":          {document("id_token_signing_alg_values_supported", []string{"PS512"}), "keys", federation.Trouble},
		"no code flow":           {document("response_types_supported", []string{"id_token"}), "response_type", federation.Trouble},
		"fragments":              {document("response_modes_supported", []string{"fragment"}), "response_mode", federation.Trouble},
		"plain PKCE":             {document("code_challenge_methods_supported", []string{"plain"}), "pkce", federation.Warning},
		"no word about PKCE":     {document("code_challenge_methods_supported", nil), "pkce", federation.Warning},
		"a scope too many":       {func(h *house) { h.c.Scopes = []string{"openid", "wallet"} }, "scopes", federation.Warning},
		"no address":             {document("claims_supported", []string{"sub"}), "email", federation.Warning},
		"addresses unproven":     {document("claims_supported", []string{"sub", "email"}), "email", federation.Warning},
		"a wrong secret":         {func(h *house) { h.c.ClientSecret = secret.NewString("guessed") }, "client", federation.Trouble},
		"a client by key":        {document("token_endpoint_auth_methods_supported", []string{"private_key_jwt"}), "client", federation.Trouble},
		"a silent client":        {func(h *house) { h.op.Take["/token"] = page }, "client", federation.Warning},
		"disabled":               {func(h *house) { h.c.Disabled = true }, "enabled", federation.Warning},
		"of no type":             {func(h *house) { h.c.Type = "ldap" }, "type", federation.Trouble},
		"an OAuth client wrong":  {func(h *house) { h.c = h.op.Plain("hub"); h.c.ClientID = "other" }, "client", federation.Trouble},
		"an OAuth client right":  {func(h *house) { h.c = h.op.Plain("hub") }, "client", federation.Fine},
		"an OAuth address open":  {func(h *house) { h.c = h.op.Plain("hub"); h.c.TokenEndpoint = "http://provider.example" }, "endpoints", federation.Trouble},
	} {
		h := newHouse(t)
		one.alter(h)
		r := h.f.Test(t.Context(), h.c)
		if got := results(r)[one.step]; got != one.want {
			t.Errorf("%s: %s is %q, want %q: %+v", what, one.step, got, one.want, r.Findings)
		}
		if r.OK() == (one.want == federation.Trouble) {
			t.Errorf("%s: OK is %v", what, r.OK())
		}
		for _, f := range r.Findings {
			if f.Says == "" || (f.Do == "") != (f.Result == federation.Fine) {
				t.Errorf("%s: %+v", what, f)
			}
		}
	}
}

func TestTryingAGoodConnectionFindsNothingAndSignsNobodyIn(t *testing.T) {
	h := newHouse(t)
	r := h.f.Test(t.Context(), h.c)
	if r.Callback != "https://id.example.com/federation/acme/callback" || len(r.Findings) != 11 {
		t.Errorf("%+v", r)
	}
	for _, f := range r.Findings {
		if f.Result != federation.Fine {
			t.Errorf("%+v", f)
		}
	}
	if n := h.op.Calls("/authorize") + h.op.Calls("/userinfo"); n != 0 {
		t.Errorf("a trial went %d steps too far", n)
	}
}
