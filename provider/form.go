package provider

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/ory/fosite"
)

const (
	maxForm  = 64 << 10
	maxValue = 8 << 10
	maxState = 2048
	maxNonce = 512
	maxHint  = 320
)

// meaningful are the parameters of an authorization request that are looked at. Nothing else
// is kept of one that waits: it may be a credential that strayed, or there to fill the disk.
var meaningful = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge",
	"code_challenge_method", "prompt", "max_age", "id_token_hint", "login_hint", "claims", "ui_locales", "acr_values",
	"resource", "audience", "domain_hint", "connection", "idp_hint", "kc_idp_hint",
}

func worthKeeping(form url.Values) url.Values {
	kept := url.Values{}
	for _, name := range meaningful {
		if form.Has(name) {
			kept[name] = form[name]
		}
	}
	return kept
}

// repeatable are the parameters that may occur more than once (RFC 8707 §2).
var repeatable = map[string]bool{"resource": true, "audience": true}

// queryForm reads the parameters of an authorization or logout request: from the URL, or
// on POST from the body alone.
func queryForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		return bodyForm(w, r)
	}
	if len(r.URL.RawQuery) > maxForm {
		return nil, fosite.ErrInvalidRequest.WithHint("The request is too long.")
	}
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fosite.ErrInvalidRequest.WithHint("The query is not readable.")
	}
	return form, strict(form)
}

// bodyForm reads the parameters of a direct request: from the body, which must be a form.
func bodyForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fosite.ErrInvalidRequest.WithHint("Send the parameters as application/x-www-form-urlencoded.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, fosite.ErrInvalidRequest.WithHint("The body is not a readable form of at most 64 KiB.")
	}
	return r.PostForm, strict(r.PostForm)
}

// strict refuses what two parsers could read differently: repeated parameters (RFC 6749
// §3.1), and values that are not text.
func strict(form url.Values) error {
	for name, values := range form {
		if len(values) > 1 && !repeatable[name] {
			return fosite.ErrInvalidRequest.WithHint("A parameter is given more than once.")
		}
		for _, v := range values {
			if len(v) > most(name) || !utf8.ValidString(v) || strings.Contains(v, "\x00") {
				return fosite.ErrInvalidRequest.WithHint("A parameter is too long or not text.")
			}
		}
	}
	return nil
}

// most is how long the value of a parameter may be. What others sign and encrypt is longer
// than what people write.
func most(name string) int {
	if name == "request" {
		return maxObject
	}
	return maxValue
}

// noQuery refuses parameters in the URL of a direct request: URLs are logged.
func noQuery(r *http.Request) error {
	if r.URL.RawQuery != "" {
		return fosite.ErrInvalidRequest.WithHint("Send parameters in the body, not in the URL.")
	}
	return nil
}
