package token_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"idp/identity"
	"idp/internal/problem"
	"idp/internal/secret"
	"idp/storage"
	"idp/storage/storagetest"
	"idp/token"
)

// FuzzTemplate looks for claims that bring the language down, or a token that says what only we
// may say. Whatever is written, what comes out is JSON whose registered claims are ours.
func FuzzTemplate(f *testing.F) {
	for _, claims := range []string{
		`{"a":"{{user.id}}","b":["{{user.groups}}",{"c":"x {{user.public_metadata.x || 'y'}}"}]}`, `{"iss":"x","sub":"{{user.external_id}}"}`,
		`{"Sub":1}`, `{"ſub":1}`, `{"a":"{{'{{'}}"}`, `{"a":"\ud83d\ude00{{user.idd}}"}`, `{"a":"{{user.own_metadata}}"}`, `{"a":1e999}`, `{"\u0065xp":1}`, `{"a":"{{user.id ||`,
	} {
		f.Add(claims, `{"x":{"exp":1}}`, "Ann", false)
		f.Add(claims, `[1,{"a":null}]`, "{{user.id}}\x00\xff", true)
	}
	db, clock := storagetest.Open(f), storagetest.NewClock()
	keys := &token.KeySet{Store: storage.NewKeys(db), Events: storage.NewEvents(db), InTx: db.InTx, Now: clock.Now, Make: storagetest.Private}
	if err := keys.Ensure(f.Context()); err != nil {
		f.Fatal(err)
	}
	m := &token.Minter{Keys: keys, Issuer: "https://id.example.com", Origin: "https://id.example.com", Now: clock.Now}
	f.Fuzz(func(t *testing.T, claims, metadata, name string, own bool) {
		x := token.Template{Name: "t", Claims: json.RawMessage(claims)}
		if own {
			x.Key = ownKey()
		}
		if _, err := token.Compile(x); err != nil {
			var at *token.Mistake
			if !problem.Is(err, problem.Invalid) || errors.As(err, &at) && (at.Line < 1 || at.Column < 1 || at.Says == "") {
				t.Fatalf("%v: %+v", err, at)
			}
			return
		}
		s := ann()
		s.User.Profile.Name, s.User.ExternalID = name, name
		if json.Valid([]byte(metadata)) {
			s.User.Metadata = identity.Metadata{Public: json.RawMessage(metadata), Private: json.RawMessage(metadata), Own: json.RawMessage(metadata)}
		}
		p, err := m.Preview(t.Context(), x, s)
		if err != nil {
			if !problem.Is(err, problem.Invalid) {
				t.Fatalf("%q about %q: %v", claims, metadata, err)
			}
			return
		}
		check(t, p, own, clock.Now())
		// Four characters of base64 hold three bytes, and each byte of what is filled in takes six at most.
		if most := 6 * (len(claims) + token.MaxSize + 1000) * 4 / 3; p.Size.Bytes > most {
			t.Fatalf("%d bytes of %d", p.Size.Bytes, len(claims))
		}
	})
}

// check reads a token as a backend does that is careless about case.
func check(t *testing.T, p token.Preview, own bool, now time.Time) {
	t.Helper()
	payload, err := mustPart(p.JWT, 1)
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber() // what people keep in metadata is told as they wrote it
	if err := d.Decode(&said); err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	second := func(at time.Time) json.Number { return json.Number(strconv.FormatInt(at.Unix(), 10)) }
	ours := map[string]any{
		"iss": "https://id.example.com", "sub": "user_ann", "azp": "https://id.example.com", "sid": "sess_1", "acr": "aal2",
		"exp": second(now.Add(time.Minute)), "iat": second(now), "nbf": second(now),
	}
	if own {
		delete(ours, "iss")
		delete(ours, "sub")
	}
	for name, want := range ours {
		if said[name] != want {
			t.Fatalf("%s is %v, want %v: %s", name, said[name], want, payload)
		}
	}
	if sub, ok := said["sub"].(string); !ok || sub == "" {
		t.Fatalf("sub is %v", said["sub"])
	}
	for name := range maps.Keys(said) {
		if token.Reserved(name) != "" && !registered[name] {
			t.Fatalf("%q is said, and it is not ours to say: %s", name, payload)
		}
	}
}

var registered = map[string]bool{
	"iss": true, "sub": true, "azp": true, "sid": true, "iat": true, "nbf": true, "exp": true, "jti": true, "auth_time": true, "amr": true, "acr": true,
}

func mustPart(jwt secret.String, i int) ([]byte, error) {
	parts := strings.Split(jwt.Reveal(), ".")
	if len(parts) != 3 {
		return nil, errors.New("no JWT")
	}
	return mustBase64(parts[i]), nil
}

