package federation

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
)

var fuzzNow = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

func FuzzAnAnswerOfATokenEndpointIsTakenWholeOrNotAtAll(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","token_type":"bearer","expires_in":3600}`, `{"access_token":"a","expires_in":"3600"}`, `{"error":"x"}`, `{"ok":false}`,
		`{"access_token":{}}`, `[]`, `null`, `{"access_token":"a","expires_in":1e309}`, `{"access_token":"a","expires_in":-1}`, `{}{}`, `{"scope":["a","b"],"access_token":"a"}`,
	} {
		f.Add(200, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		g, err := readGranted(status, body, fuzzNow)
		if err != nil {
			if !g.access.Empty() || !g.id.Empty() {
				t.Errorf("%q: refused, and still something came out", body)
			}
			return
		}
		if g.access.Empty() || !json.Valid(body) || status < 200 || status > 201 {
			t.Errorf("%d %q was taken", status, body)
		}
		if !g.expires.IsZero() && (!g.expires.After(fuzzNow) || g.expires.Year() > 2040) {
			t.Errorf("%q holds until %s", body, g.expires)
		}
	})
}

func FuzzClaimsThatBindAreExact(f *testing.F) {
	for _, seed := range []string{
		`{"aud":"me","exp":1768478500,"iat":1768478400}`, `{"aud":["me","you"],"azp":"me","exp":1768478500.5,"iat":1768478400}`,
		`{"aud":["me",1]}`, `{"aud":{"me":"me"}}`, `{"exp":"1","aud":"me"}`, `{"exp":1e400,"iat":-0,"aud":"me"}`, `{"azp":["me"],"aud":"me"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		claims, err := object(body)
		if err != nil {
			return
		}
		if audience(claims, "me") == nil {
			named, _ := claims["aud"].(string)
			several, _ := claims["aud"].([]any)
			if named != "me" && len(several) == 0 || claims["azp"] != nil && claims["azp"] != "me" || len(several) > 1 && claims["azp"] != "me" {
				t.Errorf("%q is for us", body)
			}
		}
		if inTime(claims, fuzzNow) == nil {
			for _, name := range []string{"exp", "iat"} {
				if _, is := claims[name].(json.Number); !is {
					t.Errorf("%q holds with %s %v", body, name, claims[name])
				}
			}
		}
	})
}

func FuzzTheMergeOfTwoAnswersMakesNoProofOutOfBoth(f *testing.F) {
	f.Add([]byte(`{"sub":"1","email":"a@example.com"}`), []byte(`{"email":"b@example.com","email_verified":true}`))
	f.Add([]byte(`{"email_verified":true}`), []byte(`{"email":"b@example.com"}`))
	f.Add([]byte(`{"email":{"x":1},"email_verified":true}`), []byte(`{"email":[],"email_verified":1}`))
	f.Fuzz(func(t *testing.T, signed, info []byte) {
		a, err := object(signed)
		if err != nil {
			return
		}
		b, err := object(info)
		if err != nil {
			return
		}
		all := Connection{Name: "x", Type: OIDC}.merge(a, b)
		if all["email_verified"] != true || text(all["email"]) == "" {
			return
		}
		of := func(one map[string]any) bool { return one["email_verified"] == true && one["email"] == all["email"] }
		same := a["email"] == all["email"] && text(b["email"]) == text(all["email"])
		if !of(a) && !of(b) && !same {
			t.Errorf("%q and %q make %v", signed, info, all)
		}
	})
}

func FuzzAnIssuerOfATenantIsTheTemplateAndNothingElse(f *testing.F) {
	f.Add("https://login.example/11111111-2222-4333-8444-555555555555/v2.0")
	f.Add("https://login.example/{tenantid}/v2.0")
	f.Add("https://login.example//v2.0")
	undo := AddPreset(Preset{Name: "many", Type: OIDC, Dialect: Dialect{Issued: "https://login.example/{tenantid}/v2.0"}})
	f.Cleanup(undo)
	f.Fuzz(func(t *testing.T, issuer string) {
		if !(Connection{Preset: "many"}).issues(issuer) {
			return
		}
		u, err := url.Parse(issuer)
		if err != nil || u.Host != "login.example" || strings.Count(u.Path, "/") != 2 || u.RawQuery != "" {
			t.Errorf("%q", issuer)
		}
	})
}
