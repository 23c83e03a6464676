package main

import (
	"strings"
	"testing"
)

func TestMetadataIsShownAndChangedOnTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.must(nil, "user", "create", "--email", "ann@example.com", "--verified")
	var ann struct {
		Public  map[string]any `json:"public_metadata"`
		Private map[string]any `json:"private_metadata"`
		Own     map[string]any `json:"own_metadata"`
	}
	s.must(&ann, "user", "metadata", "ann@example.com", "--public", `{"plan": "pro", "seats": 3}`, "--private", written(t, `{"crm": "crm-hush-17"}`), "--json")
	if ann.Public["plan"] != "pro" || ann.Private["crm"] != "crm-hush-17" || ann.Own != nil {
		t.Fatalf("%+v", ann)
	}
	if r := s.with(`{"seats": null}`, "user", "metadata", "ann@example.com", "--public", "-"); r.code != 0 || !strings.Contains(r.out, `{"plan":"pro"}`) {
		t.Errorf("%+v", r)
	}
	if r := s.do("user", "metadata", "ann@example.com", "--private", `{"n": 1}`, "--replace"); r.code != 0 || strings.Contains(r.out, "hush") || !strings.Contains(r.out, `{"plan":"pro"}`) {
		t.Errorf("%+v", r)
	}
	for why, c := range map[string]struct {
		args []string
		want string
		code int
	}{
		"no such file":    {[]string{"--public", "plan=pro"}, "no such file", 1},
		"a list":          {[]string{"--public", written(t, "[1]")}, "starts with {", 1},
		"a name twice":    {[]string{"--private", `{"a":1,"a":2}`}, "a name twice", 1},
		"replace what":    {[]string{"--replace"}, "goes with", 2},
		"one input twice": {[]string{"--public", "-", "--private", "-"}, "one of the two", 2},
		"nothing in it":   {[]string{"--public", written(t, "")}, "empty", 2},
	} {
		if r := s.do(append([]string{"user", "metadata", "ann@example.com"}, c.args...)...); r.code != c.code || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: %+v", why, r)
		}
	}
	for _, args := range [][]string{{"user", "metadata", "ann@example.com"}, {"user", "show", "ann@example.com"}, {"user", "show", "ann@example.com", "--json"}} {
		if r := s.do(args...); r.code != 0 || !strings.Contains(strings.ReplaceAll(r.out, "\n", ""), `pro`) || !strings.Contains(r.out, `n`) {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if r := s.do("events", "list", "--json"); strings.Contains(r.out, "hush") || !strings.Contains(r.out, "private_metadata") {
		t.Errorf("%+v", r)
	}
	if r := s.do("user", "metadata", "bob@example.com", "--public", "{}"); r.code != 1 || !strings.Contains(r.err, "nobody") {
		t.Errorf("%+v", r)
	}
}