// FuzzMetadata compares what templates find in metadata with what a reader of all of it finds.
func FuzzMetadata(f *testing.F) {
	for _, text := range []string{`{"a":{"b":[1,{"c":"x\u0041\"]}"}]},"b":null,"a ":-1e5}`, ` {"a" : [ ] , "b":[[2],3] } `, `{"a":1,"a":2}`, `{"a"`, `[{"a":1}]`, `"a"`, `{"a":"\`} {
		f.Add([]byte(text), "a.b.1.c")
		f.Add([]byte(text), "b.0")
		f.Add([]byte(text), "a")
	}
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		c, err := token.Compile(token.Template{Name: "t", Claims: mustJSON(map[string]string{"x": "{{user.public_metadata." + path + "}}"})})
		if err != nil || strings.Trim(path, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
			return
		}
		m, err := c.Fill(token.Subject{User: identity.User{Metadata: identity.Metadata{Public: text}}})
		if err != nil || !json.Valid(text) {
			return // it did not fall over, and that is all
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			return
		}
		for step := range strings.SplitSeq(path, ".") {
			switch at := want.(type) {
			case map[string]any:
				want = at[step]
			case []any:
				i, err := strconv.Atoi(step)
				if want = nil; err == nil && i >= 0 && i < len(at) {
					want = at[i]
				}
			default:
				want = nil
			}
		}
		if got := m["x"]; !reflect.DeepEqual(got, want) {
			t.Fatalf("%s in %s is %#v, want %#v", path, text, got, want)
		}
	})
}

func mustJSON(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// FuzzReadTemplate looks for a file that brings its reader down, and for a key that is shown again.
func FuzzReadTemplate(f *testing.F) {
	for _, text := range []string{
		`{"name":"a","claims":{},"signing_key":{"secret":"` + ownSecret + `"}}`, `{"name":"a","audience":["x"],"lifetime":60,"skew":0,"key":{"kid":"x"}}`,
		`{"signing_key":{"jwk":{"kty":"oct","k":"AAAA"}}}`, `{"signing_key":{"pem":"-----BEGIN PRIVATE KEY-----\n"}}`, `{}`, `[`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := token.ReadTemplate(text)
		if err != nil {
			if !problem.Is(err, problem.Invalid) {
				t.Fatalf("%s: %v", text, err)
			}
			return
		}
		c, err := token.Compile(x)
		if err != nil {
			return
		}
		shown, err := json.Marshal(c.Template)
		if err != nil || !c.Key.None() && strings.Contains(string(shown), c.Key.Material.Reveal()) {
			t.Fatalf("%s, %v", shown, err)
		}
		if again, err := token.ReadTemplate(shown); err != nil || again.Lifetime != c.Lifetime || again.Skew != c.Skew {
			t.Fatalf("%s is read as %+v, %v", shown, again, err)
		}
	})
}

// FuzzSigningKey looks for a file that brings the reader of keys down, and for a key that is taken
// and then does not sign.
func FuzzSigningKey(f *testing.F) {
	for _, text := range []string{ownSecret, `{"kty":"oct","k":"` + ownSecret + `"}`, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", `{"kty":"EC","crv":"P-256","d":"AA","x":"AA","y":"AA"}`, `{"keys":[]}`, ""} {
		f.Add([]byte(text), "")
		f.Add([]byte(text), "HS512")
	}
	f.Fuzz(func(t *testing.T, text []byte, algorithm string) {
		key, algorithm, err := token.SigningKeyFile(text).For(algorithm)
		if err != nil {
			if !problem.Is(err, problem.Invalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		c, err := token.Compile(token.Template{Name: "t", Claims: json.RawMessage(`{}`), Algorithm: algorithm, Key: key})
		if err != nil {
			t.Fatalf("taken, and not compiled: %v", err)
		}
		if _, err := c.Sign(map[string]any{"a": 1}); err != nil {
			t.Fatalf("taken, and does not sign: %v", err)
		}
	})
}

var benchClaims = json.RawMessage(`{
  "https://hasura.io/jwt/claims": {"x-hasura-default-role": "user", "x-hasura-allowed-roles": ["user"], "x-hasura-user-id": "{{user.id}}", "x-hasura-team": "{{user.public_metadata.team || 'none'}}"},
  "email": "{{user.primary_email_address}}", "email_verified": "{{user.email_verified}}", "name": "{{user.first_name}} {{user.last_name}}", "groups": "{{user.groups}}"
}`)

func BenchmarkFill(b *testing.B) {
	c, err := token.Compile(token.Template{Name: "t", Claims: benchClaims})
	if err != nil {
		b.Fatal(err)
	}
	s := ann()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Fill(s); err != nil {
			b.Fatal(err)
		}
	}
}
