package federation_test

import (
	"encoding/json"
	"net/mail"
	"strings"
	"testing"

	"idp/federation"
)

// states says by itself whether a payload states that the address was checked: for those whose
// statement is one member of the top level, by the JSON that means yes.
func states(t testing.TB, s shape, payload map[string]any) bool {
	for at, yes := range s.yes {
		said, err := json.Marshal(payload[at])
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, one := range yes {
			found = found || one == string(said)
		}
		if !found {
			return false
		}
	}
	return len(s.yes) > 0
}

func flat(s shape) bool {
	for at := range s.yes {
		if strings.Contains(at, ".") {
			return false
		}
	}
	return true
}

// FuzzAssert lets a provider say anything: nobody panics, and nothing is believed that the
// provider's own statement does not cover.
func FuzzAssert(f *testing.F) {
	for i, s := range shapes {
		f.Add(byte(i), s.payload)
		f.Add(byte(i), plain)
		f.Add(byte(i), `{"sub":1e21,"id":-1,"email":"a@evil@corp.com","email_verified":[],"verified":{},"emails":[null,{"primary":true}],"amr":"mfa"}`)
	}
	f.Fuzz(func(t *testing.T, i byte, payload string) {
		s := shapes[int(i)%len(shapes)]
		d := json.NewDecoder(strings.NewReader(payload))
		d.UseNumber()
		var claims map[string]any
		if d.Decode(&claims) != nil || claims == nil {
			return
		}
		if s.preset == "microsoft" {
			claims["tid"] = tid
		}
		c := s.connection()
		a, err := (&federation.Federation{}).Assert(c, s.issuer, claims)
		if err != nil {
			if a.Verdict.Verified || a.Account.Subject != "" {
				t.Fatalf("%s: refused, and still %+v", s.preset, a)
			}
			return
		}
		if a.Account.Subject == "" || len(a.Account.Subject) > 255 || a.Both || a.Vouched != nil || a.Profile.Check() != nil {
			t.Fatalf("%s: %+v", s.preset, a)
		}
		if p := a.Profile.Picture; p != "" && !strings.HasPrefix(strings.ToLower(p), "https://") {
			t.Fatalf("%s: picture %q", s.preset, p)
		}
		if v := a.Email.Value; v != "" {
			parsed, err := mail.ParseAddress(v)
			if err != nil || parsed.Address != v || strings.Count(v, "@") != 1 || strings.ContainsAny(v, "<>\" \t\r\n,;") {
				t.Fatalf("%s: address %q", s.preset, v)
			}
		}
		if a.Verdict.Verified && (a.Email.None() || s.yes == nil || flat(s) && !states(t, s, claims)) {
			t.Fatalf("%s: %s was believed: %+v", s.preset, payload, a)
		}
	})
}
