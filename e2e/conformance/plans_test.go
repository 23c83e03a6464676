package conformance

import (
	"slices"
	"testing"
)

// module is one of the suite's test modules.
type module struct {
	name  string
	wants string // in a few words, for the table in docs
	do    func(m *run)

	moves     bool     // puts the clock forward, so that no other module may run meanwhile
	notFor    []string // response types that the suite leaves out
	notStatic bool     // needs dynamic registration
	note      string   // what the suite does differently, "" if nothing worth telling
}

// plan is one of the suite's certification plans.
type plan struct {
	name, profile string
	parts         []part
}

// part are modules that run with the same variants.
type part struct {
	variants []variant
	modules  []string
}

// The plans. The lists are the suite's; their order is ours.
func plans() []plan {
	basic, implicit, hybrid := basicParts(), implicitParts(), hybridParts()
	leaving := everyResponse("client_secret_basic")
	return []plan{
		{"oidcc-basic-certification-test-plan", "Basic OP", basic},
		{"oidcc-implicit-certification-test-plan", "Implicit OP", implicit},
		{"oidcc-hybrid-certification-test-plan", "Hybrid OP", hybrid},
		{"oidcc-config-certification-test-plan", "Config OP", []part{{[]variant{{static: true}}, []string{"oidcc-discovery-endpoint-verification"}}}},
		{"oidcc-dynamic-certification-test-plan", "Dynamic OP", dynamicParts()},
		{"oidcc-formpost-basic-certification-test-plan", "Form Post OP, Basic", formPost(basic)},
		{"oidcc-formpost-implicit-certification-test-plan", "Form Post OP, Implicit", formPost(implicit)},
		{"oidcc-formpost-hybrid-certification-test-plan", "Form Post OP, Hybrid", formPost(hybrid)},
		{"oidcc-3rdparty-init-login-certification-test-plan", "3rd Party-Init OP", []part{{everyResponse("client_secret_basic"),
			[]string{"oidcc-3rd_party-init-login", "oidcc-3rd_party-init-login-nohttps"}}}},
		{"oidcc-rp-initiated-logout-certification-test-plan", "RP-Initiated OP", []part{{leaving, names(logoutModules)}}},
		{"oidcc-frontchannel-rp-initiated-logout-certification-test-plan", "Front-Channel OP", []part{{leaving,
			[]string{"oidcc-frontchannel-logout-discovery-endpoint-verification", "oidcc-frontchannel-rp-initiated-logout"}}}},
		{"oidcc-backchannel-rp-initiated-logout-certification-test-plan", "Back-Channel OP", []part{{leaving,
			[]string{"oidcc-backchannel-logout-discovery-endpoint-verification", "oidcc-backchannel-rp-initiated-logout"}}}},
		{"oidcc-session-management-certification-test-plan", "Session OP", []part{{leaving,
			[]string{"oidcc-session-management-discovery-endpoint-verification", "oidcc-session-management-rp-initiated-logout"}}}},
	}
}

// flowModules are what Basic, Implicit and Hybrid ask of every response type.
var flowModules = []string{
	"oidcc-scope-profile", "oidcc-scope-email", "oidcc-scope-address", "oidcc-scope-phone", "oidcc-scope-all",
	"oidcc-display-page", "oidcc-display-popup", "oidcc-prompt-login", "oidcc-prompt-none-not-logged-in", "oidcc-prompt-none-logged-in",
	"oidcc-max-age-1", "oidcc-max-age-10000", "oidcc-ensure-request-with-unknown-parameter-succeeds", "oidcc-id-token-hint",
	"oidcc-login-hint", "oidcc-ui-locales", "oidcc-claims-locales", "oidcc-ensure-request-with-acr-values-succeeds",
	"oidcc-ensure-registered-redirect-uri",
	"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
	"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
	"oidcc-claims-essential", "oidcc-ensure-request-object-with-redirect-uri",
}

var userinfoModules = []string{"oidcc-userinfo-get", "oidcc-userinfo-post-header", "oidcc-userinfo-post-body"}

var codeModules = []string{"oidcc-codereuse", "oidcc-codereuse-30seconds", "oidcc-refresh-token"}

