package token_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"idp/internal/problem"
	"idp/internal/secret"
	"idp/token"
)

// made is the template of a preset, with everything the operator has to bring.
func made(t *testing.T, p token.Preset, values map[string]string) token.Template {
	t.Helper()
	if values == nil {
		values = map[string]string{}
		for _, n := range p.Needs {
			if n.Otherwise == "" {
				values[n.Name] = n.Example
			}
		}
	}
	x, err := p.Make(values)
	if err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	switch p.Key {
	case "":
	case "HS256":
		x.Key = ownKey()
	case token.RS256:
		x.Key.Material = pkcs8(t, rsaOnce())
	default:
		t.Fatalf("%s needs a %s key", p.Name, p.Key)
	}
	return x
}

func TestEveryPresetSpeaks(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range token.Presets() {
		if seen[p.Name] || p.Title == "" || p.Says == "" || len(p.Source) == 0 {
			t.Errorf("%s is there twice, or says too little", p.Name)
		}
		seen[p.Name] = true
		for _, s := range p.Source {
			if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
				t.Errorf("%s: %s is no document", p.Name, s)
			}
		}
		x := made(t, p, nil)
		c, err := token.Compile(x)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		m, err := c.Fill(ann())
		out, _ := json.Marshal(m)
		if err != nil || strings.ContainsAny(string(out), "<>") || strings.Contains(string(out), "u003c") || len(x.Audience) == 0 || x.Preset != p.Name {
			t.Errorf("%s: %s, %v, audience %v; want everything filled and an audience of its own", p.Name, out, err, x.Audience)
		}
	}
	for _, name := range []string{"supabase", "supabase-legacy", "convex", "hasura", "hasura-v3", "nhost", "firebase", "instantdb", "kubernetes", "postgrest"} {
		if !seen[name] {
			t.Errorf("there is no preset %s", name)
		}
	}
}

func TestAPresetTakesWhatItNeedsAndNothingElse(t *testing.T) {
	p, err := token.PresetNamed("firebase")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Make(nil); !problem.HasCode(err, "preset_value") {
		t.Errorf("without its service account: %v", err)
	}
	if _, err := p.Make(map[string]string{"service_account": "a@b.c", "colour": "red"}); !problem.HasCode(err, "preset_value") {
		t.Errorf("with what nothing needs: %v", err)
	}
	if _, err := token.PresetNamed("nowhere"); !problem.Is(err, problem.Invalid) {
		t.Errorf("unknown: %v", err)
	}
	p, _ = token.PresetNamed("postgrest")
	x := made(t, p, map[string]string{"role": `"},"sub":"eve"{{`})
	if _, err := token.Compile(x); err == nil {
		t.Error("a value broke out of its string, or an unclosed shortcode went through")
	}
	x = made(t, p, map[string]string{"role": "{{user.public_metadata.team || 'nobody'}}"})
	c, err := token.Compile(x)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := c.Fill(ann()); err != nil || m["role"] != "red" {
		t.Errorf("%v, %v", m, err)
	}
}

func TestATemplateIsReadAsItIsWritten(t *testing.T) {
	x, err := token.ReadTemplate([]byte(`{"name":"acme","claims":{ "a" : 1 },"audience":"one","skew":0}`))
	if err != nil || x.Name != "acme" || string(x.Claims) != `{ "a" : 1 }` || len(x.Audience) != 1 || x.Skew != 0 || x.Lifetime != 60 {
		t.Errorf("%+v, %v", x, err)
	}
	x, err = token.ReadTemplate([]byte(`{"name":"acme","claims":{},"signing_key":{"kid":"k1","secret":"` + ownSecret + `"}}`))
	if err != nil || x.Algorithm != "HS256" || x.Key.ID != "k1" || x.Key.Material.Reveal() != ownSecret || x.Skew != 10 {
		t.Errorf("%+v, %v", x, err)
	}
	key, _ := json.Marshal(pkcs8(t, rsaOnce()).Reveal())
	x, err = token.ReadTemplate([]byte(`{"name":"acme","claims":{},"algorithm":"RS512","signing_key":{"pem":` + string(key) + `}}`))
	if err != nil || x.Algorithm != "RS512" || x.Key.None() {
		t.Errorf("%v", err)
	}
	for why, c := range map[string]struct{ text, field string }{
		"a member nobody knows":         {`{"name":"a","claim":{}}`, "claim"},
		"a member twice":                {`{"name":"a","name":"b"}`, "name"},
		"a number as a name":            {`{"name":1}`, "name"},
		"a lifetime in words":           {`{"lifetime":"1h"}`, "lifetime"},
		"a fraction":                    {`{"lifetime":60.5}`, "lifetime"},
		"an audience of numbers":        {`{"audience":[1]}`, "audience"},
		"no object":                     {`[]`, ""},
		"no JSON":                       {`{"name":`, ""},
		"something behind it":           {`{} {}`, ""},
		"a short secret":                {`{"signing_key":{"secret":"short"}}`, "signing_key"},
		"an empty secret":               {`{"signing_key":{"secret":""}}`, "signing_key"},
		"a key of two kinds":            {`{"signing_key":{"secret":"` + ownSecret + `","pem":"x"}}`, "signing_key"},
		"a key with an unknown member":  {`{"signing_key":{"hmac":"x"}}`, "signing_key.hmac"},
		"a key as text":                 {`{"signing_key":"x"}`, "signing_key"},
		"the secret in the wrong place": {`{"key":{"secret":"x"}}`, "key.secret"},
	} {
		_, err := token.ReadTemplate([]byte(c.text))
		p := asProblem(err)
		if p == nil || p.Kind != problem.Invalid || p.Field != c.field {
			t.Errorf("%s: %v %+v, want problem.Invalid on %q", why, err, p, c.field)
		}
	}
}

