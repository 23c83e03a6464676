package provider

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/ory/fosite"

	"idp/internal/problem"
)

// failure is an error as a relying party reads it (RFC 6749 §5.2).
type failure struct {
	Status      int    `json:"-"`
	Code        string `json:"error,omitempty"`
	Description string `json:"error_description,omitempty"`
}

// failureOf makes of an error what may be told: fosite's as they are, trouble with the
// database as temporarily_unavailable. Ours alone are not ok, and not for relying parties.
func failureOf(err error) (failure, bool) {
	var p *problem.Error
	if errors.As(err, &p) && p.Kind == problem.Unavailable {
		return failure{http.StatusServiceUnavailable, "temporarily_unavailable", "Please try again in a moment."}, true
	}
	var f *fosite.RFC6749Error
	if !errors.As(err, &f) || f.CodeField >= http.StatusInternalServerError {
		return failure{}, false
	}
	return failure{f.CodeField, f.ErrorField, clean(f.HintField)}, true
}

// clean keeps a description to the characters RFC 6749 §5.2 allows.
func clean(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			b[i] = '\''
		}
	}
	return string(b)
}

// refuse answers a direct request with an error; what is our own fault is returned.
func (p *Provider) refuse(w http.ResponseWriter, err error) error {
	if errors.Is(err, errMethod) {
		return wrongMethod(w, "POST")
	}
	f, ok := failureOf(err)
	if !ok {
		return err
	}
	switch {
	case f.Status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case f.Code == "invalid_client":
		f.Status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="`+p.Issuer+`", charset="UTF-8"`)
	case f.Status == http.StatusForbidden || f.Status == http.StatusUnauthorized:
		f.Status = http.StatusBadRequest // 401 is for the client's own authentication alone
	}
	return reply(w, f.Status, f)
}

var errMethod = errors.New("the method is not allowed here")

// wrongMethod says which methods an endpoint has.
func wrongMethod(w http.ResponseWriter, allowed string) error {
	w.Header().Set("Allow", allowed)
	return reply(w, http.StatusMethodNotAllowed, failure{Code: "invalid_request", Description: "Allowed here: " + allowed + "."})
}

// reply writes JSON that nobody may keep.
func reply(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
	return nil
}
