package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAClientIsDescribedAsMetadata(t *testing.T) {
	s := newShell(t)
	file := filepath.Join(t.TempDir(), "shop.json")
	if err := os.WriteFile(file, []byte(`{
		"client_name": "Shop", "client_name#fr": "Boutique", "redirect_uris": ["https://shop.example/cb"], "response_types": ["code", "token id_token"],
		"first_party": true, "id_token_claims": true, "scope": "openid orders:read", "audience": ["https://api.example"], "unheard_of": 1
	}`), 0o600); err != nil {
		t.Fatal(err)
	}
	type client struct {
		ID      string   `json:"client_id"`
		Secret  string   `json:"client_secret"`
		French  string   `json:"client_name#fr"`
		Name    string   `json:"client_name"`
		Grants  []string `json:"grant_types"`
		Answers []string `json:"response_types"`
		Scope   string   `json:"scope"`
		First   bool     `json:"first_party"`
		Claims  bool     `json:"id_token_claims"`
		Logo    string   `json:"logo_uri"`
		Method  string   `json:"token_endpoint_auth_method"`
		IDToken string   `json:"id_token_signed_response_alg"`
	}
	var made, shown client
	s.must(&made, "client", "create", "--metadata", file, "--name", "Store", "--json")
	if made.Name != "Store" || made.French != "Boutique" || !made.First || !made.Claims || made.Scope != "openid orders:read" || made.Secret == "" {
		t.Errorf("%+v", made)
	}
	if strings.Join(made.Grants, " ") != "authorization_code implicit refresh_token" || strings.Join(made.Answers, ",") != "code,id_token token" {
		t.Errorf("%v for %v", made.Grants, made.Answers)
	}

	r := s.do("client", "show", made.ID, "--json")
	if r.code != 0 || strings.Contains(r.out, "client_secret") {
		t.Fatalf("%+v", r)
	}
	if r := s.with(r.out, "client", "update", made.ID, "--metadata", "-", "--json"); r.code != 0 {
		t.Errorf("what is shown cannot be given back: %+v", r)
	}
	r = s.with(`{"logo_uri": "https://shop.example/l.png", "client_name#fr": null, "response_types": ["code"]}`, "client", "update", made.ID, "--metadata", "-", "--json")
	if err := json.Unmarshal([]byte(r.out), &shown); err != nil || shown.Logo == "" || shown.French != "" || shown.Name != "Store" || !shown.First || len(shown.Grants) != 2 || shown.Secret != "" {
		t.Errorf("%v %+v %+v", err, shown, r)
	}
	r = s.with(`{"token_endpoint_auth_method": "client_secret_jwt"}`, "client", "update", made.ID, "--metadata", "-")
	if r.code != 0 || !strings.Contains(r.out, "client_secret  ") || !strings.Contains(r.err, "cannot be shown again") {
		t.Errorf("a secret that becomes a key must be new: %+v", r)
	}
	for metadata, why := range map[string]string{
		`[]`:                        "one JSON object",
		`{"client_id": "client_x"}`: "another app",
		`{"client_secret": "x"}`:    "not given",
		`{"redirect_uris": "https://shop.example/cb"}`:                "cannot be a string",
		`{"jwks_uri": "http://10.0.0.1/"}`:                            "https address",
		`{"response_types": ["token"]}`:                               "Supported are",
		`{"backchannel_logout_uri": "https://shop.example/#x"}`:       "fragment",
		`{"id_token_encrypted_response_alg": "RSA-OAEP"}`:             "needs jwks",
		`{"frontchannel_logout_uri": "https://other.example/logout"}`: "redirect URI",
	} {
		if r := s.with(metadata, "client", "update", made.ID, "--metadata", "-"); r.code != 1 || !strings.Contains(r.err, why) {
			t.Errorf("%s: %+v", metadata, r)
		}
	}
	if r := s.do("client", "create", "--metadata", filepath.Join(t.TempDir(), "none.json")); r.code != 1 {
		t.Errorf("%+v", r)
	}
}

func TestAClientsTokensAreSaidByFlagsAndMetadata(t *testing.T) {
	s := newShell(t)
	if r := s.with(`{"name":"team","claims":{"team":"{{user.public_metadata.team}}"}}`, "template", "create", "--file", "-"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	type client struct {
		ID     string   `json:"client_id"`
		Format string   `json:"access_token_format"`
		Signs  string   `json:"access_token_signed_response_alg"`
		Access string   `json:"access_token_template"`
		IDs    string   `json:"id_token_template"`
		For    []string `json:"audience"`
	}
	var made client
	s.must(&made, "client", "create", "--name", "Shop", "--redirect-uri", "https://shop.example/cb", "--access-token-format", "jwt", "--access-token-alg", "RS256", "--audience", "https://api.example",
		"--id-token-template", "team", "--access-token-template", "team", "--json")
	if made.Format != "jwt" || made.Signs != "RS256" || made.Access != "team" || made.IDs != "team" || len(made.For) != 1 {
		t.Errorf("%+v", made)
	}
	if r := s.do("template", "delete", "team"); r.code == 0 || !strings.Contains(r.err, "Shop") {
		t.Errorf("a template that an app names is deleted: %+v", r)
	}
	r := s.with(`{"access_token_template": null, "id_token_template": null, "access_token_signed_response_alg": null, "access_token_format": "opaque"}`, "client", "update", made.ID, "--metadata", "-", "--json")
	var now client
	if err := json.Unmarshal([]byte(r.out), &now); err != nil || now.Format != "opaque" || now.Access != "" || now.IDs != "" {
		t.Errorf("%v %+v %+v", err, now, r)
	}
	for why, args := range map[string][]string{
		"no template of that name": {"--id-token-template", "gone"},
		"opaque, jwt":              {"--access-token-format", "paseto"},
		"RS256, RS384":             {"--access-token-alg", "HS256"},
		"Nobody signs":             {"--access-token-alg", "RS256"},
		"has no claims":            {"--access-token-template", "team"},
	} {
		if r := s.do(append([]string{"client", "update", made.ID}, args...)...); r.code == 0 || !strings.Contains(r.err, why) {
			t.Errorf("%v: %+v", args, r)
		}
	}
}
