package main

import (
	"encoding/json"
	"strings"
	"testing"
)

const billing = `{"name": "billing", "claims": {"email": "{{user.primary_email_address}}", "plan": "{{user.public_metadata.plan || 'free'}}"},
	"lifetime": 300, "audience": ["billing"], "algorithm": "HS256"}`

func TestATemplateIsMadeOfAFileAndReadBackWithoutItsKey(t *testing.T) {
	s := newShell(t)
	s.must(nil, "user", "create", "--email", "ann@example.com", "--verified")
	said, key := "", "hush-hush-key-of-32-bytes-exactly"
	run := func(in string, args ...string) result {
		t.Helper()
		r := s.with(in, append([]string{"template"}, args...)...)
		said += r.out + r.err
		return r
	}
	if r := run(billing, "create", "--file", "-"); r.code != 1 || !strings.Contains(r.err, "signing_key") {
		t.Errorf("without a key: %+v", r)
	}
	if r := run(billing, "create", "--file", "-", "--signing-key-file", written(t, "too short")); r.code != 1 || !strings.Contains(r.err, "32 bytes") {
		t.Errorf("with a short key: %+v", r)
	}
	if r := run(billing, "create", "--file", "-", "--signing-key-file", written(t, key+"\n"), "--signing-key-id", "main"); r.code != 0 || !strings.Contains(r.out, "billing is made") {
		t.Fatalf("%+v", r)
	}
	if r := run(billing, "create", "--file", "-", "--signing-key-file", written(t, key)); r.code != 1 || !strings.Contains(r.err, "of that name already") {
		t.Errorf("a second time: %+v", r)
	}
	shown := run("", "show", "billing")
	if shown.code != 0 || !strings.Contains(shown.out, `"kid": "main"`) || !strings.Contains(shown.out, "|| 'free'") {
		t.Fatalf("%+v", shown)
	}
	if r := run(strings.Replace(shown.out, "300", "600", 1), "update", "--file", "-"); r.code != 0 {
		t.Errorf("what is shown cannot be given back: %+v", r)
	}
	if r := run(shown.out, "update", "--file", "-"); r.code != 1 || !strings.Contains(r.err, "Somebody else") {
		t.Errorf("a stale version: %+v", r)
	}
	if r := run(`{"name": "billing", "claims": {"a": "{{user.emial}}"}}`, "update", "--file", "-"); r.code != 1 || !strings.Contains(r.err, "Line 1, column") {
		t.Errorf("an unknown shortcode: %+v", r)
	}
	if r := run(`{"name": "billing", "claims": {}}`, "update", "--file", "-"); r.code != 0 {
		t.Errorf("the key goes: %+v", r)
	}
	if r := run("", "show", "billing"); strings.Contains(r.out, "kid") || !strings.Contains(r.out, `"ES256"`) {
		t.Errorf("after its key went: %+v", r)
	}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"create", "--file", 2},
		{"create --file x --preset y", "one of", 2},
		{"create --preset nobody", "no such preset", 1},
		{"create --preset supabase --set role", "NAME=VALUE", 2},
		{"create --preset supabase --set colour=red", "no use for colour", 1},
		{"create --preset firebase", "service_account", 1},
		{"create --preset supabase --set role=app_user --name session", "session", 1},
		{"create --preset supabase --name new", "cannot be called new", 1},
		{"create --preset supabase --set role=app_user --name mine", "mine is made", 0},
		{"create --preset supabase --signing-key-id x", "goes with", 2},
		{"update", "--file is missing", 2},
		{"list", "mine", 0},
		{"presets", "role=authenticated", 0},
		{"preview mine", "--user is missing", 2},
		{"preview mine --user nobody@example.com", "nobody", 1},
		{"preview none --user ann@example.com", "no template of that name", 1},
		{"preview mine --user ann@example.com", `"role": "app_user"`, 0},
		{"show none", "no template of that name", 1},
		{"delete none", "no template of that name", 1},
		{"delete billing", "billing is deleted", 0},
	} {
		if r := run("", strings.Fields(c.args)...); r.code != c.code || !strings.Contains(r.out+r.err, c.want) {
			t.Errorf("%s: %+v", c.args, r)
		}
	}
	var all []struct{ Name string }
	r := run("", "list", "--json")
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all) != 1 || all[0].Name != "mine" {
		t.Errorf("%v %+v", err, r)
	}
	if said += s.do("events", "list", "--json").out; !strings.Contains(said, "template.deleted") || strings.Contains(said, "hush") {
		t.Error("the key is printed, or what happened is not")
	}
}

func TestAPreviewPrintsTheTokenOnlyIfAskedAndSaysSoInTheAuditTrail(t *testing.T) {
	s := newShell(t)
	s.must(nil, "user", "create", "--email", "ann@example.com", "--verified")
	s.must(nil, "template", "create", "--preset", "supabase", "--json")
	r := s.do("template", "preview", "supabase", "--user", "ann@example.com")
	if r.code != 0 || strings.Contains(r.out+r.err, "eyJ") || !strings.Contains(r.out, `"email": "ann@example.com"`) || !strings.Contains(r.err, "bytes") {
		t.Errorf("%+v", r)
	}
	if r := s.do("events", "list"); strings.Contains(r.out, "template.token_taken") {
		t.Errorf("looking is taken for taking: %s", r.out)
	}
	r = s.do("template", "preview", "supabase", "--user", "ann@example.com", "--token")
	if jwt := strings.TrimSpace(r.out); r.code != 0 || strings.Count(jwt, ".") != 2 || strings.ContainsAny(jwt, " {\n") {
		t.Errorf("%+v", r)
	}
	if r := s.do("events", "list"); !strings.Contains(r.out, "template.token_taken") {
		t.Errorf("nobody hears of it: %s", r.out)
	}
	var all struct {
		Claims map[string]any
		Size   struct{ Bytes int }
		Token  string
	}
	s.must(&all, "template", "preview", "supabase", "--user", "ann@example.com", "--json")
	if all.Claims["role"] != "authenticated" || all.Size.Bytes < 100 || all.Token != "" {
		t.Errorf("%+v", all)
	}
	s.must(nil, "user", "ban", "ann@example.com")
	if r := s.do("template", "preview", "supabase", "--user", "ann@example.com", "--token"); r.code != 1 || strings.Contains(r.out, "eyJ") {
		t.Errorf("a token of somebody banned: %+v", r)
	}
}
