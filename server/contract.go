package server

import (
	"net/http"
	"slices"
	"strings"

	"idp/docs/openapi"
)

// described answers GET /frontend/v1/openapi.json.
func described(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(openapi.Frontend())
	return nil
}

// Operation is one address of the Frontend API as its callers may rely on it. Types are those that
// the handlers read and write; docs/openapi/frontend.json is made from them, and the tests of
// several rooms hold every answer against it.
type Operation struct {
	Pattern string            // as in the route table
	Name    string            // operationId
	Summary string            // one sentence
	Group   string            // what it is about
	Query   map[string]string // parameters of the query, by name, with what they are
	In      any               // zero value of the body's type; nil: there is none
	Lax     bool              // the body may be left out
	Out     any               // the same of the answer; nil: no content
	Status  int               // of success
	Codes   []string          // of the problems that it answers with
}

// Contract describes every address of the Frontend API, also those that only development has.
func Contract() []Operation {
	all := slices.Concat(attemptOperations(), sessionOperations(), selfOperations(), plainOperations())
	for i, o := range all {
		all[i].Codes = slices.Concat(o.Codes, o.common())
		slices.Sort(all[i].Codes)
		all[i].Codes = slices.Compact(all[i].Codes)
	}
	return all
}

// codes splits what a table says in words.
func codes(words ...string) []string { return strings.Fields(strings.Join(words, " ")) }

// common are the problems that every address has: its face's and the server's.
func (o Operation) common() []string {
	all := []string{"server_error", "too_slow", "database_unavailable", "cross_site"}
	if !strings.HasPrefix(o.Pattern, "GET ") {
		all = append(all, "origin_missing", "json_expected")
	}
	if o.In != nil {
		all = append(all, "json_unreadable", "body_cut_short", "too_large")
	}
	return all
}
