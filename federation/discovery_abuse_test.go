package federation_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"idp/federation"
	"idp/federation/federationtest"
	"idp/internal/problem"
)

func TestAKeyThatWasWithdrawnIsForgottenWithinTheHour(t *testing.T) {
	h := newHouse(t)
	_, err := h.signIn()
	h.must(err)
	h.op.Rotated = true // and whoever stole the old one signs by it; nobody has seen the new one here
	h.clock.Add(59 * time.Minute)
	if _, err := h.signIn(); err != nil {
		t.Fatalf("this proves nothing: %v", err)
	}
	h.clock.Add(time.Minute)
	x, err := h.signIn()
	h.refused("signed by the withdrawn key an hour later", x, err, federation.ErrRefused)
}

func TestACodeThatSomebodyMadeUpHasNothingReadAgain(t *testing.T) {
	h := newHouse(t)
	_, err := h.signIn()
	h.must(err)
	h.op.Answer = func(v url.Values) { v.Set("code", "made up") }
	for range 5 {
		h.clock.Add(time.Minute)
		x, err := h.signIn()
		h.refused("a code that was made up", x, err, federation.ErrRefused)
	}
	if n := h.op.Calls(documentPath); n != 1 {
		t.Errorf("strangers had the description read %d times", n)
	}
}

func TestWhatOnePresetMayCallItselfIsWrongForAConnectionWithoutIt(t *testing.T) {
	h := newHouse(t)
	template := h.op.URL + "/{tenantid}"
	t.Cleanup(federation.AddPreset(federation.Preset{
		Name: "directory", Title: "Directory", Type: federation.OIDC, Issuer: h.op.URL + "/common", Dialect: federation.Dialect{Issued: template},
		Options: map[string]string{"tenant": "common"}, Rule: federation.Rule{{Claim: "xms_edov", Yes: federation.True}},
	}))
	h.op.Take["/common"+documentPath] = func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = documentPath
		h.op.ServeHTTP(w, r)
	}
	h.op.Document = func(d map[string]any) { d["issuer"] = h.op.URL + "/" + directory }
	known, plain := h.op.Connection("known"), h.op.Connection("plain")
	known.Preset, known.Type, known.Issuer = "directory", "", ""
	plain.Issuer = h.op.URL + "/common"
	for range 2 {
		if _, err := h.f.Depart(t.Context(), known, h.departure()); err != nil {
			t.Errorf("by the preset: %v", err)
		}
		if _, err := h.f.Depart(t.Context(), plain, h.departure()); !problem.HasCode(err, federation.ErrSetup.Code) {
			t.Errorf("the description that was read for the other: %v", err)
		}
	}
}

func TestAKeyThatATokenBringsAlongIsNoKeyOfTheProvider(t *testing.T) {
	h := newHouse(t)
	theirs := federationtest.StrangerKey()
	h.op.JSON["/stranger"] = map[string]any{"keys": []any{theirs}}
	for what, head := range map[string]map[string]any{
		"in the header":                  {"jwk": theirs},
		"in the header, without a name":  {"jwk": theirs, "kid": nil},
		"at an address in the header":    {"jku": h.op.URL + "/stranger"},
		"in a certificate at an address": {"x5u": h.op.URL + "/stranger"},
		"in a name that is a way":        {"kid": "../../stranger"},
	} {
		h.op.Sign = federationtest.Stranger
		h.op.Head = func(header map[string]any) {
			for name, value := range head {
				header[name] = value
				if value == nil {
					delete(header, name)
				}
			}
		}
		h.clock.Add(time.Minute)
		x, err := h.signIn()
		h.refused("a key "+what, x, err, federation.ErrRefused)
	}
	if h.op.Calls("/stranger") != 0 {
		t.Error("the address in a token was asked")
	}
	h.op.Sign = federationtest.Right
	for what, head := range map[string]map[string]any{
		"an extension that nobody knows":    {"crit": []string{"exp"}, "exp": 1},
		"a payload that is not encoded":     {"crit": []string{"b64"}, "b64": false},
		"an algorithm that is none":         {"alg": "NONE"},
		"the provider's key by another alg": {"alg": "RS512"},
	} {
		h.op.Head = func(header map[string]any) {
			for name, value := range head {
				header[name] = value
			}
		}
		h.clock.Add(time.Minute)
		x, err := h.signIn()
		h.refused("a header with "+what, x, err, federation.ErrRefused)
	}
}

func TestNoTwoDeparturesShareWhatBindsThem(t *testing.T) {
	h := newHouse(t)
	for range 2 {
		_, err := h.signIn()
		h.must(err)
	}
	one, two := h.op.Visits()[0], h.op.Visits()[1]
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if one.Get(name) == "" || one.Get(name) == two.Get(name) {
			t.Errorf("%s is %q and %q", name, one.Get(name), two.Get(name))
		}
	}
	if verifier := h.op.Grants()[0].Get("code_verifier"); verifier == "" || verifier == one.Get("nonce") || verifier == one.Get("state") {
		t.Errorf("the browser was shown the verifier %q", verifier)
	}
}

func TestANameThatABrowserBringsIsNoneWhereProvidersDoNotPostIt(t *testing.T) {
	h := newHouse(t)
	h.c.Claims = map[string]string{"given_name": "user.name.firstName"}
	h.op.Answer = func(v url.Values) { v.Set("user", `{"name":{"firstName":"Mallory"}}`) }
	if x, err := h.signIn(); err != nil || x.Profile.GivenName != "" {
		t.Errorf("%+v, %v", x.Profile, err)
	}
}
