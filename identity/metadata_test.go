package identity_test

import (
	"encoding/json"
	"strings"
	"testing"

	"idp/identity"
	"idp/internal/problem"
)

func TestMetadataIsOneObjectThatEveryReaderTakesTheSameWay(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for name, c := range map[string]struct {
		text, want string // want "!" is a refusal
	}{
		"an object":                      {` { "team" : "blue" , "n": [1, 2.5e3] } `, `{"team":"blue","n":[1,2.5e3]}`},
		"markup stays as it is":          {`{"a":"<b>&"}`, `{"a":"<b>&"}`},
		"an empty object is none":        {` { } `, ""},
		"null is none":                   {"null", ""},
		"sixteen levels":                 {deep(16), deep(16)},
		"seventeen levels":               {deep(17), "!"},
		"8 KB to the byte":               {`{"a":"` + strings.Repeat("x", 8192-8) + `"}`, `{"a":"` + strings.Repeat("x", 8192-8) + `"}`},
		"a byte more":                    {`{"a":"` + strings.Repeat("x", 8192-7) + `"}`, "!"},
		"8 KB and much space":            {`{"a":"` + strings.Repeat("x", 8000) + `"` + strings.Repeat(" ", 9000) + "}", `{"a":"` + strings.Repeat("x", 8000) + `"}`},
		"a list":                         {`["a"]`, "!"},
		"a text":                         {`"a"`, "!"},
		"nothing":                        {"", "!"},
		"something after it":             {`{} {}`, "!"},
		"it is cut off":                  {`{"a":`, "!"},
		"an extra comma":                 {`{"a":1,}`, "!"},
		"a name twice":                   {`{"role":"user","role":"admin"}`, "!"},
		"a name twice, spelled twice":    {`{"role":"user","r\u006fle":"admin"}`, "!"},
		"a name twice, deep in a list":   {`{"a":[{"b":1,"b":2}]}`, "!"},
		"the same name in two objects":   {`{"a":{"b":1},"c":{"b":1}}`, `{"a":{"b":1},"c":{"b":1}}`},
		"a number beyond all":            {`{"a":1e999}`, "!"},
		"a zero byte":                    {`{"a":"\u0000"}`, "!"},
		"a backslash before such a text": {`{"a":"\\u0000"}`, `{"a":"\\u0000"}`},
		"half of a pair":                 {`{"a":"\ud83d"}`, "!"},
		"the other half":                 {`{"a":"\ude00"}`, "!"},
		"half of a pair before a letter": {`{"a":"\ud83d\u0041"}`, "!"},
		"a whole pair":                   {`{"a":"\ud83d\ude00\n"}`, `{"a":"\ud83d\ude00\n"}`},
		"bytes that are no text":         {"{\"a\":\"\xff\"}", "!"},
	} {
		got, err := identity.CheckMetadata(identity.PublicMetadata, []byte(c.text))
		switch {
		case c.want == "!":
			if !problem.Is(err, problem.Invalid) || got != nil {
				t.Errorf("%s: got %s, %v", name, got, err)
			}
		case err != nil || string(got) != c.want || (got == nil) != (c.want == ""):
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
}

func TestAPatchOfMetadataChangesWhatItNames(t *testing.T) {
	// The cases that can be of RFC 7396, appendix A: those on and of objects.
	for _, c := range []struct{ on, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, ``},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":1}`, `{"a":1}`, `{"a":1,"e":1}`},
		{``, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"n":12345678901234567890}`, `{"a":"<"}`, `{"a":"<","n":12345678901234567890}`},
		{`{"a":1}`, `{}`, `{"a":1}`},
		{`{"a":1}`, ` null `, ``},
	} {
		got, err := identity.MergeMetadata(identity.OwnMetadata, json.RawMessage(c.on), []byte(c.patch))
		if err != nil || string(got) != c.want {
			t.Errorf("%s on %s: got %s, %v, want %s", c.patch, c.on, got, err, c.want)
		}
	}
}

func TestPatchesDoNotGrowMetadataBeyondItsSize(t *testing.T) {
	half := strings.Repeat("x", 5000)
	on, err := identity.MergeMetadata(identity.OwnMetadata, nil, []byte(`{"a":"`+half+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := identity.MergeMetadata(identity.OwnMetadata, on, []byte(`{"b":"`+half+`"}`)); !problem.Is(err, problem.Invalid) || got != nil {
		t.Errorf("10 KB: %d bytes, %v", len(got), err)
	}
}

func FuzzMetadata(f *testing.F) {
	for _, s := range []string{`{"a":"\ud83d\ude00"}`, `{"a":{"b":[1,null,true]}}`, `{"\\u0000":"\u0000"}`, `{"a":1e400}`} {
		f.Add(s, `{"a":null}`)
	}
	f.Fuzz(func(t *testing.T, text, patch string) {
		checked, err := identity.CheckMetadata(identity.OwnMetadata, []byte(text))
		if err != nil {
			return
		}
		var m map[string]any
		if checked != nil && json.Unmarshal(checked, &m) != nil {
			t.Fatalf("%s is no object", checked)
		}
		if again, err := identity.CheckMetadata(identity.OwnMetadata, orNone(checked)); err != nil || string(again) != string(checked) {
			t.Fatalf("%s was taken, and then %v", checked, err)
		}
		merged, err := identity.MergeMetadata(identity.OwnMetadata, checked, []byte(patch))
		if err == nil && merged != nil && !json.Valid(merged) {
			t.Fatalf("%s on %s is %s", patch, checked, merged)
		}
	})
}

func orNone(m json.RawMessage) json.RawMessage {
	if m == nil {
		return json.RawMessage("{}")
	}
	return m
}
