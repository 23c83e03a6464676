package provider_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"idp/internal/problem"
	"idp/provider"
)

const issuerRel = "http://openid.net/specs/connect/1.0/issuer"

func (w *world) finger(query string) (*httptest.ResponseRecorder, error) {
	rec := httptest.NewRecorder()
	return rec, w.provider.WebFinger(rec, httptest.NewRequest(http.MethodGet, "/.well-known/webfinger"+query, nil))
}

func TestWebFingerLeadsToTheIssuerWhoeverIsAskedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.wire(provider.Deps{Issuer: issuer + "/auth", WebFingerHosts: []string{"example.org"}})
		w.person("Ann") // ann@example.com
		var answers []string
		for _, resource := range []string{
			"acct:ann@id.example.com", "acct:nobody@id.example.com", "acct:ann%40mail.example@id.example.com", "acct:ann@ID.Example.COM", "acct:ann@example.org",
			"https://id.example.com", "https://id.example.com/ann", "https://id.example.com/auth/nobody#x",
		} {
			rec, err := w.finger("?resource=" + url.QueryEscape(resource) + "&rel=" + url.QueryEscape(issuerRel))
			must(t, err)
			var got struct {
				Subject string
				Links   []struct{ Rel, Href string }
			}
			must(t, json.Unmarshal(rec.Body.Bytes(), &got))
			if got.Subject != resource || len(got.Links) != 1 || got.Links[0].Rel != issuerRel || got.Links[0].Href != issuer+"/auth" {
				t.Errorf("%s: %s", resource, rec.Body)
			}
			if rec.Header().Get("Content-Type") != "application/jrd+json" || rec.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: headers %v", resource, rec.Header())
			}
			answers = append(answers, strings.ReplaceAll(rec.Body.String(), resource, ""))
		}
		if slices.Sort(answers[:2]); answers[0] != answers[1] {
			t.Errorf("known and unknown people are answered differently: %q", answers[:2])
		}
	})
}

func TestWebFingerLeavesOutRelationsThatNobodyAskedFor(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	for query, want := range map[string]int{
		"": 1, "&rel=" + url.QueryEscape(issuerRel): 1, "&rel=avatar": 0, "&rel=avatar&rel=" + url.QueryEscape(issuerRel): 1, "&rel=": 0,
	} {
		rec, err := w.finger("?resource=acct:ann@id.example.com" + query)
		must(t, err)
		var got struct{ Links []any }
		must(t, json.Unmarshal(rec.Body.Bytes(), &got))
		if got.Links == nil || len(got.Links) != want {
			t.Errorf("%q: %s", query, rec.Body)
		}
	}
}

func TestWebFingerKnowsNothingOfOtherHostsAndOddResources(t *testing.T) {
	w := newWorld(t, sqlite(t), clockOf())
	for query, want := range map[string]problem.Kind{
		"": problem.Malformed, "?resource=": problem.Malformed, "?rel=" + issuerRel: problem.Malformed, "?resource=%zz": problem.Malformed,
		"?resource=acct:ann@id.example.com&resource=acct:bob@id.example.com": problem.Malformed,
		"?resource=ann@id.example.com":                                       problem.Malformed,
		"?resource=acct:ann":                                                 problem.Malformed,
		"?resource=acct:@id.example.com":                                     problem.Malformed,
		"?resource=acct:ann@":                                                problem.Malformed,
		"?resource=tel:%2B442079460018":                                      problem.Malformed,
		"?resource=https:///ann":                                             problem.Malformed,
		"?resource=acct:a@id.example.com/" + strings.Repeat("a", 3000):       problem.Malformed,
		"?resource=acct:ann@evil.example":                                    problem.NotFound,
		"?resource=acct:ann@id.example.com@evil.example":                     problem.NotFound,
		"?resource=acct:ann@id.example.com.evil.example":                     problem.NotFound,
		"?resource=https://id.example.com@evil.example/":                     problem.NotFound,
		"?resource=https://id.example.com:8443/":                             problem.NotFound,
		"?resource=https://evil.example/id.example.com":                      problem.NotFound,
	} {
		if rec, err := w.finger(query); !problem.Is(err, want) {
			t.Errorf("%s: %v %s", query, err, rec.Body)
		}
	}
}
