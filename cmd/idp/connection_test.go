package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// written is a file with that text.
func written(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const acmeFile = `{"name": "acme", "type": "oidc", "issuer": "https://login.acme.com", "client_id": "id-1", "client_secret": "hush-hush",
	"scopes": ["openid", "email"], "domains": ["ACME.com"], "enforce_sso": true, "trust": {"email": "domains"}}`

func TestAConnectionIsMadeOfAFileAndReadBackWithoutItsSecret(t *testing.T) {
	s := newShell(t)
	said := ""
	run := func(in string, args ...string) result {
		t.Helper()
		r := s.with(in, append([]string{"connection"}, args...)...)
		said += r.out + r.err
		return r
	}
	if r := run("", "create", "--file", written(t, acmeFile)); r.code != 0 || !strings.Contains(r.out, "/federation/acme/callback") || !strings.Contains(r.err, "idp connection test acme") {
		t.Fatalf("%+v", r)
	}
	if r := run(acmeFile, "create", "--file", "-"); r.code != 1 || !strings.Contains(r.err, "of that name already") {
		t.Errorf("a second time: %+v", r)
	}
	if r := run(strings.Replace(acmeFile, `"acme"`, `"other"`, 1), "create", "--file", "-"); r.code != 1 || !strings.Contains(r.err, "belongs to the connection acme") {
		t.Errorf("somebody else's domain: %+v", r)
	}
	if r := run(`{"name": "x", "colour": 1}`, "create", "--file", "-"); r.code != 1 || !strings.Contains(r.err, "(colour)") {
		t.Errorf("an unknown member: %+v", r)
	}
	if r := run("", "create"); r.code != 2 || !strings.Contains(r.err, "--file is missing") {
		t.Errorf("%+v", r)
	}

	shown := run("", "show", "acme")
	if shown.code != 0 || !strings.Contains(shown.out, `"enforce_sso": true`) || strings.Contains(shown.out, "client_secret") {
		t.Fatalf("%+v", shown)
	}
	if r := run(shown.out, "update", "--file", "-"); r.code != 0 {
		t.Errorf("what is shown cannot be given back: %+v", r)
	}
	if r := run(strings.Replace(shown.out, "id-1", "id-2", 1), "update", "--file", "-"); r.code != 1 || !strings.Contains(r.err, "(client_secret)") {
		t.Errorf("a secret went to another client: %+v", r)
	}
	if r := run(strings.Replace(shown.out, "id-1", "id-2", 1), "update", "--file", "-", "--client-secret-file", written(t, "hush-hush-2\n")); r.code != 0 {
		t.Errorf("%+v", r)
	}
	var all []struct {
		Name, Type string
		Linked     *int
		ID         string `json:"client_id"`
	}
	r := run("", "list", "--json")
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all) != 1 || all[0].Name != "acme" || all[0].Linked == nil || all[0].ID != "id-2" {
		t.Errorf("%v %+v", err, r)
	}

	for _, step := range []struct {
		args, want string
		code       int
	}{
		{"disable acme", "acme is disabled", 0},
		{"list", "disabled", 0},
		{"show acme", `"disabled": true`, 0},
		{"enable acme", "acme is enabled", 0},
		{"disable none", "no connection of that name", 1},
		{"show none", "no connection of that name", 1},
		{"delete acme", "acme is deleted; unlinked accounts: 0.", 0},
		{"delete acme --force", "no connection of that name", 1},
		{"delete", "NAME is missing", 2},
	} {
		if r := run("", strings.Fields(step.args)...); r.code != step.code || !strings.Contains(r.out+r.err, step.want) {
			t.Errorf("%s: %+v", step.args, r)
		}
	}
	if r := run(shown.out, "create", "--file", "-", "--client-secret-file", written(t, "hush-hush")); r.code != 0 {
		t.Errorf("what was shown makes no connection: %+v", r)
	}
	if said += s.do("events", "list", "--json").out; !strings.Contains(said, "connection.deleted") || strings.Contains(said, "hush-hush") {
		t.Error("the secret is printed, or what happened is not")
	}
}

func TestASAMLConnectionMayBeItsProvidersMetadata(t *testing.T) {
	s := newShell(t, "IDP_ISSUER=https://id.example.com/auth")
	r := s.with(`{"name": "acme", "type": "saml"}`, "connection", "create", "--file", "-", "--metadata-file", written(t, acmeMetadata))
	for _, address := range []string{"https://id.example.com/auth/federation/acme/metadata", "https://id.example.com/auth/federation/acme/acs"} {
		if r.code != 0 || !strings.Contains(r.out, address) {
			t.Fatalf("%+v", r)
		}
	}
	if r := s.do("connection", "show", "acme"); !strings.Contains(r.out, "urn:acme") {
		t.Errorf("%+v", r)
	}
}

const acmeMetadata = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:acme"/>`

func TestTestingAConnectionSaysWhatIsWrongAndWhatToRegister(t *testing.T) {
	s := newShell(t)
	issuer := ""
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_, _ = fmt.Fprintf(w, `{"issuer": %q, "authorization_endpoint": "%[2]s/a", "token_endpoint": "%[2]s/t", "jwks_uri": "%[2]s/k", "response_types_supported": ["code"],
				"id_token_signing_alg_values_supported": ["ES256"]}`, issuer, "http://"+r.Host)
		case "/k":
			_, _ = io.WriteString(w, `{"keys": [{"kty": "EC", "crv": "P-256"}]}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error": "invalid_grant"}`)
		}
	}))
	defer provider.Close()
	r := s.with(fmt.Sprintf(`{"name": "acme", "type": "oidc", "issuer": %q, "client_id": "id", "client_secret": "hush-hush"}`, provider.URL), "connection", "create", "--file", "-")
	if r.code != 0 {
		t.Fatalf("%+v", r)
	}
	issuer = "https://somebody.example"
	if r := s.do("connection", "test", "acme"); r.code != 1 || !strings.Contains(r.out, "problem  issuer: ") || !strings.Contains(r.out, "byte for byte") || !strings.Contains(r.out, "/federation/acme/callback") {
		t.Errorf("another issuer: %+v", r)
	}
	issuer = provider.URL
	if r := s.do("connection", "test", "acme"); r.code != 0 || !strings.Contains(r.out, "ok       client: The provider knows the client.") || strings.Contains(r.out+r.err, "hush-hush") {
		t.Errorf("%+v", r)
	}
	var report struct {
		Callback string
		Findings []struct{ Step, Result string }
	}
	s.must(&report, "connection", "test", "acme", "--json")
	if !strings.HasSuffix(report.Callback, "/federation/acme/callback") || len(report.Findings) == 0 {
		t.Errorf("%+v", report)
	}
	if r := s.do("connection", "test", "none"); r.code != 1 || !strings.Contains(r.err, "no connection of that name") {
		t.Errorf("%+v", r)
	}
}

func TestPresetsSayWhatTheyNeed(t *testing.T) {
	s := newShell(t)
	var all []struct {
		Preset string
		Needs  []string
	}
	s.must(&all, "connection", "presets", "--json")
	for _, p := range all {
		if p.Preset == "apple" && strings.Join(p.Needs, " ") == "team_id key_id" {
			return
		}
	}
	t.Errorf("%+v", all)
}