func basicParts() []part {
	return []part{
		{both("code", "client_secret_basic"), slices.Concat(
			[]string{"oidcc-server", "oidcc-response-type-missing", "oidcc-idtoken-signature", "oidcc-idtoken-unsigned"}, userinfoModules,
			[]string{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", "oidcc-ensure-other-scope-order-succeeds"}, flowModules, codeModules,
			[]string{"oidcc-ensure-post-request-succeeds", "oidcc-ensure-request-with-valid-pkce-succeeds"})},
		{both("code", "client_secret_post"), []string{"oidcc-server-client-secret-post"}},
	}
}

func implicitParts() []part {
	each := slices.Concat([]string{"oidcc-server", "oidcc-idtoken-signature", "oidcc-ensure-request-without-nonce-fails",
		"oidcc-ensure-other-scope-order-succeeds"}, flowModules)
	return []part{
		{both("id_token", "client_secret_basic"), each},
		{both("id_token token", "client_secret_basic"), slices.Concat(each, userinfoModules, []string{"oidcc-response-type-missing"})},
	}
}

func hybridParts() []part {
	each := slices.Concat([]string{"oidcc-server", "oidcc-idtoken-signature"}, userinfoModules, flowModules, codeModules)
	post := []string{"oidcc-server-client-secret-post"}
	return []part{
		{both("code id_token", "client_secret_basic"), slices.Concat(each, []string{"oidcc-response-type-missing", "oidcc-ensure-request-without-nonce-fails",
			"oidcc-ensure-other-scope-order-succeeds", "oidcc-ensure-request-with-valid-pkce-succeeds"})},
		{both("code id_token", "client_secret_post"), post},
		{both("code token", "client_secret_basic"), slices.Concat(each, []string{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow"})},
		{both("code token", "client_secret_post"), post},
		{both("code id_token token", "client_secret_basic"), slices.Concat(each, []string{"oidcc-ensure-request-without-nonce-fails"})},
		{both("code id_token token", "client_secret_post"), post},
	}
}

func dynamicParts() []part {
	return []part{
		{everyResponse("private_key_jwt"), []string{
			"oidcc-idtoken-rs256", "oidcc-idtoken-unsigned", "oidcc-userinfo-rs256", "oidcc-ensure-redirect-uri-in-authorization-request",
			"oidcc-redirect-uri-query-OK", "oidcc-redirect-uri-query-mismatch", "oidcc-redirect-uri-query-added", "oidcc-redirect-uri-regfrag",
			"oidcc-discovery-endpoint-verification", "oidcc-server", "oidcc-registration-logo-uri", "oidcc-registration-policy-uri",
			"oidcc-registration-tos-uri", "oidcc-registration-jwks-uri", "oidcc-registration-sector-uri", "oidcc-registration-sector-bad",
			"oidcc-server-rotate-keys", "oidcc-refresh-token-rp-key-rotation", "oidcc-request-uri-unsigned", "oidcc-request-uri-signed-rs256",
			"oidcc-ensure-request-object-with-redirect-uri", "oidcc-refresh-token", "oidcc-ensure-client-assertion-with-iss-aud-succeeds",
		}},
	}
}

// everyResponse is for plans whose response type is for whoever runs them to choose.
func everyResponse(auth string) []variant {
	var all []variant
	for _, response := range []string{"code", "code id_token", "code token", "code id_token token", "id_token", "id_token token"} {
		all = append(all, variant{response: response, mode: "default", auth: auth})
	}
	return all
}

func names(of []module) []string {
	var all []string
	for _, m := range of {
		all = append(all, m.name)
	}
	return all
}

// both are the two ways to register a client.
func both(response, auth string) []variant {
	v := variant{response: response, mode: "default", auth: auth}
	static := v
	static.static = true
	return []variant{v, static}
}

// formPost is the same plan with response_mode=form_post.
func formPost(from []part) []part {
	var to []part
	for _, p := range from {
		var variants []variant
		for _, v := range p.variants {
			v.mode = "form_post"
			variants = append(variants, v)
		}
		to = append(to, part{variants, p.modules})
	}
	return to
}

// applies reports whether the suite runs the module in that variant.
func (m module) applies(v variant) bool {
	return !slices.Contains(m.notFor, v.response) && (!m.notStatic || !v.static)
}

// TestPlansAreAsLongAsTheSuites compares the lists with the numbers of modules that the
// suite's plan classes have, so that none is forgotten.
func TestPlansAreAsLongAsTheSuites(t *testing.T) {
	type count struct{ dynamic, static int }
	want := map[string]count{
		"oidcc-basic-certification-test-plan": {38, 35}, "oidcc-formpost-basic-certification-test-plan": {38, 35},
		"oidcc-implicit-certification-test-plan": {58, 54}, "oidcc-formpost-implicit-certification-test-plan": {58, 54},
		"oidcc-hybrid-certification-test-plan": {102, 96}, "oidcc-formpost-hybrid-certification-test-plan": {102, 96},
		"oidcc-config-certification-test-plan":                           {0, 1},
		"oidcc-dynamic-certification-test-plan":                          {23 + 22 + 23 + 22 + 18 + 19, 0},
		"oidcc-3rdparty-init-login-certification-test-plan":              {2 * 6, 0},
		"oidcc-rp-initiated-logout-certification-test-plan":              {6 * 11, 0},
		"oidcc-frontchannel-rp-initiated-logout-certification-test-plan": {6 * 2, 0},
		"oidcc-backchannel-rp-initiated-logout-certification-test-plan":  {6 * 2, 0},
		"oidcc-session-management-certification-test-plan":               {6 * 2, 0},
	}
	for _, p := range plans() {
		for _, part := range p.parts {
			for _, name := range part.modules {
				if _, ok := modules()[name]; !ok {
					t.Errorf("%s: there is no module %s", p.name, name)
				}
			}
		}
		var got count
		got.dynamic, got.static = p.count()
		if got != want[p.name] {
			t.Errorf("%s runs %+v modules, the suite %+v", p.name, got, want[p.name])
		}
	}
}

// TestConformance runs every plan on every engine.
func TestConformance(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		for _, p := range plans() {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				for _, part := range p.parts {
					for _, v := range part.variants {
						t.Run(v.String(), func(t *testing.T) {
							t.Parallel()
							for _, name := range part.modules {
								if m := modules()[name]; m.applies(v) {
									t.Run(name, func(t *testing.T) {
										t.Parallel()
										w.run(t, m, v)
									})
								}
							}
						})
					}
				}
			})
		}
	})
}

func (w *world) run(t *testing.T, m module, v variant) {
	if m.moves {
		w.turn.Lock()
		defer w.turn.Unlock()
	} else {
		w.turn.RLock()
		defer w.turn.RUnlock()
	}
	m.do(newRun(t, w, v))
}
