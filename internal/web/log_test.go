package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"idp/internal/web"
)

func TestAPathCannotWriteIntoTheLog(t *testing.T) {
	note := func(w http.ResponseWriter, r *http.Request) error {
		web.Note(r.Context(), web.KeyAttempt, r.PathValue("attempt"))
		return ok(w, r)
	}
	for attempt, kept := range map[string]bool{
		"attempt_0351jIiTiQFgZbYzIk52A2": true,
		"ann@example.com":                false,
		"x\r\nlevel=ERROR":               false,
		strings.Repeat("a", 65):          false,
		"\xff\xfe":                       false,
	} {
		d := newDesk(t)
		r := httptest.NewRequest(http.MethodGet, issuer+"/x", nil)
		r.SetPathValue("attempt", attempt)
		d.serve(web.Route{Pattern: "GET /x", Do: note, Face: web.Page}, r)
		if got := strings.Contains(d.log.String(), `"attempt"`); got != kept {
			t.Errorf("attempt %.40q is in the log: %t", attempt, got)
		}
	}
}
