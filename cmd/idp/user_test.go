package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnOperatorFillsAPersonsFile(t *testing.T) {
	s := newShell(t)
	s.must(nil, "user", "create", "--email", "ann@example.com", "--verified", "--phone", "+44 20 7946 0018")
	file := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(file, []byte(`{"name":"Ann Arbor","website":"https://ann.example","address":{"country":"NZ"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var ann struct {
		Phones []struct {
			Number   string
			Verified bool
		}
		Groups  []string
		Roles   []string
		Profile map[string]any
	}
	s.must(&ann, "user", "update", "ann@example.com", "--profile", file, "--phone", "+44 (0)20 7946 0019", "--phone-verified", "--group", "staff", "--group", "ops", "--role", "editor", "--json")
	if len(ann.Phones) != 1 || ann.Phones[0].Number != "+442079460019" || !ann.Phones[0].Verified || strings.Join(ann.Groups, " ") != "staff ops" || strings.Join(ann.Roles, " ") != "editor" {
		t.Errorf("%+v", ann)
	}
	if r := s.with(`{"website":"","nickname":"annie"}`, "user", "update", "+442079460019", "--profile", "-", "--remove-group", "ops", "--remove-role", "editor"); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	r := s.do("user", "show", "ann@example.com")
	for _, want := range []string{"Ann Arbor", "annie", "NZ", "+442079460019", "staff"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is missing in %s", want, r.out)
		}
	}
	for _, gone := range []string{"https://ann.example", "ops", "editor"} {
		if strings.Contains(r.out, gone) {
			t.Errorf("%q is still in %s", gone, r.out)
		}
	}
	for _, c := range []struct {
		why, in, want string
		args          []string
	}{
		{"nothing", "", "nothing to change", nil},
		{"no such claim", `{"email":"x"}`, `there is no member`, []string{"--profile", "-"}},
		{"two objects", `{} {}`, "something follows it", []string{"--profile", "-"}},
		{"a birthday of a kind", `{"birthdate":"31.1.1990"}`, "spelled like 1990-01-31", []string{"--profile", "-"}},
		{"a script for a picture", `{"picture":"javascript:alert(1)"}`, "no web address", []string{"--profile", "-"}},
		{"no country", "", "country code", []string{"--phone", "020 7946 0018"}},
		{"verified what", "", "goes with --phone", []string{"--phone-verified"}},
		{"a nameless group", "", "has a name", []string{"--group", " "}},
	} {
		if r := s.with(c.in, append([]string{"user", "update", "ann@example.com"}, c.args...)...); r.code == 0 || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: %+v", c.why, r)
		}
	}
	if after := s.do("user", "show", "ann@example.com"); after.out != r.out {
		t.Errorf("what was refused changed something: %s", after.out)
	}
	s.must(nil, "user", "update", "ann@example.com", "--phone", "")
	if r := s.do("user", "show", "ann@example.com"); strings.Contains(r.out, "phone") {
		t.Errorf("the phone number is still there: %s", r.out)
	}
}

func TestAnOperatorHelpsWhoCannotGetIn(t *testing.T) {
	s := newShell(t)
	s.must(nil, "user", "create", "--email", "ann@example.com", "--verified")
	if r := s.do("user", "reset-factors", "ann@example.com"); r.code != 1 || !strings.Contains(r.err, "no second factor") {
		t.Errorf("with none on file: %+v", r)
	}
	if r := s.do("user", "unlock", "ann@example.com"); r.code != 0 || !strings.Contains(r.out, "can try again") {
		t.Errorf("%+v", r)
	}
	if r := s.do("user", "unlock", "bob@example.com"); r.code == 0 {
		t.Errorf("nobody was unlocked: %+v", r)
	}
	if r := s.do("events", "list"); !strings.Contains(r.out, "sign_in.unlocked") || !strings.Contains(r.out, "operator:cli") {
		t.Errorf("the audit trail says nothing: %+v", r)
	}
}