func TestAKeyStaysWhereATemplateNamesItWithoutBringingIt(t *testing.T) {
	old, err := token.ReadTemplate([]byte(`{"name":"a","claims":{},"signing_key":{"kid":"k1","secret":"` + ownSecret + `"}}`))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := json.Marshal(old)
	if err != nil {
		t.Fatal(err)
	}
	read, err := token.ReadTemplate(shown)
	if err != nil || !read.Key.None() {
		t.Fatalf("%s: %+v, %v", shown, read, err)
	}
	kept, err := read.KeepKey(old)
	if err != nil || kept.Key.Material.Reveal() != ownSecret {
		t.Errorf("%+v, %v; want the old key", kept, err)
	}
	other := old
	other.Key = token.CustomKey{ID: "k2", Material: secret.NewString(ownSecret)}
	for why, from := range map[string]token.Template{"a template without one": {}, "a template with another": other} {
		if _, err := read.KeepKey(from); !problem.HasCode(err, "signing_key_missing") {
			t.Errorf("from %s: %v", why, err)
		}
	}
	gone, err := token.ReadTemplate([]byte(`{"name":"a","claims":{},"algorithm":"ES256"}`))
	if err != nil {
		t.Fatal(err)
	}
	if gone, err = gone.KeepKey(old); err != nil || !gone.Key.None() {
		t.Errorf("a template that names none kept it: %v", err)
	}
}

func TestTheTermsOfATemplateAreBounded(t *testing.T) {
	whole := func(change func(*token.Template)) error {
		x := token.Template{Name: "t", Claims: json.RawMessage(`{}`), Skew: 10}
		change(&x)
		_, err := token.Compile(x)
		return err
	}
	for why, c := range map[string]struct {
		change func(*token.Template)
		field  string
	}{
		"no name":                        {func(x *token.Template) { x.Name = "" }, "name"},
		"capitals":                       {func(x *token.Template) { x.Name = "Acme" }, "name"},
		"a path":                         {func(x *token.Template) { x.Name = "a/b" }, "name"},
		"a name like an option":          {func(x *token.Template) { x.Name = "-a" }, "name"},
		"65 characters":                  {func(x *token.Template) { x.Name = strings.Repeat("a", 65) }, "name"},
		"29 seconds":                     {func(x *token.Template) { x.Lifetime = 29 }, "lifetime"},
		"more than a day":                {func(x *token.Template) { x.Lifetime = 86401 }, "lifetime"},
		"less than nothing":              {func(x *token.Template) { x.Lifetime = -60 }, "lifetime"},
		"skew of more than five minutes": {func(x *token.Template) { x.Skew = 301 }, "skew"},
		"skew to the future":             {func(x *token.Template) { x.Skew = -1 }, "skew"},
		"an empty audience":              {func(x *token.Template) { x.Audience = []string{""} }, "audience"},
		"an audience twice":              {func(x *token.Template) { x.Audience = []string{"a", "a"} }, "audience"},
		"a shortcode as audience":        {func(x *token.Template) { x.Audience = []string{"{{user.id}}"} }, "audience"},
		"no algorithm":                   {func(x *token.Template) { x.Algorithm = "none" }, "algorithm"},
		"HMAC without a secret":          {func(x *token.Template) { x.Algorithm = "HS256" }, "signing_key"},
		"a session token for an hour":    {func(x *token.Template) { x.Name, x.Lifetime = token.SessionTemplate, 3600 }, "name"},
		"a session token by another key": {func(x *token.Template) { x.Name, x.Key = token.SessionTemplate, ownKey() }, "name"},
		"a session token for somebody":   {func(x *token.Template) { x.Name, x.Audience = token.SessionTemplate, []string{"a"} }, "name"},
	} {
		p := asProblem(whole(c.change))
		if p == nil || p.Kind != problem.Invalid || p.Field != c.field {
			t.Errorf("%s: %+v, want problem.Invalid on %s", why, p, c.field)
		}
	}
	for why, change := range map[string]func(*token.Template){
		"half a minute":     func(x *token.Template) { x.Lifetime = 30 },
		"a day":             func(x *token.Template) { x.Lifetime = 86400 },
		"no skew":           func(x *token.Template) { x.Skew = 0 },
		"the session token": func(x *token.Template) { x.Name = token.SessionTemplate },
		"RSA":               func(x *token.Template) { x.Algorithm = token.RS256 },
	} {
		if err := whole(change); err != nil {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestSizesAreMeasuredAndBounded(t *testing.T) {
	for _, c := range []struct {
		bytes    int
		weight   token.Weight
		inCookie bool
		header   bool
	}{
		{2047, token.Light, true, true}, {2048, token.Heavy, true, true}, {3584, token.Heavy, true, true}, {3585, token.Heavy, false, true},
		{8192, token.Heavy, false, true}, {8193, token.TooHeavy, false, false},
	} {
		jwt := strings.Repeat("x", c.bytes)
		if s := token.Measure(jwt); s.Bytes != c.bytes || s.Weight != c.weight || s.InCookie != c.inCookie {
			t.Errorf("%d bytes: %+v", c.bytes, s)
		}
		if err := token.CheckSize(jwt, false); (err == nil) != c.header || err != nil && !problem.HasCode(err, "token_too_large") {
			t.Errorf("%d bytes in a header: %v", c.bytes, err)
		}
		if err := token.CheckSize(jwt, true); (err == nil) != c.inCookie || err != nil && !problem.HasCode(err, "token_too_large") {
			t.Errorf("%d bytes in a cookie: %v", c.bytes, err)
		}
	}
}
